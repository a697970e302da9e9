//! How callers may prove who they are, and what becomes of those who prove nothing.

use serde_json::{Value, json};

use crate::access_token::{AccessToken, call, with_token, world_with};
use crate::cookies::Site;
use crate::world::{World, minutes};

/// A world with this rule for what is below `/api`.
fn world(mut rule: Value) -> World {
    rule["match"] = json!({"path": {"prefix": "/api"}});
    world_with(|settings| {
        settings["rules"] = json!([rule]);
        settings["upstream"] = json!({"headers": {
            "x-userinfo": {"userinfo": "base64_json"},
            "x-user": {"claim": "sub"},
            "x-client": {"claim": "client_id"},
        }});
    })
}

#[test]
fn a_rule_for_programs_sends_nobody_to_log_in() {
    let world = world(json!({"authenticate": ["bearer"]}));
    let browser = world.browser();
    let page = browser.go("/api");
    assert_eq!(
        (page.status(), page.code().as_str()),
        (401, "token_required")
    );
    assert_eq!(page.header("www-authenticate"), Some("Bearer"));
    assert!(world.provider.authorizations.borrow().is_empty());
    let token = AccessToken::of(&world).signed(&world);
    world.worker.serve(with_token("/api", &token)).forwarded();
}

#[test]
fn a_rule_for_people_takes_no_token() {
    let world = world(json!({"authenticate": ["session"]}));
    let token = AccessToken::of(&world).signed(&world);
    let outcome = world.worker.serve(with_token("/api", &token));
    assert_eq!(
        (outcome.status(), outcome.code().as_str()),
        (401, "login_required")
    );
    let browser = world.browser();
    browser.log_in();
    assert!(browser.is_logged_in());
}

#[test]
fn the_first_method_that_a_request_has_counts() {
    for (methods, client) in [
        (json!(["bearer", "session"]), true),
        (json!({"any_of": ["session", "bearer"]}), false),
    ] {
        let world = world(json!({"authenticate": methods}));
        let browser = world.browser();
        browser.log_in();
        let header = format!("Bearer {}", AccessToken::of(&world).signed(&world));
        let both = [("authorization", header.as_str())];
        let outcome = browser.send(browser.request("GET", "/api", Site::SameOrigin, &both));
        assert_eq!(outcome.forwarded().has("x-client"), client, "{methods}");
        // Whoever has the other one alone gets in as well.
        let outcome = world.worker.serve(call("GET", "/api", &both));
        assert!(outcome.forwarded().has("x-client"));
        assert!(browser.is_logged_in());
        // A session that is over is none.
        world.pass(minutes(9 * 60));
        let header = format!("Bearer {}", AccessToken::of(&world).signed(&world));
        let late = [("authorization", header.as_str())];
        let outcome = browser.send(browser.request("GET", "/api", Site::SameOrigin, &late));
        assert!(outcome.forwarded().has("x-client"));
    }
}

#[test]
fn where_both_are_needed_neither_alone_is_enough_and_the_first_speaks() {
    for (methods, client) in [
        (["session", "bearer"], false),
        (["bearer", "session"], true),
    ] {
        let world = world(json!({
            "authenticate": {"all_of": methods},
            "require": {"claims": [{"claim": "sub", "equals": "user-1"}]},
        }));
        let browser = world.browser();
        browser.log_in();
        let token = AccessToken::of(&world).signed(&world);
        let header = format!("Bearer {token}");
        let both = [("authorization", header.as_str())];
        let outcome = browser.send(browser.request("GET", "/api", Site::SameOrigin, &both));
        assert_eq!(outcome.forwarded().has("x-client"), client);
        let alone = world.worker.serve(with_token("/api", &token));
        assert_eq!(
            (alone.status(), alone.code().as_str()),
            (401, "login_required")
        );
        // No login brings a token.
        for alone in [browser.fetch("/api"), browser.go("/api")] {
            assert_eq!(
                (alone.status(), alone.code().as_str()),
                (401, "token_required")
            );
        }
        let header = format!("Bearer {token}x");
        let bad = [("authorization", header.as_str())];
        let outcome = browser.send(browser.request("GET", "/api", Site::SameOrigin, &bad));
        assert_eq!(outcome.status(), 401);

        // What the rule requires is required of the one who speaks.
        let other = AccessToken::of(&world)
            .with("sub", json!("user-2"))
            .signed(&world);
        let header = format!("Bearer {other}");
        let both = [("authorization", header.as_str())];
        let outcome = browser.send(browser.request("GET", "/api", Site::SameOrigin, &both));
        match client {
            true => assert_eq!(outcome.code(), "access_forbidden"),
            false => assert_eq!(outcome.forwarded().header("x-user"), "user-1"),
        }
    }
}

