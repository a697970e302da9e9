//! Where tokens for the upstream could go astray: at the same moment, too late, too large.

use serde_json::json;

use super::{asked, client, exchanged, get, program, provider_answers};
use crate::access_token::{AUDIENCE, call, with_token};
use crate::provider::{TokenCall, issued};
use crate::world::{World, seconds};

#[test]
fn the_way_is_remembered_when_two_find_it_out_at_once() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        settings["upstream_tokens"] = json!({"orders": {
            "client": client("client_secret_automatic"),
            "grant": {"token_exchange": {"audience": "orders"}},
        }});
        settings["upstream"] = json!({"tokens": ["orders"]});
    });
    let answer = |asked: &TokenCall, token: &str| match asked.authorization {
        Some(_) => (401, json!({"error": "invalid_client"})),
        None => exchanged(asked, token),
    };
    provider_answers(&world, answer);
    let tokens: Vec<_> = ["one", "two", "three"]
        .map(|name| program(&world, name))
        .into();
    // The provider's keys are known.
    world.worker.tick();
    let first = world.worker.begin(with_token("/", &tokens[0]));
    let second = world.worker.begin(with_token("/", &tokens[1]));
    let jobs = world.worker.begin_jobs();
    assert_eq!(jobs.len(), 2);
    for job in jobs {
        world.worker.carry_through(job);
    }
    world
        .worker
        .finish(&with_token("/", &tokens[0]), first)
        .forwarded();
    world
        .worker
        .finish(&with_token("/", &tokens[1]), second)
        .forwarded();
    let before = asked(&world);
    world.worker.serve(with_token("/", &tokens[2])).forwarded();
    assert_eq!(
        asked(&world) - before,
        1,
        "the way that works is remembered"
    );
}

#[test]
fn a_token_that_ends_while_another_is_waited_for_is_not_sent() {
    let world = World::with(|settings| {
        settings["upstream_tokens"] = json!({
            "a": {"client": client("client_secret_basic")},
            "b": {"client": client("client_secret_basic"), "header": "x-b", "endpoint_params": {"audience": "b"}},
        });
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/both"}}, "access": "public", "upstream_tokens": ["a", "b"]},
            {"access": "public", "upstream_tokens": ["a"]},
        ]);
    });
    let first = super::gets(&world, "/a");
    world.pass(seconds(298));
    let running = world.worker.begin(call("GET", "/both", &[]));
    assert!(running.waits());
    // The provider takes its time for `b`.
    world.pass(seconds(4));
    let outcome = world.worker.finish(&call("GET", "/both", &[]), running);
    assert_ne!(outcome.forwarded().header("authorization"), first, "stale");
}

#[test]
fn a_late_failure_does_not_lose_the_rotated_refresh_token() {
    let world = super::world_with(|token| {
        token["grant"] = json!({"refresh_token": {"token": "the first refresh token"}});
    });
    let used = std::cell::RefCell::new(std::collections::HashSet::new());
    let count = std::cell::Cell::new(1);
    let rotate = move |asked: &TokenCall, token: &str| {
        let refresh = asked.all("refresh_token").concat();
        if !used.borrow_mut().insert(refresh) {
            return (400, json!({"error": "invalid_grant"}));
        }
        count.set(count.get() + 1);
        let mut response = issued(token);
        response["refresh_token"] = json!(format!("refresh token number {}", count.get()));
        (200, response)
    };
    provider_answers(&world, rotate);
    world.worker.tick();
    let waiting = world.worker.begin(call("GET", "/orders", &[]));
    let mut slow = world.worker.begin_jobs();
    assert_eq!(slow.len(), 1);
    // The worker stalls for longer than the lease, so another one asks.
    world.pass(seconds(40));
    let other = world.another_worker();
    other.serve(call("GET", "/orders", &[])).forwarded();
    // Now the slow one's request comes, with a refresh token that was used.
    world.worker.carry_through(slow.remove(0));
    drop(waiting);
    world.pass(seconds(301));
    get(&world, "/orders").forwarded();
}

