//! A `serde` deserializer over a JSON tree that knows where it is and never repeats a value.
//!
//! `serde_json`'s own errors quote what they found, which may be a secret, and it reads a struct
//! from a list; both are wrong for a configuration.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde_json::Value;
use serde_json::map::Iter;

use super::fault::{At, Place};

/// Why a tree is not what was asked for.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Where; whoever handed out the innermost cursor fills it in.
    pub(super) place: Option<Place>,
    /// `what is wrong; what is accepted`.
    pub(super) problem: String,
}

impl Wrong {
    fn new(problem: String) -> Self {
        Self {
            place: None,
            problem,
        }
    }

    fn unknown_key(accepted: &[&str]) -> Self {
        Self::new(format!("is not a known key; {}", words(accepted)))
    }

    // Called wherever something is read, for what almost never happens.
    #[inline(never)]
    fn at(mut self, at: &At<'_>) -> Self {
        self.place.get_or_insert_with(|| at.place());
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem)
    }
}

impl std::error::Error for Wrong {}

impl Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let kind = match found {
            Unexpected::Bool(_) => "a boolean",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
            Unexpected::Char(_) | Unexpected::Str(_) => "a string",
            Unexpected::Seq => "a list",
            Unexpected::Map => "an object",
            _ => "something else",
        };
        Self::new(format!("is {kind}; accepted: {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("is out of range; accepted: {expected}"))
    }

    fn unknown_variant(_: &str, accepted: &'static [&'static str]) -> Self {
        Self::new(format!("is not a known word; {}", words(accepted)))
    }

    fn unknown_field(_: &str, accepted: &'static [&'static str]) -> Self {
        Self::unknown_key(accepted)
    }
}

fn words(accepted: &[&str]) -> String {
    if accepted.is_empty() {
        return "accepted: no keys at all".to_owned();
    }
    format!("accepted: {}", accepted.join(", "))
}

fn wrong_kind(value: &Value, expected: &str) -> Wrong {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Wrong::new(format!("is {kind}; accepted: {expected}"))
}

/// A value and its place.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'de, 't> {
    pub(super) value: &'de Value,
    pub(super) at: At<'t>,
}

impl<'de> Cursor<'de, '_> {
    fn object<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let Value::Object(object) = self.value else {
            return Err(wrong_kind(self.value, "an object"));
        };
        visitor.visit_map(Object {
            entries: object.iter(),
            next: None,
            at: self.at,
        })
    }

    /// The word that was chosen, and what stands under it.
    fn choice(self, variants: &[&str]) -> Result<(&'de str, Option<&'de Value>), Wrong> {
        let object = match self.value {
            Value::String(word) => return Ok((word, None)),
            Value::Object(object) => object,
            other => return Err(wrong_kind(other, &variants.join(", "))),
        };
        match Option::zip(object.iter().next(), Some(object.len())) {
            Some(((word, content), 1)) if variants.contains(&word.as_str()) => {
                Ok((word, Some(content)))
            }
            Some(((word, _), 1)) => Err(Wrong::unknown_key(variants).at(&self.at.key(word))),
            _ => {
                let count = object.len();
                let problem = format!("has {count} keys; {}, exactly one", words(variants));
                Err(Wrong::new(problem))
            }
        }
    }
}

impl<'de> Deserializer<'de> for Cursor<'de, '_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), ..) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (.., value) => visitor.visit_f64(value.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(List {
                items: items.iter().enumerate(),
                at: self.at,
            }),
            Value::Object(_) => self.object(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Array(_) => self.deserialize_any(visitor),
            other => Err(wrong_kind(other, "a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.object(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.object(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let (word, content) = self.choice(variants)?;
        let at = self.at.key(word);
        visitor.visit_enum(Variant { word, content, at })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct List<'de, 't> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
    at: At<'t>,
}

impl<'de> SeqAccess<'de> for List<'de, '_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        self.items
            .next()
            .map(|(index, value)| {
                let at = self.at.index(index);
                seed.deserialize(Cursor { value, at })
                    .map_err(|wrong| wrong.at(&at))
            })
            .transpose()
    }
}

struct Object<'de, 't> {
    entries: Iter<'de>,
    next: Option<(&'de str, &'de Value)>,
    at: At<'t>,
}

impl<'de> MapAccess<'de> for Object<'de, '_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some((name, value)) = self.entries.next() else {
            return Ok(None);
        };
        self.next = Some((name, value));
        seed.deserialize(StrDeserializer::new(name))
            .map(Some)
            .map_err(|wrong: Wrong| wrong.at(&self.at.key(name)))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Wrong> {
        let Some((name, value)) = self.next.take() else {
            return Err(Wrong::custom("was asked for a value without a key"));
        };
        let at = self.at.key(name);
        seed.deserialize(Cursor { value, at })
            .map_err(|wrong| wrong.at(&at))
    }
}

struct Variant<'de, 't> {
    word: &'de str,
    content: Option<&'de Value>,
    at: At<'t>,
}

impl<'de> Variant<'de, '_> {
    fn content(&self) -> Result<Cursor<'de, '_>, Wrong> {
        match self.content {
            Some(value) => Ok(Cursor { value, at: self.at }),
            None => Err(Wrong::new(format!(
                "is a word alone; accepted: an object {{\"{}\": ...}}",
                self.word
            ))),
        }
    }
}

impl<'de> EnumAccess<'de> for Variant<'de, '_> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Wrong> {
        seed.deserialize(StrDeserializer::new(self.word))
            .map(|word| (word, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de, '_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        match self.content {
            None => Ok(()),
            Some(value) => Err(wrong_kind(value, "the word alone, as a string").at(&self.at)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        seed.deserialize(self.content()?)
            .map_err(|wrong| wrong.at(&self.at))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.content()?
            .deserialize_seq(visitor)
            .map_err(|wrong| wrong.at(&self.at))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.content()?
            .object(visitor)
            .map_err(|wrong| wrong.at(&self.at))
    }
}
