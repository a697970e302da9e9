//! One table per claim: both sides of every rule.

use super::*;
use crate::jose::{MAX_NUMERIC_DATE, client_of};

#[test]
fn every_claim_is_required_that_the_profile_demands() {
    for claim in ["iss", "aud", "exp", "iat", "sub", "client_id", "jti"] {
        let missing = Some(ClaimMissing { claim });
        let claims = without(good(), claim);
        assert_eq!(fault(Profile::Rfc9068, &claims), missing);
        // The longest lifetime, which these tests configure, is what needs `iat`.
        let needed = ["iss", "aud", "exp", "iat"].contains(&claim);
        let expected = if needed { missing } else { None };
        assert_eq!(fault(Profile::Lenient, &claims), expected, "{claim}");
    }
    let mut unlimited = policy(Profile::Lenient);
    unlimited.max_lifetime = None;
    let token = typed(SIGNER, None, &without(least(), "iat"));
    assert!(unlimited.verify(&token, &SIGNER.jwk_set()).is_ok());
    unlimited.profile = Profile::Rfc9068;
    let token = typed(SIGNER, Some("at+jwt"), &without(good(), "iat"));
    let result = unlimited.verify(&token, &SIGNER.jwk_set());
    assert_eq!(result.err(), Some(ClaimMissing { claim: "iat" }));
}

#[test]
fn text_claims_are_text() {
    for profile in PROFILES {
        for claim in ["iss", "sub", "client_id", "azp", "jti", "typ", "token_use"] {
            for value in values_of_every_type()
                .into_iter()
                .filter(|value| !value.is_string())
            {
                let found = fault(profile, &with(good(), claim, value.clone()));
                assert_eq!(found, Some(ClaimInvalid { claim }), "{claim} {value}");
            }
        }
    }
}

#[test]
fn names_are_not_empty() {
    for profile in PROFILES {
        for claim in ["client_id", "azp", "jti"] {
            let found = fault(profile, &with(good(), claim, ""));
            assert_eq!(found, Some(ClaimInvalid { claim }));
        }
        for (subject, expected) in [
            (String::new(), Some(SubjectInvalid)),
            ("é".repeat(255), None),
            ("x".repeat(256), Some(SubjectInvalid)),
            ("x".repeat(40_000), Some(SubjectInvalid)),
        ] {
            assert_eq!(fault(profile, &with(good(), "sub", subject)), expected);
        }
    }
}

#[test]
fn no_claim_is_there_twice() {
    for profile in PROFILES {
        for claim in ["iss", "aud", "exp", "iat", "nbf", "sub", "scope", "other"] {
            let claims = with(good(), claim, good()[claim].clone()).to_string();
            let twice = claims.replacen('{', &format!("{{\"{claim}\":1,"), 1);
            let header = json!({"alg": "EdDSA", "typ": "at+jwt"}).to_string();
            let token = SIGNER.sign(header, twice);
            let result = policy(profile).verify(&token, &SIGNER.jwk_set());
            assert_eq!(result.err(), Some(ClaimsMalformed), "{claim}");
        }
    }
}

