use serde_json::{Value, json};

use super::{Jwk, MAX_JWK_BYTES, MAX_KEY_ID_BYTES};
use crate::error::TokenFault;
use crate::jose::Algorithm::{self, *};
use crate::jose::KeyFault;
use crate::jose::testing::{Signer, all_algorithms, encode, values_of_every_type};
use crate::testing::TestHost;

const RSA: [Algorithm; 6] = [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512];

fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

fn is_usable(jwk: &Value) -> bool {
    Jwk::from_value(jwk).is_ok()
}

/// An RSA key with a modulus of that many bits, all of them ones.
fn rsa_of(bits: usize) -> Value {
    let mut modulus = vec![0xff_u8; bits.div_ceil(8)];
    if !bits.is_multiple_of(8) {
        modulus[0] = (1 << (bits % 8)) - 1;
    }
    json!({"kty": "RSA", "n": encode(modulus), "e": "AQAB"})
}

#[test]
fn a_key_supports_the_algorithms_of_its_type() {
    for (signer, expected) in [
        (Signer::new(Rs256), &RSA[..]),
        (Signer::new(Es256), &[Es256]),
        (Signer::new(Es384), &[Es384]),
        (Signer::new(EdDsa), &[EdDsa]),
    ] {
        let jwk = Jwk::from_value(&signer.bare_jwk()).unwrap();
        assert_eq!(jwk.key_id(), None);
        for algorithm in all_algorithms() {
            assert_eq!(
                jwk.supports(algorithm),
                expected.contains(&algorithm),
                "{algorithm}"
            );
        }
    }
}

#[test]
fn the_keys_own_alg_narrows_it_to_one() {
    for own in RSA {
        let jwk = Jwk::from_value(&Signer::new(own).jwk()).unwrap();
        for algorithm in Algorithm::ASYMMETRIC {
            assert_eq!(jwk.supports(algorithm), own == algorithm);
        }
    }
}

#[test]
fn an_alg_of_another_type_makes_it_unusable() {
    for (signer, alg) in [
        (Signer::new(Rs256), "ES256"),
        (Signer::new(Es256), "RS256"),
        (Signer::new(Es256), "ES384"),
        (Signer::new(Rs256), "RSA-OAEP"),
        (Signer::new(Rs256), "HS256"),
        (Signer::new(Rs256), "none"),
        (Signer::new(Rs256), ""),
        (Signer::new(EdDsa), "Ed25519"),
    ] {
        assert!(
            !is_usable(&with(signer.bare_jwk(), "alg", alg.into())),
            "{alg}"
        );
    }
}

#[test]
fn every_algorithm_verifies_its_signatures_and_no_other() {
    for algorithm in Algorithm::ASYMMETRIC {
        let signer = Signer::new(algorithm);
        let jwk = Jwk::from_value(&signer.bare_jwk()).unwrap();
        let signature = signer.signature(b"input");
        let verify = |algorithm, input: &[u8], signature: &[u8]| {
            jwk.verify(algorithm, input, signature, &TestHost::default())
        };
        assert_eq!(
            verify(algorithm, b"input", &signature),
            Ok(()),
            "{algorithm}"
        );
        let invalid = Err(TokenFault::SignatureInvalid);
        assert_eq!(verify(algorithm, b"inpuT", &signature), invalid);
        assert_eq!(verify(algorithm, b"input", b""), invalid);
        assert_eq!(verify(algorithm, b"input", &signature[1..]), invalid);
        assert_eq!(
            verify(algorithm, b"input", &[&signature[..], &[0]].concat()),
            invalid
        );
        assert_eq!(
            verify(algorithm, b"input", &[&[0], &signature[..]].concat()),
            invalid
        );
        assert_eq!(
            verify(algorithm, b"input", &vec![0; signature.len()]),
            invalid
        );
        assert_eq!(
            verify(algorithm, b"input", &vec![0xff; signature.len()]),
            invalid
        );
        for other in Algorithm::ASYMMETRIC
            .into_iter()
            .filter(|other| *other != algorithm)
        {
            let expected = if jwk.supports(other) {
                TokenFault::SignatureInvalid
            } else {
                TokenFault::AlgorithmRefused
            };
            assert_eq!(verify(other, b"input", &signature), Err(expected));
        }
    }
}

