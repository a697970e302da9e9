use proptest::prelude::*;
use serde_json::{Value, json};

use super::{JwkSet, JwkSetFault, MAX_JWK_SET_BYTES, MAX_KEYS};
use crate::jose::Algorithm::{self, Es256, Es384, Rs256};
use crate::jose::testing::{Signer, set_of, values_of_every_type};

#[test]
fn usable_keys_are_kept_in_order_and_others_counted() {
    let set = set_of(&[
        json!({"kty": "oct", "k": "AAAA", "kid": "symmetric"}),
        Signer::new(Rs256).jwk(),
        json!({"kty": "new", "kid": "unknown"}),
        json!(1),
        Signer::new(Es256).jwk(),
    ]);
    let ids: Vec<_> = set.keys().iter().filter_map(|key| key.key_id()).collect();
    assert_eq!(ids, ["RS256", "ES256"]);
    assert_eq!(set.skipped(), 3);
    assert!(!set.is_empty());
}

#[test]
fn a_set_without_usable_keys_is_a_set() {
    for keys in [json!([]), json!([{}]), json!(values_of_every_type())] {
        let set = JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
        assert!(set.is_empty());
        assert_eq!(set.skipped(), keys.as_array().unwrap().len());
    }
    assert!(JwkSet::default().is_empty());
}

#[test]
fn other_documents_are_malformed() {
    let documents = [
        "",
        "{}",
        "[]",
        "null",
        "<html>",
        r#"{"keys":[]"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[{"kid":"a","kid":"b"}]}"#,
        r#"{"keys":[]} {}"#,
        r#"{"Keys":[]}"#,
    ];
    for text in documents {
        assert_eq!(
            JwkSet::parse(text.as_bytes()).unwrap_err(),
            JwkSetFault::Malformed,
            "{text}"
        );
    }
    for value in values_of_every_type()
        .iter()
        .filter(|value| !value.is_array())
    {
        let text = json!({ "keys": value }).to_string();
        assert_eq!(
            JwkSet::parse(text.as_bytes()).unwrap_err(),
            JwkSetFault::Malformed
        );
    }
}

#[test]
fn the_document_is_bounded() {
    let document = |length: usize| {
        let mut bytes = br#"{"keys":[]}"#.to_vec();
        bytes.resize(length, b' ');
        bytes
    };
    assert!(JwkSet::parse(&document(MAX_JWK_SET_BYTES)).is_ok());
    let fault = JwkSet::parse(&document(MAX_JWK_SET_BYTES + 1)).unwrap_err();
    assert_eq!(fault, JwkSetFault::TooLarge);
}

#[test]
fn the_number_of_keys_is_bounded() {
    let mut keys = vec![json!({}); MAX_KEYS - 1];
    keys.push(Signer::new(Es256).jwk());
    keys.push(Signer::new(Es384).jwk());
    let set = set_of(&keys);
    assert_eq!(set.keys().len(), 1);
    assert_eq!(set.skipped(), MAX_KEYS);
}

#[test]
fn the_same_bytes_make_the_same_set() {
    let keys: Vec<Value> = Algorithm::ALL
        .map(|algorithm| Signer::new(algorithm).jwk())
        .into();
    let bytes = json!({ "keys": keys }).to_string().into_bytes();
    let describe = |set: &JwkSet| format!("{set:?}");
    let first = JwkSet::parse(&bytes).unwrap();
    assert_eq!(describe(&first), describe(&JwkSet::parse(&bytes).unwrap()));
}

#[test]
fn faults_have_codes() {
    assert_eq!(JwkSetFault::TooLarge.code(), "jwk_set_too_large");
    assert_eq!(JwkSetFault::Malformed.code(), "jwk_set_malformed");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = JwkSet::parse(&bytes);
    }

    #[test]
    fn any_members_end(
        kind in "RSA|EC|OKP|oct|[A-Z]{0,3}",
        curve in "P-256|P-384|Ed25519|[A-Z]{0,3}",
        numbers in proptest::collection::vec("[A-Za-z0-9_-]{0,90}", 4),
    ) {
        let key = json!({
            "kty": kind, "crv": curve,
            "n": numbers[0], "e": numbers[1], "x": numbers[2], "y": numbers[3],
        });
        let set = set_of(&[key]);
        prop_assert_eq!(set.keys().len() + set.skipped(), 1);
    }
}
