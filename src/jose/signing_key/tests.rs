use jwt_simple::prelude::{
    ECDSAP256PublicKeyLike as _, ES256KeyPair, HS256Key, HS384Key, HS512Key, MACLike as _,
    NoCustomClaims, PS256KeyPair, PS384KeyPair, PS512KeyPair, RS256KeyPair, RS384KeyPair,
    RS512KeyPair, RSAPublicKeyLike as _,
};
use serde_json::{Value, json};

use super::SigningKey;
use crate::error::InternalFault;
use crate::jose::testing::{Signer, encode};
use crate::jose::{Algorithm, Algorithm::*, KeyFault, MAX_KEY_ID_BYTES};
use crate::testing::TestHost;

/// Made with openssl, for tests only.
macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!(
            "../../../tests/fixtures/keys/private/",
            $name,
            ".pem"
        ))
    };
}

fn parsed(text: &str) -> SigningKey {
    SigningKey::parse(text, None).unwrap()
}

fn fault(text: &str) -> Option<KeyFault> {
    SigningKey::parse(text, None).err()
}

fn sign(key: &SigningKey) -> String {
    let claims = json!({"sub": "portero"});
    key.token("JWT", &claims, &TestHost::default()).unwrap()
}

fn header(token: &str) -> Value {
    let (header, _) = token.split_once('.').unwrap();
    serde_json::from_slice(&crate::jose::base64url::decode(header).unwrap()).unwrap()
}

/// What another hand reads in the token, by the same key.
macro_rules! subject {
    ($pair:expr, $token:expr) => {
        $pair
            .public_key()
            .verify_token::<NoCustomClaims>(&$token, None)
            .unwrap()
            .subject
    };
}

#[test]
fn others_verify_what_is_signed_with_rsa() {
    for text in [pem!("rsa"), pem!("rsa_pkcs1")] {
        let token = sign(&parsed(text));
        let subject = subject!(RS256KeyPair::from_pem(text).unwrap(), token);
        assert_eq!(subject.as_deref(), Some("portero"));
    }
    let text = pem!("rsa");
    let sign = |algorithm| sign(&SigningKey::parse(text, Some(algorithm)).unwrap());
    let subjects = [
        subject!(RS384KeyPair::from_pem(text).unwrap(), sign(Rs384)),
        subject!(RS512KeyPair::from_pem(text).unwrap(), sign(Rs512)),
        subject!(PS256KeyPair::from_pem(text).unwrap(), sign(Ps256)),
        subject!(PS384KeyPair::from_pem(text).unwrap(), sign(Ps384)),
        subject!(PS512KeyPair::from_pem(text).unwrap(), sign(Ps512)),
    ];
    for subject in subjects {
        assert_eq!(subject.as_deref(), Some("portero"));
    }
}

#[test]
fn others_verify_what_is_signed_on_a_curve() {
    for text in [pem!("p256"), pem!("p256_sec1")] {
        let pair = ES256KeyPair::from_pem(pem!("p256")).unwrap();
        let subject = subject!(pair, sign(&parsed(text)));
        assert_eq!(subject.as_deref(), Some("portero"));
    }
}

#[test]
fn others_verify_what_is_signed_with_a_secret() {
    let secret = b"a secret of exactly as many bytes as the longest hash has, 64 of";
    let sign = |algorithm| sign(&SigningKey::from_secret(secret, algorithm).unwrap());
    let token = sign(Hs256);
    let theirs = HS256Key::from_bytes(secret).verify_token::<NoCustomClaims>(&token, None);
    assert_eq!(theirs.unwrap().subject.as_deref(), Some("portero"));
    let token = sign(Hs384);
    let theirs = HS384Key::from_bytes(secret).verify_token::<NoCustomClaims>(&token, None);
    assert!(theirs.is_ok());
    let token = sign(Hs512);
    let theirs = HS512Key::from_bytes(secret).verify_token::<NoCustomClaims>(&token, None);
    assert!(theirs.is_ok());
    let other = HS512Key::from_bytes(&[7; 64]);
    assert!(other.verify_token::<NoCustomClaims>(&token, None).is_err());
}

#[test]
fn the_header_names_algorithm_and_key() {
    let key = parsed(pem!("p256"));
    assert_eq!(header(&sign(&key)), json!({"alg": "ES256", "typ": "JWT"}));
    let key = key.with_key_id("2026 \"a\"".to_owned()).unwrap();
    assert_eq!(
        header(&sign(&key)),
        json!({"alg": "ES256", "kid": "2026 \"a\"", "typ": "JWT"})
    );
    let too_long = key.with_key_id("k".repeat(MAX_KEY_ID_BYTES + 1));
    assert_eq!(too_long.err(), Some(KeyFault::KeyIdTooLong));
}

