//! Who is asking: a person in front of a browser, or a program.

use crate::answer::Audience;
use crate::request::Request;

/// Browsers say what they do in `Sec-Fetch-*`; where those are missing, `Accept` and
/// `X-Requested-With` tell. A page fetched ahead may never be looked at, so nobody reads it.
pub fn audience(request: &Request) -> Audience {
    let is_navigation = match request.text("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => accepts_html(request) && !is_scripted(request),
    };
    match is_navigation && !is_upgrade(request) && !is_grpc(request) && !is_prefetch(request) {
        true => Audience::Browser,
        false => Audience::Program,
    }
}

/// Whether the answer may be a redirect to the provider: only a navigation that nothing is lost by
/// repeating can follow one and come back.
pub fn can_log_in(request: &Request, audience: Audience) -> bool {
    audience == Audience::Browser && matches!(request.method(), "GET" | "HEAD")
}

fn accepts_html(request: &Request) -> bool {
    request.text("accept").is_some_and(|accept| {
        accept.split(',').any(|range| {
            let media_type = range.split(';').next().unwrap_or_default().trim();
            media_type.eq_ignore_ascii_case("text/html")
                || media_type.eq_ignore_ascii_case("application/xhtml+xml")
        })
    })
}

fn is_scripted(request: &Request) -> bool {
    request
        .text("x-requested-with")
        .is_some_and(|value| value.eq_ignore_ascii_case("xmlhttprequest"))
}

fn is_upgrade(request: &Request) -> bool {
    request.all("upgrade").next().is_some() || request.all(":protocol").next().is_some()
}

fn is_grpc(request: &Request) -> bool {
    request
        .text("content-type")
        .is_some_and(|value| value.starts_with("application/grpc"))
}

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

/// Whether a browser says that a page of this very origin sends the request; where it says nothing, no.
pub fn is_from_own_page(request: &Request, origin: &str) -> bool {
    let mut said = [("sec-fetch-site", "same-origin"), ("origin", origin)]
        .into_iter()
        .flat_map(|(name, own)| request.all(name).map(move |value| value == own.as_bytes()))
        .peekable();
    said.peek().is_some() && said.all(|is_own| is_own)
}

/// Whether the request says that its body is a form, as browsers encode one by default.
pub fn has_form(request: &Request) -> bool {
    request.text("content-type").is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default();
        media_type
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

/// What a person can tell the operator: the proxy's request id, if it is one.
pub fn request_id(request: &Request) -> &str {
    request
        .text("x-request-id")
        .filter(|id| {
            (1..=64).contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests;
