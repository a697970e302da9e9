//! Who is asking: a person in front of a browser, or a program.

use crate::answer::Audience;
use crate::request::Request;

/// A navigation can be sent to log in; everything else gets a status it can handle. Browsers say
/// what they do in `Sec-Fetch-*`; where those are missing, `Accept` and `X-Requested-With` tell.
pub fn audience(request: &Request) -> Audience {
    match is_navigation(request) {
        true => Audience::Browser,
        false => Audience::Program,
    }
}

fn is_navigation(request: &Request) -> bool {
    let is_read = matches!(request.method(), "GET" | "HEAD");
    if !is_read || is_upgrade(request) || is_grpc(request) || is_prefetch(request) {
        return false;
    }
    if let Some(mode) = request.text("sec-fetch-mode") {
        return mode == "navigate";
    }
    if request
        .text("x-requested-with")
        .is_some_and(|value| value.eq_ignore_ascii_case("xmlhttprequest"))
    {
        return false;
    }
    request.text("accept").is_some_and(|accept| {
        accept.split(',').any(|range| {
            let media_type = range.split(';').next().unwrap_or_default().trim();
            media_type.eq_ignore_ascii_case("text/html")
                || media_type.eq_ignore_ascii_case("application/xhtml+xml")
        })
    })
}

fn is_upgrade(request: &Request) -> bool {
    request.all("upgrade").next().is_some() || request.all(":protocol").next().is_some()
}

fn is_grpc(request: &Request) -> bool {
    request
        .text("content-type")
        .is_some_and(|value| value.starts_with("application/grpc"))
}

/// A page fetched ahead may never be looked at: it must not start a login.
fn is_prefetch(request: &Request) -> bool {
    ["sec-purpose", "purpose"].iter().any(|name| {
        request
            .text(name)
            .is_some_and(|value| value.contains("prefetch"))
    })
}

/// A CORS preflight (Fetch standard, section 3.3.1): it never carries credentials.
pub fn is_preflight(request: &Request) -> bool {
    request.method() == "OPTIONS"
        && request.all("origin").next().is_some()
        && request
            .all("access-control-request-method")
            .next()
            .is_some()
}

/// Whether the request comes from a page of this very origin, or from the person directly.
pub fn is_same_origin(request: &Request, origin: &str) -> bool {
    if let Some(site) = request.text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    if let Some(sender) = request.text("origin") {
        return sender == origin;
    }
    request
        .text("referer")
        .and_then(|referer| referer.strip_prefix(origin))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a person can tell the operator: the proxy's request id, if it is one.
pub fn request_id(request: &Request) -> &str {
    request
        .text("x-request-id")
        .filter(|id| {
            id.len() <= 64
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
        .unwrap_or("unknown")
}
