//! The caller's own token, exchanged for one that the upstream accepts.

use serde_json::{Value, json};

use super::{
    ACCESS_TOKEN, answer as upstream_answers, asked, client, exchanged, program, provider_answers,
};
use crate::access_token::{AUDIENCE, AccessToken, call, with_token};
use crate::outcome::Outcome;
use crate::signer::encode;
use crate::world::{World, seconds};

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A world in which people and programs come in, and the upstream wants what their token is exchanged for,
/// after `change` to `upstream_tokens`.
fn world_with(change: impl FnOnce(&mut Value)) -> World {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        settings["upstream_tokens"] = json!({"orders": {
            "client": client("client_secret_basic"),
            "grant": {"token_exchange": {"audience": "orders"}},
        }});
        change(&mut settings["upstream_tokens"]);
        settings["upstream"] = json!({"tokens": ["orders"]});
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/open"}}, "otherwise": "pass"},
        ]);
    });
    provider_answers(&world, exchanged);
    world
}

fn world() -> World {
    world_with(|_| ())
}

#[track_caller]
fn upstream_sees(outcome: &Outcome) -> String {
    outcome.forwarded().header("authorization").to_owned()
}

#[test]
fn a_programs_token_is_exchanged_once() {
    let world = world();
    let token = program(&world, "one");
    let first = upstream_sees(&world.worker.serve(with_token("/", &token)));
    assert!(first.starts_with("Bearer upstream~"));
    let other = world.another_worker();
    for worker in [&world.worker, &other] {
        assert_eq!(
            upstream_sees(&worker.serve(with_token("/x", &token))),
            first
        );
    }
    let calls = world.provider.token_calls.borrow();
    assert_eq!(calls.len(), 1);
    let sent = &calls[0];
    assert_eq!(
        sent.all("grant_type"),
        ["urn:ietf:params:oauth:grant-type:token-exchange"]
    );
    assert_eq!(sent.all("subject_token"), [token]);
    assert_eq!(sent.all("subject_token_type"), [ACCESS_TOKEN]);
    assert_eq!(sent.all("audience"), ["orders"]);
    assert!(sent.all("actor_token").is_empty() && sent.all("scope").is_empty());
}

#[test]
fn each_caller_has_a_token_of_their_own() {
    let world = world();
    let (one, two) = (program(&world, "one"), program(&world, "two"));
    let of_one = upstream_sees(&world.worker.serve(with_token("/", &one)));
    let of_two = upstream_sees(&world.worker.serve(with_token("/", &two)));
    assert_ne!(of_one, of_two);
    for _ in 0..2 {
        assert_eq!(
            upstream_sees(&world.worker.serve(with_token("/", &one))),
            of_one
        );
        assert_eq!(
            upstream_sees(&world.worker.serve(with_token("/", &two))),
            of_two
        );
    }
    assert_eq!(asked(&world), 2);
}

#[test]
fn a_persons_token_of_the_login_is_exchanged() {
    let world = world();
    let browser = world.browser();
    browser.log_in();
    let outcome = browser.go("/");
    assert!(upstream_sees(&outcome).starts_with("Bearer upstream~"));
    assert!(outcome.forwarded().has("x-userinfo"));
    let sent = world.provider.token_calls.borrow()[0].clone();
    assert!(sent.all("subject_token")[0].starts_with("access~"));
    assert_eq!(world.provider.token_calls.borrow().len(), 1);
    // Another login has another token.
    let other = world.browser();
    other.log_in();
    assert_ne!(upstream_sees(&other.go("/")), upstream_sees(&outcome));
    assert_eq!(asked(&world), 2);
}

