//! The public keys that verify, each bound to the algorithms it is for.

use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pss::Pss;
use rsa::sha2 as named;
use rsa::sha2::digest::{DynDigest, InvalidBufferSize};
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPublicKey};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::Algorithm;
use crate::error::TokenFault;

const MIN_MODULUS_BITS: usize = 2048;
const MAX_MODULUS_BITS: usize = 8192;
const MAX_MODULUS_BYTES: usize = MAX_MODULUS_BITS / 8;
const MAX_EXPONENT_BYTES: usize = 8;
const SEC1_UNCOMPRESSED: u8 = 4;

/// A checked public key.
#[derive(Clone, Debug)]
pub(super) enum PublicKey {
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
        RsaPublicKey::new_with_max_size(modulus, exponent, MAX_MODULUS_BITS)
            .ok()
            .map(Self::Rsa)
    }

    /// A point on P-256 from its coordinates of 32 bytes each (RFC 7518 section 6.2.1).
    pub(super) fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        let point = uncompressed_point(x, y, 32)?;
        p256::ecdsa::VerifyingKey::from_sec1_bytes(&point)
            .ok()
            .map(Self::P256)
    }

    /// A point on P-384 from its coordinates of 48 bytes each (RFC 7518 section 6.2.1).
    pub(super) fn p384(x: &[u8], y: &[u8]) -> Option<Self> {
        let point = uncompressed_point(x, y, 48)?;
        p384::ecdsa::VerifyingKey::from_sec1_bytes(&point)
            .ok()
            .map(Self::P384)
    }

    /// An Ed25519 key from its 32 bytes (RFC 8037 section 2); a point of small order, under which
    /// signatures prove nothing, is none.
    pub(super) fn ed25519(x: &[u8]) -> Option<Self> {
        let key = ed25519_compact::PublicKey::from_slice(x).ok()?;
        key.validate().ok()?;
        Some(Self::Ed25519(key))
    }

    /// Whether `algorithm` is one for this type of key (RFC 7518 sections 3.3 to 3.5, RFC 8037
    /// section 3.1). A curve has exactly one.
    pub(super) const fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Rsa(_) => matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512),
            Self::P256(_) => matches!(algorithm, Es256),
            Self::P384(_) => matches!(algorithm, Es384),
            Self::Ed25519(_) => matches!(algorithm, EdDsa),
        }
    }

    /// Whether this key made `signature` over `input` with `algorithm`.
    ///
    /// Errors: [`TokenFault::AlgorithmRefused`] for an algorithm of another type of key,
    /// [`TokenFault::SignatureInvalid`] otherwise.
    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<(), TokenFault> {
        if !self.fits(algorithm) {
            return Err(TokenFault::AlgorithmRefused);
        }
        let made_by_this_key = match self {
            Self::Rsa(key) => rsa_made(key, algorithm, input, signature),
            Self::P256(key) => {
                use p256::ecdsa::{Signature, signature::Verifier as _};
                Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(input, &signature).is_ok())
            }
            Self::P384(key) => {
                use p384::ecdsa::{Signature, signature::Verifier as _};
                Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(input, &signature).is_ok())
            }
            Self::Ed25519(key) => ed25519_compact::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(input, &signature).is_ok()),
        };
        if made_by_this_key {
            Ok(())
        } else {
            Err(TokenFault::SignatureInvalid)
        }
    }
}

fn rsa_made(key: &RsaPublicKey, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
    // RFC 8017 section 5.2.2 step 1: the representative is below the modulus. The crate checks it
    // for PKCS #1 v1.5 only, and a PSS signature would otherwise have a second form.
    if BigUint::from_bytes_be(signature) >= *key.n() {
        return false;
    }
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

/// Some providers write the sign octet of an ASN.1 integer into `n`, which RFC 7518 section 6.3.1.1
/// warns of and which changes nothing.
fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}
