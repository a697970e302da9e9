//! Where programs put their access tokens, and what challenges say to them.

use serde_json::{Value, json};

use crate::access_token::{AUDIENCE, AccessToken, call, with_token, world_with};
use crate::browser::HOST;
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::world::World;

/// A world that looks for tokens everywhere.
fn world(change: impl FnOnce(&mut Value)) -> World {
    world_with(|settings| {
        settings["bearer"] = json!({
            "headers": [{"name": "authorization"}, {"name": "x-token", "scheme": ""}],
            "cookies": ["api_token"],
            "query": ["access_token"],
        });
        change(settings);
    })
}

fn send(world: &World, target: &str, headers: &[(&str, &str)]) -> Outcome {
    world.worker.serve(call("GET", target, headers))
}

#[track_caller]
fn is_refused(outcome: &Outcome, status: u16, code: &str, challenge: &str) {
    assert_eq!((outcome.status(), outcome.code().as_str()), (status, code));
    assert_eq!(
        outcome.header("www-authenticate"),
        Some(challenge),
        "{code}"
    );
}

const INVALID_REQUEST: &str = "Bearer error=\"invalid_request\", \
     error_description=\"The request carries no well-formed access token, or more than one\"";
const INVALID_TOKEN: &str = "Bearer error=\"invalid_token\", \
     error_description=\"The access token is expired, revoked, or not for here\"";

#[test]
fn a_token_counts_in_every_place_that_is_configured_and_the_upstream_does_not_see_it() {
    let world = world(|_| ());
    let token = AccessToken::of(&world).signed(&world);
    let encoded = token.replace('.', "%2E");
    for (target, name, value) in [
        ("/a?b=1", "authorization", format!("bearer {token}")),
        ("/a?b=1", "x-token", token.clone()),
        ("/a?b=1", "cookie", format!("c=\"1\"; api_token={token}; d")),
        (&format!("/a?access_token={token}&b=1"), "x", "y".to_owned()),
        (
            &format!("/a?b=1&access%5Ftoken={encoded}"),
            "x",
            "y".to_owned(),
        ),
    ] {
        let outcome = send(&world, target, &[(name, &value)]);
        let forwarded = outcome.forwarded();
        assert_eq!(forwarded.userinfo()["sub"], "user-1", "{target} {name}");
        assert_eq!(forwarded.header(":path"), "/a?b=1");
        match name {
            "cookie" => assert_eq!(forwarded.header("cookie"), "c=\"1\"; d"),
            "x" => assert_eq!(forwarded.header("x"), "y"),
            _ => assert!(!forwarded.has(name)),
        }
        for (name, value) in &forwarded.headers {
            let text = String::from_utf8_lossy(value);
            assert!(!text.contains(&token) && !text.contains(&encoded), "{name}");
        }
    }
}

#[test]
fn only_what_is_configured_is_looked_at() {
    let world = world_with(|_| ());
    let token = AccessToken::of(&world).signed(&world);
    for (target, name, value) in [
        ("/a", "x-token", token.clone()),
        ("/a", "cookie", format!("api_token={token}")),
        (&format!("/a?access_token={token}"), "x", "y".to_owned()),
    ] {
        is_refused(
            &send(&world, target, &[(name, &value)]),
            401,
            "login_required",
            "Bearer",
        );
    }
}

#[test]
fn with_hide_off_the_upstream_gets_the_token_where_it_stood() {
    let world = world(|settings| settings["bearer"]["hide"] = json!(false));
    let token = AccessToken::of(&world).signed(&world);
    let target = format!("/a?access_token={token}");
    let header = format!("Bearer {token}");
    let cookie = format!("api_token={token}");
    let outcome = send(
        &world,
        &target,
        &[("authorization", &header), ("cookie", &cookie)],
    );
    let forwarded = outcome.forwarded();
    assert_eq!(forwarded.header(":path"), target);
    assert_eq!(forwarded.header("authorization"), header);
    assert_eq!(forwarded.header("cookie"), cookie);
}

