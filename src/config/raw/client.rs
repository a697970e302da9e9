//! Portero as the provider knows it, as it is written.

use portero_derive::Read;

use super::super::words::{Given, SecretText};

/// Portero as it is registered at the provider.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Client {
    /// The client identifier.
    pub(in crate::config) id: Given<String>,
    /// How Portero proves to be this client.
    pub(in crate::config) authentication: Given<ClientAuthentication>,
}

/// How the client authenticates where it asks the provider directly (OpenID Connect Core, section 9): an
/// object with exactly one of these keys.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(in crate::config) enum ClientAuthentication {
    /// The secret in the `Authorization` header: what most providers expect.
    ClientSecretBasic {
        /// The client secret.
        secret: Given<SecretText>,
    },
    /// The secret in the body of the request.
    ClientSecretPost {
        /// The client secret.
        secret: Given<SecretText>,
    },
    /// A token signed with the secret, which itself is never sent (RFC 7523).
    ClientSecretJwt {
        /// The client secret, at least as long as the algorithm's hash: 32 bytes for `HS256`.
        secret: Given<SecretText>,
        /// The signature algorithm: `HS256`, which it is without this, `HS384` or `HS512`.
        algorithm: Option<String>,
        /// Whom the token is made for: `issuer` without this.
        audience: Option<AssertionAudience>,
    },
    /// A token signed with a private key, whose public key the provider knows (RFC 7523): nothing that
    /// is sent or kept at the provider lets anybody else be this client.
    PrivateKeyJwt {
        /// The private key: PEM (`PRIVATE KEY`, `RSA PRIVATE KEY`, `EC PRIVATE KEY`), or a JSON Web Key
        /// as text. RSA of 2048 to 4096 bits, or P-256, which signs many times faster.
        key: Given<SecretText>,
        /// The name by which the provider knows the key (`kid`). Without it, the `kid` of a JSON Web
        /// Key.
        key_id: Option<String>,
        /// The signature algorithm: `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`. Without
        /// it, the `alg` of a JSON Web Key, or what is usual for the type of key: `RS256`, `ES256`.
        algorithm: Option<String>,
        /// Whom the token is made for: `issuer` without this.
        audience: Option<AssertionAudience>,
    },
    /// No secret: a public client, which proves itself by PKCE alone. Its value is `{}`.
    None {},
    /// The secret in the `Authorization` header, or in the body where the provider refuses that; the way
    /// that works is remembered. Only for the clients of `upstream_tokens`.
    ClientSecretAutomatic {
        /// The client secret.
        secret: Given<SecretText>,
    },
}

/// The audience of the tokens by which the client authenticates.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum AssertionAudience {
    /// The issuer identifier, which nobody else can be: a token for it is of no use anywhere else.
    Issuer,
    /// The address of the token endpoint, for providers that take nothing else.
    TokenEndpoint,
}
