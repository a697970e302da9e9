//! How the client authenticates.

use super::*;

const AT: &str = "providers.corp.client.authentication";
const SECRET: &str = "a client secret of at least thirty-two bytes";
const KEY: &str = include_str!("../../../tests/fixtures/keys/private/p256.pem");

fn client(method: &str, value: Value) -> Value {
    let mut whole = json!({});
    whole[method] = value;
    with("/providers/corp/client/authentication", whole)
}

#[track_caller]
fn assertion(method: &str, value: Value) -> (String, AssertionAudience) {
    match accepted(&client(method, value))
        .provider
        .client
        .unwrap()
        .authentication
    {
        ClientAuthentication::Assertion { key, audience } => (format!("{key:?}"), audience),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_assertion_is_signed_with_the_secret_or_a_private_key() {
    use AssertionAudience::{Issuer, TokenEndpoint};
    for (method, value, key, audience) in [
        (
            "client_secret_jwt",
            json!({"secret": SECRET}),
            "HS256",
            Issuer,
        ),
        (
            "client_secret_jwt",
            json!({"secret": SECRET.repeat(2), "algorithm": "HS512", "audience": "token_endpoint"}),
            "HS512",
            TokenEndpoint,
        ),
        ("private_key_jwt", json!({"key": KEY}), "ES256", Issuer),
        (
            "private_key_jwt",
            json!({"key": KEY, "key_id": "2026", "algorithm": "ES256", "audience": "issuer"}),
            "ES256",
            Issuer,
        ),
    ] {
        let expected = (format!("[{key} signing key]"), audience);
        assert_eq!(assertion(method, value), expected, "{method}");
    }
}

#[test]
fn what_cannot_sign_is_refused_where_it_stands() {
    for (method, key, value, words) in [
        ("client_secret_jwt", "secret", json!({}), "is missing"),
        (
            "client_secret_jwt",
            "secret",
            json!({"secret": "short"}),
            "is too short; accepted: 32 bytes and more",
        ),
        (
            "client_secret_jwt",
            "algorithm",
            json!({"secret": SECRET, "algorithm": "RS256"}),
            "is not an algorithm for this; accepted: HS256, HS384, HS512",
        ),
        ("private_key_jwt", "key", json!({}), "is missing"),
        (
            "private_key_jwt",
            "key",
            json!({"key": SECRET}),
            "is no whole private key",
        ),
        (
            "private_key_jwt",
            "key",
            json!({"key": KEY, "algorithm": "RS256"}),
            "is not a key for that algorithm",
        ),
        (
            "private_key_jwt",
            "algorithm",
            json!({"key": KEY, "algorithm": "HS256"}),
            "is not an algorithm for this; accepted: RS256",
        ),
        (
            "private_key_jwt",
            "key_id",
            json!({"key": KEY, "key_id": "k".repeat(600)}),
            "has a kid that is too long",
        ),
        (
            "private_key_jwt",
            "audience",
            json!({"key": KEY, "audience": "me"}),
            "is not a known word; accepted: issuer, token_endpoint",
        ),
    ] {
        let path = format!("{AT}.{method}.{key}");
        refused(&client(method, value), &path, words);
    }
}

#[test]
fn no_fault_repeats_a_key() {
    let broken = KEY.replace("BEGIN", "B");
    for value in [
        KEY.replace('\n', ""),
        broken,
        KEY.chars().take(80).collect(),
    ] {
        for (_, problem) in faults(&client("private_key_jwt", json!({"key": value}))) {
            assert!(!problem.contains("MIG"), "{problem}");
        }
    }
}
