//! The public keys that verify, each bound to the algorithms it is for.

use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pss::Pss;
use rsa::sha2 as named;
use rsa::sha2::digest::{DynDigest, InvalidBufferSize};
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPublicKey};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::der::{P256, P384, without_leading_zeros};
use super::{Algorithm, native};
use crate::error::TokenFault;
use crate::host::{Host, SignatureQuestion};

const MIN_MODULUS_BITS: usize = 2048;
const MAX_MODULUS_BITS: usize = 8192;
const MAX_MODULUS_BYTES: usize = MAX_MODULUS_BITS / 8;
const MAX_EXPONENT_BYTES: usize = 8;
const SEC1_UNCOMPRESSED: u8 = 4;

/// A checked public key.
#[derive(Clone, Debug)]
pub(super) struct PublicKey {
    key: Key,
    /// The same key for the host. It is never asked about Ed25519, for which this is empty.
    info: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Key {
    Rsa(RsaPublicKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Ed25519(ed25519_compact::PublicKey),
}

impl PublicKey {
    /// An RSA key from big-endian modulus and exponent (RFC 7518 section 6.3.1): a modulus of
    /// 2048 bits (section 3.3) to 8192 bits, an odd exponent from 3 to 2^33 - 1.
    /// The upper bounds limit what one verification costs.
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let modulus = without_leading_zeros(modulus);
        let exponent = without_leading_zeros(exponent);
        if modulus.len() > MAX_MODULUS_BYTES || exponent.len() > MAX_EXPONENT_BYTES {
            return None;
        }
        let info = native::rsa_info(modulus, exponent);
        let modulus = BigUint::from_bytes_be(modulus);
        // With a single bit in the leading octet an encoded PSS message is one octet shorter than
        // the modulus (RFC 8017 section 8.1.2), and the crate does not look at that octet.
        if modulus.bits() < MIN_MODULUS_BITS || modulus.bits() % 8 == 1 {
            return None;
        }
        let exponent = BigUint::from_bytes_be(exponent);
        if exponent < BigUint::from(3_u8) {
            return None;
        }
        // Refuses even numbers and an exponent beyond 2^33 - 1.
        let key = RsaPublicKey::new_with_max_size(modulus, exponent, MAX_MODULUS_BITS).ok()?;
        Some(Self {
            key: Key::Rsa(key),
            info,
        })
    }

    /// A point on P-256 from its coordinates of 32 bytes each (RFC 7518 section 6.2.1).
    pub(super) fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        let point = uncompressed_point(x, y, 32)?;
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
        Some(Self {
            key: Key::P256(key),
            info: native::ec_info(P256, &point),
        })
    }

    /// A point on P-384 from its coordinates of 48 bytes each (RFC 7518 section 6.2.1).
    pub(super) fn p384(x: &[u8], y: &[u8]) -> Option<Self> {
        let point = uncompressed_point(x, y, 48)?;
        let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
        Some(Self {
            key: Key::P384(key),
            info: native::ec_info(P384, &point),
        })
    }

    /// An Ed25519 key from its 32 bytes (RFC 8037 section 2); a point of small order, under which
    /// signatures prove nothing, is none.
    pub(super) fn ed25519(x: &[u8]) -> Option<Self> {
        let key = ed25519_compact::PublicKey::from_slice(x).ok()?;
        key.validate().ok()?;
        Some(Self {
            key: Key::Ed25519(key),
            info: Vec::new(),
        })
    }

    /// Whether `algorithm` is one for this type of key (RFC 7518 sections 3.3 to 3.5, RFC 8037
    /// section 3.1). A curve has exactly one.
    pub(super) const fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self.key {
            Key::Rsa(_) => matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512),
            Key::P256(_) => matches!(algorithm, Es256),
            Key::P384(_) => matches!(algorithm, Es384),
            Key::Ed25519(_) => matches!(algorithm, EdDsa),
        }
    }

    /// Whether this key made `signature` over `input` with `algorithm`. RSASSA-PKCS1-v1_5 and ECDSA are
    /// left to the host where it can tell, which takes it a tenth of the time and less. What it is asked
    /// about has the one form that such a signature has, so that both know the same ones.
    ///
    /// Errors: [`TokenFault::AlgorithmRefused`] for an algorithm of another type of key,
    /// [`TokenFault::SignatureInvalid`] otherwise.
    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
        host: &dyn Host,
    ) -> Result<(), TokenFault> {
        if !self.fits(algorithm) {
            return Err(TokenFault::AlgorithmRefused);
        }
        let host_says = |hash, signature: &[u8]| {
            host.verify_signature(&SignatureQuestion {
                hash,
                public_key: &self.info,
                signature,
                text: input,
            })
        };
        let made_by_this_key = match &self.key {
            Key::Rsa(key) => {
                is_rsa_signature(key, signature)
                    && pkcs1_hash(algorithm)
                        .and_then(|hash| host_says(hash, signature))
                        .unwrap_or_else(|| rsa_made(key, algorithm, input, signature))
            }
            // Of the right length, and both numbers between zero and the order of the curve.
            Key::P256(key) => {
                use p256::ecdsa::{Signature, signature::Verifier as _};
                Signature::from_slice(signature).is_ok_and(|parsed| {
                    host_says("sha256", &native::ecdsa_signature(signature))
                        .unwrap_or_else(|| key.verify(input, &parsed).is_ok())
                })
            }
            Key::P384(key) => {
                use p384::ecdsa::{Signature, signature::Verifier as _};
                Signature::from_slice(signature).is_ok_and(|parsed| {
                    host_says("sha384", &native::ecdsa_signature(signature))
                        .unwrap_or_else(|| key.verify(input, &parsed).is_ok())
                })
            }
            Key::Ed25519(key) => ed25519_compact::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(input, &signature).is_ok()),
        };
        if made_by_this_key {
            Ok(())
        } else {
            Err(TokenFault::SignatureInvalid)
        }
    }
}

