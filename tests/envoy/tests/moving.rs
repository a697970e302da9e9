//! What other systems were configured to do, Portero does with what the conversion makes of it: the sources
//! of `tests/fixtures/moving`, with the addresses of the provider that runs here.
use std::fs;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jwt_simple::prelude::{
    Claims, Duration, ECDSAP256KeyPairLike as _, ES256KeyPair, HS256Key, MACLike as _,
};
use portero_convert::{Options, System, convert};
use portero_envoy_tests::envoy::SESSION_KEY;
use portero_envoy_tests::programs::claims;
use portero_envoy_tests::provider::{Person, SECRET};
use portero_envoy_tests::{
    Filter, Provider, Request, Response, Setup, Upstream, Visitor, artifact, port,
    provider_with_switches,
};
use serde_json::{Value, json};

/// An API, for which the provider gives signed tokens with the scopes `read` and `write`.
const ORDERS: &str = "urn:upstream:orders";
const PARTNER_SECRET: &str = "a-secret-of-a-partner-0123456789-abcdef";

/// Portero with what comes of a source, at an address of its own.
struct Moved {
    setup: Setup,
    address: SocketAddr,
}

impl Moved {
    fn new(
        system: System,
        name: &str,
        client: &str,
        provider: &Provider,
        upstream: &Upstream,
    ) -> Self {
        let text = source(name).replace("client_id: web", &format!("client_id: {client}"));
        Self::of(system, &text, &["orders"], provider, upstream)
    }

    /// What comes of this text, with these audiences.
    fn of(
        system: System,
        text: &str,
        audiences: &[&str],
        provider: &Provider,
        upstream: &Upstream,
    ) -> Self {
        let issuer = provider.issuer().trim_end_matches('/');
        let text = text.replace("https://idp.example.com", issuer);
        let options = Options {
            audiences: audiences.iter().copied().map(str::to_owned).collect(),
            any_query: true,
            ..Options::default()
        };
        let conversion = convert(system, &text, &options).expect("a conversion");
        assert!(
            conversion.notes.decisions.is_empty(),
            "{}",
            conversion.notes
        );
        let mut configuration = conversion.configuration.expect("a configuration");
        // The only thing that is not as it comes: browsers reach this Envoy without TLS.
        configuration["session"]["cookie"] = json!({"insecure_allow_http": true});
        let providers = configuration["providers"].as_object().expect("providers");
        let clusters: Vec<String> = providers
            .values()
            .filter_map(|one| Some(one["cluster"].as_str()?.to_owned()))
            .collect();
        let mut setup = Setup::new(upstream).env("SESSION_KEY", SESSION_KEY);
        for cluster in clusters {
            setup = setup.cluster(&cluster, provider.address());
        }
        for name in [
            "OIDC_CLIENT_SECRET",
            "KEYCLOAK_SECRET",
            "BACKEND_1_SECRET",
            "BACKEND_2_SECRET",
        ] {
            setup = setup.env(name, SECRET);
        }
        let setup = setup
            .env("JWT_SECRET_ORDERS_APP_1", PARTNER_SECRET)
            .filter(Filter::new("portero", artifact::portero(), configuration));
        Self {
            setup,
            address: SocketAddr::from(([127, 0, 0, 1], port::free())),
        }
    }

    fn send(&self, request: Request) -> Response {
        request.send(self.address).expect("an answer")
    }

    fn get(&self, path: &str) -> Response {
        self.send(Request::get(path))
    }

    fn origin(&self) -> String {
        format!("http://app.localhost:{}", self.address.port())
    }

    /// Somebody who has logged in to see this path, and what the upstream then got.
    fn logged_in(
        &self,
        path: &str,
        provider: &Provider,
        upstream: &Upstream,
    ) -> (Visitor, Request) {
        upstream.forget();
        let mut visitor = Visitor::with_form(provider.form());
        let url = format!("{}{path}", self.origin());
        let page = visitor.log_in(&url, &provider.person());
        assert_eq!(page.response.status, 200, "{}", page.response.text());
        assert_eq!(page.url.as_str(), url);
        (visitor, upstream.only())
    }
}

