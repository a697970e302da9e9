//! Faults of sessions, their keys and their cookie.

use super::*;

fn session(key: &str, value: Value) -> Value {
    with(&format!("/session/{key}"), value)
}

#[test]
fn a_key_is_long_and_looks_random_and_is_there_once() {
    refused(&without("/session/keys"), "session.keys", "is missing");
    refused(&session("keys", json!([])), "session.keys", "is empty");
    refused(
        &session("keys", json!(["x"])),
        "session.keys[0]",
        "has 1 bytes; accepted: at least 32",
    );
    refused(
        &session("keys", json!(["abc".repeat(20)])),
        "session.keys[0]",
        "repeats itself",
    );
    refused(
        &session("keys", json!([{"env": "SESSION_KEY"}, SESSION_KEY])),
        "session.keys[1]",
        "is in this list already",
    );
    refused(
        &session("keys", json!([{"env": "ABSENT"}])),
        "session.keys[0].env",
        "`ABSENT` is not set",
    );
    let many: Vec<String> = (0..17).map(|n| format!("{SESSION_KEY}{n}")).collect();
    refused(
        &session("keys", json!(many)),
        "session.keys",
        "has 17 entries; accepted: at most 16",
    );
}

#[test]
fn a_secret_with_white_space_around_it_warns() {
    let loaded = load(&session("keys", json!([{"env": "PADDED"}]))).unwrap();
    assert!(
        loaded.warnings[0].starts_with("session.keys[0].env: "),
        "{:?}",
        loaded.warnings
    );
    assert_eq!(
        loaded.config.session.keys[0].expose().len(),
        SESSION_KEY.len() + 1
    );
}

#[test]
fn claims_are_read_again_only_where_somebody_says_so() {
    let interval = |value: &Value| accepted(value).session.reread_claims;
    assert_eq!(interval(&parsed(MINIMAL)), None);
    for (text, seconds) in [("10s", 10), ("1d", 86_400)] {
        let value = session("reread_claims", json!(text));
        assert_eq!(interval(&value), Some(Duration::from_secs(seconds)));
    }
    for text in ["9999ms", "1d1ms"] {
        refused(
            &session("reread_claims", json!(text)),
            "session.reread_claims",
            "accepted: 10s to 1d",
        );
    }
}

#[test]
fn times_fit_each_other() {
    refused(
        &session("idle_timeout", json!("59s")),
        "session.idle_timeout",
        "is 59s; accepted: 1m to 30d",
    );
    refused(
        &session("idle_timeout", json!("9h")),
        "session.idle_timeout",
        "is 9h; accepted: 1m to the `lifetime`, 8h",
    );
    refused(
        &session("lifetime", json!("31d")),
        "session.lifetime",
        "is 31d; accepted: 1m to 30d",
    );
    let config = accepted(&session("lifetime", json!("10m")));
    assert_eq!(config.session.idle_timeout, Duration::from_secs(600));
}

#[test]
fn the_cache_has_a_limit() {
    refused(
        &session("cache_bytes", json!(536_870_913)),
        "session.cache_bytes",
        "is 536870913; accepted: 0 to 536870912 bytes",
    );
    refused(
        &session("cache_bytes", json!(1e300)),
        "session.cache_bytes",
        "is not a whole number",
    );
    assert_eq!(
        accepted(&session("cache_bytes", json!(0.0)))
            .session
            .cache_bytes,
        0
    );
}

#[test]
fn a_cookie_keeps_the_promises_of_its_name() {
    refused(
        &session("cookie", json!({"name": "portero"})),
        "session.cookie.name",
        "does not start with `__Host-`",
    );
    refused(
        &session("cookie", json!({"name": "__Host-"})),
        "session.cookie.name",
        "does not start with `__Host-`",
    );
    refused(
        &session("cookie", json!({"name": "__Host-a;b"})),
        "session.cookie.name",
        "is not a cookie name",
    );
    refused(
        &session(
            "cookie",
            json!({"name": format!("__Host-{}", "a".repeat(58))}),
        ),
        "session.cookie.name",
        "is not a cookie name",
    );
    for name in ["__Host-a", "__Secure-a", "__host-a"] {
        refused(
            &session("cookie", json!({"name": name, "insecure_allow_http": true})),
            "session.cookie.name",
            "has a prefix that needs `Secure`",
        );
    }
    refused(
        &session(
            "cookie",
            json!({"same_site": "none", "insecure_allow_http": true}),
        ),
        "session.cookie.same_site",
        "browsers drop such a cookie; accepted: lax",
    );
    refused(
        &session("cookie", json!({"same_site": "Lax"})),
        "session.cookie.same_site",
        "is not a known word; accepted: lax, none",
    );
    refused(
        &session("cookie", json!({"same_site": "strict"})),
        "session.cookie.same_site",
        "so a login would never end; accepted: lax, none",
    );
}

#[test]
fn a_cookie_without_secure_warns_and_has_a_name_of_its_own() {
    let loaded = load(&session("cookie", json!({"insecure_allow_http": true}))).unwrap();
    assert_eq!(loaded.config.session.cookie.name, "portero");
    assert!(loaded.warnings[0].starts_with("session.cookie.insecure_allow_http: "));
}

#[test]
fn forms_are_kept_only_where_bodies_can_be_read() {
    let path = "session.preserved_post_bytes";
    refused(
        &session("preserved_post_bytes", json!(4096)),
        path,
        "only with `allow_on_headers_stop_iteration: true`",
    );
    refused(
        &session("preserved_post_bytes", json!(12_001)),
        path,
        "is 12001; accepted: 0 to 12000 bytes",
    );
    let mut readable = session("preserved_post_bytes", json!(12_000));
    readable["allow_on_headers_stop_iteration"] = json!(true);
    let config = load(&readable).unwrap().config;
    assert_eq!(config.session.preserved_post_bytes, 12_000);
    assert!(config.reads_bodies);
    let config = load(&session("preserved_post_bytes", json!(0)))
        .unwrap()
        .config;
    assert!(!config.reads_bodies);
}
