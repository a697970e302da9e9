//! From the tree to what was written, type by type: whatever is wrong is recorded with its place, and
//! stands for nothing in what is read, so that one pass finds every fault.
//!
//! No fault repeats a value, which may be a secret. What is not about a type is in functions that know
//! none: the types are many.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fault::{At, Ledger};

/// What can stand in a configuration. It is derived for structs and enums.
pub(super) trait Read: Sized {
    /// Nothing where a fault is recorded; [`Cursor::read`] takes the value out then.
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self>;
}

/// What stands under a key, or in a list: a value, or nothing where it is absent or was taken out.
pub(super) trait Slot {
    type Value: Read;

    fn holding(value: Option<Self::Value>) -> Self;
}

impl<T: Read> Slot for Option<T> {
    type Value = T;

    fn holding(value: Option<T>) -> Self {
        value
    }
}

/// A value and its place.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) value: &'a Value,
    pub(super) at: At<'a>,
}

impl<'a> Cursor<'a> {
    /// The value, or nothing once it counts as taken out because of its faults.
    fn read<T: Read>(self, ledger: &mut Ledger) -> Option<T> {
        let value = T::read(self, ledger);
        if value.is_none() {
            self.take_out(ledger);
        }
        value
    }

    #[inline(never)]
    fn take_out(&self, ledger: &mut Ledger) {
        ledger.prune(self.at.place());
    }

    /// Records what is wrong with the value: `what is wrong; what is accepted`.
    #[inline(never)]
    pub(super) fn wrong(&self, problem: String, ledger: &mut Ledger) {
        let place = self.at.place();
        // What lost its content to an earlier fault is not to blame.
        if !ledger.has_pruned_inside(&place) {
            ledger.fault(&place, problem);
        }
    }

    /// Records that the value is of another kind than `expected`.
    #[inline(never)]
    pub(super) fn wrong_kind(&self, expected: &str, ledger: &mut Ledger) {
        let kind = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.wrong(format!("is {kind}; accepted: {expected}"), ledger);
    }

    #[inline(never)]
    fn unknown_key(&self, accepted: &[&str], ledger: &mut Ledger) {
        let accepted = words(accepted);
        self.wrong(format!("is not a known key; {accepted}"), ledger);
        self.take_out(ledger);
    }

    pub(super) fn text(&self, ledger: &mut Ledger) -> Option<&'a str> {
        let Value::String(text) = self.value else {
            self.wrong_kind("a string", ledger);
            return None;
        };
        Some(text)
    }

    fn list(&self, ledger: &mut Ledger) -> Option<&'a [Value]> {
        let Value::Array(items) = self.value else {
            self.wrong_kind("a list", ledger);
            return None;
        };
        Some(items)
    }

    fn object(&self, ledger: &mut Ledger) -> Option<&'a Map<String, Value>> {
        let Value::Object(object) = self.value else {
            self.wrong_kind("an object", ledger);
            return None;
        };
        Some(object)
    }

    /// The fields of an object that has no other keys than these.
    pub(super) fn fields(self, keys: &[&str], ledger: &mut Ledger) -> Option<Fields<'a>> {
        let object = self.object(ledger)?;
        for (name, value) in object {
            if !keys.contains(&name.as_str()) {
                let at = self.at.key(name);
                Cursor { value, at }.unknown_key(keys, ledger);
            }
        }
        let at = self.at;
        Some(Fields { object, at })
    }

    /// The variant that was chosen: a word alone, or the only key of an object.
    pub(super) fn choice(self, variants: &[&str], ledger: &mut Ledger) -> Option<Choice<'a>> {
        let (word, content) = match self.value {
            Value::String(word) => (word, None),
            Value::Object(object) => match (object.iter().next(), object.len()) {
                (Some((word, content)), 1) => (word, Some(content)),
                (_, count) => {
                    let accepted = words(variants);
                    self.wrong(format!("has {count} keys; {accepted}, exactly one"), ledger);
                    return None;
                }
            },
            _ => {
                self.wrong_kind(&variants.join(", "), ledger);
                return None;
            }
        };
        match (variants.iter().position(|variant| variant == word), content) {
            (Some(index), _) => Some(Choice {
                cursor: self,
                index,
                word,
                content,
            }),
            (None, Some(value)) => {
                let at = self.at.key(word);
                Cursor { value, at }.unknown_key(variants, ledger);
                None
            }
            (None, None) => {
                let accepted = words(variants);
                self.wrong(format!("is not a known word; {accepted}"), ledger);
                None
            }
        }
    }
}