fn source(name: &str) -> String {
    let file = artifact::root().join("tests/fixtures/moving").join(name);
    fs::read_to_string(file).expect("a source")
}

/// A source with these words in the place of others.
fn with(name: &str, words: &[(&str, &str)]) -> String {
    words.iter().fold(source(name), |text, (from, to)| {
        assert!(text.contains(from), "{name} has no {from}");
        text.replace(from, to)
    })
}

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
    let nokia = moved(System::KongOidc, "kong-oidc-nokia.yaml", "web-post");
    let jwt = moved(System::KongJwt, "kong-jwt.yaml", "");
    let krakend = moved(System::Krakend, "krakend.json", "");
    let revomatico = with(
        "kong-oidc-revomatico-jwt.yaml",
        &[
            ("https://acme.eu.auth0.com", "https://idp.example.com"),
            (
                "bearer_only: \"yes\"",
                "bearer_only: \"yes\"\n          validate_scope: \"yes\"\n          scope: read\n          unauth_action: deny",
            ),
        ],
    );
    let revomatico = Moved::of(
        System::KongOidc,
        &revomatico,
        &[ORDERS],
        &provider,
        &upstream,
    );
    // Its people, with the roles that the provider knows.
    let epam = with(
        "kong-oidc-epam.yaml",
        &[
            ("allow_token_auth: true", "allow_token_auth: false"),
            ("scope: openid profile", "scope: openid profile roles"),
            ("unauth_action: deny", "unauth_action: auth"),
            ("[clerk]", "[web-admin]"),
            ("web:clerk", "web:web-admin"),
            ("[admin, user]", "[admin]"),
        ],
    );
    let epam = Moved::of(System::KongOidc, &epam, &[], &provider, &upstream);
    let mut setup = kusk.setup.clone().port(kusk.address.port());
    for other in [&native, &nokia, &revomatico, &epam, &jwt, &krakend] {
        setup = setup.beside(other.address, other.setup.clone());
    }
    let envoy = setup.start();
    let origins = [&kusk, &native, &nokia, &epam].map(Moved::origin);
    provider.register(&origins.each_ref().map(String::as_str));

    as_with_kusk(&kusk, &provider, &upstream);
    as_with_envoys_own_filter(&native, &provider, &upstream);
    as_with_kong_oidc(&nokia, &provider, &upstream);
    as_with_revomaticos(&revomatico, &provider, &upstream);
    as_with_epams(&epam, &provider, &upstream);
    as_with_kong_jwt(&jwt, &upstream);
    as_with_krakend(&krakend, &provider, &upstream);
    envoy.assert_unharmed();
}

fn as_with_kusk(kusk: &Moved, provider: &Provider, upstream: &Upstream) {
    for (path, status) in [
        ("/healthz", 200),
        ("/login-help", 200),
        ("/healthz/x", 401),
        ("/", 401),
    ] {
        assert_eq!(kusk.get(path).status, status, "{path}");
    }
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
    let (mut visitor, seen) = kusk.logged_in("/uuid", provider, upstream);
    let token = seen.one("authorization").expect("the access token");
    assert!(token.starts_with("Bearer "), "{token}");
    let same_site = ("sec-fetch-site".to_owned(), b"same-origin".to_vec());
    visitor.headers.push(same_site);
    visitor.open(&format!("{}/oauth2/signout", kusk.origin()));
    let after = visitor.fetch(&format!("{}/uuid", kusk.origin()));
    assert_eq!(after.response.status, 401);
}

