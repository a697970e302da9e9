//! A real access token in every place that is configured: the gateway reads it, the upstream does not.
use portero_envoy_tests::{
    Envoy, Provider, Request, Response, Upstream, Visitor, portero, provider_with_switches,
};
use serde_json::json;

const AUDIENCE: &str = "https://orders.example";

/// Portero with `/api` for programs, and a token that the provider has issued at a login.
fn start(provider: &Provider, upstream: &Upstream) -> (Envoy, String) {
    provider.set(json!({"accessFormat": "jwt", "accessAudience": AUDIENCE}));
    let envoy = portero(provider, upstream)
        .configure(|config| {
            let demo = &mut config["providers"]["demo"];
            demo["access_tokens"] = json!({"audiences": [AUDIENCE]});
            // The provider takes tokens for others' ears for none of its own.
            demo["userinfo"] = json!(false);
            config["bearer"] = json!({"cookies": ["api_token"], "query": ["access_token"]});
            config["rules"] = json!([
                {"match": {"path": {"prefix": "/api"}}, "authenticate": ["bearer"]},
            ]);
            config["upstream"] = json!({"headers": {
                "x-subject": {"claim": "sub"},
                "x-access": {"access_token": "raw"},
            }});
        })
        .start();
    let mut visitor = Visitor::new();
    let page = visitor.log_in(&envoy.url("/"), &provider.person());
    assert_eq!(page.response.status, 200, "{:?}", page.code());
    let token = upstream.only().one("x-access").expect("an access token");
    upstream.forget();
    (envoy, token)
}

#[test]
fn a_token_in_a_header_a_cookie_or_the_query_lets_in_and_is_hidden_from_the_upstream() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let (envoy, token) = start(&provider, &upstream);
    let cookie = format!("theme=\"dark\"; api_token={token}; lang=en");
    for (target, name, value) in [
        ("/api?a=%20&b", "authorization", format!("Bearer {token}")),
        ("/api?a=%20&b", "cookie", cookie),
        (
            &format!("/api?a=%20&access_token={token}&b"),
            "accept",
            "*/*".to_owned(),
        ),
    ] {
        let answer = envoy.send(&Request::get(target).header(name, value));
        assert_eq!(answer.status, 200, "{name}: {:?}", answer.code());
        // Caches know of one of these places alone that an answer to it is one caller's.
        let private = (name != "authorization").then_some("private");
        assert_eq!(answer.one("cache-control").as_deref(), private, "{name}");
        let arrived = upstream.only();
        upstream.forget();
        assert_eq!(arrived.target, b"/api?a=%20&b", "{name}");
        assert_eq!(arrived.one("x-subject").as_deref(), Some("alice"));
        assert_eq!(arrived.one("authorization"), None);
        let left = (name == "cookie").then_some("theme=\"dark\"; lang=en");
        assert_eq!(arrived.one("cookie").as_deref(), left);
        // Where the configuration hands it on, and nowhere else.
        let bytes = arrived.bytes();
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(text.matches(&token).count(), 1, "{name}");
        assert_eq!(arrived.one("x-access").as_deref(), Some(token.as_str()));
    }
    let twice = Request::get(format!("/api?access_token={token}"));
    let twice = twice.header("authorization", format!("Bearer {token}"));
    assert_eq!(envoy.send(&twice).status, 200);
    assert_eq!(upstream.only().target, b"/api");
    envoy.assert_unharmed();
}

#[track_caller]
fn is_invalid_request(answer: &Response) {
    assert_eq!(answer.status, 400, "{:?}", answer.code());
    let challenge = answer.one("www-authenticate").expect("a challenge");
    assert!(
        challenge.starts_with("Bearer error=\"invalid_request\""),
        "{challenge}"
    );
}

#[test]
fn two_tokens_and_what_is_none_are_refused() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let (envoy, token) = start(&provider, &upstream);
    let bearer = format!("Bearer {token}");
    let with_token = |target: &str| Request::get(target).header("authorization", &bearer);
    // Envoy hands a header that came twice over twice, or as one with a comma.
    is_invalid_request(&envoy.send(&with_token("/api").header("authorization", "Bearer abc")));
    let other = envoy.send(&with_token("/api?access_token=abc"));
    is_invalid_request(&other);
    assert_eq!(other.code().as_deref(), Some("bearer_token_ambiguous"));
    is_invalid_request(&envoy.send(&with_token("/api").header("cookie", "api_token=a b")));
    is_invalid_request(&envoy.send(&Request::get("/api").header("authorization", "Bearer")));
    let opaque = Request::get("/api").header("authorization", "Bearer abc");
    let opaque = envoy.send(&opaque);
    assert_eq!(opaque.status, 401);
    let challenge = opaque.one("www-authenticate").expect("a challenge");
    assert!(
        challenge.starts_with("Bearer error=\"invalid_token\""),
        "{challenge}"
    );
    assert!(upstream.requests().is_empty());
    assert!(!envoy.log().contains(&token));
    envoy.assert_unharmed();
}
