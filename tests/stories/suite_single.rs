//! Single tests of the conformance suite beside its plans, and what the order of checks of OpenID
//! Connect Core adds to them.

use crate::browser::parameter;
use crate::signer::{Signer, encode};
use crate::suite::{is_refused, logs_in, spoil_signature, tampered, with_claim};
use crate::world::World;
use portero::telemetry::Purpose;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[test]
fn invalid_sub() {
    is_refused(&with_claim("sub", json!("")), "id_token_subject_invalid");
    let long = "s".repeat(256);
    is_refused(&with_claim("sub", json!(long)), "id_token_subject_invalid");
    is_refused(&with_claim("sub", json!(7)), "id_token_claim_invalid");
}

#[test]
fn missing_aud() {
    is_refused(&with_claim("aud", Value::Null), "id_token_claim_missing");
}

#[test]
fn invalid_azp() {
    is_refused(
        &with_claim("azp", json!("other")),
        "id_token_authorized_party_mismatch",
    );
    logs_in(&with_claim("azp", json!("portero")));
}

#[test]
fn invalid_times() {
    let now = World::new().land.now().as_millis() / 1000;
    for (claim, value, code) in [
        ("iat", json!(now + 120), "id_token_issued_in_future"),
        ("iat", json!(now - 700), "id_token_issued_too_long_ago"),
        ("iat", json!("now"), "id_token_claim_invalid"),
        ("exp", json!(now - 61), "id_token_expired"),
        ("exp", json!(1e300), "id_token_claim_invalid"),
        ("exp", json!(-1), "id_token_claim_invalid"),
        ("exp", Value::Null, "id_token_claim_missing"),
        ("nbf", json!(now + 120), "id_token_not_yet_valid"),
    ] {
        is_refused(&with_claim(claim, value), code);
    }
    logs_in(&with_claim("nbf", json!(now + 30)));
}

/// OpenID Connect Core 3.1.3.7 steps 12 and 13: what the login asked of the authentication.
#[test]
fn invalid_authentication() {
    let world = |claims: &Value| {
        let world = World::with(|settings| {
            settings["providers"]["corp"]["authorization_params"] =
                json!({"max_age": "600", "acr_values": ["gold", "silver"]});
        });
        let claims = claims.as_object().unwrap().clone();
        world
            .provider
            .tamper(move |token| token.claims.extend(claims.clone()));
        world
    };
    let now = World::new().land.now().as_millis() / 1000;
    for (claims, code) in [
        (json!({"acr": "gold"}), "id_token_claim_missing"),
        (json!({"auth_time": now}), "id_token_claim_missing"),
        (
            json!({"acr": "gold", "auth_time": now - 661}),
            "id_token_authentication_too_old",
        ),
        (
            json!({"acr": "gold", "auth_time": now + 120}),
            "id_token_claim_invalid",
        ),
        (
            json!({"acr": "bronze", "auth_time": now}),
            "id_token_acr_mismatch",
        ),
    ] {
        is_refused(&world(&claims), code);
    }
    let world = world(&json!({"acr": "silver", "auth_time": now - 600}));
    let start = world.browser().go("/");
    assert_eq!(parameter(start.location(), "max_age"), "600");
    assert_eq!(parameter(start.location(), "acr_values"), "gold silver");
    logs_in(&world);
}

#[test]
fn invalid_sig_es256() {
    is_refused(&tampered(spoil_signature), "id_token_signature_invalid");
}

/// A secret that everybody knows: the client's own, and the public key.
#[test]
fn invalid_sig_hs256() {
    for name in ["HS256", "HS384", "HS512"] {
        let world = tampered(move |token| token.header["alg"] = json!(name));
        is_refused(&world, "id_token_algorithm_refused");
    }
}

#[test]
fn invalid_alternate_alg() {
    // The key says ES256; a token of that key under another algorithm is not of that key.
    let world = tampered(|token| token.header["alg"] = json!("RS256"));
    is_refused(&world, "id_token_key_unknown");
    let world = World::with(|settings| {
        settings["providers"]["corp"]["id_token"] = json!({"algorithms": ["RS256"]});
    });
    is_refused(&world, "id_token_algorithm_refused");
}

/// A key of the header's own is not looked at.
#[test]
fn invalid_embedded_key() {
    let world = tampered(|token| {
        let own = Signer::es256("first", 99);
        token.signer = own;
        token.header["jwk"] = own.jwk();
        token.header["jku"] = json!("https://evil.example/keys");
        token.header["x5u"] = json!("https://evil.example/cert");
    });
    is_refused(&world, "id_token_signature_invalid");
    assert_eq!(world.provider.called(Purpose::Jwks), 1);
}

#[test]
fn invalid_header_and_form() {
    let crit = tampered(|token| token.header["crit"] = json!(["x"]));
    is_refused(&crit, "id_token_critical_header");
    let encrypted = tampered(|token| token.after = |token| format!("{token}.AAAA.AAAA"));
    is_refused(&encrypted, "id_token_encrypted");
    let no_header = tampered(|token| token.header = json!([]));
    is_refused(&no_header, "id_token_header_invalid");
    let huge = tampered(|token| {
        token
            .claims
            .insert("x".to_owned(), json!("x".repeat(64 << 10)));
    });
    is_refused(&huge, "id_token_too_large");
}

#[test]
fn invalid_athash() {
    let other = encode(&Sha256::digest("another access token")[..16]);
    let code = "id_token_access_token_hash_mismatch";
    is_refused(&with_claim("at_hash", json!(other)), code);
    is_refused(&with_claim("at_hash", json!("")), code);
}

#[test]
fn missing_athash() {
    logs_in(&with_claim("at_hash", Value::Null));
}

#[test]
fn invalid_chash() {
    let code = "id_token_code_hash_mismatch";
    is_refused(&with_claim("c_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")), code);
}
