//! Faults of a provider.

use super::*;

fn corp(key: &str, value: Value) -> Value {
    with(&format!("/providers/corp/{key}"), value)
}

#[test]
fn there_is_a_provider_and_people_log_in_at_one() {
    refused(&with("/providers", json!({})), "providers", "is empty");
    let corp = with("/x", json!(1))["providers"]["corp"].clone();
    let mut other = corp.clone();
    other["issuer"] = json!("https://other.example.com");
    refused(
        &with("/providers/other", other.clone()),
        "providers.other.client",
        "is the second of the configuration",
    );
    other.as_object_mut().unwrap().remove("client");
    other["access_tokens"] = json!({"audiences": ["orders"]});
    other["issuer"] = corp["issuer"].clone();
    refused(
        &with("/providers/other", other),
        "providers.other.issuer",
        "is the issuer of another provider",
    );
    refused(
        &with("/providers", json!({"my corp": corp})),
        "providers[\"my corp\"]",
        "is not a name for a provider",
    );
}

#[test]
fn each_required_key_is_asked_for() {
    for (key, words) in [("issuer", "an https URL"), ("cluster", "Envoy cluster")] {
        refused(
            &without(&format!("/providers/corp/{key}")),
            &format!("providers.corp.{key}"),
            words,
        );
    }
    refused(
        &without("/providers/corp/client"),
        "providers.corp",
        "it vouches for nobody",
    );
    refused(
        &without("/providers/corp/client/id"),
        "providers.corp.client.id",
        "is missing",
    );
    refused(
        &without("/providers/corp/client/authentication"),
        "providers.corp.client.authentication",
        "is missing; accepted: an object with one of client_secret_basic",
    );
    refused(
        &corp("cluster", json!("")),
        "providers.corp.cluster",
        "is empty",
    );
    refused(
        &corp("cluster", json!("a\r\nb")),
        "providers.corp.cluster",
        "control character",
    );
    refused(
        &corp("client/id", json!("")),
        "providers.corp.client.id",
        "is empty",
    );
}

#[test]
fn a_call_goes_to_its_own_cluster_or_to_the_provider_s() {
    let of = |value: &Value| {
        let clusters = accepted(value).provider.clusters;
        [
            clusters.discovery,
            clusters.token,
            clusters.jwks,
            clusters.userinfo,
        ]
    };
    assert_eq!(of(&parsed(MINIMAL)), ["idp"; 4]);
    let whole = corp("clusters", json!({"token": "other"}));
    assert_eq!(of(&whole), ["idp", "other", "idp", "idp"]);
    let whole = corp(
        "clusters",
        json!({"discovery": "a", "token": "b", "jwks": "c", "userinfo": "d"}),
    );
    assert_eq!(of(&whole), ["a", "b", "c", "d"]);
}

#[test]
fn a_cluster_is_a_name() {
    refused(
        &corp("clusters", json!({"token": ""})),
        "providers.corp.clusters.token",
        "is empty",
    );
    refused(
        &corp("clusters", json!({"jwks": 5})),
        "providers.corp.clusters.jwks",
        "is a number; accepted: a string",
    );
    refused(
        &corp("clusters", json!({"authorization": "idp"})),
        "providers.corp.clusters.authorization",
        "accepted: discovery, token, jwks, userinfo",
    );
    let mut whole = without("/providers/corp/cluster");
    let clusters = json!({"discovery": "a", "token": "b", "jwks": "c", "userinfo": "d"});
    put(&mut whole, "/providers/corp/clusters", clusters);
    refused(&whole, "providers.corp.cluster", "is missing");
}

#[test]
fn userinfo_may_be_left_alone() {
    assert!(accepted(&parsed(MINIMAL)).provider.userinfo);
    assert!(!accepted(&corp("userinfo", json!(false))).provider.userinfo);
    refused(
        &corp("userinfo", json!("no")),
        "providers.corp.userinfo",
        "is a string; accepted: a boolean",
    );
}

#[test]
fn an_issuer_is_an_https_url_alone() {
    for (issuer, words) in [
        ("idp.example.com", "is not an absolute URL"),
        ("http://idp.example.com", "does not use https"),
        ("ftp://idp.example.com", "does not use https"),
        ("https://idp.example.com/?", "carries a query"),
        ("https://idp.example.com/#", "carries a fragment"),
        ("https://me:pw@idp.example.com/", "carries user information"),
        (" https://idp.example.com/", "a character that no URL has"),
        ("https:\\\\idp.example.com", "a character that no URL has"),
        ("", "is not an absolute URL"),
    ] {
        refused(
            &corp("issuer", json!(issuer)),
            "providers.corp.issuer",
            words,
        );
    }
}

