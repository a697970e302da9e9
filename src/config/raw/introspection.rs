//! How the provider is asked about access tokens, as it is written.

use portero_derive::Read;

use super::super::words::{SecretText, Span};
use super::Client;

/// Asks the provider about tokens that are no JSON Web Tokens (RFC 7662): they say nothing themselves. At
/// most one provider of a configuration has this, because nobody can see whose such a token is, and a
/// token must not be shown to others.
#[derive(Default, Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Introspection {
    /// The client that asks. Without it, the provider's own `client`.
    pub(in crate::config) client: Option<Client>,
    /// A fixed token to ask with, in place of a client.
    pub(in crate::config) bearer_token: Option<SecretText>,
    /// How long a worker goes on with an active token without asking again, if it does not end before:
    /// `0s` to `1h`. For as long, a token that is withdrawn still counts.
    pub(in crate::config) cache: Option<Span>,
    /// How long a worker remembers that a token does not count: `0s` to `1m`.
    pub(in crate::config) cache_inactive: Option<Span>,
    /// Whether JSON Web Tokens of this provider are asked about as well, once they have been verified,
    /// so that those that are withdrawn are refused. The answer need not say more than that they are
    /// active.
    pub(in crate::config) jwt: Option<bool>,
    /// Lets the provider leave `aud` out of its answers. Then every token that it has issued counts, for
    /// whomever it is: a service that gets one for itself can use it here.
    pub(in crate::config) insecure_allow_missing_audience: Option<bool>,
}
