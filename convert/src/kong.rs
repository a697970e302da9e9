//! Plugins of Kong, wherever a configuration has them.

use serde_json::{Map, Value};

use crate::Options;
use crate::document::{self, Found, Unreadable};
use crate::keys::{Key, account, key, none};
use crate::notes::Notes;
use crate::part::Part;

const PLACE: &str = "where the filter is, and rules, say what is protected";

/// Beside `config`.
pub(crate) const AROUND: &[Key] = &[
    key("config", "everything else", ""),
    key("name", "whether it is converted", "finds the plugin"),
    key(
        "plugin",
        "whether it is converted",
        "finds the plugin in a `KongPlugin`",
    ),
    key(
        "enabled",
        "whether it is converted",
        "a plugin that is not enabled is left out",
    ),
    none("protocols", PLACE),
    none("service", PLACE),
    none("route", PLACE),
    none("consumer", "the plugin is for no single consumer"),
    none("ordering", "the order of Envoy's filters"),
    none("tags", "for administration only"),
    none("id", "for administration only"),
    none("instance_name", "for administration only"),
    none("created_at", "for administration only"),
    none("updated_at", "for administration only"),
    none("apiVersion", "of Kubernetes"),
    none("kind", "of Kubernetes"),
    none("metadata", "of Kubernetes"),
    none("run_on", "of older versions"),
];

/// Plugins that have no say in who gets through. Every other one may have.
const HARMLESS: [&str; 30] = [
    "acme",
    "aws-lambda",
    "correlation-id",
    "cors",
    "datadog",
    "exit-transformer",
    "file-log",
    "grpc-gateway",
    "grpc-web",
    "http-log",
    "kafka-log",
    "loggly",
    "opentelemetry",
    "prometheus",
    "proxy-cache",
    "proxy-cache-advanced",
    "rate-limiting",
    "rate-limiting-advanced",
    "request-size-limiting",
    "request-transformer",
    "request-transformer-advanced",
    "response-ratelimiting",
    "response-transformer",
    "response-transformer-advanced",
    "route-transformer-advanced",
    "statsd",
    "syslog",
    "tcp-log",
    "udp-log",
    "zipkin",
];

/// What is to be converted, and whether something beside it may refuse callers.
pub(crate) struct Plugin<'a> {
    pub(crate) config: Part<'a>,
    pub(crate) is_alone: bool,
}

/// The plugin to convert: its configuration.
pub(crate) fn plugin<'a>(
    documents: &'a [Value],
    names: &[&str],
    is_config: fn(&Map<String, Value>) -> bool,
    options: &Options,
    notes: &mut Notes,
) -> Result<Option<Plugin<'a>>, Unreadable> {
    let all = document::search(documents, &|object, key| {
        let is_plugin = object.contains_key("config") || key == "plugins";
        let is_resource = object.get("plugin").is_some_and(Value::is_string);
        name(object).is_some() && key != "vaults" && (is_plugin || is_resource)
    });
    let has_none = all.is_empty();
    let mut is_alone = true;
    let mut found: Vec<Found<'a>> = Vec::new();
    for one in all {
        let name = name(one.object).unwrap_or_default();
        let is_off = Part::from(&one).flag("enabled", notes) == Some(false);
        match names.contains(&name) {
            true if is_off => notes.unmatched(one.place, "is not enabled, and left out"),
            true => found.push(one),
            false if is_off => {}
            false if HARMLESS.contains(&name) => notes.unmatched(
                one.place,
                format!("is another plugin (`{name}`), which is not converted"),
            ),
            false => {
                is_alone = false;
                notes.decide(one.place, format!("is the plugin `{name}`, which may decide who gets through, and the result has nothing of it"));
            }
        }
    }
    // The configuration alone.
    if has_none {
        let alone = document::search(documents, &|object, _| is_config(object));
        if !alone.is_empty() {
            let chosen = document::chosen(alone, "configuration of the plugin", options, notes)?;
            return Ok(chosen.as_ref().map(|one| Plugin {
                config: Part::from(one),
                is_alone,
            }));
        }
    }
    let what = format!("plugin `{}` of Kong", names.join("` or `"));
    let differing = same_configuration(found);
    let Some(one) = document::chosen(differing, &what, options, notes)? else {
        return Ok(None);
    };
    account(AROUND, one.object, &one.place, notes);
    if one.place.contains("services")
        || one.place.contains("routes")
        || one.object.contains_key("route")
        || one.object.contains_key("service")
    {
        notes.stricter(one.place.clone(), "is the plugin of some services or routes alone, and the result protects everything that the filter sees: put the filter where they are, or write public rules for the others");
    }
    let part = Part::from(&one);
    if !part.has("config") {
        notes.decide(
            part.at("config"),
            "is missing, and so is the result: write it, and be it `{}`",
        );
    }
    let config = part.part("config", notes);
    Ok(config.map(|config| Plugin { config, is_alone }))
}

fn name(object: &Map<String, Value>) -> Option<&str> {
    ["name", "plugin"]
        .iter()
        .find_map(|key| object.get(*key).and_then(Value::as_str))
}

/// Plugins with the same configuration at several places are one.
fn same_configuration(found: Vec<Found<'_>>) -> Vec<Found<'_>> {
    let first = found
        .first()
        .and_then(|one| one.object.get("config").cloned());
    if found
        .iter()
        .all(|one| one.object.get("config") == first.as_ref())
    {
        return found.into_iter().take(1).collect();
    }
    found
}
