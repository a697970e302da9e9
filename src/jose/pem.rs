//! Public keys in PEM (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1;
use rsa::pkcs8::ObjectIdentifier;
use rsa::pkcs8::der::asn1::BitStringRef;
use rsa::pkcs8::der::{self, Decode as _, Reader as _, SliceReader};
use rsa::pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::KeyFault;
use super::public_key::PublicKey;

/// The longest text that is read: room for a certificate with many names in it.
const MAX_PEM_BYTES: usize = 64 * 1024;

/// RFC 5480 sections 2.1.1 and 2.1.1.1.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// RFC 8410 section 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

const SEC1_UNCOMPRESSED: u8 = 4;

/// The public key in exactly one block of PEM, with nothing but white space around it. Lines may
/// have any length, because a line break is easily lost on the way through a configuration.
pub(super) fn public_key(text: &str) -> Result<PublicKey, KeyFault> {
    if text.len() > MAX_PEM_BYTES {
        return Err(KeyFault::TooLarge);
    }
    let (label, der) = block(text).ok_or(KeyFault::PemMalformed)?;
    match label {
        "PUBLIC KEY" => {
            let info = SubjectPublicKeyInfoRef::from_der(&der);
            from_info(&info.map_err(|_| KeyFault::PemMalformed)?)
        }
        "RSA PUBLIC KEY" => rsa(&der),
        "CERTIFICATE" => from_info(&certified(&der).map_err(|_| KeyFault::PemMalformed)?),
        label if label.ends_with("PRIVATE KEY") => Err(KeyFault::Private),
        _ => Err(KeyFault::LabelUnknown),
    }
}

/// The label and the bytes of the one block in `text` (RFC 7468 section 2).
pub(super) fn block(text: &str) -> Option<(&str, Vec<u8>)> {
    let rest = text.trim_ascii().strip_prefix("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let rest = rest.strip_suffix("-----")?.strip_suffix(label)?;
    let mut body = rest.strip_suffix("-----END ")?.as_bytes().to_vec();
    body.retain(|byte| !byte.is_ascii_whitespace());
    Some((label, STANDARD.decode(body).ok()?))
}

/// The key of a certificate (RFC 5280 section 4.1): the seventh field of what is signed, or the
/// sixth where the version before it is the one that is not written.
fn certified(der: &[u8]) -> der::Result<SubjectPublicKeyInfoRef<'_>> {
    let mut reader = SliceReader::new(der)?;
    let info = reader.sequence(|certificate| {
        let info = certificate.sequence(|signed| {
            let fields_before = if signed.peek_tag()?.is_context_specific() {
                6
            } else {
                5
            };
            for _ in 0..fields_before {
                signed.tlv_bytes()?;
            }
            let info = signed.decode()?;
            while !signed.is_finished() {
                signed.tlv_bytes()?;
            }
            Ok(info)
        })?;
        certificate.decode::<AlgorithmIdentifierRef<'_>>()?;
        certificate.decode::<BitStringRef<'_>>()?;
        Ok(info)
    })?;
    reader.finish(info)
}

/// The key of a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
fn from_info(info: &SubjectPublicKeyInfoRef<'_>) -> Result<PublicKey, KeyFault> {
    let malformed = KeyFault::PemMalformed;
    let key = info.subject_public_key.as_bytes().ok_or(malformed)?;
    match (info.algorithm.oid, info.algorithm.parameters) {
        (pkcs1::ALGORITHM_OID, Some(parameters)) if parameters.is_null() => rsa(key),
        (EC_PUBLIC_KEY, Some(curve)) => point(curve.decode_as().map_err(|_| malformed)?, key),
        (ED25519, None) => PublicKey::ed25519(key).ok_or(KeyFault::Refused),
        (pkcs1::ALGORITHM_OID | EC_PUBLIC_KEY | ED25519, _) => Err(malformed),
        _ => Err(KeyFault::TypeUnsupported),
    }
}

/// The key of an RSAPublicKey (RFC 8017 appendix A.1.1).
fn rsa(der: &[u8]) -> Result<PublicKey, KeyFault> {
    let key = pkcs1::RsaPublicKey::from_der(der).map_err(|_| KeyFault::PemMalformed)?;
    PublicKey::rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes()).ok_or(KeyFault::Refused)
}

/// The key of an uncompressed ECPoint (RFC 5480 section 2.2).
fn point(curve: ObjectIdentifier, point: &[u8]) -> Result<PublicKey, KeyFault> {
    let make = match curve {
        P256 => PublicKey::p256,
        P384 => PublicKey::p384,
        _ => return Err(KeyFault::TypeUnsupported),
    };
    let Some((&SEC1_UNCOMPRESSED, coordinates)) = point.split_first() else {
        return Err(KeyFault::Refused);
    };
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    make(x, y).ok_or(KeyFault::Refused)
}

#[cfg(test)]
mod tests;
