//! Says everything that is wrong with the configurations of a file.

use std::process::ExitCode;

use portero::config::{Config, Loaded};
use serde_json::Value;

use crate::environment;

/// Checks every configuration of Portero's in the file, with the environment as it is or without it.
pub fn run(file: &str, with_environment: bool) -> ExitCode {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return unreadable(file, &error),
    };
    let parts = match parts(&text) {
        Ok(parts) => parts,
        Err(error) => return unreadable(file, &error),
    };
    let mut is_good = true;
    for Part { place, json } in &parts {
        if !place.is_empty() {
            eprintln!("{place}:");
        }
        let stand_ins = environment::stand_ins(json);
        let environment: &dyn Fn(&str) -> Option<String> = match with_environment {
            true => &|name| std::env::var(name).ok(),
            false => &|name| stand_ins.get(name).cloned(),
        };
        is_good &= load(json, environment);
        if !with_environment && !stand_ins.is_empty() {
            let names: Vec<&str> = stand_ins.keys().map(String::as_str).collect();
            eprintln!(
                "not looked at: what these variables hold: {}",
                names.join(", ")
            );
        }
    }
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Says what is wrong; answers whether it is nothing.
pub fn load(json: &str, environment: &dyn Fn(&str) -> Option<String>) -> bool {
    match Config::load(json.as_bytes(), environment) {
        Ok(Loaded { warnings, .. }) => {
            for warning in warnings {
                eprintln!("warning: {warning}");
            }
            true
        }
        Err(faults) => {
            eprintln!("{faults}");
            false
        }
    }
}

fn unreadable(file: &str, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{file}: {error}");
    ExitCode::from(2)
}

/// A configuration of Portero's.
struct Part {
    /// Where it is in the file; empty for all of it.
    place: String,
    json: String,
}

/// The file itself, or what is inside of it.
fn parts(text: &str) -> Result<Vec<Part>, portero_convert::Unreadable> {
    // JSON is judged by the parser of the module, which knows keys that stand there twice.
    let is_json = text.trim_start().starts_with('{');
    let documents = match portero_convert::documents(text) {
        Err(_) if is_json => Vec::new(),
        documents => documents?,
    };
    let mut inside = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let place = match documents.len() {
            1 => String::new(),
            _ => format!("document[{index}]"),
        };
        find(document, place, &mut inside);
    }
    if !inside.is_empty() {
        return Ok(inside);
    }
    let of_others = [
        "static_resources",
        "dynamic_resources",
        "apiVersion",
        "@type",
    ];
    let is_of_others = |document: &Value| of_others.iter().any(|key| document.get(*key).is_some());
    if documents.iter().any(is_of_others) {
        return Err(portero_convert::Unreadable(
            "has no configuration of Portero's in it".to_owned(),
        ));
    }
    let place = String::new();
    if is_json {
        let json = text.to_owned();
        return Ok(vec![Part { place, json }]);
    }
    match documents.as_slice() {
        [one] => Ok(vec![Part {
            place,
            json: one.to_string(),
        }]),
        several => Err(portero_convert::Unreadable(format!(
            "holds {} documents, and none has a configuration of Portero's",
            several.len()
        ))),
    }
}

/// Configurations where the proxies have them: `configuration` of a Wasm plugin in Envoy, `pluginConfig`
/// of a `WasmPlugin` of Istio, `config` of an `EnvoyExtensionPolicy` of Envoy Gateway.
fn find(value: &Value, place: String, found: &mut Vec<Part>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                let place = match place.as_str() {
                    "" => name.clone(),
                    _ => format!("{place}.{name}"),
                };
                let own = match name.as_str() {
                    "configuration" => inner.get("value").and_then(own_text),
                    "pluginConfig" | "config" => own_text(inner),
                    _ => None,
                };
                match own {
                    Some(json) => found.push(Part { place, json }),
                    None => find(inner, place, found),
                }
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                find(inner, format!("{place}[{index}]"), found);
            }
        }
        _ => {}
    }
}

/// The configuration as JSON, if this is one of Portero's: an object, or a text that is to be one.
fn own_text(value: &Value) -> Option<String> {
    let is_own = |value: &Value| {
        ["providers", "session"]
            .iter()
            .any(|key| value.get(*key).is_some_and(Value::is_object))
    };
    match value {
        // What is wrong with the text is said where it is checked.
        Value::String(text) => text.contains("\"providers\"").then(|| text.clone()),
        value => is_own(value).then(|| value.to_string()),
    }
}
