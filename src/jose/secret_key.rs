//! Secrets that verify what they have signed (RFC 7518 section 3.2).

use hkdf::hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use super::{Algorithm, KeyFault};
use crate::error::TokenFault;
use crate::secret::Secret;

/// A checked secret, for one algorithm.
///
/// It shares no type with public keys, so the bytes of one are never taken for the other.
#[derive(Clone, Debug)]
pub(super) struct SecretKey {
    algorithm: Algorithm,
    secret: Secret<Vec<u8>>,
}

impl SecretKey {
    /// Errors: [`KeyFault::AlgorithmMismatch`] for an algorithm that takes no secret,
    /// [`KeyFault::SecretTooShort`] for a secret shorter than the algorithm's hash.
    pub(super) fn new(secret: &[u8], algorithm: Algorithm) -> Result<Self, KeyFault> {
        let minimum = match algorithm {
            Algorithm::Hs256 => 32,
            Algorithm::Hs384 => 48,
            Algorithm::Hs512 => 64,
            _ => return Err(KeyFault::AlgorithmMismatch),
        };
        if secret.len() < minimum {
            return Err(KeyFault::SecretTooShort { minimum });
        }
        Ok(Self {
            algorithm,
            secret: Secret::new(secret.to_vec()),
        })
    }

    /// Whether the secret is for `algorithm`.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm == algorithm
    }

    /// The authentication code of `input` under this secret.
    pub(super) fn authenticate(&self, input: &[u8]) -> Option<Vec<u8>> {
        let secret = self.secret.expose();
        match self.algorithm {
            Algorithm::Hs256 => code::<Hmac<Sha256>>(secret, input),
            Algorithm::Hs384 => code::<Hmac<Sha384>>(secret, input),
            Algorithm::Hs512 => code::<Hmac<Sha512>>(secret, input),
            _ => None,
        }
    }

    /// Whether `signature` is the whole authentication code of `input` under this secret. Every
    /// wrong one of the right length takes the same time.
    ///
    /// Errors: [`TokenFault::AlgorithmRefused`] for another algorithm,
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
        let secret = self.secret.expose();
        let made_with_this_secret = match algorithm {
            Algorithm::Hs256 => authenticates::<Hmac<Sha256>>(secret, input, signature),
            Algorithm::Hs384 => authenticates::<Hmac<Sha384>>(secret, input, signature),
            Algorithm::Hs512 => authenticates::<Hmac<Sha512>>(secret, input, signature),
            _ => false,
        };
        if made_with_this_secret {
            Ok(())
        } else {
            Err(TokenFault::SignatureInvalid)
        }
    }
}

fn code<M: Mac + KeyInit>(secret: &[u8], input: &[u8]) -> Option<Vec<u8>> {
    let mac = M::new_from_slice(secret).ok()?.chain_update(input);
    Some(mac.finalize().into_bytes().to_vec())
}

fn authenticates<M: Mac + KeyInit>(secret: &[u8], input: &[u8], signature: &[u8]) -> bool {
    M::new_from_slice(secret)
        .is_ok_and(|mac| mac.chain_update(input).verify_slice(signature).is_ok())
}

#[cfg(test)]
mod tests;
