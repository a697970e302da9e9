//! Keys that sign: Portero's own, for what it says of itself.
//!
//! Signing is the only thing here that computes with a private key. RSA is blinded with fresh
//! randomness and its result verified before it leaves (a fault in one half of the computation would
//! give the key away); ECDSA is deterministic (RFC 6979) and runs in constant time.
//!
//! P-384 and Ed25519 would make the module larger by 5 and by 16 KB, and a key is easily made anew for
//! a provider that takes either.

mod public;

use std::fmt;

use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pss::Pss;
use rsa::rand_core::{CryptoRng, Error as RandError, RngCore, impls};
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::{BigUint, RsaPrivateKey};
use serde_json::Value;

use super::private_key::{Numbers, PrivateKey};
use super::secret_key::SecretKey;
use super::{Algorithm, KeyFault, MAX_KEY_ID_BYTES, base64url};
use crate::error::InternalFault;
use crate::host::Host;

/// What one signature may cost is bounded from above.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A private key, or a secret, for one algorithm.
pub struct SigningKey {
    algorithm: Algorithm,
    key_id: Option<String>,
    key: Key,
}

enum Key {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::ecdsa::SigningKey),
    Secret(SecretKey),
}

impl SigningKey {
    /// What a private key can sign with.
    pub const ALGORITHMS: [Algorithm; 7] = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
        Algorithm::Es256,
    ];

    /// The private key in a block of PEM (`PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`) or in
    /// a JSON Web Key, with the latter's `kid`. It signs with `algorithm`; where there is none, with
    /// the key's own `alg`; where there is none either, with the usual one of its type.
    pub fn parse(text: &str, algorithm: Option<Algorithm>) -> Result<Self, KeyFault> {
        let written = PrivateKey::parse(text)?;
        let refused = KeyFault::PrivateRefused;
        let key = match &written.numbers {
            Numbers::Rsa(numbers) => Key::Rsa(Box::new(rsa(numbers).ok_or(refused)?)),
            Numbers::P256(scalar) => {
                Key::P256(p256::ecdsa::SigningKey::from_slice(scalar).map_err(|_| refused)?)
            }
        };
        let algorithm = match (algorithm, written.algorithm) {
            (Some(wanted), Some(own)) if wanted != own => return Err(KeyFault::AlgorithmMismatch),
            (Some(algorithm), _) | (None, Some(algorithm)) => algorithm,
            (None, None) => key.usual_algorithm(),
        };
        if !key.fits(algorithm) {
            return Err(KeyFault::AlgorithmMismatch);
        }
        let key = Self {
            algorithm,
            key_id: None,
            key,
        };
        match written.key_id {
            None => Ok(key),
            Some(id) => key.with_key_id(id),
        }
    }

    /// The secret that both sides know, for one HMAC algorithm: at least as long as its hash
    /// (RFC 7518 section 3.2).
    pub fn from_secret(secret: &[u8], algorithm: Algorithm) -> Result<Self, KeyFault> {
        Ok(Self {
            algorithm,
            key_id: None,
            key: Key::Secret(SecretKey::new(secret, algorithm)?),
        })
    }

    /// The key with this `kid` in what it signs.
    pub fn with_key_id(self, key_id: String) -> Result<Self, KeyFault> {
        if key_id.len() > MAX_KEY_ID_BYTES {
            return Err(KeyFault::KeyIdTooLong);
        }
        Ok(Self {
            key_id: Some(key_id),
            ..self
        })
    }

    /// The claims as a signed JSON Web Token (RFC 7519, RFC 7515 section 7.1). Its type says what it is,
    /// so that nobody takes it for something else (RFC 8725 section 3.11).
    pub fn token(
        &self,
        typ: &str,
        claims: &Value,
        host: &dyn Host,
    ) -> Result<String, InternalFault> {
        let mut header = serde_json::Map::new();
        header.insert("alg".to_owned(), self.algorithm.name().into());
        header.insert("typ".to_owned(), typ.into());
        if let Some(id) = &self.key_id {
            header.insert("kid".to_owned(), id.as_str().into());
        }
        let mut token = base64url::encode(Value::Object(header).to_string());
        token.push('.');
        token.push_str(&base64url::encode(claims.to_string()));
        let signature = self.sign(token.as_bytes(), host)?;
        token.push('.');
        token.push_str(&base64url::encode(signature));
        Ok(token)
    }

    fn sign(&self, input: &[u8], host: &dyn Host) -> Result<Vec<u8>, InternalFault> {
        const BUG: InternalFault = InternalFault::Bug;
        match &self.key {
            Key::Rsa(key) => rsa_signature(key, self.algorithm, input, host),
            Key::P256(key) => {
                use p256::ecdsa::{Signature, signature::Signer as _};
                let signature: Signature = key.try_sign(input).map_err(|_| BUG)?;
                Ok(signature.to_bytes().to_vec())
            }
            Key::Secret(key) => key.authenticate(input).ok_or(BUG),
        }
    }
}

