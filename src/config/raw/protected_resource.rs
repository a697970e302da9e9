//! What is said of protected resources, as it is written.

use portero_derive::Read;

use super::super::words::Given;

/// A protected resource that clients can learn about (RFC 9728): Portero answers whoever asks for
/// `/.well-known/oauth-protected-resource` and the resource's path on the resource's host, and the
/// challenges of requests below the resource name that address. The document says in
/// `bearer_methods_supported` what `bearer` says.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ProtectedResource {
    /// The resource's identifier: an `https` URL without query and fragment, as clients write it, with host
    /// and path in the form that `rules` have. Nothing is rewritten: a trailing slash counts. An access
    /// token for it usually names it as its audience.
    pub(in crate::config) resource: Given<String>,
    /// The issuers whose access tokens are accepted here, at most 16. Without it: those of
    /// all providers with `access_tokens`.
    pub(in crate::config) authorization_servers: Option<Vec<Given<String>>>,
    /// The scopes that a client may ask for, at most 64.
    pub(in crate::config) scopes_supported: Option<Vec<Given<String>>>,
    /// What people call the resource.
    pub(in crate::config) resource_name: Option<String>,
    /// The address of a page for developers: an absolute `https` URL.
    pub(in crate::config) resource_documentation: Option<String>,
    /// Lets the URLs here be plain `http`. Whoever can change that traffic can send clients to an
    /// authorization server of their own: for tests only.
    pub(in crate::config) insecure_allow_http: Option<bool>,
}
