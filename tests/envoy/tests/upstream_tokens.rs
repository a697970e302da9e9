//! Tokens that Portero fetches for the upstream, the same for all callers, in a real Envoy with a real provider.
use std::thread;

use portero_envoy_tests::envoy::Setup;
use portero_envoy_tests::programs::{claims, seen, token_of};
use portero_envoy_tests::provider::{Journal, SECRET};
use portero_envoy_tests::{
    Line, Person, Provider, Request, Response, Upstream, Visitor, portero, provider_with_switches,
    wait,
};
use serde_json::{Value, json};

const CLIENT_CREDENTIALS: &str = "client_credentials";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ORDERS: &str = "urn:upstream:orders";
const REPORTS: &str = "urn:upstream:reports";

/// A token by client credentials, for this resource.
fn program(client: &str, authentication: &str, resource: &str) -> Value {
    json!({
        "client": {"id": client, "authentication": {authentication: {"secret": {"env": "PROGRAM_SECRET"}}}},
        "grant": {"client_credentials": {}},
        "endpoint_params": {"resource": [resource]},
    })
}

fn for_orders() -> Value {
    program("orders", "client_secret_basic", ORDERS)
}

/// Everybody may call, and the upstream gets the token of this name under the path of the same name.
fn gateway(provider: &Provider, upstream: &Upstream, tokens: Value) -> Setup {
    portero(provider, upstream)
        .env("PROGRAM_SECRET", SECRET)
        .workers(2)
        .balanced()
        .configure(|config| {
            let names = tokens.as_object().expect("tokens by name").keys();
            let rules = names.map(|name| {
                let path = json!({"path": {"prefix": format!("/{name}")}});
                json!({"match": path, "access": "public", "upstream_tokens": [name]})
            });
            config["rules"] = rules.collect();
            config["upstream_tokens"] = tokens;
        })
}

/// The `Authorization` headers of the requests for tokens.
fn authentications(journal: &Journal) -> Vec<Option<&str>> {
    let asked = journal.grants(CLIENT_CREDENTIALS);
    let headers = asked.iter().map(|request| &request["headers"]);
    headers
        .map(|headers| headers["authorization"].as_str())
        .collect()
}

#[track_caller]
fn ends(response: &Response, status: u16, code: &str) {
    let end = (response.status, response.code());
    assert_eq!(end, (status, Some(code.to_owned())), "{}", response.text());
}

#[test]
fn two_upstreams_never_see_each_others_token() {
    let provider = provider_with_switches!();
    let (orders, reports) = (Upstream::start(), Upstream::start());
    let key = include_str!("../../fixtures/keys/private/p256.pem");
    let mut for_reports = program("orders-pkjwt", "private_key_jwt", REPORTS);
    for_reports["client"]["authentication"] = json!({"private_key_jwt": {"key": key}});
    for_reports["header"] = json!("x-reports-token");
    let tokens = json!({"orders": for_orders(), "reports": for_reports});
    let to = |path: &str, cluster: &str| json!({"match": {"prefix": path}, "route": {"cluster": cluster}});
    let hosts = json!([{"name": "all", "domains": ["*"], "routes": [
        to("/reports", "reports"), to("/", "upstream"),
    ]}]);
    let envoy = gateway(&provider, &orders, tokens)
        .cluster("reports", reports.address())
        .manager("/route_config/virtual_hosts", hosts)
        .configure(|config| {
            // Nobody logs in here.
            let demo = config["providers"]["demo"].as_object_mut();
            demo.expect("a provider")
                .retain(|key, _| key != "client" && key != "scopes");
            let rules = config["rules"].as_array_mut().expect("rules");
            rules.push(json!({"match": {"path": {"prefix": "/plain"}}, "access": "public"}));
        })
        .start();
    thread::scope(|scope| {
        for path in ["/orders", "/reports", "/plain"] {
            let envoy = &envoy;
            (0..20).for_each(|_| {
                scope.spawn(move || assert_eq!(envoy.get(path).status, 200, "{path}"));
            });
        }
    });
    assert_eq!(orders.values("x-reports-token"), Vec::<String>::new());
    for request in orders.requests() {
        let has_token = request.one("authorization").is_some();
        assert_eq!(has_token, request.target == b"/orders", "{request:?}");
    }
    assert_eq!(orders.values("authorization").len(), 20);
    let of_orders = seen(&orders);
    assert_eq!(of_orders.len(), 1);
    assert_eq!(
        (&of_orders[0]["aud"], &of_orders[0]["client_id"]),
        (&json!(ORDERS), &json!("orders"))
    );
    assert_eq!(reports.values("authorization"), Vec::<String>::new());
    let of_reports = reports.values("x-reports-token");
    assert_eq!(of_reports.len(), 20);
    for token in &of_reports {
        let claims = claims(token);
        assert_eq!(
            (&claims["aud"], &claims["client_id"]),
            (&json!(REPORTS), &json!("orders-pkjwt"))
        );
    }
    assert_eq!(provider.journal().grants(CLIENT_CREDENTIALS).len(), 2);
    envoy.assert_unharmed();
}

