//! Loops over bytes.

/// Whether two texts are the same, by eight bytes at a time: on this platform the usual way is by one. It may
/// stop early, so it is for what no stranger can learn anything from.
#[inline(never)]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    let (words, rest) = one.as_chunks::<8>();
    let (other_words, other_rest) = other.as_chunks::<8>();
    let differences = || {
        let pairs = words.iter().zip(other_words);
        pairs
            .map(|(one, other)| u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other))
            .fold(0, |all, difference| all | difference)
    };
    one.len() == other.len() && rest == other_rest && differences() == 0
}

/// Whether a text is a `b64token` (RFC 6750 section 2.1).
#[inline(never)]
pub fn is_b64token(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = text.get(..text.len().saturating_sub(padding));
    body.is_some_and(|body| !body.is_empty() && is_in_alphabet(body))
}

/// By one look into a table for each byte, and no branch: a token has thousands.
fn is_in_alphabet(text: &[u8]) -> bool {
    let stranger = |byte: &u8| {
        STRANGERS
            .get(usize::from(*byte))
            .is_none_or(|is_one| *is_one)
    };
    let (words, rest) = text.as_chunks::<8>();
    let in_words = words.iter().fold(false, |some, word| {
        word.iter().fold(some, |some, byte| some | stranger(byte))
    });
    !rest
        .iter()
        .fold(in_words, |some, byte| some | stranger(byte))
}

/// The bytes that no `b64token` has before its padding.
#[expect(
    clippy::indexing_slicing,
    reason = "one out of bounds would not compile"
)]
static STRANGERS: [bool; 256] = {
    let mut strangers = [true; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let known =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
        strangers[byte as usize] = !known;
        byte += 1;
    }
    strangers
};

/// Whether a path has nothing in it that anybody could read in another way: it begins with a slash, and has
/// no other characters than those that mean themselves, no empty segment before its end, and none that
/// begins with a dot.
#[inline(never)]
pub fn is_plain_path(path: &[u8]) -> bool {
    let is_plain = |byte: u8| {
        let separates = matches!(byte, b'%' | b';' | b'\\' | b'?' | b'#');
        byte.is_ascii_graphic() && !separates
    };
    let mut last = 0;
    for byte in path.iter().copied() {
        if !is_plain(byte) || (last == b'/' && matches!(byte, b'/' | b'.')) {
            return false;
        }
        last = byte;
    }
    path.first() == Some(&b'/')
}

/// Whether a text can stand in a header value as it is, alone or in a list: it has no characters but those
/// of ASCII that are seen, and neither `%` nor a comma.
#[inline(never)]
pub fn is_plain_value(text: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'%' | b',');
    text.iter().all(is_plain)
}

#[cfg(test)]
mod tests;