/// Nothing of the key is printed.
impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{} signing key]", self.algorithm)
    }
}

impl Key {
    const fn usual_algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
            Self::Secret(_) => Algorithm::Hs256,
        }
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Rsa(_) => matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512),
            Self::Secret(key) => key.fits(algorithm),
            Self::P256(_) => algorithm == Algorithm::Es256,
        }
    }
}

/// The crate checks that the numbers belong together.
fn rsa(numbers: &[Vec<u8>; 5]) -> Option<RsaPrivateKey> {
    let [n, e, d, p, q] = numbers
        .each_ref()
        .map(|bytes| BigUint::from_bytes_be(bytes));
    if !MODULUS_BITS.contains(&n.bits()) || n.bits() % 8 == 1 {
        return None;
    }
    RsaPrivateKey::from_components(n, e, d, vec![p, q]).ok()
}

fn rsa_signature(
    key: &RsaPrivateKey,
    algorithm: Algorithm,
    input: &[u8],
    host: &dyn Host,
) -> Result<Vec<u8>, InternalFault> {
    let mut random = Randomness {
        host,
        has_failed: false,
    };
    let random_mut = &mut random;
    let signature = match algorithm {
        Algorithm::Rs256 => key.sign_with_rng(
            random_mut,
            Pkcs1v15Sign::new::<Sha256>(),
            &Sha256::digest(input),
        ),
        Algorithm::Rs384 => key.sign_with_rng(
            random_mut,
            Pkcs1v15Sign::new::<Sha384>(),
            &Sha384::digest(input),
        ),
        Algorithm::Rs512 => key.sign_with_rng(
            random_mut,
            Pkcs1v15Sign::new::<Sha512>(),
            &Sha512::digest(input),
        ),
        // RFC 7518 section 3.5: the salt is as long as the hash, as `Pss::new` makes it.
        Algorithm::Ps256 => {
            key.sign_with_rng(random_mut, Pss::new::<Sha256>(), &Sha256::digest(input))
        }
        Algorithm::Ps384 => {
            key.sign_with_rng(random_mut, Pss::new::<Sha384>(), &Sha384::digest(input))
        }
        Algorithm::Ps512 => {
            key.sign_with_rng(random_mut, Pss::new::<Sha512>(), &Sha512::digest(input))
        }
        _ => return Err(InternalFault::Bug),
    };
    if random.has_failed {
        return Err(InternalFault::RandomUnavailable);
    }
    signature.map_err(|_| InternalFault::Bug)
}

/// The host's randomness as the crate draws it. A failure is remembered, and what was made with it is
/// thrown away.
struct Randomness<'h> {
    host: &'h dyn Host,
    has_failed: bool,
}

impl RngCore for Randomness<'_> {
    fn next_u32(&mut self) -> u32 {
        impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.has_failed |= self.host.fill_random(bytes).is_err();
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), RandError> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Randomness<'_> {}

#[cfg(test)]
mod tests;
