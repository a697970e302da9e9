//! What cannot be read, and how much of it is told at once.

use super::*;

#[track_caller]
fn unreadable(json: &[u8], words: &str) {
    let Faults(found) = Config::load(json, &environment).unwrap_err();
    assert!(
        matches!(found.as_slice(), [fault] if fault.path == "(root)" && fault.problem.contains(words)),
        "{found:#?}"
    );
}

#[test]
fn text_that_is_no_configuration_is_one_clear_fault() {
    unreadable(b"", "is empty");
    unreadable(b" \n\t", "is empty");
    unreadable(b"\xff\xfe{}", "is not UTF-8");
    unreadable(b"null", "is not an object");
    unreadable(b"[1, 2]", "is not an object");
    unreadable(b"{\"providers\": ", "is not JSON (EOF");
    unreadable(b"{} {}", "is not JSON (trailing");
    unreadable(&b" ".repeat(2_000_000), "accepted: at most 1048576");
    unreadable(&b"[".repeat(100_000), "is not JSON (recursion limit");
    unreadable(&b"{\"a\":".repeat(100_000), "is not JSON (recursion limit");
}

#[test]
fn an_empty_object_is_told_what_it_lacks() {
    assert_eq!(
        load(&json!({})).unwrap_err().to_string(),
        "providers: is missing; accepted: an object with a provider\n\
         session: is missing; accepted: an object with `keys`"
    );
}

#[test]
fn ten_faults_in_ten_places_are_told_at_once() {
    let mut whole = with("/providers/corp/client/id", json!(7));
    put(
        &mut whole,
        "/providers/corp/issuer",
        json!("idp.example.com"),
    );
    put(&mut whole, "/providers/corp/timeout", json!(5));
    put(
        &mut whole,
        "/providers/corp/id_token/algorithms",
        json!(["RS256", "HS256"]),
    );
    put(
        &mut whole,
        "/session/keys",
        json!([{"env": "ABSENT"}, 12, "short"]),
    );
    put(&mut whole, "/session/cooky", json!({}));
    put(&mut whole, "/paths/logout", json!("/oauth2/callback"));
    put(
        &mut whole,
        "/rules",
        json!([{"acess": "public"}, {"access": "publik"}]),
    );
    put(
        &mut whole,
        "/upstream/headers/cookie",
        json!({"claim": "sub"}),
    );
    let found = faults(&whole);
    let mut paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "paths.logout",
            "providers.corp.client.id",
            "providers.corp.id_token.algorithms[1]",
            "providers.corp.issuer",
            "providers.corp.timeout",
            "rules[0].acess",
            "rules[1].access",
            "session.cooky",
            "session.keys[0].env",
            "session.keys[1]",
            "session.keys[2]",
            "upstream.headers.cookie",
        ]
    );
}

#[test]
fn a_value_of_the_wrong_type_is_told_once_with_what_is_accepted() {
    refused(
        &with("/session", json!([])),
        "session",
        "is a list; accepted: an object",
    );
    refused(
        &with("/session/keys", json!({})),
        "session.keys",
        "is an object; accepted: a list",
    );
    refused(
        &with("/providers/corp/cluster", json!(true)),
        "providers.corp.cluster",
        "is a boolean; accepted: a string",
    );
    refused(
        &with("/providers/corp", json!("idp")),
        "providers.corp",
        "is a string; accepted: an object",
    );
    // A struct must not be read from the list of its values.
    refused(
        &with("/providers/corp/client", json!(["portero", {"none": {}}])),
        "providers.corp.client",
        "is a list",
    );
    refused(
        &with("/session/cache_bytes", json!(1.5)),
        "session.cache_bytes",
        "is not a whole number",
    );
    refused(
        &with("/session/cache_bytes", json!("16MiB")),
        "session.cache_bytes",
        "is a string; accepted: a whole number",
    );
    refused(
        &with("/session/cache_bytes", json!(-1)),
        "session.cache_bytes",
        "a whole number, not negative",
    );
}

#[test]
fn an_unknown_key_is_told_with_the_known_ones() {
    refused(
        &with("/rulez", json!([])),
        "rulez",
        "is not a known key; accepted: providers, session, paths, rules",
    );
    refused(
        &with("/a b\n", json!(1)),
        "[\"a b\\n\"]",
        "is not a known key",
    );
}

