//! From a report to the answer its audience understands.

mod challenge;
mod page;

pub use challenge::Challenge;
pub use page::{Link, Page};

use std::fmt;

use crate::error::Report;

/// A complete local answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// Cookies are somebody's session, and addresses in a login carry its state.
impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        formatter
            .debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Who reads an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A person in front of a browser.
    Browser,
    /// A program.
    Program,
    /// The OpenID provider, which reads errors as OAuth has them.
    Provider,
}

impl Response {
    /// An answer that no cache keeps: every answer of Portero's own depends on who asks.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: vec![("cache-control", "no-store".to_owned())],
            body: String::new(),
        }
    }

    /// A JSON document that is the same for everybody, so that scripts of any site may read it and caches
    /// may keep it.
    pub fn document(json: String) -> Self {
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "public, max-age=300".to_owned()),
            ("access-control-allow-origin", "*".to_owned()),
        ];
        Self {
            status: 200,
            headers,
            body: json,
        }
    }

    /// A redirect that always becomes a GET (RFC 9700 section 4.12). No referrer is sent along,
    /// because addresses in a login carry codes.
    pub fn redirect(location: String) -> Self {
        Self::new(303)
            .with_header("location", location)
            .with_header("referrer-policy", "no-referrer".to_owned())
    }

    /// A page for a person.
    pub fn page(status: u16, page: &Page<'_>) -> Self {
        let mut response = Self::new(status);
        response.headers.extend(page.headers());
        response.body = page.to_html();
        response
    }

    /// The answer to an error: a page for a person, a problem (RFC 9457) for a program, an error
    /// response (RFC 6749 section 5.2) for the provider. `link` is what a person can do now;
    /// `request_id` is what they can tell the operator; `challenge` goes with status 401, and with
    /// others where it says more than that.
    pub fn error(
        report: &Report,
        audience: Audience,
        request_id: &str,
        link: Option<Link<'_>>,
        challenge: &Challenge<'_>,
    ) -> Self {
        let response = match audience {
            Audience::Browser => Self::page(
                report.status,
                &Page {
                    title: title(report.status),
                    message: report.message,
                    code: Some(&report.code),
                    request_id: Some(request_id),
                    link,
                },
            ),
            Audience::Program => {
                let mut response = Self::new(report.status)
                    .with_header("content-type", "application/problem+json".to_owned());
                response.body = serde_json::json!({
                    "status": report.status,
                    "title": title(report.status),
                    "detail": report.message,
                    "code": report.code,
                    "request_id": request_id,
                })
                .to_string();
                response
            }
            Audience::Provider => {
                let mut response = Self::new(report.status)
                    .with_header("content-type", "application/json".to_owned());
                response.body = serde_json::json!({
                    "error": oauth_error(report.status),
                    "error_description": report.message,
                    "code": report.code,
                    "request_id": request_id,
                })
                .to_string();
                response
            }
        };
        match report.status {
            503 => response.with_header("retry-after", "5".to_owned()),
            // RFC 9110 section 15.5.2 demands a challenge.
            status if status == 401 || challenge.error.is_some() => {
                response.with_header("www-authenticate", challenge.text())
            }
            _ => response,
        }
    }

    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    #[must_use]
    pub fn with_cookies(mut self, set_cookies: Vec<String>) -> Self {
        self.headers
            .extend(set_cookies.into_iter().map(|value| ("set-cookie", value)));
        self
    }
}

/// Names of RFC 6749 sections 4.1.2.1 and 5.2.
const fn oauth_error(status: u16) -> &'static str {
    match status {
        503 | 504 => "temporarily_unavailable",
        500..=599 => "server_error",
        _ => "invalid_request",
    }
}

const fn title(status: u16) -> &'static str {
    match status {
        400 | 408 | 413 => "This request cannot be used",
        401 => "Sign-in required",
        403 => "Not allowed",
        405 => "Method not allowed",
        502..=504 => "Not possible at the moment",
        _ => "Something went wrong",
    }
}

#[cfg(test)]
mod tests;
