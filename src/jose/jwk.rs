//! JSON Web Keys (RFC 7517) that verify signatures.

use serde_json::{Map, Value};

use super::public_key::PublicKey;
use super::{Algorithm, base64url};
use crate::error::TokenFault;

/// The longest `kid` that Portero reads, in keys and in tokens.
pub const MAX_KEY_ID_BYTES: usize = 512;

/// Members of private and symmetric keys (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037
/// section 2). A published key that has one is compromised, or not a public key at all.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key that a provider publishes for its signatures.
#[derive(Clone, Debug)]
pub struct Jwk {
    key_id: Option<String>,
    algorithm: Option<Algorithm>,
    key: PublicKey,
}

impl Jwk {
    /// The key that `value` describes; nothing where Portero cannot or must not verify with it:
    /// unknown `kty` or `crv`, private or symmetric keys, a `use` or `key_ops` for another
    /// purpose, an `alg` that does not fit, numbers out of bounds, broken base64url.
    pub(super) fn from_value(value: &Value) -> Option<Self> {
        let members = value.as_object()?;
        if PRIVATE_MEMBERS
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return None;
        }
        if !is_for_verification(members) {
            return None;
        }
        let key_id = match members.get("kid") {
            None => None,
            Some(Value::String(id)) if id.len() <= MAX_KEY_ID_BYTES => Some(id.clone()),
            Some(_) => return None,
        };
        let bytes = |name: &str| base64url::decode(members.get(name)?.as_str()?);
        let curve = members.get("crv").and_then(Value::as_str);
        let key = match (members.get("kty")?.as_str()?, curve) {
            ("RSA", _) => PublicKey::rsa(&bytes("n")?, &bytes("e")?)?,
            ("EC", Some("P-256")) => PublicKey::p256(&bytes("x")?, &bytes("y")?)?,
            ("EC", Some("P-384")) => PublicKey::p384(&bytes("x")?, &bytes("y")?)?,
            ("OKP", Some("Ed25519")) => PublicKey::ed25519(&bytes("x")?)?,
            _ => return None,
        };
        let algorithm = match members.get("alg") {
            None => None,
            Some(name) => {
                let algorithm = Algorithm::from_name(name.as_str()?)?;
                if !key.fits(algorithm) {
                    return None;
                }
                Some(algorithm)
            }
        };
        Some(Self {
            key_id,
            algorithm,
            key,
        })
    }

    /// The key's `kid`.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Whether a signature by `algorithm` may be verified with this key: its type fits, and its
    /// own `alg`, where it has one, is the same (RFC 8725 section 3.1).
    pub fn supports(&self, algorithm: Algorithm) -> bool {
        self.key.fits(algorithm) && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Verifies that this key made `signature` over `signing_input` (RFC 7515 section 5.2 step 8).
    ///
    /// Errors: [`TokenFault::AlgorithmRefused`] where the key does not support `algorithm`,
    /// [`TokenFault::SignatureInvalid`] where another key or another input was signed.
    pub fn verify(
        &self,
        algorithm: Algorithm,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), TokenFault> {
        if !self.supports(algorithm) {
            return Err(TokenFault::AlgorithmRefused);
        }
        self.key.verify(algorithm, signing_input, signature)
    }
}

/// `use` (RFC 7517 section 4.2) and `key_ops` (section 4.3), where present, allow verification.
fn is_for_verification(members: &Map<String, Value>) -> bool {
    let usage = match members.get("use") {
        None => true,
        Some(usage) => usage == "sig",
    };
    let operations = match members.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|name| name == "verify"),
        Some(_) => false,
    };
    usage && operations
}

#[cfg(test)]
mod tests;
