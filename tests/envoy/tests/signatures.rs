//! Envoy and the module know the same signatures.
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::prelude::{
    Claims, Duration, ECDSAP256KeyPairLike as _, ECDSAP256PublicKeyLike as _,
    ECDSAP384KeyPairLike as _, ES256KeyPair, ES384KeyPair, Ed25519KeyPair, EdDSAKeyPairLike as _,
    HeaderOptions, JWTClaims, PS256KeyPair, RS256KeyPair, RS384KeyPair, RS512KeyPair,
    RSAKeyPairLike as _,
};
use portero::host::{Host, RandomUnavailable, SharedValue, SignatureQuestion};
use portero::jose::{Jwk, JwkSet, Jws};
use portero::telemetry::{Level, Metric};
use portero::time::Timestamp;
use portero_envoy_tests::{Envoy, Provider, Request, Upstream, portero, provider_with_switches};
use serde_json::{Value, json};

const API: &str = "urn:portero:test-api";
const ISSUER: &str = "https://signatures.example.com/";
const RSA: &str = include_str!("../../fixtures/keys/private/rsa.pem");
const OTHER_RSA: &[u8] = include_bytes!("../../fixtures/rsa2048.der");

/// A host that knows nothing of signatures, so that the library verifies them itself.
struct Silent;

impl Host for Silent {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn fill_random(&self, _: &mut [u8]) -> Result<(), RandomUnavailable> {
        Err(RandomUnavailable)
    }

    fn shared(&self, _: &str) -> Option<SharedValue> {
        None
    }

    fn set_shared(&self, _: &str, _: &[u8], _: Option<u32>) -> bool {
        false
    }

    fn verify_signature(&self, _: &SignatureQuestion<'_>) -> Option<bool> {
        None
    }

    fn count(&self, _: &Metric) {}

    fn record(&self, _: &Metric, _: u64) {}

    fn log(&self, _: Level, _: &str) {}
}

/// One key for each type of algorithm.
struct Keys {
    rsa: String,
    p256: ES256KeyPair,
    p384: ES384KeyPair,
    ed25519: Ed25519KeyPair,
}

impl Keys {
    fn new(rsa: String) -> Self {
        Self {
            rsa,
            p256: ES256KeyPair::generate(),
            p384: ES384KeyPair::generate(),
            ed25519: Ed25519KeyPair::generate(),
        }
    }

    fn p256_jwk(&self) -> Value {
        let point = self.p256.public_key().public_key().to_bytes_uncompressed();
        let (x, y) = point.split_at(33);
        json!({"kty": "EC", "crv": "P-256", "x": encode(x.get(1..).unwrap()), "y": encode(y)})
    }

    fn rsa_pem(&self) -> String {
        let key = RS256KeyPair::from_pem(&self.rsa).unwrap();
        key.public_key().to_pem().unwrap()
    }

    fn p384_pem(&self) -> String {
        self.p384.public_key().to_pem().unwrap()
    }

    fn ed25519_pem(&self) -> String {
        self.ed25519.public_key().to_pem()
    }

    /// As the configuration has them.
    fn configured(&self) -> Value {
        json!([
            {"pem": self.rsa_pem()},
            {"jwk": self.p256_jwk()},
            {"pem": self.p384_pem()},
            {"pem": self.ed25519_pem()},
        ])
    }

    /// As the library has them.
    fn set(&self) -> JwkSet {
        JwkSet::from_iter([
            Jwk::from_pem(&self.rsa_pem()).unwrap(),
            Jwk::from_json(self.p256_jwk().to_string().as_bytes()).unwrap(),
            Jwk::from_pem(&self.p384_pem()).unwrap(),
            Jwk::from_pem(&self.ed25519_pem()).unwrap(),
        ])
    }