#[test]
fn use_and_key_ops_must_allow_verification() {
    for algorithm in [Rs256, Es256, Es384, EdDsa] {
        let jwk = Signer::new(algorithm).bare_jwk();
        for (name, value, usable) in [
            ("use", json!("sig"), true),
            ("use", json!("enc"), false),
            ("use", json!("SIG"), false),
            ("use", json!(""), false),
            ("use", json!(null), false),
            ("use", json!(["sig"]), false),
            ("key_ops", json!(["verify"]), true),
            ("key_ops", json!(["encrypt", "verify"]), true),
            ("key_ops", json!(["sign"]), false),
            ("key_ops", json!([]), false),
            ("key_ops", json!([1]), false),
            ("key_ops", json!("verify"), false),
            ("key_ops", json!(null), false),
        ] {
            assert_eq!(
                is_usable(&with(jwk.clone(), name, value.clone())),
                usable,
                "{name} {value}"
            );
        }
    }
}

#[test]
fn private_and_symmetric_keys_are_unusable() {
    for algorithm in [Rs256, Es256, Es384, EdDsa] {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!is_usable(&with(
                Signer::new(algorithm).bare_jwk(),
                name,
                "AA".into()
            )));
        }
    }
    assert!(!is_usable(&json!({"kty": "oct", "k": encode([1; 32])})));
    assert!(!is_usable(&json!({"kty": "oct"})));
}

#[test]
fn rsa_sizes_are_bounded_on_both_sides() {
    for (bits, usable) in [
        (512, false),
        (1024, false),
        (2047, false),
        (2048, true),
        (2049, false),
        (2050, true),
        (4096, true),
        (8192, true),
        (8193, false),
        (8194, false),
        (16_384, false),
        (400_000, false),
    ] {
        assert_eq!(is_usable(&rsa_of(bits)), usable, "{bits}");
    }
    let padded = [vec![0; 3], vec![0xff; 256]].concat();
    assert!(is_usable(&with(rsa_of(2048), "n", encode(padded).into())));
    let short = [vec![0; 128], vec![0xff; 128]].concat();
    assert!(!is_usable(&with(rsa_of(2048), "n", encode(short).into())));
    let even = [vec![0xff; 255], vec![0xfe]].concat();
    assert!(!is_usable(&with(rsa_of(2048), "n", encode(even).into())));
}

#[test]
fn rsa_exponents_are_odd_and_bounded() {
    for (exponent, usable) in [
        (&[][..], false),
        (&[0], false),
        (&[1], false),
        (&[2], false),
        (&[3], true),
        (&[0, 3], true),
        (&[4], false),
        (&[1, 0, 1], true),
        (&[1, 0, 0], false),
        (&[1, 0xff, 0xff, 0xff, 0xff], true),
        (&[2, 0, 0, 0, 1], false),
        (&[0xff; 8], false),
        (&[0xff; 9], false),
        (&[0xff; 300], false),
    ] {
        let jwk = with(rsa_of(2048), "e", encode(exponent).into());
        assert_eq!(is_usable(&jwk), usable, "{exponent:?}");
    }
}

#[test]
fn points_are_on_their_curve_and_exactly_as_long() {
    for algorithm in [Es256, Es384] {
        let jwk = Signer::new(algorithm).bare_jwk();
        let x = super::base64url::decode(jwk["x"].as_str().unwrap()).unwrap();
        let y = super::base64url::decode(jwk["y"].as_str().unwrap()).unwrap();
        for other in [
            vec![],
            x[1..].to_vec(),
            [&[0], &x[..]].concat(),
            [&x[..], &[0]].concat(),
            y.clone(),
            vec![0; x.len()],
            vec![0xff; x.len()],
        ] {
            assert!(
                !is_usable(&with(jwk.clone(), "x", encode(&other).into())),
                "{other:?}"
            );
        }
        assert!(!is_usable(&with(jwk.clone(), "y", encode(&x).into())));
        assert!(!is_usable(&with(jwk, "y", "".into())));
    }
    let crossed = with(Signer::new(Es256).bare_jwk(), "crv", "P-384".into());
    assert!(!is_usable(&crossed));
}

