//! Tokens for the upstream that are made of the caller's own, in a real Envoy with a provider that exchanges tokens (RFC 8693).
use portero_envoy_tests::envoy::Setup;
use portero_envoy_tests::programs::claims;
use portero_envoy_tests::provider::SECRET;
use portero_envoy_tests::{
    Envoy, Person, Provider, Request, Response, Upstream, Visitor, portero, provider_with_switches,
};
use serde_json::{Value, json};

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const API: &str = "urn:portero:test-api";
const ORDERS: &str = "urn:upstream:orders";

/// The client `orders`, which asks for this.
fn asked_for(grant: Value) -> Value {
    let basic = json!({"client_secret_basic": {"secret": {"env": "PROGRAM_SECRET"}}});
    json!({"client": {"id": "orders", "authentication": basic}, "grant": grant})
}

/// Whoever is known may call, and the upstream gets a token of theirs.
fn gateway(provider: &Provider, upstream: &Upstream, exchange: Value) -> Setup {
    portero(provider, upstream)
        .env("PROGRAM_SECRET", SECRET)
        .workers(2)
        .balanced()
        .configure(|config| {
            config["upstream_tokens"] =
                json!({"orders": asked_for(json!({"token_exchange": exchange}))});
            config["upstream"]["tokens"] = json!(["orders"]);
        })
}

fn logged_in(envoy: &Envoy, name: &str) -> Visitor {
    let mut visitor = Visitor::new();
    let page = visitor.log_in(&envoy.url("/"), &Person::named(name));
    assert_eq!(page.response.status, 200, "{}", page.response.text());
    visitor
}

fn call(envoy: &Envoy, token: &str) -> Response {
    let request = Request::get("/orders").header("authorization", format!("Bearer {token}"));
    envoy.send(&request)
}

/// The tokens that the upstream has got, oldest first.
fn tokens(upstream: &Upstream) -> Vec<String> {
    let values = upstream.values("authorization");
    let token = |value: &String| value.strip_prefix("Bearer ").map(str::to_owned);
    values.iter().filter_map(token).collect()
}

fn exchanges(provider: &Provider) -> Vec<Value> {
    let journal = provider.journal();
    let asked = journal.grants(TOKEN_EXCHANGE).into_iter();
    asked.map(|request| request["form"].clone()).collect()
}

#[test]
fn everybody_who_logs_in_has_a_token_of_their_own_at_the_upstream() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let exchange = json!({"audience": ["orders-api"], "resource": [ORDERS]});
    let envoy = gateway(&provider, &upstream, exchange).start();
    let mut alice = logged_in(&envoy, "alice");
    // Connections of their own, and so at both workers.
    for _ in 0..9 {
        assert_eq!(alice.fetch(&envoy.url("/orders")).response.status, 200);
    }
    let of_alice = tokens(&upstream);
    assert_eq!(of_alice.len(), 10);
    assert!(of_alice.iter().all(|token| *token == of_alice[0]));
    let said = claims(&of_alice[0]);
    assert_eq!(
        (&said["sub"], &said["aud"]),
        (&json!("alice"), &json!(["orders-api", ORDERS]))
    );
    assert_eq!(exchanges(&provider).len(), 1);

    upstream.forget();
    let mut bob = logged_in(&envoy, "bob");
    assert_eq!(bob.fetch(&envoy.url("/orders")).response.status, 200);
    assert_eq!(alice.fetch(&envoy.url("/orders")).response.status, 200);
    let subjects = tokens(&upstream).into_iter();
    let subjects: Vec<_> = subjects
        .map(|token| claims(&token)["sub"].clone())
        .collect();
    assert_eq!(subjects, ["bob", "bob", "alice"]);
    let asked = exchanges(&provider);
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0]["subject_token"], asked[1]["subject_token"]);
    assert_eq!(asked[0]["subject_token_type"], ACCESS_TOKEN);
    assert_eq!(asked[0]["audience"], "orders-api");
    assert_eq!(asked[0]["resource"], ORDERS);
    envoy.assert_unharmed();
}

#[test]
fn a_programs_token_is_exchanged_with_portero_for_an_actor_and_stays_here() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let exchange = json!({"resource": [ORDERS], "actor": {"upstream_token": "portero"}});
    let envoy = gateway(&provider, &upstream, exchange)
        .configure(|config| {
            config["providers"]["demo"]["access_tokens"] = json!({"audiences": [API]});
            let mut portero = asked_for(json!({"client_credentials": {}}));
            portero["endpoint_params"] = json!({"resource": [API]});
            config["upstream_tokens"]["portero"] = portero;
        })
        .start();
    let (orders, reports) = (
        provider.access_token("orders"),
        provider.access_token("reports"),
    );
    provider.forget();
    for token in [&orders, &reports, &orders] {
        let response = call(&envoy, token);
        assert_eq!(response.status, 200, "{}", response.text());
    }
    let shown = tokens(&upstream);
    assert_eq!(shown[0], shown[2]);
    for (token, program) in [(&shown[0], "orders"), (&shown[1], "reports")] {
        let said = claims(token);
        assert_eq!(
            (&said["sub"], &said["aud"]),
            (&json!(program), &json!(ORDERS))
        );
        assert_eq!(said["act"], json!({"sub": "orders"}));
    }
    // Nobody's own token has got through.
    let seen = format!("{:?}", upstream.requests());
    for token in [&orders, &reports] {
        assert!(!seen.contains(token.as_str()));
    }
    let asked = exchanges(&provider);
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0]["subject_token"], orders);
    assert_eq!(asked[0]["actor_token_type"], ACCESS_TOKEN);
    assert_eq!(asked[0]["actor_token"], asked[1]["actor_token"]);
    assert_eq!(provider.journal().grants("client_credentials").len(), 1);

    let forged = format!("{}x", orders);
    assert_eq!(call(&envoy, &forged).status, 401);
    assert_eq!(
        provider.journal().count("/token"),
        3,
        "nothing is asked for it"
    );
    envoy.assert_unharmed();
}

#[test]
fn a_token_for_another_audience_than_was_asked_for_goes_nowhere() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let exchange = json!({"resource": [ORDERS], "issued_audiences": ["urn:upstream:reports"]});
    let envoy = gateway(&provider, &upstream, exchange).start();
    let mut alice = Visitor::new();
    let page = alice.log_in(&envoy.url("/"), &Person::named("alice"));
    let end = (page.response.status, page.code());
    assert_eq!(end, (502, Some("upstream_token_malformed".to_owned())));
    assert!(upstream.requests().is_empty());
    envoy.wait_for_log("cause=audience_mismatch");
    envoy.assert_unharmed();
}
