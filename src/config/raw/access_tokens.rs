//! What access tokens of an issuer must be like, as it is written.

use std::collections::BTreeMap;

use portero_derive::Read;
use serde_json::Value;

use super::super::words::{Given, SecretText, Span};
use super::Introspection;

/// Access tokens of the provider: JSON Web Tokens whose `iss` is its issuer, byte for byte, and with
/// `introspection` those that are none.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct AccessTokens {
    /// The names by which the provider knows what is protected here. A token whose `aud` has none of
    /// them is refused.
    pub(in crate::config) audiences: Given<Vec<Given<String>>>,
    /// Which tokens count.
    pub(in crate::config) profile: Option<AccessTokenProfile>,
    /// The signature algorithms that are accepted. With `keys` that are secrets, theirs are accepted too.
    pub(in crate::config) algorithms: Option<Vec<Given<String>>>,
    /// Keys written by hand, at most 64. With any, no keys of the provider's are fetched for these
    /// tokens, and a key that it changes has to be changed here.
    pub(in crate::config) keys: Option<Vec<Given<AccessTokenKey>>>,
    /// How far the provider's clock and ours may be apart: at most `5m`.
    pub(in crate::config) clock_skew: Option<Span>,
    /// How long a token may be made to be valid, from `iat` to `exp`: `1s` to `365d`. With it, `iat` is
    /// required.
    pub(in crate::config) max_lifetime: Option<Span>,
    /// How the provider is asked about tokens that are no JSON Web Tokens. Without it they are refused.
    pub(in crate::config) introspection: Option<Introspection>,
    /// Whether a token must be from one of `consumers`; otherwise it is refused.
    pub(in crate::config) require_consumer: Option<bool>,
}

/// Which tokens of a provider count as access tokens.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum AccessTokenProfile {
    /// Those that say so by `typ: at+jwt`, with every claim that RFC 9068 requires.
    Rfc9068,
    /// Those with `typ: JWT` or none as well, as Keycloak and Entra ID issue them, if they have a claim that
    /// only access tokens have (`scope`, `scp`, `client_id`, `cid`, `appid`, `azpacr`, `permissions`, or
    /// `typ: Bearer` or `token_use: access` among the claims) or are made with a secret that is written
    /// here, and nothing says that they are ID tokens or tokens of another kind.
    Lenient,
}

/// A key: an object with exactly one of these.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(in crate::config) enum AccessTokenKey {
    /// A public key or a certificate, as a PEM text.
    Pem(String),
    /// A public key as a JSON Web Key (RFC 7517).
    Jwk(BTreeMap<String, Value>),
    /// A secret for one HMAC algorithm, at least as long as its hash. Everybody who can check tokens with
    /// it can make them too.
    Secret {
        /// The secret's text.
        value: Given<SecretText>,
        /// `HS256`, `HS384` or `HS512`.
        algorithm: Given<String>,
        /// Whether the text is base64 of the secret.
        base64: Option<bool>,
    },
}
