//! Signatures as the host's own cryptography takes them, and how it is found out whether to rely on it.

use super::der::{
    BIT_STRING, EC_PUBLIC_KEY, NULL, OBJECT_IDENTIFIER, RSA, SEQUENCE, element, unsigned,
};
use crate::host::SignatureQuestion;

/// The SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) of an RSA key (RFC 8017 appendix A.1) with these
/// big-endian numbers.
pub(super) fn rsa_info(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = element(SEQUENCE, &[&unsigned(modulus), &unsigned(exponent)]);
    info(RSA, &element(NULL, &[]), &key)
}

/// The SubjectPublicKeyInfo of an uncompressed point on a curve (RFC 5480 section 2).
pub(super) fn ec_info(curve: &[u8], point: &[u8]) -> Vec<u8> {
    info(EC_PUBLIC_KEY, &element(OBJECT_IDENTIFIER, &[curve]), point)
}

fn info(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = element(OBJECT_IDENTIFIER, &[algorithm]);
    let algorithm = element(SEQUENCE, &[&algorithm, parameters]);
    // No bit of the last octet is unused.
    element(SEQUENCE, &[&algorithm, &element(BIT_STRING, &[&[0], key])])
}

/// The two halves of a signature (RFC 7518 section 3.4) as an ECDSA-Sig-Value (RFC 3279 section 2.2.3).
pub(super) fn ecdsa_signature(signature: &[u8]) -> Vec<u8> {
    let half = signature.len().checked_div(2).unwrap_or(0);
    let (r, s) = signature.split_at_checked(half).unwrap_or_default();
    element(SEQUENCE, &[&unsigned(r), &unsigned(s)])
}

/// What the signatures below were made over, with keys that nobody has any more.
const SIGNED: &[u8] = b"Portero";
const NOT_SIGNED: &[u8] = b"portero";

/// Everything that the host is ever asked about, by one example each: hash, key, signature.
const EXAMPLES: [(&str, &[u8], &[u8]); 5] = [
    (
        "sha256",
        include_bytes!("native/rsa.der"),
        include_bytes!("native/rs256.signature"),
    ),
    (
        "sha384",
        include_bytes!("native/rsa.der"),
        include_bytes!("native/rs384.signature"),
    ),
    (
        "sha512",
        include_bytes!("native/rsa.der"),
        include_bytes!("native/rs512.signature"),
    ),
    (
        "sha256",
        include_bytes!("native/p256.der"),
        include_bytes!("native/es256.signature"),
    ),
    (
        "sha384",
        include_bytes!("native/p384.der"),
        include_bytes!("native/es384.signature"),
    ),
];

/// Whether a host, by the answers that `ask` gets from it, knows a good signature of every kind from a
/// bad one. One that does not, or does not say, must not be asked about any.
pub fn tells_signatures_apart(ask: impl Fn(&SignatureQuestion<'_>) -> Option<bool>) -> bool {
    EXAMPLES.into_iter().all(|(hash, public_key, signature)| {
        let says_of = |text| {
            ask(&SignatureQuestion {
                hash,
                public_key,
                signature,
                text,
            })
        };
        says_of(SIGNED) == Some(true) && says_of(NOT_SIGNED) == Some(false)
    })
}

#[cfg(test)]
mod tests;
