//! JSON text to a tree, refusing what `serde_json` lets pass: a key twice, and `null`.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::fault::{At, Faults, Ledger, unreadable};

/// The longest configuration that is read, in bytes.
pub(super) const MOST_BYTES: usize = 1024 * 1024;

const ACCEPTED: &str = "accepted: a JSON object with `providers` and `session`";

/// Reads `json` into an object. Repeated keys and nulls go to the ledger, each with its place;
/// text that is not a JSON object at all is one fault.
pub(super) fn read(json: &[u8]) -> Result<(Value, Ledger), Faults> {
    if json.len() > MOST_BYTES {
        let length = json.len();
        return Err(unreadable(format!(
            "has {length} bytes; accepted: at most {MOST_BYTES}"
        )));
    }
    let text = std::str::from_utf8(json)
        .map_err(|_| unreadable(format!("is not UTF-8 text; {ACCEPTED}")))?;
    if text.trim().is_empty() {
        return Err(unreadable(format!("is empty; {ACCEPTED}")));
    }
    let ledger = RefCell::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
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
        let place = self.at.place();
        // At the root the caller says that this is not an object.
        if !place.is_empty() {
            let mut ledger = self.ledger.borrow_mut();
            ledger.fault(
                &place,
                "is null; accepted: a value, or leave the key out for its default",
            );
            ledger.prune(place);
        }
        Ok(Value::Null)
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
            if object.contains_key(&name) {
                self.ledger
                    .borrow_mut()
                    .fault(&at.place(), "is written twice; accepted: each key once");
            }
            object.insert(name, value);
        }
        // A null is as good as absent once its fault is recorded.
        object.retain(|_, value| !value.is_null());
        Ok(Value::Object(object))
    }
}
