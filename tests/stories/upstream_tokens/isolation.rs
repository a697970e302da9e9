//! Whose token goes where, in which header, and who gets to see the caller's.

use serde_json::json;

use super::{asked, client, exchanged, program, provider_answers};
use crate::access_token::{AUDIENCE, AccessToken, call, with_token};
use crate::provider::{TokenCall, issued};
use crate::world::World;

#[test]
fn a_program_without_id_token_does_not_go_without_the_token() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        settings["upstream_tokens"] = json!({"orders": {
            "client": client("client_secret_basic"),
            "grant": {"token_exchange": {"subject": "id_token"}},
            "when_unavailable": "refuse",
        }});
        settings["upstream"] = json!({"tokens": ["orders"]});
    });
    let token = program(&world, "one");
    let outcome = world.worker.serve(with_token("/", &token));
    assert_eq!(outcome.status(), 403);
    assert_eq!(outcome.code(), "upstream_token_subject_missing");
}

#[test]
fn the_twin_of_a_tokens_header_does_not_stay() {
    let world = World::with(|settings| {
        settings["upstream_tokens"] = json!({"orders": {
            "client": client("client_secret_basic"), "header": "x-token", "when_unavailable": "pass",
        }});
        settings["upstream"] = json!({
            "tokens": ["orders"],
            "headers": {"x_token": {"claim": "sub"}},
        });
    });
    let browser = world.browser();
    browser.log_in();
    let outcome = browser.go("/");
    assert!(
        outcome
            .forwarded()
            .header("x-token")
            .starts_with("upstream~")
    );
    assert!(!outcome.forwarded().has("x_token"));
}

#[test]
fn where_two_proofs_count_each_has_what_may_be_exchanged() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        settings["upstream_tokens"] = json!({"orders": {
            "client": client("client_secret_basic"),
            "grant": {"token_exchange": {"subject": "id_token"}},
        }});
        settings["upstream"] = json!({"tokens": ["orders"]});
        settings["rules"] = json!([{"match": {"path": {"prefix": "/both"}}, "authenticate": {"all_of": ["bearer", "session"]}}]);
    });
    provider_answers(&world, exchanged);
    let browser = world.browser();
    browser.log_in();
    let bearer = format!("Bearer {}", program(&world, "one"));
    let headers = [("authorization", bearer.as_str())];
    let both = browser.request("GET", "/both", crate::cookies::Site::SameOrigin, &headers);
    let outcome = browser.send(both);
    assert!(outcome.forwarded().has("authorization"), "without");
}

#[test]
fn a_callers_own_header_stays_in_whatever_spelling() {
    let world = super::world_with(|token| {
        token["header"] = json!("x-api-token");
        token["keep_existing"] = json!(true);
    });
    let own = [("x_api_token", "own")];
    let outcome = world.worker.serve(call("GET", "/orders", &own));
    assert_eq!(outcome.forwarded().header("x_api_token"), "own");
    assert!(!outcome.forwarded().has("x-api-token"));
    assert_eq!(asked(&world), 0);
}

#[test]
fn a_callers_token_is_not_shown_to_another_provider() {
    const MACHINES: crate::signer::Signer = crate::signer::Signer::es256("machines", 9);
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        settings["providers"]["machines"] = json!({
            "issuer": "https://machines.example.com/",
            "access_tokens": {"audiences": ["orders"], "keys": [{"jwk": MACHINES.jwk()}]},
        });
        settings["upstream_tokens"] = json!({"orders": {
            "provider": "corp",
            "client": client("client_secret_basic"),
            "grant": {"token_exchange": {"audience": "orders"}},
        }});
        settings["upstream"] = json!({"tokens": ["orders"]});
    });
    let mut token = AccessToken::of(&world)
        .with("iss", json!("https://machines.example.com/"))
        .with("aud", json!("orders"));
    token.signer = MACHINES;
    token.header = MACHINES.header();
    let token = token.typed("at+jwt").signed(&world);
    let outcome = world.worker.serve(with_token("/", &token));
    assert_eq!(outcome.code(), "upstream_token_subject_missing");
    assert_eq!(asked(&world), 0, "corp has seen a token of machines");
    // Unless the configuration says that it may.
    let trusting = world.reloaded(|settings| {
        settings["upstream_tokens"]["orders"]["callers_of"] = json!(["corp", "machines"]);
    });
    trusting.serve(with_token("/", &token));
    let sent = world.provider.token_calls.borrow()[0].clone();
    assert_eq!(sent.all("subject_token"), [token]);
}

#[test]
fn two_upstreams_of_one_caller_never_see_each_others_token() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        let exchange = |audience: &str| {
            json!({
                "client": client("client_secret_basic"),
                "grant": {"token_exchange": {"audience": audience}},
            })
        };
        settings["upstream_tokens"] = json!({"a": exchange("a"), "b": exchange("b")});
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/a"}}, "upstream_tokens": ["a"]},
            {"match": {"path": {"prefix": "/b"}}, "upstream_tokens": ["b"]},
        ]);
    });
    let answer = |asked: &TokenCall, token: &str| {
        exchanged(
            asked,
            &format!("{}-{token}", asked.all("audience").concat()),
        )
    };
    provider_answers(&world, answer);
    for order in [["a", "b"], ["b", "a"]] {
        let token = program(&world, &order.concat());
        for name in order.into_iter().chain(order) {
            let outcome = world.worker.serve(with_token(&format!("/{name}"), &token));
            let seen = outcome.forwarded().header("authorization");
            assert!(
                seen.starts_with(&format!("Bearer {name}-")),
                "{name}: {seen}"
            );
        }
    }
    assert_eq!(asked(&world), 4);
}

#[test]
fn a_header_of_the_configuration_gives_way_to_the_token_whether_it_comes_or_not() {
    for (answers, comes) in [(200, true), (503, false)] {
        let world = World::with(|settings| {
            settings["upstream_tokens"] = json!({"orders": {
                "client": client("client_secret_basic"), "when_unavailable": "pass",
            }});
            settings["upstream"] = json!({
                "tokens": ["orders"],
                "headers": {"authorization": {"access_token": "bearer"}},
            });
        });
        let answer = move |_: &TokenCall, token: &str| (answers, issued(token));
        provider_answers(&world, answer);
        let browser = world.browser();
        browser.log_in();
        let outcome = browser.go("/");
        let seen: Vec<&str> = outcome.forwarded().all("authorization").collect();
        assert_eq!(seen.len(), usize::from(comes), "{seen:?}");
        assert!(
            seen.iter().all(|seen| seen.starts_with("Bearer upstream~")),
            "{seen:?}"
        );
    }
}
