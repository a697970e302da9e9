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
const AUTHORITY_AMBIGUOUS: Result<Route, Error> =
    Err(Error::Request(RequestFault::AuthorityAmbiguous));

#[test]
fn without_rules_everything_is_protected() {
    for target in ["/", "/a", "/a?b", "//a;x"] {
        assert_eq!(
            get(&json!([]), target),
            Ok(Route::Protected(None)),
            "{target}"
        );
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
    assert_eq!(
        get(&everything, "/oauth2/frontchannel-logout?iss=x&sid=y"),
        Ok(Route::FrontChannelLogout)
    );
    // Where the bodies of requests are not shown, this is no path of Portero's.
    assert_eq!(
        get(&everything, "/oauth2/backchannel-logout"),
        Ok(Route::Public(0))
    );
    assert_eq!(get(&everything, "/oauth2/%63allback"), Ok(Route::Callback));
    assert_eq!(get(&everything, "/oauth2/callback/"), Ok(Route::Public(0)));
    assert_eq!(get(&everything, "/oauth2/callback;x"), AMBIGUOUS);
    assert_eq!(get(&everything, "/oauth2//callback"), AMBIGUOUS);
    assert_eq!(get(&everything, "/oauth2%2Fcallback"), AMBIGUOUS);
}

#[test]
fn a_prefix_is_whole_segments() {
    let rules = json!([{"match": {"path": {"prefix": "/api"}}, "access": "public"}]);
    for (target, expected) in [
        ("/api", Route::Public(0)),
        ("/api/", Route::Public(0)),
        ("/api/x", Route::Public(0)),
        ("/api?x", Route::Public(0)),
        ("/%61pi/x", Route::Public(0)),
        ("/apix", Route::Protected(None)),
        ("/api.json", Route::Protected(None)),
        ("/API", Route::Protected(None)),
        ("/x/api", Route::Protected(None)),
        ("/", Route::Protected(None)),
    ] {
        assert_eq!(get(&rules, target), Ok(expected), "{target}");
    }
    let with_slash = json!([{"match": {"path": {"prefix": "/api/"}}, "access": "public"}]);
    assert_eq!(get(&with_slash, "/api"), Ok(Route::Public(0)));
    assert_eq!(get(&with_slash, "/apix"), Ok(Route::Protected(None)));
    let root = json!([{"match": {"path": {"prefix": "/"}}, "access": "public"}]);
    assert_eq!(get(&root, "/anything"), Ok(Route::Public(0)));
}

#[test]
fn an_exact_path_is_the_path_in_every_disguise() {
    let rules = json!([
        {"match": {"path": {"exact": "/users/@me"}}},
        {"match": {"path": {"prefix": "/users"}}, "access": "public"},
    ]);
    assert_eq!(get(&rules, "/users/@me"), Ok(Route::Protected(Some(0))));
    assert_eq!(get(&rules, "/users/%40me"), Ok(Route::Protected(Some(0))));
    assert_eq!(
        get(&rules, "/users/%40%6D%65"),
        Ok(Route::Protected(Some(0)))
    );
    assert_eq!(get(&rules, "/users/alice"), Ok(Route::Public(1)));
    assert_eq!(get(&rules, "/users/@me/"), Ok(Route::Public(1)));
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = json!([
        {"match": {"path": {"prefix": "/a/b"}}},
        {"match": {"path": {"prefix": "/a"}}, "access": "public"},
        {"match": {"path": {"prefix": "/"}}},
    ]);
    assert_eq!(get(&rules, "/a/b/c"), Ok(Route::Protected(Some(0))));
    assert_eq!(get(&rules, "/a/c"), Ok(Route::Public(1)));
    assert_eq!(get(&rules, "/c"), Ok(Route::Protected(Some(2))));
}

#[test]
fn methods_are_compared_as_they_are() {
    let rules = json!([{"match": {"methods": ["GET", "HEAD"]}, "access": "public"}]);
    for (method, expected) in [
        ("GET", Route::Public(0)),
        ("HEAD", Route::Public(0)),
        ("get", Route::Protected(None)),
        ("POST", Route::Protected(None)),
        ("", Route::Protected(None)),
    ] {
        assert_eq!(
            route(&rules, method, "app.example.com", "/"),
            Ok(expected),
            "{method}"
        );
    }
}

#[test]
fn hosts_are_compared_without_regard_to_case() {
    let rules = json!([{
        "match": {"hosts": ["app.example.com", "*.example.org", "api.example.com:8443", "*.example.net:81"]},
        "access": "public",
    }]);
    for (authority, expected) in [
        ("app.example.com", Route::Public(0)),
        ("APP.example.com", Route::Public(0)),
        ("other.example.com", Route::Protected(None)),
        ("xapp.example.com", Route::Protected(None)),
        ("a.example.org", Route::Public(0)),
        ("a.b.example.org", Route::Public(0)),
        ("example.org", Route::Protected(None)),
        (".example.org", Route::Protected(None)),
        ("xexample.org", Route::Protected(None)),
        ("a.example.org.evil.example", Route::Protected(None)),
        ("API.example.com:8443", Route::Public(0)),
        ("a.example.net:81", Route::Public(0)),
        ("example.net:81", Route::Protected(None)),
        ("other.example.com:8443", Route::Protected(None)),
    ] {
        assert_eq!(
            route(&rules, "GET", authority, "/"),
            Ok(expected),
            "{authority}"
        );
    }
}

#[test]
fn a_port_that_decides_is_refused() {
    let rules = json!([{
        "match": {"hosts": ["app.example.com", "api.example.com:8443", "*.example.org"]},
        "access": "public",
    }]);
    for authority in [
        "app.example.com:8443",
        "APP.example.com:443",
        "api.example.com",
        "api.example.com:443",
        "api.example.com:08443",
        "a.example.org:80",
    ] {
        assert_eq!(
            route(&rules, "GET", authority, "/"),
            AUTHORITY_AMBIGUOUS,
            "{authority}"
        );
    }
}

#[test]
fn a_port_decides_where_hosts_are_named_without_one() {
    let rules = json!([{"match": {"hosts": ["app.example.com"]}, "access": "public"}]);
    let at = |authority| route(&rules, "GET", authority, "/");
    assert_eq!(at("app.example.com"), Ok(Route::Public(0)));
    assert_eq!(at("app.example.com:8443"), AUTHORITY_AMBIGUOUS);
    assert_eq!(at("www.example.com:8443"), Ok(Route::Protected(None)));
    // And nothing does where none is named.
    let rules = json!([{"match": {"path": {"exact": "/"}}, "access": "public"}]);
    let nowhere = route(&rules, "GET", "app.example.com:8443", "/");
    assert_eq!(nowhere, Ok(Route::Public(0)));
}

#[test]
fn ports_in_one_rule_are_one_decision() {
    let rules = json!([
        {"match": {"hosts": ["app.example.com", "app.example.com:8443"]}, "access": "public"},
        {"match": {"hosts": ["app.example.com:81"], "path": {"prefix": "/a"}}},
    ]);
    for authority in ["app.example.com", "app.example.com:8443"] {
        assert_eq!(route(&rules, "GET", authority, "/a"), Ok(Route::Public(0)));
    }
    // Two rules for two ports of one host, of which only one sees the port.
    let of_81 = route(&rules, "GET", "app.example.com:81", "/a");
    assert_eq!(of_81, AUTHORITY_AMBIGUOUS);
    // Portero's own paths are the same on every host.
    let callback = route(&rules, "GET", "app.example.com:81", "/oauth2/callback");
    assert_eq!(callback, Ok(Route::Callback));
}

/// Host and path may each be read in two ways, and any of the four may be the upstream's.
#[test]
fn every_host_reading_goes_with_every_path_reading() {
    let rules = json!([
        {"match": {"hosts": ["app.example.com:81"], "path": {"exact": "/a"}}, "access": "public"},
    ]);
    let at = |authority, target| route(&rules, "GET", authority, target);
    assert_eq!(at("app.example.com", "/a;x"), AMBIGUOUS);
    assert_eq!(at("app.example.com:81", "/a;x"), AMBIGUOUS);
    assert_eq!(at("app.example.com", "/a"), AUTHORITY_AMBIGUOUS);
    assert_eq!(at("app.example.com", "/b;x"), Ok(Route::Protected(None)));
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
        "/;%2Fa/admin/x",
        "/;%5ca/admin",
        "/;%2Fa/admin%3bx",
    ] {
        assert_eq!(get(&rules, target), AMBIGUOUS, "{target}");
    }
    assert_eq!(
        get(&rules, "/admin/a;b//c%2Fd"),
        Ok(Route::Protected(Some(0)))
    );
    assert_eq!(get(&rules, "/open/a;b//c%2Fd"), Ok(Route::Public(3)));
}

