//! Reading a source: what has another type than expected is asked about, never taken for something else.

use serde_json::{Map, Value};

use crate::document::{Found, below};
use crate::notes::Notes;

/// An object of a source. A null in it counts as absent.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) object: &'a Map<String, Value>,
    pub(crate) place: String,
}

impl<'a> From<&Found<'a>> for Part<'a> {
    fn from(found: &Found<'a>) -> Self {
        Self {
            object: found.object,
            place: found.place.clone(),
        }
    }
}

impl<'a> Part<'a> {
    pub(crate) fn at(&self, name: &str) -> String {
        below(&self.place, name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub(crate) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str, notes: &mut Notes) -> Option<&'a str> {
        let value = self.value(name)?;
        let text = value.as_str();
        if text.is_none() {
            self.wrong(name, "a text", notes);
        }
        text
    }

    pub(crate) fn flag(&self, name: &str, notes: &mut Notes) -> Option<bool> {
        let value = self.value(name)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong(name, "true or false", notes);
        }
        flag
    }

    /// A switch that is spelled `yes`; every other text means no.
    pub(crate) fn yes(&self, name: &str, notes: &mut Notes) -> Option<bool> {
        self.text(name, notes).map(|word| word == "yes")
    }

    pub(crate) fn number(&self, name: &str, notes: &mut Notes) -> Option<u64> {
        let value = self.value(name)?;
        let number = value.as_u64();
        if number.is_none() {
            self.wrong(name, "a whole number", notes);
        }
        number
    }

    /// A list of texts; items of other types are asked about.
    pub(crate) fn texts(&self, name: &str, notes: &mut Notes) -> Option<Vec<&'a str>> {
        let value = self.value(name)?;
        let texts = value
            .as_array()
            .and_then(|items| items.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        if texts.is_none() {
            self.wrong(name, "a list of texts", notes);
        }
        texts
    }

    pub(crate) fn part(&self, name: &str, notes: &mut Notes) -> Option<Self> {
        let value = self.value(name)?;
        let Some(object) = value.as_object() else {
            self.wrong(name, "an object", notes);
            return None;
        };
        Some(Self {
            object,
            place: self.at(name),
        })
    }

    pub(crate) fn parts(&self, name: &str, notes: &mut Notes) -> Vec<Self> {
        let Some(value) = self.value(name) else {
            return Vec::new();
        };
        let Some(items) = value.as_array() else {
            self.wrong(name, "a list", notes);
            return Vec::new();
        };
        let mut parts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let place = format!("{}[{index}]", self.at(name));
            match item.as_object() {
                Some(object) => parts.push(Self { object, place }),
                None => notes.decide(place, "is no object, so nothing was made of it"),
            }
        }
        parts
    }

    fn wrong(&self, name: &str, expected: &str, notes: &mut Notes) {
        notes.decide(
            self.at(name),
            format!("is not {expected}, so nothing was made of it"),
        );
    }
}
