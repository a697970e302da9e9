//! The public half of a key that signs, for whoever verifies.

use rsa::sha2::{Digest as _, Sha256};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Map, Value};

use super::{Key, SigningKey};
use crate::jose::base64url;

impl SigningKey {
    /// The `kid` in what it signs.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The public key as a JSON Web Key (RFC 7517 section 4), for this key's one algorithm. A secret has
    /// none.
    pub fn public_jwk(&self) -> Option<Value> {
        let mut jwk = Map::new();
        for (name, value) in self.public_members()? {
            jwk.insert(name.to_owned(), value.into());
        }
        jwk.insert("alg".to_owned(), self.algorithm.name().into());
        jwk.insert("use".to_owned(), "sig".into());
        if let Some(id) = &self.key_id {
            jwk.insert("kid".to_owned(), id.as_str().into());
        }
        Some(Value::Object(jwk))
    }

    /// The SHA-256 of the public key, by which anybody finds the same name for it (RFC 7638 section 3).
    pub fn thumbprint(&self) -> Option<String> {
        let mut json = String::new();
        for (name, value) in self.public_members()? {
            json.push_str(if json.is_empty() { "{\"" } else { ",\"" });
            json.push_str(name);
            json.push_str("\":\"");
            json.push_str(&value);
            json.push('"');
        }
        json.push('}');
        Some(base64url::encode(Sha256::digest(json)))
    }

    /// The members that make the key, in the order of their names. None has a character that JSON escapes.
    fn public_members(&self) -> Option<Vec<(&'static str, String)>> {
        match &self.key {
            Key::Rsa(key) => Some(vec![
                ("e", base64url::encode(key.e().to_bytes_be())),
                ("kty", "RSA".to_owned()),
                ("n", base64url::encode(key.n().to_bytes_be())),
            ]),
            Key::P256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                Some(vec![
                    ("crv", "P-256".to_owned()),
                    ("kty", "EC".to_owned()),
                    ("x", base64url::encode(point.x()?)),
                    ("y", base64url::encode(point.y()?)),
                ])
            }
            Key::Secret(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
