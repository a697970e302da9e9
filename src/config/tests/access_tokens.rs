//! Faults of what access tokens must be like.

use super::*;

fn with_tokens(change: impl FnOnce(&mut Value)) -> Value {
    let mut whole = with(
        "/providers/machines",
        json!({
            "issuer": "https://machines.example.com/",
            "cluster": "machines",
            "access_tokens": {"audiences": ["orders"]},
        }),
    );
    change(&mut whole["providers"]["machines"]);
    whole
}

const TOKENS: &str = "providers.machines.access_tokens";

#[test]
fn several_providers_vouch_for_callers_and_the_one_where_people_log_in_comes_first() {
    let config = accepted(&with_tokens(|_| {}));
    let names: Vec<&str> = config.providers().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["corp", "machines"]);
    let policy = config.others[0].access_tokens.as_ref().unwrap();
    assert_eq!(policy.profile, AccessTokenProfile::Rfc9068);
    assert_eq!(policy.algorithms, Algorithm::ASYMMETRIC);
    assert_eq!(policy.clock_skew, Duration::from_secs(60));
    assert_eq!(policy.max_lifetime, None);
    assert!(policy.keys.is_empty() && config.others[0].publishes_keys());
    assert!(policy.client_ids.is_empty());

    let first = accepted(&with_tokens(|machines| {
        machines["issuer"] = json!("https://a.example.com");
    }));
    assert!(first.logs_in());
    let mut alone = with_tokens(|_| {});
    alone["providers"].as_object_mut().unwrap().remove("corp");
    assert!(!accepted(&alone).logs_in());
}

#[test]
fn a_provider_without_a_client_has_nothing_about_logging_in() {
    for (key, value) in [
        ("scopes", json!(["openid"])),
        ("resources", json!([])),
        ("authorization_params", json!({})),
        ("id_token", json!({})),
        ("userinfo", json!(false)),
        ("access_token_claims", json!(true)),
    ] {
        refused(
            &with_tokens(|machines| machines[key] = value),
            &format!("providers.machines.{key}"),
            "is about logging in",
        );
    }
}

#[test]
fn a_login_reads_access_tokens_only_where_it_is_said_what_they_must_be_like() {
    refused(
        &with("/providers/corp/access_token_claims", json!(true)),
        "providers.corp.access_token_claims",
        "nothing says what they must be like",
    );
}

#[test]
fn keys_by_hand_take_the_place_of_published_ones() {
    let config = accepted(&serde_json::from_str(FULL).unwrap());
    let machines = &config.others[0];
    let policy = machines.access_tokens.as_ref().unwrap();
    assert_eq!(policy.keys.keys().len(), 3);
    assert!(!machines.publishes_keys());
    assert!(policy.algorithms.contains(&Algorithm::Hs256));
    // Logins need the published keys, whatever access tokens need.
    let with_client = accepted(&with(
        "/providers/corp/access_tokens",
        json!({"audiences": ["orders"], "keys": [{"secret": {"value": SESSION_KEY, "algorithm": "HS256"}}]}),
    ));
    assert!(with_client.provider.publishes_keys());
    assert_eq!(
        with_client.provider.access_tokens.unwrap().client_ids,
        ["portero"]
    );
}

#[test]
fn a_key_that_cannot_be_trusted_is_refused_where_it_stands() {
    let secret =
        |value: &str, algorithm: &str| json!({"secret": {"value": value, "algorithm": algorithm}});
    for (key, path, problem) in [
        (json!({"pem": "x"}), "pem", "is not one whole block of PEM"),
        (
            json!({"jwk": {"kty": "oct", "k": "AAAA"}}),
            "jwk",
            "symmetric key",
        ),
        (json!({"jwk": {}}), "jwk", "is not a JSON Web Key"),
        (secret("short", "HS256"), "secret.value", "is too short"),
        (
            secret(SESSION_KEY, "RS256"),
            "secret.algorithm",
            "HS256, HS384, HS512",
        ),
        (
            json!({"secret": {"value": "=", "algorithm": "HS256", "base64": true}}),
            "secret.value",
            "is not base64",
        ),
        (
            json!({"secret": {"algorithm": "HS256"}}),
            "secret.value",
            "is missing",
        ),
    ] {
        refused(
            &with_tokens(|machines| machines["access_tokens"]["keys"] = json!([key])),
            &format!("{TOKENS}.keys[0].{path}"),
            problem,
        );
    }
    refused(
        &with_tokens(|machines| machines["access_tokens"]["keys"] = json!([])),
        &format!("{TOKENS}.keys"),
        "is empty",
    );
}

#[test]
fn audiences_are_named_and_are_no_clients() {
    for (audiences, problem) in [
        (json!([]), "is empty"),
        (json!(["a", "a"]), "is in this list already"),
    ] {
        let path = if problem == "is empty" { "" } else { "[1]" };
        refused(
            &with_tokens(|machines| machines["access_tokens"]["audiences"] = audiences),
            &format!("{TOKENS}.audiences{path}"),
            problem,
        );
    }
    refused(
        &with_tokens(|machines| machines["access_tokens"] = json!({})),
        &format!("{TOKENS}.audiences"),
        "is missing",
    );
    let whole = with(
        "/providers/corp/access_tokens",
        json!({"audiences": ["portero"]}),
    );
    let loaded = Config::load(whole.to_string().as_bytes(), &environment).unwrap();
    assert!(
        loaded.warnings[0].starts_with("providers.corp.access_tokens.audiences: names the client")
    );
}

/// Only so many keys are tried on a token that names none.
#[test]
fn keys_without_a_name_are_as_many_as_are_tried() {
    let with_secrets = |count: usize| {
        let secret = |index| json!({"secret": {"value": format!("{index}{SESSION_KEY}"), "algorithm": "HS256"}});
        let keys: Vec<Value> = (0..count).map(secret).collect();
        with_tokens(|machines| machines["access_tokens"]["keys"] = json!(keys))
    };
    accepted(&with_secrets(4));
    refused(
        &with_secrets(5),
        &format!("{TOKENS}.keys"),
        "has more keys for HS256",
    );
}
