//! Paths in canonical form: one way to write each, so that a comparison of bytes is enough.

/// Checks that `path` is canonical. The error says what is wrong and what is accepted.
pub(super) fn canonical(path: &str) -> Result<(), String> {
    if path.len() > 1024 {
        return Err("is longer than 1024 bytes; accepted: a shorter path".to_owned());
    }
    if !path.starts_with('/') {
        return Err(
            "does not start with `/`; accepted: an absolute path, such as `/app`".to_owned(),
        );
    }
    if let Some(odd) = path.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(format!(
            "contains {odd:?}; accepted: visible ASCII characters, others percent-encoded"
        ));
    }
    if let Some(odd) = path.chars().find(|c| "?#\\;".contains(*c)) {
        return Err(format!(
            "contains `{odd}`; accepted: a path alone, without query, fragment and parameters"
        ));
    }
    if path.contains("//") {
        return Err("contains an empty segment (`//`); accepted: single slashes".to_owned());
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(
            "contains a `.` or `..` segment; accepted: the path that they lead to".to_owned(),
        );
    }
    path.split('%').skip(1).try_for_each(encoding)
}

/// Checks what follows a `%`.
fn encoding(after: &str) -> Result<(), String> {
    let (digits, byte) = after
        .get(..2)
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .and_then(|digits| Some((digits, u8::from_str_radix(digits, 16).ok()?)))
        .ok_or("contains a `%` without two digits; accepted: `%25` for `%` itself")?;
    if byte.is_ascii_graphic() && !b"/\\;?#%".contains(&byte) {
        let plain = char::from(byte);
        return Err(format!(
            "contains `%{digits}`, which is `{plain}` in disguise; accepted: `{plain}`"
        ));
    }
    if matches!(byte, b'/' | b'\\' | b';') || byte.is_ascii_control() {
        return Err(format!(
            "contains `%{digits}`, which servers read in different ways; accepted: a path without it"
        ));
    }
    if digits.bytes().any(|digit| digit.is_ascii_lowercase()) {
        let upper = digits.to_ascii_uppercase();
        return Err(format!("contains `%{digits}`; accepted: `%{upper}`"));
    }
    Ok(())
}