#[test]
fn randomness_shows_in_pss_alone() {
    let text = pem!("rsa");
    let key = parsed(text);
    let host = TestHost::default();
    let first = key.token("JWT", &json!({}), &host).unwrap();
    let second = key.token("JWT", &json!({}), &host).unwrap();
    assert_eq!(first, second, "blinding leaves no trace");
    let pss = SigningKey::parse(text, Some(Ps256)).unwrap();
    let first = pss.token("JWT", &json!({}), &host).unwrap();
    let second = pss.token("JWT", &json!({}), &host).unwrap();
    assert_ne!(first, second, "every salt is a new one");
}

/// RFC 6979 appendix A.2.5, "sample" with SHA-256.
#[test]
fn p256_signs_as_the_standard_shows() {
    let scalar = [
        0xC9, 0xAF, 0xA9, 0xD8, 0x45, 0xBA, 0x75, 0x16, 0x6B, 0x5C, 0x21, 0x57, 0x67, 0xB1, 0xD6,
        0x93, 0x4E, 0x50, 0xC3, 0xDB, 0x36, 0xE8, 0x9B, 0x12, 0x7B, 0x8A, 0x62, 0x2B, 0x12, 0x0F,
        0x67, 0x21,
    ];
    let jwk = json!({"kty": "EC", "crv": "P-256", "d": encode(scalar)});
    let signature = parsed(&jwk.to_string()).sign(b"sample", &TestHost::default());
    let hex: String = signature
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    assert_eq!(
        hex,
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
         F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    );
}

fn p256_jwk() -> Value {
    let mut jwk = Signer::new(Es256).bare_jwk();
    jwk["d"] = encode([7; 32]).into();
    jwk
}

#[test]
fn a_json_web_key_brings_its_name_and_its_algorithm() {
    let mut jwk = p256_jwk();
    jwk["kid"] = "2026".into();
    jwk["alg"] = "ES256".into();
    jwk["use"] = "sig".into();
    jwk["key_ops"] = json!(["sign"]);
    let token = sign(&parsed(&jwk.to_string()));
    assert_eq!(header(&token)["kid"], "2026");
    let keys = Signer::new(Es256).bare_jwk();
    let keys = crate::jose::testing::set_of(&[{
        let mut key = keys;
        key["kid"] = "2026".into();
        key
    }]);
    assert!(
        crate::jose::Jws::parse(&token)
            .unwrap()
            .verify(&keys, &TestHost::default())
            .is_ok()
    );
    for (name, value, expected) in [
        ("alg", json!("ES384"), KeyFault::AlgorithmMismatch),
        ("alg", json!("ECDH-ES"), KeyFault::AlgorithmMismatch),
        ("use", json!("enc"), KeyFault::NotForSigning),
        ("key_ops", json!(["verify"]), KeyFault::NotForSigning),
        ("key_ops", json!("sign"), KeyFault::NotForSigning),
        ("kty", json!("oct"), KeyFault::Symmetric),
        ("kty", json!(1), KeyFault::PrivateMalformed),
        ("crv", json!("secp256k1"), KeyFault::PrivateTypeUnsupported),
        ("d", json!("=="), KeyFault::PrivateMalformed),
        ("d", json!(encode([0; 32])), KeyFault::PrivateRefused),
        ("d", json!(encode([7; 33])), KeyFault::PrivateRefused),
        (
            "kid",
            json!("k".repeat(MAX_KEY_ID_BYTES + 1)),
            KeyFault::KeyIdTooLong,
        ),
    ] {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        assert_eq!(fault(&jwk.to_string()), Some(expected), "{name}");
    }
}

#[test]
fn an_algorithm_must_be_one_of_the_key() {
    for (text, usual) in [(pem!("rsa"), Rs256), (pem!("p256"), Es256)] {
        assert_eq!(header(&sign(&parsed(text)))["alg"], usual.name());
        for algorithm in [Algorithm::ASYMMETRIC.as_slice(), &Algorithm::SYMMETRIC].concat() {
            let fits = algorithm == usual
                || usual == Rs256 && matches!(algorithm, Rs384 | Rs512 | Ps256 | Ps384 | Ps512);
            let given = SigningKey::parse(text, Some(algorithm));
            assert_eq!(given.is_ok(), fits, "{usual} {algorithm}");
        }
    }
    let mut jwk = p256_jwk();
    jwk["alg"] = "ES256".into();
    let other = SigningKey::parse(&jwk.to_string(), Some(Es384));
    assert_eq!(other.err(), Some(KeyFault::AlgorithmMismatch));
    assert_eq!(
        SigningKey::from_secret(&[7; 31], Hs256).err(),
        Some(KeyFault::SecretTooShort { minimum: 32 })
    );
    assert_eq!(
        SigningKey::from_secret(&[7; 64], Rs256).err(),
        Some(KeyFault::AlgorithmMismatch)
    );
}

