//! Faults of the session store.

use super::*;

/// A session store, after `change`.
fn store(change: impl FnOnce(&mut Value)) -> Value {
    let mut store = json!({
        "cluster": "redis",
        "url": "https://redis.internal/",
        "protocol": {"webdis": {}},
    });
    change(&mut store);
    with("/session/store", store)
}

#[test]
fn a_store_needs_a_cluster_an_address_and_a_protocol_and_has_defaults_for_the_rest() {
    let config = accepted(&store(|_| ()));
    let policy = config.session.store.unwrap();
    assert_eq!(policy.key_prefix, "portero:");
    assert_eq!(policy.timeout, Duration::from_secs(1));
    assert_eq!(policy.reread_interval, Duration::from_secs(1));
    assert_eq!(policy.when_unavailable, WhenUnavailable::Refuse);
    assert!(matches!(
        policy.protocol,
        StoreProtocol::Webdis { credentials: None }
    ));
    let found = faults(&with("/session/store", json!({})));
    let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    for key in ["cluster", "protocol", "url"] {
        assert!(paths.contains(&format!("session.store.{key}").as_str()));
    }
    assert_eq!(paths.len(), 3, "{found:?}");
}

#[test]
fn plain_http_takes_a_word_and_warns() {
    let http = json!("http://redis.internal:7379/");
    refused(
        &store(|store| store["url"] = http.clone()),
        "session.store.url",
        "does not use https",
    );
    let loaded = load(&store(|store| {
        store["url"] = http;
        store["insecure_allow_http"] = json!(true);
    }));
    let warnings = loaded.unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("session.store.insecure_allow_http: "));
    assert!(warnings[0].contains("in the clear"));
}

#[test]
fn credentials_are_whole_and_fit_their_header() {
    let webdis = |value: Value| store(|store| store["protocol"] = json!({"webdis": value}));
    let upstash = |value: Value| store(|store| store["protocol"] = json!({"upstash": value}));
    let at = "session.store.protocol.webdis";
    refused(
        &webdis(json!({"username": "portero"})),
        &format!("{at}.password"),
        "is missing; accepted: the password that belongs to `username`",
    );
    refused(
        &webdis(json!({"password": "x"})),
        &format!("{at}.username"),
        "is missing; accepted: the user name that belongs to `password`",
    );
    refused(
        &webdis(json!({"username": "a:b", "password": "x"})),
        &format!("{at}.username"),
        "has a `:`",
    );
    refused(
        &webdis(json!({"username": "", "password": "x"})),
        &format!("{at}.username"),
        "is empty",
    );
    refused(
        &upstash(json!({})),
        "session.store.protocol.upstash.token",
        "is missing",
    );
    refused(
        &upstash(json!({"token": "line\nbreak"})),
        "session.store.protocol.upstash.token",
        "has characters that no token has",
    );
    accepted(&upstash(json!({"token": {"env": "SESSION_KEY"}})));
}

#[test]
fn names_and_times_have_their_limits() {
    for prefix in ["", "a/b", "a b", "a.b", "é", &"a".repeat(65)] {
        refused(
            &store(|store| store["key_prefix"] = json!(prefix)),
            "session.store.key_prefix",
            "cannot begin a key",
        );
    }
    for (key, value, words) in [
        ("timeout", "9ms", "is 9ms; accepted: 10ms to 10s"),
        ("timeout", "11s", "is 11s; accepted: 10ms to 10s"),
        ("reread_interval", "31s", "is 31s; accepted: "),
    ] {
        refused(
            &store(|store| store[key] = json!(value)),
            &format!("session.store.{key}"),
            words,
        );
    }
}
