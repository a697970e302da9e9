//! A serialized `google.protobuf.Struct` to a tree: what Envoy hands over for a `Struct` in its
//! own configuration.
//!
//! ```text
//! Struct    { 1: map of string to Value, which is a list of { 1: string, 2: Value } }
//! Value     { one of 1: null, 2: double, 3: string, 4: bool, 5: Struct, 6: ListValue }
//! ListValue { 1: list of Value }
//! ```
//!
//! Everything here answers `None` for what no writer of these messages writes. Numbers stay
//! doubles; [`Whole`](super::words::Whole) reads the whole ones.

use serde_json::{Map, Number, Value};

use super::fault::{At, Ledger};
use super::tree;

/// How deep objects and lists may nest: as deep as `serde_json` lets them.
const MOST_NESTED: u8 = 127;

/// Reads `message`, which has at least one entry.
pub(super) fn read(message: &[u8]) -> Option<(Value, Ledger)> {
    if message.is_empty() {
        return None;
    }
    let mut reader = Reader::default();
    let value = reader.object(message, &At::Root, MOST_NESTED)?;
    Some((value, reader.ledger))
}

#[derive(Default)]
struct Reader {
    ledger: Ledger,
}

impl Reader {
    fn object(&mut self, message: &[u8], at: &At<'_>, nested: u8) -> Option<Value> {
        let nested = nested.checked_sub(1)?;
        let mut object = Map::new();
        for field in Fields(message) {
            match field? {
                (1, Content::Bytes(entry)) => {
                    let (name, value) = halves(entry)?;
                    let at = at.key(name);
                    let value = self.value(value, &at, nested)?;
                    tree::insert(&mut object, name, value, &at, &mut self.ledger);
                }
                (1, _) => return None,
                _ => {}
            }
        }
        Some(tree::object(object))
    }

    fn list(&mut self, message: &[u8], at: &At<'_>, nested: u8) -> Option<Value> {
        let nested = nested.checked_sub(1)?;
        let mut list = Vec::new();
        for field in Fields(message) {
            match field? {
                (1, Content::Bytes(item)) => {
                    list.push(self.value(item, &at.index(list.len()), nested)?);
                }
                (1, _) => return None,
                _ => {}
            }
        }
        Some(Value::Array(list))
    }

    fn value(&mut self, message: &[u8], at: &At<'_>, nested: u8) -> Option<Value> {
        let mut found = None;
        for field in Fields(message) {
            let value = match field? {
                (1, Content::Varint(_)) => Value::Null,
                (2, Content::Fixed64(bytes)) => {
                    Value::Number(Number::from_f64(f64::from_le_bytes(bytes))?)
                }
                (3, Content::Bytes(text)) => str::from_utf8(text).ok()?.into(),
                (4, Content::Varint(bit)) => Value::Bool(bit != 0),
                (5, Content::Bytes(inner)) => self.object(inner, at, nested)?,
                (6, Content::Bytes(inner)) => self.list(inner, at, nested)?,
                (1..=6, _) => return None,
                _ => continue,
            };
            if found.replace(value).is_some() {
                return None;
            }
        }
        match found {
            None | Some(Value::Null) => Some(tree::null(at, &mut self.ledger)),
            found => found,
        }
    }
}

/// The key and the value of a map's entry. One that is left out is empty.
fn halves(entry: &[u8]) -> Option<(&str, &[u8])> {
    let (mut name, mut value) = (None, None);
    for field in Fields(entry) {
        let twice = match field? {
            (1, Content::Bytes(bytes)) => name.replace(str::from_utf8(bytes).ok()?).is_some(),
            (2, Content::Bytes(bytes)) => value.replace(bytes).is_some(),
            (1 | 2, _) => true,
            _ => false,
        };
        if twice {
            return None;
        }
    }
    Some((name.unwrap_or_default(), value.unwrap_or_default()))
}

/// What a field holds, as far as the wire format tells.
enum Content<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32,
}

/// The fields that are left of a message. The last item is `None` where the rest is not a field.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u32, Content<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u32, Content<'a>)> {
        let tag = u32::try_from(self.varint()?).ok()?;
        let number = tag >> 3;
        let content = match tag & 7 {
            0 => Content::Varint(self.varint()?),
            1 => Content::Fixed64(self.take(8)?.try_into().ok()?),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Content::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Content::Fixed32
            }
            // Groups, which these messages never had, and what is not assigned.
            _ => return None,
        };
        (number > 0).then_some((number, content))
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more follow.
    fn varint(&mut self) -> Option<u64> {
        let mut value: u64 = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.take(1)? else { return None };
            let weight = 1_u64.checked_shl(shift)?;
            value |= u64::from(byte & 0x7f).checked_mul(weight)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}
