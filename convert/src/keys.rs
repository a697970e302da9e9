//! The tables of keys, and that every key of a source is in one.

use serde_json::{Map, Value};

use crate::document::below;
use crate::notes::Notes;

/// A key of another system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The way to it, with `.` between keys; lists do not count.
    pub name: &'static str,
    /// What it becomes in Portero's configuration; empty where it has no counterpart.
    pub becomes: &'static str,
    /// What is different, or why there is no counterpart.
    pub remark: &'static str,
}

/// A key that becomes something.
pub(crate) const fn key(name: &'static str, becomes: &'static str, remark: &'static str) -> Key {
    Key {
        name,
        becomes,
        remark,
    }
}

/// A key without counterpart.
pub(crate) const fn none(name: &'static str, remark: &'static str) -> Key {
    key(name, "", remark)
}

/// Names every key below `object` that has no counterpart, and asks about those that no table knows.
pub(crate) fn account(table: &[Key], object: &Map<String, Value>, place: &str, notes: &mut Notes) {
    level(table, object, place, "", notes);
}

fn level(table: &[Key], object: &Map<String, Value>, place: &str, above: &str, notes: &mut Notes) {
    for (name, value) in object {
        if value.is_null() {
            continue;
        }
        let here = below(place, name);
        let way = match above {
            "" => name.clone(),
            _ => format!("{above}.{name}"),
        };
        let known = table.iter().find(|key| key.name == way);
        let is_above = table.iter().any(|key| {
            key.name
                .strip_prefix(&way)
                .is_some_and(|rest| rest.starts_with('.'))
        });
        match known {
            _ if is_above => inside(table, value, &here, &way, notes),
            Some(key) if key.becomes.is_empty() => notes.unmatched(here, key.remark),
            Some(_) => {}
            None => notes.decide(
                here,
                "is no key that this conversion knows, so nothing was made of it; find out what it does before you use the result",
            ),
        }
    }
}

fn inside(table: &[Key], value: &Value, place: &str, way: &str, notes: &mut Notes) {
    match value {
        Value::Object(object) => level(table, object, place, way, notes),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(table, item, &format!("{place}[{index}]"), way, notes);
            }
        }
        _ => notes.decide(place, "is no object, so nothing was made of it"),
    }
}
