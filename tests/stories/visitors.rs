//! Who is sent to log in, and who is told that they are not.

use crate::browser::{Browser, HOST, request};
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::world::World;
use serde_json::{Value, json};

type Headers<'a> = &'a [(&'a str, &'a str)];

const HTML: (&str, &str) = ("accept", "text/html");

/// A request without cookies, as a program or an old browser sends it.
fn bare(browser: &Browser, method: &str, headers: &[(&str, &str)]) -> Outcome {
    let mut all = vec![
        (":method", method),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", "/orders"),
    ];
    all.extend_from_slice(headers);
    browser.send(request(&all))
}

#[track_caller]
fn is_refused(outcome: &Outcome) {
    assert_eq!(outcome.status(), 401, "{outcome:?}");
    assert_eq!(outcome.code(), "login_required");
    assert_eq!(outcome.header("www-authenticate"), Some("Bearer"));
    assert_eq!(
        outcome.header("content-type"),
        Some("application/problem+json")
    );
    assert!(outcome.set_cookies().is_empty());
}

/// Each header set, with the method, of what must not be sent to log in.
#[test]
fn whatever_is_no_navigation_gets_401_with_a_challenge_and_a_problem() {
    let world = World::new();
    let browser = world.browser();
    let cors = ("sec-fetch-mode", "cors");
    let navigate = ("sec-fetch-mode", "navigate");
    let cases: [(&str, &str, Headers); 16] = [
        ("fetch", "GET", &[HTML, cors]),
        ("image", "GET", &[HTML, ("sec-fetch-mode", "no-cors")]),
        (
            "fetch of same origin",
            "GET",
            &[HTML, ("sec-fetch-mode", "same-origin")],
        ),
        (
            "websocket by mode",
            "GET",
            &[HTML, ("sec-fetch-mode", "websocket")],
        ),
        (
            "old XHR",
            "GET",
            &[HTML, ("x-requested-with", "XMLHttpRequest")],
        ),
        (
            "old XHR in lower case",
            "GET",
            &[HTML, ("x-requested-with", "xmlhttprequest")],
        ),
        ("grpc", "POST", &[("content-type", "application/grpc")]),
        (
            "grpc-web",
            "GET",
            &[HTML, ("content-type", "application/grpc-web+proto")],
        ),
        (
            "websocket",
            "GET",
            &[HTML, ("upgrade", "websocket"), ("connection", "upgrade")],
        ),
        (
            "websocket over HTTP/2",
            "CONNECT",
            &[HTML, (":protocol", "websocket")],
        ),
        ("put", "PUT", &[cors]),
        ("delete", "DELETE", &[]),
        ("options", "OPTIONS", &[]),
        ("curl", "GET", &[("accept", "*/*")]),
        ("nothing at all", "GET", &[]),
        (
            "prefetch",
            "GET",
            &[HTML, navigate, ("sec-purpose", "prefetch;prerender")],
        ),
    ];
    for (name, method, headers) in cases {
        let outcome = bare(&browser, method, headers);
        assert_eq!(outcome.status(), 401, "{name}: {outcome:?}");
        is_refused(&outcome);
    }
    let old_prefetch = bare(&browser, "GET", &[HTML, ("purpose", "prefetch")]);
    is_refused(&old_prefetch);
    assert_eq!(world.land.counted("portero.login.started"), 0);
    assert_eq!(world.land.counted("portero.failure.login_required"), 17);
    assert_eq!(world.land.lines("code=login_required").len(), 17);
}

/// Its body would be lost on the way through the provider.
#[test]
fn a_form_that_a_person_sends_without_session_gets_a_page_that_leads_on() {
    let world = World::new();
    let browser = world.browser();
    for headers in [&[HTML, ("sec-fetch-mode", "navigate")][..], &[HTML]] {
        let outcome = bare(&browser, "POST", headers);
        assert_eq!(outcome.status(), 401);
        assert_eq!(outcome.code(), "login_required");
        assert_eq!(outcome.header("www-authenticate"), Some("Bearer"));
        assert!(outcome.answered().body.contains("<a href=\"/\">"));
    }
    assert_eq!(world.land.counted("portero.login.started"), 0);
}

#[test]
fn whatever_is_a_navigation_is_sent_to_log_in() {
    let world = World::new();
    let browser = world.browser();
    let navigate = ("sec-fetch-mode", "navigate");
    let cases: [(&str, Headers); 5] = [
        ("GET", &[navigate]),
        ("GET", &[HTML]),
        (
            "GET",
            &[("accept", "application/xml;q=0.9, Text/HTML;q=0.8")],
        ),
        ("GET", &[("accept", "application/xhtml+xml")]),
        ("HEAD", &[HTML, navigate]),
    ];
    for (method, headers) in cases {
        let outcome = bare(&browser, method, headers);
        assert_eq!(outcome.status(), 303, "{headers:?}");
    }
}

#[test]
fn a_logged_in_script_gets_through_and_a_logged_out_one_is_told() {
    let world = World::new();
    let browser = world.browser();
    is_refused(&browser.fetch("/api"));
    browser.log_in();
    browser.fetch("/api").forwarded();
}

#[test]
fn the_problem_says_what_a_program_can_use() {
    let world = World::new();
    let browser = world.browser();
    let outcome = bare(&browser, "GET", &[("x-request-id", "abc-123")]);
    let problem: Value = serde_json::from_str(&outcome.answered().body).unwrap();
    assert_eq!(
        problem,
        json!({
            "status": 401,
            "title": "Sign-in required",
            "detail": "Please sign in first.",
            "code": "login_required",
            "request_id": "abc-123",
        })
    );
}

const PREFLIGHT: [(&str, &str); 3] = [
    ("origin", "https://other.example"),
    ("access-control-request-method", "POST"),
    ("x-userinfo", "forged"),
];

#[test]
fn a_preflight_needs_a_session_like_everything_else_by_default() {
    let world = World::new();
    is_refused(&bare(&world.browser(), "OPTIONS", &PREFLIGHT));
}

#[test]
fn a_preflight_passes_without_identity_where_the_configuration_says_so() {
    let world = World::with(|settings| settings["cors_preflight"] = json!("pass"));
    let browser = world.browser();
    let outcome = bare(&browser, "OPTIONS", &PREFLIGHT);
    assert!(!outcome.forwarded().has("x-userinfo"));
    // Only a real preflight passes.
    is_refused(&bare(&browser, "OPTIONS", &PREFLIGHT[..1]));
    is_refused(&bare(&browser, "OPTIONS", &PREFLIGHT[1..]));
    is_refused(&bare(&browser, "POST", &PREFLIGHT));
}

#[test]
fn a_preflight_of_somebody_logged_in_needs_no_exception() {
    let world = World::with(|settings| settings["cors_preflight"] = json!("pass"));
    let browser = world.browser();
    browser.log_in();
    let outcome = browser.send(browser.request("OPTIONS", "/", Site::SameOrigin, &PREFLIGHT));
    assert_eq!(outcome.forwarded().userinfo()["sub"], "user-1");
}