#[test]
fn a_provider_that_refuses_secrets_in_the_header_gets_them_in_the_form() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let automatic = program("orders-post", "client_secret_automatic", ORDERS);
    let envoy = gateway(&provider, &upstream, json!({"orders": automatic})).start();
    assert_eq!(envoy.get("/orders").status, 200);
    let journal = provider.journal();
    let asked = authentications(&journal);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].is_some_and(|basic| basic.starts_with("Basic ")));
    assert_eq!(asked[1], None);

    // Whoever asks next knows it.
    upstream.refuse(1);
    assert_eq!(envoy.get("/orders").status, 401);
    provider.forget();
    assert_eq!(envoy.get("/orders").status, 200);
    assert_eq!(authentications(&provider.journal()), [None]);
    assert_eq!(seen(&upstream).len(), 2);
    envoy.assert_unharmed();
}

#[test]
fn a_token_that_the_upstream_refuses_is_given_up_once() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = gateway(&provider, &upstream, json!({"orders": for_orders()})).start();
    let asked = || provider.journal().grants(CLIENT_CREDENTIALS).len();
    assert_eq!(envoy.get("/orders").status, 200);
    upstream.refuse(1);
    // The caller is told what the upstream says.
    assert_eq!(envoy.get("/orders").status, 401);
    for _ in 0..4 {
        assert_eq!(envoy.get("/orders").status, 200);
    }
    assert_eq!(asked(), 2);
    assert_eq!(seen(&upstream).len(), 2);
    // An upstream that refuses everything does not make Portero ask for tokens all the time.
    upstream.refuse(20);
    for _ in 0..20 {
        assert_eq!(envoy.get("/orders").status, 401);
    }
    assert_eq!(envoy.get("/orders").status, 200);
    assert_eq!(asked(), 2);
    assert_eq!(envoy.metric("upstream_token.dropped"), 1);
    let log = envoy.log();
    let values = upstream.values("authorization");
    assert!(values.iter().all(|value| !log.contains(token_of(value))));
    assert!(!log.contains(SECRET));
    envoy.assert_unharmed();
}

#[test]
fn while_the_provider_is_away_what_is_there_serves_and_what_is_not_is_missed() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let mut line = Line::to(provider.address());
    let mut optional = program("reports", "client_secret_basic", REPORTS);
    optional["when_unavailable"] = json!("pass");
    let tokens = json!({
        "known": for_orders(),
        "orders": program("reports", "client_secret_basic", ORDERS),
        "optional": optional,
    });
    let envoy = gateway(&provider, &upstream, tokens)
        .cluster("idp", line.address())
        .start();
    assert_eq!(envoy.get("/known").status, 200);
    upstream.forget();

    line.cut();
    ends(&envoy.get("/orders"), 503, "upstream_token_unreachable");
    assert!(upstream.requests().is_empty());
    assert_eq!(envoy.get("/known").status, 200);
    assert_eq!(seen(&upstream)[0]["aud"], ORDERS);
    upstream.forget();
    let own = Request::get("/optional").header("authorization", "Bearer of-the-caller");
    assert_eq!(envoy.send(&own).status, 200);
    assert_eq!(upstream.only().all("authorization"), Vec::<String>::new());
    assert_eq!(envoy.metric("upstream_token.left_out"), 1);
    upstream.forget();

    line.mend();
    wait::until("the provider is asked again", || {
        (envoy.get("/orders").status == 200).then_some(())
    });
    wait::until("the other token comes, too", || {
        assert_eq!(envoy.send(&own).status, 200);
        let audience = |claims: Value| claims["aud"] == REPORTS;
        seen(&upstream).into_iter().any(audience).then_some(())
    });
    assert_eq!(provider.journal().grants(CLIENT_CREDENTIALS).len(), 3);
    envoy.assert_unharmed();
}

