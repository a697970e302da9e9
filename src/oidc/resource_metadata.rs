//! What a protected resource says of itself (RFC 9728 section 2).

use serde_json::{Map, Value, json};

use crate::config::{Bearer, ProtectedResource};

/// The metadata of `resource`, whose tokens stand in requests as `bearer` says.
pub fn resource_metadata(resource: &ProtectedResource, bearer: &Bearer) -> String {
    let mut metadata = Map::new();
    let mut say = |name: &str, value: Value| {
        metadata.insert(name.to_owned(), value);
    };
    say("resource", json!(resource.identifier.text));
    say(
        "authorization_servers",
        json!(resource.authorization_servers),
    );
    say("bearer_methods_supported", json!(methods(bearer)));
    // A list without entries has to be left out (section 3.2).
    if !resource.scopes_supported.is_empty() {
        say("scopes_supported", json!(resource.scopes_supported));
    }
    if let Some(name) = &resource.resource_name {
        say("resource_name", json!(name));
    }
    if let Some(url) = &resource.resource_documentation {
        say("resource_documentation", json!(url));
    }
    Value::Object(metadata).to_string()
}

/// Of the methods of RFC 6750 section 2, those that a client can use here. Other headers, cookies and
/// parameters have no name there; an empty list says that none of the methods is supported.
fn methods(bearer: &Bearer) -> Vec<&'static str> {
    let header = bearer.headers.iter().any(|header| {
        header.name == "authorization" && header.scheme.eq_ignore_ascii_case("Bearer")
    });
    let query = bearer.query.iter().any(|name| name == "access_token");
    [(header, "header"), (query, "query")]
        .into_iter()
        .filter_map(|(is_supported, name)| is_supported.then_some(name))
        .collect()
}

#[cfg(test)]
mod tests;
