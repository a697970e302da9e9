//! Portero as a client: the upstream wants a token, and the caller need not know.

mod actors;
mod edges;
mod exchange;
mod grants;
mod isolation;
mod outages;

use portero::header_list::HeaderList;
use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::access_token::{AUDIENCE, AccessToken, call, with_token};
use crate::outcome::{Forwarded, Outcome};
use crate::provider::{TokenCall, issued};
use crate::world::{World, seconds};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const SECRET: &str = "the secret of the orders client";

/// A world in which `/orders` is public and its upstream wants a token, after `change` to how it is had.
pub fn world_with(change: impl FnOnce(&mut Value)) -> World {
    let mut token = json!({"client": client("client_secret_basic")});
    change(&mut token);
    let world = World::with(|settings| {
        settings["upstream_tokens"] = json!({"orders": token});
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/orders"}}, "access": "public", "upstream_tokens": ["orders"]},
            {"match": {"path": {"prefix": "/public"}}, "access": "public"},
        ]);
    });
    world.land.keep_secret(SECRET);
    world
}

fn world() -> World {
    world_with(|_| ())
}

pub fn client(method: &str) -> Value {
    json!({"id": "orders", "authentication": {method: {"secret": SECRET}}})
}

pub fn get(world: &World, target: &str) -> Outcome {
    world.worker.serve(call("GET", target, &[]))
}

/// What the upstream gets in `authorization`.
#[track_caller]
pub fn gets(world: &World, target: &str) -> String {
    get(world, target)
        .forwarded()
        .header("authorization")
        .to_owned()
}

/// How the provider answers requests for tokens.
pub fn provider_answers(
    world: &World,
    answer: impl Fn(&TokenCall, &str) -> (u16, Value) + 'static,
) {
    world.provider.script.borrow_mut().upstream_token = Some(Box::new(answer));
}

/// What an honest provider answers to an exchange.
pub fn exchanged(_: &TokenCall, token: &str) -> (u16, Value) {
    let mut response = issued(token);
    response["issued_token_type"] = json!(ACCESS_TOKEN);
    (200, response)
}

/// The token of a program of this name.
fn program(world: &World, name: &str) -> String {
    let token = AccessToken::of(world).with("jti", json!(name));
    token.with("client_id", json!(name)).signed(world)
}

fn asked(world: &World) -> usize {
    world.provider.called(Purpose::UpstreamToken)
}

/// The only request for a token.
#[track_caller]
fn request(world: &World) -> TokenCall {
    let calls = world.provider.token_calls.borrow();
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls[0].clone()
}

/// The upstream answers with this status.
fn answer(world: &World, forwarded: &Forwarded, status: u16) {
    hear(world, forwarded, ":status", &status.to_string());
}

fn hear(world: &World, forwarded: &Forwarded, name: &str, value: &str) {
    let headers = HeaderList::of(&[(name.to_owned(), value.as_bytes().to_vec())]);
    let sent = &forwarded.sent_tokens;
    world.worker.gateway.hear_of_answer(&headers, sent);
}

#[test]
fn every_request_gets_the_token_that_was_fetched_once() {
    let world = world();
    let first = gets(&world, "/orders/1");
    assert!(first.starts_with("Bearer upstream~"), "{first}");
    for target in ["/orders", "/orders/2?x=y"] {
        assert_eq!(gets(&world, target), first);
    }
    assert_eq!(asked(&world), 1);
    let counted = world
        .land
        .counted("portero.provider.upstream_token.succeeded");
    assert_eq!(counted, 1);
    assert!(!get(&world, "/public").forwarded().has("authorization"));
}

#[test]
fn requests_of_all_workers_wait_for_one_fetch() {
    let world = world();
    let other = world.another_worker();
    let request = || call("GET", "/orders", &[]);
    let mut started = Vec::new();
    for worker in [&world.worker, &other, &world.worker, &other] {
        let running = worker.begin(request());
        started.push((worker, running));
    }
    let mut tokens = Vec::new();
    for (worker, running) in started {
        let outcome = worker.finish(&request(), running);
        tokens.push(outcome.forwarded().header("authorization").to_owned());
    }
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    assert_eq!(asked(&world), 1);
}

