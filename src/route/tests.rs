use serde_json::{Value, json};

use super::{Authority, Route};
use crate::error::{Error, RequestFault};
use crate::request::Request;
use crate::testing::config;

fn route(rules: &Value, method: &str, authority: &str, target: &str) -> Result<Route, Error> {
    let config = config(|whole| whole["rules"] = rules.clone());
    let head = vec![(":authority".to_owned(), authority.as_bytes().to_vec())];
    let authority = Authority::of(&Request::new(head)).unwrap();
    Route::of(&config, &authority, method, target.as_bytes())
}

fn get(rules: &Value, target: &str) -> Result<Route, Error> {
    route(rules, "GET", "app.example.com", target)
}

const AMBIGUOUS: Result<Route, Error> = Err(Error::Request(RequestFault::PathAmbiguous));

#[test]
fn without_rules_everything_is_protected() {
    for target in ["/", "/a", "/a?b", "//a;x"] {
        assert_eq!(get(&json!([]), target), Ok(Route::Protected), "{target}");
    }
}

#[test]
fn porteros_own_paths_come_before_every_rule() {
    let everything = json!([{"access": "public"}]);
    assert_eq!(
        get(&everything, "/oauth2/callback?code=1"),
        Ok(Route::Callback)
    );
    assert_eq!(get(&everything, "/oauth2/logout"), Ok(Route::Logout));
    assert_eq!(get(&everything, "/oauth2/logged-out"), Ok(Route::LoggedOut));
    assert_eq!(get(&everything, "/oauth2/%63allback"), Ok(Route::Callback));
    assert_eq!(get(&everything, "/oauth2/callback/"), Ok(Route::Public));
    assert_eq!(get(&everything, "/oauth2/callback;x"), AMBIGUOUS);
    assert_eq!(get(&everything, "/oauth2//callback"), AMBIGUOUS);
    assert_eq!(get(&everything, "/oauth2%2Fcallback"), AMBIGUOUS);
}

#[test]
fn a_prefix_is_whole_segments() {
    let rules = json!([{"match": {"path": {"prefix": "/api"}}, "access": "public"}]);
    for (target, expected) in [
        ("/api", Route::Public),
        ("/api/", Route::Public),
        ("/api/x", Route::Public),
        ("/api?x", Route::Public),
        ("/%61pi/x", Route::Public),
        ("/apix", Route::Protected),
        ("/api.json", Route::Protected),
        ("/API", Route::Protected),
        ("/x/api", Route::Protected),
        ("/", Route::Protected),
    ] {
        assert_eq!(get(&rules, target), Ok(expected), "{target}");
    }
    let with_slash = json!([{"match": {"path": {"prefix": "/api/"}}, "access": "public"}]);
    assert_eq!(get(&with_slash, "/api"), Ok(Route::Public));
    assert_eq!(get(&with_slash, "/apix"), Ok(Route::Protected));
    let root = json!([{"match": {"path": {"prefix": "/"}}, "access": "public"}]);
    assert_eq!(get(&root, "/anything"), Ok(Route::Public));
}

#[test]
fn an_exact_path_is_the_path_in_every_disguise() {
    let rules = json!([
        {"match": {"path": {"exact": "/users/@me"}}},
        {"match": {"path": {"prefix": "/users"}}, "access": "public"},
    ]);
    assert_eq!(get(&rules, "/users/@me"), Ok(Route::Protected));
    assert_eq!(get(&rules, "/users/%40me"), Ok(Route::Protected));
    assert_eq!(get(&rules, "/users/%40%6D%65"), Ok(Route::Protected));
    assert_eq!(get(&rules, "/users/alice"), Ok(Route::Public));
    assert_eq!(get(&rules, "/users/@me/"), Ok(Route::Public));
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = json!([
        {"match": {"path": {"prefix": "/a/b"}}},
        {"match": {"path": {"prefix": "/a"}}, "access": "public"},
        {"match": {"path": {"prefix": "/"}}},
    ]);
    assert_eq!(get(&rules, "/a/b/c"), Ok(Route::Protected));
    assert_eq!(get(&rules, "/a/c"), Ok(Route::Public));
    assert_eq!(get(&rules, "/c"), Ok(Route::Protected));
}

#[test]
fn methods_are_compared_as_they_are() {
    let rules = json!([{"match": {"methods": ["GET", "HEAD"]}, "access": "public"}]);
    for (method, expected) in [
        ("GET", Route::Public),
        ("HEAD", Route::Public),
        ("get", Route::Protected),
        ("POST", Route::Protected),
        ("", Route::Protected),
    ] {
        assert_eq!(
            route(&rules, method, "app.example.com", "/"),
            Ok(expected),
            "{method}"
        );
    }
}

#[test]
fn hosts_are_compared_without_port_and_case() {
    let rules = json!([{
        "match": {"hosts": ["app.example.com", "*.example.org"]},
        "access": "public",
    }]);
    for (authority, expected) in [
        ("app.example.com", Route::Public),
        ("APP.example.com:8443", Route::Public),
        ("app.example.com.", Route::Public),
        ("other.example.com", Route::Protected),
        ("xapp.example.com", Route::Protected),
        ("a.example.org", Route::Public),
        ("a.b.example.org", Route::Public),
        ("example.org", Route::Protected),
        (".example.org", Route::Protected),
        ("xexample.org", Route::Protected),
        ("a.example.org.evil.example", Route::Protected),
    ] {
        assert_eq!(
            route(&rules, "GET", authority, "/"),
            Ok(expected),
            "{authority}"
        );
    }
}

#[test]
fn a_path_that_leads_to_another_rule_when_read_otherwise_is_refused() {
    let rules = json!([
        {"match": {"path": {"prefix": "/admin"}}},
        {"match": {"path": {"exact": "/"}}},
        {"match": {"path": {"exact": "/docs/"}}},
        {"match": {"path": {"prefix": "/"}}, "access": "public"},
    ]);
    for target in [
        "//admin",
        "/admin;x",
        "/%2Fadmin",
        "/%5cadmin",
        "/;x/admin",
        "/admin%3bx",
        "/;x",
        "//",
        "/docs/;x",
        "/docs//",
        "/admin%2fx",
    ] {
        assert_eq!(get(&rules, target), AMBIGUOUS, "{target}");
    }
    assert_eq!(get(&rules, "/admin/a;b//c%2Fd"), Ok(Route::Protected));
    assert_eq!(get(&rules, "/open/a;b//c%2Fd"), Ok(Route::Public));
}

#[test]
fn two_rules_of_one_kind_are_still_two() {
    let rules = json!([
        {"match": {"path": {"exact": "/a/b"}}, "access": "public"},
        {"match": {"path": {"prefix": "/"}}, "access": "public"},
    ]);
    assert_eq!(get(&rules, "/a//b"), AMBIGUOUS);
}
