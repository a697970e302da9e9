use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::TokenVerifier;
use super::{Expectations, VerifiedIdToken};
use crate::config::IdTokenPolicy;
use crate::error::TokenFault::{self, *};
use crate::jose::testing::{Signer, values_of_every_type};
use crate::jose::{Algorithm, Jws, MAX_NUMERIC_DATE};
use crate::testing::TestHost;
use crate::time::Timestamp;

mod claims;

const NOW: u64 = 1_700_000_000;
const SKEW: u64 = 30;
const MAX_AGE: u64 = 600;
const ISSUER: &str = "https://idp.example.com/realms/acme";
const CLIENT: &str = "portero";
const SIGNER: Signer = Signer::new(Algorithm::EdDsa);
const LOGIN: Expectations<'static> = Expectations {
    nonce: Some("n-0S6_WzA2Mj"),
    access_token: Some("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
    code: None,
    max_age: None,
    acr_values: &[],
};

fn policy() -> IdTokenPolicy {
    IdTokenPolicy {
        algorithms: Algorithm::ASYMMETRIC.to_vec(),
        trusted_audiences: vec!["account".to_owned(), "orders".to_owned()],
        clock_skew: Duration::from_secs(SKEW),
        max_age: Duration::from_secs(MAX_AGE),
    }
}

fn good() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "alice",
        "aud": CLIENT,
        "exp": NOW + 300,
        "iat": NOW,
        "nonce": "n-0S6_WzA2Mj",
    })
}

fn good_with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = good();
    claims[name] = value.into();
    claims
}

