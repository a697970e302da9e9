use std::time::Duration;

use serde_json::{Value, json};

use super::{AccessTokenVerifier, VerifiedAccessToken};
use crate::config::{AccessTokenPolicy, AccessTokenProfile as Profile};
use crate::error::TokenFault::{self, *};
use crate::jose::testing::{Signer, all_algorithms, encode, values_of_every_type};
use crate::jose::{Algorithm, Jwk, JwkSet, Jws};
use crate::testing::TestHost;
use crate::time::Timestamp;

mod claims;
mod introspected;
mod kinds;
mod properties;

const NOW: u64 = 1_700_000_000;
const SKEW: u64 = 60;
const MAX_LIFETIME: u64 = 3600;
const ISSUER: &str = "https://idp.example.com/realms/acme";
const API: &str = "https://api.example.com";
const CLIENT: &str = "portero";
const SIGNER: Signer = Signer::new(Algorithm::EdDsa);
const PROFILES: [Profile; 2] = [Profile::Rfc9068, Profile::Lenient];

/// What the verifier of these tests is given, to be changed one by one.
fn policy(profile: Profile) -> AccessTokenPolicy {
    AccessTokenPolicy {
        audiences: vec!["orders".to_owned(), API.to_owned()],
        profile,
        algorithms: all_algorithms(),
        keys: JwkSet::default(),
        clock_skew: Duration::from_secs(SKEW),
        client_ids: vec![CLIENT.to_owned(), "portal".to_owned()],
        max_lifetime: Some(Duration::from_secs(MAX_LIFETIME)),
        introspection: None,
        require_consumer: false,
    }
}

impl AccessTokenPolicy {
    fn verify(&self, token: &str, keys: &JwkSet) -> Result<VerifiedAccessToken, TokenFault> {
        AccessTokenVerifier {
            issuer: ISSUER,
            policy: self,
            now: Timestamp::from_secs(NOW),
            host: &TestHost::default(),
        }
        .verify(&Jws::parse(token)?, keys)
    }
}

/// Everything that RFC 9068 section 2.2 requires.
fn good() -> Value {
    json!({
        "iss": ISSUER,
        "aud": API,
        "exp": NOW + 300,
        "iat": NOW,
        "sub": "alice",
        "client_id": "mobile",
        "jti": "t-1",
        "scope": "orders.read orders.write",
    })
}

/// Everything that a lenient issuer must say.
fn least() -> Value {
    json!({"iss": ISSUER, "aud": API, "exp": NOW + 300, "iat": NOW, "scope": ""})
}

fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// A token with that `typ`, or with none.
fn typed(signer: Signer, typ: Option<&str>, claims: &Value) -> String {
    let mut header = signer.header();
    match typ {
        Some(typ) => header["typ"] = typ.into(),
        None => drop(header.as_object_mut().unwrap().remove("typ")),
    }
    signer.sign(header.to_string(), claims.to_string())
}

/// What the profile makes of these claims in a token that has the `typ` usual there.
fn verify(profile: Profile, claims: &Value) -> Result<VerifiedAccessToken, TokenFault> {
    let typ = match profile {
        Profile::Rfc9068 => Some("at+jwt"),
        Profile::Lenient => Some("JWT"),
    };
    policy(profile).verify(&typed(SIGNER, typ, claims), &SIGNER.jwk_set())
}

fn fault(profile: Profile, claims: &Value) -> Option<TokenFault> {
    verify(profile, claims).err()
}

#[test]
fn a_good_token_of_every_algorithm_is_verified() {
    for profile in PROFILES {
        for signer in all_algorithms().into_iter().map(Signer::new) {
            let token = typed(signer, Some("at+jwt"), &good());
            let token = policy(profile).verify(&token, &signer.jwk_set()).unwrap();
            assert_eq!(token.expires_at(), Timestamp::from_secs(NOW + 300));
            assert_eq!(&Value::Object(token.claims().as_object().clone()), &good());
        }
    }
    let token = verify(Profile::Lenient, &least()).unwrap();
    assert_eq!(&Value::Object(token.claims().as_object().clone()), &least());
}

#[test]
fn only_configured_algorithms_are_accepted() {
    for signer in all_algorithms().into_iter().map(Signer::new) {
        let token = typed(signer, Some("at+jwt"), &good());
        for configured in all_algorithms() {
            let mut policy = policy(Profile::Rfc9068);
            policy.algorithms = vec![configured];
            let result = policy.verify(&token, &signer.jwk_set());
            let expected = (signer.algorithm != configured).then_some(AlgorithmRefused);
            assert_eq!(result.err(), expected);
        }
    }
}

/// Every algorithm in the header, signed as it says, against the keys of every other.
#[test]
fn a_key_of_another_algorithm_verifies_nothing() {
    for named in all_algorithms() {
        for signer in all_algorithms().into_iter().map(Signer::new) {
            let bare = match signer.algorithm.is_symmetric() {
                true => Jwk::from_secret(&signer.secret(), signer.algorithm),
                false => Jwk::from_json(signer.bare_jwk().to_string().as_bytes()),
            };
            let pinned = bare.unwrap().pinned_to(signer.algorithm).unwrap();
            let keys = JwkSet::from_iter([pinned]);
            let header = json!({"alg": named.name(), "typ": "at+jwt"}).to_string();
            let token = signer.sign(header, good().to_string());
            let expected = match (named == signer.algorithm, named.is_symmetric()) {
                (true, _) => None,
                (false, true) => Some(AlgorithmRefused),
                (false, false) => Some(KeyUnknown),
            };
            let result = policy(Profile::Rfc9068).verify(&token, &keys);
            assert_eq!(result.err(), expected, "{named} {}", signer.algorithm);
        }
    }
}