/// RFC 8017 sections 8.1.2 and 8.2.2 step 1, and section 5.2.2 step 1: as long as the modulus, and
/// below it. The crate checks the latter for PKCS #1 v1.5 only, and a PSS signature would otherwise have
/// a second form.
fn is_rsa_signature(key: &RsaPublicKey, signature: &[u8]) -> bool {
    signature.len() == key.size() && BigUint::from_bytes_be(signature) < *key.n()
}

/// The host's name of the hash in a signature of RSASSA-PKCS1-v1_5; the host has no other kind with RSA.
const fn pkcs1_hash(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::Rs256 => Some("sha256"),
        Algorithm::Rs384 => Some("sha384"),
        Algorithm::Rs512 => Some("sha512"),
        _ => None,
    }
}

fn rsa_made(key: &RsaPublicKey, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
    let sha256: HashFunction = |input| Sha256::digest(input).to_vec();
    let sha384: HashFunction = |input| Sha384::digest(input).to_vec();
    let sha512: HashFunction = |input| Sha512::digest(input).to_vec();
    // Of the crate's own hashes only the names are taken, which stand in the padding.
    let (function, pkcs1) = match algorithm {
        Algorithm::Rs256 => (sha256, Some(Pkcs1v15Sign::new::<named::Sha256>())),
        Algorithm::Rs384 => (sha384, Some(Pkcs1v15Sign::new::<named::Sha384>())),
        Algorithm::Rs512 => (sha512, Some(Pkcs1v15Sign::new::<named::Sha512>())),
        Algorithm::Ps256 => (sha256, None),
        Algorithm::Ps384 => (sha384, None),
        Algorithm::Ps512 => (sha512, None),
        Algorithm::Es256
        | Algorithm::Es384
        | Algorithm::EdDsa
        | Algorithm::Hs256
        | Algorithm::Hs384
        | Algorithm::Hs512 => return false,
    };
    let hashed = function(input);
    let result = match pkcs1 {
        Some(pkcs1) => key.verify(pkcs1, &hashed, signature),
        // RFC 7518 section 3.5: the salt is as long as the hash.
        None => key.verify(pss(function, hashed.len()), &hashed, signature),
    };
    result.is_ok()
}

type HashFunction = fn(&[u8]) -> Vec<u8>;

fn pss(function: HashFunction, length: usize) -> Pss {
    let digest = Box::new(Hash {
        function,
        length,
        input: Vec::new(),
    });
    Pss {
        blinded: false,
        digest,
        salt_len: length,
    }
}

/// A hash for the `rsa` crate, which knows those of an earlier `sha2`: everything else here uses the
/// later one, and Envoy would compile both at every start.
#[derive(Clone)]
struct Hash {
    function: HashFunction,
    /// Of what the function gives, in bytes.
    length: usize,
    input: Vec<u8>,
}

impl DynDigest for Hash {
    fn update(&mut self, data: &[u8]) {
        self.input.extend_from_slice(data);
    }

    fn finalize_into(mut self, out: &mut [u8]) -> Result<(), InvalidBufferSize> {
        self.finalize_into_reset(out)
    }

    fn finalize_into_reset(&mut self, out: &mut [u8]) -> Result<(), InvalidBufferSize> {
        let hashed = (self.function)(&std::mem::take(&mut self.input));
        if out.len() != hashed.len() {
            return Err(InvalidBufferSize);
        }
        out.copy_from_slice(&hashed);
        Ok(())
    }

    fn reset(&mut self) {
        self.input.clear();
    }

    fn output_size(&self) -> usize {
        self.length
    }

    fn box_clone(&self) -> Box<dyn DynDigest> {
        Box::new(self.clone())
    }
}

fn uncompressed_point(x: &[u8], y: &[u8], length: usize) -> Option<Vec<u8>> {
    (x.len() == length && y.len() == length).then(|| [&[SEC1_UNCOMPRESSED], x, y].concat())
}

#[cfg(test)]
mod tests;
