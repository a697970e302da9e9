//! Host patterns of rules.

use super::super::HostPattern;

const ACCEPTED: &str =
    "accepted: a host in lower case without port, such as `app.example.com` or `*.example.com`";

/// Reads a host, or `*.` and a host. The error says what is wrong and what is accepted.
pub(super) fn pattern(text: &str) -> Result<HostPattern, String> {
    let host = text.strip_prefix("*.").unwrap_or(text);
    if text == "*" {
        return Err("is `*`; accepted: leave `hosts` out to match every host".to_owned());
    }
    if host.contains('*') {
        return Err(format!("has a `*` that is not its first label; {ACCEPTED}"));
    }
    if host.contains(':') {
        return Err(format!("has a port or scheme; {ACCEPTED}"));
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("has upper-case letters; {ACCEPTED}"));
    }
    if host.len() > 253 || !host.split('.').all(is_label) {
        return Err(format!("is not a host name; {ACCEPTED}"));
    }
    Ok(if text == host {
        HostPattern::Exact(host.to_owned())
    } else {
        HostPattern::Suffix(format!(".{host}"))
    })
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}
