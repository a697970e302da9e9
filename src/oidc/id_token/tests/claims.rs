//! One table per claim: both sides of every rule.

use super::*;
use crate::testing::TestHost;

#[test]
fn every_claim_is_required_that_must_be() {
    for claim in ["iss", "aud", "exp", "iat", "nonce", "sub"] {
        assert_eq!(fault(&good_without(claim)), Some(ClaimMissing { claim }));
    }
}

#[test]
fn text_claims_are_text() {
    for claim in ["iss", "azp", "nonce", "at_hash", "c_hash", "sub", "sid"] {
        for value in values_of_every_type()
            .iter()
            .filter(|value| !value.is_string())
        {
            let expected = Some(ClaimInvalid { claim });
            assert_eq!(
                fault(&good_with(claim, value.clone())),
                expected,
                "{claim} {value}"
            );
        }
    }
}

#[test]
fn time_claims_are_numbers_in_range() {
    for claim in ["exp", "iat", "nbf", "auth_time"] {
        for value in values_of_every_type() {
            let is_date = value
                .as_f64()
                .is_some_and(|seconds| (0.0..1e9).contains(&seconds));
            let found = fault(&good_with(claim, value.clone()));
            let invalid = found == Some(ClaimInvalid { claim });
            assert_eq!(invalid, !is_date, "{claim} {value}");
        }
    }
}

#[test]
fn the_issuer_is_exact() {
    for other in [
        "",
        "https://idp.example.com/realms/acme/",
        "https://idp.example.com/realms/acm",
        "https://IDP.example.com/realms/acme",
        "https://idp.example.com:443/realms/acme",
        "http://idp.example.com/realms/acme",
        "https://idp.example.com/realms/acme?x",
        " https://idp.example.com/realms/acme",
        "idp.example.com/realms/acme",
    ] {
        assert_eq!(
            fault(&good_with("iss", other)),
            Some(IssuerMismatch),
            "{other}"
        );
    }
}

#[test]
fn audiences_name_the_client_and_otherwise_trusted_ones() {
    let missing = Some(ClaimMissing { claim: "azp" });
    let cases = [
        (json!("portero"), None, None),
        (json!(["portero"]), None, None),
        (json!("portero"), Some("portero"), None),
        (json!(["portero", "account"]), Some("portero"), None),
        (json!(["account", "portero"]), Some("portero"), None),
        (
            json!(["orders", "portero", "account"]),
            Some("portero"),
            None,
        ),
        (json!("other"), None, Some(AudienceMismatch)),
        (json!(""), None, Some(AudienceMismatch)),
        (json!("Portero"), None, Some(AudienceMismatch)),
        (json!("portero account"), None, Some(AudienceMismatch)),
        (json!("account"), Some("portero"), Some(AudienceMismatch)),
        (
            json!(["account", "orders"]),
            Some("portero"),
            Some(AudienceMismatch),
        ),
        (
            json!(["portero", "other"]),
            Some("portero"),
            Some(AudienceUntrusted),
        ),
        (
            json!(["portero", "account", "other"]),
            Some("portero"),
            Some(AudienceUntrusted),
        ),
        (
            json!(["portero", ""]),
            Some("portero"),
            Some(AudienceUntrusted),
        ),
        (json!(["portero", "account"]), None, missing),
        (json!(["portero", "portero"]), None, missing),
        (
            json!(["portero", "account"]),
            Some("account"),
            Some(AuthorizedPartyMismatch),
        ),
        (
            json!("portero"),
            Some("other"),
            Some(AuthorizedPartyMismatch),
        ),
        (json!("portero"), Some(""), Some(AuthorizedPartyMismatch)),
        (
            json!(["portero"]),
            Some("Portero"),
            Some(AuthorizedPartyMismatch),
        ),
    ];
    for (audience, party, expected) in cases {
        let mut claims = good_with("aud", audience.clone());
        if let Some(party) = party {
            claims["azp"] = party.into();
        }
        assert_eq!(fault(&claims), expected, "{audience} {party:?}");
    }
    for value in values_of_every_type() {
        let typed = value.is_string()
            || value.as_array().is_some_and(|elements| {
                !elements.is_empty() && elements.iter().all(Value::is_string)
            });
        let expected = if typed {
            AudienceMismatch
        } else {
            ClaimInvalid { claim: "aud" }
        };
        assert_eq!(
            fault(&good_with("aud", value.clone())),
            Some(expected),
            "{value}"
        );
    }
}

#[test]
fn times_are_compared_with_the_clock_and_its_allowed_difference() {
    let oldest = NOW - MAX_AGE - SKEW;
    let cases = [
        ("exp", json!(NOW - SKEW + 1), None),
        ("exp", json!(NOW - SKEW), Some(Expired)),
        ("exp", json!(NOW as f64 - SKEW as f64 + 0.9), Some(Expired)),
        ("exp", json!(0), Some(Expired)),
        ("exp", json!(MAX_NUMERIC_DATE), None),
        ("iat", json!(NOW + SKEW), None),
        ("iat", json!(NOW + SKEW + 1), Some(IssuedInFuture)),
        ("iat", json!(MAX_NUMERIC_DATE), Some(IssuedInFuture)),
        ("iat", json!(oldest), None),
        ("iat", json!(oldest - 1), Some(IssuedTooLongAgo)),
        ("iat", json!(0), Some(IssuedTooLongAgo)),
        ("nbf", json!(NOW + SKEW), None),
        ("nbf", json!(NOW + SKEW + 1), Some(NotYetValid)),
        ("nbf", json!(MAX_NUMERIC_DATE), Some(NotYetValid)),
        ("nbf", json!(0), None),
        ("auth_time", json!(0), None),
        ("auth_time", json!(NOW + 1000), None),
    ];
    for (name, value, expected) in cases {
        assert_eq!(
            fault(&good_with(name, value.clone())),
            expected,
            "{name} {value}"
        );
    }
}

