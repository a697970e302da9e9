//! Consumers, as they are written.

use portero_derive::Read;

use super::super::words::{Given, TextOrList};

/// Somebody whom bearer tokens are from, by its name, which is the key. Names, ids and what credentials
/// compare with must fit into a header as they are: visible ASCII, and blanks inside.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Consumer {
    /// What `x-consumer-id` says: no other consumer's. Without a value: the name.
    pub(in crate::config) id: Option<String>,
    /// What `x-consumer-custom-id` says: no other consumer's. Without a value there is no such header.
    pub(in crate::config) custom_id: Option<String>,
    /// Which tokens are this consumer's, at most 64 credentials. A consumer without any is found by no
    /// token.
    pub(in crate::config) credentials: Option<Vec<Given<Credential>>>,
}

/// What a token says that is from this consumer: `claim` or `client_id` or, where neither is written,
/// no more than the issuer. Of a token's credentials the `claim` counts first, then the `client_id`, then
/// the issuer. No two consumers have the same.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Credential {
    /// The issuer that has to say so, byte for byte: that of a provider with `access_tokens`. Where
    /// several have them it is required, because each could say anything about the others' clients.
    pub(in crate::config) issuer: Option<String>,
    /// The client that the token was issued to: its `client_id`, or else `azp`.
    pub(in crate::config) client_id: Option<String>,
    /// A claim of the token. All credentials of one issuer that look at a claim look at the same one.
    pub(in crate::config) claim: Option<CredentialClaim>,
}

/// A claim and its value.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct CredentialClaim {
    /// A string is the name of one outermost claim, whatever characters it has; a list names the way to
    /// a claim inside objects.
    pub(in crate::config) name: Given<TextOrList>,
    /// The claim is this text.
    pub(in crate::config) value: Given<String>,
}