#[test]
fn a_request_that_goes_away_does_not_stop_the_fetch_that_others_wait_for() {
    let world = world();
    drop(world.worker.begin(call("GET", "/orders", &[])));
    gets(&world, "/orders");
    assert_eq!(asked(&world), 1);
}

#[test]
fn the_token_takes_the_place_of_whatever_the_caller_has_sent() {
    let world = world();
    let forged = [
        ("authorization", "Bearer forged"),
        ("authorization", "Basic Zm9yZ2Vk"),
    ];
    let outcome = world.worker.serve(call("GET", "/orders", &forged));
    assert!(
        outcome
            .forwarded()
            .header("authorization")
            .starts_with("Bearer upstream~")
    );
    // Where no token is put there, it is the caller's own affair.
    let outcome = world.worker.serve(call("GET", "/public", &forged[..1]));
    assert_eq!(outcome.forwarded().header("authorization"), "Bearer forged");
}

#[test]
fn a_callers_own_header_stays_where_the_configuration_says_so() {
    let world = world_with(|token| token["keep_existing"] = json!(true));
    let own = [("authorization", "Bearer own")];
    let outcome = world.worker.serve(call("GET", "/orders", &own));
    assert_eq!(outcome.forwarded().header("authorization"), "Bearer own");
    assert_eq!(asked(&world), 0);
    assert!(gets(&world, "/orders").starts_with("Bearer upstream~"));
}

#[test]
fn a_token_can_stand_in_another_header_which_nobody_else_can_set() {
    let world = world_with(|token| token["header"] = json!("X-Api-Token"));
    let forged = [("x-api-token", "forged"), ("x_api_token", "forged")];
    let outcome = world.worker.serve(call("GET", "/orders", &forged));
    let forwarded = outcome.forwarded();
    assert!(forwarded.header("x-api-token").starts_with("upstream~"));
    assert!(!forwarded.has("x_api_token"));
    let outcome = world.worker.serve(call("GET", "/public", &forged));
    assert!(!outcome.forwarded().has("x-api-token"));
    assert!(!outcome.forwarded().has("x_api_token"));

    let world = world_with(|token| {
        token["header"] = json!("x-api-token");
        token["scheme"] = json!("Token");
    });
    let outcome = get(&world, "/orders");
    assert!(
        outcome
            .forwarded()
            .header("x-api-token")
            .starts_with("Token upstream~")
    );
}

#[test]
fn two_upstreams_never_see_each_others_token() {
    let world = World::with(|settings| {
        settings["upstream_tokens"] = json!({
            "orders": {"client": client("client_secret_basic"), "endpoint_params": {"audience": "orders"}},
            "reports": {"client": client("client_secret_basic"), "endpoint_params": {"audience": "reports"}},
        });
        settings["upstream"] = json!({"tokens": ["reports"]});
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/orders"}}, "access": "public", "upstream_tokens": ["orders"]},
            {"match": {"path": {"prefix": "/reports"}}, "access": "public", "upstream_tokens": ["reports"]},
            {"match": {"path": {"prefix": "/neither"}}, "access": "public"},
        ]);
    });
    let answer = |asked: &TokenCall, token: &str| {
        let audience = asked.all("audience").join(" ");
        (200, issued(&format!("{audience}-{token}")))
    };
    provider_answers(&world, answer);
    for _ in 0..2 {
        assert!(gets(&world, "/orders").starts_with("Bearer orders-upstream~"));
        assert!(gets(&world, "/reports").starts_with("Bearer reports-upstream~"));
        assert!(!get(&world, "/neither").forwarded().has("authorization"));
    }
    assert_eq!(asked(&world), 2);
}

#[test]
fn a_request_can_take_several_tokens_in_headers_of_their_own() {
    let world = World::with(|settings| {
        settings["upstream_tokens"] = json!({
            "orders": {"client": client("client_secret_basic")},
            "mesh": {"client": client("client_secret_basic"), "header": "x-mesh-token"},
        });
        settings["rules"] = json!([{"access": "public", "upstream_tokens": ["orders", "mesh"]}]);
    });
    let outcome = get(&world, "/");
    let forwarded = outcome.forwarded();
    let mesh = forwarded.header("x-mesh-token").to_owned();
    assert!(mesh.starts_with("upstream~"));
    assert_ne!(forwarded.header("authorization"), format!("Bearer {mesh}"));
    assert_eq!(asked(&world), 2);
}

