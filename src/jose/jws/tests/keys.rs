//! Which key is tried, and what it accepts.

use rsa::BigUint;
use rsa::pss::Pss;
use rsa::sha2::{Digest as _, Sha256};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use super::verify;
use crate::error::TokenFault;
use crate::jose::Algorithm::{self, *};
use crate::jose::testing::{Signer, all_algorithms, encode, rsa_2048, rsa_sign, set_of};
use crate::jose::{Jwk, JwkSet, MAX_CANDIDATES};

/// Some key, made by `seed`, of that algorithm, with these members beside.
fn key(algorithm: Algorithm, seed: u8, members: &Value) -> Value {
    let mut jwk = Signer::with_seed(algorithm, seed).bare_jwk();
    for (name, value) in members.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

#[test]
fn a_key_is_chosen_by_kid_type_and_alg() {
    let signer = Signer::new(Es256);
    let named = signer.sign(r#"{"alg":"ES256","kid":"a"}"#, "{}");
    let unnamed = signer.sign(r#"{"alg":"ES256"}"#, "{}");
    let a = json!({"kid": "a"});
    let b = json!({"kid": "b"});
    let good = key(Es256, 7, &a);
    let cases: &[(&str, Vec<Value>, &str, Option<TokenFault>)] = &[
        ("the key", vec![good.clone()], &named, None),
        (
            "the key, no kid in the token",
            vec![good.clone()],
            &unnamed,
            None,
        ),
        ("no keys", vec![], &named, Some(TokenFault::KeyUnknown)),
        (
            "no keys, no kid",
            vec![],
            &unnamed,
            Some(TokenFault::KeyUnknown),
        ),
        (
            "another kid",
            vec![key(Es256, 7, &b)],
            &named,
            Some(TokenFault::KeyUnknown),
        ),
        (
            "a key without kid",
            vec![key(Es256, 7, &json!({}))],
            &named,
            Some(TokenFault::KeyUnknown),
        ),
        (
            "neither has a kid",
            vec![key(Es256, 7, &json!({}))],
            &unnamed,
            None,
        ),
        (
            "another key of that kid",
            vec![key(Es256, 8, &a)],
            &named,
            Some(TokenFault::SignatureInvalid),
        ),
        (
            "another key, no kid in the token",
            vec![key(Es256, 8, &a)],
            &unnamed,
            Some(TokenFault::KeyUnknown),
        ),
        (
            "only another type of that kid",
            vec![key(Rs256, 7, &a)],
            &named,
            Some(TokenFault::KeyUnknown),
        ),
        (
            "decoys of equal kid",
            vec![
                key(Rs256, 7, &a),
                key(Es384, 7, &a),
                key(EdDsa, 7, &a),
                key(Es256, 8, &json!({"kid": "a", "use": "enc"})),
                json!({"kty": "oct", "k": "AAAA", "kid": "a"}),
                good.clone(),
            ],
            &named,
            None,
        ),
        (
            "a wrong key of equal kid and alg",
            vec![key(Es256, 8, &a), good.clone()],
            &named,
            None,
        ),
        (
            "others of the alg, no kid",
            vec![key(Es256, 8, &b), good],
            &unnamed,
            None,
        ),
    ];
    for (name, keys, token, expected) in cases {
        assert_eq!(verify(token, &set_of(keys)).err(), *expected, "{name}");
    }
}

#[test]
fn an_rsa_key_with_alg_is_for_that_alg() {
    let token = Signer::new(Ps256).sign(r#"{"alg":"PS256","kid":"a"}"#, "{}");
    let decoy = key(Rs256, 7, &json!({"kid": "a", "alg": "RS256"}));
    let good = key(Ps256, 7, &json!({"kid": "a", "alg": "PS256"}));
    assert_eq!(
        verify(&token, &set_of(std::slice::from_ref(&decoy))),
        Err(TokenFault::KeyUnknown)
    );
    assert!(verify(&token, &set_of(&[decoy, good])).is_ok());
}

/// Every key against the header of every algorithm, with a signature that the key could have made.
#[test]
fn a_key_verifies_no_algorithm_but_its_own() {
    for key in all_algorithms().into_iter().map(Signer::new) {
        for named in all_algorithms() {
            let header = json!({"alg": named.name(), "kid": key.algorithm.name()});
            let token = key.sign(header.to_string(), "{}");
            let expected = match (named == key.algorithm, named.is_symmetric()) {
                (true, _) => None,
                (false, true) => Some(TokenFault::AlgorithmRefused),
                (false, false) => Some(TokenFault::KeyUnknown),
            };
            let fault = verify(&token, &key.jwk_set()).err();
            assert_eq!(fault, expected, "{named} with a key for {}", key.algorithm);
        }
    }
}

#[test]
fn a_configured_key_without_kid_is_meant_by_every_kid() {
    let signer = Signer::new(Es256);
    let named = signer.sign(r#"{"alg":"ES256","kid":"a"}"#, "{}");
    let unnamed = signer.sign(r#"{"alg":"ES256"}"#, "{}");
    let bare = || Jwk::from_json(signer.bare_jwk().to_string().as_bytes()).unwrap();
    let b = || bare().with_key_id("b").unwrap();
    for (key, token, expected) in [
        (bare(), &named, None),
        (bare(), &unnamed, None),
        (b(), &named, Some(TokenFault::KeyUnknown)),
        (b(), &unnamed, None),
        (b().with_key_id("a").unwrap(), &named, None),
    ] {
        assert_eq!(verify(token, &JwkSet::from_iter([key])).err(), expected);
    }
    let forged = Signer::with_seed(Es256, 8).sign(r#"{"alg":"ES256","kid":"a"}"#, "{}");
    let keys = JwkSet::from_iter([bare()]);
    assert_eq!(verify(&forged, &keys), Err(TokenFault::SignatureInvalid));
}

#[test]
fn a_secret_is_found_beside_public_keys_and_only_by_its_algorithm() {
    let secret = Signer::new(Hs256);
    let mixed = || {
        let public = Jwk::from_json(Signer::new(Es256).bare_jwk().to_string().as_bytes());
        let own = Jwk::from_secret(&secret.secret(), Hs256);
        JwkSet::from_iter([public.unwrap(), own.unwrap()])
    };
    for signer in [secret, Signer::new(Es256)] {
        assert!(verify(&signer.token(&json!({})), &mixed()).is_ok());
    }
    let longer = secret.sign(r#"{"alg":"HS512"}"#, "{}");
    let refused = Err(TokenFault::AlgorithmRefused);
    assert_eq!(verify(&longer, &mixed()), refused);
    let forged = Signer::with_seed(Hs256, 8).token(&json!({}));
    let invalid = Err(TokenFault::SignatureInvalid);
    assert_eq!(verify(&forged, &mixed()), invalid);
    assert_eq!(verify(&forged, &JwkSet::default()), refused);
    let published = set_of(&[secret.bare_jwk(), secret.jwk()]);
    assert_eq!(verify(&secret.token(&json!({})), &published), refused);
}

#[test]
fn only_a_few_keys_are_tried() {
    let signer = Signer::new(EdDsa);
    for (header, exhausted) in [
        (r#"{"alg":"EdDSA"}"#, TokenFault::KeyUnknown),
        (r#"{"alg":"EdDSA","kid":"a"}"#, TokenFault::SignatureInvalid),
    ] {
        let token = signer.sign(header, "{}");
        let a = json!({"kid": "a"});
        let others: Vec<Value> = (1..=6).map(|seed| key(EdDsa, seed, &a)).collect();
        let good = key(EdDsa, 7, &a);
        let set = |wrong: usize| {
            let mut keys = others[..wrong].to_vec();
            keys.push(good.clone());
            set_of(&keys)
        };
        assert!(verify(&token, &set(MAX_CANDIDATES - 1)).is_ok());
        assert_eq!(
            verify(&token, &set(MAX_CANDIDATES)),
            Err(TokenFault::KeyAmbiguous)
        );
        let wrong = set_of(&others[..MAX_CANDIDATES]);
        assert_eq!(verify(&token, &wrong), Err(exhausted));
    }
}

#[test]
fn a_pss_salt_is_as_long_as_the_hash() {
    let signer = Signer::new(Ps256);
    let input = format!("{}.e30", encode(signer.header().to_string()));
    let digest = Sha256::digest(&input);
    for (length, expected) in [
        (32, None),
        (0, Some(TokenFault::SignatureInvalid)),
        (20, Some(TokenFault::SignatureInvalid)),
        (64, Some(TokenFault::SignatureInvalid)),
    ] {
        let signature = rsa_sign(Pss::new_with_salt::<Sha256>(length), &digest);
        let token = format!("{input}.{}", encode(signature));
        assert_eq!(
            verify(&token, &signer.jwk_set()).err(),
            expected,
            "{length}"
        );
    }
}

#[test]
fn a_pss_signature_has_one_form() {
    let signer = Signer::new(Ps256);
    let found = (0..200).find_map(|number| {
        let header = encode(signer.header().to_string());
        let input = format!("{header}.{}", encode(json!({"n": number}).to_string()));
        let signature = BigUint::from_bytes_be(&signer.signature(input.as_bytes()));
        let second = (signature + rsa_2048().n()).to_bytes_be();
        (second.len() == 256).then(|| format!("{input}.{}", encode(second)))
    });
    let token = found.expect("some signature has room for the modulus");
    assert_eq!(
        verify(&token, &signer.jwk_set()),
        Err(TokenFault::SignatureInvalid)
    );
}
