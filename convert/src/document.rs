//! From text to trees, and what is found in them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::Options;
use crate::notes::Notes;

/// Why nothing came of a text.
#[derive(Debug)]
pub struct Unreadable(pub String);

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

/// Every document of a text. JSON is YAML too, and told by its own parser what is wrong with it.
pub(crate) fn read(text: &str) -> Result<Vec<Value>, Unreadable> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text)
            .map(|Tree(value)| vec![value])
            .map_err(|error| Unreadable(format!("is not JSON: {error}")));
    }
    let mut documents = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(text) {
        let Tree(value) = Tree::deserialize(document)
            .map_err(|error| Unreadable(format!("is not YAML: {error}")))?;
        if !value.is_null() {
            documents.push(value);
        }
    }
    if documents.is_empty() {
        return Err(Unreadable("is empty".to_owned()));
    }
    Ok(documents)
}

/// A value in which no key stands twice: of two, only one would be converted.
struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Node).map(Self)
    }
}

struct Node;

impl<'de> Visitor<'de> for Node {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("plain values, lists and objects")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Tree(item)) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Tree(value))) = map.next_entry::<String, Tree>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "the key {key:?} stands there twice"
                )));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// The only document of a text.
pub(crate) fn only(text: &str) -> Result<Value, Unreadable> {
    match read(text)?.as_mut_slice() {
        [one] => Ok(one.take()),
        several => Err(Unreadable(format!(
            "holds {} documents; accepted: one",
            several.len()
        ))),
    }
}

/// An object somewhere in the documents.
#[derive(Clone, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) object: &'a Map<String, Value>,
    /// Where it is, as in `services[0].plugins[1]`; empty for a whole document.
    pub(crate) place: String,
}

/// Every object for which `is_wanted`, outermost first; nothing is looked for inside one.
pub(crate) fn search<'a>(
    documents: &'a [Value],
    is_wanted: &dyn Fn(&Map<String, Value>, &str) -> bool,
) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let place = match documents.len() {
            1 => String::new(),
            _ => format!("document[{index}]"),
        };
        visit(document, place, "", is_wanted, &mut found);
    }
    found
}

/// `name` is the key that the value stands under.
fn visit<'a>(
    value: &'a Value,
    place: String,
    name: &str,
    is_wanted: &dyn Fn(&Map<String, Value>, &str) -> bool,
    found: &mut Vec<Found<'a>>,
) {
    match value {
        Value::Object(object) if is_wanted(object, name) => found.push(Found { object, place }),
        Value::Object(object) => {
            for (name, inner) in object {
                visit(inner, below(&place, name), name, is_wanted, found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                visit(inner, format!("{place}[{index}]"), name, is_wanted, found);
            }
        }
        _ => {}
    }
}

/// The one of `found` to convert, or nothing where several are there and none was named. `what` is what they are.
pub(crate) fn chosen<'a>(
    found: Vec<Found<'a>>,
    what: &str,
    options: &Options,
    notes: &mut Notes,
) -> Result<Option<Found<'a>>, Unreadable> {
    let places: Vec<String> = found.iter().map(|one| one.place.clone()).collect();
    let named = |one: &Found<'_>| options.only.as_ref().is_none_or(|only| one.place == *only);
    let mut wanted = found.into_iter().filter(named);
    let Some(first) = wanted.next() else {
        return Err(Unreadable(match options.only {
            Some(_) => format!(
                "has no {what} at the place of --only; there are: {}",
                places.join(", ")
            ),
            None => format!("holds no {what}"),
        }));
    };
    if wanted.all(|other| other.object == first.object) {
        notes.source = format!(
            "{what}, {}",
            match first.place.as_str() {
                "" => "the whole document",
                place => place,
            }
        );
        return Ok(Some(first));
    }
    for place in places {
        notes.decide(place, format!("is one of several {what} that differ, and a configuration of Portero has one: convert each with --only PLACE"));
    }
    Ok(None)
}

/// A place inside another one. A key that is no plain word is written so that nothing in it is taken for
/// something else.
pub(crate) fn below(place: &str, name: &str) -> String {
    let is_plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-@/".contains(&byte));
    let short: String = name.chars().take(64).collect();
    match (place.is_empty(), is_plain) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{place}.{name}"),
        (_, false) => format!("{place}[{short:?}]"),
    }
}
