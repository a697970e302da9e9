use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Known, headers, identity, select_claims};
use crate::config::Upstream;
use crate::session::Session;
use crate::testing::{self, config};

fn upstream(headers: &Value) -> Upstream {
    config(|whole| whole["upstream"] = json!({"headers": headers})).upstream
}

fn session(claims: &Value) -> Session {
    Session {
        claims: claims.to_string(),
        ..testing::session()
    }
}

fn sent(sources: &Value, session: &Session) -> Vec<(String, String)> {
    let text = |(name, value)| (name, String::from_utf8(value).unwrap());
    let mut sent: Vec<_> = headers(
        &upstream(sources),
        &Known::of_session(session, &session.claims(), &Map::new()),
    )
    .into_iter()
    .map(text)
    .collect();
    sent.sort();
    sent
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn value_of(claim: &Value) -> Option<String> {
    let sent = sent(
        &json!({"x-claim": {"claim": "c"}}),
        &session(&json!({"c": claim})),
    );
    sent.into_iter().next().map(|(_, value)| value)
}

#[track_caller]
fn assert_value(claim: &Value, expected: &str) {
    assert_eq!(value_of(claim).as_deref(), Some(expected), "{claim}");
}

#[test]
fn scalars_are_written_as_they_are() {
    assert_value(&json!("alice@example.com"), "alice@example.com");
    assert_value(
        &json!("Alice Liddell, \"Lewis\""),
        "Alice Liddell%2C \"Lewis\"",
    );
    assert_value(&json!(true), "true");
    assert_value(&json!(false), "false");
    assert_value(&json!(0), "0");
    assert_value(&json!(-1.5), "-1.5");
    assert_value(&json!(u64::MAX), "18446744073709551615");
    assert_value(&json!(""), "");
}

#[test]
fn what_no_header_can_hold_is_percent_encoded() {
    assert_value(&json!("Zoë"), "Zo%C3%AB");
    assert_value(&json!("100 %"), "100 %25");
    assert_value(&json!(" a b "), "%20a b%20");
    assert_value(&json!(" "), "%20");
    assert_value(&json!("a\r\nx-admin: 1"), "a%0D%0Ax-admin: 1");
    assert_value(&json!("\0\t\u{7f}\u{1f600}"), "%00%09%7F%F0%9F%98%80");
}

#[test]
fn lists_are_joined_by_commas_that_no_item_has() {
    assert_value(&json!(["clerk", "admin"]), "clerk,admin");
    assert_value(&json!(["a,b", "c%2Cd"]), "a%2Cb,c%252Cd");
    assert_value(&json!("clerk,admin"), "clerk%2Cadmin");
    assert_value(&json!([1, true, null, " x "]), "1,true,%20x%20");
    assert_value(&json!([]), "");
}

#[test]
fn what_has_parts_of_its_own_is_json_in_base64() {
    for claim in [
        json!({"a": 1}),
        json!({}),
        json!([["a"]]),
        json!(["a", {"b": 1}]),
    ] {
        assert_value(&claim, &STANDARD.encode(claim.to_string()));
    }
}

#[test]
fn a_claim_that_is_missing_or_null_gives_no_header() {
    assert_eq!(value_of(&Value::Null), None);
    let sources = json!({"x-claim": {"claim": ["a", "b"]}});
    for claims in [
        json!({}),
        json!({"a": null}),
        json!({"a": "b"}),
        json!({"a": ["b"]}),
    ] {
        assert!(sent(&sources, &session(&claims)).is_empty(), "{claims}");
    }
}

#[test]
fn a_claim_is_found_by_the_names_that_lead_to_it() {
    let claims = json!({
        "https://foo.example/tenant.id": "t",
        "resource_access": {"web": {"roles": ["clerk"]}},
        "resource_access.web.roles": "another",
    });
    let sources = json!({
        "x-roles": {"claim": ["resource_access", "web", "roles"]},
        "x-tenant": {"claim": "https://foo.example/tenant.id"},
    });
    let sent = sent(&sources, &session(&claims));
    assert_eq!(sent, pairs(&[("x-roles", "clerk"), ("x-tenant", "t")]));
}

#[test]
fn tokens_go_only_where_they_are() {
    let sources = json!({
        "a": {"id_token": "raw"},
        "b": {"id_token": "claims_base64_json"},
        "c": {"access_token": "raw"},
        "authorization": {"access_token": "bearer"},
    });
    assert!(sent(&sources, &session(&json!({}))).is_empty());
    let mut with_tokens = session(&json!({}));
    with_tokens.id_token = Some("e30.eyJhIjoxfQ.AA".to_owned());
    with_tokens.access_token = Some("at".to_owned());
    let expected = [
        ("a", "e30.eyJhIjoxfQ.AA"),
        ("authorization", "Bearer at"),
        ("b", "eyJhIjoxfQ=="),
        ("c", "at"),
    ];
    assert_eq!(sent(&sources, &with_tokens), pairs(&expected));
}

fn selected(sources: &Value, identity: &Value) -> Value {
    Value::Object(select_claims(
        &upstream(sources),
        identity.as_object().unwrap(),
        identity.as_object().unwrap(),
    ))
}

#[test]
fn only_the_claims_that_headers_need_are_kept() {
    let identity = json!({
        "iss": "i", "sub": "s", "email": "e", "picture": "p",
        "a": {"b": {"c": 1, "d": 2}, "e": 3},
    });
    for (sources, expected) in [
        (json!({"x": {"claim": "email"}}), json!({"email": "e"})),
        (
            json!({"x": {"claim": ["a", "b", "c"]}, "y": {"claim": ["a", "e"]}}),
            json!({"a": {"b": {"c": 1}, "e": 3}}),
        ),
        (
            json!({"x": {"claim": ["a", "e"]}, "y": {"claim": "a"}}),
            json!({"a": {"b": {"c": 1, "d": 2}, "e": 3}}),
        ),
        (
            json!({"x": {"claim": ["email", "b"]}, "y": {"id_token": "raw"}}),
            json!({}),
        ),
    ] {
        assert_eq!(selected(&sources, &identity), expected, "{sources}");
    }
    let mut personal = identity.clone();
    personal.as_object_mut().unwrap().remove("iss");
    let whole = json!({"x": {"userinfo": "base64_json"}});
    assert_eq!(selected(&whole, &identity), personal);
}

#[test]
fn a_claim_asked_for_by_name_is_kept_beside_all_of_userinfo() {
    let sources = json!({"x": {"userinfo": "base64_json"}, "y": {"claim": "iss"}});
    let identity = json!({"iss": "i", "aud": "a", "sub": "s"});
    assert_eq!(
        selected(&sources, &identity),
        json!({"iss": "i", "sub": "s"})
    );
}

#[test]
fn userinfo_says_who_a_person_is_and_nothing_about_the_login() {
    const LOGIN: [&str; 15] = [
        "iss",
        "sub",
        "aud",
        "azp",
        "exp",
        "iat",
        "nbf",
        "nonce",
        "at_hash",
        "c_hash",
        "jti",
        "acr",
        "amr",
        "auth_time",
        "sid",
    ];
    let all = |value: &str| -> Map<String, Value> {
        let names = LOGIN.into_iter().chain(["email"]);
        names.map(|name| (name.to_owned(), json!(value))).collect()
    };
    let mut merged = identity(&all("token"), Some(&all("userinfo")));
    assert_eq!(merged.remove("email"), Some(json!("userinfo")));
    assert_eq!(merged.len(), LOGIN.len());
    assert!(merged.values().all(|value| *value == json!("token")));

    let introduced = identity(&Map::new(), Some(&all("userinfo")));
    assert_eq!(Value::Object(introduced), json!({"email": "userinfo"}));
    assert_eq!(identity(&all("token"), None), all("token"));
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ ,%a\u{e9}\r\n\0]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[abc]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn decoded(item: &str) -> String {
    let mut parts = item.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (code, plain) = part.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).unwrap());
        bytes.extend(plain.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #[test]
    fn every_value_can_stand_in_a_header(claim in json_value()) {
        if let Some(value) = value_of(&claim) {
            prop_assert!(value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
            prop_assert_eq!(value.trim(), &value);
        }
    }

    #[test]
    fn a_list_is_read_by_splitting_and_a_text_has_one_item(
        items in prop::collection::vec(any::<String>(), 1..4),
    ) {
        let read = |claim: Value| -> Vec<String> {
            let value = value_of(&claim).unwrap();
            value
                .split(',')
                .map(decoded)
                .collect()
        };
        prop_assert_eq!(read(json!(items[0])), &items[..1]);
        prop_assert_eq!(read(json!(items)), items);
    }

    #[test]
    fn what_is_selected_gives_the_same_headers(identity in json_value()) {
        let identity = json!({"a": identity, "b": 1, "c": {"a": 2}});
        let sources = json!({
            "x-1": {"claim": ["a", "a"]},
            "x-2": {"claim": ["a", "b", "c"]},
            "x-3": {"claim": ["c", "a"]},
        });
        let selected = selected(&sources, &identity);
        prop_assert_eq!(sent(&sources, &session(&selected)), sent(&sources, &session(&identity)));
        prop_assert!(selected.get("b").is_none());
    }
}
