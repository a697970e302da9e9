//! Faults of consumers.

use super::*;

const A: &str = "https://a.example/";
const B: &str = "https://b.example";

/// The minimal configuration with these consumers, and access tokens of some issuers.
fn consumers(issuers: &[&str], consumers: Value) -> Value {
    let mut whole = with("/consumers", consumers);
    for (index, issuer) in issuers.iter().enumerate() {
        whole["providers"][format!("p{index}")] = json!({
            "issuer": issuer,
            "cluster": "idp",
            "access_tokens": {"audiences": ["api"]},
        });
    }
    whole
}

fn one(issuers: &[&str], credential: Value) -> Value {
    consumers(
        issuers,
        json!({"orders-app": {"credentials": [credential]}}),
    )
}

const CREDENTIAL: &str = "consumers.orders-app.credentials[0]";

#[test]
fn consumers_load_with_the_issuers_that_vouch_for_them() {
    let config = accepted(&consumers(
        &[A],
        json!({
            "orders-app": {"custom_id": "c-17", "credentials": [
                {"client_id": "orders"},
                {"claim": {"name": "key", "value": "abc"}},
            ]},
            "partner": {"id": "9", "credentials": [{"issuer": A}]},
            "guest": {},
        }),
    ));
    let consumers = config.consumers.unwrap();
    let names: Vec<_> = consumers
        .all
        .iter()
        .map(|consumer| {
            (
                consumer.username.as_str(),
                consumer.id.as_str(),
                consumer.custom_id.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            ("guest", "guest", None),
            ("orders-app", "orders-app", Some("c-17")),
            ("partner", "9", None),
        ]
    );
    let owner = |kind, identifier: &str| {
        let credential = Credential {
            issuer: A,
            kind,
            identifier,
        };
        let owner = consumers.owner(&credential);
        owner.map(|consumer| consumer.username.clone())
    };
    let orders = Some("orders-app".to_owned());
    assert_eq!(owner(CredentialKind::ClientId, "orders"), orders);
    assert_eq!(owner(CredentialKind::Claim, "abc"), orders);
    let partner = Some("partner".to_owned());
    assert_eq!(owner(CredentialKind::Issuer, A), partner);
    assert_eq!(consumers.claims, [(A.to_owned(), vec!["key".to_owned()])]);
    assert!(accepted(&consumers_of_none()).consumers.is_some());
    assert!(accepted(&parsed(MINIMAL)).consumers.is_none());
}

fn consumers_of_none() -> Value {
    consumers(&[], json!({}))
}

#[test]
fn of_several_issuers_a_credential_names_the_one_that_may_say_so() {
    for credential in [
        json!({"client_id": "orders"}),
        json!({"claim": {"name": "key", "value": "abc"}}),
    ] {
        refused(
            &one(&[A, B], credential.clone()),
            &format!("{CREDENTIAL}.issuer"),
            "is missing; accepted: the issuer that has to say so",
        );
        accepted(&one(&[A], credential.clone()));
        let mut named = credential;
        named["issuer"] = json!(B);
        accepted(&one(&[A, B], named));
    }
}

#[test]
fn an_issuer_is_one_whose_access_tokens_count_byte_for_byte() {
    for issuer in [
        "https://a.example",
        "https://A.example/",
        "https://c.example/",
        "",
        // It logs people in, and its access tokens do not count.
        "https://idp.example.com/realms/acme/",
    ] {
        refused(
            &one(&[A, B], json!({"issuer": issuer, "client_id": "orders"})),
            &format!("{CREDENTIAL}.issuer"),
            "is the issuer of no provider with `access_tokens`",
        );
    }
    refused(
        &one(&[], json!({"client_id": "orders"})),
        &format!("{CREDENTIAL}.issuer"),
        "cannot be found, because no provider has `access_tokens`",
    );
}

#[test]
fn no_token_can_be_from_two_consumers() {
    for credential in [
        json!({"client_id": "orders"}),
        json!({"issuer": A}),
        json!({"claim": {"name": ["a", "key"], "value": "abc"}}),
    ] {
        // With the issuer written and without, it is the same.
        let mut again = credential.clone();
        again["issuer"] = json!(A);
        let two = json!({"a": {"credentials": [credential]}, "b": {"credentials": [again]}});
        refused(
            &consumers(&[A], two),
            "consumers.b.credentials[0]",
            "is a credential already",
        );
    }
    let of_each = json!({
        "a": {"credentials": [{"issuer": A, "client_id": "orders"}]},
        "b": {"credentials": [{"issuer": B, "client_id": "orders"}]},
    });
    accepted(&consumers(&[A, B], of_each));
    let claim = |issuer: &str, name: &str, value: &str| json!({"issuer": issuer, "claim": {"name": name, "value": value}});
    let two_claims = json!({
        "a": {"credentials": [claim(A, "key", "1")]},
        "b": {"credentials": [claim(B, "tenant", "1"), claim(A, "tenant", "2")]},
    });
    refused(
        &consumers(&[A, B], two_claims),
        "consumers.b.credentials[1].claim.name",
        "is another claim than that of an earlier credential",
    );
}

#[test]
fn a_credential_says_one_thing() {
    refused(
        &one(
            &[A],
            json!({"client_id": "x", "claim": {"name": "key", "value": "abc"}}),
        ),
        CREDENTIAL,
        "has both `claim` and `client_id`",
    );
    refused(
        &one(&[A], json!({})),
        &format!("{CREDENTIAL}.issuer"),
        "is missing; accepted: an issuer, or `client_id` or `claim`",
    );
    refused(
        &one(&[A], json!({"claim": {"name": "key"}})),
        &format!("{CREDENTIAL}.claim.value"),
        "is missing",
    );
    refused(
        &one(&[A], json!({"claim": {"name": "", "value": "x"}})),
        &format!("{CREDENTIAL}.claim.name"),
        "is empty or too long",
    );
    refused(
        &one(&[A], json!({"claim": {"name": "key", "value": 5}})),
        &format!("{CREDENTIAL}.claim.value"),
        "is a number; accepted: a string",
    );
    refused(
        &one(&[A], json!({"client_id": 5})),
        &format!("{CREDENTIAL}.client_id"),
        "is a number; accepted: a string",
    );
}

#[test]
fn what_headers_say_fits_into_them() {
    for text in ["é", "a\nb", " a", "a ", "a\u{7f}"] {
        let bad = |found: Vec<(String, String)>, path: &str| {
            assert_eq!(found.len(), 1, "{text:?}: {found:?}");
            assert_eq!(found[0].0, path, "{text:?}");
            assert!(found[0].1.contains("; accepted: "), "{found:?}");
        };
        bad(
            faults(&one(&[A], json!({"client_id": text}))),
            &format!("{CREDENTIAL}.client_id"),
        );
        bad(
            faults(&one(&[A], json!({"claim": {"name": "key", "value": text}}))),
            &format!("{CREDENTIAL}.claim.value"),
        );
        for key in ["id", "custom_id"] {
            bad(
                faults(&consumers(&[A], json!({"app": {key: text}}))),
                &format!("consumers.app.{key}"),
            );
        }
    }
    refused(
        &consumers(&[], json!({"Zoë": {"id": "z"}})),
        "consumers[\"Zoë\"]",
        "does not fit into a header",
    );
}

#[test]
fn ids_tell_consumers_apart() {
    for (two, path) in [
        (
            json!({"a": {"id": "1"}, "b": {"id": "1"}}),
            "consumers.b.id",
        ),
        (json!({"a": {"id": "b"}, "b": {}}), "consumers.b.id"),
        (
            json!({"a": {"custom_id": "1"}, "b": {"custom_id": "1"}}),
            "consumers.b.custom_id",
        ),
    ] {
        refused(&consumers(&[], two), path, "is that of another consumer");
    }
}

#[test]
fn nothing_else_sets_the_headers_of_consumers() {
    for name in CONSUMER_HEADERS {
        for name in [name.to_owned(), name.to_uppercase(), name.replace('-', "_")] {
            let mut whole = consumers_of_none();
            whole["upstream"] = json!({"headers": {name.as_str(): {"claim": "sub"}}});
            refused(
                &whole,
                &format!("upstream.headers.{}", name.to_lowercase()),
                "is a header that `consumers` sets",
            );
            whole.as_object_mut().unwrap().remove("consumers");
            accepted(&whole);
        }
    }
}

#[test]
fn a_consumer_is_required_only_where_there_can_be_one() {
    let mut whole = consumers(&[A], json!({}));
    whole["providers"]["p0"]["access_tokens"]["require_consumer"] = json!(true);
    let config = accepted(&whole);
    let policy = config.others[0].access_tokens.as_ref().unwrap();
    assert!(policy.require_consumer);
    whole.as_object_mut().unwrap().remove("consumers");
    refused(
        &whole,
        "providers.p0.access_tokens.require_consumer",
        "is true, and without `consumers` no token is of one",
    );
}