#[test]
fn an_id_token_can_be_what_is_exchanged() {
    let world = world_with(|tokens| {
        tokens["orders"]["grant"] = json!({"token_exchange": {"subject": "id_token"}});
    });
    let browser = world.browser();
    browser.log_in();
    let sent = world.provider.token_calls.borrow()[0].clone();
    assert_eq!(sent.all("subject_token")[0].split('.').count(), 3);
    assert_eq!(
        sent.all("subject_token_type"),
        ["urn:ietf:params:oauth:token-type:id_token"]
    );
}

#[test]
fn a_refreshed_session_exchanges_its_new_token() {
    let world = world();
    world.provider.script.borrow_mut().refreshes = true;
    let browser = world.browser();
    browser.log_in();
    let before = upstream_sees(&browser.go("/"));
    // The login's token lives for an hour, and is refreshed ahead of that.
    world.pass(seconds(3590));
    let after = upstream_sees(&browser.go("/"));
    assert_ne!(before, after);
    let calls = world.provider.token_calls.borrow();
    assert_ne!(
        calls[0].all("subject_token"),
        calls[calls.len() - 1].all("subject_token")
    );
}

#[test]
fn a_session_that_did_not_keep_its_token_begins_anew() {
    let world = world();
    let without = world.reloaded(|settings| {
        let settings = settings.as_object_mut().unwrap();
        settings.remove("upstream_tokens");
        settings.remove("upstream");
    });
    let browser = world.browser();
    browser.moves_to(&without);
    browser.log_in();
    browser.moves_to(&world.worker);
    assert_eq!(browser.fetch("/").status(), 401);
    assert_eq!(asked(&world), 0);
    browser.log_in();
    assert!(upstream_sees(&browser.go("/")).starts_with("Bearer upstream~"));
}

#[test]
fn whoever_proves_nothing_has_nothing_to_exchange_and_brings_nothing() {
    let world = world();
    let outcome = world
        .worker
        .serve(call("GET", "/open", &[("authorization", "Basic Zm9v")]));
    assert!(!outcome.forwarded().has("authorization"));
    assert_eq!(asked(&world), 0);
    let token = program(&world, "one");
    upstream_sees(&world.worker.serve(with_token("/open", &token)));
    assert_eq!(asked(&world), 1);
}

#[test]
fn a_callers_token_is_renewed_while_the_old_one_serves() {
    let world = world();
    world.provider.script.borrow_mut().refreshes = true;
    let token = AccessToken::of(&world)
        .with("exp", json!(4_000_000_000_u64))
        .signed(&world);
    let first = upstream_sees(&world.worker.serve(with_token("/", &token)));
    world.pass(seconds(290));
    world.worker.tick();
    assert_eq!(asked(&world), 1);
    // The request that finds it due does not wait.
    assert_eq!(
        upstream_sees(&world.worker.serve(with_token("/", &token))),
        first
    );
    world.worker.tick();
    assert_eq!(asked(&world), 2);
    assert_ne!(
        upstream_sees(&world.worker.serve(with_token("/", &token))),
        first
    );
}

#[test]
fn a_callers_token_that_the_upstream_refuses_is_given_up() {
    let world = world();
    let (one, two) = (program(&world, "one"), program(&world, "two"));
    let outcome = world.worker.serve(with_token("/", &one));
    let of_two = upstream_sees(&world.worker.serve(with_token("/", &two)));
    upstream_answers(&world, outcome.forwarded(), 401);
    let next = upstream_sees(&world.worker.serve(with_token("/", &one)));
    assert_ne!(next, upstream_sees(&outcome));
    assert_eq!(
        upstream_sees(&world.worker.serve(with_token("/", &two))),
        of_two
    );
    assert_eq!(asked(&world), 3);
}

