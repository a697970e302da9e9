//! What a protected resource says of itself (RFC 9728 section 2).

use serde_json::{Map, Value};

use crate::config::{Bearer, BearerHeader, ProtectedResource};

/// The metadata of `resource`, whose tokens stand in requests as `bearer` says.
pub fn resource_metadata(resource: &ProtectedResource, bearer: &Bearer) -> String {
    let mut metadata = Map::new();
    let mut say = |name: &str, value: Value| {
        metadata.insert(name.to_owned(), value);
    };
    say("resource", resource.identifier.text.as_str().into());
    say(
        "authorization_servers",
        list(&resource.authorization_servers),
    );
    say("bearer_methods_supported", methods(bearer));
    // A list without entries has to be left out (section 3.2).
    if !resource.scopes_supported.is_empty() {
        say("scopes_supported", list(&resource.scopes_supported));
    }
    if let Some(name) = &resource.resource_name {
        say("resource_name", name.as_str().into());
    }
    if let Some(url) = &resource.resource_documentation {
        say("resource_documentation", url.as_str().into());
    }
    Value::Object(metadata).to_string()
}

/// Of the methods of RFC 6750 section 2, those that a client can use here. Other headers, cookies and
/// parameters have no name there; an empty list says that none of the methods is supported.
fn methods(bearer: &Bearer) -> Value {
    let mut methods = Vec::new();
    let is_standard = |header: &BearerHeader| {
        header.name == "authorization" && header.scheme.eq_ignore_ascii_case("Bearer")
    };
    if bearer.headers.iter().any(is_standard) {
        methods.push("header".into());
    }
    if bearer.query.iter().any(|name| name == "access_token") {
        methods.push("query".into());
    }
    Value::Array(methods)
}

fn list(texts: &[String]) -> Value {
    Value::Array(texts.iter().map(|text| text.as_str().into()).collect())
}

#[cfg(test)]
mod tests;