#[test]
fn ed25519_keys_are_32_bytes_of_a_strong_point() {
    let jwk = Signer::new(EdDsa).bare_jwk();
    assert!(is_usable(&jwk));
    let neutral = [vec![1], vec![0; 31]].concat();
    for other in [vec![], vec![9; 31], vec![9; 33], vec![0; 32], neutral] {
        assert!(
            !is_usable(&with(jwk.clone(), "x", encode(&other).into())),
            "{other:?}"
        );
    }
}

#[test]
fn unknown_types_and_curves_are_unusable() {
    let ec = Signer::new(Es256).bare_jwk();
    for curve in ["P-521", "secp256k1", "p-256", "", "Ed25519"] {
        assert!(!is_usable(&with(ec.clone(), "crv", curve.into())));
    }
    let okp = Signer::new(EdDsa).bare_jwk();
    for curve in ["Ed448", "X25519", "P-256"] {
        assert!(!is_usable(&with(okp.clone(), "crv", curve.into())));
    }
    for kind in ["ec", "OKP", "RSA", "AKP", ""] {
        assert!(!is_usable(&with(ec.clone(), "kty", kind.into())));
    }
}

#[test]
fn members_of_another_type_or_encoding_are_refused() {
    for algorithm in [Rs256, Es256, Es384, EdDsa] {
        let jwk = Signer::new(algorithm).bare_jwk();
        let names: Vec<String> = jwk.as_object().unwrap().keys().cloned().collect();
        for name in names {
            let mut missing = jwk.clone();
            missing.as_object_mut().unwrap().remove(&name);
            assert!(!is_usable(&missing), "{name}");
            // The text "text" happens to encode an odd number, and so an exponent.
            for value in values_of_every_type() {
                let usable = name == "e" && value == "text";
                assert_eq!(
                    is_usable(&with(jwk.clone(), &name, value)),
                    usable,
                    "{name}"
                );
            }
            if name != "kty" && name != "crv" {
                let text = jwk[&name].as_str().unwrap().to_owned();
                for other in [format!("{text}="), format!("{text}\n"), format!(" {text}")] {
                    assert!(
                        !is_usable(&with(jwk.clone(), &name, other.into())),
                        "{name}"
                    );
                }
            }
        }
    }
    for value in values_of_every_type() {
        assert!(!is_usable(&value));
    }
}

#[test]
fn a_key_id_is_a_string_of_bounded_length() {
    let jwk = Signer::new(Es256).bare_jwk();
    for (id, usable) in [
        (json!("a"), true),
        (json!(""), true),
        (json!("x".repeat(MAX_KEY_ID_BYTES)), true),
        (json!("x".repeat(MAX_KEY_ID_BYTES + 1)), false),
        (json!(null), false),
        (json!(1), false),
        (json!(["a"]), false),
    ] {
        assert_eq!(
            is_usable(&with(jwk.clone(), "kid", id.clone())),
            usable,
            "{id}"
        );
    }
}

#[test]
fn unknown_members_and_certificates_are_ignored() {
    let jwk = with(
        Signer::new(Es256).jwk(),
        "x5c",
        json!(["not a certificate"]),
    );
    assert!(is_usable(&with(jwk, "exp", json!({"anything": 1}))));
}

fn configured(jwk: &Value) -> Result<Jwk, KeyFault> {
    Jwk::from_json(jwk.to_string().as_bytes())
}

