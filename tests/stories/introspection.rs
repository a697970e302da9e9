//! Tokens that say nothing themselves: the provider is asked about them (RFC 7662).

use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::access_token::{AUDIENCE, AccessToken, call, with_token};
use crate::bearer::is_refused;
use crate::provider::{Answer, CLIENT_ID, CLIENT_SECRET, ISSUER, Registration, SUBJECT};
use crate::world::{World, minutes, seconds};

/// A world that asks its provider about opaque tokens, after `change` to how it asks.
pub fn world_with(change: impl FnOnce(&mut Value)) -> World {
    let mut introspection = json!({});
    change(&mut introspection);
    World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] =
            json!({"audiences": [AUDIENCE], "introspection": introspection});
        settings["upstream"] = json!({"headers": {"x-client": {"claim": "client_id"}}});
    })
}

fn world() -> World {
    world_with(|_| ())
}

/// What an honest provider says of a token for us.
pub fn said(world: &World) -> Value {
    let now = world.land.now().as_millis() / 1000;
    json!({
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": [AUDIENCE, "https://other.example.com"],
        "client_id": "orders-app",
        "token_type": "Bearer",
        "iat": now,
        "exp": now + 300,
        "scope": "orders.read orders.write",
    })
}

fn token(world: &World) -> String {
    world.provider.issue_opaque(said(world))
}

fn asked(world: &World) -> usize {
    world.provider.called(Purpose::Introspection)
}

#[track_caller]
fn gets_through(world: &World, token: &str) {
    let outcome = world.worker.serve(with_token("/orders", token));
    assert_eq!(outcome.forwarded().header("x-client"), "orders-app");
}

#[track_caller]
fn does_not(world: &World, token: &str, code: &str) {
    is_refused(&world.worker.serve(with_token("/orders", token)), code);
}

#[test]
fn an_active_token_gets_through_and_is_asked_about_once_in_a_while() {
    let world = world();
    let token = token(&world);
    for _ in 0..3 {
        gets_through(&world, &token);
    }
    assert_eq!(asked(&world), 1);
    world.pass(seconds(31));
    gets_through(&world, &token);
    assert_eq!(asked(&world), 2);
    let counted = world
        .land
        .counted("portero.provider.introspection.succeeded");
    assert_eq!(counted, 2);
}

#[test]
fn rules_see_its_claims_as_those_of_a_json_web_token() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] =
            json!({"audiences": [AUDIENCE], "introspection": {}});
        settings["rules"] = json!([{
            "match": {"path": {"prefix": "/write"}},
            "require": {"scopes": {"all_of": ["orders.write"]}},
        }]);
    });
    let reads = |scope: &str| {
        let mut said = said(&world);
        said["scope"] = json!(scope);
        world.provider.issue_opaque(said)
    };
    let may = reads("orders.read orders.write");
    world.worker.serve(with_token("/write", &may)).forwarded();
    let may_not = reads("orders.read");
    let outcome = world.worker.serve(with_token("/write", &may_not));
    assert_eq!(outcome.status(), 403, "{outcome:?}");
}

#[test]
fn a_token_that_is_taken_back_counts_for_as_long_as_it_is_remembered() {
    let world = world_with(|asks| asks["cache"] = json!("10s"));
    let token = token(&world);
    gets_through(&world, &token);
    world.provider.withdraw(&token);
    world.pass(seconds(9));
    gets_through(&world, &token);
    world.pass(seconds(1));
    does_not(&world, &token, "access_token_inactive");
}

#[test]
fn nothing_is_remembered_where_nothing_is_to_be() {
    let world = world_with(|asks| {
        asks["cache"] = json!("0s");
        asks["cache_inactive"] = json!("0s");
    });
    let token = token(&world);
    gets_through(&world, &token);
    world.provider.withdraw(&token);
    does_not(&world, &token, "access_token_inactive");
    does_not(&world, &token, "access_token_inactive");
    assert_eq!(asked(&world), 3);
}

#[test]
fn a_token_is_not_remembered_beyond_its_end() {
    let world = world_with(|asks| asks["cache"] = json!("1h"));
    let token = token(&world);
    gets_through(&world, &token);
    // `exp` and the clock skew.
    world.pass(seconds(359));
    gets_through(&world, &token);
    assert_eq!(asked(&world), 1);
    world.pass(seconds(1));
    does_not(&world, &token, "access_token_expired");
}

