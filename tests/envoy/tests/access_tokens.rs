//! Programs with signed access tokens of a real provider.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portero_envoy_tests::http::Connection;
use portero_envoy_tests::{
    Envoy, Provider, Request, Response, Setup, Upstream, Visitor, portero, provider_with_switches,
};
use serde_json::{Value, json};

const API: &str = "urn:portero:test-api";

/// Portero in front of an API that takes the provider's access tokens, beside sessions.
fn api(provider: &Provider, upstream: &Upstream) -> Setup {
    portero(provider, upstream).configure(|config| {
        config["providers"]["demo"]["access_tokens"] = json!({"audiences": [API]});
        config["upstream"]["headers"]["x-client"] = json!({"claim": "client_id"});
    })
}

fn with_token(path: &str, token: &str) -> Request {
    Request::get(path).header("authorization", format!("Bearer {token}"))
}

#[track_caller]
fn is_refused(response: &Response, status: u16, code: &str) {
    let end = (response.status, response.code());
    assert_eq!(end, (status, Some(code.to_owned())), "{}", response.text());
}

#[test]
fn a_program_gets_in_with_a_token_that_is_for_us_and_for_no_one_else() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = api(&provider, &upstream).start();
    let token = provider.access_token("orders");
    assert_eq!(envoy.send(&with_token("/orders", &token)).status, 200);
    let seen = upstream.only();
    assert_eq!(seen.one("x-client").as_deref(), Some("orders"));
    assert!(seen.one("authorization").is_none(), "the token is hidden");
    upstream.forget();

    provider.set(json!({"accessAudience": "urn:another-api"}));
    let elsewhere = provider.access_token("orders");
    let refused = envoy.send(&with_token("/orders", &elsewhere));
    is_refused(&refused, 401, "access_token_audience_mismatch");
    let challenge = refused.one("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    is_refused(&envoy.get("/orders"), 401, "login_required");
    assert!(upstream.requests().is_empty());
    envoy.assert_unharmed();
}

#[test]
fn a_persons_access_token_serves_the_session_and_a_program() {
    let provider = provider_with_switches!();
    provider.set(json!({"accessFormat": "jwt"}));
    let upstream = Upstream::start();
    let envoy = api(&provider, &upstream)
        .configure(|config| {
            let demo = &mut config["providers"]["demo"];
            // Only the access token has roles then.
            demo["scopes"] = json!(["openid", "profile"]);
            demo["resources"] = json!([API]);
            demo["userinfo"] = json!(false);
            demo["access_token_claims"] = json!(true);
            config["upstream"]["headers"]["x-token"] = json!({"access_token": "raw"});
            config["rules"] = json!([{
                "match": {"path": {"prefix": "/admin"}},
                "require": {"realm_roles": {"any_of": ["admin"]}},
            }]);
        })
        .start();
    let mut alice = Visitor::with_form(provider.form());
    let page = alice.log_in(&envoy.url("/admin"), &provider.person());
    assert_eq!(page.response.status, 200, "{}", page.response.text());
    let by_session = upstream.only();
    upstream.forget();
    assert!(by_session.one("x-roles").unwrap().contains("admin"));

    let token = by_session.one("x-token").unwrap();
    assert_eq!(envoy.send(&with_token("/admin", &token)).status, 200);
    let by_token = upstream.only();
    for name in ["x-roles", "x-user", "x-token"] {
        assert_eq!(by_token.one(name), by_session.one(name), "{name}");
    }
    envoy.assert_unharmed();
}

#[test]
fn after_a_rotation_new_tokens_are_good_and_those_of_a_key_that_is_gone_are_not() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = api(&provider, &upstream).start();
    let old = provider.access_token("orders");
    assert_eq!(envoy.send(&with_token("/", &old)).status, 200);
    provider.forget();
    provider.rotate("replace");
    let new = provider.access_token("orders");
    assert_eq!(envoy.send(&with_token("/", &new)).status, 200);
    assert_eq!(provider.journal().count("/jwks"), 1);
    let refused = envoy.send(&with_token("/", &old));
    is_refused(&refused, 401, "access_token_key_unknown");
    envoy.assert_unharmed();
}