/// The session's cookie is issued anew, whoever speaks.
#[test]
fn a_session_beside_a_token_lives_on() {
    let world = world(json!({"authenticate": {"all_of": ["bearer", "session"]}}));
    let browser = world.browser();
    browser.log_in();
    for _ in 0..5 {
        world.pass(minutes(40));
        let header = format!("Bearer {}", AccessToken::of(&world).signed(&world));
        let both = [("authorization", header.as_str())];
        let outcome = browser.send(browser.request("GET", "/api", Site::SameOrigin, &both));
        assert_eq!(outcome.forwarded().set_cookies.len(), 1);
    }
}

#[test]
fn who_proves_nothing_is_refused_where_the_rule_says_so() {
    let world = world(json!({"otherwise": "deny"}));
    let browser = world.browser();
    let page = browser.go("/api");
    assert_eq!(
        (page.status(), page.code().as_str()),
        (401, "login_required")
    );
    assert!(world.provider.authorizations.borrow().is_empty());
}

#[test]
fn who_proves_nothing_goes_on_without_identity_where_the_rule_says_so() {
    let world = world(json!({"otherwise": "pass"}));
    let forged = [("x-user", "admin"), ("x_client", "admin")];
    let outcome = world.worker.serve(call("GET", "/api", &forged));
    assert!(!outcome.forwarded().has("x-user") && !outcome.forwarded().has("x_client"));
    let browser = world.browser();
    assert!(!browser.go("/api").forwarded().has("x-user"));
    // A token that is not good proves something else than nothing.
    let outcome = world.worker.serve(with_token("/api", "opaque"));
    assert_eq!(outcome.status(), 401);
    let token = AccessToken::of(&world).signed(&world);
    let outcome = world.worker.serve(with_token("/api", &token));
    assert_eq!(outcome.forwarded().header("x-user"), "user-1");
}

#[test]
fn a_known_caller_who_may_not_gets_403_and_one_with_too_weak_a_token_a_challenge() {
    let world = world(json!({
        "require": {"scopes": {"all_of": ["admin"]}},
        "authentication": {"max_age": "5m", "acr_values": ["gold"]},
    }));
    let now = world.land.now().as_millis() / 1000;
    let strong = || {
        AccessToken::of(&world)
            .with("auth_time", json!(now))
            .with("acr", json!("gold"))
    };
    let outcome = world
        .worker
        .serve(with_token("/api", &strong().signed(&world)));
    assert_eq!(
        (outcome.status(), outcome.code().as_str()),
        (403, "access_forbidden")
    );
    assert_eq!(
        outcome.header("www-authenticate"),
        Some("Bearer error=\"insufficient_scope\", scope=\"admin\"")
    );
    let admin = strong().with("scope", json!("admin")).signed(&world);
    world.worker.serve(with_token("/api", &admin)).forwarded();
    for token in [
        strong().with("acr", json!("silver")),
        strong().with("acr", Value::Null),
        strong().with("auth_time", json!(now - 400)),
        strong().with("auth_time", Value::Null),
    ] {
        let token = token.with("scope", json!("admin")).signed(&world);
        let outcome = world.worker.serve(with_token("/api", &token));
        assert_eq!(
            (outcome.status(), outcome.code().as_str()),
            (401, "insufficient_user_authentication")
        );
        let challenge = outcome.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("acr_values=\"gold\", max_age=\"300\""),
            "{challenge}"
        );
    }
}
