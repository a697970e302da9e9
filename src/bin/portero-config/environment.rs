//! Stand-ins for the variables that a configuration names, for where nobody has the secrets.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A text that is long enough for every secret.
const TEXT: &str =
    "a-stand-in-for-a-secret-that-is-long-enough-for-every-use-of-secrets-that-there-is";
/// The same as base64.
const BASE64: &str = "YS1zdGFuZC1pbi1mb3ItYS1zZWNyZXQtdGhhdC1pcy1sb25nLWVub3VnaC1mb3ItZXZlcnktdXNlLW9mLXNlY3JldHMtdGhhdC10aGVyZS1pcw==";
/// Keys that the tests publish, and that are therefore good for nothing.
const EC: &str = include_str!("../../../tests/fixtures/keys/private/p256.pem");
const RSA: &str = include_str!("../../../tests/fixtures/keys/private/rsa.pem");

/// A value for every variable that this configuration names, of the kind that stands in its place.
pub fn stand_ins(json: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if let Ok(Value::Object(whole)) = serde_json::from_str(json) {
        visit(&whole, &mut found);
    }
    found
}

fn visit(object: &Map<String, Value>, found: &mut BTreeMap<String, String>) {
    for (key, value) in object {
        inside(object, key, value, found);
    }
}

fn inside(
    around: &Map<String, Value>,
    key: &str,
    value: &Value,
    found: &mut BTreeMap<String, String>,
) {
    match value {
        Value::Object(object) => match (object.len(), object.get("env")) {
            (1, Some(Value::String(name))) => {
                let known = found.insert(name.clone(), of_kind(around, key, name));
                // A key is a text too.
                if let Some(known) = known.filter(|known| known.starts_with("-----")) {
                    found.insert(name.clone(), known);
                }
            }
            _ => visit(object, found),
        },
        Value::Array(items) => {
            for item in items {
                inside(around, key, item, found);
            }
        }
        _ => {}
    }
}

/// `around` is what the secret stands in, under `key`.
fn of_kind(around: &Map<String, Value>, key: &str, name: &str) -> String {
    let algorithm = around.get("algorithm").and_then(Value::as_str);
    match (key, algorithm) {
        ("key", Some(algorithm)) if algorithm.starts_with(['R', 'P']) => RSA.trim().to_owned(),
        ("key", _) => EC.trim().to_owned(),
        _ if around.get("base64") == Some(&Value::Bool(true)) => BASE64.to_owned(),
        // Two variables hold two secrets.
        _ => format!("{TEXT}-{name}"),
    }
}
