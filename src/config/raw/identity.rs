//! The signed identity that the upstream gets, as it is written.

use std::collections::BTreeMap;

use portero_derive::Read;

use super::super::words::{Given, SecretText, Span};
use super::HeaderSource;

/// A JSON Web Token, signed by Portero, that says who is calling: for upstreams that verify instead of
/// trusting headers. Whoever has a session or an access token gets one, nobody else does. It says `iss`,
/// `sub`, `aud`, `iat`, `exp` and `jti`, and as `idp` the issuer of the provider that knows the caller:
/// subjects are unique within that. Its `typ` is `portero-identity+jwt`. A token without `sub` has the
/// client that it was issued to as `sub`, or none where it does not name that either.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Identity {
    /// The header that it stands in. Like every header of Portero's it is removed from every request first.
    pub(in crate::config) header: Option<String>,
    /// Portero's name in it (`iss`): an `https` URL of your own, without query and fragment, and no
    /// provider's.
    pub(in crate::config) issuer: Given<String>,
    /// Whom it is for (`aud`), unless a rule has an `identity_audience`.
    pub(in crate::config) audience: Given<String>,
    /// The keys, 1 to 16: the first signs, all are published at the path `identity_keys` of `paths`. To
    /// change the key, put the new one after the old, and before it when everybody has fetched it: five
    /// minutes later, or what the upstream's cache takes.
    pub(in crate::config) keys: Given<Vec<Given<IdentityKey>>>,
    /// What else it says, at most 64 claims by their names in it. Values stay what they are: texts,
    /// numbers, lists, objects. What the caller does not have is left out. The names that Portero sets
    /// itself, and `nbf`, are refused. Of the sources of headers, `claim` and `access_token_claim` serve.
    pub(in crate::config) claims: Option<BTreeMap<String, HeaderSource>>,
    /// How long it is good: `10s` to `1h`, and never beyond the end of the session or of the access token
    /// (with the `clock_skew` of `access_tokens`). A worker uses one again for half of that.
    pub(in crate::config) lifetime: Option<Span>,
}

/// A key that signs.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct IdentityKey {
    /// The private key: PEM (`PRIVATE KEY`, `RSA PRIVATE KEY`, `EC PRIVATE KEY`), or a JSON Web Key as
    /// text. RSA of 2048 to 4096 bits, or P-256, which signs many times faster.
    pub(in crate::config) key: Given<SecretText>,
    /// The key's name (`kid`). Without it, the `kid` of a JSON Web Key, or the key's thumbprint (RFC 7638).
    pub(in crate::config) key_id: Option<String>,
    /// The signature algorithm: `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`. Without
    /// it, the `alg` of a JSON Web Key, or what is usual for the type of key: `RS256`, `ES256`.
    pub(in crate::config) algorithm: Option<String>,
}
