//! `oidcc-client-basic-certification-test-plan`, the prefix `oidcc-client-test-` left out.

use crate::browser::parameter;
use crate::provider::{IdToken, Registration};
use crate::signer::Signer;
use crate::suite::{is_refused, logs_in, spoil_signature, tampered, with_claim};
use crate::world::World;
use serde_json::{Value, json};

const RSA: Signer = Signer::rs256("rsa");

#[test]
fn base() {
    let browser = logs_in(&World::new());
    assert_eq!(browser.go("/").forwarded().userinfo()["sub"], "user-1");
}

#[test]
fn invalid_iss() {
    for iss in [
        "https://evil.example",
        "https://idp.example.com/realms/acme/",
        "https://IDP.example.com/realms/acme",
        "",
    ] {
        is_refused(&with_claim("iss", json!(iss)), "id_token_issuer_mismatch");
    }
    is_refused(&with_claim("iss", Value::Null), "id_token_claim_missing");
    is_refused(&with_claim("iss", json!(["x"])), "id_token_claim_invalid");
}

#[test]
fn missing_sub() {
    is_refused(&with_claim("sub", Value::Null), "id_token_claim_missing");
}

#[test]
fn invalid_aud() {
    is_refused(
        &with_claim("aud", json!("other")),
        "id_token_audience_mismatch",
    );
    is_refused(
        &with_claim("aud", json!(["other"])),
        "id_token_audience_mismatch",
    );
    is_refused(
        &with_claim("aud", json!("porter")),
        "id_token_audience_mismatch",
    );
    is_refused(&with_claim("aud", json!([])), "id_token_claim_invalid");
    let both = json!(["portero", "other"]);
    is_refused(&with_claim("aud", both), "id_token_audience_untrusted");
    logs_in(&with_claim("aud", json!(["portero"])));
}

#[test]
fn missing_iat() {
    is_refused(&with_claim("iat", Value::Null), "id_token_claim_missing");
}

fn without_kid(token: &mut IdToken) {
    token.header.as_object_mut().unwrap().remove("kid");
}

#[test]
fn kid_absent_single_jwks() {
    logs_in(&tampered(without_kid));
}

/// Chosen: every key that fits the algorithm is tried, up to four.
#[test]
fn kid_absent_multiple_jwks() {
    let keys = |count: u8| {
        let world = tampered(without_kid);
        let others = (20..20 + count).map(|seed| Signer::es256("other", seed).jwk());
        let own = Signer::es256("first", 7).jwk();
        let keys: Vec<Value> = others.chain([RSA.jwk(), own]).collect();
        world.provider.script.borrow_mut().jwks = json!({ "keys": keys });
        world
    };
    logs_in(&keys(1));
    logs_in(&keys(3));
    is_refused(&keys(4), "id_token_key_ambiguous");
    // None of them made the signature.
    let world = keys(2);
    world.provider.tamper(|token| {
        without_kid(token);
        token.signer = Signer::es256("stranger", 99);
    });
    is_refused(&world, "id_token_key_unknown");
}

#[test]
fn idtoken_sig_rs256() {
    let world = World::new();
    world.provider.rotate(RSA);
    logs_in(&world);
}

#[test]
fn idtoken_sig_none() {
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let unsigned = tampered(move |token| {
            token.header = json!({"alg": name});
            token.after = |token| format!("{}.", token.rsplit_once('.').unwrap().0);
        });
        is_refused(&unsigned, "id_token_algorithm_refused");
        let signed = tampered(move |token| token.header["alg"] = json!(name));
        is_refused(&signed, "id_token_algorithm_refused");
    }
}

#[test]
fn invalid_sig_rs256() {
    let world = World::new();
    world.provider.rotate(RSA);
    world.provider.tamper(spoil_signature);
    is_refused(&world, "id_token_signature_invalid");
}

#[test]
fn userinfo_invalid_sub() {
    for sub in ["user-2", "USER-1", ""] {
        let world = World::new();
        world.provider.script.borrow_mut().userinfo["sub"] = json!(sub);
        is_refused(&world, "userinfo_subject_mismatch");
    }
    let world = World::new();
    world.provider.script.borrow_mut().userinfo = json!({"email": "eve@example.com"});
    is_refused(&world, "userinfo_malformed");
}

#[test]
fn nonce_invalid() {
    is_refused(
        &with_claim("nonce", json!("other")),
        "id_token_nonce_mismatch",
    );
    is_refused(&with_claim("nonce", json!("")), "id_token_nonce_mismatch");
    is_refused(&with_claim("nonce", Value::Null), "id_token_claim_missing");
    is_refused(&with_claim("nonce", json!(1)), "id_token_claim_invalid");
}

#[test]
fn scope_userinfo_claims() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["scopes"] =
            json!(["openid", "profile", "email", "address", "phone"]);
        settings["upstream"] = json!({"headers": {
            "x-name": {"claim": "name"},
            "x-email": {"claim": "email"},
            "x-verified": {"claim": "email_verified"},
            "x-country": {"claim": ["address", "country"]},
            "x-phone": {"claim": "phone_number"},
        }});
    });
    let mut userinfo = world.provider.script.borrow().userinfo.clone();
    userinfo["email_verified"] = json!(true);
    userinfo["address"] = json!({"country": "NL"});
    userinfo["phone_number"] = json!("+31 20 1234567");
    world.provider.script.borrow_mut().userinfo = userinfo;
    let start = world.browser().go("/");
    assert_eq!(
        parameter(start.location(), "scope"),
        "openid profile email address phone"
    );
    let outcome = logs_in(&world).go("/");
    let upstream = outcome.forwarded();
    for (header, value) in [
        ("x-name", "Ada Lovelace"),
        ("x-email", "ada@example.com"),
        ("x-verified", "true"),
        ("x-country", "NL"),
        ("x-phone", "+31 20 1234567"),
    ] {
        assert_eq!(upstream.header(header), value);
    }
}

#[test]
fn client_secret_basic() {
    let (id, secret) = ("a:b c", "%&:+ ü");
    let world = World::with(|settings| {
        let client = &mut settings["providers"]["corp"]["client"];
        client["id"] = json!(id);
        client["authentication"]["client_secret_basic"]["secret"] = json!(secret);
    });
    *world.provider.client.borrow_mut() = Registration {
        id: id.to_owned(),
        secret: secret.to_owned(),
        method: "client_secret_basic",
    };
    logs_in(&world);
}