fn words(accepted: &[&str]) -> String {
    if accepted.is_empty() {
        return "accepted: no keys at all".to_owned();
    }
    format!("accepted: {}", accepted.join(", "))
}

/// An object whose keys are known.
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    at: At<'a>,
}

impl Fields<'_> {
    pub(super) fn field<S: Slot>(&self, name: &str, ledger: &mut Ledger) -> S {
        S::holding(self.object.get(name).and_then(|value| {
            let at = self.at.key(name);
            Cursor { value, at }.read(ledger)
        }))
    }
}

/// A variant of an enum, and what stands under its name.
pub(super) struct Choice<'a> {
    cursor: Cursor<'a>,
    /// Which of the variants it is.
    pub(super) index: usize,
    word: &'a str,
    content: Option<&'a Value>,
}

impl Choice<'_> {
    fn under(&self, ledger: &mut Ledger) -> Option<Cursor<'_>> {
        let Some(value) = self.content else {
            let word = self.word;
            self.cursor.wrong(
                format!("is a word alone; accepted: an object {{\"{word}\": ...}}"),
                ledger,
            );
            return None;
        };
        let at = self.cursor.at.key(self.word);
        Some(Cursor { value, at })
    }

    pub(super) fn content<T: Read>(&self, ledger: &mut Ledger) -> Option<T> {
        self.under(ledger)?.read(ledger)
    }

    pub(super) fn fields(&self, keys: &[&str], ledger: &mut Ledger) -> Option<Fields<'_>> {
        let cursor = self.under(ledger)?;
        let fields = cursor.fields(keys, ledger);
        if fields.is_none() {
            cursor.take_out(ledger);
        }
        fields
    }

    /// Whether nothing stands under the name, as it must be.
    pub(super) fn alone(&self, ledger: &mut Ledger) -> bool {
        if let Some(value) = self.content {
            let at = self.cursor.at.key(self.word);
            let cursor = Cursor { value, at };
            cursor.wrong_kind("the word alone, as a string", ledger);
            cursor.take_out(ledger);
        }
        self.content.is_none()
    }
}

impl Read for String {
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self> {
        cursor.text(ledger).map(ToOwned::to_owned)
    }
}

impl Read for bool {
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self> {
        if let Value::Bool(value) = cursor.value {
            return Some(*value);
        }
        cursor.wrong_kind("a boolean", ledger);
        None
    }
}

/// What somebody else's standard describes.
impl Read for Value {
    fn read(cursor: Cursor<'_>, _: &mut Ledger) -> Option<Self> {
        Some(cursor.value.clone())
    }
}

impl<S: Slot> Read for Vec<S> {
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self> {
        let values = cursor.list(ledger)?;
        let mut items = Self::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            let at = cursor.at.index(index);
            // The fault of a null has been recorded, and every item keeps its index.
            let value = (!value.is_null()).then_some(Cursor { value, at });
            items.push(S::holding(value.and_then(|item| item.read(ledger))));
        }
        Some(items)
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self> {
        let mut entries = Self::new();
        for (name, value) in cursor.object(ledger)? {
            let at = cursor.at.key(name);
            if let Some(value) = (Cursor { value, at }).read(ledger) {
                entries.insert(name.clone(), value);
            }
        }
        Some(entries)
    }
}