#[test]
fn a_clock_at_the_epoch_overflows_nothing() {
    let policy = IdTokenPolicy {
        clock_skew: Duration::MAX,
        max_age: Duration::MAX,
        ..policy()
    };
    let verifier = TokenVerifier {
        issuer: ISSUER,
        client_id: CLIENT,
        policy: &policy,
        now: Timestamp::from_millis(0),
        host: &TestHost::default(),
    };
    let token = SIGNER.token(&good());
    let verified = verifier.verify_id_token(&token, &SIGNER.jwk_set(), &LOGIN);
    assert!(verified.is_ok());
}

#[test]
fn the_nonce_is_that_of_the_login() {
    for other in ["", "n-0S6_WzA2M", "n-0S6_WzA2Mj ", "N-0S6_WzA2Mj", "other"] {
        assert_eq!(
            fault(&good_with("nonce", other)),
            Some(NonceMismatch),
            "{other}"
        );
    }
    let refresh = Expectations {
        nonce: None,
        ..LOGIN
    };
    for claims in [good(), good_without("nonce"), good_with("nonce", "other")] {
        let result = verify_token(&SIGNER.token(&claims), SIGNER, &policy(), &refresh);
        assert!(result.is_ok(), "{claims}");
    }
    let typed = SIGNER.token(&good_with("nonce", 1));
    let result = verify_token(&typed, SIGNER, &policy(), &refresh);
    assert_eq!(result.err(), Some(ClaimInvalid { claim: "nonce" }));
}

#[test]
fn a_subject_has_1_to_255_characters() {
    for (subject, expected) in [
        (String::new(), Some(SubjectInvalid)),
        ("a".to_owned(), None),
        (" ".to_owned(), None),
        ("x".repeat(255), None),
        ("é".repeat(255), None),
        ("x".repeat(256), Some(SubjectInvalid)),
        ("é".repeat(256), Some(SubjectInvalid)),
        ("x".repeat(40_000), Some(SubjectInvalid)),
    ] {
        assert_eq!(
            fault(&good_with("sub", subject.clone())),
            expected,
            "{}",
            subject.len()
        );
    }
}

#[test]
fn an_age_that_was_asked_for_limits_auth_time() {
    const ASKED: u64 = 3600;
    let faults = |max_age: Option<u64>, claims: &Value| {
        let expected = Expectations {
            max_age: max_age.map(Duration::from_secs),
            ..LOGIN
        };
        verify_token(&SIGNER.token(claims), SIGNER, &policy(), &expected).err()
    };
    for (auth_time, expected) in [
        (NOW, None),
        (NOW - ASKED - SKEW, None),
        (NOW - ASKED - SKEW - 1, Some(AuthenticationTooOld)),
        (0, Some(AuthenticationTooOld)),
        (NOW + SKEW, None),
        (NOW + SKEW + 1, Some(ClaimInvalid { claim: "auth_time" })),
    ] {
        let claims = good_with("auth_time", auth_time);
        assert_eq!(faults(Some(ASKED), &claims), expected, "{auth_time}");
        assert_eq!(faults(None, &claims), None, "{auth_time}");
    }
    assert_eq!(faults(Some(0), &good_with("auth_time", NOW - SKEW)), None);
    assert_eq!(
        faults(Some(0), &good_with("auth_time", NOW - SKEW - 1)),
        Some(AuthenticationTooOld)
    );
    assert_eq!(
        faults(Some(ASKED), &good()),
        Some(ClaimMissing { claim: "auth_time" })
    );
    assert_eq!(faults(Some(u64::MAX), &good_with("auth_time", 0)), None);
}

#[test]
fn classes_that_were_asked_for_must_have_acr_among_them() {
    let asked = ["urn:example:gold", "2"].map(str::to_owned);
    let expected = Expectations {
        acr_values: &asked,
        ..LOGIN
    };
    let fault =
        |claims: &Value| verify_token(&SIGNER.token(claims), SIGNER, &policy(), &expected).err();
    for class in ["urn:example:gold", "2"] {
        assert_eq!(fault(&good_with("acr", class)), None);
    }
    for class in ["", "1", "urn:example:gold 2", "urn:example:GOLD", "22"] {
        assert_eq!(fault(&good_with("acr", class)), Some(AcrMismatch));
    }
    let missing = ClaimMissing { claim: "acr" };
    assert_eq!(fault(&good()), Some(missing));
    for wrong in [json!(2), json!(["2"]), json!(null)] {
        let invalid = ClaimInvalid { claim: "acr" };
        assert_eq!(fault(&good_with("acr", wrong)), Some(invalid));
    }
    assert!(verify(&good_with("acr", 2)).is_ok());
}

#[test]
fn the_media_type_is_not_judged_here() {
    for header in [
        r#"{"alg":"EdDSA","kid":"EdDSA"}"#,
        r#"{"alg":"EdDSA","kid":"EdDSA","typ":"id_token+jwt"}"#,
    ] {
        let token = SIGNER.sign(header, good().to_string());
        assert!(Jws::parse(&token).is_ok());
        assert!(
            verify_token(&token, SIGNER, &policy(), &LOGIN).is_ok(),
            "{header}"
        );
    }
}
