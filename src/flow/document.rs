//! Documents that whoever asks may read, scripts of every site among them.

use super::Decision;
use super::serve::{Refusal, Visit};
use crate::answer::Response;

const METHODS: &str = "GET, HEAD, OPTIONS";

/// Answers with a JSON document that is the same for everybody.
pub fn publish(visit: &Visit<'_>, json: &dyn Fn() -> String) -> Result<Decision, Refusal> {
    let response = match visit.request.method() {
        "GET" | "HEAD" => Response::document(json()),
        "OPTIONS" => preflight(),
        _ => return Err(Refusal::of_method(METHODS)),
    };
    Ok(Decision::Answer(response))
}

/// Clients that are web pages send headers of their own along, such as the version of their protocol, so
/// browsers ask first (Fetch standard, section 3.3.1).
fn preflight() -> Response {
    Response::new(204)
        .with_header("allow", METHODS.to_owned())
        .with_header("access-control-allow-origin", "*".to_owned())
        .with_header("access-control-allow-methods", METHODS.to_owned())
        .with_header("access-control-allow-headers", "*".to_owned())
        .with_header("access-control-max-age", "3600".to_owned())
}
