//! Where bearer tokens stand in a request.

use super::*;

fn bearer(value: Value) -> Bearer {
    load(&with("/bearer", value)).unwrap().config.bearer
}

fn header(name: &str, scheme: &str) -> BearerHeader {
    BearerHeader {
        name: name.to_owned(),
        scheme: scheme.to_owned(),
    }
}

#[test]
fn without_a_word_a_token_stands_in_the_authorization_header_and_is_hidden() {
    let expected = Bearer {
        headers: vec![header("authorization", "Bearer")],
        cookies: Vec::new(),
        query: Vec::new(),
        hide: true,
        realm: None,
    };
    assert_eq!(load(&parsed(MINIMAL)).unwrap().config.bearer, expected);
    assert_eq!(bearer(json!({})), expected);
}

#[test]
fn every_place_can_be_said() {
    let Config { bearer, .. } = load(&parsed(FULL)).unwrap().config;
    assert_eq!(
        bearer,
        Bearer {
            headers: vec![
                header("authorization", "Bearer"),
                header("authorization", "token"),
                header("x-api-token", ""),
            ],
            cookies: vec!["api_token".to_owned()],
            query: vec!["access_token".to_owned()],
            hide: false,
            realm: Some("the orders of Acme".to_owned()),
        }
    );
    let without_headers = self::bearer(json!({"headers": [], "cookies": ["token"]}));
    assert!(without_headers.headers.is_empty());
    let forwarded = self::bearer(json!({"headers": [{"name": "X-Forwarded-Authorization"}]}));
    assert_eq!(
        forwarded.headers,
        [header("x-forwarded-authorization", "Bearer")]
    );
}

#[test]
fn tokens_in_addresses_are_warned_of() {
    let warnings = |value| load(&with("/bearer", value)).unwrap().warnings;
    let found = warnings(json!({"query": ["access_token"]}));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("bearer.query: "), "{found:?}");
    assert!(warnings(json!({"query": [], "cookies": ["token"]})).is_empty());
}

#[test]
fn no_header_is_taken_that_cannot_hold_a_token() {
    let refuse = |entry: Value, key: &str, words: &str| {
        let path = format!("bearer.headers[0]{key}");
        refused(&with("/bearer/headers", json!([entry])), &path, words);
    };
    for name in [":path", ":authority"] {
        refuse(json!({"name": name}), ".name", "pseudo header");
    }
    for name in ["", "a b", "é", &"a".repeat(129)] {
        refuse(json!({"name": name}), ".name", "not a header name");
    }
    for name in [
        "cookie",
        "Host",
        "content-length",
        "x-envoy-token",
        "x_envoy_token",
    ] {
        refuse(json!({"name": name}), ".name", "must not take a token from");
    }
    refuse(json!({}), ".name", "is missing");
    for scheme in ["a b", "Bearer ", "\u{e9}", "a\"b"] {
        refuse(
            json!({"name": "a", "scheme": scheme}),
            ".scheme",
            "not a scheme",
        );
    }
    for scheme in ["Basic", "DPoP", "dpop", "Negotiate"] {
        refuse(
            json!({"name": "a", "scheme": scheme}),
            ".scheme",
            "no bearer token",
        );
    }
    let twice = json!([{"name": "A", "scheme": "bearer"}, {"name": "a"}]);
    refused(
        &with("/bearer/headers", twice),
        "bearer.headers[1]",
        "already",
    );
}

#[test]
fn no_cookie_of_porteros_own_holds_a_token() {
    for name in [
        "__Host-portero",
        "__Host-portero.1",
        "__Secure-portero-hint",
        "__Host-portero-login-x",
        "portero",
    ] {
        let value = json!({"cookies": [name]});
        refused(
            &with("/bearer", value),
            "bearer.cookies[0]",
            "Portero's own",
        );
    }
    assert_eq!(
        bearer(json!({"cookies": ["porterofino"]})).cookies,
        ["porterofino"]
    );
    for name in ["", "a=b", "a;b", "a b"] {
        let value = json!({"cookies": [name]});
        refused(
            &with("/bearer", value),
            "bearer.cookies[0]",
            "not a cookie's name",
        );
    }
    let twice = json!({"cookies": ["a", "a"]});
    refused(&with("/bearer", twice), "bearer.cookies[1]", "already");
}

#[test]
fn a_parameter_has_a_name_that_needs_no_encoding() {
    for name in ["", "a=b", "a&b", "a b", "a[]"] {
        let value = json!({"query": [name]});
        refused(
            &with("/bearer", value),
            "bearer.query[0]",
            "not a query parameter's name",
        );
    }
}

#[test]
fn a_token_has_some_place() {
    refused(
        &with("/bearer", json!({"headers": []})),
        "bearer",
        "no place",
    );
}

#[test]
fn a_realm_fits_between_quotes() {
    for realm in ["", "a\"b", "a\\b", "a\nb", "é", &"a".repeat(257)] {
        refused(
            &with("/bearer/realm", json!(realm)),
            "bearer.realm",
            "between quotes",
        );
    }
}
