//! The token that Portero signs about the caller, as upstreams verify it: by a library, and by Envoy itself.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::prelude::{
    ECDSAP256PublicKeyLike as _, ES256PublicKey, RS256PublicKey, RSAPublicKeyLike as _,
    VerificationOptions,
};
use jwt_simple::token::Token;
use portero_envoy_tests::{
    Envoy, Provider, Request, Setup, Upstream, Visitor, port, portero, provider_with_switches,
};
use serde_json::{Value, json};
use std::collections::HashSet;

const ISSUER: &str = "https://app.example.com";
const ORDERS: &str = "https://orders.internal";
const REPORTS: &str = "https://reports.internal";
const HEADER: &str = "x-portero-identity";
const KEYS: &str = "/oauth2/identity-keys";
const API: &str = "urn:portero:test-api";

const P256: &str = include_str!("../../fixtures/keys/private/p256.pem");
const RSA: &str = include_str!("../../fixtures/keys/private/rsa.pem");

/// Portero that signs with the key in the variable `IDENTITY_KEY`.
fn signing(provider: &Provider, upstream: &Upstream, key: &str) -> Setup {
    portero(provider, upstream)
        .env("IDENTITY_KEY", key.trim())
        .configure(|config| {
            config["providers"]["demo"]["access_tokens"] = json!({"audiences": [API]});
            config["upstream"]["identity"] = json!({
                "issuer": ISSUER,
                "audience": ORDERS,
                "keys": [{"key": {"env": "IDENTITY_KEY"}}],
                "claims": {
                    "email": {"claim": "email"},
                    "client_id": {"access_token_claim": "client_id"},
                },
            });
            let rules = config["rules"].as_array_mut().expect("rules");
            rules.push(json!({
                "match": {"path": {"prefix": "/reports"}},
                "identity_audience": REPORTS,
            }));
        })
}

fn bytes(member: &Value) -> Vec<u8> {
    let text = member.as_str().expect("a text");
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// The claims of a token, verified by a library with the keys that Envoy serves.
fn verified(envoy: &Envoy, token: &str, audience: &str) -> Result<Value, String> {
    let response = envoy.get(KEYS);
    assert_eq!(response.status, 200);
    let keys = response.json();
    let header = Token::decode_metadata(token).expect("a token");
    assert_eq!(header.signature_type(), Some("portero-identity+jwt"));
    let mut published = keys["keys"].as_array().expect("keys").iter();
    let key = published.find(|key| key["kid"].as_str() == header.key_id());
    let key = key.expect("the key that has signed");
    assert_eq!(key["alg"], header.algorithm());
    let options = Some(VerificationOptions {
        allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
        allowed_audiences: Some(HashSet::from([audience.to_owned()])),
        ..VerificationOptions::default()
    });
    let claims = match header.algorithm() {
        "ES256" => {
            let point = [vec![4], bytes(&key["x"]), bytes(&key["y"])].concat();
            let key = ES256PublicKey::from_bytes(&point).expect("a key");
            key.verify_token::<Value>(token, options)
        }
        _ => {
            let key = RS256PublicKey::from_components(&bytes(&key["n"]), &bytes(&key["e"]));
            key.expect("a key").verify_token::<Value>(token, options)
        }
    };
    claims.map_err(|error| error.to_string())?;
    let payload = token.split('.').nth(1).expect("claims");
    Ok(serde_json::from_slice(&bytes(&payload.into())).expect("JSON"))
}

#[test]
fn the_upstream_verifies_who_is_calling_with_the_keys_at_the_path() {
    let provider = provider_with_switches!();
    for key in [P256, RSA] {
        let upstream = Upstream::start();
        let envoy = signing(&provider, &upstream, key).start();
        let mut alice = Visitor::new();
        let page = alice.log_in(&envoy.url("/orders"), &provider.person());
        assert_eq!(page.response.status, 200);
        let token = upstream.only().one(HEADER).expect("a token");
        let claims = verified(&envoy, &token, ORDERS).expect("a good token");
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["idp"], provider.issuer());
        assert_eq!(claims["email"], "alice@example.test");
        let lifetime = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
        assert_eq!(lifetime, 60);
        verified(&envoy, &token, REPORTS).unwrap_err();
        upstream.forget();

        // It is signed once, and for another upstream again.
        alice.fetch(&envoy.url("/orders"));
        assert_eq!(upstream.only().one(HEADER).as_deref(), Some(&*token));
        upstream.forget();
        alice.fetch(&envoy.url("/reports"));
        let reports = upstream.only().one(HEADER).expect("a token");
        assert_eq!(
            verified(&envoy, &reports, REPORTS).expect("a good token")["sub"],
            "alice"
        );
        upstream.forget();

        let program = format!("Bearer {}", provider.access_token("orders"));
        let request = Request::get("/orders").header("authorization", program);
        assert_eq!(envoy.send(&request).status, 200);
        let token = upstream.only().one(HEADER).expect("a token");
        let claims = verified(&envoy, &token, ORDERS).expect("a good token");
        assert_eq!(claims["sub"], "orders");
        assert_eq!(claims["client_id"], "orders");
        assert!(!envoy.log().contains(token.rsplit('.').next().unwrap()));
        envoy.assert_unharmed();
    }
}

