//! Tokens that say nothing themselves, and a real provider that knows what they are.
use portero_envoy_tests::provider::SECRET;
use portero_envoy_tests::provider_with_switches;
use portero_envoy_tests::upstream::nobody;
use portero_envoy_tests::{Envoy, Provider, Request, Response, Upstream, portero, wait};
use serde_json::{Value, json};

const API: &str = "urn:portero:test-api";
const ASKED: &str = "/token/introspection";

/// Portero in front of an API, asking about tokens as `introspection` says.
fn gateway(provider: &Provider, upstream: &Upstream, introspection: &Value) -> Envoy {
    portero(provider, upstream)
        .cluster("introspection", provider.address())
        .configure(|config| {
            let demo = &mut config["providers"]["demo"];
            demo["clusters"] = json!({"introspection": "introspection"});
            demo["access_tokens"] = json!({"audiences": [API], "introspection": introspection});
            config["upstream"]["headers"]["x-client"] = json!({"claim": "client_id"});
        })
        .start()
}

/// A client of its own, which only asks.
fn asking(cache: &str) -> Value {
    let basic = json!({"client_secret_basic": {"secret": SECRET}});
    json!({"client": {"id": "reports", "authentication": basic}, "cache": cache, "cache_inactive": "0s"})
}

fn call(envoy: &Envoy, token: &str) -> Response {
    let request = Request::get("/orders").header("authorization", format!("Bearer {token}"));
    envoy.send(&request)
}

#[track_caller]
fn is_refused(envoy: &Envoy, token: &str, status: u16, code: &str) {
    let response = call(envoy, token);
    let end = (response.status, response.code());
    assert_eq!(end, (status, Some(code.to_owned())), "{}", response.text());
}

#[test]
fn an_opaque_token_gets_in_and_its_owner_is_told_to_the_upstream() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = gateway(&provider, &upstream, &asking("1h"));
    let token = provider.opaque_token("orders", Some(API));
    assert!(!token.contains('.'), "{token} is not opaque");
    provider.forget();
    for _ in 0..3 {
        assert_eq!(call(&envoy, &token).status, 200);
        assert_eq!(upstream.only().one("x-client").as_deref(), Some("orders"));
        upstream.forget();
    }
    assert_eq!(provider.journal().count(ASKED), 1);
    is_refused(&envoy, "made-up", 401, "access_token_inactive");
    assert!(upstream.requests().is_empty());
    assert_eq!(envoy.metric("provider.introspection.succeeded"), 2);
    envoy.assert_unharmed();
}

#[test]
fn a_revoked_token_counts_no_longer_than_it_is_remembered() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = gateway(&provider, &upstream, &asking("1s"));
    let token = provider.opaque_token("orders", Some(API));
    assert_eq!(call(&envoy, &token).status, 200);
    provider.revoke_token("orders", &token);
    wait::until("the token is refused", || {
        let response = call(&envoy, &token);
        (response.code().as_deref() == Some("access_token_inactive")).then_some(())
    });
    is_refused(&envoy, &token, 401, "access_token_inactive");
    envoy.assert_unharmed();
}

#[test]
fn a_token_for_somebody_else_or_for_nobody_is_refused() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = gateway(&provider, &upstream, &asking("30s"));
    let for_nobody = provider.opaque_token("orders", None);
    is_refused(&envoy, &for_nobody, 401, "access_token_claim_missing");
    provider.set(json!({"accessAudience": "urn:portero:another-api"}));
    let for_another = provider.opaque_token("orders", Some(API));
    is_refused(&envoy, &for_another, 401, "access_token_audience_mismatch");
    assert!(upstream.requests().is_empty());
    envoy.assert_unharmed();
}

#[test]
fn while_nobody_can_be_asked_nobody_new_gets_in() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = gateway(&provider, &upstream, &asking("1h"));
    let (known, new) = (
        provider.opaque_token("orders", Some(API)),
        provider.opaque_token("orders", Some(API)),
    );
    assert_eq!(call(&envoy, &known).status, 200);
    for (fault, status, code) in [
        (json!({"status": 500}), 502, "introspection_refused"),
        (json!({"status": 503}), 503, "introspection_unreachable"),
        (json!({"drop": true}), 503, "introspection_unreachable"),
        (
            json!({"status": 200, "body": "{}"}),
            502,
            "introspection_malformed",
        ),
    ] {
        provider.fault(ASKED, fault);
        is_refused(&envoy, &new, status, code);
        assert_eq!(call(&envoy, &known).status, 200);
    }
    provider.heal();
    assert_eq!(call(&envoy, &new).status, 200);
    envoy.assert_unharmed();
}

#[test]
fn an_endpoint_out_of_reach_lets_nobody_in() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .cluster("introspection", nobody())
        .configure(|config| {
            let demo = &mut config["providers"]["demo"];
            demo["clusters"] = json!({"introspection": "introspection"});
            demo["access_tokens"] = json!({"audiences": [API], "introspection": asking("1h")});
        })
        .start();
    let token = provider.opaque_token("orders", Some(API));
    is_refused(&envoy, &token, 503, "introspection_unreachable");
    assert!(upstream.requests().is_empty());
    envoy.assert_unharmed();
}

#[test]
fn whoever_asks_may_sign_who_it_is() {
    let provider = provider_with_switches!();
    let key = include_str!("../../fixtures/keys/private/p256.pem");
    for (id, method) in [
        (
            "web-csjwt",
            json!({"client_secret_jwt": {"secret": SECRET}}),
        ),
        ("web-pkjwt", json!({"private_key_jwt": {"key": key}})),
    ] {
        let upstream = Upstream::start();
        let client = json!({"client": {"id": id, "authentication": method}});
        let envoy = gateway(&provider, &upstream, &client);
        let token = provider.opaque_token("orders", Some(API));
        let response = call(&envoy, &token);
        assert_eq!(response.status, 200, "{id}: {}", response.text());
        envoy.assert_unharmed();
    }
    let upstream = Upstream::start();
    let wrong = json!({"client": {
        "id": "reports",
        "authentication": {"client_secret_basic": {"secret": "another secret"}},
    }});
    let envoy = gateway(&provider, &upstream, &wrong);
    let token = provider.opaque_token("orders", Some(API));
    is_refused(&envoy, &token, 502, "introspection_invalid_client");
}
