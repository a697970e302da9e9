use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Expectations, TokenVerifier};
use super::{EVENT, Ends, VerifiedLogoutToken};
use crate::config::IdTokenPolicy;
use crate::error::TokenFault;
use crate::jose::testing::{Signer, values_of_every_type};
use crate::jose::{Algorithm, JwkSet};
use crate::testing::TestHost;
use crate::time::Timestamp;

const NOW: u64 = 1_700_000_000;
const SKEW: u64 = 30;
const SIGNER: Signer = Signer::new(Algorithm::EdDsa);

fn judge<T>(verify: impl FnOnce(TokenVerifier<'_>, &JwkSet) -> T) -> T {
    let policy = IdTokenPolicy {
        algorithms: Algorithm::ASYMMETRIC.to_vec(),
        trusted_audiences: Vec::new(),
        clock_skew: Duration::from_secs(SKEW),
        max_age: Duration::from_secs(600),
    };
    let verifier = TokenVerifier {
        issuer: "https://idp.example.com",
        client_id: "portero",
        policy: &policy,
        now: Timestamp::from_secs(NOW),
        host: &TestHost::default(),
    };
    verify(verifier, &SIGNER.jwk_set())
}

fn verify_token(token: &str) -> Result<VerifiedLogoutToken, TokenFault> {
    judge(|verifier, keys| verifier.verify_logout_token(token, keys, false))
}

fn verify(claims: &Value) -> Result<VerifiedLogoutToken, TokenFault> {
    verify_token(&SIGNER.token(claims))
}

fn good() -> Value {
    json!({
        "iss": "https://idp.example.com",
        "aud": "portero",
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "bWJq",
        "sub": "alice",
        "sid": "session-1",
        "events": {EVENT: {}},
    })
}

fn good_with(name: &str, value: Value) -> Value {
    let mut claims = good();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

#[test]
fn a_good_token_tells_whom_it_ends() {
    let token = verify(&good()).ok().unwrap();
    assert!(token.issued_at == Timestamp::from_secs(NOW) && token.id == "bWJq");
    let (sid, subject) = ("session-1".to_owned(), "alice".to_owned());
    for (without, expected) in [
        (
            "other",
            Ends::SessionOf {
                sid: sid.clone(),
                subject: subject.clone(),
            },
        ),
        ("sub", Ends::Session { sid }),
        ("sid", Ends::Subject { subject }),
    ] {
        let token = verify(&good_with(without, Value::Null)).ok().unwrap();
        assert!(token.ends == expected, "without {without}");
    }
}

#[test]
fn the_limits_of_time_are_exact() {
    use TokenFault::{Expired, IssuedInFuture, IssuedTooLongAgo};
    for (name, time, fault) in [
        ("exp", NOW - SKEW, Some(Expired)),
        ("exp", NOW - SKEW + 1, None),
        ("iat", NOW + SKEW, None),
        ("iat", NOW + SKEW + 1, Some(IssuedInFuture)),
        ("iat", NOW - 120 - SKEW, None),
        ("iat", NOW - 120 - SKEW - 1, Some(IssuedTooLongAgo)),
    ] {
        let verdict = verify(&good_with(name, json!(time)));
        assert_eq!(verdict.err(), fault, "{name} {time}");
    }
}

#[test]
fn every_claim_of_a_wrong_type_is_refused() {
    for name in [
        "iss", "aud", "iat", "exp", "jti", "sub", "sid", "events", "nbf",
    ] {
        for value in values_of_every_type() {
            let same = good()[name].clone();
            let fits = std::mem::discriminant(&same) == std::mem::discriminant(&value);
            // What the claim may be is judged elsewhere.
            if fits || (name == "aud" && value.is_array()) || (name == "nbf" && value.is_number()) {
                continue;
            }
            let mut claims = good();
            claims[name] = value.clone();
            assert!(verify(&claims).is_err(), "{name}: {value}");
        }
    }
}

#[test]
fn an_id_token_and_a_logout_token_are_never_taken_for_each_other() {
    // Everything that both need.
    let mut claims = good();
    claims["nonce"] = "n".into();
    assert_eq!(verify(&claims).err(), Some(TokenFault::TypeMismatch));
    let as_id_token = |claims: &Value| {
        let token = SIGNER.token(claims);
        let expected = Expectations::default();
        judge(|verifier, keys| verifier.verify_id_token(&token, keys, &expected).err())
    };
    assert_eq!(as_id_token(&claims), Some(TokenFault::TypeMismatch));
    claims["events"] = json!({"https://example.com/else": {}});
    assert_eq!(as_id_token(&claims), None);
}

proptest! {
    /// No text and no claims that are not signed end anything.
    #[test]
    fn what_is_not_signed_is_refused(text in ".{0,200}", cut in 0..200_usize) {
        prop_assert!(verify_token(&text).is_err());
        let token = SIGNER.token(&good());
        let (before, after) = token.split_at(cut.min(token.len() - 1));
        prop_assert!(verify_token(before).is_err());
        let mixed = format!("{before}{text}{after}");
        prop_assert!(text.is_empty() || verify_token(&mixed).is_err());
    }

    /// A good token stays good whatever else it says, and ends the same.
    #[test]
    fn unknown_claims_are_ignored(name in "x[a-z]{0,8}", value in any::<i64>()) {
        let token = verify(&good_with(&name, json!([value, {"nonce": "n"}])));
        prop_assert!(token.ok() == verify(&good()).ok());
    }
}