#[test]
fn nobody_brings_an_identity_along() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = signing(&provider, &upstream, P256).start();
    let mut alice = Visitor::new();
    alice.log_in(&envoy.url("/orders"), &provider.person());
    let stolen = upstream.only().one(HEADER).expect("a token");
    upstream.forget();
    for name in [HEADER, "X-Portero-Identity", "x_portero_identity"] {
        let request = Request::get("/healthz").header(name, &stolen);
        assert_eq!(envoy.send(&request).status, 200);
        let seen = upstream.only();
        let is_left = |(_, value): &&(Vec<u8>, Vec<u8>)| value == stolen.as_bytes();
        assert_eq!(seen.headers.iter().find(is_left), None, "{name}");
        upstream.forget();
        let request = Request::get("/orders").header(name, &stolen);
        assert_eq!(envoy.send(&request).status, 401);
    }
    assert!(upstream.requests().is_empty());
    for (method, status) in [("HEAD", 200), ("OPTIONS", 204), ("POST", 405)] {
        assert_eq!(envoy.send(&Request::new(method, KEYS)).status, status);
    }
    envoy.assert_unharmed();
}

/// Envoy's own filter, as it would stand in front of an upstream: it fetches the keys from the path.
#[test]
fn the_filter_of_envoys_own_verifies_it() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let port = port::free();
    let envoy = signing(&provider, &upstream, P256)
        .port(port)
        .cluster("keys", ([127, 0, 0, 1], port).into())
        .after(json!({"name": "verify", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"portero": {
                "issuer": ISSUER,
                "audiences": [ORDERS],
                "from_headers": [{"name": HEADER}],
                "remote_jwks": {"http_uri": {
                    "uri": format!("http://app.localhost:{port}{KEYS}"),
                    "cluster": "keys",
                    "timeout": "5s",
                }},
                "claim_to_headers": [{"header_name": "x-verified", "claim_name": "sub"}],
            }},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "portero"}}],
        }}))
        .start();
    let mut alice = Visitor::new();
    let page = alice.log_in(&envoy.url("/orders"), &provider.person());
    assert_eq!(page.response.status, 200, "{}", page.response.text());
    assert_eq!(upstream.only().one("x-verified").as_deref(), Some("alice"));
    upstream.forget();
    // What is for another upstream is not for this one, and without a token nobody gets in.
    assert_eq!(alice.fetch(&envoy.url("/reports")).response.status, 403);
    assert_eq!(envoy.get("/healthz").status, 401);
    assert!(upstream.requests().is_empty());
    envoy.assert_unharmed();
}
