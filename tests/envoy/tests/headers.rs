//! What the upstream sees of a request.
use portero_envoy_tests::{Request, Upstream, Visitor, portero, provider_with_switches};

/// Names that Portero may set here, and what an upstream could take for them.
const FORGED: [&str; 12] = [
    "x-user",
    "x_user",
    "X-User",
    "X_USER",
    "x-userinfo",
    "X-Userinfo",
    "x_userinfo",
    "x-user-email",
    "x_user_email",
    "x-user_email",
    "x-roles",
    "X_Roles",
];
const LIE: &str = "mallory-was-here";

fn forge(mut request: Request) -> Request {
    for name in FORGED {
        request = request.header(name, LIE).header(name, LIE);
    }
    request
}

fn lies(request: &Request) -> Vec<&(Vec<u8>, Vec<u8>)> {
    request
        .headers
        .iter()
        .filter(|(_, value)| value.windows(LIE.len()).any(|part| part == LIE.as_bytes()))
        .collect()
}

#[test]
fn forged_identity_headers_never_reach_the_upstream() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .configure(|config| config["cors_preflight"] = "pass".into())
        .start();
    // Public, and a preflight that passes.
    assert_eq!(envoy.send(&forge(Request::get("/healthz"))).status, 200);
    let preflight = Request::new("OPTIONS", "/orders")
        .header("origin", "http://other.localhost")
        .header("access-control-request-method", "GET");
    assert_eq!(envoy.send(&forge(preflight)).status, 200);
    for seen in upstream.requests() {
        assert!(lies(&seen).is_empty(), "{:?}", lies(&seen));
        assert!(seen.one("x-user").is_none());
    }
    assert_eq!(upstream.requests().len(), 2);
    // Protected: refused without a session, and true with one.
    assert_eq!(envoy.send(&forge(Request::get("/orders"))).status, 401);
    upstream.forget();
    let mut visitor = Visitor::new();
    visitor.log_in(&envoy.url("/"), &provider.person());
    upstream.forget();
    let url = envoy.url("/orders").parse().unwrap();
    let page = visitor.send(&url, forge(Request::get("/orders")));
    assert_eq!(page.response.status, 200);
    let seen = upstream.only();
    assert!(lies(&seen).is_empty(), "{:?}", lies(&seen));
    assert_eq!(seen.one("x-user").as_deref(), Some("alice"));
    assert_eq!(
        seen.one("x-user-email").as_deref(),
        Some("alice@example.test")
    );
    assert_eq!(seen.one("x-roles").as_deref(), Some("admin,user"));
    for twin in ["x_user", "x_userinfo", "x_user_email", "x_roles"] {
        assert!(seen.one(twin).is_none(), "{twin}");
    }
}

#[test]
fn a_claim_that_is_missing_leaves_no_forged_header_behind() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .configure(|config| {
            config["upstream"]["headers"]["x-none"] = serde_json::json!({"claim": "no_such_claim"});
        })
        .start();
    let mut visitor = Visitor::new();
    visitor.log_in(&envoy.url("/"), &provider.person());
    upstream.forget();
    let url = envoy.url("/").parse().unwrap();
    visitor.send(
        &url,
        Request::get("/")
            .header("x-none", LIE)
            .header("X_None", LIE),
    );
    assert!(lies(&upstream.only()).is_empty());
}

#[test]
fn tokens_and_nested_claims_arrive_where_the_configuration_says() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .configure(|config| {
            config["upstream"]["headers"] = serde_json::json!({
                "authorization": {"access_token": "bearer"},
                "x-access-token": {"access_token": "raw"},
                "x-id-token": {"id_token": "raw"},
                "x-tenant": {"claim": "https://portero.example/tenant"},
                "x-web-roles": {"claim": ["resource_access", "web", "roles"]},
            });
        })
        .start();
    let mut visitor = Visitor::new();
    let page = visitor.log_in(&envoy.url("/"), &provider.person());
    assert_eq!(page.response.status, 200, "{:?}", page.code());
    let seen = upstream.only();
    let token = seen.one("x-access-token").expect("the access token");
    assert_eq!(seen.one("authorization"), Some(format!("Bearer {token}")));
    assert!(
        seen.one("x-id-token")
            .is_some_and(|token| token.split('.').count() == 3)
    );
    assert_eq!(seen.one("x-tenant").as_deref(), Some("north"));
    assert_eq!(
        seen.one("x-web-roles").as_deref(),
        Some("web-admin,web-user")
    );
    // The token is one that the provider takes.
    let userinfo = Request::get("/me")
        .header("authorization", format!("Bearer {token}"))
        .send(provider.address())
        .unwrap();
    assert_eq!(userinfo.json()["sub"], "alice");
}

#[test]
fn the_gateways_cookies_stay_at_the_gateway_and_others_pass() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).start();
    let mut visitor = Visitor::new();
    // A second tab leaves a login in progress.
    visitor.visit(&envoy.url("/other"));
    visitor.log_in(&envoy.url("/"), &provider.person());
    upstream.forget();
    let url: url::Url = envoy.url("/orders").parse().unwrap();
    let ours = visitor.cookies.header(&url).unwrap();
    assert!(
        ours.contains("portero=") && ours.contains("portero-login-"),
        "{ours}"
    );
    for (path, status) in [("/orders", 200), ("/healthz", 200)] {
        upstream.forget();
        let request = Request::get(path)
            .header("host", format!("app.localhost:{}", envoy.address().port()))
            .header("cookie", "theme=dark; porter=1")
            .header("cookie", &ours)
            .header("cookie", b"odd=\xff\xfe; porteroo=2");
        assert_eq!(envoy.send(&request).status, status);
        let seen = upstream.only();
        let value: Vec<_> = seen
            .headers
            .iter()
            .filter(|(name, _)| name == b"cookie")
            .map(|(_, value)| value.as_slice())
            .collect();
        assert_eq!(value, [b"theme=dark; porter=1; odd=\xff\xfe; porteroo=2"]);
    }
}