    /// A token of each algorithm.
    fn tokens(&self) -> Vec<(&'static str, String)> {
        let rs256 = RS256KeyPair::from_pem(&self.rsa).unwrap();
        let rs384 = RS384KeyPair::from_pem(&self.rsa).unwrap();
        let rs512 = RS512KeyPair::from_pem(&self.rsa).unwrap();
        let ps256 = PS256KeyPair::from_pem(&self.rsa).unwrap();
        let typ = HeaderOptions {
            signature_type: Some("at+jwt".to_owned()),
            ..HeaderOptions::default()
        };
        let tokens = [
            ("RS256", rs256.sign_with_options(claims(), &typ)),
            ("RS384", rs384.sign_with_options(claims(), &typ)),
            ("RS512", rs512.sign_with_options(claims(), &typ)),
            ("ES256", self.p256.sign_with_options(claims(), &typ)),
            ("ES384", self.p384.sign_with_options(claims(), &typ)),
            ("PS256", ps256.sign_with_options(claims(), &typ)),
            ("EdDSA", self.ed25519.sign_with_options(claims(), &typ)),
        ];
        tokens
            .into_iter()
            .map(|(name, token)| (name, token.unwrap()))
            .collect()
    }
}

fn claims() -> JWTClaims<Value> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = since.expect("a clock after 1970").as_secs();
    let claims = json!({
        "iss": ISSUER, "sub": "orders", "aud": API, "client_id": "orders", "jti": "token-1",
        "iat": now, "exp": now + 300,
    });
    let mut claims = Claims::with_custom_claims(claims, Duration::from_secs(0));
    (claims.issued_at, claims.expires_at, claims.invalid_before) = (None, None, None);
    claims
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The token with this signature in place of its own.
fn with_signature(token: &str, signature: &[u8]) -> String {
    let (input, _) = token.rsplit_once('.').unwrap();
    format!("{input}.{}", encode(signature))
}

fn signature(token: &str) -> Vec<u8> {
    let (_, signature) = token.rsplit_once('.').unwrap();
    URL_SAFE_NO_PAD.decode(signature).unwrap()
}

/// A token that says what nobody has signed.
fn with_another_subject(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let payload = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    claims["sub"] = json!("orderS");
    let payload = encode(claims.to_string().as_bytes());
    format!("{}.{payload}.{}", parts[0], parts[2])
}

/// Big-endian, with a byte more where the sum needs it.
fn sum(one: &[u8], other: &[u8]) -> Vec<u8> {
    assert_eq!(one.len(), other.len());
    let mut carry = 0;
    let mut sum: Vec<u8> = Vec::new();
    for (a, b) in one.iter().zip(other).rev() {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        carry = digit >> 8;
        sum.push((digit & 0xff) as u8);
    }
    if carry > 0 {
        sum.push(1);
    }
    sum.reverse();
    sum
}

/// The two numbers in DER, each padded more than it may be where `slack` is.
fn der(signature: &[u8], slack: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let mut inner = Vec::new();
    for number in [r, s] {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let number = &number[zeros..];
        let sign: &[u8] = if number[0] > 0x7f { &[0] } else { &[] };
        let number = [slack, sign, number].concat();
        inner.extend([2, u8::try_from(number.len()).unwrap()]);
        inner.extend(number);
    }
    [vec![0x30, u8::try_from(inner.len()).unwrap()], inner].concat()
}

/// What is done to a good token that leaves it none.
fn spoilt(algorithm: &str, good: &str, keys: &Keys) -> Vec<(&'static str, String)> {
    let own = signature(good);
    let (last, all_but_last) = own.split_last().unwrap();
    let half = own.len() / 2;
    let (r, s) = own.split_at(half);
    let flipped = |at: usize, bit: u8| {
        let mut other = own.clone();
        other[at] ^= bit;
        other
    };
    let mut signatures = vec![
        ("first bit flipped", flipped(0, 0x80)),
        ("bit in the middle flipped", flipped(half, 0x10)),
        ("last bit flipped", flipped(own.len() - 1, 1)),
        ("truncated", all_but_last.to_vec()),
        ("truncated in front", own[1..].to_vec()),
        ("longer", [&own[..], &[0]].concat()),
        ("last byte twice", [&own[..], &[*last]].concat()),
        ("leading zero", [&[0], &own[..]].concat()),
        ("empty", vec![]),
        ("zeros", vec![0; own.len()]),
        ("ones", vec![0xff; own.len()]),
        ("one", [&vec![0; own.len() - 1][..], &[1]].concat()),
    ];
    match algorithm {
        "RS256" | "RS384" | "RS512" | "PS256" => {
            let key = RS256KeyPair::from_pem(&keys.rsa).unwrap();
            let n = key.public_key().to_components().n;
            signatures.push(("plus the modulus", sum(&own, &n)));
            signatures.push(("the modulus", n));
        }
        "ES256" | "ES384" => {
            let zero = vec![0; half];
            signatures.extend([
                ("r and s swapped", [s, r].concat()),
                ("zero r", [&zero[..], s].concat()),
                ("zero s", [r, &zero[..]].concat()),
                ("in DER", der(&own, &[])),
                ("in DER with slack", der(&own, &[0])),
                ("numbers longer", [&[0], r, &[0], s].concat()),
            ]);
        }
        _ => {}
    }
    let tokens = signatures
        .into_iter()
        .map(|(what, signature)| (what, with_signature(good, &signature)));
    tokens
        .chain([("another subject", with_another_subject(good))])
        .collect()
}