fn good_without(name: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn verify_token(
    token: &str,
    signer: Signer,
    policy: &IdTokenPolicy,
    expected: &Expectations<'_>,
) -> Result<VerifiedIdToken, TokenFault> {
    TokenVerifier {
        issuer: ISSUER,
        client_id: CLIENT,
        policy,
        now: Timestamp::from_secs(NOW),
        host: &TestHost::default(),
    }
    .verify_id_token(token, &signer.jwk_set(), expected)
}

fn verify(claims: &Value) -> Result<VerifiedIdToken, TokenFault> {
    verify_token(&SIGNER.token(claims), SIGNER, &policy(), &LOGIN)
}

fn fault(claims: &Value) -> Option<TokenFault> {
    verify(claims).err()
}

#[test]
fn a_good_token_of_every_algorithm_is_verified() {
    let mut claims = good_with("sid", "session-1");
    claims["auth_time"] = (NOW - 50).into();
    claims["email"] = "alice@example.com".into();
    for signer in Algorithm::ASYMMETRIC.map(Signer::new) {
        let token = verify_token(&signer.token(&claims), signer, &policy(), &LOGIN).unwrap();
        assert_eq!(token.subject(), "alice");
        assert_eq!(token.auth_time(), Some(Timestamp::from_secs(NOW - 50)));
        assert_eq!(
            token.claims().string("email"),
            Ok(Some("alice@example.com"))
        );
        assert_eq!(&Value::Object(token.claims().as_object().clone()), &claims);
    }
    let token = verify(&good()).unwrap();
    assert_eq!(token.auth_time(), None);
}

#[test]
fn only_configured_algorithms_are_accepted() {
    let mut policy = policy();
    for signer in Algorithm::ASYMMETRIC.map(Signer::new) {
        let token = signer.token(&good());
        for configured in Algorithm::ASYMMETRIC {
            policy.algorithms = vec![configured];
            let result = verify_token(&token, signer, &policy, &LOGIN);
            let expected = (signer.algorithm != configured).then_some(AlgorithmRefused);
            assert_eq!(result.err(), expected);
        }
        policy.algorithms.clear();
        let result = verify_token(&token, signer, &policy, &LOGIN);
        assert_eq!(result.err(), Some(AlgorithmRefused));
    }
}

#[test]
fn what_is_no_signed_token_is_refused() {
    let refuse = |token: &str| verify_token(token, SIGNER, &policy(), &LOGIN).err();
    let token = SIGNER.token(&good());
    let (input, _) = token.rsplit_once('.').unwrap();
    assert_eq!(refuse(""), Some(Malformed));
    assert_eq!(refuse(input), Some(Malformed));
    assert_eq!(refuse(&format!("{token}.AAAA.AAAA")), Some(Encrypted));
    assert_eq!(
        refuse(&format!("{token}{}", "A".repeat(70_000))),
        Some(TooLarge)
    );
    assert_eq!(refuse(&format!("{input}.")), Some(SignatureInvalid));
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    assert_eq!(refuse(&format!("{none}.e30.")), Some(AlgorithmRefused));
    let crit = SIGNER.sign(r#"{"alg":"EdDSA","crit":["exp"]}"#, good().to_string());
    assert_eq!(refuse(&crit), Some(CriticalHeader));
    let twice = good().to_string().replace("{", r#"{"sub":"mallory","#);
    assert_eq!(
        refuse(&SIGNER.sign(SIGNER.header().to_string(), twice)),
        Some(ClaimsMalformed)
    );
    let unknown = SIGNER.sign(r#"{"alg":"EdDSA","kid":"new"}"#, good().to_string());
    assert_eq!(refuse(&unknown), Some(KeyUnknown));
    let forger = Signer::with_seed(Algorithm::EdDsa, 9);
    assert_eq!(refuse(&forger.token(&good())), Some(SignatureInvalid));
}

/// Each claim set fails one check; whatever follows it is wrong as well and must not be reported.
#[test]
fn the_first_check_that_fails_is_reported() {
    let mut claims = json!({
        "iss": "x", "aud": "x", "azp": "x", "exp": 1, "iat": 1, "nbf": MAX_NUMERIC_DATE,
        "nonce": "x", "at_hash": "x", "c_hash": "x", "sub": "", "sid": 1, "auth_time": 1,
        "acr": "x",
    });
    let classes = ["gold".to_owned()];
    let expected = Expectations {
        code: Some("code"),
        max_age: Some(Duration::ZERO),
        acr_values: &classes,
        ..LOGIN
    };
    let order: &[(TokenFault, &str, Value)] = &[
        (IssuerMismatch, "iss", ISSUER.into()),
        (AudienceMismatch, "aud", json!([CLIENT, "x"])),
        (AudienceUntrusted, "aud", json!([CLIENT, "orders"])),
        (AuthorizedPartyMismatch, "azp", CLIENT.into()),
        (Expired, "exp", (NOW + 1).into()),
        (IssuedTooLongAgo, "iat", NOW.into()),
        (NotYetValid, "nbf", NOW.into()),
        (NonceMismatch, "nonce", "n-0S6_WzA2Mj".into()),
        (
            AccessTokenHashMismatch,
            "at_hash",
            hash(SIGNER, LOGIN.access_token.unwrap()).into(),
        ),
        (CodeHashMismatch, "c_hash", hash(SIGNER, "code").into()),
        (SubjectInvalid, "sub", "alice".into()),
        (ClaimInvalid { claim: "sid" }, "sid", "s".into()),
        (AuthenticationTooOld, "auth_time", NOW.into()),
        (AcrMismatch, "acr", "gold".into()),
    ];
    for (fault, name, good) in order {
        let result = verify_token(&SIGNER.token(&claims), SIGNER, &policy(), &expected);
        assert_eq!(result.err(), Some(*fault));
        claims[*name] = good.clone();
    }
    assert!(verify_token(&SIGNER.token(&claims), SIGNER, &policy(), &expected).is_ok());
}

/// The hash of `value` as the provider with that key writes it, computed by other code.
fn hash(signer: Signer, value: &str) -> String {
    use rsa::sha2::{Digest, Sha256, Sha384, Sha512};
    let digest = match signer.algorithm.name() {
        "EdDSA" => Sha512::digest(value).to_vec(),
        name if name.ends_with("256") => Sha256::digest(value).to_vec(),
        name if name.ends_with("384") => Sha384::digest(value).to_vec(),
        _ => Sha512::digest(value).to_vec(),
    };
    URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2])
}

#[test]
fn hashes_are_as_long_as_the_algorithm_says() {
    let expected = Expectations {
        code: Some("code"),
        ..LOGIN
    };
    for signer in Algorithm::ASYMMETRIC.map(Signer::new) {
        let mut claims = good_with("at_hash", hash(signer, LOGIN.access_token.unwrap()));
        claims["c_hash"] = hash(signer, "code").into();
        let token = signer.token(&claims);
        assert_eq!(
            verify_token(&token, signer, &policy(), &expected).err(),
            None
        );
    }
}

#[test]
fn hashes_belong_to_the_access_token_and_the_code() {
    let both = Expectations {
        code: Some("code"),
        ..LOGIN
    };
    let neither = Expectations {
        access_token: None,
        code: None,
        ..LOGIN
    };
    for (name, value, fault) in [
        (
            "at_hash",
            LOGIN.access_token.unwrap(),
            AccessTokenHashMismatch,
        ),
        ("c_hash", "code", CodeHashMismatch),
    ] {
        let good_hash = hash(SIGNER, value);
        let of_other_algorithm = hash(Signer::new(Algorithm::Es256), value);
        for wrong in [
            "",
            "x",
            value,
            &hash(SIGNER, "other"),
            &of_other_algorithm,
            &format!("{good_hash}="),
            &format!("{good_hash}A"),
            &good_hash.to_lowercase(),
        ] {
            let token = SIGNER.token(&good_with(name, wrong));
            assert_eq!(
                verify_token(&token, SIGNER, &policy(), &both).err(),
                Some(fault)
            );
            assert_eq!(
                verify_token(&token, SIGNER, &policy(), &neither).err(),
                None
            );
        }
    }
}

/// The example of OpenID Connect Core appendix A.3 (RS256).
#[test]
fn the_standards_example_hash_matches() {
    let signer = Signer::new(Algorithm::Rs256);
    let token = signer.token(&good_with("at_hash", "77QmUPtjPfzWtF2AnpK9RQ"));
    assert!(verify_token(&token, signer, &policy(), &LOGIN).is_ok());
}

#[test]
fn debug_shows_no_email() {
    let token = verify(&good_with("email", "alice@example.com")).unwrap();
    assert!(!format!("{token:?}").contains("example.com"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_ends(text in "[A-Za-z0-9_.-]{0,200}") {
        prop_assert!(verify_token(&text, SIGNER, &policy(), &LOGIN).is_err());
    }

    #[test]
    fn any_claims_end(name in "[a-z_]{2,7}", value in "[0-9a-z\"{}\\[\\],:.-]{0,12}") {
        let payload = good().to_string().replace('}', &format!(",\"{name}\":{value}}}"));
        let token = SIGNER.sign(SIGNER.header().to_string(), payload);
        let _ = verify_token(&token, SIGNER, &policy(), &LOGIN);
    }
}