#[test]
fn the_public_key_is_no_secret_for_tokens() {
    let public = include_bytes!("../../../tests/fixtures/keys/rsa.pem");
    let keys = Signer::new(Algorithm::Rs256).jwk_set();
    let input = {
        let header = json!({"alg": "HS256", "kid": "RS256", "typ": "at+jwt"});
        [encode(header.to_string()), encode(good().to_string())].join(".")
    };
    let code = {
        use hkdf::hmac::{Hmac, KeyInit, Mac};
        let mac = Hmac::<sha2::Sha256>::new_from_slice(public).unwrap();
        mac.chain_update(&input).finalize().into_bytes()
    };
    let token = format!("{input}.{}", encode(code));
    let result = policy(Profile::Rfc9068).verify(&token, &keys);
    assert_eq!(result.err(), Some(AlgorithmRefused));
}

#[test]
fn what_is_no_signed_token_is_refused() {
    for profile in PROFILES {
        let refuse = |token: &str| policy(profile).verify(token, &SIGNER.jwk_set()).err();
        let sign = |header: &str| SIGNER.sign(header, good().to_string());
        let token = typed(SIGNER, Some("at+jwt"), &good());
        let (input, _) = token.rsplit_once('.').unwrap();
        let none = encode(r#"{"alg":"none","typ":"at+jwt"}"#);
        let payload = encode(good().to_string());
        let huge = "A".repeat(70_000);
        let forged = Signer::with_seed(Algorithm::EdDsa, 9).token(&good());
        for (token, expected) in [
            (String::new(), Malformed),
            (input.to_owned(), Malformed),
            (format!("Bearer {token}"), Malformed),
            (format!("{token}{huge}"), TooLarge),
            (format!("{token}.AAAA.AAAA"), Encrypted),
            (format!("{input}."), SignatureInvalid),
            (format!("{none}.{payload}."), AlgorithmRefused),
            (sign(r#"{"alg":"EdDSA","crit":["exp"]}"#), CriticalHeader),
            (sign(r#"{"alg":"EdDSA","kid":"new"}"#), KeyUnknown),
            (sign(r#"{"kid":"EdDSA"}"#), HeaderInvalid),
            (forged, SignatureInvalid),
        ] {
            assert_eq!(refuse(&token), Some(expected), "{token:.60}");
        }
    }
}

/// Each claim set fails one check; whatever follows it is wrong as well and must not be reported.
#[test]
fn the_first_check_that_fails_is_reported() {
    let mut claims = json!({
        "nonce": "x", "iss": "x", "aud": "x", "exp": 1, "iat": NOW + SKEW + 1, "nbf": NOW + 900,
        "sub": "", "client_id": "", "jti": "", "scope": 1,
    });
    let order: &[(TokenFault, &str, Value)] = &[
        (TypeMismatch, "nonce", Value::Null),
        (IssuerMismatch, "iss", ISSUER.into()),
        (AudienceMismatch, "aud", API.into()),
        (Expired, "exp", (NOW + SKEW + MAX_LIFETIME).into()),
        (IssuedInFuture, "iat", (NOW - SKEW).into()),
        (NotYetValid, "nbf", NOW.into()),
        (LifetimeTooLong, "exp", (NOW + 1).into()),
        (SubjectInvalid, "sub", "alice".into()),
        (ClaimInvalid { claim: "client_id" }, "client_id", "c".into()),
        (ClaimInvalid { claim: "jti" }, "jti", "t".into()),
        (ClaimInvalid { claim: "scope" }, "scope", "".into()),
    ];
    for (fault, name, good) in order {
        for profile in PROFILES {
            assert_eq!(verify(profile, &claims).err(), Some(*fault), "{profile:?}");
        }
        claims[*name] = good.clone();
        if good.is_null() {
            claims.as_object_mut().unwrap().remove(*name);
        }
    }
    assert!(verify(Profile::Rfc9068, &claims).is_ok());
}

fn issuer_of(token: &str) -> Result<String, TokenFault> {
    Jws::parse(token)?.unverified_issuer()
}

#[test]
fn the_issuer_can_be_read_before_anything_is_verified() {
    let forged = Signer::with_seed(Algorithm::Es256, 9).token(&good());
    assert_eq!(issuer_of(&forged).as_deref(), Ok(ISSUER));
    for value in values_of_every_type() {
        let token = SIGNER.token(&json!({"iss": value}));
        let expected = match value.as_str() {
            Some(issuer) => Ok(issuer.to_owned()),
            None => Err(ClaimInvalid { claim: "iss" }),
        };
        assert_eq!(issuer_of(&token), expected, "{value}");
    }
    let sign = |payload: &str| SIGNER.sign(SIGNER.header().to_string(), payload);
    let missing = ClaimMissing { claim: "iss" };
    for (token, expected) in [
        (sign("{}"), missing),
        (sign(r#"{"iss":"a","iss":"b"}"#), ClaimsMalformed),
        (sign(r#"["iss"]"#), ClaimsMalformed),
        (sign(""), ClaimsMalformed),
        ("opaque".to_owned(), Malformed),
        ("a.b.c.d.e".to_owned(), Encrypted),
    ] {
        assert_eq!(issuer_of(&token), Err(expected), "{token}");
    }
}

#[test]
fn debug_shows_nobody() {
    let claims = with(good(), "email", "alice@example.com");
    let text = format!("{:?}", verify(Profile::Rfc9068, &claims).unwrap());
    assert!(!text.contains("alice"), "{text}");
}