#[test]
fn a_token_is_renewed_ahead_of_its_end_while_the_old_one_serves() {
    let world = world();
    let first = gets(&world, "/orders");
    // It lives for 300 seconds, and is renewed a minute before at most.
    world.pass(seconds(239));
    world.worker.tick();
    assert_eq!(asked(&world), 1);
    world.pass(seconds(13));
    // The root context does it: no request has to come, and none waits.
    let jobs = {
        assert!(world.worker.begin_fetch().is_none());
        world.worker.begin_jobs()
    };
    assert_eq!(jobs.len(), 1);
    assert_eq!(gets(&world, "/orders"), first);
    for job in jobs {
        world.worker.carry_through(job);
    }
    let second = gets(&world, "/orders");
    assert_ne!(second, first);
    assert_eq!(
        world
            .another_worker()
            .serve(call("GET", "/orders", &[]))
            .forwarded()
            .header("authorization"),
        second
    );
    assert_eq!(asked(&world), 2);
}

#[test]
fn a_token_that_nobody_uses_is_not_renewed_for_ever() {
    let world = world();
    gets(&world, "/orders");
    for _ in 0..100 {
        world.pass(seconds(20));
        world.worker.tick();
    }
    assert_eq!(asked(&world), 2);
    gets(&world, "/orders");
    assert_eq!(asked(&world), 3);
}

#[test]
fn a_token_is_never_sent_after_its_end() {
    let world = world();
    let first = gets(&world, "/orders");
    world.pass(seconds(299));
    assert_eq!(gets(&world, "/orders"), first);
    world.pass(seconds(1));
    assert_ne!(gets(&world, "/orders"), first);
}

#[test]
fn a_token_without_a_lifetime_is_used_for_as_long_as_the_configuration_says() {
    for (written, lives) in [(None, 300), (Some("20s"), 20)] {
        let world = world_with(|token| {
            if let Some(written) = written {
                token["default_lifetime"] = json!(written);
            }
        });
        let endless = |_: &TokenCall, token: &str| {
            (200, json!({"access_token": token, "token_type": "bearer"}))
        };
        provider_answers(&world, endless);
        let first = gets(&world, "/orders");
        world.pass(seconds(lives - 1));
        assert_eq!(gets(&world, "/orders"), first);
        world.pass(seconds(1));
        assert_ne!(gets(&world, "/orders"), first);
    }
}

#[test]
fn a_token_that_the_upstream_refuses_is_given_up_by_all_workers() {
    let world = world();
    let other = world.another_worker();
    let outcome = get(&world, "/orders");
    let first = outcome.forwarded().header("authorization").to_owned();
    for status in [200, 400, 403, 404, 500, 503] {
        answer(&world, outcome.forwarded(), status);
    }
    assert_eq!(gets(&world, "/orders"), first);
    answer(&world, outcome.forwarded(), 401);
    assert_eq!(world.land.counted("portero.upstream_token.dropped"), 1);
    let next = other.serve(call("GET", "/orders", &[]));
    assert_ne!(next.forwarded().header("authorization"), first);
    // An answer that comes late is about the old one.
    answer(&world, outcome.forwarded(), 401);
    assert_eq!(
        gets(&world, "/orders"),
        next.forwarded().header("authorization")
    );
    assert_eq!(asked(&world), 2);
}

#[test]
fn grpc_refuses_a_token_in_its_own_way() {
    let world = world();
    let outcome = get(&world, "/orders");
    let first = outcome.forwarded().header("authorization").to_owned();
    for status in ["0", "7", "14"] {
        hear(&world, outcome.forwarded(), "grpc-status", status);
    }
    assert_eq!(gets(&world, "/orders"), first);
    hear(&world, outcome.forwarded(), "grpc-status", "16");
    assert_ne!(gets(&world, "/orders"), first);
}

/// It would refuse the next one too.
#[test]
fn an_upstream_that_refuses_every_token_does_not_make_portero_fetch_one_for_every_request() {
    let world = world();
    for _ in 0..50 {
        let outcome = get(&world, "/orders");
        answer(&world, outcome.forwarded(), 401);
    }
    assert_eq!(asked(&world), 2);
    world.pass(seconds(10));
    answer(&world, get(&world, "/orders").forwarded(), 401);
    gets(&world, "/orders");
    assert_eq!(asked(&world), 3);
}

