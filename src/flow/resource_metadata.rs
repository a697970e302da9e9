//! What clients learn about a protected resource (RFC 9728 section 3). Public: whoever wants to come in
//! has to know where to get a token.

use super::serve::{Refusal, Visit};
use super::{Decision, document};
use crate::error::InternalFault;
use crate::oidc::resource_metadata;

/// Answers with the metadata of the resource with this index.
pub fn tell(visit: &Visit<'_>, resource: usize) -> Result<Decision, Refusal> {
    let config = &visit.gateway.config;
    let resource = config.protected_resources.get(resource);
    let resource = resource.ok_or(InternalFault::Bug)?;
    document::publish(visit, &|| resource_metadata(resource, &config.bearer))
}
