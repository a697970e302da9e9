//! What clients learn about a protected resource (RFC 9728 section 3). Public: whoever wants to come in
//! has to know where to get a token.

use super::Decision;
use super::serve::{Refusal, Visit};
use crate::answer::Response;
use crate::error::InternalFault;
use crate::oidc::resource_metadata;

const METHODS: &str = "GET, HEAD, OPTIONS";

/// Answers with the metadata of the resource with this index.
pub fn tell(visit: &Visit<'_>, resource: usize) -> Result<Decision, Refusal> {
    let config = &visit.gateway.config;
    let resource = config.protected_resources.get(resource);
    let resource = resource.ok_or(InternalFault::Bug)?;
    let response = match visit.request.method() {
        "GET" | "HEAD" => Response::document(resource_metadata(resource, &config.bearer)),
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
