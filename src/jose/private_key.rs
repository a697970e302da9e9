//! Private keys as they are written: in PEM (RFC 7468) or as JSON Web Keys (RFC 7517).

use portero_fast::parse_object;
use serde_json::{Map, Value};

use super::der::{
    CONTEXT_0, Der, EC_PUBLIC_KEY, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, P256, RSA, SEQUENCE,
};
use super::{Algorithm, KeyFault, base64url, pem};

/// The longest text that is read.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// The numbers of a key, which nobody has looked at yet; integers are big-endian.
pub(super) enum Numbers {
    /// `n`, `e`, `d`, `p` and `q` (RFC 8017 section 3.2).
    Rsa([Vec<u8>; 5]),
    P256(Vec<u8>),
}

/// A private key with what is written beside it.
pub(super) struct PrivateKey {
    pub(super) numbers: Numbers,
    pub(super) key_id: Option<String>,
    pub(super) algorithm: Option<Algorithm>,
}

impl PrivateKey {
    /// Reads the one block of PEM, or the one JSON Web Key, that `text` is.
    pub(super) fn parse(text: &str) -> Result<Self, KeyFault> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(KeyFault::TooLarge);
        }
        match text.trim_ascii_start().starts_with('{') {
            true => from_jwk(text),
            false => Ok(Self {
                numbers: from_pem(text)?,
                key_id: None,
                algorithm: None,
            }),
        }
    }
}

/// RFC 7518 sections 6.2.2 and 6.3.2.
fn from_jwk(json: &str) -> Result<PrivateKey, KeyFault> {
    let members = parse_object(json.as_bytes()).ok_or(KeyFault::PrivateMalformed)?;
    let kind = text(&members, "kty")?.ok_or(KeyFault::PrivateMalformed)?;
    if kind == "oct" {
        return Err(KeyFault::Symmetric);
    }
    if !members.contains_key("d") {
        return Err(KeyFault::Public);
    }
    let operations = members.get("key_ops").map(Value::as_array);
    let signs = |names: &Vec<Value>| names.iter().any(|name| name == "sign");
    if members.get("use").is_some_and(|usage| usage != "sig")
        || operations.is_some_and(|names| !names.is_some_and(signs))
    {
        return Err(KeyFault::NotForSigning);
    }
    let bytes = |name: &str| {
        let text = text(&members, name)?.ok_or(KeyFault::PrivateMalformed)?;
        base64url::decode(text).ok_or(KeyFault::PrivateMalformed)
    };
    let numbers = match (kind, text(&members, "crv")?) {
        ("RSA", _) if members.contains_key("oth") => return Err(KeyFault::PrivateRefused),
        ("RSA", _) => Numbers::Rsa([
            bytes("n")?,
            bytes("e")?,
            bytes("d")?,
            bytes("p")?,
            bytes("q")?,
        ]),
        ("EC", Some("P-256")) => Numbers::P256(bytes("d")?),
        _ => return Err(KeyFault::PrivateTypeUnsupported),
    };
    let algorithm = text(&members, "alg")?
        .map(|name| Algorithm::from_name(name).ok_or(KeyFault::AlgorithmMismatch));
    Ok(PrivateKey {
        numbers,
        key_id: text(&members, "kid")?.map(ToOwned::to_owned),
        algorithm: algorithm.transpose()?,
    })
}

/// The member `name`, where it is present: a string.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, KeyFault> {
    let member = members.get(name);
    let text = member.map(|member| member.as_str().ok_or(KeyFault::PrivateMalformed));
    text.transpose()
}

fn from_pem(text: &str) -> Result<Numbers, KeyFault> {
    let (label, der) = pem::block(text).ok_or(KeyFault::PrivateMalformed)?;
    let numbers = match label {
        "PRIVATE KEY" => pkcs8(&der)?,
        "RSA PRIVATE KEY" => pkcs1(&der),
        "EC PRIVATE KEY" => sec1(&der, None)?,
        "ENCRYPTED PRIVATE KEY" => return Err(KeyFault::Encrypted),
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => return Err(KeyFault::Public),
        _ => return Err(KeyFault::PrivateLabelUnknown),
    };
    numbers.ok_or(KeyFault::PrivateMalformed)
}

/// PrivateKeyInfo (RFC 5208 section 5), or OneAsymmetricKey (RFC 5958 section 2), of which what comes
/// after the key is not looked at.
fn pkcs8(der: &[u8]) -> Result<Option<Numbers>, KeyFault> {
    let parts = || {
        let mut info = Der(der).inside(SEQUENCE)?;
        info.next(INTEGER)?;
        let mut algorithm = info.inside(SEQUENCE)?;
        let name = algorithm.next(OBJECT_IDENTIFIER)?;
        Some((
            name,
            algorithm.next(OBJECT_IDENTIFIER),
            info.next(OCTET_STRING)?,
        ))
    };
    let Some((algorithm, curve, key)) = parts() else {
        return Ok(None);
    };
    match (algorithm, curve) {
        (RSA, _) => Ok(pkcs1(key)),
        (EC_PUBLIC_KEY, Some(curve)) => sec1(key, Some(curve)),
        _ => Err(KeyFault::PrivateTypeUnsupported),
    }
}

/// RSAPrivateKey (RFC 8017 appendix A.1.2), of two primes.
fn pkcs1(der: &[u8]) -> Option<Numbers> {
    let mut key = Der(der).inside(SEQUENCE)?;
    let version = key.next(INTEGER)?;
    let mut number = || key.next(INTEGER).map(<[u8]>::to_vec);
    let numbers = [number()?, number()?, number()?, number()?, number()?];
    (version == [0]).then_some(Numbers::Rsa(numbers))
}

/// ECPrivateKey (RFC 5915 section 3); the curve is in it, or beside it.
fn sec1(der: &[u8], beside: Option<&[u8]>) -> Result<Option<Numbers>, KeyFault> {
    let parts = || {
        let mut key = Der(der).inside(SEQUENCE)?;
        key.next(INTEGER)?;
        let scalar = key.next(OCTET_STRING)?;
        let inside = key
            .inside(CONTEXT_0)
            .and_then(|mut curve| curve.next(OBJECT_IDENTIFIER));
        Some((scalar.to_vec(), beside.or(inside)?))
    };
    match parts() {
        None => Ok(None),
        Some((scalar, P256)) => Ok(Some(Numbers::P256(scalar))),
        Some(_) => Err(KeyFault::PrivateTypeUnsupported),
    }
}