#[test]
fn two_rules_of_one_kind_are_still_two() {
    let rules = json!([
        {"match": {"path": {"exact": "/a/b"}}, "access": "public"},
        {"match": {"path": {"prefix": "/"}}, "access": "public"},
    ]);
    assert_eq!(get(&rules, "/a//b"), AMBIGUOUS);
}

#[test]
fn a_protected_route_names_its_rule() {
    let rules = json!([
        {"match": {"path": {"exact": "/healthz"}}, "access": "public"},
        {"match": {"path": {"prefix": "/pay"}}, "authentication": {"max_age": "5m"}},
    ]);
    assert_eq!(get(&rules, "/pay/now"), Ok(Route::Protected(Some(1))));
    assert_eq!(get(&rules, "/"), Ok(Route::Protected(None)));
    // Both readings are protected, and only one demands more.
    assert_eq!(get(&rules, "/pay;x"), AMBIGUOUS);
}

fn with_resources(authority: &str, target: &str) -> Result<Route, Error> {
    let config = config(|whole| {
        whole["rules"] = json!([{"access": "public"}]);
        whole["providers"]["corp"]["access_tokens"] = json!({"audiences": ["orders"]});
        whole["protected_resources"] = json!([
            {"resource": "https://api.example.com"},
            {"resource": "https://api.example.com/mcp"},
            {"resource": "https://api.example.com/mcp/deep"},
            {"resource": "https://api.example.com:8443/mcp"},
            {"resource": "https://other.example.com/a/"},
        ]);
    });
    let head = vec![(":authority".to_owned(), authority.as_bytes().to_vec())];
    let authority = Authority::of(&Request::new(head)).unwrap();
    Route::of(&config, &authority, "GET", target.as_bytes())
}

