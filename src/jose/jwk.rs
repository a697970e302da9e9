//! JSON Web Keys (RFC 7517) that verify signatures.

use portero_fast::parse_object;
use serde_json::{Map, Value};

use super::public_key::PublicKey;
use super::secret_key::SecretKey;
use super::{Algorithm, KeyFault, base64url, pem};
use crate::error::TokenFault;
use crate::host::Host;

/// The longest `kid` that Portero reads, in keys and in tokens.
pub const MAX_KEY_ID_BYTES: usize = 512;

/// The largest JSON Web Key that is read from the configuration.
const MAX_JWK_BYTES: usize = 64 * 1024;

/// Members of private keys (RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2). A published key
/// that has one is compromised.
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// A key that verifies signatures: a public key that a provider publishes or that is configured, or
/// a secret, which can only be configured.
#[derive(Clone, Debug)]
pub struct Jwk {
    key_id: Option<String>,
    algorithm: Option<Algorithm>,
    key: Key,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Key {
    Public(PublicKey),
    Secret(SecretKey),
}

/// Where a key is from, which decides what it means that it has no `kid`.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// A provider's set: the provider names its keys in its tokens by the names they have there.
    Published,
    /// The configuration: who wrote it need not know the name that tokens give to the key.
    Configured,
}

impl Jwk {
    /// The public key that `value` describes, in a provider's set.
    ///
    /// Error: why Portero cannot or must not verify with it: unknown `kty` or `crv`, private or
    /// symmetric keys, a `use` or `key_ops` for another purpose, an `alg` that does not fit,
    /// numbers out of bounds, broken base64url.
    pub(super) fn from_value(value: &Value) -> Result<Self, KeyFault> {
        let members = value.as_object().ok_or(KeyFault::JwkMalformed)?;
        let kind = text(members, "kty")?.ok_or(KeyFault::JwkMalformed)?;
        if kind == "oct" || members.contains_key("k") {
            return Err(KeyFault::Symmetric);
        }
        if PRIVATE_MEMBERS
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(KeyFault::Private);
        }
        if !is_for_verification(members) {
            return Err(KeyFault::NotForVerification);
        }
        let bytes = |name: &str| {
            let text = text(members, name)?.ok_or(KeyFault::JwkMalformed)?;
            base64url::decode(text).ok_or(KeyFault::JwkMalformed)
        };
        let key = match (kind, text(members, "crv")?) {
            ("RSA", _) => PublicKey::rsa(&bytes("n")?, &bytes("e")?),
            ("EC", Some("P-256")) => PublicKey::p256(&bytes("x")?, &bytes("y")?),
            ("EC", Some("P-384")) => PublicKey::p384(&bytes("x")?, &bytes("y")?),
            ("OKP", Some("Ed25519")) => PublicKey::ed25519(&bytes("x")?),
            _ => return Err(KeyFault::TypeUnsupported),
        };
        let jwk = Self::unnamed(
            Key::Public(key.ok_or(KeyFault::Refused)?),
            Origin::Published,
        );
        let jwk = match text(members, "kid")? {
            None => jwk,
            Some(id) => jwk.with_key_id(id)?,
        };
        match text(members, "alg")? {
            None => Ok(jwk),
            Some(name) => {
                jwk.pinned_to(Algorithm::from_name(name).ok_or(KeyFault::AlgorithmMismatch)?)
            }
        }
    }

    /// The public key of a JSON Web Key in the configuration, which is refused for what a published
    /// one is refused for.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyFault> {
        if text.len() > MAX_JWK_BYTES {
            return Err(KeyFault::TooLarge);
        }
        let members = parse_object(text).ok_or(KeyFault::JwkMalformed)?;
        Self::from_value(&Value::Object(members)).map(Self::configured)
    }

    /// The public key of a PEM block in the configuration (RFC 7468): `PUBLIC KEY`,
    /// `RSA PUBLIC KEY`, or that of a `CERTIFICATE`, of which nothing else is looked at: neither its
    /// dates nor who signed it. Its bounds are those of a published key.
    pub fn from_pem(text: &str) -> Result<Self, KeyFault> {
        let key = Key::Public(pem::public_key(text)?);
        Ok(Self::unnamed(key, Origin::Configured))
    }

    /// A secret of the configuration for one HMAC algorithm: at least as long as its hash
    /// (RFC 7518 section 3.2).
    pub fn from_secret(secret: &[u8], algorithm: Algorithm) -> Result<Self, KeyFault> {
        let key = Key::Secret(SecretKey::new(secret, algorithm)?);
        Self::unnamed(key, Origin::Configured).pinned_to(algorithm)
    }

    const fn unnamed(key: Key, origin: Origin) -> Self {
        Self {
            key_id: None,
            algorithm: None,
            key,
            origin,
        }
    }

    /// The same key, given by the configuration.
    pub(super) fn configured(self) -> Self {
        Self {
            origin: Origin::Configured,
            ..self
        }
    }

    /// The key with this `kid`: it verifies no token that names another.
    pub fn with_key_id(self, key_id: &str) -> Result<Self, KeyFault> {
        if key_id.len() > MAX_KEY_ID_BYTES {
            return Err(KeyFault::KeyIdTooLong);
        }
        Ok(Self {
            key_id: Some(key_id.to_owned()),
            ..self
        })
    }

    /// The key for this algorithm alone, which must be one that it supports.
    pub fn pinned_to(self, algorithm: Algorithm) -> Result<Self, KeyFault> {
        if !self.supports(algorithm) {
            return Err(KeyFault::AlgorithmMismatch);
        }
        Ok(Self {
            algorithm: Some(algorithm),
            ..self
        })
    }

    /// The key's `kid`.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Whether the key may have signed a token whose header has this `kid` (RFC 7515 section 4.1.4).
    pub(super) fn is_meant_by(&self, wanted: Option<&str>) -> bool {
        match (wanted, &self.key_id, self.origin) {
            (None, ..) | (Some(_), None, Origin::Configured) => true,
            (Some(_), None, Origin::Published) => false,
            (Some(wanted), Some(own), _) => own == wanted,
        }
    }

    /// Whether a signature by `algorithm` may be verified with this key: its type fits, and its
    /// own `alg`, where it has one, is the same (RFC 8725 section 3.1).
    pub fn supports(&self, algorithm: Algorithm) -> bool {
        let fits = match &self.key {
            Key::Public(key) => key.fits(algorithm),
            Key::Secret(key) => key.fits(algorithm),
        };
        fits && self.algorithm.is_none_or(|own| own == algorithm)
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
        host: &dyn Host,
    ) -> Result<(), TokenFault> {
        if !self.supports(algorithm) {
            return Err(TokenFault::AlgorithmRefused);
        }
        match &self.key {
            Key::Public(key) => key.verify(algorithm, signing_input, signature, host),
            Key::Secret(key) => key.verify(algorithm, signing_input, signature),
        }
    }
}

/// The member `name`, where it is present: a string.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, KeyFault> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeyFault::JwkMalformed),
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
