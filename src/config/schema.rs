//! The JSON Schema of the configuration, made from the types that read it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::raw::Methods;
use super::words::{Given, Plain, SecretText, Span, TextOrList, Whole};
use super::{defaults, duration, raw};
use crate::jose::Algorithm;

/// The schema (draft 2020-12) as pretty JSON with a line feed at its end.
pub fn schema() -> String {
    let mut text = format!("{:#}", value());
    text.push('\n');
    text
}

/// The schema as a tree: the root object, and its parts under `$defs`.
pub(super) fn value() -> Value {
    let mut schema = schemars::schema_for!(raw::Configuration).to_value();
    tidy(&mut schema);
    for part in ["IdToken", "AccessTokens"] {
        let items = format!("/$defs/{part}/properties/algorithms/items");
        if let Some(algorithm) = schema.pointer_mut(&items) {
            let names = Algorithm::ASYMMETRIC.map(Algorithm::name);
            *algorithm = json!({"enum": names, "type": "string"});
        }
    }
    for (part, key, default) in defaults() {
        let pointer = if part.is_empty() {
            format!("/properties/{key}")
        } else {
            format!("/$defs/{part}/properties/{key}")
        };
        if let Some(Value::Object(property)) = schema.pointer_mut(&pointer) {
            property.insert("default".to_owned(), default);
        }
    }
    schema
}

/// What holds for a key that is left out: the part it is in (empty for the root), the key, the value.
fn defaults() -> Vec<(&'static str, &'static str, Value)> {
    let span = |span| Value::from(duration::written(span));
    let userinfo = json!({ defaults::USERINFO_HEADER: {"userinfo": "base64_json"} });
    vec![
        ("", "paths", json!({})),
        ("", "rules", json!([])),
        ("", "bearer", json!({})),
        ("", "protected_resources", json!([])),
        ("", "cors_preflight", json!("deny")),
        ("", "allow_on_headers_stop_iteration", json!(false)),
        ("", "upstream_tokens", json!({})),
        ("", "upstream", json!({})),
        ("", "filter_state", json!({})),
        ("Provider", "clusters", json!({})),
        ("Provider", "endpoints", json!({})),
        ("Provider", "scopes", json!(defaults::SCOPES)),
        ("Provider", "resources", json!([])),
        ("Provider", "authorization_params", json!({})),
        ("Provider", "id_token", json!({})),
        ("Provider", "userinfo", json!(true)),
        ("Provider", "access_token_claims", json!(false)),
        ("Provider", "timeout", span(defaults::TIMEOUT)),
        (
            "Provider",
            "refresh_interval",
            span(defaults::REFRESH_INTERVAL),
        ),
        (
            "Provider",
            "unknown_key_cooldown",
            span(defaults::UNKNOWN_KEY_COOLDOWN),
        ),
        ("Provider", "insecure_allow_http", json!(false)),
        (
            "Provider",
            "insecure_frontchannel_logout_without_iss",
            json!(false),
        ),
        (
            "Provider",
            "insecure_logout_token_without_exp",
            json!(false),
        ),
        (
            "IdToken",
            "algorithms",
            json!(Algorithm::ASYMMETRIC.map(Algorithm::name)),
        ),
        ("IdToken", "trusted_audiences", json!([])),
        ("IdToken", "clock_skew", span(defaults::CLOCK_SKEW)),
        ("IdToken", "max_age", span(defaults::MAX_AGE)),
        ("AccessTokens", "profile", json!("rfc9068")),
        ("AccessTokens", "require_consumer", json!(false)),
        (
            "AccessTokens",
            "algorithms",
            json!(Algorithm::ASYMMETRIC.map(Algorithm::name)),
        ),
        ("AccessTokens", "clock_skew", span(defaults::CLOCK_SKEW)),
        (
            "Introspection",
            "cache",
            span(defaults::INTROSPECTION_CACHE),
        ),
        (
            "Introspection",
            "cache_inactive",
            span(defaults::INTROSPECTION_CACHE_INACTIVE),
        ),
        ("Introspection", "jwt", json!(false)),
        (
            "Introspection",
            "insecure_allow_missing_audience",
            json!(false),
        ),
        ("Session", "cookie", json!({})),
        ("Session", "idle_timeout", span(defaults::IDLE_TIMEOUT)),
        ("Session", "lifetime", span(defaults::LIFETIME)),
        ("Session", "refresh", json!({})),
        ("Session", "preserved_post_bytes", json!(0)),
        ("Session", "prompt_none_renewal", json!(false)),
        ("Session", "cache_bytes", json!(defaults::CACHE_BYTES)),
        ("Store", "insecure_allow_http", json!(false)),
        ("Store", "key_prefix", json!(defaults::STORE_KEY_PREFIX)),
        ("Store", "timeout", span(defaults::STORE_TIMEOUT)),
        (
            "Store",
            "reread_interval",
            span(defaults::STORE_REREAD_INTERVAL),
        ),
        ("Store", "when_unavailable", json!("refuse")),
        ("Refresh", "enabled", json!(true)),
        ("Refresh", "leeway", span(defaults::REFRESH_LEEWAY)),
        ("Cookie", "name", json!(defaults::COOKIE_NAME)),
        ("Cookie", "same_site", json!("lax")),
        ("Cookie", "insecure_allow_http", json!(false)),
        ("Paths", "callback", json!(defaults::CALLBACK)),
        ("Paths", "logout", json!(defaults::LOGOUT)),
        ("Paths", "logged_out", json!(defaults::LOGGED_OUT)),
        (
            "Paths",
            "frontchannel_logout",
            json!(defaults::FRONTCHANNEL_LOGOUT),
        ),
        ("Consumer", "credentials", json!([])),
        ("Rule", "match", json!({})),
        ("Rule", "access", json!("authenticated")),
        (
            "Bearer",
            "headers",
            json!([{"name": defaults::BEARER_HEADER, "scheme": defaults::BEARER_SCHEME}]),
        ),
        ("Bearer", "cookies", json!([])),
        ("Bearer", "query", json!([])),
        ("Bearer", "hide", json!(true)),
        ("BearerHeader", "scheme", json!(defaults::BEARER_SCHEME)),
        ("ProtectedResource", "scopes_supported", json!([])),
        ("ProtectedResource", "insecure_allow_http", json!(false)),
        ("Upstream", "headers", userinfo),
        ("Identity", "header", json!(defaults::IDENTITY_HEADER)),
        ("Identity", "claims", json!({})),
        ("Identity", "lifetime", span(defaults::IDENTITY_LIFETIME)),
        ("Upstream", "tokens", json!([])),
        ("UpstreamToken", "grant", json!({"client_credentials": {}})),
        ("UpstreamToken", "endpoint_params", json!({})),
        ("UpstreamToken", "header", json!(defaults::BEARER_HEADER)),
        ("UpstreamToken", "keep_existing", json!(false)),
        (
            "UpstreamToken",
            "renew_before",
            span(defaults::RENEW_BEFORE),
        ),
        (
            "UpstreamToken",
            "default_lifetime",
            span(defaults::DEFAULT_LIFETIME),
        ),
        ("UpstreamToken", "when_unavailable", json!("refuse")),
        ("TokenExchange", "subject", json!("access_token")),
        ("SignedAssertion", "claims", json!({})),
        (
            "SignedAssertion",
            "lifetime",
            span(defaults::ASSERTION_LIFETIME),
        ),
    ]
}

