//! What becomes of requests while a token cannot be had.

use portero::telemetry::Purpose;
use serde_json::json;

use super::{asked, get, gets, world, world_with};
use crate::access_token::call;
use crate::provider::Answer;
use crate::world::seconds;

const PURPOSE: Purpose = Purpose::UpstreamToken;

#[test]
fn a_provider_that_is_down_is_left_alone_for_a_while_and_asked_again() {
    let world = world();
    world.provider.break_down(PURPOSE, Answer::Status(503));
    let mut asked_at = Vec::new();
    for _ in 0..200 {
        let before = asked(&world);
        let outcome = get(&world, "/orders");
        assert_eq!(outcome.status(), 503);
        assert_eq!(outcome.code(), "upstream_token_unreachable");
        assert_eq!(outcome.header("retry-after"), Some("5"));
        if asked(&world) > before {
            asked_at.push(world.land.now());
        }
        world.pass(seconds(1));
    }
    let pauses: Vec<u64> = asked_at
        .windows(2)
        .map(|pair| pair[1].since(pair[0]).as_secs())
        .collect();
    assert!((6..=12).contains(&asked_at.len()), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= 31), "{pauses:?}");
    world.provider.recover();
    world.pass(seconds(30));
    gets(&world, "/orders");
}

#[test]
fn a_good_token_outlives_a_provider_that_is_down() {
    let world = world();
    let first = gets(&world, "/orders");
    world.pass(seconds(260));
    world.provider.break_down(PURPOSE, Answer::NotSent);
    for _ in 0..3 {
        world.worker.tick();
        assert_eq!(gets(&world, "/orders"), first);
        world.pass(seconds(10));
    }
    assert!(asked(&world) > 1);
    world.pass(seconds(10));
    assert_eq!(get(&world, "/orders").code(), "upstream_token_unreachable");
    world.provider.recover();
    world.pass(seconds(30));
    assert_ne!(gets(&world, "/orders"), first);
}

#[test]
fn all_who_wait_for_a_fetch_that_fails_are_told_at_once() {
    let world = world();
    world.provider.break_down(PURPOSE, Answer::Status(500));
    let request = || call("GET", "/orders", &[]);
    let waiting: Vec<_> = (0..5).map(|_| world.worker.begin(request())).collect();
    for running in waiting {
        let outcome = world.worker.finish(&request(), running);
        assert_eq!(outcome.code(), "upstream_token_refused");
    }
    assert_eq!(asked(&world), 1);
}

#[test]
fn a_request_can_go_without_the_token_where_the_configuration_says_so() {
    let world = world_with(|token| token["when_unavailable"] = json!("pass"));
    world.provider.break_down(PURPOSE, Answer::Status(503));
    let forged = [("authorization", "Bearer forged")];
    let outcome = world.worker.serve(call("GET", "/orders", &forged));
    assert!(!outcome.forwarded().has("authorization"));
    assert_eq!(world.land.counted("portero.upstream_token.left_out"), 1);
    let line = "upstream_token_left_out token=orders code=upstream_token_unreachable";
    assert_eq!(world.land.lines(line).len(), 1);
    world.provider.recover();
    world.pass(seconds(2));
    gets(&world, "/orders");
}

#[test]
fn a_provider_whose_metadata_cannot_be_had_issues_nothing() {
    let world = world();
    world.provider.go_down();
    let outcome = get(&world, "/orders");
    assert_eq!(outcome.status(), 503);
    assert_eq!(outcome.code(), "upstream_token_unreachable");
    assert_eq!(asked(&world), 0);
    get(&world, "/public").forwarded();
}

/// The browser has a new cookie to learn of, whatever else goes wrong.
#[test]
fn a_session_that_was_refreshed_is_not_lost_with_the_request() {
    let world = crate::world::World::with(|settings| {
        settings["upstream_tokens"] =
            json!({"orders": {"client": super::client("client_secret_basic")}});
        settings["upstream"] = json!({"tokens": ["orders"]});
        settings["rules"] = json!([{"match": {"path": {"prefix": "/public"}}, "access": "public", "upstream_tokens": []}]);
    });
    world.provider.script.borrow_mut().refreshes = true;
    let browser = world.browser();
    browser.log_in();
    world.provider.break_down(PURPOSE, Answer::Status(503));
    world.pass(crate::world::minutes(59));
    let outcome = browser.go("/");
    assert_eq!(outcome.code(), "upstream_token_unreachable");
    assert!(
        outcome
            .set_cookies()
            .iter()
            .any(|cookie| cookie.starts_with("__Host-portero="))
    );
}
