use std::rc::Rc;

use jwt_simple::prelude::{
    Claims as TheirClaims, Duration, ECDSAP256KeyPairLike as _, ECDSAP384KeyPairLike as _,
    ES256KeyPair, ES384KeyPair, Ed25519KeyPair, EdDSAKeyPairLike as _, HS256Key, HS384Key,
    HS512Key, MACLike as _, PS256KeyPair, RS384KeyPair, RSAKeyPairLike as _,
};
use rsa::pkcs8::EncodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use super::{Jws, MAX_TOKEN_BYTES};
use crate::error::TokenFault;
use crate::jose::Algorithm::*;
use crate::jose::testing::{
    RSA_2048_DER, Signer, all_algorithms, encode, rsa_2048, values_of_every_type,
};
use crate::jose::{Claims, JwkSet, MAX_KEY_ID_BYTES};
use crate::testing::TestHost;

mod keys;
mod properties;

fn verify(token: &str, keys: &JwkSet) -> Result<Claims, TokenFault> {
    let claims = Jws::parse(token)?.verify(keys, &TestHost::default())?;
    Ok(Rc::unwrap_or_clone(claims))
}

fn parse_fault(token: &str) -> Option<TokenFault> {
    Jws::parse(token).err()
}

fn with_header(header: &Value) -> String {
    format!("{}.{}.AAAA", encode(header.to_string()), encode("{}"))
}

#[test]
fn a_token_of_every_algorithm_verifies() {
    for algorithm in all_algorithms() {
        let signer = Signer::new(algorithm);
        let token = signer.token(&json!({"sub": "alice"}));
        let jws = Jws::parse(&token).unwrap();
        assert_eq!(jws.header().algorithm(), algorithm);
        assert_eq!(jws.header().key_id(), Some(algorithm.name()));
        let claims = jws.verify(&signer.jwk_set(), &TestHost::default()).unwrap();
        assert_eq!(claims.string("sub"), Ok(Some("alice")));
    }
}

