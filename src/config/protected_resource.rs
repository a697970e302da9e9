//! Protected resources that clients can learn about.

use super::HostPattern;

/// The path of a resource's metadata, before the path of the resource itself (RFC 9728 section 3.1).
pub(super) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What is said of a protected resource (RFC 9728 section 2).
#[derive(Debug)]
pub struct ProtectedResource {
    pub identifier: ResourceIdentifier,
    /// The issuers of the tokens that are accepted; never empty.
    pub authorization_servers: Vec<String>,
    pub scopes_supported: Vec<String>,
    pub resource_name: Option<String>,
    pub resource_documentation: Option<String>,
}

/// A resource identifier (RFC 9728 section 1.2), and what follows from it.
#[derive(Debug)]
pub struct ResourceIdentifier {
    /// As clients write it.
    pub text: String,
    /// An exact one.
    pub host: HostPattern,
    /// The canonical path without a slash at its end: empty for the whole host.
    pub prefix: String,
    pub metadata_url: String,
    /// Canonical.
    pub metadata_path: String,
}