/// Takes out of `schema` that an optional key may be null, which Portero refuses, and the line
/// breaks that comments have in the source.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(object) => {
            if let Some(Value::String(description)) = object.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(inner) = object.get_mut("anyOf").and_then(single_alternative) {
                object.remove("anyOf");
                // What is said about the key goes before what is said about its type.
                for (name, value) in inner {
                    object.entry(name).or_insert(value);
                }
            }
            object.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

/// The one alternative that is not null, if there is exactly one.
fn single_alternative(alternatives: &mut Value) -> Option<Map<String, Value>> {
    let items = alternatives.as_array_mut()?;
    items.retain(|item| *item != json!({"type": "null"}));
    match items.as_slice() {
        [Value::Object(only)] => Some(only.clone()),
        _ => None,
    }
}

impl<T: JsonSchema> JsonSchema for Given<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration: whole numbers with the units `d`, `h`, `m`, `s` and `ms`, larger units first, such as `15m`, `500ms` or `1h30m`. A bare number is refused.",
            "type": "string",
            "minLength": 2,
            "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
        })
    }
}

impl JsonSchema for Whole {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Whole".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 0})
    }
}

impl JsonSchema for SecretText {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A secret: itself, or the environment variable that holds it. The variable must be set, not empty, and passed on to the module (`environment_variables` in Envoy's `vm_config`).",
            "oneOf": [
                {
                    "description": "The secret itself. Whoever reads the configuration reads it too.",
                    "type": "string",
                    "minLength": 1
                },
                {
                    "description": "The name of the variable that holds it.",
                    "type": "object",
                    "properties": {
                        "env": {
                            "description": "The name of the environment variable.",
                            "type": "string",
                            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"
                        }
                    },
                    "required": ["env"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

impl JsonSchema for TextOrList {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TextOrList".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "oneOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
            ]
        })
    }
}

impl JsonSchema for Methods {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Methods".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let list = json!({
            "type": "array",
            "items": {"enum": ["bearer", "session"]},
            "minItems": 1,
            "uniqueItems": true
        });
        let object = |key: &str| {
            json!({
                "type": "object",
                "properties": {key: list},
                "required": [key],
                "additionalProperties": false
            })
        };
        json_schema!({"oneOf": [list, object("any_of"), object("all_of")]})
    }
}

impl JsonSchema for Plain {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Plain".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
        })
    }
}
