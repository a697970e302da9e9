//! The provider's keys.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePrivateKey;
use rsa::sha2::Digest as _;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

/// A private key with the `kid` under which it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer {
    pub kid: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// From a seed.
    Es256(u8),
    /// There is only one.
    Rs256,
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa_key() -> &'static RsaPrivateKey {
    static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
    KEY.get_or_init(|| {
        RsaPrivateKey::from_pkcs8_der(include_bytes!("../fixtures/rsa2048.der")).unwrap()
    })
}

impl Signer {
    pub const fn es256(kid: &'static str, seed: u8) -> Self {
        let kind = Kind::Es256(seed);
        Self { kid, kind }
    }

    pub const fn rs256(kid: &'static str) -> Self {
        let kind = Kind::Rs256;
        Self { kid, kind }
    }

    pub const fn algorithm(self) -> &'static str {
        match self.kind {
            Kind::Es256(_) => "ES256",
            Kind::Rs256 => "RS256",
        }
    }

    fn p256(seed: u8) -> p256::ecdsa::SigningKey {
        p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap()
    }

    pub fn jwk(self) -> Value {
        let mut jwk = match self.kind {
            Kind::Es256(seed) => {
                let point = Self::p256(seed).verifying_key().to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            Kind::Rs256 => json!({
                "kty": "RSA",
                "n": encode(rsa_key().n().to_bytes_be()),
                "e": encode(rsa_key().e().to_bytes_be()),
            }),
        };
        jwk["kid"] = self.kid.into();
        jwk["alg"] = self.algorithm().into();
        jwk["use"] = "sig".into();
        jwk
    }

    pub fn header(self) -> Value {
        json!({"alg": self.algorithm(), "kid": self.kid, "typ": "JWT"})
    }

    /// A compact serialization of exactly this header and these claims.
    pub fn sign(self, header: &Value, claims: &str) -> String {
        let input = format!("{}.{}", encode(header.to_string()), encode(claims));
        let signature = match self.kind {
            Kind::Es256(seed) => {
                use p256::ecdsa::{Signature, signature::Signer as _};
                let signature: Signature = Self::p256(seed).sign(input.as_bytes());
                signature.to_bytes().to_vec()
            }
            Kind::Rs256 => {
                let digest = rsa::sha2::Sha256::digest(input.as_bytes());
                rsa_key()
                    .sign(Pkcs1v15Sign::new::<rsa::sha2::Sha256>(), &digest)
                    .unwrap()
            }
        };
        format!("{input}.{}", encode(signature))
    }
}