#[test]
fn a_configured_key_says_why_it_is_refused() {
    let ec = Signer::new(Es256).bare_jwk();
    assert!(configured(&ec).is_ok());
    for (jwk, fault) in [
        (json!({}), KeyFault::JwkMalformed),
        (json!([ec]), KeyFault::JwkMalformed),
        (json!({"keys": [ec]}), KeyFault::JwkMalformed),
        (with(ec.clone(), "kty", json!(1)), KeyFault::JwkMalformed),
        (with(ec.clone(), "x", json!(1)), KeyFault::JwkMalformed),
        (with(ec.clone(), "x", json!("=")), KeyFault::JwkMalformed),
        (with(ec.clone(), "kid", json!(1)), KeyFault::JwkMalformed),
        (with(ec.clone(), "alg", json!(1)), KeyFault::JwkMalformed),
        (with(ec.clone(), "d", json!("AA")), KeyFault::Private),
        (with(ec.clone(), "k", json!("AA")), KeyFault::Symmetric),
        (
            json!({"kty": "oct", "k": encode([1; 64])}),
            KeyFault::Symmetric,
        ),
        (json!({"kty": "oct"}), KeyFault::Symmetric),
        (
            with(ec.clone(), "crv", json!("P-521")),
            KeyFault::TypeUnsupported,
        ),
        (
            with(ec.clone(), "kty", json!("AKP")),
            KeyFault::TypeUnsupported,
        ),
        (with(ec.clone(), "x", ec["y"].clone()), KeyFault::Refused),
        (rsa_of(1024), KeyFault::Refused),
        (
            with(ec.clone(), "use", json!("enc")),
            KeyFault::NotForVerification,
        ),
        (
            with(ec.clone(), "key_ops", json!(["sign"])),
            KeyFault::NotForVerification,
        ),
        (
            with(ec.clone(), "alg", json!("HS256")),
            KeyFault::AlgorithmMismatch,
        ),
        (
            with(ec.clone(), "alg", json!("ES384")),
            KeyFault::AlgorithmMismatch,
        ),
        (
            with(ec.clone(), "alg", json!("none")),
            KeyFault::AlgorithmMismatch,
        ),
        (
            with(ec.clone(), "kid", "x".repeat(513).into()),
            KeyFault::KeyIdTooLong,
        ),
        (
            with(ec.clone(), "x", "A".repeat(MAX_JWK_BYTES).into()),
            KeyFault::TooLarge,
        ),
    ] {
        assert_eq!(configured(&jwk).unwrap_err(), fault, "{jwk:.200}");
    }
    let twice = ec.to_string().replace('{', r#"{"kty":"EC","#);
    let fault = Jwk::from_json(twice.as_bytes()).unwrap_err();
    assert_eq!(fault, KeyFault::JwkMalformed);
}

#[test]
fn a_configured_key_can_be_named_and_pinned() {
    let jwk = configured(&Signer::new(Rs256).bare_jwk()).unwrap();
    let jwk = jwk.with_key_id("a").unwrap().pinned_to(Ps384).unwrap();
    assert_eq!(jwk.key_id(), Some("a"));
    for algorithm in all_algorithms() {
        assert_eq!(jwk.supports(algorithm), algorithm == Ps384);
        let again = jwk.clone().pinned_to(algorithm).err();
        let expected = (algorithm != Ps384).then_some(KeyFault::AlgorithmMismatch);
        assert_eq!(again, expected, "{algorithm}");
    }
    let long = "x".repeat(MAX_KEY_ID_BYTES + 1);
    assert_eq!(jwk.with_key_id(&long).unwrap_err(), KeyFault::KeyIdTooLong);
}

#[test]
fn a_secret_cannot_be_pinned_to_another_algorithm() {
    for own in Algorithm::SYMMETRIC {
        let jwk = Jwk::from_secret(&[7; 64], own).unwrap();
        for algorithm in all_algorithms() {
            assert_eq!(jwk.supports(algorithm), algorithm == own);
            assert_eq!(jwk.clone().pinned_to(algorithm).is_ok(), algorithm == own);
        }
    }
}
