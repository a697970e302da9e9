//! Who names them: rules, providers and other tokens.

use super::*;

/// A provider that issues tokens for the upstream and vouches for nobody.
fn issuer_only() -> Value {
    json!({"issuer": "https://tokens.example.com", "cluster": "tokens"})
}

/// The only provider vouches for nobody.
fn for_nobody() -> Value {
    let mut whole = orders(json!({"client": client("client_secret_basic")}));
    whole["providers"] = json!({"tokens": issuer_only()});
    whole
}

#[test]
fn names_lead_to_tokens_in_headers_that_differ() {
    let mut whole = orders(json!({"header": "x-a"}));
    whole["upstream_tokens"]["twin"] = json!({"header": "X_A"});
    whole["upstream_tokens"]["more"] = json!({});
    whole["rules"] = json!([
        {"match": {"path": {"exact": "/a"}}, "upstream_tokens": ["twin", "more"]},
        {"match": {"path": {"exact": "/b"}}, "upstream_tokens": []},
        {},
    ]);
    let config = accepted(&whole);
    assert_eq!(config.upstream_tokens_of(Some(0)).indexes, [2, 0]);
    assert!(config.upstream_tokens_of(Some(1)).indexes.is_empty());
    assert_eq!(config.upstream_tokens_of(Some(2)).indexes, [1]);
    for (names, index, words) in [
        (
            json!(["orders", "twin"]),
            1,
            "goes into the header of another token",
        ),
        (json!(["orders", "orders"]), 1, "is in this list already"),
        (json!(["other"]), 0, "is the name of no token"),
    ] {
        let mut of_rule = whole.clone();
        of_rule["rules"][0]["upstream_tokens"] = names.clone();
        let path = format!("rules[0].upstream_tokens[{index}]");
        refused(&of_rule, &path, words);
        let mut of_all = whole.clone();
        of_all["upstream"]["tokens"] = names;
        refused(&of_all, &format!("upstream.tokens[{index}]"), words);
    }
    whole["upstream"]["tokens"] = json!(vec!["orders"; 9]);
    refused(
        &whole,
        "upstream.tokens",
        "has 9 entries; accepted: at most 8",
    );
}

#[test]
fn a_public_rule_has_no_caller_to_exchange_for() {
    let mut whole = exchange(json!({}));
    whole["upstream_tokens"]["robot"] = json!({"header": "x-robot"});
    whole["upstream"]["tokens"] = json!(["orders", "robot"]);
    whole["rules"] = json!([{"match": {"path": {"exact": "/a"}}, "access": "public"}, {}]);
    let config = accepted(&whole);
    assert!(config.upstream_tokens_of(Some(0)).indexes.is_empty());
    assert_eq!(config.upstream_tokens_of(Some(1)).indexes, [0, 1]);
    assert!(config.upstream_tokens_of(Some(1)).is_default);
    whole["rules"][0]["upstream_tokens"] = json!(["robot", "orders"]);
    refused(
        &whole,
        "rules[0].upstream_tokens[1]",
        "is made of the caller's token",
    );
    whole["rules"][0]["upstream_tokens"] = json!(["robot"]);
    assert_eq!(accepted(&whole).upstream_tokens_of(Some(0)).indexes, [1]);
}

#[test]
fn the_callers_token_is_one_that_callers_can_have() {
    let mut whole = for_nobody();
    let grant = "/upstream_tokens/orders/grant";
    for (written, path) in [
        (json!({"token_exchange": {}}), "token_exchange.subject"),
        (
            json!({"jwt_bearer": {"caller": "access_token"}}),
            "jwt_bearer.caller",
        ),
    ] {
        put(&mut whole, grant, written);
        let path = format!("{AT}.grant.{path}");
        refused(&whole, &path, "is the caller's access token");
    }
    whole["providers"]["tokens"]["access_tokens"] = json!({"audiences": ["orders"]});
    accepted(&whole);
    put(
        &mut whole,
        grant,
        json!({"token_exchange": {"subject": "id_token"}}),
    );
    let path = format!("{AT}.grant.token_exchange.subject");
    refused(&whole, &path, "is the caller's ID token");
}

#[test]
fn a_header_that_another_token_takes_away_cannot_be_kept() {
    let mut whole = exchange(json!({}));
    let token = |keeps: bool| json!({"header": "x-orders", "keep_existing": keeps});
    whole["upstream_tokens"]["robot"] = token(true);
    whole["upstream_tokens"]["other"] = json!({"header": "x_orders"});
    let path = "upstream_tokens.robot.keep_existing";
    refused(&whole, path, "another token that does not keep it");
    whole["upstream_tokens"]["other"] = token(true);
    accepted(&whole);
    // Where no token is put, `authorization` is the caller's own.
    whole["upstream_tokens"]["other"] = json!({"keep_existing": true});
    accepted(&whole);
}

