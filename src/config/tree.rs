//! What Envoy hands over to a tree, refusing what `serde_json` lets pass: a key twice, and `null`.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::fault::{At, Faults, Ledger, unreadable};
use super::struct_message;

/// The longest configuration that is read, in bytes.
pub(super) const MOST_BYTES: usize = 1024 * 1024;

const ACCEPTED: &str = "accepted: an object with `providers` and `session`, as JSON text or as a `google.protobuf.Struct`";

/// Reads `bytes`, JSON text or a serialized `google.protobuf.Struct`, into an object. Repeated keys
/// and nulls go to the ledger, each with its place; what is neither is one fault.
///
/// Both forms may begin with a line feed. JSON goes first, and wins nothing that is not its own: in a
/// `Struct` the byte 0x12 stands before every value, and no JSON text holds that.
pub(super) fn read(bytes: &[u8]) -> Result<(Value, Ledger), Faults> {
    if bytes.len() > MOST_BYTES {
        let length = bytes.len();
        return Err(unreadable(format!(
            "has {length} bytes; accepted: at most {MOST_BYTES}"
        )));
    }
    // A `Struct` is not told what is wrong with it as such: Envoy made it, so it is a good one.
    json(bytes).or_else(|fault| struct_message::read(bytes).ok_or(fault))
}

fn json(json: &[u8]) -> Result<(Value, Ledger), Faults> {
    let text = std::str::from_utf8(json)
        .map_err(|_| unreadable(format!("is not UTF-8 text; {ACCEPTED}")))?;
    if text.trim().is_empty() {
        return Err(unreadable(format!("is empty; {ACCEPTED}")));
    }
    let ledger = RefCell::default();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = Node {
        at: At::Root,
        ledger: &ledger,
    }
    .deserialize(&mut deserializer)
    .and_then(|value| deserializer.end().map(|()| value))
    .map_err(|error| unreadable(format!("is not JSON ({error}); {ACCEPTED}")))?;
    if value.is_object() {
        Ok((value, ledger.into_inner()))
    } else {
        Err(unreadable(format!("is not an object; {ACCEPTED}")))
    }
}

#[derive(Clone, Copy)]
struct Node<'a> {
    at: At<'a>,
    ledger: &'a RefCell<Ledger>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(null(&self.at, &mut self.ledger.borrow_mut()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(Node {
            at: self.at.index(list.len()),
            ledger: self.ledger,
        })? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let at = self.at.key(&name);
            let value = access.next_value_seed(Node {
                at,
                ledger: self.ledger,
            })?;
            insert(
                &mut object,
                &name,
                value,
                &at,
                &mut self.ledger.borrow_mut(),
            );
        }
        Ok(self::object(object))
    }
}

/// A null, once its fault is recorded.
pub(super) fn null(at: &At<'_>, ledger: &mut Ledger) -> Value {
    let place = at.place();
    // At the root the caller says that this is not an object.
    if !place.is_empty() {
        ledger.fault(
            &place,
            "is null; accepted: a value, or leave the key out for its default",
        );
        ledger.prune(place);
    }
    Value::Null
}

/// Puts an entry into an object that is being read; `at` is the entry's place.
pub(super) fn insert(
    object: &mut Map<String, Value>,
    name: &str,
    value: Value,
    at: &At<'_>,
    ledger: &mut Ledger,
) {
    if object.insert(name.to_owned(), value).is_some() {
        ledger.fault(&at.place(), "is written twice; accepted: each key once");
    }
}

/// An object that has been read. A null is as good as absent once its fault is recorded.
pub(super) fn object(mut entries: Map<String, Value>) -> Value {
    entries.retain(|_, value| !value.is_null());
    Value::Object(entries)
}
