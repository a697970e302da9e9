//! Envoy's own rate limit behind Portero: each credential has a limit of its own.
use portero_envoy_tests::{
    Envoy, Request, Response, Upstream, Visitor, example, provider_with_switches,
};

const LIMIT: usize = 5;

/// A program's call, with a lie about whose limit it is.
fn call(envoy: &Envoy, token: &str) -> Response {
    envoy.send(
        &Request::get("/orders")
            .header("authorization", format!("Bearer {token}"))
            .header("x-credential-identifier", "somebody-else")
            .header("x_credential_identifier", "somebody-else"),
    )
}

#[test]
fn the_sixth_call_in_a_minute_is_one_too_many_for_this_client_and_for_no_other() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = example::start("rate-limit.yaml", 2, &provider, &upstream);
    // Two tokens of one client are one credential.
    let orders = [
        provider.access_token("orders"),
        provider.access_token("orders"),
    ];
    assert_ne!(orders[0], orders[1]);
    let reports = provider.access_token("reports");
    for number in 0..LIMIT {
        let answer = call(&envoy, &orders[number % 2]);
        assert_eq!(answer.status, 200, "{number}: {}", answer.text());
        let left = (LIMIT - 1 - number).to_string();
        assert_eq!(answer.one("x-ratelimit-remaining"), Some(left));
    }
    for token in &orders {
        let refused = call(&envoy, token);
        assert_eq!(refused.status, 429, "{}", refused.text());
        assert_eq!(refused.one("x-ratelimit-limit").as_deref(), Some("5"));
        assert_eq!(refused.one("x-ratelimit-remaining").as_deref(), Some("0"));
        assert!(refused.one("x-ratelimit-reset").is_some());
    }
    // The other client has no consumer, and a limit of its own all the same.
    for _ in 0..LIMIT {
        assert_eq!(call(&envoy, &reports).status, 200);
    }
    assert_eq!(call(&envoy, &reports).status, 429);
    // What no upstream got was one of these.
    let seen = upstream.requests();
    assert_eq!(seen.len(), 2 * LIMIT);
    for (index, request) in seen.iter().enumerate() {
        let identifier = request.one("x-credential-identifier");
        let username = request.one("x-consumer-username");
        match index < LIMIT {
            true => {
                assert_eq!(identifier.as_deref(), Some("orders"));
                assert_eq!(username.as_deref(), Some("orders-app"));
                assert_eq!(request.one("x-consumer-id").as_deref(), Some("17"));
            }
            false => {
                assert_eq!(identifier.as_deref(), Some("reports"));
                assert_eq!(username, None);
            }
        }
        assert!(request.one("x_credential_identifier").is_none());
    }
}

#[test]
fn people_and_public_paths_have_no_credential_and_no_such_limit() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = example::start("rate-limit.yaml", 1, &provider, &upstream);
    let lying = |path: &str| Request::get(path).header("x-credential-identifier", "orders");
    for _ in 0..2 * LIMIT {
        assert_eq!(envoy.send(&lying("/healthz")).status, 200);
    }
    let mut alice = Visitor::new();
    alice.log_in(&envoy.url("/"), &provider.person());
    let url = envoy.url("/orders").parse().unwrap();
    for _ in 0..2 * LIMIT {
        assert_eq!(alice.send(&url, lying("/orders")).response.status, 200);
    }
    // Nobody has used up the limit of the client that they named.
    assert_eq!(call(&envoy, &provider.access_token("orders")).status, 200);
}
