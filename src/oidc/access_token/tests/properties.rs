use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// A good token of a signer, with the `typ` of RFC 9068.
fn token() -> String {
    typed(SIGNER, Some("at+jwt"), &good())
}

#[test]
fn no_byte_of_a_good_token_can_be_changed() {
    let token = token();
    let keys = SIGNER.jwk_set();
    let policy = policy(Profile::Lenient);
    assert!(policy.verify(&token, &keys).is_ok());
    for position in 0..token.len() {
        for replacement in ["", "A", "B", "-", ".", "=", " ", "\u{0}", "é"] {
            let mut changed = token.clone();
            changed.replace_range(position..=position, replacement);
            let good = changed == token;
            assert_eq!(policy.verify(&changed, &keys).is_ok(), good, "{position}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_ends(text in "[A-Za-z0-9_.-]{0,200}") {
        let _ = issuer_of(&text);
        for profile in PROFILES {
            prop_assert!(policy(profile).verify(&text, &SIGNER.jwk_set()).is_err());
        }
    }

    #[test]
    fn any_claims_end(name in "[a-z_]{2,9}", value in "[0-9a-z\"{}\\[\\],:.-]{0,12}") {
        let payload = good().to_string().replace('}', &format!(",\"{name}\":{value}}}"));
        let token = SIGNER.sign(r#"{"alg":"EdDSA","typ":"at+jwt"}"#, payload);
        for profile in PROFILES {
            let _ = policy(profile).verify(&token, &SIGNER.jwk_set());
        }
    }

    #[test]
    fn a_token_with_several_changes_never_verifies(
        changes in proptest::collection::vec((any::<Index>(), "[A-Za-z0-9_.-]"), 1..5),
    ) {
        let token = token();
        let mut changed = token.clone();
        for (position, replacement) in changes {
            let position = position.index(changed.len());
            changed.replace_range(position..=position, &replacement);
        }
        prop_assume!(changed != token);
        let result = policy(Profile::Lenient).verify(&changed, &SIGNER.jwk_set());
        prop_assert!(result.is_err());
    }

    /// What the strict profile accepts, the lenient one does.
    #[test]
    fn lenient_is_not_stricter(
        typ in select(vec![None, Some("JWT"), Some("at+jwt"), Some("id_token")]),
        left_out in proptest::collection::vec(select(vec!["sub", "jti", "scope", "iat"]), 0..2),
        audience in select(vec![CLIENT, "orders", "other"]),
    ) {
        let claims = left_out.into_iter().fold(with(good(), "aud", audience), without);
        let token = typed(SIGNER, typ, &claims);
        let [strict, lenient] = PROFILES.map(|profile| {
            let mut policy = policy(profile);
            policy.audiences.push(CLIENT.to_owned());
            policy.verify(&token, &SIGNER.jwk_set())
        });
        prop_assert!(strict.is_err() || lenient.is_ok(), "{lenient:?}");
    }
}