#[test]
fn time_claims_are_numbers_in_range() {
    for profile in PROFILES {
        for claim in ["exp", "iat", "nbf"] {
            for value in values_of_every_type() {
                let is_date = value
                    .as_f64()
                    .is_some_and(|seconds| (0.0..1e9).contains(&seconds));
                let found = fault(profile, &with(good(), claim, value.clone()));
                let invalid = found == Some(ClaimInvalid { claim });
                assert_eq!(invalid, !is_date, "{claim} {value}");
            }
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
        " https://idp.example.com/realms/acme",
    ] {
        for profile in PROFILES {
            let found = fault(profile, &with(good(), "iss", other));
            assert_eq!(found, Some(IssuerMismatch), "{other}");
        }
    }
}

#[test]
fn one_audience_is_ours() {
    for profile in PROFILES {
        for (audience, expected) in [
            (json!(API), None),
            (json!("orders"), None),
            (json!([API]), None),
            (json!(["account", API]), None),
            (json!([API, "orders"]), None),
            (json!(["account", "other", "orders"]), None),
            (json!("other"), Some(AudienceMismatch)),
            (json!("Orders"), Some(AudienceMismatch)),
            (json!("orders account"), Some(AudienceMismatch)),
            (json!("https://api.example.com/"), Some(AudienceMismatch)),
            (json!(["account", "other"]), Some(AudienceMismatch)),
            (json!(CLIENT), Some(AudienceMismatch)),
            (json!(["orders", 1]), Some(ClaimInvalid { claim: "aud" })),
            (json!([["orders"]]), Some(ClaimInvalid { claim: "aud" })),
        ] {
            let found = fault(profile, &with(good(), "aud", audience.clone()));
            assert_eq!(found, expected, "{audience}");
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
            let found = fault(profile, &with(good(), "aud", value.clone()));
            assert_eq!(found, Some(expected), "{value}");
        }
        let mut nobody = policy(profile);
        nobody.audiences.clear();
        let token = typed(SIGNER, Some("at+jwt"), &good());
        let result = nobody.verify(&token, &SIGNER.jwk_set());
        assert_eq!(result.err(), Some(AudienceMismatch));
    }
}

#[test]
fn times_are_compared_with_the_clock_and_its_allowed_difference() {
    for profile in PROFILES {
        for (name, value, expected) in [
            ("exp", json!(NOW - SKEW + 1), None),
            ("exp", json!(NOW - SKEW), Some(Expired)),
            ("exp", json!(0), Some(Expired)),
            ("exp", json!(NOW + MAX_LIFETIME), None),
            ("exp", json!(NOW + MAX_LIFETIME + 1), Some(LifetimeTooLong)),
            ("exp", json!(MAX_NUMERIC_DATE), Some(LifetimeTooLong)),
            ("iat", json!(NOW + SKEW), None),
            ("iat", json!(NOW + SKEW + 1), Some(IssuedInFuture)),
            ("iat", json!(NOW + 300 - MAX_LIFETIME), None),
            (
                "iat",
                json!(NOW + 299 - MAX_LIFETIME),
                Some(LifetimeTooLong),
            ),
            ("iat", json!(0), Some(LifetimeTooLong)),
            ("nbf", json!(NOW + SKEW), None),
            ("nbf", json!(NOW + SKEW + 1), Some(NotYetValid)),
            ("nbf", json!(0), None),
        ] {
            let found = fault(profile, &with(good(), name, value.clone()));
            assert_eq!(found, expected, "{name} {value}");
        }
        let mut unlimited = policy(profile);
        unlimited.max_lifetime = None;
        let claims = with(with(good(), "iat", 0), "exp", MAX_NUMERIC_DATE);
        let token = typed(SIGNER, Some("at+jwt"), &claims);
        assert!(unlimited.verify(&token, &SIGNER.jwk_set()).is_ok());
        unlimited.max_lifetime = Some(Duration::MAX);
        assert!(unlimited.verify(&token, &SIGNER.jwk_set()).is_ok());
    }
}

#[test]
fn scopes_are_a_text_and_leniently_an_array_too() {
    for claim in ["scope", "scp"] {
        let invalid = Some(ClaimInvalid { claim });
        for value in values_of_every_type() {
            let strings = |list: &Vec<Value>| list.iter().all(Value::is_string);
            let accepted = value.is_string() || value.as_array().is_some_and(strings);
            let found = fault(
                Profile::Lenient,
                &with(without(least(), "scope"), claim, value.clone()),
            );
            assert_eq!(found.is_none(), accepted, "{claim} {value}");
            assert!(accepted || found == invalid, "{claim} {value}");
            if claim == "scope" && !value.is_string() {
                let found = fault(Profile::Rfc9068, &with(good(), claim, value));
                assert_eq!(found, invalid);
            }
        }
    }
}

#[test]
fn the_client_is_client_id_or_else_what_products_call_it() {
    let claims = with(least(), "azp", "portal");
    let token = verify(Profile::Lenient, &claims).unwrap();
    assert_eq!(client_of(token.claims().as_object()), Some("portal"));
    let token = verify(Profile::Lenient, &with(claims, "client_id", "mobile")).unwrap();
    assert_eq!(client_of(token.claims().as_object()), Some("mobile"));
    for claim in ["cid", "appid"] {
        let token = verify(Profile::Lenient, &with(least(), claim, "portal")).unwrap();
        assert_eq!(
            client_of(token.claims().as_object()),
            Some("portal"),
            "{claim}"
        );
    }
    let only_azp = without(with(good(), "azp", "portal"), "client_id");
    let missing = Some(ClaimMissing { claim: "client_id" });
    assert_eq!(fault(Profile::Rfc9068, &only_azp), missing);
}