#[test]
fn plain_http_takes_a_word_and_warns() {
    let mut whole = corp("issuer", json!("http://localhost:8080"));
    put(
        &mut whole,
        "/providers/corp/insecure_allow_http",
        json!(true),
    );
    let Loaded { config, warnings } = load(&whole).unwrap();
    assert_eq!(config.provider.issuer, "http://localhost:8080");
    assert!(
        warnings[0].starts_with("providers.corp.insecure_allow_http: "),
        "{warnings:?}"
    );
}

#[test]
fn logouts_are_loosened_by_a_word_each_and_warn() {
    let strict = load(&corp("insecure_allow_http", json!(false))).unwrap();
    let provider = strict.config.provider;
    assert!(!provider.insecure_frontchannel_logout_without_iss);
    assert!(!provider.insecure_logout_token_without_exp);
    assert!(strict.warnings.is_empty(), "{:?}", strict.warnings);
    for name in [
        "insecure_frontchannel_logout_without_iss",
        "insecure_logout_token_without_exp",
    ] {
        let Loaded { config, warnings } = load(&corp(name, json!(true))).unwrap();
        let provider = config.provider;
        let loosened = [
            provider.insecure_frontchannel_logout_without_iss,
            provider.insecure_logout_token_without_exp,
        ];
        assert_eq!(loosened.iter().filter(|is| **is).count(), 1);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with(&format!("providers.corp.{name}: ")));
    }
}

#[test]
fn endpoints_are_absolute_urls() {
    refused(
        &corp("endpoints", json!({"token": "/token"})),
        "providers.corp.endpoints.token",
        "is not an absolute URL",
    );
    refused(
        &corp("endpoints", json!({"jwks": "http://idp.example.com/keys"})),
        "providers.corp.endpoints.jwks",
        "does not use https",
    );
    refused(
        &corp("endpoints", json!({"registration": "https://a.example"})),
        "providers.corp.endpoints.registration",
        "is not a known key",
    );
}

#[test]
fn a_client_secret_is_there_and_found() {
    let at = "client/authentication/client_secret_basic/secret";
    let path = "providers.corp.client.authentication.client_secret_basic.secret";
    refused(&corp(at, json!("")), path, "is empty");
    refused(
        &corp(at, json!({"env": "ABSENT"})),
        &format!("{path}.env"),
        "the environment variable `ABSENT` is not set",
    );
    refused(
        &corp(at, json!({"env": "EMPTY"})),
        &format!("{path}.env"),
        "the environment variable `EMPTY` is empty",
    );
    refused(
        &corp(at, json!({"env": "p4ss word"})),
        &format!("{path}.env"),
        "is not the name of an environment variable",
    );
    refused(&corp(at, json!({})), &format!("{path}.env"), "is missing");
    refused(
        &corp(at, json!({"file": "/etc/secret", "env": "SESSION_KEY"})),
        &format!("{path}.file"),
        "is not a known key; accepted: env",
    );
    let config = accepted(&corp("client/authentication", json!({"none": {}})));
    assert!(matches!(
        config.provider.client.unwrap().authentication,
        ClientAuthentication::None
    ));
}

#[test]
fn scopes_are_tokens_with_openid_among_them() {
    refused(
        &corp("scopes", json!(["profile"])),
        "providers.corp.scopes",
        "does not contain `openid`",
    );
    refused(
        &corp("scopes", json!([])),
        "providers.corp.scopes",
        "does not contain `openid`",
    );
    refused(
        &corp("scopes", json!(["openid", "two words"])),
        "providers.corp.scopes[1]",
        "is not a scope",
    );
    refused(
        &corp("scopes", json!(["openid", "a\"b"])),
        "providers.corp.scopes[1]",
        "is not a scope",
    );
    refused(
        &corp("scopes", json!(["openid", "openid"])),
        "providers.corp.scopes[1]",
        "is in this list already",
    );
    refused(
        &corp("scopes", json!("openid")),
        "providers.corp.scopes",
        "is a string; accepted: a list",
    );
}