#[test]
fn a_configured_header_carries_the_token_on_though_it_is_hidden() {
    let world = world(|settings| {
        settings["upstream"] = json!({"headers": {"authorization": {"access_token": "bearer"}}});
    });
    let token = AccessToken::of(&world).signed(&world);
    let outcome = send(&world, "/", &[("x-token", &token)]);
    let forwarded = outcome.forwarded();
    assert_eq!(forwarded.header("authorization"), format!("Bearer {token}"));
    assert!(!forwarded.has("x-token"));
}

/// Portero's cookies and the token are in one header.
#[test]
fn beside_a_session_the_token_and_the_session_are_both_taken_out() {
    for methods in [
        json!(["session", "bearer"]),
        json!({"all_of": ["bearer", "session"]}),
        json!({"all_of": ["session", "bearer"]}),
    ] {
        let world = world(|settings| {
            settings["rules"] =
                json!([{"match": {"path": {"prefix": "/api"}}, "authenticate": methods}]);
        });
        let token = AccessToken::of(&world).signed(&world);
        let browser = world.browser();
        browser.log_in();
        let sessions = browser.request("GET", "/", Site::SameOrigin, &[]);
        let sessions = sessions.text("cookie").unwrap().to_owned();
        let cookie = format!("theme=dark; {sessions}; api_token={token}; lang=en");
        let outcome = send(&world, "/api", &[("cookie", &cookie)]);
        let forwarded = outcome.forwarded();
        assert_eq!(
            forwarded.header("cookie"),
            "theme=dark; lang=en",
            "{methods}"
        );
    }
}

/// The upstream gets no token from a rule that takes tokens, whoever was let in.
#[test]
fn a_token_beside_nothing_else_that_is_let_pass_is_hidden_too() {
    let world = world(|settings| {
        settings["rules"] = json!([
            {"authenticate": {"all_of": ["bearer", "session"]}, "otherwise": "pass"},
        ]);
    });
    let token = AccessToken::of(&world).signed(&world);
    let outcome = send(&world, "/", &[("x-token", &token)]);
    assert!(!outcome.forwarded().has("x-token"));
    assert!(!outcome.forwarded().has("x-userinfo"));
}

#[test]
fn a_rule_that_takes_no_tokens_leaves_them_alone() {
    let world = world(|settings| {
        settings["rules"] = json!([{"match": {"path": {"prefix": "/public"}}, "access": "public"}]);
    });
    let sent = "/public?access_token=not%20one";
    let outcome = send(
        &world,
        sent,
        &[("authorization", "Bearer"), ("x-token", "a b")],
    );
    let forwarded = outcome.forwarded();
    assert_eq!(forwarded.header(":path"), sent);
    assert_eq!(forwarded.header("authorization"), "Bearer");
    assert_eq!(forwarded.header("x-token"), "a b");
}

/// RFC 6750 section 3.1.
#[test]
fn what_cannot_be_a_token_and_two_different_ones_are_invalid_requests() {
    let world = world(|_| ());
    let token = AccessToken::of(&world).signed(&world);
    let good = format!("Bearer {token}");
    let long = format!("Bearer {}", "a".repeat(64 * 1024 + 1));
    for (target, name, value, code) in [
        ("/", "authorization", "Bearer", "bearer_token_malformed"),
        ("/", "authorization", "Bearer a b", "bearer_token_malformed"),
        ("/", "authorization", &long, "bearer_token_malformed"),
        ("/", "x-token", "Bearer a", "bearer_token_malformed"),
        ("/", "cookie", "api_token=", "bearer_token_malformed"),
        ("/?access_token=%00", "x", "y", "bearer_token_malformed"),
        ("/", "x-token", "abc", "bearer_token_ambiguous"),
        ("/", "cookie", "api_token=abc", "bearer_token_ambiguous"),
        ("/?access_token=abc", "x", "y", "bearer_token_ambiguous"),
    ] {
        let mut headers = vec![(name, value)];
        if name != "authorization" {
            headers.push(("authorization", good.as_str()));
        }
        let outcome = send(&world, target, &headers);
        is_refused(&outcome, 400, code, INVALID_REQUEST);
    }
    // Once more, the same.
    let header = [
        ("authorization", good.as_str()),
        ("x-token", token.as_str()),
    ];
    send(&world, &format!("/?access_token={token}"), &header).forwarded();
}

