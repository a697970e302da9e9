//! What other systems were configured to do, Portero does with what the conversion makes of it: the sources
//! of `tests/fixtures/moving`, with the addresses of the provider that runs here.
mod kong_oidc;
mod moved;

use jwt_simple::prelude::{
    Claims, Duration, ECDSAP256KeyPairLike as _, ES256KeyPair, HS256Key, MACLike as _,
};
use kong_oidc::KongOidc;
use moved::{Moved, PARTNER_SECRET};
use portero_convert::System;
use portero_envoy_tests::programs::claims;
use portero_envoy_tests::{Provider, Request, Upstream, Visitor, provider_with_switches};
use serde_json::json;

/// Tokens of a partner's, as Kong's consumers make them.
fn partner_token(audience: &str, lasts: u64, age: u64) -> String {
    let mut token = Claims::create(Duration::from_secs(lasts))
        .with_issuer("https://partner.example.com/")
        .with_audience(audience);
    let back = |time: Option<Duration>| time.map(|time| time - Duration::from_secs(age));
    token.issued_at = back(token.issued_at);
    token.expires_at = back(token.expires_at);
    token.invalid_before = back(token.invalid_before);
    HS256Key::from_bytes(PARTNER_SECRET.as_bytes())
        .authenticate(token)
        .expect("a token")
}

#[test]
fn everybody_gets_what_they_got() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let moved = |system, name, client| Moved::new(system, name, client, &provider, &upstream);
    let kusk = moved(System::Kusk, "kusk.yaml", "web-post");
    let native = moved(System::EnvoyOauth2, "envoy-oauth2.yaml", "web");
    let jwt = moved(System::KongJwt, "kong-jwt.yaml", "");
    let krakend = moved(System::Krakend, "krakend.json", "");
    let kong_oidc = KongOidc::new(&provider, &upstream);
    let mut setup = kusk.setup.clone().port(kusk.address.port());
    let others = [&native, &jwt, &krakend].into_iter();
    for other in others.chain(kong_oidc.each()) {
        setup = setup.beside(other.address, other.setup.clone());
    }
    let envoy = setup.start();
    let everywhere = [&kusk, &native].into_iter().chain(kong_oidc.each());
    let origins: Vec<_> = everywhere.map(Moved::origin).collect();
    provider.register(&origins.iter().map(String::as_str).collect::<Vec<_>>());

    as_with_kusk(&kusk, &provider, &upstream);
    as_with_envoys_own_filter(&native, &provider, &upstream);
    kong_oidc.serves_as_before(&provider, &upstream);
    as_with_kong_jwt(&jwt, &upstream);
    as_with_krakend(&krakend, &provider, &upstream);
    envoy.assert_unharmed();
}

fn as_with_kusk(kusk: &Moved, provider: &Provider, upstream: &Upstream) {
    kusk.answers(&[
        ("/healthz", 200),
        ("/login-help", 200),
        ("/healthz/x", 401),
        ("/", 401),
    ]);
    let start = Visitor::new().open(&format!("{}/uuid", kusk.origin()));
    let sent_to = start.redirect().expect("a redirect to the provider");
    assert!(
        sent_to.as_str().starts_with(&format!(
            "{}/auth?",
            provider.issuer().trim_end_matches('/')
        )),
        "{sent_to}"
    );
    let client = sent_to.query_pairs().find(|(name, _)| name == "client_id");
    assert_eq!(client.expect("a client").1, "web-post");
    let (visitor, seen) = kusk.logged_in("/uuid", provider, upstream);
    let token = seen.one("authorization").expect("the access token");
    assert!(token.starts_with("Bearer "), "{token}");
    kusk.logs_out(visitor, "/oauth2/signout", "/uuid");
}

fn as_with_envoys_own_filter(native: &Moved, provider: &Provider, upstream: &Upstream) {
    native.answers(&[
        ("/static/app.js", 200),
        ("/healthz", 200),
        ("/static", 401),
        ("/staticity", 401),
        ("/", 401),
    ]);
    assert_eq!(native.send(Request::new("OPTIONS", "/")).status, 200);
    let mut visitor = Visitor::new();
    let refused = visitor.open(&format!("{}/api/orders", native.origin()));
    assert_eq!(refused.response.status, 401, "no redirect there");
    let (_, seen) = native.logged_in("/orders", provider, upstream);
    assert!(
        seen.one("authorization")
            .expect("the access token")
            .starts_with("Bearer ")
    );
}

fn as_with_kong_jwt(jwt: &Moved, upstream: &Upstream) {
    upstream.forget();
    let bearer = |token: &str| {
        let request = Request::get("/orders").header("x-consumer-username", "mallory");
        request.header("authorization", format!("Bearer {token}"))
    };
    let good = partner_token("orders", 600, 0);
    assert_eq!(jwt.send(bearer(&good)).status, 200);
    let seen = upstream.only();
    for (name, value) in [
        ("x-consumer-username", "orders-app"),
        ("x-consumer-custom-id", "crm-0017"),
        ("x-credential-identifier", "https://partner.example.com/"),
        ("authorization", &format!("Bearer {good}")),
    ] {
        assert_eq!(seen.all(name), [value], "{name}");
    }
    assert_eq!(jwt.get(&format!("/orders?jwt={good}")).status, 200);
    // Kong let tokens pass whose end nobody had told it to look at.
    for bad in [
        partner_token("orders", 600, 1200),
        partner_token("others", 600, 0),
        partner_token("orders", 7200, 0),
        format!("{good}x"),
    ] {
        let refused = jwt.send(bearer(&bad));
        assert_eq!(refused.status, 401, "{}", refused.text());
    }
    let challenge = jwt
        .get("/orders")
        .one("www-authenticate")
        .expect("a challenge");
    assert!(challenge.contains("realm=\"orders\""), "{challenge}");

    upstream.forget();
    let key = include_str!("../../../fixtures/keys/private/p256.pem");
    let key = ES256KeyPair::from_pem(key).expect("a key");
    let token =
        Claims::with_custom_claims(json!({"client_id": "reports"}), Duration::from_secs(600))
            .with_issuer("https://reports.example.com/")
            .with_audience("orders");
    let token = key.sign(token).expect("a token");
    let request = Request::get("/").header("x-api-token", format!("Bearer {token}"));
    let answer = jwt.send(request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(upstream.only().all("x-consumer-username"), ["reports"]);
}

fn as_with_krakend(krakend: &Moved, provider: &Provider, upstream: &Upstream) {
    upstream.forget();
    provider.forget();
    for _ in 0..5 {
        let own = Request::get("/orders").header("authorization", "Bearer of-the-caller");
        assert_eq!(krakend.send(own).status, 200);
    }
    assert_eq!(krakend.send(Request::post("/reports", "x")).status, 200);
    let seen = upstream.values("authorization");
    let issued_to = |value: &String| {
        let token = value.strip_prefix("Bearer ").expect("a bearer token");
        let claims = claims(token);
        (claims["client_id"].clone(), claims["aud"].clone())
    };
    assert_eq!(seen.len(), 6);
    assert!(
        seen.iter()
            .take(5)
            .all(|value| issued_to(value) == (json!("orders"), json!("urn:upstream:orders")))
    );
    assert_eq!(
        seen.last().map(issued_to),
        Some((json!("orders-post"), json!("urn:upstream:reports")))
    );
    assert_eq!(provider.journal().grants("client_credentials").len(), 2);
    for request in [
        Request::get("/reports"),
        Request::post("/orders", "x"),
        Request::get("/orders/1"),
        Request::get("/"),
    ] {
        assert_eq!(krakend.send(request).status, 401);
    }
}
