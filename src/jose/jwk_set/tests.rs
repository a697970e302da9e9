use proptest::prelude::*;
use serde_json::{Value, json};

use super::{JwkSet, JwkSetFault, MAX_JWK_SET_BYTES, MAX_KEYS};
use crate::jose::Algorithm::{self, EdDsa, Es256, Es384, Rs256};
use crate::jose::KeyFault;
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
    let keys: Vec<Value> = Algorithm::ASYMMETRIC
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

fn configured(keys: &Value) -> Result<JwkSet, KeyFault> {
    JwkSet::from_json(json!({ "keys": keys }).to_string().as_bytes())
}

#[test]
fn a_configured_set_skips_what_a_published_one_skips() {
    let encryption = {
        let mut jwk = Signer::new(Es384).jwk();
        jwk["use"] = "enc".into();
        jwk
    };
    let keys = json!([encryption, {"kty": "new"}, Signer::new(EdDsa).jwk(), 1]);
    let set = configured(&keys).unwrap();
    assert_eq!((set.keys().len(), set.skipped()), (1, 3));
}

#[test]
fn a_configured_set_has_a_usable_key_and_only_public_ones() {
    let good = Signer::new(EdDsa).jwk();
    let mut private = Signer::new(Es256).jwk();
    private["d"] = "AAAA".into();
    let secret = json!({"kty": "oct", "k": "AAAA"});
    for (keys, fault) in [
        (json!([]), KeyFault::NoKeys),
        (json!([{}, 1]), KeyFault::NoKeys),
        (json!([good, private]), KeyFault::Private),
        (json!([good, secret]), KeyFault::Symmetric),
        (json!({}), KeyFault::JwkSetMalformed),
        (good.clone(), KeyFault::JwkSetMalformed),
        (json!(" ".repeat(MAX_JWK_SET_BYTES)), KeyFault::TooLarge),
    ] {
        assert_eq!(configured(&keys).unwrap_err(), fault);
    }
    for text in ["", "[]", "{}", r#"{"keys":[],"keys":[]}"#] {
        let fault = JwkSet::from_json(text.as_bytes()).unwrap_err();
        assert_eq!(fault, KeyFault::JwkSetMalformed);
    }
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = JwkSet::parse(&bytes);
        let _ = JwkSet::from_json(&bytes);
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
