//! Exchanges in which Portero acts for the caller.

use serde_json::json;

use super::{client, exchanged, program, provider_answers};
use crate::access_token::{AUDIENCE, with_token};
use crate::provider::TokenCall;
use crate::world::{World, seconds};

#[test]
fn a_token_made_with_another_actor_is_another_token() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        settings["upstream_tokens"] = json!({
            "gateway": {"client": client("client_secret_basic"), "scopes": "admin"},
            "orders": {
                "client": client("client_secret_basic"),
                "grant": {"token_exchange": {"actor": {"upstream_token": "gateway"}}},
            },
        });
        settings["upstream"] = json!({"tokens": ["orders"]});
    });
    provider_answers(&world, exchanged);
    let token = program(&world, "one");
    let before = world.worker.serve(with_token("/", &token));
    let reloaded = world.reloaded(|settings| {
        settings["upstream_tokens"]["gateway"] =
            json!({"client": {"id": "nobody", "authentication": {"client_secret_basic": {"secret": "another secret"}}}, "scopes": "little"});
    });
    let after = reloaded.serve(with_token("/", &token));
    assert_ne!(
        before.forwarded().header("authorization"),
        after.forwarded().header("authorization"),
    );
}

#[test]
fn the_lease_on_an_exchange_lasts_while_its_actor_is_fetched() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        settings["upstream_tokens"] = json!({
            "orders": {
                "client": client("client_secret_basic"),
                "grant": {"token_exchange": {"actor": {"upstream_token": "gateway"}}},
            },
            "gateway": {"client": client("client_secret_basic")},
        });
        settings["upstream"] = json!({"tokens": ["orders"]});
    });
    let token = program(&world, "one");
    world.worker.tick();
    let _first = world.worker.begin(with_token("/", &token));
    let mut jobs = world.worker.begin_jobs();
    assert_eq!(jobs.len(), 1);
    // The exchange waits for its actor; that one's fetch takes up to the 15 s of its own lease.
    assert!(jobs[0].waits());
    let _actors = world.worker.begin_jobs();
    world.pass(seconds(16));
    jobs[0].wake();
    // Still within the patience of the exchange: nobody else may begin the same exchange.
    let other = world.another_worker();
    other.tick();
    let _second = other.begin(with_token("/", &token));
    let begun = other.begin_jobs();
    assert!(
        begun.is_empty(),
        "{} jobs for the same exchange",
        begun.len()
    );
}

#[test]
fn an_actor_whom_the_provider_does_not_know_any_more_gets_a_new_token() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        settings["upstream_tokens"] = json!({
            "gateway": {"client": client("client_secret_basic")},
            "orders": {
                "client": client("client_secret_basic"),
                "grant": {"token_exchange": {"actor": {"upstream_token": "gateway"}}},
            },
        });
        settings["upstream"] = json!({"tokens": ["orders"]});
    });
    // The provider has forgotten every token from before its restart.
    let answer = |asked: &TokenCall, token: &str| {
        if asked.all("actor_token") == ["upstream~first"] {
            return (400, json!({"error": "invalid_request"}));
        }
        let name = if asked.all("actor_token").is_empty() && asked.all("n").is_empty() {
            "upstream~first"
        } else {
            token
        };
        exchanged(asked, name)
    };
    provider_answers(&world, answer);
    let token = program(&world, "one");
    for _ in 0..4 {
        world.worker.serve(with_token("/", &token));
        world.pass(seconds(40));
    }
    let calls = world.provider.token_calls.borrow();
    let actors = calls
        .iter()
        .filter(|call| call.all("actor_token").is_empty())
        .count();
    assert!(
        actors > 1,
        "the refused actor's token is shown again and again"
    );
}