/// The same token, as if a key had signed it that nobody knows.
fn with_unknown_key(token: &str, number: usize) -> String {
    let (header, rest) = token.split_once('.').expect("a signed token");
    let header = URL_SAFE_NO_PAD.decode(header).expect("base64");
    let mut header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"] = json!(format!("unknown-{number}"));
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[test]
fn a_thousand_unknown_keys_at_two_workers_cause_one_fetch() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = api(&provider, &upstream).workers(2).balanced().start();
    let token = provider.access_token("orders");
    let host = envoy.origin().replace("http://", "");
    // Each worker has one of the connections.
    let mut connections =
        [(); 2].map(|()| Connection::open(envoy.address()).expect("a connection"));
    provider.forget();
    for number in 0..500 {
        for (index, connection) in connections.iter_mut().enumerate() {
            let token = with_unknown_key(&token, 2 * number + index);
            let request = with_token("/", &token).header("host", host.as_str());
            connection.write(&request.bytes()).expect("a request");
            let answer = connection.response(b"GET").expect("an answer");
            assert_eq!(answer.status, 401, "{}", answer.text());
        }
    }
    let served = envoy.connections_of_workers();
    assert!(served.iter().all(|count| *count > 0), "{served:?}");
    assert_eq!(provider.journal().count("/jwks"), 1);
    assert_eq!(envoy.metric("failure.access_token_key_unknown"), 1000);
    assert!(upstream.requests().is_empty());
    envoy.assert_unharmed();
}

const LIE: &str = "mallory-was-here";

/// With everything that an upstream could take for what Portero tells it.
fn forge(mut request: Request) -> Request {
    for name in [
        "x-user",
        "X_User",
        "x-client",
        "x_client",
        "X-Consumer-ID",
        "x_consumer_id",
        "x-consumer-custom-id",
        "X-Consumer_Username",
        "x-consumer-username",
        "x-credential-identifier",
        "x_credential_identifier",
        "X-Anonymous-Consumer",
        "x_anonymous_consumer",
        "x-userinfo",
        "x_userinfo",
    ] {
        request = request.header(name, LIE).header(name, LIE);
    }
    request
}

fn lies(request: &Request) -> Vec<&(Vec<u8>, Vec<u8>)> {
    let is_lie = |value: &[u8]| value.windows(LIE.len()).any(|part| part == LIE.as_bytes());
    request
        .headers
        .iter()
        .filter(|(_, value)| is_lie(value))
        .collect()
}

fn with_every_branch(envoy: Setup) -> Envoy {
    envoy
        .configure(|config| {
            config["cors_preflight"] = json!("pass");
            config["consumers"] = json!({
                "orders-app": {"credentials": [{"client_id": "orders"}]},
                "nobody": {"id": "0"},
            });
            let below = |path: &str| json!({"path": {"prefix": path}});
            config["rules"] = json!([
                {"match": below("/public"), "access": "public"},
                {"match": below("/pass"), "otherwise": "pass"},
                {"match": below("/anonymous"), "otherwise": {"anonymous": "nobody"}},
                {"match": below("/both"), "authenticate": {"all_of": ["bearer", "session"]}},
            ]);
        })
        .start()
}

#[test]
fn forged_headers_reach_the_upstream_on_no_branch() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = with_every_branch(api(&provider, &upstream));
    let token = provider.access_token("orders");
    let mut alice = Visitor::with_form(provider.form());
    alice.log_in(&envoy.url("/"), &provider.person());
    let url = envoy.url("/both").parse().expect("an address");
    let cookies = alice.cookies.header(&url).expect("a session");
    upstream.forget();

    let preflight = Request::new("OPTIONS", "/orders")
        .header("origin", "http://other.localhost")
        .header("access-control-request-method", "GET");
    let host = url.authority().to_owned();
    let at_host = |request: Request| request.header("host", host.as_str());
    for (request, consumer) in [
        (Request::get("/public"), None),
        (with_token("/public", &token), None),
        (Request::get("/pass"), None),
        (Request::get("/anonymous"), Some("0")),
        (preflight, None),
        (with_token("/orders", &token), Some("orders-app")),
        (with_token("/pass", &token), Some("orders-app")),
        (
            at_host(Request::get("/orders").header("cookie", cookies.as_str())),
            None,
        ),
        (
            at_host(with_token("/both", &token).header("cookie", cookies.as_str())),
            Some("orders-app"),
        ),
    ] {
        let answer = envoy.send(&forge(request));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = upstream.only();
        upstream.forget();
        assert!(lies(&seen).is_empty(), "{:?}", lies(&seen));
        assert_eq!(seen.one("x-consumer-id").as_deref(), consumer);
    }
    for refused in [Request::get("/orders"), with_token("/pass", "made-up")] {
        assert_eq!(envoy.send(&forge(refused)).status, 401);
    }
    assert!(upstream.requests().is_empty());
    envoy.assert_unharmed();
}
