//! Keys that sign, for tests.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::pss::Pss;
use rsa::rand_core::{CryptoRng, Error, RngCore};
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::traits::{PublicKeyParts as _, SignatureScheme};
use serde_json::{Value, json};

use super::{Algorithm, Jwk, JwkSet};

/// Made once with openssl, for tests only.
pub(crate) const RSA_2048_DER: &[u8] = include_bytes!("../../tests/fixtures/rsa2048.der");

pub(crate) fn rsa_2048() -> &'static RsaPrivateKey {
    static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
    KEY.get_or_init(|| RsaPrivateKey::from_pkcs8_der(RSA_2048_DER).unwrap())
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Always the same numbers: good enough for the salt of a test.
struct Counter(u8);

impl RngCore for Counter {
    fn next_u32(&mut self) -> u32 {
        rsa::rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rsa::rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(5).wrapping_add(3);
            *byte = self.0;
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Counter {}

pub(crate) fn rsa_sign(scheme: impl SignatureScheme, digest: &[u8]) -> Vec<u8> {
    rsa_2048()
        .sign_with_rng(&mut Counter(1), scheme, digest)
        .unwrap()
}

/// A provider's key, or a secret, for one algorithm, with the algorithm's name as its `kid`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    seed: u8,
}

impl Signer {
    pub(crate) const fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, seed: 7 }
    }

    /// The same with another key. There is only one RSA key.
    pub(crate) const fn with_seed(algorithm: Algorithm, seed: u8) -> Self {
        Self { algorithm, seed }
    }

    fn p256(self) -> p256::ecdsa::SigningKey {
        p256::ecdsa::SigningKey::from_slice(&[self.seed; 32]).unwrap()
    }

    fn p384(self) -> p384::ecdsa::SigningKey {
        p384::ecdsa::SigningKey::from_slice(&[self.seed; 48]).unwrap()
    }

    fn ed25519(self) -> ed25519_compact::KeyPair {
        ed25519_compact::KeyPair::from_seed([self.seed; 32].into())
    }

    pub(crate) fn secret(self) -> [u8; 64] {
        [self.seed; 64]
    }

    /// Only the members that make the key.
    pub(crate) fn bare_jwk(self) -> Value {
        match self.algorithm {
            Algorithm::Es256 => {
                let point = self.p256().verifying_key().to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            Algorithm::Es384 => {
                let point = self.p384().verifying_key().to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(48);
                json!({"kty": "EC", "crv": "P-384", "x": encode(x), "y": encode(y)})
            }
            Algorithm::EdDsa => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(*self.ed25519().pk)})
            }
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                json!({"kty": "oct", "k": encode(self.secret())})
            }
            _ => json!({
                "kty": "RSA",
                "n": encode(rsa_2048().n().to_bytes_be()),
                "e": encode(rsa_2048().e().to_bytes_be()),
            }),
        }
    }

    /// With `kid`, `use` and `alg`.
    pub(crate) fn jwk(self) -> Value {
        let mut jwk = self.bare_jwk();
        jwk["kid"] = self.algorithm.name().into();
        jwk["alg"] = self.algorithm.name().into();
        jwk["use"] = "sig".into();
        jwk
    }

    pub(crate) fn jwk_set(self) -> JwkSet {
        if self.algorithm.is_symmetric() {
            let name = self.algorithm.name();
            let key = Jwk::from_secret(&self.secret(), self.algorithm).unwrap();
            return JwkSet::from_iter([key.with_key_id(name).unwrap()]);
        }
        set_of(&[self.jwk()])
    }

    pub(crate) fn signature(self, input: &[u8]) -> Vec<u8> {
        match self.algorithm {
            Algorithm::Rs256 => rsa_sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(input)),
            Algorithm::Rs384 => rsa_sign(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(input)),
            Algorithm::Rs512 => rsa_sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(input)),
            Algorithm::Ps256 => rsa_sign(Pss::new::<Sha256>(), &Sha256::digest(input)),
            Algorithm::Ps384 => rsa_sign(Pss::new::<Sha384>(), &Sha384::digest(input)),
            Algorithm::Ps512 => rsa_sign(Pss::new::<Sha512>(), &Sha512::digest(input)),
            Algorithm::Es256 => {
                use p256::ecdsa::{Signature, signature::Signer as _};
                let signature: Signature = self.p256().sign(input);
                signature.to_bytes().to_vec()
            }
            Algorithm::Es384 => {
                use p384::ecdsa::{Signature, signature::Signer as _};
                let signature: Signature = self.p384().sign(input);
                signature.to_bytes().to_vec()
            }
            Algorithm::EdDsa => self.ed25519().sk.sign(input, None).to_vec(),
            Algorithm::Hs256 => code::<hkdf::hmac::Hmac<sha2::Sha256>>(&self.secret(), input),
            Algorithm::Hs384 => code::<hkdf::hmac::Hmac<sha2::Sha384>>(&self.secret(), input),
            Algorithm::Hs512 => code::<hkdf::hmac::Hmac<sha2::Sha512>>(&self.secret(), input),
        }
    }

    /// A token with exactly this header and payload.
    pub(crate) fn sign(self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let input = format!("{}.{}", encode(header), encode(payload));
        let signature = self.signature(input.as_bytes());
        format!("{input}.{}", encode(signature))
    }

    pub(crate) fn header(self) -> Value {
        json!({"alg": self.algorithm.name(), "kid": self.algorithm.name(), "typ": "JWT"})
    }

    /// A token with the usual header.
    pub(crate) fn token(self, claims: &Value) -> String {
        self.sign(self.header().to_string(), claims.to_string())
    }
}

fn code<M: hkdf::hmac::Mac + hkdf::hmac::KeyInit>(secret: &[u8], input: &[u8]) -> Vec<u8> {
    let code = M::new_from_slice(secret).unwrap().chain_update(input);
    code.finalize().into_bytes().to_vec()
}

/// Every algorithm, those with a secret last.
pub(crate) fn all_algorithms() -> Vec<Algorithm> {
    [&Algorithm::ASYMMETRIC[..], &Algorithm::SYMMETRIC].concat()
}

pub(crate) fn set_of(keys: &[Value]) -> JwkSet {
    JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

/// Every type of JSON value, and the extremes of some.
pub(crate) fn values_of_every_type() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(-1e300),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("text"),
        json!("1700000000"),
        json!("x".repeat(30_000)),
        json!([]),
        json!([""]),
        json!(["text"]),
        json!([1]),
        json!([null]),
        json!([["text"]]),
        json!({}),
        json!({"text": "text"}),
    ]
}
