//! What clients learn of protected resources, and what challenges tell them.

use serde_json::{Value, json};

use crate::browser::{HOST, request};
use crate::outcome::Outcome;
use crate::provider::ISSUER;
use crate::world::World;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

fn world() -> World {
    World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": ["orders"]});
        settings["protected_resources"] = json!([
            {
                "resource": "https://app.example.com/mcp",
                "scopes_supported": ["orders.read"],
                "resource_name": "Orders",
            },
            {"resource": "https://app.example.com/mcp/admin"},
            {"resource": "https://api.example.com"},
        ]);
        settings["bearer"] = json!({"realm": "orders"});
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/mcp"}}, "require": {"scopes": {"all_of": ["orders.read", "orders.write"]}}},
            {"match": {"path": {"prefix": "/roles"}}, "require": {"scopes": {"all_of": ["a"]}, "roles": {"any_of": ["b"]}}},
            {"match": {"path": {"prefix": "/public"}}, "access": "public"},
        ]);
    })
}

fn send(world: &World, method: &str, host: &str, target: &str) -> Outcome {
    world.worker.serve(request(&[
        (":method", method),
        (":scheme", "https"),
        (":authority", host),
        (":path", target),
        ("origin", "https://inspector.example"),
    ]))
}

fn document(outcome: &Outcome) -> Value {
    assert_eq!(outcome.status(), 200, "{outcome:?}");
    assert_eq!(outcome.header("content-type"), Some("application/json"));
    assert_eq!(outcome.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(outcome.header("access-control-allow-origin"), Some("*"));
    assert!(outcome.set_cookies().is_empty());
    serde_json::from_str(&outcome.answered().body).unwrap()
}

#[test]
fn whoever_asks_is_told_about_a_resource_and_nobody_has_to_log_in() {
    let world = world();
    world.provider.go_down();
    let mcp = send(&world, "GET", HOST, &format!("{WELL_KNOWN}/mcp"));
    assert_eq!(
        document(&mcp),
        json!({
            "resource": "https://app.example.com/mcp",
            "authorization_servers": [ISSUER],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["orders.read"],
            "resource_name": "Orders",
        })
    );
    let root = send(&world, "HEAD", "api.example.com", WELL_KNOWN);
    assert_eq!(document(&root)["resource"], "https://api.example.com");
    assert!(world.provider.calls.borrow().is_empty());
}

#[test]
fn a_page_of_another_site_may_ask_first() {
    let world = world();
    let preflight = send(&world, "OPTIONS", HOST, &format!("{WELL_KNOWN}/mcp"));
    assert_eq!(preflight.status(), 204);
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD, OPTIONS"),
        ("access-control-allow-headers", "*"),
        ("access-control-max-age", "3600"),
    ] {
        assert_eq!(preflight.header(name), Some(value));
    }
    assert_eq!(preflight.answered().body, "");
    let post = send(&world, "POST", HOST, &format!("{WELL_KNOWN}/mcp"));
    assert_eq!(
        (post.status(), post.code().as_str()),
        (405, "method_not_allowed")
    );
    assert_eq!(post.header("allow"), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn what_is_no_metadata_falls_to_the_rules() {
    let world = world();
    for (host, target) in [
        (HOST, WELL_KNOWN.to_owned()),
        (HOST, format!("{WELL_KNOWN}/other")),
        (HOST, format!("{WELL_KNOWN}/mcp/")),
        (HOST, "/.well-known/oauth-authorization-server".to_owned()),
        ("api.example.com", format!("{WELL_KNOWN}/mcp")),
        ("www.example.com", WELL_KNOWN.to_owned()),
    ] {
        let outcome = send(&world, "GET", host, &target);
        assert_eq!(outcome.code(), "login_required", "{host}{target}");
    }
}

fn challenge(outcome: &Outcome) -> &str {
    outcome.header("www-authenticate").unwrap_or_default()
}

/// RFC 9728 section 5.1.
#[test]
fn a_challenge_names_the_metadata_of_the_resource_and_what_to_ask_for() {
    let world = world();
    for (host, target, expected) in [
        (
            HOST,
            "/mcp/x?y",
            "Bearer realm=\"orders\", scope=\"orders.read orders.write\", \
             resource_metadata=\"https://app.example.com/.well-known/oauth-protected-resource/mcp\"",
        ),
        (
            HOST,
            "/mcp/admin",
            "Bearer realm=\"orders\", scope=\"orders.read orders.write\", \
             resource_metadata=\"https://app.example.com/.well-known/oauth-protected-resource/mcp/admin\"",
        ),
        // More than scopes is needed there.
        (HOST, "/roles", "Bearer realm=\"orders\""),
        (HOST, "/", "Bearer realm=\"orders\""),
        (
            "api.example.com",
            "/any",
            "Bearer realm=\"orders\", \
             resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource\"",
        ),
    ] {
        let outcome = send(&world, "GET", host, target);
        assert_eq!(
            (outcome.status(), outcome.code().as_str()),
            (401, "login_required")
        );
        assert_eq!(challenge(&outcome), expected, "{host}{target}");
    }
}

/// A session is no token: without scopes to say, 403 has no challenge.
#[test]
fn a_person_who_may_not_is_told_of_scopes_alone() {
    let world = world();
    let browser = world.browser();
    browser.log_in();
    let outcome = browser.fetch("/mcp");
    assert_eq!(outcome.code(), "access_forbidden");
    assert_eq!(
        challenge(&outcome),
        "Bearer realm=\"orders\", error=\"insufficient_scope\", scope=\"orders.read orders.write\", \
         resource_metadata=\"https://app.example.com/.well-known/oauth-protected-resource/mcp\""
    );
    let outcome = browser.fetch("/roles");
    assert_eq!(outcome.code(), "access_forbidden");
    assert_eq!(outcome.header("www-authenticate"), None);
}