#[test]
fn what_is_no_private_key_is_refused_with_its_reason() {
    let public = include_str!("../../../tests/fixtures/keys/p256.pem");
    let certificate = include_str!("../../../tests/fixtures/keys/rsa_certificate.pem");
    for (text, expected) in [
        (public, KeyFault::Public),
        (certificate, KeyFault::Public),
        (pem!("p256_encrypted"), KeyFault::Encrypted),
        (pem!("rsa1024"), KeyFault::PrivateRefused),
        (pem!("p384"), KeyFault::PrivateTypeUnsupported),
        (pem!("p384_sec1"), KeyFault::PrivateTypeUnsupported),
        (pem!("ed25519"), KeyFault::PrivateTypeUnsupported),
        (pem!("p521"), KeyFault::PrivateTypeUnsupported),
        (pem!("x25519"), KeyFault::PrivateTypeUnsupported),
        ("", KeyFault::PrivateMalformed),
        ("correct horse battery staple", KeyFault::PrivateMalformed),
        ("{", KeyFault::PrivateMalformed),
        ("{}", KeyFault::PrivateMalformed),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
            KeyFault::PrivateLabelUnknown,
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            KeyFault::PrivateMalformed,
        ),
    ] {
        assert_eq!(fault(text), Some(expected), "{text}");
    }
    let jwk = Signer::new(Es256).bare_jwk().to_string();
    assert_eq!(fault(&jwk), Some(KeyFault::Public));
    let two = [pem!("p256"), pem!("p256")].concat();
    assert_eq!(fault(&two), Some(KeyFault::PrivateMalformed));
    assert_eq!(fault(&"x".repeat(65 * 1024)), Some(KeyFault::TooLarge));
}

/// Numbers that do not belong together would sign what nobody can verify, or worse.
#[test]
fn an_rsa_key_must_be_whole() {
    let jwk = |change: &dyn Fn(&mut Value)| {
        use rsa::pkcs8::DecodePrivateKey as _;
        use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
        let key = rsa::RsaPrivateKey::from_pkcs8_pem(pem!("rsa")).unwrap();
        let [p, q] = key.primes() else { panic!() };
        let number = |number: &rsa::BigUint| encode(number.to_bytes_be());
        let mut jwk = json!({
            "kty": "RSA", "n": number(key.n()), "e": number(key.e()), "d": number(key.d()),
            "p": number(p), "q": number(q)
        });
        change(&mut jwk);
        jwk.to_string()
    };
    let token = sign(&parsed(&jwk(&|_| {})));
    let subject = subject!(RS256KeyPair::from_pem(pem!("rsa")).unwrap(), token);
    assert_eq!(subject.as_deref(), Some("portero"));
    for name in ["n", "e", "d", "p", "q"] {
        for number in [&[][..], &[1], &[2], &[3], &[0xff; 128], &[0xff; 256]] {
            let text = jwk(&|jwk| jwk[name] = encode(number).into());
            assert_eq!(fault(&text), Some(KeyFault::PrivateRefused), "{name}");
        }
        let text = jwk(&|jwk| {
            jwk.as_object_mut().unwrap().remove(name);
        });
        assert!(fault(&text).is_some(), "{name}");
    }
    let text = jwk(&|jwk| jwk["oth"] = json!([]));
    assert_eq!(fault(&text), Some(KeyFault::PrivateRefused));
}

#[test]
fn nothing_is_signed_without_randomness_where_it_takes_some() {
    let host = TestHost::default();
    host.random_fails.set(true);
    for algorithm in [Rs256, Ps256] {
        let key = SigningKey::parse(pem!("rsa"), Some(algorithm)).unwrap();
        let token = key.token("JWT", &json!({}), &host);
        assert_eq!(token, Err(InternalFault::RandomUnavailable));
    }
}

#[test]
fn a_key_is_not_printed() {
    for text in [pem!("rsa"), pem!("p256")] {
        let printed = format!("{:?}", parsed(text));
        assert!(printed.ends_with("signing key]"), "{printed}");
        assert!(printed.len() < 30);
    }
}

proptest::proptest! {
    #[test]
    fn no_text_stops_it(text in "\\PC{0,200}") {
        let _ = SigningKey::parse(&text, None);
    }

    #[test]
    fn no_bytes_in_pem_stop_it(
        label in proptest::sample::select(vec!["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]),
        cut in 0_usize..1300,
        byte: u8,
    ) {
        let (_, der) = crate::jose::pem::block(pem!("rsa")).unwrap();
        let mut der = der;
        if let Some(place) = der.get_mut(cut) {
            *place = byte;
        }
        use base64::Engine as _;
        let body = base64::engine::general_purpose::STANDARD.encode(&der);
        let text = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----");
        if let Ok(key) = SigningKey::parse(&text, None) {
            let _ = key.token("JWT", &json!({}), &TestHost::default());
        }
    }
}