#[test]
fn a_missing_key_does_not_hide_its_neighbours() {
    let whole = json!({"providers": {"corp": {"client": {"authentication": {"client_secret_basic": {}}}}}, "session": {}});
    let paths: Vec<String> = faults(&whole).into_iter().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        [
            "providers.corp.issuer",
            "providers.corp.client.id",
            "providers.corp.client.authentication.client_secret_basic.secret",
            "providers.corp.cluster",
            "session.keys",
        ]
    );
}

#[test]
fn a_value_taken_out_causes_no_second_fault() {
    let at = "/providers/corp/client/authentication";
    let path = "providers.corp.client.authentication";
    refused(
        &with(at, json!({"client_secret_basic": 5})),
        &format!("{path}.client_secret_basic"),
        "is a number; accepted: an object",
    );
    refused(
        &with(at, json!({"client_secret_basic": {"secret": 5}})),
        &format!("{path}.client_secret_basic.secret"),
        "is a number; accepted: a string, or {\"env\"",
    );
    refused(
        &with(at, json!({"client_secret_basic": {"secret": {"env": 5}}})),
        &format!("{path}.client_secret_basic.secret.env"),
        "is a number",
    );
    refused(
        &with(at, json!({"tls_client_auth": {}})),
        &format!("{path}.tls_client_auth"),
        "accepted: client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, none",
    );
    refused(
        &with(at, json!({"none": {"secret": "x"}})),
        &format!("{path}.none.secret"),
        "accepted: no keys at all",
    );
    refused(
        &with("/upstream/headers/x-a", json!({"claim": 5})),
        "upstream.headers.x-a.claim",
        "a string, or a list of strings",
    );
    refused(
        &with("/session/lifetime", json!("soon")),
        "session.lifetime",
        "is not a duration",
    );
}

#[test]
fn a_choice_is_exactly_one_key() {
    let at = "/providers/corp/client/authentication";
    let path = "providers.corp.client.authentication";
    refused(&with(at, json!({})), path, "has 0 keys");
    refused(
        &with(
            at,
            json!({"none": {}, "client_secret_post": {"secret": "x"}}),
        ),
        path,
        "has 2 keys; accepted: client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, none, client_secret_automatic, exactly one",
    );
    refused(
        &with(at, json!("none")),
        path,
        "is a word alone; accepted: an object {\"none\": ...}",
    );
    refused(
        &with("/cors_preflight", json!({"deny": {}})),
        "cors_preflight.deny",
        "the word alone",
    );
    refused(
        &with("/cors_preflight", json!("maybe")),
        "cors_preflight",
        "is not a known word; accepted: deny, pass",
    );
}

#[test]
fn null_and_repeated_keys_are_faults() {
    refused(&with("/rules", json!(null)), "rules", "is null");
    refused(
        &with("/session/keys", json!([null, {"env": "SESSION_KEY"}])),
        "session.keys[0]",
        "is null",
    );
    let twice = MINIMAL.replace(
        "\"cluster\": \"idp\",",
        "\"cluster\": \"idp\", \"cluster\": \"idp2\",",
    );
    let Faults(found) = Config::load(twice.as_bytes(), &environment).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0].to_string(),
        "providers.corp.cluster: is written twice; accepted: each key once"
    );
}

#[test]
fn more_faults_than_anyone_reads_are_cut_off() {
    let headers: Value = (0..60)
        .map(|n| (format!("x-{n}"), json!(5)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mut whole = with("/upstream/headers", headers);
    for n in 0..60 {
        put(&mut whole, &format!("/session/unknown-{n}"), json!(1));
    }
    let found = faults(&whole);
    assert_eq!(found.len(), 65);
    assert_eq!(found[64].1, "has more faults; the first 64 are reported");
    let nulls = format!("{{\"rules\": [{}null]}}", "null,".repeat(100_000));
    assert_eq!(
        Config::load(nulls.as_bytes(), &environment)
            .unwrap_err()
            .0
            .len(),
        65
    );
}

#[test]
fn no_fault_repeats_a_secret() {
    // What could be the name of a variable is taken for one, and told.
    let secret = "hunter2-hunter2";
    let places = [
        "/session",
        "/session/keys",
        "/providers",
        "/providers/corp/client",
        "/providers/corp/client/authentication",
        "/providers/corp/client/authentication/client_secret_basic",
        "/providers/corp/client/authentication/client_secret_basic/secret/env",
    ];
    for place in places {
        for value in [json!(secret), json!([secret]), json!({"env": secret})] {
            if let Err(faults) = load(&with(place, value)) {
                assert!(!faults.to_string().contains(secret), "{faults}");
            }
        }
    }
}
