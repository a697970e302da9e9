//! The provider goes away while people are at work.
use std::time::Duration;

use portero_envoy_tests::{Line, Upstream, Visitor, portero, provider_with_switches, wait};
use serde_json::json;

const DISCOVERY: &str = "/.well-known/openid-configuration";

#[test]
fn sessions_go_on_and_a_login_that_cannot_end_says_so() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let mut line = Line::to(provider.address());
    let envoy = portero(&provider, &upstream)
        .cluster("idp", line.address())
        .workers(2)
        .start();
    let mut alice = Visitor::new();
    alice.log_in(&envoy.url("/"), &provider.person());
    let mut late = Visitor::new();
    let form = late.visit(&envoy.url("/orders"));
    let mut program = Visitor::new();
    let its_form = program.visit(&envoy.url("/orders"));

    line.cut();
    assert_eq!(alice.visit(&envoy.url("/orders")).response.status, 200);
    assert_eq!(alice.fetch(&envoy.url("/api")).response.status, 200);
    // Who has come as far as the callback is told what is wrong, and where to go on.
    let page = late.fill_in(&form, &provider.person());
    assert_eq!(
        (page.response.status, page.code().as_deref()),
        (503, Some("token_unreachable"))
    );
    let text = page.response.text();
    let link = format!("<a href=\"{}\">Try again</a>", envoy.url("/orders"));
    assert!(text.contains(&link), "{text}");
    assert!(
        late.cookies.of_host("app.localhost").is_empty(),
        "the login that failed has left cookies: {:?}",
        late.cookies
    );

    // A program is told the same in its own way.
    let callback = envoy.url("/oauth2/callback");
    let callback = program.fill_in_until(&its_form, &provider.person(), &callback);
    let problem = program.fetch(callback.as_str()).response;
    assert_eq!(
        (problem.status, problem.one("content-type").as_deref()),
        (503, Some("application/problem+json"))
    );
    let body = problem.json();
    assert_eq!(
        (&body["code"], &body["status"]),
        (&json!("token_unreachable"), &json!(503))
    );
    assert!(problem.one("retry-after").is_some());

    line.mend();
    let page = late.visit(&envoy.url("/orders"));
    assert_eq!(
        (page.response.status, page.url.path()),
        (200, "/orders"),
        "{:?}",
        page.code()
    );
    assert_eq!(envoy.metric("failure.token_unreachable"), 2);
    envoy.assert_unharmed();
}

#[test]
fn the_last_good_keys_serve_while_new_ones_cannot_be_had() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .configure(|config| config["providers"]["demo"]["refresh_interval"] = json!("10s"))
        .start();
    let mut alice = Visitor::new();
    alice.log_in(&envoy.url("/"), &provider.person());
    provider.set(json!({"faults": {DISCOVERY: {"status": 503}, "/jwks": {"drop": true}}}));
    wait::until_within(Duration::from_secs(20), "a refresh fails", || {
        envoy.log().contains("provider_fetch_failed").then_some(())
    });
    assert_eq!(alice.visit(&envoy.url("/orders")).response.status, 200);
    let page = Visitor::new().log_in(&envoy.url("/orders"), &provider.person());
    assert_eq!(page.response.status, 200, "{:?}", page.code());
}

#[test]
fn a_provider_that_refuses_stalls_or_talks_nonsense_gets_a_page_with_a_code() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .configure(|config| config["providers"]["demo"]["timeout"] = json!("1s"))
        .start();
    for (path, fault, status, code) in [
        ("/token", json!({"status": 500}), 502, "token_refused"),
        ("/token", json!({"status": 503}), 503, "token_unreachable"),
        ("/token", json!({"drop": true}), 503, "token_unreachable"),
        ("/token", json!({"hang": true}), 504, "token_timeout"),
        (
            "/token",
            json!({"status": 200, "body": "<html>"}),
            502,
            "token_malformed",
        ),
        (
            "/token",
            json!({"status": 302, "headers": {"location": "/"}}),
            502,
            "token_refused",
        ),
        ("/me", json!({"status": 401}), 502, "userinfo_invalid_token"),
        ("/me", json!({"status": 500}), 502, "userinfo_refused"),
        (
            "/me",
            json!({"status": 200, "body": "[]"}),
            502,
            "userinfo_malformed",
        ),
        (
            "/me",
            json!({"status": 200, "body": "{\"sub\":\"bob\"}"}),
            502,
            "userinfo_subject_mismatch",
        ),
    ] {
        provider.fault(path, fault.clone());
        let page = Visitor::new().log_in(&envoy.url("/"), &provider.person());
        assert_eq!(
            (page.response.status, page.code().as_deref()),
            (status, Some(code)),
            "{path} {fault}"
        );
        provider.heal();
    }
    assert!(upstream.requests().is_empty());
    let page = Visitor::new().log_in(&envoy.url("/"), &provider.person());
    assert_eq!(page.response.status, 200);
    envoy.assert_unharmed();
}
