//! What clients can learn of protected resources.

use super::*;

/// The minimal configuration with a provider whose access tokens count, and these resources.
fn with_resources(value: Value) -> Value {
    let mut whole = with("/protected_resources", value);
    put(
        &mut whole,
        "/providers/corp/access_tokens",
        json!({"audiences": ["https://api.example.com"]}),
    );
    whole
}

fn resources(value: Value) -> Vec<ProtectedResource> {
    load(&with_resources(value))
        .unwrap()
        .config
        .protected_resources
}

fn identifier(text: &str) -> ResourceIdentifier {
    let mut resources = resources(json!([{"resource": text}]));
    resources.remove(0).identifier
}

/// RFC 9728 section 3.1.
#[test]
fn the_metadata_stands_between_the_host_and_the_path() {
    for (text, prefix, url, path) in [
        (
            "https://api.example.com",
            "",
            "https://api.example.com/.well-known/oauth-protected-resource",
            "/.well-known/oauth-protected-resource",
        ),
        (
            "https://api.example.com/",
            "",
            "https://api.example.com/.well-known/oauth-protected-resource",
            "/.well-known/oauth-protected-resource",
        ),
        (
            "https://api.example.com:8443/a/mcp",
            "/a/mcp",
            "https://api.example.com:8443/.well-known/oauth-protected-resource/a/mcp",
            "/.well-known/oauth-protected-resource/a/mcp",
        ),
        (
            "https://api.example.com/mcp/",
            "/mcp",
            "https://api.example.com/.well-known/oauth-protected-resource/mcp/",
            "/.well-known/oauth-protected-resource/mcp/",
        ),
    ] {
        let found = identifier(text);
        assert_eq!(found.text, text);
        assert_eq!(found.prefix, prefix);
        assert_eq!(found.metadata_url, url);
        assert_eq!(found.metadata_path, path);
    }
    let host = identifier("https://api.example.com:8443").host;
    assert_eq!(host.name, HostName::Exact("api.example.com".to_owned()));
    assert_eq!(host.port.as_deref(), Some("8443"));
}

#[test]
fn what_is_left_out_are_the_issuers_whose_tokens_count_or_nothing() {
    let [resource] = &resources(json!([{"resource": "https://api.example.com"}]))[..] else {
        panic!("one resource");
    };
    let issuer = "https://idp.example.com/realms/acme/";
    assert_eq!(resource.authorization_servers, [issuer]);
    assert!(resource.scopes_supported.is_empty());
    assert!(resource.resource_name.is_none() && resource.resource_documentation.is_none());
    assert!(resources(json!([])).is_empty());
    let mut whole = with_resources(json!([{"resource": "https://api.example.com"}]));
    let other = json!({"issuer": "https://a.example", "cluster": "a", "access_tokens": {"audiences": ["a"]}});
    put(&mut whole, "/providers/another", other);
    let config = load(&whole).unwrap().config;
    let servers = &config.protected_resources[0].authorization_servers;
    assert_eq!(servers, &[issuer, "https://a.example"]);
    refused(
        &with(
            "/protected_resources",
            json!([{"resource": "https://api.example.com"}]),
        ),
        "protected_resources[0].authorization_servers",
        "no provider has `access_tokens`",
    );
}

#[test]
fn an_identifier_is_an_https_url_as_clients_write_it() {
    for (text, words) in [
        ("api.example.com", "not an absolute URL"),
        ("http://api.example.com", "does not use https"),
        ("https://a@api.example.com", "user information"),
        ("https://api.example.com/#x", "fragment"),
        ("https://api.example.com/?x", "carries a query"),
        ("https://API.example.com/", "not written as URLs are"),
        ("https://api.example.com:443/", "not written as URLs are"),
        ("https://api.example.com/a/../b", "not written as URLs are"),
        ("https://api.example.com/a\"b", "not written as URLs are"),
        ("https://api.example.com/a//b", "empty segment"),
        ("https://api.example.com/a;b", "contains `;`"),
        ("https://api.example.com/%61", "in disguise"),
        ("https://*.example.com/", "has a host with `*`"),
        ("https://[::1]/", "without a port"),
    ] {
        let value = json!([{"resource": text}]);
        refused(
            &with_resources(value),
            "protected_resources[0].resource",
            words,
        );
    }
    refused(
        &with_resources(json!([{}])),
        "protected_resources[0].resource",
        "is missing",
    );
}

#[test]
fn what_is_said_of_a_resource_is_checked() {
    for (key, value, path, words) in [
        ("authorization_servers", json!([]), "", "is empty"),
        (
            "authorization_servers",
            json!(["http://idp.example.com"]),
            "[0]",
            "does not use https",
        ),
        (
            "authorization_servers",
            json!(["https://idp.example.com/?x"]),
            "[0]",
            "carries a query",
        ),
        ("scopes_supported", json!(["a b"]), "[0]", "not a scope"),
        ("scopes_supported", json!(["a", "a"]), "[1]", "already"),
        ("resource_name", json!(""), "", "is empty"),
        (
            "resource_documentation",
            json!("/docs"),
            "",
            "not an absolute URL",
        ),
    ] {
        let mut entry = json!({"resource": "https://api.example.com"});
        entry[key] = value;
        let path = format!("protected_resources[0].{key}{path}");
        refused(&with_resources(json!([entry])), &path, words);
    }
}

#[test]
fn plain_http_takes_a_word_and_warns() {
    let value = json!([{
        "resource": "http://app.localhost:10000/mcp",
        "authorization_servers": ["http://idp.localhost"],
        "insecure_allow_http": true,
    }]);
    let Loaded { config, warnings } = load(&with_resources(value)).unwrap();
    let identifier = &config.protected_resources[0].identifier;
    assert_eq!(
        identifier.metadata_url,
        "http://app.localhost:10000/.well-known/oauth-protected-resource/mcp"
    );
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].starts_with("protected_resources[0].insecure_allow_http: "));
    // And its tokens would be for nobody here.
    assert!(warnings[1].starts_with("protected_resources[0].resource: is among no provider's"));
}

#[test]
fn no_two_things_are_at_one_address() {
    let twice = json!([
        {"resource": "https://api.example.com"},
        {"resource": "https://api.example.com/mcp"},
        {"resource": "https://api.example.com/"},
    ]);
    refused(
        &with_resources(twice),
        "protected_resources[2].resource",
        "another resource",
    );
    let mut own = with_resources(json!([{"resource": "https://api.example.com/mcp"}]));
    let path = "/.well-known/oauth-protected-resource/mcp";
    put(&mut own, "/paths/logout", json!(path));
    refused(&own, "protected_resources[0].resource", "one of `paths`");
}