#[test]
fn a_token_that_nobody_knows_is_asked_about_once_in_a_shorter_while() {
    let world = world();
    for _ in 0..3 {
        does_not(&world, "made-up", "access_token_inactive");
    }
    assert_eq!(asked(&world), 1);
    world.pass(seconds(5));
    does_not(&world, "made-up", "access_token_inactive");
    assert_eq!(asked(&world), 2);
}

/// Anybody can send tokens that nobody knows.
#[test]
fn unknown_tokens_do_not_push_out_known_ones() {
    let world = world_with(|asks| asks["cache"] = json!("1h"));
    world.provider.latency.set(seconds(0));
    let token = token(&world);
    gets_through(&world, &token);
    for number in 0..3000 {
        does_not(
            &world,
            &format!("made-up-{number}"),
            "access_token_inactive",
        );
    }
    let before = asked(&world);
    gets_through(&world, &token);
    assert_eq!(asked(&world), before);
}

#[test]
fn what_the_provider_says_of_a_token_must_hold() {
    for (claim, value, code) in [
        (
            "aud",
            json!("https://other.example.com"),
            "access_token_audience_mismatch",
        ),
        ("aud", json!(null), "access_token_claim_missing"),
        (
            "iss",
            json!("https://evil.example.com"),
            "access_token_issuer_mismatch",
        ),
        ("cnf", json!({"jkt": "x"}), "access_token_proof_required"),
        ("token_type", json!("DPoP"), "access_token_type_mismatch"),
        ("exp", json!(1), "access_token_expired"),
    ] {
        let world = world();
        let mut said = said(&world);
        match value.is_null() {
            true => drop(said.as_object_mut().unwrap().remove(claim)),
            false => said[claim] = value,
        }
        let token = world.provider.issue_opaque(said);
        does_not(&world, &token, code);
        does_not(&world, &token, code);
        assert_eq!(asked(&world), 1, "{claim}");
    }
}

#[test]
fn a_token_for_nobody_in_particular_counts_by_a_word_only() {
    let world = world_with(|asks| asks["insecure_allow_missing_audience"] = json!(true));
    let token = world
        .provider
        .issue_opaque(json!({"client_id": "orders-app"}));
    gets_through(&world, &token);
    world.pass(seconds(29));
    gets_through(&world, &token);
    assert_eq!(asked(&world), 1);
    world.pass(seconds(2));
    gets_through(&world, &token);
    assert_eq!(asked(&world), 2);
}

#[test]
fn while_the_provider_cannot_be_asked_nobody_new_gets_in() {
    let world = world();
    let known = token(&world);
    let new = token(&world);
    gets_through(&world, &known);
    world
        .provider
        .break_down(Purpose::Introspection, Answer::Status(503));
    gets_through(&world, &known);
    let is_closed = |token: &str| {
        let outcome = world.worker.serve(with_token("/orders", token));
        let end = (outcome.status(), outcome.code());
        assert_eq!(end, (503, "introspection_unreachable".to_owned()));
    };
    is_closed(&new);
    world.pass(seconds(31));
    is_closed(&known);
    world.provider.recover();
    gets_through(&world, &known);
    gets_through(&world, &new);
}

#[test]
fn a_provider_that_is_not_asked_hears_of_no_token() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
    });
    let token = token(&world);
    does_not(&world, &token, "access_token_malformed");
    assert_eq!(asked(&world), 0);
}

#[test]
fn only_what_can_be_a_token_is_asked_about() {
    let world = world();
    for (text, code) in [
        ("tökën", "access_token_malformed"),
        ("a\"b", "access_token_malformed"),
        ("a=b", "access_token_malformed"),
        ("===", "access_token_malformed"),
        ("", "access_token_malformed"),
    ] {
        let outcome = world.worker.serve(with_token("/orders", text));
        assert!(matches!(outcome.status(), 400 | 401), "{text}");
        if outcome.status() == 401 {
            is_refused(&outcome, code);
        }
    }
    does_not(&world, &"x".repeat(8193), "access_token_too_large");
    assert_eq!(asked(&world), 0);
    for token in ["a.b.c", "a.b", "v4.public.AAAA", "x", "a+b/c=="] {
        does_not(&world, token, "access_token_inactive");
    }
    assert_eq!(asked(&world), 5);
}