#[test]
fn whoever_sends_something_for_a_token_is_never_let_pass_as_nobody() {
    let world = world(|settings| {
        settings["rules"] = json!([{"authenticate": ["session", "bearer"], "otherwise": "pass"}]);
    });
    let outcome = send(&world, "/", &[("authorization", "Bearer a b")]);
    is_refused(&outcome, 400, "bearer_token_malformed", INVALID_REQUEST);
    let outcome = send(&world, "/", &[("x-token", "opaque")]);
    is_refused(&outcome, 401, "access_token_malformed", INVALID_TOKEN);
    send(&world, "/", &[("authorization", "Basic YTpi")]).forwarded();
}

#[test]
fn each_refusal_has_the_standards_word_and_says_where_more_is_known() {
    let world = world(|settings| {
        settings["bearer"]["realm"] = json!("orders");
        settings["protected_resources"] = json!([{"resource": format!("https://{HOST}/mcp")}]);
        settings["rules"] = json!([
            {"match": {"path": {"exact": "/mcp/scopes"}}, "authenticate": ["bearer"], "require": {"scopes": {"all_of": ["admin"]}}},
            {"match": {"path": {"exact": "/mcp/roles"}}, "require": {"roles": {"any_of": ["admin"]}}},
            {"match": {"path": {"exact": "/mcp/suspended"}}, "forbid": {"claims": [{"claim": "sub", "equals": "user-1"}]}},
            {"match": {"path": {"exact": "/mcp/gold"}}, "authentication": {"acr_values": ["gold"]}},
        ]);
    });
    let good = AccessToken::of(&world).signed(&world);
    let other = AccessToken::of(&world)
        .with("aud", json!("other"))
        .signed(&world);
    for (target, token, status, code, said) in [
        (
            "/mcp/scopes",
            None,
            401,
            "token_required",
            ", scope=\"admin\"",
        ),
        ("/mcp/roles", None, 401, "login_required", ""),
        (
            "/mcp/scopes",
            Some(&good),
            403,
            "access_forbidden",
            ", error=\"insufficient_scope\", scope=\"admin\"",
        ),
        (
            "/mcp/roles",
            Some(&good),
            403,
            "access_forbidden",
            ", error=\"insufficient_scope\"",
        ),
        (
            "/mcp/suspended",
            Some(&good),
            403,
            "access_forbidden",
            ", error=\"insufficient_scope\"",
        ),
        (
            "/mcp/gold",
            Some(&good),
            401,
            "insufficient_user_authentication",
            ", error=\"insufficient_user_authentication\", error_description=\"A more recent or another authentication is needed\", acr_values=\"gold\"",
        ),
        (
            "/mcp",
            Some(&other),
            401,
            "access_token_audience_mismatch",
            &INVALID_TOKEN["Bearer".len()..],
        ),
    ] {
        let request = match token {
            Some(token) => with_token(target, token),
            None => call("GET", target, &[]),
        };
        let said = match said.strip_prefix(' ') {
            Some(said) => format!(", {said}"),
            None => said.to_owned(),
        };
        let challenge = format!(
            "Bearer realm=\"orders\"{said}, \
             resource_metadata=\"https://{HOST}/.well-known/oauth-protected-resource/mcp\""
        );
        is_refused(&world.worker.serve(request), status, code, &challenge);
    }
    let gone = AccessToken::of(&world)
        .with("aud", json!(AUDIENCE))
        .signed(&world);
    world.worker.serve(with_token("/mcp", &gone)).forwarded();
}
