use serde_json::{Value, json};

use super::resource_metadata;
use crate::testing::config;

fn document(entry: Value, bearer: Value) -> Value {
    let config = config(|whole| {
        whole["providers"]["corp"]["access_tokens"] = json!({"audiences": ["orders"]});
        whole["protected_resources"] = json!([entry]);
        whole["bearer"] = bearer;
    });
    let text = resource_metadata(&config.protected_resources[0], &config.bearer);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_resource_says_what_is_configured_and_nothing_else() {
    let least = document(json!({"resource": "https://api.example.com/"}), json!({}));
    assert_eq!(
        least,
        json!({
            "resource": "https://api.example.com/",
            "authorization_servers": ["https://idp.example.com/realms/acme/"],
            "bearer_methods_supported": ["header"],
        })
    );
    let entry = json!({
        "resource": "https://api.example.com/mcp",
        "authorization_servers": ["https://a.example", "https://b.example"],
        "scopes_supported": ["read", "write"],
        "resource_name": "Orders \"and\" more",
        "resource_documentation": "https://docs.example/",
    });
    let mut most = entry.clone();
    most["bearer_methods_supported"] = json!(["header", "query"]);
    assert_eq!(document(entry, json!({"query": ["access_token"]})), most);
}

#[test]
fn only_the_standards_own_places_have_a_name() {
    for (bearer, methods) in [
        (json!({"headers": [{"name": "x-token"}]}), json!([])),
        (
            json!({"headers": [{"name": "authorization", "scheme": "token"}]}),
            json!([]),
        ),
        (
            json!({"headers": [], "cookies": ["token"], "query": ["t"]}),
            json!([]),
        ),
        (
            json!({"headers": [{"name": "authorization", "scheme": "bearer"}]}),
            json!(["header"]),
        ),
    ] {
        let document = document(json!({"resource": "https://api.example.com"}), bearer);
        assert_eq!(document["bearer_methods_supported"], methods);
    }
}
