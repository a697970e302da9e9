//! Which kinds of token are taken for an access token.

use super::*;
use crate::config::IdTokenPolicy;
use crate::oidc::{Expectations, TokenVerifier};
use crate::testing::TestHost;

const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

#[test]
fn the_media_type_says_what_it_is() {
    for (typ, strict, lenient) in [
        (Some("at+jwt"), true, true),
        (Some("AT+JWT"), true, true),
        (Some("application/at+jwt"), true, true),
        (Some("Application/At+Jwt"), true, true),
        (Some("JWT"), false, true),
        (Some("jwt"), false, true),
        (None, false, true),
        (Some(""), false, false),
        (Some("at"), false, false),
        (Some("at+jwt "), false, false),
        (Some("application/x-at+jwt"), false, false),
        (Some("text/at+jwt"), false, false),
        (Some("id_token"), false, false),
        (Some("id_token+jwt"), false, false),
        (Some("logout+jwt"), false, false),
        (Some("dpop+jwt"), false, false),
        (Some("secevent+jwt"), false, false),
        (Some("token-introspection+jwt"), false, false),
        (Some("JOSE"), false, false),
    ] {
        let token = typed(SIGNER, typ, &good());
        for (profile, accepted) in PROFILES.into_iter().zip([strict, lenient]) {
            let result = policy(profile).verify(&token, &SIGNER.jwk_set());
            let expected = (!accepted).then_some(TypeMismatch);
            assert_eq!(result.err(), expected, "{typ:?} {profile:?}");
        }
    }
}

#[test]
fn claims_of_other_kinds_say_that_it_is_none() {
    for profile in PROFILES {
        for claim in ["nonce", "at_hash", "c_hash"] {
            for value in values_of_every_type() {
                let found = fault(profile, &with(good(), claim, value));
                assert_eq!(found, Some(TypeMismatch), "{claim}");
            }
        }
        for event in values_of_every_type() {
            let found = fault(
                profile,
                &with(good(), "events", json!({LOGOUT_EVENT: event})),
            );
            assert_eq!(found, Some(TypeMismatch));
        }
        for (claim, value, expected) in [
            ("typ", "ID", Some(TypeMismatch)),
            ("typ", "id", Some(TypeMismatch)),
            ("typ", "Refresh", Some(TypeMismatch)),
            ("typ", "Offline", Some(TypeMismatch)),
            ("typ", "Logout", Some(TypeMismatch)),
            ("typ", "Bearer", None),
            ("typ", "DPoP", None),
            ("typ", "", None),
            ("token_use", "id", Some(TypeMismatch)),
            ("token_use", "access", None),
            ("token_use", "access_token", None),
            ("token_use", "refresh_token", Some(TypeMismatch)),
            ("auth_time", "", None),
            ("events", "opened closed", None),
        ] {
            let found = fault(profile, &with(good(), claim, value));
            assert_eq!(found, expected, "{claim} {value}");
        }
    }
}

/// A client may be what is protected, too: then only `typ` tells its two kinds of token apart.
#[test]
fn a_token_for_clients_alone_is_an_id_token_unless_it_says_otherwise() {
    let mut policy = policy(Profile::Lenient);
    policy.audiences.push(CLIENT.to_owned());
    let bare = |audience: Value| without(with(least(), "aud", audience), "scope");
    let scoped = |audience: Value| with(bare(audience), "scope", "a");
    for (claims, expected) in [
        (bare(json!(CLIENT)), Some(TypeMismatch)),
        (scoped(json!(CLIENT)), Some(TypeMismatch)),
        (scoped(json!([CLIENT])), Some(TypeMismatch)),
        (scoped(json!([CLIENT, "portal"])), Some(TypeMismatch)),
        (bare(json!([CLIENT, API])), Some(TypeMismatch)),
        (bare(json!([API, "portal"])), Some(TypeMismatch)),
        (bare(json!([API, "account"])), Some(TypeMismatch)),
        (scoped(json!([API, "account"])), None),
        (scoped(json!([CLIENT, API])), None),
        (with(bare(json!([CLIENT, API])), "scp", json!(["a"])), None),
    ] {
        for typ in [None, Some("JWT"), Some("jwt")] {
            let token = typed(SIGNER, typ, &claims);
            let result = policy.verify(&token, &SIGNER.jwk_set());
            assert_eq!(result.err(), expected, "{claims}");
        }
        let token = typed(SIGNER, Some("at+jwt"), &claims);
        assert!(policy.verify(&token, &SIGNER.jwk_set()).is_ok());
    }
}

