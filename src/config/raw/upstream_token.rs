//! The tokens that are fetched for the upstream, as they are written.

use std::collections::BTreeMap;

use portero_derive::Read;
use serde_json::Value;

use super::super::words::{Given, SecretText, Span, TextOrList};
use super::Client;

/// A token that Portero fetches for the upstream and puts into a header of requests, under the rules
/// that name it. It is kept until it ends, for all workers of an Envoy.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct UpstreamToken {
    /// The name of the provider that issues it. Not needed where there is one provider.
    pub(in crate::config) provider: Option<String>,
    /// The client that asks for it. Without it, the provider's own `client`.
    pub(in crate::config) client: Option<Client>,
    /// What is exchanged for it.
    pub(in crate::config) grant: Option<TokenGrant>,
    /// The scopes that are asked for: a list, or a string with commas or blanks between them. Without it, no
    /// `scope` is sent.
    pub(in crate::config) scopes: Option<TextOrList>,
    /// More parameters of the token request, such as `audience`. Each item of a list is sent as a
    /// parameter of its own. Those that Portero sends itself are refused.
    pub(in crate::config) endpoint_params: Option<BTreeMap<String, TextOrList>>,
    /// The header that holds the token. Portero removes what the caller or `upstream.headers` has put
    /// there.
    pub(in crate::config) header: Option<String>,
    /// What stands before the token in the header: one word, or `""` for nothing. Without it, `Bearer` in
    /// `authorization` and nothing in other headers.
    pub(in crate::config) scheme: Option<String>,
    /// Whether a request that has the header already keeps it and gets no token.
    pub(in crate::config) keep_existing: Option<bool>,
    /// For a token that is made of the caller's: the names of the providers whose callers' tokens are shown to
    /// `provider`. Without it, those of that provider alone, because whoever sees a token can use it.
    pub(in crate::config) callers_of: Option<Vec<Given<String>>>,
    /// How long before its end the token is renewed, at most half of its life: `5s` to `1h`.
    pub(in crate::config) renew_before: Option<Span>,
    /// How long a token is used where the provider does not say when it ends: `10s` to `1d`.
    pub(in crate::config) default_lifetime: Option<Span>,
    /// What becomes of a request whose token cannot be had.
    pub(in crate::config) when_unavailable: Option<WithoutToken>,
}

/// What is exchanged for a token: an object with exactly one of these keys.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(in crate::config) enum TokenGrant {
    /// Nothing but the client's own credentials: one token for all callers (RFC 6749 section 4.4). Its value
    /// is `{}`.
    ClientCredentials {},
    /// The caller's token: each caller has one of their own (RFC 8693).
    TokenExchange(TokenExchange),
    /// A JSON Web Token (RFC 7523).
    JwtBearer(Assertion),
    /// A refresh token that somebody has got from the provider: one token for all callers (RFC 6749
    /// section 6).
    RefreshToken {
        /// The refresh token. Where the provider replaces it, Portero goes on with the new one until
        /// Envoy ends.
        token: Given<SecretText>,
    },
}

/// The parameters of a token exchange (RFC 8693 section 2.1), and what must come of it.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct TokenExchange {
    /// The caller's token that is exchanged.
    pub(in crate::config) subject: Option<SubjectToken>,
    /// Its token type identifier. Without it, `urn:ietf:params:oauth:token-type:access_token`, or `:id_token`
    /// for an ID token.
    pub(in crate::config) subject_token_type: Option<String>,
    /// Who acts for the caller, where anybody does.
    pub(in crate::config) actor: Option<Actor>,
    /// The names of the services that the token is for.
    pub(in crate::config) audience: Option<TextOrList>,
    /// The addresses of the services that the token is for: absolute URIs without fragment.
    pub(in crate::config) resource: Option<TextOrList>,
    /// The token type identifier that is asked for, and that the issued token must then have. Without
    /// it, an access token or a JSON Web Token must come.
    pub(in crate::config) requested_token_type: Option<String>,
    /// Where the issued token is a JSON Web Token, it must be for one of these. Without it, those of
    /// `audience` and `resource`; `[]` takes any.
    pub(in crate::config) issued_audiences: Option<Vec<Given<String>>>,
}

/// A token of the caller's.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum SubjectToken {
    /// The access token of the request or of the session.
    AccessToken,
    /// The ID token of the session. Only people who have logged in have one.
    IdToken,
}

/// Who acts for the caller: an object with exactly one of these keys.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(in crate::config) enum Actor {
    /// Whoever this token is of.
    Token {
        /// The token.
        token: Given<SecretText>,
        /// Its token type identifier: `urn:ietf:params:oauth:token-type:access_token` without this.
        token_type: Option<String>,
    },
    /// Portero, with another of `upstream_tokens`, by its name. It must be one for all callers.
    UpstreamToken(String),
}

/// A JSON Web Token that is exchanged: an object with exactly one of these keys.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Assertion {
    /// The caller's own: each caller has a token of their own.
    Caller(SubjectToken),
    /// One that Portero signs: one token for all callers.
    Signed(SignedAssertion),
}

/// A JSON Web Token that Portero makes for a token request (RFC 7523 section 3).
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct SignedAssertion {
    /// The private key: PEM (`PRIVATE KEY`, `RSA PRIVATE KEY`, `EC PRIVATE KEY`), or a JSON Web Key as text.
    /// RSA of 2048 to 4096 bits, or P-256.
    pub(in crate::config) key: Given<SecretText>,
    /// The name by which the provider knows the key (`kid`). Without it, the `kid` of a JSON Web Key.
    pub(in crate::config) key_id: Option<String>,
    /// The signature algorithm: `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`. Without it, the
    /// `alg` of a JSON Web Key, or what is usual for the type of key: `RS256`, `ES256`.
    pub(in crate::config) algorithm: Option<String>,
    /// Who vouches: `iss`.
    pub(in crate::config) issuer: Given<String>,
    /// Whom the token is about: `sub`. Without it, the issuer.
    pub(in crate::config) subject: Option<String>,
    /// Whom it is made for: `aud`. Without it, the address of the token endpoint.
    pub(in crate::config) audience: Option<String>,
    /// More claims.
    pub(in crate::config) claims: Option<BTreeMap<String, Value>>,
    /// How long it counts, from each request that it is made for: `10s` to `1h`.
    pub(in crate::config) lifetime: Option<Span>,
}

/// What becomes of a request whose token cannot be had.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum WithoutToken {
    /// It is refused with 502 to 504.
    Refuse,
    /// It goes to the upstream without the token, and without what the caller has put into the header.
    Pass,
}