#[test]
fn callers_are_those_of_providers_that_somebody_calls_with_a_token_of() {
    let path = "upstream_tokens.orders.callers_of";
    let mut whole = exchange(json!({}));
    assert_eq!(accepted(&whole).upstream_tokens[0].callers_of, [0]);
    whole["upstream_tokens"]["orders"]["callers_of"] = json!(["nobody"]);
    refused(&whole, &format!("{path}[0]"), "is the name of no provider");
    let mut whole = exchange(json!({}));
    whole["upstream_tokens"]["robot"] = json!({"header": "x-robot", "callers_of": ["corp"]});
    let path = "upstream_tokens.robot.callers_of";
    refused(&whole, path, "this token is not made of one");
}

#[test]
fn an_actor_is_nobodys_own() {
    let mut whole = exchange(json!({"actor": {"upstream_token": "robot"}}));
    whole["upstream_tokens"]["robot"] = json!({});
    assert_eq!(accepted(&whole).upstream_tokens[0].actor(), Some(1));
    // It is used without being named by a rule.
    assert!(load(&whole).unwrap().warnings.is_empty());
    whole["upstream_tokens"]["robot"] = json!({"grant": {"jwt_bearer": {"caller": "id_token"}}});
    let path = format!("{AT}.grant.token_exchange.actor.upstream_token");
    refused(&whole, &path, "is a token of each caller's own");
    // Of a token that cannot be read, nothing is said twice.
    whole["upstream_tokens"]["robot"] = json!(5);
    refused(&whole, "upstream_tokens.robot", "is a number");
}

#[test]
fn somebody_asks_and_somebody_is_asked() {
    let mut whole = for_nobody();
    assert!(accepted(&whole).provider.issues_upstream_tokens);
    let tokens = &mut whole["upstream_tokens"]["orders"];
    tokens.as_object_mut().unwrap().remove("client");
    refused(
        &whole,
        &format!("{AT}.client"),
        "is missing; accepted: the client that asks",
    );

    let mut whole = orders(json!({}));
    whole["providers"]["tokens"] = issuer_only();
    let found = faults(&whole);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, format!("{AT}.provider"));
    whole["upstream_tokens"]["orders"]["provider"] = json!("corp");
    refused(
        &whole,
        "providers.tokens",
        "it vouches for nobody, and no `upstream_tokens` are from it",
    );
    let named = json!({"provider": "tokens", "client": client("client_secret_basic")});
    whole["upstream_tokens"]["orders"] = named;
    let config = accepted(&whole);
    assert_eq!(config.upstream_tokens[0].provider, 1);
    assert!(config.others[0].issues_upstream_tokens);
    assert!(!config.provider.issues_upstream_tokens);
    let provider = &mut whole["providers"]["tokens"];
    provider.as_object_mut().unwrap().remove("cluster");
    refused(&whole, "providers.tokens.cluster", "is missing");
}

#[test]
fn a_provider_whose_keys_are_written_is_reached_for_tokens() {
    let mut whole = for_nobody();
    let secret = json!({"secret": {"value": "k".repeat(32), "algorithm": "HS256"}});
    whole["providers"]["tokens"] = json!({
        "issuer": "https://tokens.example.com",
        "access_tokens": {"audiences": ["orders"], "keys": [secret]},
    });
    refused(
        &whole,
        "providers.tokens.cluster",
        "is missing; accepted: the name of an Envoy cluster",
    );
    whole["providers"]["tokens"]["clusters"] = json!({"token": "tokens"});
    refused(&whole, "providers.tokens.cluster", "is missing");
    whole["providers"]["tokens"]["endpoints"] =
        json!({"token": "https://tokens.example.com/token"});
    accepted(&whole);
}

#[test]
fn where_nobody_is_vouched_for_nobody_gets_in_and_a_warning_says_so() {
    let mut whole = for_nobody();
    let Loaded { config, warnings } = load(&whole).unwrap();
    assert!(config.entrance(None).methods.each().is_empty());
    assert_eq!(config.entrance(None).otherwise, Otherwise::Deny);
    assert!(
        matches!(warnings.as_slice(), [one] if one.starts_with("rules: let in nobody")),
        "{warnings:?}"
    );
    whole["rules"] = json!([{"access": "public"}]);
    let warnings = load(&whole).unwrap().warnings;
    assert!(
        matches!(warnings.as_slice(), [one] if one.starts_with("rules[0]: makes every request public")),
        "{warnings:?}"
    );
    for word in ["bearer", "session"] {
        whole["rules"] = json!([{"authenticate": [word]}]);
        refused(&whole, "rules[0].authenticate[0]", "and no provider has");
    }
}

#[test]
fn a_token_that_no_request_gets_causes_a_warning() {
    let whole = with("/upstream_tokens/orders", json!({}));
    let warnings = load(&whole).unwrap().warnings;
    assert!(
        matches!(warnings.as_slice(), [one] if one.starts_with("upstream_tokens.orders: is named by no rule")),
        "{warnings:?}"
    );
}
