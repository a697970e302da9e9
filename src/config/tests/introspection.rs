//! How the provider is asked about access tokens.

use super::*;

const AT: &str = "providers.machines.access_tokens.introspection";

/// A provider without a client, whose tokens are asked about.
fn machines(introspection: Value) -> Value {
    with(
        "/providers/machines",
        json!({
            "issuer": "https://machines.example.com/",
            "cluster": "machines",
            "access_tokens": {"audiences": ["orders"], "introspection": introspection},
        }),
    )
}

fn corp(introspection: Value) -> Value {
    with(
        "/providers/corp/access_tokens",
        json!({"audiences": ["orders"], "introspection": introspection}),
    )
}

fn client() -> Value {
    json!({"id": "gateway", "authentication": {"client_secret_basic": {"secret": "s"}}})
}

#[test]
fn a_provider_is_asked_with_its_own_client_unless_another_is_written() {
    let config = accepted(&corp(json!({})));
    let policy = config.provider.introspection().unwrap();
    assert!(matches!(
        policy.credentials,
        IntrospectionCredentials::ProviderClient
    ));
    assert_eq!(policy.cache, Duration::from_secs(30));
    assert_eq!(policy.cache_inactive, Duration::from_secs(5));
    assert!(!policy.jwt && !policy.insecure_allow_missing_audience);

    let config = accepted(&corp(json!({"client": client(), "jwt": true})));
    let policy = config.provider.introspection().unwrap();
    assert!(policy.jwt);
    assert!(matches!(
        &policy.credentials,
        IntrospectionCredentials::Client(client) if client.id == "gateway"
    ));
    let config = accepted(&machines(json!({"bearer_token": "own"})));
    let policy = config.others[0].introspection().unwrap();
    assert!(matches!(
        &policy.credentials,
        IntrospectionCredentials::Bearer(token) if token.expose() == "own"
    ));
}

#[test]
fn somebody_has_to_ask() {
    refused(
        &machines(json!({})),
        &format!("{AT}.client"),
        "is missing; accepted: the client that asks, or a `bearer_token`",
    );
    refused(
        &machines(json!({"client": client(), "bearer_token": "own"})),
        &format!("{AT}.bearer_token"),
        "stands beside a `client`",
    );
    refused(
        &machines(json!({"client": {"id": "gateway"}})),
        &format!("{AT}.client.authentication"),
        "is missing",
    );
    for token in ["two words", "line\nfeed", "ü"] {
        refused(
            &machines(json!({"bearer_token": token})),
            &format!("{AT}.bearer_token"),
            "has characters that no token has",
        );
    }
    refused(
        &machines(json!({"bearer_token": 5})),
        &format!("{AT}.bearer_token"),
        "is a number",
    );
}

#[test]
fn answers_are_remembered_within_bounds() {
    for (key, value, words) in [
        ("cache", "1h1s", "is 1h1s; accepted: 0s to 1h"),
        ("cache_inactive", "2m", "is 2m; accepted: 0s to 1m"),
    ] {
        let mut introspection = json!({"bearer_token": "own"});
        introspection[key] = json!(value);
        refused(&machines(introspection), &format!("{AT}.{key}"), words);
    }
    let bounds = json!({"bearer_token": "own", "cache": "0s", "cache_inactive": "1m"});
    let config = accepted(&machines(bounds));
    assert_eq!(
        config.others[0].introspection().unwrap().cache,
        Duration::ZERO
    );
}

#[test]
fn an_audience_may_be_missing_by_a_word_that_warns() {
    let loosened = json!({"bearer_token": "own", "insecure_allow_missing_audience": true});
    let warnings = load(&machines(loosened)).unwrap().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with(&format!("{AT}.insecure_allow_missing_audience: ")));
}

#[test]
fn only_one_provider_is_asked() {
    let mut whole = machines(json!({"bearer_token": "own"}));
    put(
        &mut whole,
        "/providers/corp/access_tokens",
        json!({"audiences": ["orders"], "introspection": {}}),
    );
    refused(&whole, AT, "is the second of the configuration");
}

#[test]
fn a_provider_that_is_only_asked_needs_no_keys_and_is_reached() {
    let mut whole = machines(json!({"bearer_token": "own"}));
    assert!(!accepted(&whole).others[0].must_publish_keys());
    assert!(accepted(&corp(json!({}))).provider.must_publish_keys());
    let secret = json!({"secret": {"value": "k".repeat(32), "algorithm": "HS256"}});
    let tokens = &mut whole["providers"]["machines"];
    tokens["access_tokens"]["keys"] = json!([secret]);
    tokens.as_object_mut().unwrap().remove("cluster");
    refused(&whole, "providers.machines.cluster", "is missing");
}

#[test]
fn its_endpoint_has_a_cluster_and_may_be_written_by_hand() {
    let mut whole = machines(json!({"bearer_token": "own"}));
    assert_eq!(
        accepted(&whole).others[0].clusters.introspection,
        "machines"
    );
    let machines = &mut whole["providers"]["machines"];
    machines["clusters"] = json!({"introspection": "other"});
    machines["endpoints"] = json!({"introspection": "https://machines.example.com/introspect"});
    let config = accepted(&whole);
    assert_eq!(config.others[0].clusters.introspection, "other");
    let endpoint = config.others[0].endpoints.introspection.as_ref().unwrap();
    assert_eq!(endpoint.path(), "/introspect");
}

#[test]
fn who_asks_has_to_prove_who_they_are() {
    let open = json!({"none": {}});
    let mut own = corp(json!({}));
    own["providers"]["corp"]["client"]["authentication"] = open.clone();
    let other = machines(json!({"client": {"id": "gateway", "authentication": open}}));
    for (whole, provider) in [(own, "corp"), (other, "machines")] {
        refused(
            &whole,
            &format!("providers.{provider}.access_tokens.introspection.client"),
            "does not prove who it is",
        );
    }
}
