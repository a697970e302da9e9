//! Host patterns of rules.

use super::super::{HostName, HostPattern};

const ACCEPTED: &str = "accepted: a host in lower case, such as `app.example.com`, `*.example.com` or `app.example.com:8443`";

/// Reads a host, or `*.` and a host, and maybe a port. The error says what is wrong and what is
/// accepted.
pub(super) fn pattern(text: &str) -> Result<HostPattern, String> {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let host = name.strip_prefix("*.").unwrap_or(name);
    if text == "*" {
        return Err("is `*`; accepted: leave `hosts` out to match every host".to_owned());
    }
    if host.contains('*') {
        return Err(format!("has a `*` that is not its first label; {ACCEPTED}"));
    }
    if port.is_some_and(|port| !is_port(port)) {
        return Err(format!("has a `:` without a port after it; {ACCEPTED}"));
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("has upper-case letters; {ACCEPTED}"));
    }
    if host.len() > 253 || !host.split('.').all(is_label) {
        return Err(format!("is not a host name; {ACCEPTED}"));
    }
    Ok(HostPattern {
        name: match name == host {
            true => HostName::Exact(host.to_owned()),
            false => HostName::Below(format!(".{host}")),
        },
        port: port.map(str::to_owned),
    })
}

/// Ports are compared as text, so there is one way to write them.
fn is_port(text: &str) -> bool {
    text.parse::<u16>()
        .is_ok_and(|port| port != 0 && port.to_string() == text)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}