#[test]
fn portero_itself_can_be_the_actor() {
    let world = world_with(|tokens| {
        tokens["gateway"] = json!({"client": client("client_secret_basic")});
        tokens["orders"]["grant"]["token_exchange"]["actor"] = json!({"upstream_token": "gateway"});
    });
    for name in ["one", "two"] {
        let token = program(&world, name);
        upstream_sees(&world.worker.serve(with_token("/", &token)));
    }
    let calls = world.provider.token_calls.borrow();
    assert_eq!(calls[0].body, "grant_type=client_credentials");
    let actors: Vec<String> = calls[1..]
        .iter()
        .flat_map(|call| call.all("actor_token"))
        .collect();
    assert!(actors[0].starts_with("upstream~"));
    assert_eq!(actors, [actors[0].clone(), actors[0].clone()]);
    assert_eq!(calls[1].all("actor_token_type"), [ACCESS_TOKEN]);
    assert_eq!(calls.len(), 3);
}

#[test]
fn a_fixed_token_can_be_the_actors() {
    let world = world_with(|tokens| {
        tokens["orders"]["grant"]["token_exchange"]["actor"] =
            json!({"token": {"token": "the token of the actor", "token_type": JWT}});
    });
    world.land.keep_secret("the token of the actor");
    let token = program(&world, "one");
    upstream_sees(&world.worker.serve(with_token("/", &token)));
    let sent = world.provider.token_calls.borrow()[0].clone();
    assert_eq!(sent.all("actor_token"), ["the token of the actor"]);
    assert_eq!(sent.all("actor_token_type"), [JWT]);
}

/// A token for this audience, which nobody has signed.
fn token_for(audience: Value) -> String {
    let part = |value: &Value| encode(value.to_string().as_bytes());
    let header = part(&json!({"alg": "none"}));
    format!("{header}.{}.c2ln", part(&json!({"aud": audience})))
}

#[test]
fn what_comes_of_an_exchange_must_be_what_was_asked_for() {
    for (cause, change) in [
        ("issued_token_type", json!({"issued_token_type": null})),
        (
            "issued_token_type",
            json!({"issued_token_type": "urn:ietf:params:oauth:token-type:saml2"}),
        ),
        (
            "audience_mismatch",
            json!({"access_token": token_for(json!("reports"))}),
        ),
        (
            "audience_mismatch",
            json!({"access_token": token_for(json!(["reports", "x"]))}),
        ),
        ("malformed", json!({"token_type": "DPoP"})),
    ] {
        let world = world();
        provider_answers(&world, move |asked, token| {
            let (status, mut response) = exchanged(asked, token);
            for (name, value) in change.as_object().unwrap() {
                response[name] = value.clone();
            }
            (status, response)
        });
        let token = program(&world, "one");
        let outcome = world.worker.serve(with_token("/", &token));
        assert_eq!(outcome.status(), 502, "{cause}");
        assert_eq!(outcome.code(), "upstream_token_malformed", "{cause}");
        let line = format!("upstream_token_failed token=orders cause={cause}");
        assert_eq!(world.land.lines(&line).len(), 1, "{line}");
    }
    for audience in [json!("orders"), json!(["reports", "orders"])] {
        let world = world();
        provider_answers(&world, move |asked, _| {
            exchanged(asked, &token_for(audience.clone()))
        });
        let token = program(&world, "one");
        upstream_sees(&world.worker.serve(with_token("/", &token)));
    }
}

#[test]
fn the_callers_token_can_be_the_grant() {
    let world = world_with(|tokens| {
        tokens["orders"] = json!({
            "client": client("client_secret_post"),
            "grant": {"jwt_bearer": {"caller": "access_token"}},
            "scopes": "https://graph.example/.default",
            "endpoint_params": {"requested_token_use": "on_behalf_of"},
        });
    });
    let token = program(&world, "one");
    upstream_sees(&world.worker.serve(with_token("/", &token)));
    let sent = world.provider.token_calls.borrow()[0].clone();
    assert_eq!(
        sent.all("grant_type"),
        ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    );
    assert_eq!(sent.all("assertion"), [token]);
    assert_eq!(sent.all("requested_token_use"), ["on_behalf_of"]);
    assert_eq!(sent.all("scope"), ["https://graph.example/.default"]);
}