#[test]
fn the_callers_own_header_gives_way_unless_it_is_to_stay() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let mut kept = program("reports", "client_secret_basic", REPORTS);
    kept["keep_existing"] = json!(true);
    let envoy = gateway(
        &provider,
        &upstream,
        json!({"orders": for_orders(), "kept": kept}),
    )
    .start();
    let own = |path: &str| {
        let request = Request::get(path).header("authorization", "Bearer of-the-caller");
        envoy.send(&request.header("authorization", "Basic b2Y6Y2FsbGVy"))
    };
    assert_eq!(own("/orders").status, 200);
    let values = upstream.values("authorization");
    assert_eq!(values.len(), 1, "{values:?}");
    assert_eq!(claims(token_of(&values[0]))["aud"], ORDERS);
    upstream.forget();

    assert_eq!(own("/kept").status, 200);
    let values = upstream.values("authorization");
    assert!(values[0].contains("of-the-caller"), "{values:?}");
    assert_eq!(provider.journal().grants(CLIENT_CREDENTIALS).len(), 1);
    upstream.forget();
    assert_eq!(envoy.get("/kept").status, 200);
    assert_eq!(seen(&upstream)[0]["aud"], REPORTS);
    envoy.assert_unharmed();
}

#[test]
fn no_token_is_fetched_for_a_caller_who_is_refused() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = gateway(&provider, &upstream, json!({"orders": for_orders()}))
        .configure(|config| {
            config["rules"] = json!([{
                "match": {"path": {"prefix": "/orders"}},
                "require": {"realm_roles": {"any_of": ["admin"]}},
                "upstream_tokens": ["orders"],
            }]);
        })
        .start();
    let asked = || provider.journal().grants(CLIENT_CREDENTIALS).len();
    let mut bob = Visitor::new();
    assert_eq!(bob.fetch(&envoy.url("/orders")).response.status, 401);
    let refused = bob.log_in(&envoy.url("/orders"), &Person::named("bob"));
    assert_eq!(refused.response.status, 403);
    assert!(upstream.requests().is_empty());
    assert_eq!(asked(), 0);
    let mut alice = Visitor::new();
    let page = alice.log_in(&envoy.url("/orders"), &Person::named("alice"));
    assert_eq!(page.response.status, 200, "{}", page.response.text());
    assert_eq!(seen(&upstream)[0]["sub"], "orders");
    assert_eq!(asked(), 1);
    envoy.assert_unharmed();
}

#[test]
fn signed_assertions_and_refresh_tokens_bring_tokens_and_what_is_replaced_is_not_shown_again() {
    let provider = provider_with_switches!();
    let configured = provider.refresh_token(&Person::named("bob"));
    let upstream = Upstream::start();
    let key = include_str!("../../fixtures/keys/private/p256.pem");
    let signed =
        json!({"key": key, "key_id": "p256", "issuer": "orders-pkjwt", "subject": "alice"});
    let mut asserted = for_orders();
    asserted["grant"] = json!({"jwt_bearer": {"signed": signed}});
    asserted["scopes"] = json!(["read", "write"]);
    // The client that people log in with, as the refresh token is of one of its logins.
    let refreshed = json!({"grant": {"refresh_token": {"token": {"env": "REFRESH_TOKEN"}}}});
    let tokens = json!({"asserted": asserted, "refreshed": refreshed});
    let envoy = gateway(&provider, &upstream, tokens)
        .env("REFRESH_TOKEN", &configured)
        .start();
    provider.forget();
    for path in ["/asserted", "/refreshed"] {
        assert_eq!(envoy.get(path).status, 200, "{path}");
        upstream.refuse(1);
        assert_eq!(envoy.get(path).status, 401, "{path}");
        assert_eq!(envoy.get(path).status, 200, "{path}");
    }
    let values = upstream.values("authorization");
    assert_ne!(values[0], values[2]);
    for value in [&values[0], &values[2]] {
        let claims = claims(token_of(value));
        assert_eq!(claims["sub"], "alice");
        assert_eq!(
            (&claims["aud"], &claims["scope"]),
            (&json!(ORDERS), &json!("read write"))
        );
    }
    assert_ne!(values[3], values[5]);
    let journal = provider.journal();
    let shown = |grant: &str, name: &str| -> Vec<_> {
        let asked = journal.grants(grant).into_iter();
        asked.map(|request| request["form"][name].clone()).collect()
    };
    let assertions = shown(JWT_BEARER, "assertion");
    assert_eq!(assertions.len(), 2);
    assert_ne!(assertions[0], assertions[1]);
    let refresh_tokens = shown("refresh_token", "refresh_token");
    assert_eq!(refresh_tokens.len(), 2);
    assert_eq!(refresh_tokens[0], configured);
    assert_ne!(refresh_tokens[1], configured);
    envoy.assert_unharmed();
}
