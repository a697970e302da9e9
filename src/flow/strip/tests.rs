use serde_json::{Value, json};

use super::HeaderGuard;
use crate::flow::Forward;
use crate::request::Request;
use crate::session::CookieNames;
use crate::testing::config;

fn strip(headers: &[(&str, &str)]) -> Forward {
    strip_with(&Value::Null, headers)
}

fn strip_with(consumers: &Value, headers: &[(&str, &str)]) -> Forward {
    let config = config(|whole| {
        whole["upstream"] = json!({"headers": {"x-user-email": {"claim": "email"}}});
        if consumers.is_object() {
            whole["consumers"] = consumers.clone();
        }
    });
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    let request = Request::new(headers.collect());
    HeaderGuard::new(&config).strip(&request, &CookieNames::new("__Host-portero"))
}

#[test]
fn headers_that_only_portero_may_set_are_removed_in_every_spelling() {
    let forward = strip(&[
        ("x-user-email", "mallory"),
        ("x_user_email", "mallory"),
        ("x-user_email", "mallory"),
        ("x-user-email", "again"),
        ("x-user-emails", "other"),
        ("x-user", "other"),
    ]);
    assert_eq!(
        forward.remove,
        ["x-user-email", "x_user_email", "x-user_email"]
    );
    assert!(forward.set.is_empty());
}

#[test]
fn porteros_cookies_stay_here_and_others_go_on() {
    let forward = strip(&[
        ("cookie", "a=1; __Host-portero=x"),
        ("cookie", "__Host-portero.1=y; b=2"),
    ]);
    assert_eq!(forward.set, [("cookie".to_owned(), b"a=1; b=2".to_vec())]);
    assert!(forward.remove.is_empty());
    let alone = strip(&[(
        "cookie",
        "__Host-portero-login-x=y; __Secure-portero-hint=z",
    )]);
    assert_eq!(alone.remove, ["cookie"]);
    assert!(alone.set.is_empty());
}

#[test]
fn a_request_without_anything_of_porteros_is_left_as_it_is() {
    let forward = strip(&[("cookie", "a = 1;b=2 "), ("x-other", "1")]);
    assert!(forward.set.is_empty() && forward.remove.is_empty());
}

#[test]
fn the_headers_of_consumers_are_porteros_where_there_are_consumers() {
    let forged = [
        ("x-consumer-id", "1"),
        ("x-consumer-custom-id", "1"),
        ("x_consumer_username", "1"),
        ("x-credential_identifier", "1"),
        ("x-anonymous-consumer", "true"),
    ];
    assert_eq!(
        strip_with(&json!({}), &forged).remove,
        forged.map(|(name, _)| name)
    );
    assert!(strip(&forged).remove.is_empty());
}
