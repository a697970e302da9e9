use serde_json::{Value, json};

use super::{Audience, Challenge, Link, Response};
use crate::error::{Denial, Error, InternalFault, RequestFault};

fn header<'a>(response: &'a Response, name: &str) -> Vec<&'a str> {
    response
        .headers
        .iter()
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value.as_str())
        .collect()
}

#[test]
fn a_redirect_is_a_get_that_no_cache_keeps_and_no_referrer_follows() {
    let response = Response::redirect("https://i.example/a".to_owned())
        .with_cookies(vec!["a=1".to_owned(), "b=2".to_owned()]);
    assert_eq!(response.status, 303);
    assert_eq!(header(&response, "location"), ["https://i.example/a"]);
    assert_eq!(header(&response, "cache-control"), ["no-store"]);
    assert_eq!(header(&response, "referrer-policy"), ["no-referrer"]);
    assert_eq!(header(&response, "set-cookie"), ["a=1", "b=2"]);
    assert_eq!(response.body, "");
}

#[test]
fn a_program_gets_a_problem_and_a_challenge() {
    let report = Error::Denied(Denial::LoginRequired).report();
    let response = Response::error(
        &report,
        Audience::Program,
        "abc",
        Some(Link::Follow {
            target: "/",
            text: "Try again",
        }),
        &Challenge::default(),
    );
    assert_eq!(response.status, 401);
    assert_eq!(header(&response, "www-authenticate"), ["Bearer"]);
    assert_eq!(
        header(&response, "content-type"),
        ["application/problem+json"]
    );
    assert_eq!(header(&response, "cache-control"), ["no-store"]);
    let body: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!(
        body,
        json!({
            "status": 401,
            "title": "Sign-in required",
            "detail": "Please sign in first.",
            "code": "login_required",
            "request_id": "abc",
        })
    );
}

#[test]
fn the_provider_gets_an_error_as_oauth_has_it() {
    for (error, name) in [
        (
            Error::from(RequestFault::LogoutTokenReplayed),
            "invalid_request",
        ),
        (Error::ProviderUnavailable, "temporarily_unavailable"),
        (Error::Internal(InternalFault::Bug), "server_error"),
    ] {
        let report = error.report();
        let response = Response::error(
            &report,
            Audience::Provider,
            "abc",
            None,
            &Challenge::default(),
        );
        assert_eq!(response.status, report.status);
        assert_eq!(header(&response, "content-type"), ["application/json"]);
        assert_eq!(header(&response, "cache-control"), ["no-store"]);
        let body: Value = serde_json::from_str(&response.body).unwrap();
        let expected = json!({
            "error": name,
            "error_description": report.message,
            "code": report.code,
            "request_id": "abc",
        });
        assert_eq!(body, expected);
    }
}

#[test]
fn a_person_gets_a_page_and_a_way_on() {
    let report = Error::Request(RequestFault::LoginExpired).report();
    let response = Response::error(
        &report,
        Audience::Browser,
        "abc",
        Some(Link::Follow {
            target: "/orders",
            text: "Try again",
        }),
        &Challenge::default(),
    );
    assert_eq!(response.status, 400);
    assert_eq!(
        header(&response, "content-type"),
        ["text/html; charset=utf-8"]
    );
    assert!(response.body.contains("<a href=\"/orders\">Try again</a>"));
    assert!(response.body.contains("login_expired") && response.body.contains("abc"));
    assert!(header(&response, "www-authenticate").is_empty());
    let without = Response::error(
        &report,
        Audience::Browser,
        "abc",
        None,
        &Challenge::default(),
    );
    assert!(!without.body.contains("<a "));
}

#[test]
fn whoever_may_come_again_is_told_when() {
    let report = Error::ProviderUnavailable.report();
    for audience in [Audience::Browser, Audience::Program] {
        let response = Response::error(&report, audience, "abc", None, &Challenge::default());
        assert_eq!(response.status, 503);
        assert_eq!(header(&response, "retry-after"), ["5"]);
    }
}
