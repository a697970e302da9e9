//! What access tokens of an issuer must be like.

use std::time::Duration;

use super::IntrospectionPolicy;
use crate::jose::{Algorithm, JwkSet};

/// Which tokens of an issuer count as access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessTokenProfile {
    /// Those of RFC 9068: with its `typ` and every claim of section 2.2.
    Rfc9068,
    /// Beside them those that do not say what they are, unless something says or suggests that they
    /// are something else.
    Lenient,
}

/// How the access tokens of one issuer are judged.
#[derive(Debug)]
pub struct AccessTokenPolicy {
    /// The names of what is protected here, one of which must be in `aud`.
    pub audiences: Vec<String>,
    pub profile: AccessTokenProfile,
    /// Those allowed; each key narrows them further.
    pub algorithms: Vec<Algorithm>,
    /// Keys written into the configuration; without any, those that the issuer publishes.
    pub keys: JwkSet,
    pub clock_skew: Duration,
    /// The longest time from `iat` to `exp`.
    pub max_lifetime: Option<Duration>,
    /// Whether only tokens of consumers count.
    pub require_consumer: bool,
    /// The clients that people log in with at this issuer, who are the audiences of ID tokens.
    pub client_ids: Vec<String>,
    /// How the provider is asked about tokens that say nothing themselves, if it is.
    pub introspection: Option<IntrospectionPolicy>,
}