#[test]
fn resources_are_absolute_uris_without_fragment() {
    for resource in [
        "orders",
        "/orders",
        "https://a.example/#x",
        "https://a.example/ b",
    ] {
        refused(
            &corp("resources", json!([resource])),
            "providers.corp.resources[0]",
            "is not a resource indicator",
        );
    }
}

#[test]
fn parameters_of_our_own_are_refused() {
    for name in [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "resource",
        "response_mode",
        "request",
        "request_uri",
    ] {
        refused(
            &corp("authorization_params", json!({name: "x"})),
            &format!("providers.corp.authorization_params.{name}"),
            "is a parameter that Portero sends",
        );
    }
    refused(
        &corp("authorization_params", json!({"prompt": []})),
        "providers.corp.authorization_params.prompt",
        "is empty",
    );
    refused(
        &corp("authorization_params", json!({"prompt": ["login", "a b"]})),
        "providers.corp.authorization_params.prompt[1]",
        "contains a space",
    );
    refused(
        &corp("authorization_params", json!({"prompt": ["login", 5]})),
        "providers.corp.authorization_params.prompt[1]",
        "is a number",
    );
    refused(
        &corp("authorization_params", json!({"": "x"})),
        "providers.corp.authorization_params[\"\"]",
        "is not a parameter's name",
    );
}

#[test]
fn what_is_asked_of_an_authentication_is_understood() {
    let of = |params: Value| {
        let provider = accepted(&corp("authorization_params", params)).provider;
        (
            provider.authentication.max_age.map(|age| age.as_secs()),
            provider.authentication.acr_values,
            provider.authorization_params.len(),
        )
    };
    let classes = ["gold", "urn:example:2"].map(str::to_owned).to_vec();
    assert_eq!(of(json!({"prompt": "login"})), (None, vec![], 1));
    assert_eq!(of(json!({"max_age": "0"})), (Some(0), vec![], 1));
    assert_eq!(
        of(json!({"max_age": "31536000", "acr_values": "gold  urn:example:2"})),
        (Some(31_536_000), classes.clone(), 2)
    );
    assert_eq!(
        of(json!({"acr_values": ["gold", "urn:example:2"]})),
        (None, classes, 1)
    );
    for wrong in [
        "31536001",
        "-1",
        "+1",
        "1.5",
        "1h",
        "1 2",
        "99999999999999999999",
    ] {
        refused(
            &corp("authorization_params", json!({"max_age": wrong})),
            "providers.corp.authorization_params.max_age",
            "is not an age in seconds",
        );
    }
    refused(
        &corp("authorization_params", json!({"acr_values": "  "})),
        "providers.corp.authorization_params.acr_values",
        "names no class",
    );
}

#[test]
fn an_algorithm_without_a_public_key_is_refused_with_the_list_of_others() {
    for name in ["none", "HS256", "rs256"] {
        refused(
            &corp("id_token", json!({"algorithms": [name]})),
            "providers.corp.id_token.algorithms[0]",
            "accepted: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA",
        );
    }
    refused(
        &corp("id_token", json!({"algorithms": []})),
        "providers.corp.id_token.algorithms",
        "is empty",
    );
}

#[test]
fn durations_have_units_and_limits() {
    for (key, value, words) in [
        (
            "timeout",
            json!(5),
            "is a number; accepted: a duration with its unit",
        ),
        ("timeout", json!("5"), "is not a duration"),
        ("timeout", json!("5 s"), "is not a duration"),
        ("timeout", json!("1s1m"), "is not a duration"),
        ("timeout", json!("-1s"), "is not a duration"),
        (
            "timeout",
            json!("99999999999999999999d"),
            "is not a duration",
        ),
        ("timeout", json!("99ms"), "is 99ms; accepted: 100ms to 1m"),
        ("timeout", json!("61s"), "is 1m1s; accepted: 100ms to 1m"),
        (
            "refresh_interval",
            json!("25h"),
            "is 1d1h; accepted: 10s to 1d",
        ),
        (
            "unknown_key_cooldown",
            json!("0s"),
            "is 0s; accepted: 1s to 1h",
        ),
        (
            "id_token/clock_skew",
            json!("301s"),
            "is 5m1s; accepted: 0s to 5m",
        ),
        ("id_token/max_age", json!("2d"), "is 2d; accepted: 1s to 1d"),
    ] {
        refused(
            &corp(key, value),
            &format!("providers.corp.{}", key.replace('/', ".")),
            words,
        );
    }
}