#[test]
fn a_token_that_has_ended_when_it_comes_is_not_asked_for_again_at_once() {
    let world = super::world();
    let short = |_: &TokenCall, token: &str| {
        let mut response = issued(token);
        response["expires_in"] = json!(1);
        (200, response)
    };
    provider_answers(&world, short);
    world.worker.tick();
    let mut running = world.worker.begin(call("GET", "/orders", &[]));
    for _ in 0..20 {
        let jobs = world.worker.begin_jobs();
        world.pass(seconds(1));
        for job in jobs {
            world.worker.carry_through(job);
        }
        running.wake();
        if !running.waits() {
            break;
        }
    }
    assert!(asked(&world) <= 6, "{} requests", asked(&world));
}

#[test]
fn a_refresh_token_that_nothing_uses_is_not_kept() {
    let world = super::world();
    let huge = "r".repeat(200_000);
    let answer = move |_: &TokenCall, token: &str| {
        let mut response = issued(token);
        response["refresh_token"] = json!(huge);
        (200, response)
    };
    provider_answers(&world, answer);
    super::gets(&world, "/orders");
    let shared = &world.worker.shared;
    let size = |slot: &String| shared.get(slot).map_or(0, |(bytes, _)| bytes.len());
    let most = shared.slots().iter().map(size).max().unwrap_or_default();
    assert!(most < 20_000, "{most} bytes in one slot");
}

#[test]
fn a_provider_that_fails_once_does_not_change_the_way() {
    for status in [500, 429] {
        let world = super::world_with(|token| token["client"] = client("client_secret_automatic"));
        let count = std::cell::Cell::new(0);
        let answer = move |_: &TokenCall, token: &str| {
            count.set(count.get() + 1);
            match count.get() {
                1 => (status, json!({})),
                _ => (200, issued(token)),
            }
        };
        provider_answers(&world, answer);
        get(&world, "/orders");
        assert_eq!(
            asked(&world),
            1,
            "{status}: the secret is sent twice at once"
        );
    }
}

#[test]
fn a_request_asks_for_all_its_tokens_at_once() {
    let world = World::with(|settings| {
        settings["upstream_tokens"] = json!({
            "a": {"client": client("client_secret_basic")},
            "b": {"client": client("client_secret_basic"), "header": "x-b", "endpoint_params": {"audience": "b"}},
        });
        settings["rules"] = json!([{"access": "public", "upstream_tokens": ["a", "b"]}]);
    });
    world.worker.tick();
    let _running = world.worker.begin(call("GET", "/", &[]));
    assert_eq!(world.worker.begin_jobs().len(), 2);
}

#[test]
fn a_session_in_the_store_exchanges_its_token() {
    let world = World::with_store(|settings| {
        settings["upstream_tokens"] = json!({"orders": {
            "client": client("client_secret_basic"),
            "grant": {"token_exchange": {"audience": "orders"}},
        }});
        settings["upstream"] = json!({"tokens": ["orders"]});
    });
    provider_answers(&world, exchanged);
    world.provider.script.borrow_mut().refreshes = true;
    let browser = world.browser();
    browser.log_in();
    let first = browser
        .go("/")
        .forwarded()
        .header("authorization")
        .to_owned();
    world.pass(seconds(3400));
    let page = browser.go("/");
    let second = page.forwarded().header("authorization").to_owned();
    assert_ne!(first, second);
}

#[test]
fn a_token_that_is_said_to_be_a_jwt_and_is_none_is_refused() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        settings["upstream_tokens"] = json!({"orders": {
            "client": client("client_secret_basic"),
            "grant": {"token_exchange": {"audience": "orders", "requested_token_type": "urn:ietf:params:oauth:token-type:jwt"}},
        }});
        settings["upstream"] = json!({"tokens": ["orders"]});
    });
    let answer = |_: &TokenCall, _: &str| {
        (
            200,
            json!({"access_token": "opaque", "token_type": "N_A", "issued_token_type": "urn:ietf:params:oauth:token-type:jwt", "expires_in": 300}),
        )
    };
    provider_answers(&world, answer);
    let token = program(&world, "one");
    assert_eq!(
        world.worker.serve(with_token("/", &token)).code(),
        "upstream_token_malformed"
    );
}
