//! What a client learns that comes without a token, as one of the Model Context Protocol goes about it.
use portero_envoy_tests::{Envoy, Provider, Request, Response, Upstream, portero};
use serde_json::json;
use url::Url;

/// Portero in front of a resource at the address where it listens.
fn start(provider: &Provider, upstream: &Upstream, port: u16) -> Envoy {
    portero(provider, upstream)
        .port(port)
        .configure(|config| {
            config["providers"]["demo"]["access_tokens"] = json!({"audiences": ["orders"]});
            config["protected_resources"] = json!([{
                "resource": format!("http://app.localhost:{port}/mcp"),
                "scopes_supported": ["orders.read"],
                "resource_name": "Orders",
                "insecure_allow_http": true,
            }]);
            config["bearer"] = json!({"realm": "orders"});
            config["rules"] = json!([
                {"match": {"path": {"prefix": "/mcp"}}, "require": {"scopes": {"all_of": ["orders.read"]}}},
            ]);
        })
        .start()
}

/// Like [`Envoy::send`], with the host that a browser would send.
fn send(envoy: &Envoy, method: &str, url: &Url) -> Response {
    let host = format!("app.localhost:{}", envoy.address().port());
    assert_eq!(
        url[url::Position::BeforeHost..url::Position::AfterPort],
        host
    );
    let request = Request::new(method, url.path()).header("host", host);
    envoy.send(&request.header("origin", "http://inspector.localhost:6274"))
}

/// The value of a parameter of a challenge.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

#[test]
fn a_challenge_leads_by_way_of_the_metadata_to_the_provider() {
    let provider = Provider::start();
    let upstream = Upstream::start();
    let port = portero_envoy_tests::port::free();
    let envoy = start(&provider, &upstream, port);
    let resource = Url::parse(&format!("http://app.localhost:{port}/mcp")).expect("a URL");

    let refused = send(&envoy, "POST", &resource);
    assert_eq!(refused.status, 401);
    let challenge = refused.one("www-authenticate").expect("a challenge");
    assert!(
        challenge.starts_with("Bearer realm=\"orders\", "),
        "{challenge}"
    );
    assert_eq!(parameter(&challenge, "error"), None);
    assert_eq!(
        parameter(&challenge, "scope").as_deref(),
        Some("orders.read")
    );
    let metadata = parameter(&challenge, "resource_metadata").expect("an address");
    let metadata = Url::parse(&metadata).expect("a URL");

    // A client in a browser asks first.
    let preflight = send(&envoy, "OPTIONS", &metadata);
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.one("access-control-allow-origin").as_deref(),
        Some("*")
    );
    assert_eq!(
        preflight.one("access-control-allow-headers").as_deref(),
        Some("*")
    );

    let answer = send(&envoy, "GET", &metadata);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.one("content-type").as_deref(),
        Some("application/json")
    );
    assert_eq!(
        answer.one("cache-control").as_deref(),
        Some("public, max-age=300")
    );
    assert_eq!(
        answer.one("access-control-allow-origin").as_deref(),
        Some("*")
    );
    let document = answer.json();
    assert_eq!(
        document,
        json!({
            "resource": resource.as_str(),
            "authorization_servers": [provider.issuer()],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["orders.read"],
            "resource_name": "Orders",
        })
    );
    let head = send(&envoy, "HEAD", &metadata);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(send(&envoy, "DELETE", &metadata).status, 405);

    // The authorization server says where tokens are had.
    let issuer = document["authorization_servers"][0]
        .as_str()
        .expect("an issuer");
    let discovery = Url::parse(&format!("{issuer}/.well-known/openid-configuration"));
    let discovery = discovery.expect("a URL");
    let host = &discovery[url::Position::BeforeHost..url::Position::AfterPort];
    let server = Request::get(discovery.path())
        .header("host", host)
        .send(provider.address())
        .expect("an answer of the authorization server")
        .json();
    assert_eq!(server["issuer"], issuer);
    assert!(server["token_endpoint"].is_string());

    assert!(upstream.requests().is_empty());
    envoy.assert_unharmed();
}

/// The same address on another host, and another below it, are nobody's but the rules'.
#[test]
fn other_addresses_fall_to_the_rules() {
    let provider = Provider::start();
    let upstream = Upstream::start();
    let port = portero_envoy_tests::port::free();
    let envoy = start(&provider, &upstream, port);
    const KNOWN: &str = "/.well-known/oauth-protected-resource";
    let own = format!("app.localhost:{port}");
    let other = format!("other.localhost:{port}");
    for (host, target) in [
        (&own, KNOWN.to_owned()),
        (&own, format!("{KNOWN}/mcp/")),
        (&other, format!("{KNOWN}/mcp")),
    ] {
        let answer = envoy.send(&Request::get(&target).header("host", host));
        assert_eq!(answer.status, 401, "{host}{target}");
        assert_eq!(answer.code().as_deref(), Some("login_required"));
    }
    envoy.assert_unharmed();
}
