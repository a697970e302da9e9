//! How the provider is asked about access tokens.

use std::time::Duration;

use super::Client;
use crate::secret::Secret;

/// How the provider is asked about access tokens (RFC 7662).
#[derive(Debug)]
pub struct IntrospectionPolicy {
    pub credentials: IntrospectionCredentials,
    /// How long an active token counts without being asked about again.
    pub cache: Duration,
    /// How long one that does not count is remembered.
    pub cache_inactive: Duration,
    /// Whether verified JSON Web Tokens are asked about as well.
    pub jwt: bool,
    pub insecure_allow_missing_audience: bool,
}

/// By what the provider knows who asks.
#[derive(Debug)]
pub enum IntrospectionCredentials {
    /// The client that people log in with.
    ProviderClient,
    Client(Client),
    Bearer(Secret<String>),
}
