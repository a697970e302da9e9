//! The keys that verify what Portero signs about the caller.

use jwt_simple::token::Token;
use serde_json::{Value, json};

use super::{
    HEADER, KEYS, ORDERS, identity, keys, logged_in, new_key, old_key, verified, world, world_of,
};
use crate::access_token::{AccessToken, call, with_token};
use crate::browser::{HOST, request};
use crate::world::World;

#[test]
fn all_keys_are_published_and_the_first_signs() {
    let world = world_of(|settings| {
        settings["upstream"]["identity"]["keys"] = json!([new_key(), old_key()]);
    });
    let published = keys(&world);
    let names: Vec<&Value> = published.iter().map(|key| &key["kid"]).collect();
    assert_eq!(names, ["2026-11", "2025-11"]);
    for key in &published {
        assert_eq!(key["use"], "sig");
        assert!(key.get("d").is_none());
    }
    let browser = logged_in(&world);
    let token = identity(&world, &browser.go("/orders"));
    let header = Token::decode_metadata(&token).unwrap();
    assert_eq!(header.key_id(), Some("2026-11"));

    // What was signed before the change is still good, and the next is signed with the other.
    let before = world.reconfigured(|settings| {
        settings["upstream"]["identity"]["keys"] = json!([old_key(), new_key()]);
    });
    browser.moves_to(&before);
    let old = identity(&world, &browser.go("/orders"));
    assert_eq!(
        Token::decode_metadata(&old).unwrap().key_id(),
        Some("2025-11")
    );
    verified(&world, &old, ORDERS).unwrap();
}

#[test]
fn an_rsa_key_signs_as_well_and_has_its_thumbprint_as_its_name() {
    let pem = include_str!("../../fixtures/keys/private/rsa.pem");
    let world = world_of(|settings| {
        settings["upstream"]["identity"]["keys"] = json!([{"key": pem}]);
        settings["upstream"]["identity"]["header"] = json!("X-Caller");
        settings["paths"]["identity_keys"] = json!("/other/keys");
    });
    let browser = logged_in(&world);
    let outcome = browser.go("/orders");
    assert!(!outcome.forwarded().has(HEADER));
    let token = outcome.forwarded().header("x-caller").to_owned();
    let header = Token::decode_metadata(&token).unwrap();
    assert_eq!(header.algorithm(), "RS256");
    assert_eq!(header.key_id().unwrap().len(), 43);
    let keys = world.worker.serve(call("GET", "/other/keys", &[]));
    assert_eq!(keys.status(), 200);
    // The usual path is nothing of Portero's then.
    let usual = world.worker.serve(call("GET", KEYS, &[]));
    assert_eq!(usual.code(), "login_required");
}

#[test]
fn whoever_asks_gets_the_keys_and_nobody_has_to_log_in() {
    let world = world();
    world.provider.go_down();
    let send = |method: &str, host: &str| {
        world.worker.serve(request(&[
            (":method", method),
            (":scheme", "https"),
            (":authority", host),
            (":path", KEYS),
        ]))
    };
    for (method, host) in [("GET", HOST), ("HEAD", HOST), ("GET", "other.example.com")] {
        let outcome = send(method, host);
        assert_eq!(outcome.status(), 200);
        assert_eq!(outcome.header("content-type"), Some("application/json"));
        assert_eq!(outcome.header("cache-control"), Some("public, max-age=300"));
        assert!(outcome.set_cookies().is_empty());
    }
    assert_eq!(send("OPTIONS", HOST).status(), 204);
    for method in ["POST", "DELETE"] {
        let outcome = send(method, HOST);
        assert_eq!(
            (outcome.status(), outcome.code().as_str()),
            (405, "method_not_allowed")
        );
        assert_eq!(outcome.header("allow"), Some("GET, HEAD, OPTIONS"));
    }
    let without = World::new();
    let outcome = without.worker.serve(call("GET", KEYS, &[]));
    assert_eq!(outcome.code(), "login_required");
}

/// Programs alone: nobody logs in, and the keys are there.
#[test]
fn keys_are_published_where_nobody_logs_in() {
    let world = world();
    let programs = world.reconfigured(|settings| {
        let corp = settings["providers"]["corp"].as_object_mut().unwrap();
        corp.remove("client");
    });
    let keys = programs.serve(call("GET", KEYS, &[]));
    assert_eq!(keys.status(), 200);
    let token = AccessToken::of(&world).signed(&world);
    identity(&world, &programs.serve(with_token("/orders", &token)));
}