#[test]
fn metadata_is_told_at_one_address_and_every_other_falls_to_the_rules() {
    const KNOWN: &str = "/.well-known/oauth-protected-resource";
    for (authority, target, expected) in [
        ("api.example.com", "", Ok(Route::ResourceMetadata(0))),
        ("api.example.com", "?x=1", Ok(Route::ResourceMetadata(0))),
        ("API.example.com", "/mcp", Ok(Route::ResourceMetadata(1))),
        ("api.example.com", "/%6dcp", Ok(Route::ResourceMetadata(1))),
        (
            "api.example.com:8443",
            "/mcp",
            Ok(Route::ResourceMetadata(3)),
        ),
        ("other.example.com", "/a/", Ok(Route::ResourceMetadata(4))),
        ("api.example.com", "/", Ok(Route::Public(0))),
        ("api.example.com", "/mcp/", Ok(Route::Public(0))),
        ("api.example.com", "/mcp/x", Ok(Route::Public(0))),
        ("api.example.com", "/MCP", Ok(Route::Public(0))),
        ("other.example.com", "", Ok(Route::Public(0))),
        ("other.example.com", "/a", Ok(Route::Public(0))),
        ("www.example.com", "", Ok(Route::Public(0))),
        ("x.api.example.com", "", Ok(Route::Public(0))),
        ("api.example.com", "//mcp", AMBIGUOUS),
        ("api.example.com", "/mcp;x", AMBIGUOUS),
        ("api.example.com", "%2Fmcp", AMBIGUOUS),
        ("api.example.com:9000", "/mcp", AUTHORITY_AMBIGUOUS),
    ] {
        let target = format!("{KNOWN}{target}");
        assert_eq!(
            with_resources(authority, &target),
            expected,
            "{authority}{target}"
        );
    }
    assert_eq!(
        with_resources("api.example.com", "/mcp"),
        Ok(Route::Public(0))
    );
}

#[test]
fn of_several_resources_the_one_with_the_longest_path_covers_a_request() {
    let config = config(|whole| {
        whole["providers"]["corp"]["access_tokens"] = json!({"audiences": ["orders"]});
        whole["protected_resources"] = json!([
            {"resource": "https://api.example.com/mcp"},
            {"resource": "https://api.example.com/mcp/deep/"},
            {"resource": "https://root.example.com"},
            {"resource": "https://root.example.com:8443/x"},
        ]);
    });
    let covering = |authority: &str, target: &str| {
        let head = vec![(":authority".to_owned(), authority.as_bytes().to_vec())];
        let authority = Authority::of(&Request::new(head)).unwrap();
        super::protected_resource(&config, &authority, target.as_bytes())
            .map(|resource| resource.identifier.text.as_str())
    };
    for (authority, target, expected) in [
        (
            "api.example.com",
            "/mcp",
            Some("https://api.example.com/mcp"),
        ),
        (
            "api.example.com",
            "/mcp?x",
            Some("https://api.example.com/mcp"),
        ),
        (
            "api.example.com",
            "/mcp/x",
            Some("https://api.example.com/mcp"),
        ),
        (
            "api.example.com",
            "/mcp/deeper",
            Some("https://api.example.com/mcp"),
        ),
        (
            "api.example.com",
            "/mcp/deep",
            Some("https://api.example.com/mcp/deep/"),
        ),
        (
            "api.example.com",
            "/mcp/deep/x",
            Some("https://api.example.com/mcp/deep/"),
        ),
        ("api.example.com", "/mcpx", None),
        ("api.example.com", "/", None),
        ("api.example.com:8443", "/mcp", None),
        (
            "root.example.com",
            "/any/where",
            Some("https://root.example.com"),
        ),
        (
            "root.example.com:8443",
            "/x/y",
            Some("https://root.example.com:8443/x"),
        ),
        ("root.example.com:8443", "/y", None),
        ("www.example.com", "/mcp", None),
        ("api.example.com", "/mcp/../x", None),
    ] {
        assert_eq!(covering(authority, target), expected, "{authority}{target}");
    }
}
