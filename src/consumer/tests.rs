use serde_json::{Value, json};

use super::{Caller, anonymous, find};
use crate::config::Consumers;
use crate::testing::config;

const A: &str = "https://a.example/";
const B: &str = "https://b.example";

fn consumers() -> Consumers {
    let config = config(|whole| {
        for (name, issuer) in [("a", A), ("b", B)] {
            whole["providers"][name] = json!({
                "issuer": issuer,
                "cluster": "idp",
                "access_tokens": {"audiences": ["api"]},
            });
        }
        whole["consumers"] = json!({
            "orders-app": {"id": "17", "custom_id": "c-17", "credentials": [
                {"issuer": A, "client_id": "orders"},
                {"issuer": B, "claim": {"name": ["tenant", "key"], "value": "abc"}},
            ]},
            "tenant": {"credentials": [{"issuer": A}]},
            "reports": {"credentials": [
                {"issuer": A, "claim": {"name": "key", "value": "r-1"}},
                {"issuer": B, "client_id": "reports"},
            ]},
        });
    });
    config.consumers.unwrap()
}

/// The headers of a token of this issuer with these claims.
fn told(issuer: &str, claims: &Value) -> Vec<(String, String)> {
    let consumers = consumers();
    let caller = find(&consumers, issuer, claims.as_object().unwrap());
    assert_eq!(
        caller.is_known(),
        caller
            .headers()
            .iter()
            .any(|(name, _)| name == "x-consumer-id")
    );
    texts(caller.headers())
}

fn texts(headers: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    let text = |(name, value)| (name, String::from_utf8(value).unwrap());
    headers.into_iter().map(text).collect()
}

fn username(issuer: &str, claims: &Value) -> Option<String> {
    let mut headers = told(issuer, claims).into_iter();
    headers
        .find(|(name, _)| name == "x-consumer-username")
        .map(|(_, value)| value)
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn a_consumer_is_told_with_everything_that_is_known_of_it() {
    assert_eq!(
        told(A, &json!({"client_id": "orders"})),
        pairs(&[
            ("x-consumer-id", "17"),
            ("x-consumer-custom-id", "c-17"),
            ("x-consumer-username", "orders-app"),
            ("x-credential-identifier", "orders"),
        ])
    );
    assert_eq!(
        told(B, &json!({"client_id": "reports"})),
        pairs(&[
            ("x-consumer-id", "reports"),
            ("x-consumer-username", "reports"),
            ("x-credential-identifier", "reports"),
        ])
    );
}

#[test]
fn the_most_specific_credential_wins() {
    let all = json!({"key": "r-1", "client_id": "orders"});
    assert_eq!(username(A, &all).as_deref(), Some("reports"));
    for claims in [
        json!({"client_id": "orders"}),
        json!({"key": "unknown", "client_id": "orders"}),
        json!({"azp": "orders"}),
        json!({"client_id": "orders", "azp": "others"}),
        json!({"client_id": "", "azp": "orders"}),
    ] {
        assert_eq!(
            username(A, &claims).as_deref(),
            Some("orders-app"),
            "{claims}"
        );
    }
    for claims in [
        json!({}),
        json!({"client_id": "others", "azp": "orders"}),
        json!({"key": ["r-1"]}),
        json!({"key": {"r-1": 1}, "client_id": 5}),
    ] {
        assert_eq!(username(A, &claims).as_deref(), Some("tenant"), "{claims}");
    }
    let issuer = ("x-credential-identifier".to_owned(), A.to_owned());
    assert!(told(A, &json!({})).contains(&issuer));
}

#[test]
fn what_one_issuer_says_counts_for_no_other() {
    for (issuer, claims) in [
        (B, json!({"client_id": "orders"})),
        (B, json!({"key": "r-1"})),
        (B, json!({"tenant": "abc"})),
        (B, json!({"iss": A, "client_id": "orders"})),
        ("https://a.example", json!({"client_id": "orders"})),
        ("", json!({"client_id": "orders"})),
    ] {
        assert_eq!(username(issuer, &claims), None, "{issuer} {claims}");
    }
    let nested = json!({"tenant": {"key": "abc"}});
    assert_eq!(username(B, &nested).as_deref(), Some("orders-app"));
    assert_eq!(username(A, &nested).as_deref(), Some("tenant"));
}

#[test]
fn a_token_of_no_consumer_tells_its_client_alone() {
    for (claims, identifier) in [
        (json!({"client_id": "others"}), "others"),
        (json!({"azp": "others"}), "others"),
        (
            json!({"client_id": "a\r\nx-consumer-id: 17"}),
            "a%0D%0Ax-consumer-id: 17",
        ),
        (json!({"client_id": "Zoë,%"}), "Zo%C3%AB%2C%25"),
    ] {
        assert_eq!(
            told(B, &claims),
            pairs(&[("x-credential-identifier", identifier)]),
            "{claims}"
        );
    }
    for claims in [
        json!({}),
        json!({"client_id": ""}),
        json!({"client_id": 1, "azp": null}),
    ] {
        assert_eq!(told(B, &claims), [], "{claims}");
    }
}

#[test]
fn the_anonymous_consumer_says_so_and_has_no_credential() {
    let consumers = consumers();
    let place = consumers.place_of("orders-app").unwrap();
    assert_eq!(
        texts(anonymous(&consumers.all[place])),
        pairs(&[
            ("x-consumer-id", "17"),
            ("x-consumer-custom-id", "c-17"),
            ("x-consumer-username", "orders-app"),
            ("x-anonymous-consumer", "true"),
        ])
    );
    assert!(consumers.place_of("nobody").is_none());
}

#[test]
fn a_caller_without_anything_has_no_headers() {
    let nobody = Caller {
        consumer: None,
        credential: None,
    };
    assert!(nobody.headers().is_empty());
}
