//! Configurations of Portero's inside the files of the proxies: `configuration` of a Wasm plugin in Envoy,
//! `pluginConfig` of a `WasmPlugin` of Istio, `config` of an `EnvoyExtensionPolicy` of Envoy Gateway.

use serde_json::{Map, Value};

/// A configuration of Portero's.
pub struct Part {
    /// Where it is in the file; empty for all of it.
    pub place: String,
    pub json: String,
}

/// What a file has inside.
#[derive(Default)]
pub struct Inside {
    pub parts: Vec<Part>,
    /// Plugins of Portero's, by all that names them, without a configuration.
    pub without: Vec<String>,
    /// Wasm plugins in which nothing is Portero's.
    pub others: Vec<String>,
}

/// A Wasm plugin, whoever's it is.
struct Plugin<'a> {
    place: String,
    configuration: Option<Part>,
    /// The module that it runs.
    code: Option<&'a Value>,
    is_own: bool,
}

impl Inside {
    pub fn of(documents: &[Value]) -> Self {
        let mut inside = Self::default();
        let mut plugins = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            let place = match documents.len() {
                1 => String::new(),
                _ => format!("document[{index}]"),
            };
            find(document, place, "", false, &mut plugins, &mut inside.parts);
        }
        // Whoever runs the same module is Portero too.
        let codes: Vec<&Value> = plugins
            .iter()
            .filter(|plugin| plugin.is_own)
            .filter_map(|plugin| plugin.code)
            .collect();
        for plugin in plugins {
            let is_own = plugin.is_own || plugin.code.is_some_and(|code| codes.contains(&code));
            match plugin.configuration {
                Some(part) if is_own => inside.parts.push(part),
                None if is_own => inside.without.push(plugin.place),
                _ => inside.others.push(plugin.place),
            }
        }
        inside
    }
}

/// `key` is what the value stands under; `is_named` whether what is around it is called Portero.
fn find<'a>(
    value: &'a Value,
    place: String,
    key: &str,
    is_named: bool,
    plugins: &mut Vec<Plugin<'a>>,
    parts: &mut Vec<Part>,
) {
    match value {
        Value::Object(object) => {
            if let Some(plugin) = plugin(object, &place, key, is_named) {
                plugins.push(plugin);
                return;
            }
            let is_named = match object.contains_key("typed_config") {
                true => names(object),
                false => is_named,
            };
            for (name, inner) in object {
                let place = below(&place, name);
                let own = match name.as_str() {
                    "configuration" => inner.get("value"),
                    "pluginConfig" | "config" => Some(inner),
                    _ => None,
                };
                match own.filter(|value| is_own(value)) {
                    Some(own) => parts.push(part(place, own)),
                    None => find(inner, place, name, is_named, plugins, parts),
                }
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                let place = format!("{place}[{index}]");
                find(inner, place, key, is_named, plugins, parts);
            }
        }
        _ => {}
    }
}

/// The Wasm plugin that this object is, if it is one.
fn plugin<'a>(
    object: &'a Map<String, Value>,
    place: &str,
    key: &str,
    is_named: bool,
) -> Option<Plugin<'a>> {
    let is_of_istio = object.get("kind").is_some_and(|kind| kind == "WasmPlugin");
    let (at, value, code) = if let Some(machine) = object.get("vm_config") {
        let around = object.get("configuration");
        let value = around.map(|around| around.get("value").unwrap_or(around));
        ("configuration", value, machine.get("code"))
    } else if is_of_istio {
        let spec = object.get("spec")?;
        (
            "spec.pluginConfig",
            spec.get("pluginConfig"),
            spec.get("url"),
        )
    } else if key == "wasm" && object.contains_key("code") {
        ("config", object.get("config"), object.get("code"))
    } else {
        return None;
    };
    let at = below(place, at);
    let is_own = is_named || names(object) || value.is_some_and(is_own);
    Some(Plugin {
        place: at.clone(),
        configuration: value.map(|value| part(at, value)),
        code,
        is_own,
    })
}

/// Whether a name or an address in it, but for its configuration, has Portero's.
fn names(object: &Map<String, Value>) -> bool {
    object
        .iter()
        .any(|(key, value)| match (key.as_str(), value) {
            (
                "name" | "root_id" | "rootID" | "vm_id" | "pluginName" | "url" | "uri" | "filename",
                Value::String(text),
            ) => text.to_ascii_lowercase().contains("portero"),
            (
                "metadata" | "spec" | "vm_config" | "code" | "local" | "remote" | "http_uri"
                | "http" | "image",
                Value::Object(inner),
            ) => names(inner),
            _ => false,
        })
}

fn part(place: String, value: &Value) -> Part {
    let json = match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    Part { place, json }
}

/// Whether this is a configuration of Portero's, be it misspelled: an object, or a text that is to be one.
fn is_own(value: &Value) -> bool {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(object)) => has_own_key(&object),
            Ok(_) => false,
            // What is wrong with the text is said where it is checked.
            Err(_) => text.contains("\"providers\"") || text.contains("\"session\""),
        },
        Value::Object(object) => has_own_key(object),
        _ => false,
    }
}

fn has_own_key(object: &Map<String, Value>) -> bool {
    object.iter().any(|(key, value)| {
        let own = ["providers", "session"];
        value.is_object() && own.iter().any(|own| is_almost(key, own))
    })
}

/// Whether at most one letter is missing, too many or another one.
fn is_almost(word: &str, meant: &str) -> bool {
    let same = |one: &mut dyn Iterator<Item = char>, other: &mut dyn Iterator<Item = char>| {
        one.zip(other)
            .take_while(|(one, other)| one == other)
            .count()
    };
    let start = same(&mut word.chars(), &mut meant.chars());
    let end = same(&mut word.chars().rev(), &mut meant.chars().rev());
    let (length, wanted) = (word.chars().count(), meant.chars().count());
    length.abs_diff(wanted) <= 1
        && start.saturating_add(end).saturating_add(1) >= length.max(wanted)
}

fn below(place: &str, name: &str) -> String {
    match place {
        "" => name.to_owned(),
        _ => format!("{place}.{name}"),
    }
}
