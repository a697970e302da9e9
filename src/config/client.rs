//! Portero as the provider knows it.

use crate::jose::SigningKey;
use crate::secret::Secret;

/// Portero as the provider knows it.
#[derive(Debug)]
pub struct Client {
    pub id: String,
    pub authentication: ClientAuthentication,
}

/// How the client authenticates where it asks the provider directly (OpenID Connect Core section 9,
/// RFC 7009 section 2.1, RFC 7662 section 2.1).
#[derive(Debug)]
pub enum ClientAuthentication {
    ClientSecretBasic {
        secret: Secret<String>,
    },
    ClientSecretPost {
        secret: Secret<String>,
    },
    /// `client_secret_jwt` and `private_key_jwt`, which differ in the key alone.
    Assertion {
        key: SigningKey,
        audience: AssertionAudience,
    },
    None,
}

/// Whom a client assertion is made for (RFC 7523 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionAudience {
    Issuer,
    TokenEndpoint,
}