#[test]
fn no_token_is_fetched_for_whoever_is_refused() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        settings["upstream_tokens"] = json!({"orders": {"client": client("client_secret_basic")}});
        settings["upstream"] = json!({"tokens": ["orders"]});
        settings["cors_preflight"] = json!("pass");
        settings["rules"] = json!([{
            "match": {"path": {"prefix": "/orders"}},
            "require": {"scopes": {"all_of": ["orders.write"]}},
        }]);
    });
    assert_eq!(get(&world, "/orders").status(), 401);
    assert_eq!(get(&world, "/other").status(), 401);
    assert_eq!(world.browser().go("/orders").status(), 303);
    let bad = world.worker.serve(with_token("/orders", "bad"));
    assert_eq!(bad.status(), 401);
    let reader = AccessToken::of(&world)
        .with("scope", json!("orders.read"))
        .signed(&world);
    assert_eq!(
        world.worker.serve(with_token("/orders", &reader)).status(),
        403
    );
    // A preflight goes without anybody having proved anything.
    let preflight = [
        ("origin", "https://other.example"),
        ("access-control-request-method", "POST"),
    ];
    let preflight = world.worker.serve(call("OPTIONS", "/orders", &preflight));
    assert!(!preflight.forwarded().has("authorization"));
    assert_eq!(asked(&world), 0);

    let writer = AccessToken::of(&world).signed(&world);
    let outcome = world.worker.serve(with_token("/orders", &writer));
    assert!(
        outcome
            .forwarded()
            .header("authorization")
            .starts_with("Bearer upstream~")
    );
    assert_eq!(outcome.forwarded().all("x-userinfo").count(), 1);
    assert_eq!(asked(&world), 1);
    let browser = world.browser();
    browser.log_in();
    let page = browser.go("/other");
    assert!(
        page.forwarded()
            .header("authorization")
            .starts_with("Bearer upstream~")
    );
    assert!(page.forwarded().has("x-userinfo"));
    assert_eq!(asked(&world), 1);
}

#[test]
fn a_provider_that_only_issues_tokens_lets_nobody_in() {
    let world = World::with(|settings| {
        let corp = settings["providers"]["corp"].as_object_mut().unwrap();
        corp.remove("client");
        corp.remove("access_tokens");
        settings["upstream_tokens"] = json!({"orders": {"client": client("client_secret_basic")}});
        settings["upstream"]["tokens"] = json!(["orders"]);
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/orders"}}, "access": "public", "upstream_tokens": ["orders"]},
            {"match": {"path": {"prefix": "/reports"}}},
        ]);
    });
    world.land.keep_secret(SECRET);
    let token = AccessToken::of(&world).signed(&world);
    for target in ["/reports", "/elsewhere"] {
        for request in [
            call("GET", target, &[]),
            call("GET", target, &[("accept", "text/html")]),
            with_token(target, &token),
        ] {
            let outcome = world.worker.serve(request);
            let end = (outcome.status(), outcome.code());
            assert_eq!(end, (401, "token_required".to_owned()), "{target}");
        }
    }
    assert_eq!(asked(&world), 0);
    assert!(gets(&world, "/orders").starts_with("Bearer "));
}

/// What all rules get is for those who prove something; what a rule names is for all of its requests.
#[test]
fn whoever_proves_nothing_gets_only_what_the_rule_names() {
    let world = World::with(|settings| {
        settings["upstream_tokens"] = json!({"orders": {"client": client("client_secret_basic")}});
        settings["upstream"] = json!({"tokens": ["orders"]});
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/public"}}, "access": "public"},
            {"match": {"path": {"prefix": "/open"}}, "otherwise": "pass"},
            {"match": {"path": {"prefix": "/named"}}, "otherwise": "pass", "upstream_tokens": ["orders"]},
        ]);
    });
    for target in ["/public", "/open"] {
        let forged = [("authorization", "Basic Zm9v")];
        let outcome = world.worker.serve(call("GET", target, &forged));
        let kept = outcome.forwarded().has("authorization");
        assert_eq!(kept, target == "/public", "{target}");
    }
    assert_eq!(asked(&world), 0);
    assert!(gets(&world, "/named").starts_with("Bearer upstream~"));
    let browser = world.browser();
    browser.log_in();
    assert!(browser.go("/open").forwarded().has("authorization"));
}