/// Where nobody logs in, the clients of an issuer are not known, and ID tokens have nothing else in common
/// than that they lack what access tokens have.
#[test]
fn without_a_sign_of_an_access_token_it_is_an_id_token() {
    let mut policy = policy(Profile::Lenient);
    policy.client_ids = Vec::new();
    let bare = || without(with(least(), "azp", "spa"), "scope");
    let verify = |claims: &Value| {
        let token = typed(SIGNER, Some("JWT"), claims);
        policy.verify(&token, &SIGNER.jwk_set()).err()
    };
    assert_eq!(verify(&bare()), Some(TypeMismatch));
    for (claim, value) in [
        ("scope", "a"),
        ("scp", "a"),
        ("client_id", "spa"),
        ("cid", "spa"),
        ("appid", "spa"),
        ("azpacr", "0"),
        ("appidacr", "1"),
        ("typ", "Bearer"),
        ("token_use", "access"),
    ] {
        assert_eq!(verify(&with(bare(), claim, value)), None, "{claim}");
    }
    let permissions = with(bare(), "permissions", json!(["read"]));
    assert_eq!(verify(&permissions), None);
}

/// Kong's tokens say no more than who made them, and are made with a secret.
#[test]
fn a_token_made_with_a_secret_of_the_configuration_needs_no_such_sign() {
    let mut policy = policy(Profile::Lenient);
    let signer = Signer::new(Algorithm::Hs256);
    let token = typed(signer, Some("JWT"), &without(least(), "scope"));
    policy.keys = signer.jwk_set();
    assert!(policy.verify(&token, &signer.jwk_set()).is_ok());
}

/// What Keycloak sends: the two tokens differ in `typ` among the claims only.
#[test]
fn keycloaks_tokens_are_told_apart() {
    let access = json!({
        "exp": NOW + 300, "iat": NOW, "jti": "trrtcc:1", "iss": ISSUER,
        "aud": [API, "account"], "sub": "f:1", "typ": "Bearer", "azp": "portal", "sid": "s",
        "acr": "1", "scope": "openid profile", "realm_access": {"roles": ["clerk"]},
    });
    assert_eq!(fault(Profile::Lenient, &access), None);
    let id = with(without(access, "scope"), "typ", "ID");
    assert_eq!(fault(Profile::Lenient, &id), Some(TypeMismatch));
}

fn id_token_policy() -> IdTokenPolicy {
    IdTokenPolicy {
        algorithms: Algorithm::ASYMMETRIC.to_vec(),
        trusted_audiences: vec![API.to_owned()],
        clock_skew: Duration::from_secs(SKEW),
        max_age: Duration::from_secs(600),
    }
}

fn is_id_token(token: &str) -> bool {
    TokenVerifier {
        issuer: ISSUER,
        client_id: CLIENT,
        policy: &id_token_policy(),
        now: Timestamp::from_secs(NOW),
        host: &TestHost::default(),
    }
    .verify_id_token(token, &SIGNER.jwk_set(), &Expectations::default())
    .is_ok()
}

/// The gateway's own client is both the audience of ID tokens and what is protected, so only the kind of
/// a token is left to decide.
#[test]
fn no_token_is_both_an_id_token_and_an_access_token() {
    let id_token = json!({
        "iss": ISSUER, "sub": "alice", "aud": CLIENT, "exp": NOW + 300, "iat": NOW,
    });
    let everything = with(with(id_token.clone(), "client_id", CLIENT), "jti", "t");
    let two = with(
        with(id_token.clone(), "aud", json!([CLIENT, API])),
        "azp",
        CLIENT,
    );
    let (mut ids, mut accesses) = (0, 0);
    for claims in [
        id_token.clone(),
        with(id_token.clone(), "nonce", "n"),
        with(id_token, "at_hash", "x"),
        with(everything.clone(), "nonce", "n"),
        everything,
        two,
    ] {
        for typ in [
            None,
            Some("JWT"),
            Some("at+jwt"),
            Some("application/AT+jwt"),
        ] {
            let token = typed(SIGNER, typ, &claims);
            let is_access_token = PROFILES.into_iter().any(|profile| {
                let mut policy = policy(profile);
                policy.audiences.push(CLIENT.to_owned());
                policy.verify(&token, &SIGNER.jwk_set()).is_ok()
            });
            let is_id_token = is_id_token(&token);
            assert!(!(is_access_token && is_id_token), "{typ:?} {claims}");
            ids += u32::from(is_id_token);
            accesses += u32::from(is_access_token);
        }
    }
    assert!(ids > 0 && accesses > 0, "{ids} {accesses}");
}

/// Whoever has stolen such a token has no use for it, so it must be none here either.
#[test]
fn a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    for bound in [json!({"jkt": "x"}), json!({"x5t#S256": "x"}), json!(null)] {
        for profile in PROFILES {
            let found = fault(profile, &with(good(), "cnf", bound.clone()));
            assert_eq!(found, Some(ProofRequired));
        }
    }
}