fn as_with_envoys_own_filter(native: &Moved, provider: &Provider, upstream: &Upstream) {
    for (path, status) in [
        ("/static/app.js", 200),
        ("/healthz", 200),
        ("/static", 401),
        ("/staticity", 401),
        ("/", 401),
    ] {
        assert_eq!(native.get(path).status, status, "{path}");
    }
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

fn as_with_kong_oidc(nokia: &Moved, provider: &Provider, upstream: &Upstream) {
    for (path, status) in [
        ("/healthz", 200),
        ("/static/x", 200),
        ("/robots.txt", 200),
        ("/static", 401),
        ("/", 401),
    ] {
        assert_eq!(nokia.get(path).status, status, "{path}");
    }
    upstream.forget();
    let forged = Request::get("/healthz")
        .header("x-userinfo", "e30=")
        .header("X-Access-Token", "x");
    assert_eq!(nokia.send(forged).status, 200);
    let seen = upstream.only();
    assert!(seen.one("x-userinfo").is_none() && seen.one("x-access-token").is_none());
    let (_, seen) = nokia.logged_in("/orders", provider, upstream);
    let decoded = |name: &str| -> Value {
        let header = seen.one(name).expect(name);
        serde_json::from_slice(&STANDARD.decode(header).expect("base64")).expect("JSON")
    };
    let sub = decoded("x-id-token")["sub"].clone();
    assert_eq!(decoded("x-userinfo")["sub"], sub);
    let token = seen.one("x-access-token").expect("the access token");
    assert!(!token.is_empty() && !token.starts_with("Bearer "));
}

/// Programs alone, with the scope that is asked for.
fn as_with_revomaticos(revomatico: &Moved, provider: &Provider, upstream: &Upstream) {
    let token = |resource: &str, scope: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("resource", resource),
            ("scope", scope),
        ];
        let answer = provider.as_program("orders", "/token", &form);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token = answer.json()["access_token"].clone();
        token.as_str().expect("a token").to_owned()
    };
    let call = |token: &str| {
        let request = Request::get("/orders").header("authorization", format!("Bearer {token}"));
        revomatico.send(request)
    };
    upstream.forget();
    let good = call(&token(ORDERS, "read"));
    assert_eq!(good.status, 200, "{}", good.text());
    assert!(upstream.only().one("x-userinfo").is_none());
    assert_eq!(call(&token(ORDERS, "write")).status, 403);
    assert_eq!(call(&token("urn:upstream:reports", "read")).status, 401);
    assert_eq!(call("no-token").status, 401);
    let refused = Visitor::new().open(&format!("{}/orders", revomatico.origin()));
    assert_eq!(refused.response.status, 401, "no redirect there");
}

/// People with the roles that are asked for.
fn as_with_epams(epam: &Moved, provider: &Provider, upstream: &Upstream) {
    for (path, status) in [("/healthz", 200), ("/healthz/x", 401), ("/orders", 401)] {
        assert_eq!(epam.get(path).status, status, "{path}");
    }
    let token = provider.opaque_token("orders", None);
    let program = Request::get("/orders").header("authorization", format!("Bearer {token}"));
    assert_eq!(epam.send(program).status, 401, "`allow_token_auth` is off");
    let (_, seen) = epam.logged_in("/orders", provider, upstream);
    let header = seen.one("x-user").expect("claims of userinfo");
    let claims: Value =
        serde_json::from_slice(&STANDARD.decode(header).expect("base64")).expect("JSON");
    assert_eq!(claims["sub"], "alice");
    let token = seen.one("authorization").expect("the access token");
    assert!(token.starts_with("Bearer "), "{token}");
    // The role `user` is not enough.
    upstream.forget();
    let mut bob = Visitor::with_form(provider.form());
    let page = bob.log_in(&format!("{}/orders", epam.origin()), &Person::named("bob"));
    assert_eq!(page.response.status, 403, "{}", page.response.text());
    assert!(upstream.values("x-user").is_empty(), "nothing went on");
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
    let key = include_str!("../../fixtures/keys/private/p256.pem");
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
