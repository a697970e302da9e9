//! Who gets through where.

use crate::browser::{HOST, request};
use crate::outcome::Outcome;
use crate::world::World;
use serde_json::{Value, json};

fn with_rules(rules: Value) -> World {
    World::with(|settings| settings["rules"] = rules)
}

/// What becomes of a program's request without session.
#[derive(Debug, PartialEq, Eq)]
enum Gate {
    Open,
    Closed,
    Ambiguous,
    AmbiguousHost,
}

fn gate(world: &World, method: &str, host: &str, target: &str) -> Gate {
    let outcome = world.worker.serve(request(&[
        (":method", method),
        (":scheme", "https"),
        (":authority", host),
        (":path", target),
        ("x-forwarded-host", "public.example.com"),
        ("x-original-url", "/public"),
        ("x-forwarded-uri", "/public"),
        ("x-envoy-original-path", "/public"),
        ("x-http-method-override", "GET"),
    ]));
    match &outcome {
        Outcome::Forwarded(_) => Gate::Open,
        Outcome::Answered(_) => match (outcome.status(), outcome.code().as_str()) {
            (401, "login_required") => Gate::Closed,
            (400, "path_ambiguous") => Gate::Ambiguous,
            (400, "authority_ambiguous") => Gate::AmbiguousHost,
            other => panic!("{other:?}"),
        },
    }
}

use Gate::{Ambiguous, AmbiguousHost, Closed, Open};

#[test]
fn without_rules_everything_is_protected() {
    let world = with_rules(json!([]));
    for target in ["/", "/healthz", "/public", "/favicon.ico", "/.well-known/x"] {
        assert_eq!(gate(&world, "GET", HOST, target), Closed, "{target}");
    }
}

#[test]
fn an_exact_path_is_that_path_and_no_other() {
    let world = with_rules(json!([{"match": {"path": {"exact": "/healthz"}}, "access": "public"}]));
    for (target, expected) in [
        ("/healthz", Open),
        ("/healthz?x=1", Open),
        ("/%68ealthz", Open),
        ("/healthz/", Closed),
        ("/healthz/x", Closed),
        ("/healthzz", Closed),
        ("/Healthz", Closed),
        ("/x/healthz", Closed),
        ("/healthz;x=1", Ambiguous),
        ("//healthz", Ambiguous),
        ("/healthz%2F", Closed),
        ("/x/../healthz", Ambiguous),
        ("/healthz%00", Ambiguous),
        ("/healthz%252f..%252fadmin", Ambiguous),
    ] {
        assert_eq!(gate(&world, "GET", HOST, target), expected, "{target}");
    }
}

#[test]
fn a_prefix_is_whole_segments() {
    for prefix in ["/public", "/public/"] {
        let rule = json!({"match": {"path": {"prefix": prefix}}, "access": "public"});
        let world = with_rules(json!([rule]));
        for (target, expected) in [
            ("/public", Open),
            ("/public/", Open),
            ("/public/a/b?q=/../admin", Open),
            ("/public;v=1/a", Ambiguous),
            ("/public/a;v=1", Open),
            ("/public//a", Open),
            ("/public%2Fa", Ambiguous),
            ("/publica", Closed),
            ("/public.html", Closed),
            ("/PUBLIC/a", Closed),
            ("/admin?/public/", Closed),
            ("/admin?x=/public", Closed),
            ("/public/../admin", Ambiguous),
            ("/public/%2e%2e/admin", Ambiguous),
            ("/public/.%2e/admin", Ambiguous),
            ("/public/..;/admin", Ambiguous),
            ("/public/..%2fadmin", Ambiguous),
            ("/public/..%5cadmin", Ambiguous),
            ("/public/%252e%252e/admin", Ambiguous),
            ("/public\\..\\admin", Ambiguous),
            ("/public/\u{1}", Ambiguous),
            ("/public#/admin", Ambiguous),
        ] {
            assert_eq!(
                gate(&world, "GET", HOST, target),
                expected,
                "{prefix}: {target}"
            );
        }
    }
}

/// Envoy may choose its virtual host with the port or without it.
#[test]
fn a_host_is_matched_with_its_port_and_without_it_and_without_regard_to_case() {
    let world = with_rules(json!([
        {"match": {"hosts": ["public.example.com", "*.open.example", "*.open.example:8443"]}, "access": "public"},
    ]));
    for (host, expected) in [
        ("public.example.com", Open),
        ("PUBLIC.Example.com", Open),
        ("public.example.com:8443", AmbiguousHost),
        ("app.example.com", Closed),
        ("app.example.com:8443", Closed),
        ("xpublic.example.com", Closed),
        ("public.example.com.evil.example", Closed),
        ("a.open.example", Open),
        ("a.b.open.example:8443", Open),
        ("a.b.open.example:443", AmbiguousHost),
        ("open.example", Closed),
        ("xopen.example", Closed),
    ] {
        assert_eq!(gate(&world, "GET", host, "/"), expected, "{host}");
    }
}

#[test]
fn a_method_is_matched_exactly() {
    let world = with_rules(json!([
        {"match": {"path": {"prefix": "/"}, "methods": ["GET", "HEAD"]}, "access": "public"},
    ]));
    for (method, expected) in [
        ("GET", Open),
        ("HEAD", Open),
        ("POST", Closed),
        ("get", Closed),
        ("", Closed),
    ] {
        assert_eq!(gate(&world, method, HOST, "/"), expected, "{method}");
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let world = with_rules(json!([
        {"match": {"path": {"exact": "/files/secret"}}, "access": "authenticated"},
        {"match": {"path": {"prefix": "/files"}, "methods": ["GET"]}, "access": "public"},
        {"match": {"path": {"prefix": "/files"}}, "access": "authenticated"},
        {"match": {"hosts": ["open.example"]}, "access": "public"},
    ]));
    for (method, host, target, expected) in [
        ("GET", HOST, "/files/secret", Closed),
        ("GET", "open.example", "/files/secret", Closed),
        ("GET", HOST, "/files/a", Open),
        ("PUT", HOST, "/files/a", Closed),
        ("PUT", "open.example", "/files/a", Closed),
        ("PUT", "open.example", "/", Open),
        ("PUT", HOST, "/", Closed),
        // Read in two ways, with two rules.
        ("GET", HOST, "/files//secret", Ambiguous),
        ("GET", HOST, "/files/secret;x", Ambiguous),
    ] {
        assert_eq!(
            gate(&world, method, host, target),
            expected,
            "{method} {host} {target}"
        );
    }
}

#[test]
fn a_rule_cannot_open_porteros_own_paths() {
    let world = with_rules(json!([{"access": "public"}]));
    let browser = world.browser();
    assert_eq!(browser.go("/oauth2/callback").code(), "callback_malformed");
    assert_eq!(browser.go("/oauth2/logout").status(), 303);
    assert_eq!(browser.go("/oauth2/logged-out").status(), 200);
    browser.go("/oauth2/other").forwarded();
}

#[test]
fn a_public_path_starts_no_login_and_needs_no_provider() {
    let world = World::new();
    world.provider.go_down();
    let outcome = world.browser().go("/public/x");
    assert!(outcome.forwarded().set_cookies.is_empty());
    assert!(world.provider.calls.borrow().is_empty());
}
