use proptest::prelude::*;
use serde_json::{Value, json};

use super::hide;
use crate::flow::Forward;
use crate::flow::strip::HeaderGuard;
use crate::request::Request;
use crate::session::CookieNames;
use crate::testing::config;

type Headers = Vec<(String, Vec<u8>)>;

/// What the upstream gets, after Portero's own has been taken out too.
fn arrives(bearer: &Value, sent: &[(&str, &str)]) -> Vec<(String, String)> {
    let config = config(|whole| {
        whole["bearer"] = bearer.clone();
        whole["upstream"] = json!({"headers": {"authorization": {"access_token": "bearer"}}});
    });
    let sent: Headers = sent
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    let request = Request::new(sent.clone());
    let names = CookieNames::new("__Host-portero");
    let mut forward = HeaderGuard::new(&config).strip(&request, &names);
    hide(&config.bearer, &request, &mut forward);
    let Forward { remove, set, .. } = forward;
    let mut distinct = remove.clone();
    distinct.dedup();
    assert_eq!(distinct, remove);
    let mut headers = sent;
    headers.retain(|(name, _)| !remove.contains(name));
    for (name, value) in set {
        assert!(!remove.contains(&name), "{name} is removed and set");
        headers.retain(|(other, _)| *other != name);
        headers.push((name, value));
    }
    let texts = headers.into_iter();
    texts
        .map(|(name, value)| (name, String::from_utf8(value).unwrap()))
        .collect()
}

fn everywhere() -> Value {
    json!({
        "headers": [{"name": "authorization"}, {"name": "x-token", "scheme": ""}],
        "cookies": ["token"],
        "query": ["access_token"],
    })
}

fn pairs(sent: &[(&str, &str)]) -> Vec<(String, String)> {
    sent.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn a_token_is_hidden_wherever_it_stands() {
    let sent = [
        (":path", "/a?b=1&access_token=abc"),
        ("authorization", "Bearer abc"),
        ("x-token", "abc"),
        ("x-other", "Bearer abc"),
        ("cookie", "a=1; token=abc; b=2"),
    ];
    let left = [
        ("x-other", "Bearer abc"),
        ("cookie", "a=1; b=2"),
        (":path", "/a?b=1"),
    ];
    assert_eq!(arrives(&everywhere(), &sent), pairs(&left));
}

#[test]
fn with_hide_off_the_upstream_gets_the_token() {
    let sent = [
        (":path", "/a?access_token=abc"),
        ("x-token", "abc"),
        ("cookie", "token=abc"),
    ];
    let mut bearer = everywhere();
    bearer["hide"] = json!(false);
    assert_eq!(arrives(&bearer, &sent), pairs(&sent));
}

#[test]
fn the_token_and_porteros_own_cookies_are_taken_out_of_the_same_header() {
    for (sent, left) in [
        ("__Host-portero=x; token=abc", None),
        ("__Host-portero=x; token=abc; a=1", Some("a=1")),
        ("token=abc", None),
        ("token=abc; a=1", Some("a=1")),
        ("__Host-portero=x; a=1", Some("a=1")),
        ("__Host-portero=x", None),
        ("a=1;b=2", Some("a=1;b=2")),
    ] {
        let expected: Vec<(&str, &str)> = left.map(|left| ("cookie", left)).into_iter().collect();
        assert_eq!(
            arrives(&everywhere(), &[("cookie", sent)]),
            pairs(&expected),
            "{sent}"
        );
    }
    let several = [
        ("cookie", "a=1; __Host-portero=x"),
        ("cookie", "token=abc"),
        ("cookie", "b=\"2\""),
    ];
    assert_eq!(
        arrives(&everywhere(), &several),
        pairs(&[("cookie", "a=1; b=\"2\"")])
    );
}

#[test]
fn another_scheme_in_the_same_header_stays() {
    let bearer = json!({"headers": [{"name": "proxy-authorization"}]});
    let basic = [("proxy-authorization", "Basic YTpi")];
    assert_eq!(arrives(&bearer, &basic), pairs(&basic));
}

proptest! {
    /// Cookies and headers that hold no token arrive as they were sent, in their order.
    #[test]
    fn hiding_changes_nothing_else(
        cookies in prop::collection::vec("(token|__Host-portero|a|b|c[.]d)=[!#-+.-:<-\\[\\]-~]{0,6}", 0..6),
        other in "[ -~]{0,12}",
        has_token in any::<bool>(),
    ) {
        let joined = cookies.join("; ");
        let mut sent = vec![("x-other", other.as_str())];
        if has_token {
            sent.push(("x-token", "abc"));
        }
        if !cookies.is_empty() {
            sent.push(("cookie", &joined));
        }
        let kept: Vec<&str> = cookies
            .iter()
            .filter(|cookie| !cookie.starts_with("token=") && !cookie.starts_with("__Host-portero="))
            .map(String::as_str)
            .collect();
        let kept = kept.join("; ");
        let mut left = vec![("x-other", other.as_str())];
        if !kept.is_empty() {
            left.push(("cookie", &kept));
        }
        prop_assert_eq!(arrives(&everywhere(), &sent), pairs(&left));
    }
}
