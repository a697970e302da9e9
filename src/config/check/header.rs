//! Names of the headers that Portero sets, or takes tokens from.

use super::is_token;
use crate::header_list::folded;

/// Headers that frame the message, belong to one connection, carry cookies or choose the host.
const REFUSED: [&str; 16] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-request-id",
];

/// Headers that Envoy, and whoever trusts it, reads as its own.
const REFUSED_PREFIXES: [&str; 2] = ["x-envoy-", "x-forwarded-"];

/// Reads the name of a header that Portero sets into lower case. The error says what is wrong and what
/// is accepted.
pub(super) fn name(text: &str) -> Result<String, String> {
    read(
        text,
        &REFUSED_PREFIXES,
        "must not set; accepted: a header name of your own, such as `x-user-email`",
    )
}

/// The same for a header that a token comes in. Gateways before this one hand on what they were sent in
/// headers such as `x-forwarded-authorization`.
pub(super) fn source(text: &str) -> Result<String, String> {
    read(
        text,
        &["x-envoy-"],
        "must not take a token from; accepted: a header name such as `authorization`",
    )
}

/// `rest` is what Portero must not do with the headers that are refused, and what is accepted.
fn read(text: &str, prefixes: &[&str], rest: &str) -> Result<String, String> {
    let accepted = rest.split_once("; ").map_or(rest, |(_, accepted)| accepted);
    if text.starts_with(':') {
        return Err(format!("is a pseudo header; {accepted}"));
    }
    if text.len() > 128 || !is_token(text) {
        return Err(format!("is not a header name; {accepted}"));
    }
    let lower = text.to_ascii_lowercase();
    let folded = folded(lower.as_bytes());
    let is_refused = REFUSED.iter().any(|name| folded == name.as_bytes());
    if is_refused
        || prefixes
            .iter()
            .any(|prefix| folded.starts_with(prefix.as_bytes()))
    {
        return Err(format!("is a header that Portero {rest}"));
    }
    Ok(lower)
}
