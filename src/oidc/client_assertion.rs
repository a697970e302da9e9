//! The token by which a client proves who it is without showing its secret: `private_key_jwt` and
//! `client_secret_jwt` (OpenID Connect Core section 9, RFC 7523 sections 2.2 and 3).

use std::time::Duration;

use serde_json::Map;

use super::SignedToken;
use crate::error::InternalFault;
use crate::host::Host;
use crate::jose::SigningKey;

/// The value of `client_assertion_type`.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Each is for one request, which follows at once.
const LIFETIME: Duration = Duration::from_secs(60);

/// An assertion of the client for one request.
pub(super) fn of(
    client_id: &str,
    audience: &str,
    key: &SigningKey,
    host: &dyn Host,
) -> Result<String, InternalFault> {
    let assertion = SignedToken {
        typ: "JWT",
        issuer: client_id,
        subject: Some(client_id),
        audience,
        expires_at: host.now().after(LIFETIME),
        claims: Map::new(),
    };
    assertion.sign(key, host)
}

#[cfg(test)]
mod tests;
