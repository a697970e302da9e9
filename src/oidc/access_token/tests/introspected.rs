//! What a provider says of a token that says nothing itself.

use super::*;
use crate::config::{IntrospectionCredentials, IntrospectionPolicy};
use crate::jose::{Claims, client_of};
use crate::testing::TestHost;

const CACHE: u64 = 30;

fn introspection() -> IntrospectionPolicy {
    IntrospectionPolicy {
        credentials: IntrospectionCredentials::ProviderClient,
        cache: Duration::from_secs(CACHE),
        cache_inactive: Duration::ZERO,
        jwt: false,
        insecure_allow_missing_audience: false,
    }
}

fn judge_by(
    introspection: &IntrospectionPolicy,
    said: &Value,
) -> Result<VerifiedAccessToken, TokenFault> {
    let verifier = AccessTokenVerifier {
        issuer: ISSUER,
        policy: &policy(Profile::Rfc9068),
        now: Timestamp::from_secs(NOW),
        host: &TestHost::default(),
    };
    let claims = Claims::parse(said.to_string().as_bytes()).unwrap();
    verifier.verify_introspected(claims, introspection)
}

fn judge(said: &Value) -> Result<VerifiedAccessToken, TokenFault> {
    judge_by(&introspection(), said)
}

fn active() -> Value {
    with(with(good(), "active", true), "token_type", "Bearer")
}

#[test]
fn it_is_the_same_as_a_token_that_says_it_itself() {
    let token = judge(&active()).unwrap();
    assert_eq!(token.claims().string("sub"), Ok(Some("alice")));
    assert_eq!(client_of(token.claims().as_object()), Some("mobile"));
    assert_eq!(token.expires_at(), Timestamp::from_secs(NOW + 300));
    let scope = token.claims().string("scope");
    assert_eq!(scope, Ok(Some("orders.read orders.write")));
}

#[test]
fn only_the_audience_must_be_said() {
    let least = json!({"active": true, "aud": ["other", API], "iat": NOW});
    let token = judge(&least).unwrap();
    assert_eq!(token.expires_at(), Timestamp::from_secs(NOW + CACHE));
    assert_eq!(token.claims().string("iss"), Ok(Some(ISSUER)));
    let nothing = json!({"active": true, "iat": NOW});
    let missing = ClaimMissing { claim: "aud" };
    assert_eq!(judge(&nothing).err(), Some(missing));
    let loosened = IntrospectionPolicy {
        insecure_allow_missing_audience: true,
        ..introspection()
    };
    for audience in [json!([]), json!(null)] {
        let said = with(nothing.clone(), "aud", audience);
        assert_eq!(judge(&said).err(), Some(missing));
        assert!(judge_by(&loosened, &said).is_ok());
    }
    assert!(judge_by(&loosened, &nothing).is_ok());
    for (aud, fault) in [
        (json!("other"), AudienceMismatch),
        (json!(["other"]), AudienceMismatch),
    ] {
        let said = with(active(), "aud", aud);
        assert_eq!(judge(&said).err(), Some(fault));
        assert_eq!(judge_by(&loosened, &said).err(), Some(fault));
    }
}

#[test]
fn what_is_said_must_hold() {
    for (name, value, fault) in [
        ("iss", json!(format!("{ISSUER}/")), IssuerMismatch),
        ("token_type", json!("DPoP"), TypeMismatch),
        ("token_type", json!("N_A"), TypeMismatch),
        ("cnf", json!({"jkt": "x"}), ProofRequired),
        ("cnf", json!(null), ProofRequired),
        ("typ", json!("Refresh"), TypeMismatch),
        ("nonce", json!("n"), TypeMismatch),
        ("exp", json!(NOW - SKEW), Expired),
        ("exp", json!(NOW + MAX_LIFETIME + 1), LifetimeTooLong),
        ("iat", json!(NOW + SKEW + 1), IssuedInFuture),
        ("nbf", json!(NOW + SKEW + 1), NotYetValid),
        ("sub", json!(""), SubjectInvalid),
        ("client_id", json!(""), ClaimInvalid { claim: "client_id" }),
    ] {
        let said = with(active(), name, value);
        assert_eq!(judge(&said).err(), Some(fault), "{name}");
    }
    for (name, value) in [
        ("exp", NOW - SKEW + 1),
        ("exp", NOW + MAX_LIFETIME),
        ("iat", NOW + SKEW),
        ("nbf", NOW + SKEW),
    ] {
        assert!(judge(&with(active(), name, value)).is_ok(), "{name}");
    }
    assert!(judge(&with(active(), "token_type", "bearer")).is_ok());
    // How long it is made to last takes both numbers.
    let missing = ClaimMissing { claim: "iat" };
    assert_eq!(judge(&without(active(), "iat")).err(), Some(missing));
    assert!(judge(&without(active(), "exp")).is_ok());
}

#[test]
fn a_claim_of_another_type_is_no_claim() {
    for claim in [
        "iss",
        "sub",
        "client_id",
        "jti",
        "azp",
        "scope",
        "token_type",
        "exp",
        "iat",
        "nbf",
        "aud",
    ] {
        for value in values_of_every_type() {
            let is_right = match claim {
                "exp" | "iat" | "nbf" => value.is_number(),
                "aud" => value.is_string() || value.is_array() || value.is_null(),
                _ => value.is_string(),
            };
            let verdict = judge(&with(active(), claim, value.clone()));
            if !is_right {
                assert_eq!(verdict.err(), Some(ClaimInvalid { claim }), "{value:.40}");
            }
        }
    }
}

/// Where a token that says it all itself is asked about as well.
#[test]
fn what_is_said_of_a_signed_token_is_about_that_token() {
    let policy = policy(Profile::Rfc9068);
    let verifier = AccessTokenVerifier {
        issuer: ISSUER,
        policy: &policy,
        now: Timestamp::from_secs(NOW),
        host: &TestHost::default(),
    };
    let token = typed(SIGNER, Some("at+jwt"), &good());
    let token = verifier
        .verify(&Jws::parse(&token).unwrap(), &SIGNER.jwk_set())
        .unwrap();
    let confirm = |said: Value| {
        let said = Claims::parse(said.to_string().as_bytes()).unwrap();
        verifier.confirm(&token, &said).err()
    };
    assert_eq!(confirm(json!({"active": true})), None);
    assert_eq!(
        confirm(json!({"sub": "alice", "iss": ISSUER, "token_type": "Bearer"})),
        None
    );
    for (claim, value, fault) in [
        ("sub", json!("mallory"), SubjectInvalid),
        ("iss", json!("https://other.example.com"), IssuerMismatch),
        ("cnf", json!({"jkt": "x"}), ProofRequired),
        ("token_type", json!("DPoP"), TypeMismatch),
    ] {
        assert_eq!(confirm(json!({claim: value})), Some(fault), "{claim}");
    }
}