/// Believes the keys.
fn envoy(provider: &Provider, upstream: &Upstream, keys: &Keys) -> Envoy {
    let setup = portero(provider, upstream).configure(|config| {
        config["providers"]["signatures"] = json!({
            "issuer": ISSUER,
            "access_tokens": {"audiences": [API], "keys": keys.configured()},
        });
    });
    setup.start()
}

#[track_caller]
fn agree(envoy: &Envoy, keys: &JwkSet, token: &str, is_good: bool, what: &str) {
    let natively = Jws::parse(token).and_then(|jws| jws.verify(keys, &Silent));
    assert_eq!(natively.is_ok(), is_good, "{what}");
    let request = Request::get("/orders").header("authorization", format!("Bearer {token}"));
    let expected = if is_good { 200 } else { 401 };
    assert_eq!(envoy.send(&request).status, expected, "{what}");
}

#[test]
fn envoy_and_the_module_know_the_same_signatures() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let keys = Keys::new(RSA.to_owned());
    let other_rsa = RS256KeyPair::from_der(OTHER_RSA).unwrap();
    let others = Keys::new(other_rsa.to_pem().unwrap());
    let envoy = envoy(&provider, &upstream, &keys);
    envoy.wait_for_log("signatures_verified by=host");
    assert!(!envoy.log().contains("signatures_verified by=module"));

    let set = keys.set();
    for (algorithm, token) in keys.tokens() {
        agree(&envoy, &set, &token, true, algorithm);
        for (what, token) in spoilt(algorithm, &token, &keys) {
            agree(&envoy, &set, &token, false, &format!("{algorithm} {what}"));
        }
    }
    for (algorithm, token) in others.tokens() {
        let what = format!("{algorithm} of another key");
        agree(&envoy, &set, &token, false, &what);
        // Under another's name as well, where both are of the same type.
        for (own, own_token) in keys.tokens() {
            let borrowed = with_signature(&own_token, &signature(&token));
            let what = format!("{own} with a signature of {algorithm}");
            agree(&envoy, &set, &borrowed, false, &what);
        }
    }
    assert_eq!(upstream.requests().len(), keys.tokens().len());
    envoy.assert_unharmed();
}

/// A signature is below the modulus. With the modulus added it would be the same number to whoever forgets
/// to look, and for one token in a few the sum is of the right length.
#[test]
fn an_rsa_signature_has_one_form() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let keys = Keys::new(RSA.to_owned());
    let envoy = envoy(&provider, &upstream, &keys);
    let key = RS256KeyPair::from_pem(&keys.rsa).unwrap();
    let n = key.public_key().to_components().n;
    let typ = HeaderOptions {
        signature_type: Some("at+jwt".to_owned()),
        ..HeaderOptions::default()
    };
    let (good, bad) = (0..)
        .find_map(|number| {
            let mut claims = claims();
            claims.custom["jti"] = json!(format!("number {number}"));
            let good = key.sign_with_options(claims, &typ).unwrap();
            let second = sum(&signature(&good), &n);
            let is_as_long = second.len() == n.len();
            is_as_long.then(|| (good.clone(), with_signature(&good, &second)))
        })
        .unwrap();
    let set = keys.set();
    agree(&envoy, &set, &bad, false, "the second form");
    agree(&envoy, &set, &good, true, "the first form");
    envoy.assert_unharmed();
}