#[test]
fn a_json_web_token_is_not_asked_about_unless_it_is_to_be() {
    let world = world();
    let jwt = AccessToken::of(&world).signed(&world);
    gets_through(&world, &jwt);
    let broken = format!("{jwt}AAAA");
    does_not(&world, &broken, "access_token_signature_invalid");
    assert_eq!(asked(&world), 0);
}

#[test]
fn a_json_web_token_that_is_taken_back_is_refused_where_it_is_asked_about() {
    let world = world_with(|asks| asks["jwt"] = json!(true));
    let jwt = AccessToken::of(&world).signed(&world);
    does_not(&world, &jwt, "access_token_inactive");
    world.pass(seconds(5));
    world.provider.vouch_for(&jwt, json!({}));
    gets_through(&world, &jwt);
    gets_through(&world, &jwt);
    assert_eq!(asked(&world), 2);
    world.provider.withdraw(&jwt);
    world.pass(seconds(31));
    does_not(&world, &jwt, "access_token_inactive");
    // Nobody asks about what is not even signed.
    let before = asked(&world);
    let forged = AccessToken::of(&world)
        .with("aud", json!("x"))
        .signed(&world);
    world.provider.vouch_for(&forged, json!({}));
    does_not(&world, &forged, "access_token_audience_mismatch");
    assert_eq!(asked(&world), before);
}

#[test]
fn whoever_asks_authenticates_as_the_provider_wants_it() {
    let secret = format!("{CLIENT_SECRET}, as long as a hash");
    for method in [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
    ] {
        let world = world_with(|asks| {
            asks["client"] =
                json!({"id": "gateway", "authentication": {method: {"secret": secret}}});
        });
        *world.provider.client.borrow_mut() = Registration {
            id: "gateway".to_owned(),
            secret: secret.clone(),
            method,
        };
        world.land.keep_secret(&secret);
        let (first, second) = (token(&world), token(&world));
        gets_through(&world, &first);
        gets_through(&world, &second);
        world.provider.client.borrow_mut().secret = "another".to_owned();
        let third = token(&world);
        let outcome = world.worker.serve(with_token("/", &third));
        let end = (outcome.status(), outcome.code());
        assert_eq!(
            end,
            (502, "introspection_invalid_client".to_owned()),
            "{method}"
        );
    }
}

/// A provider of which nothing but its introspection endpoint is known.
#[test]
fn an_issuer_that_is_only_asked_needs_neither_discovery_nor_keys_nor_a_client() {
    let own = "the gateway's own token";
    let own = own.replace([' ', '\''], "-");
    let world = World::with(|settings| {
        settings["providers"] = json!({"machines": {
            "issuer": ISSUER,
            "cluster": "idp",
            "endpoints": {"introspection": "https://idp.example.com/introspect"},
            "access_tokens": {"audiences": [AUDIENCE], "introspection": {"bearer_token": own}},
        }});
        settings["upstream"] = json!({"headers": {"x-client": {"claim": "client_id"}}});
    });
    *world.provider.client.borrow_mut() = Registration {
        id: CLIENT_ID.to_owned(),
        secret: own.clone(),
        method: "bearer",
    };
    world.land.keep_secret(&own);
    world.worker.tick();
    let token = token(&world);
    gets_through(&world, &token);
    let calls = world.provider.calls.borrow().len();
    assert_eq!((calls, asked(&world)), (1, 1));
    let jwt = AccessToken::of(&world).signed(&world);
    does_not(&world, &jwt, "access_token_key_unknown");
    let none = world.worker.serve(call("GET", "/", &[]));
    assert_eq!(none.code(), "token_required");
}

#[test]
fn a_provider_that_does_not_say_where_it_is_asked_is_not_known() {
    let world = world();
    world.provider.script.borrow_mut().metadata = vec![("introspection_endpoint", json!(null))];
    let token = token(&world);
    let outcome = world.worker.serve(with_token("/", &token));
    let end = (outcome.status(), outcome.code());
    assert_eq!(end, (503, "provider_unavailable".to_owned()));
    world.provider.script.borrow_mut().metadata = Vec::new();
    world.pass(minutes(1));
    gets_through(&world, &token);
}