#[test]
fn a_token_is_one_if_its_header_is_a_json_object() {
    let header = encode(r#"{"alg":"none"}"#);
    for token in [format!("{header}.."), format!("{header}.a.b")] {
        assert!(Jws::is_one(&token), "{token}");
    }
    assert!(Jws::is_one(&Signer::new(Es256).token(&json!({}))));
    for token in [
        header.clone(),
        format!("{header}."),
        format!("{header}.a.b.c"),
        format!("{header}=.a.b"),
        format!("{}.a.b", encode("[]")),
        format!("{}.a.b", encode("{")),
        "a.b.c".to_owned(),
        "..".to_owned(),
        String::new(),
    ] {
        assert!(!Jws::is_one(&token), "{token}");
    }
}

#[test]
fn the_claims_do_not_matter_to_the_signature() {
    let signer = Signer::new(Es256);
    for claims in [
        json!({}),
        json!({"exp": 1}),
        json!({"iat": 1e300, "nbf": -1, "jti": 1, "sub": null, "aud": []}),
    ] {
        assert!(
            verify(&signer.token(&claims), &signer.jwk_set()).is_ok(),
            "{claims}"
        );
    }
    for payload in ["", "[]", "null", "x", r#"{"sub":"a","sub":"b"}"#] {
        let token = signer.sign(signer.header().to_string(), payload);
        let fault = verify(&token, &signer.jwk_set()).unwrap_err();
        assert_eq!(fault, TokenFault::ClaimsMalformed, "{payload}");
    }
}

#[test]
fn tokens_of_another_implementation_verify() {
    let p256 = ES256KeyPair::from_bytes(&[7; 32]).unwrap();
    let p384 = ES384KeyPair::from_bytes(&[7; 48]).unwrap();
    let seed = ed25519_compact::KeyPair::from_seed([7; 32].into());
    let ed25519 = Ed25519KeyPair::from_bytes(&*seed).unwrap();
    let rs384 = RS384KeyPair::from_der(RSA_2048_DER).unwrap();
    let ps256 = PS256KeyPair::from_der(RSA_2048_DER).unwrap();
    let claims = || TheirClaims::create(Duration::from_secs(1)).with_subject("alice");
    for (algorithm, token) in [
        (Es256, p256.sign(claims())),
        (Es384, p384.sign(claims())),
        (EdDsa, ed25519.sign(claims())),
        (Rs384, rs384.sign(claims())),
        (Ps256, ps256.sign(claims())),
        (Hs256, HS256Key::from_bytes(&[7; 64]).authenticate(claims())),
        (Hs384, HS384Key::from_bytes(&[7; 64]).authenticate(claims())),
        (Hs512, HS512Key::from_bytes(&[7; 64]).authenticate(claims())),
    ] {
        let claims = verify(&token.unwrap(), &Signer::new(algorithm).jwk_set()).unwrap();
        assert_eq!(claims.string("sub"), Ok(Some("alice")), "{algorithm}");
    }
}

#[test]
fn the_largest_rsa_key_verifies() {
    let keys = include_bytes!("../../../tests/fixtures/rsa8192.jwks.json");
    let keys = JwkSet::parse(keys).unwrap();
    let token = include_str!("../../../tests/fixtures/rsa8192.jws").trim_end();
    let claims = verify(token, &keys).unwrap();
    assert_eq!(claims.string("sub"), Ok(Some("alice")));
    let (input, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", encode([1; 1024]));
    assert_eq!(verify(&forged, &keys), Err(TokenFault::SignatureInvalid));
}

#[test]
fn a_token_has_three_parts_of_strict_base64url() {
    let header = encode(r#"{"alg":"ES256"}"#);
    assert_eq!(parse_fault(&format!("{header}.e30.AAAA")), None);
    assert_eq!(parse_fault(&format!("{header}..")), None);
    for token in [
        String::new(),
        ".".to_owned(),
        "...".to_owned(),
        header.clone(),
        format!("{header}.e30"),
        format!("{header}.e30.AAAA."),
        format!(".{header}.e30.AAAA"),
        format!("{header}.AAAA.AAAA.AAAA.AAAA.AAAA"),
        format!("{header}=.e30.AAAA"),
        format!("{header}.e30=.AAAA"),
        format!("{header}.e30.AA=="),
        format!("{header}.e31.AAAA"),
        format!("{header}.e30.AB"),
        format!("{header}.e30.+///"),
        format!("{header}.e30.AAAA\n"),
        format!(" {header}.e30.AAAA"),
        format!("{header}.e30.é"),
    ] {
        assert_eq!(parse_fault(&token), Some(TokenFault::Malformed), "{token}");
    }
    assert_eq!(parse_fault(".."), Some(TokenFault::HeaderInvalid));
}

#[test]
fn the_length_is_bounded() {
    let start = format!("{}.e30.", encode(r#"{"alg":"ES256"}"#));
    let room = MAX_TOKEN_BYTES - start.len();
    let longest = room - usize::from(room % 4 == 1);
    assert_eq!(
        parse_fault(&format!("{start}{}", "A".repeat(longest))),
        None
    );
    let token = format!("{start}{}", "A".repeat(room + 1));
    assert_eq!(parse_fault(&token), Some(TokenFault::TooLarge));
}

#[test]
fn the_header_is_one_strict_object() {
    for text in [
        "",
        "null",
        "[]",
        "\"ES256\"",
        "{}",
        r#"{"alg":"ES256","alg":"ES256"}"#,
        r#"{"alg":"ES256","x":{"a":1,"a":1}}"#,
        r#"{"alg":"ES256"} x"#,
        r#"{"ALG":"ES256"}"#,
    ] {
        let token = format!("{}.e30.AAAA", encode(text));
        assert_eq!(
            parse_fault(&token),
            Some(TokenFault::HeaderInvalid),
            "{text}"
        );
    }
}

#[test]
fn members_of_the_header_have_their_types() {
    for value in values_of_every_type() {
        let fault = parse_fault(&with_header(&json!({ "alg": value })));
        let expected = match value {
            Value::String(_) => TokenFault::AlgorithmRefused,
            _ => TokenFault::HeaderInvalid,
        };
        assert_eq!(fault, Some(expected), "alg {value}");
        for name in ["kid", "typ"] {
            let accepted = value
                .as_str()
                .is_some_and(|text| name == "typ" || text.len() <= MAX_KEY_ID_BYTES);
            let fault = parse_fault(&with_header(&json!({"alg": "ES256", name: value})));
            let expected = (!accepted).then_some(TokenFault::HeaderInvalid);
            assert_eq!(fault, expected, "{name} {value}");
        }
        for name in ["crit", "b64"] {
            let fault = parse_fault(&with_header(&json!({"alg": "ES256", name: value})));
            assert_eq!(fault, Some(TokenFault::CriticalHeader), "{name} {value}");
        }
        for name in ["jwk", "jku", "x5u", "x5c", "x5t", "cty", "salt", "unknown"] {
            let fault = parse_fault(&with_header(&json!({"alg": "ES256", name: value})));
            assert_eq!(fault, None, "{name} {value}");
        }
    }
}

#[test]
fn key_ids_are_bounded() {
    let header = |length| with_header(&json!({"alg": "ES256", "kid": "k".repeat(length)}));
    assert_eq!(parse_fault(&header(MAX_KEY_ID_BYTES)), None);
    assert_eq!(
        parse_fault(&header(MAX_KEY_ID_BYTES + 1)),
        Some(TokenFault::HeaderInvalid)
    );
}

#[test]
fn unknown_algorithms_are_refused() {
    for name in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        "HS1",
        "hs256",
        "ES512",
        "ES256K",
        "rs256",
        "RS256 ",
        "RSA-OAEP",
        "dir",
        "ML-DSA-65",
    ] {
        for signature in ["", "AAAA"] {
            let header = encode(json!({"alg": name, "kid": "RS256"}).to_string());
            let token = format!("{header}.e30.{signature}");
            assert_eq!(
                parse_fault(&token),
                Some(TokenFault::AlgorithmRefused),
                "{name}"
            );
        }
    }
}

#[test]
fn a_public_key_is_not_a_shared_secret() {
    let der = rsa_2048().to_public_key().to_public_key_der().unwrap();
    let modulus = rsa_2048().n().to_bytes_be();
    for secret in [der.as_bytes(), &modulus] {
        let claims = TheirClaims::create(Duration::from_hours(1));
        let token = HS256Key::from_bytes(secret).authenticate(claims).unwrap();
        let fault = verify(&token, &Signer::new(Rs256).jwk_set()).unwrap_err();
        assert_eq!(fault, TokenFault::AlgorithmRefused);
    }
}

#[test]
fn an_encrypted_token_has_five_parts() {
    let header = encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    for token in [&format!("{header}.AAAA.AAAA.AAAA.AAAA"), "....", "x.é. .=."] {
        assert_eq!(parse_fault(token), Some(TokenFault::Encrypted));
    }
}

#[test]
fn a_key_in_the_header_is_not_looked_at() {
    let attacker = Signer::with_seed(Es256, 8);
    let mut header = attacker.header();
    header["jwk"] = attacker.bare_jwk();
    header["jku"] = "https://attacker.example/jwks".into();
    header["x5u"] = "https://attacker.example/x5c".into();
    header["x5c"] = json!(["AAAA"]);
    let provider = Signer::new(Es256);
    let forged = attacker.sign(header.to_string(), "{}");
    assert_eq!(
        verify(&forged, &provider.jwk_set()),
        Err(TokenFault::SignatureInvalid)
    );
    let genuine = provider.sign(header.to_string(), "{}");
    assert!(verify(&genuine, &provider.jwk_set()).is_ok());
}
