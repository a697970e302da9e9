//! The small types that the raw configuration is written with.

use std::fmt;
use std::time::Duration;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::duration;
use crate::secret::Secret;

/// A value that must be there. It holds nothing where the value is absent or had a fault of its
/// own, so that one missing value does not hide the faults beside it.
pub(super) struct Given<T>(pub(super) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}

/// A duration with its unit.
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpanVisitor).map(Self)
    }
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Duration;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(duration::ACCEPTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        duration::parse(text).ok_or_else(|| {
            let accepted = duration::ACCEPTED;
            E::custom(format!("is not a duration; accepted: {accepted}"))
        })
    }
}

/// A whole number. A protobuf `Struct` holds every number as a double, so `5.0` is 5.
pub(super) struct Whole(pub(super) u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor).map(Self)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number, not negative")
    }

    fn visit_u64<E>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
        // Doubles are exact up to here, and no limit of ours comes near.
        const MOST: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && (0.0..=MOST).contains(&number) {
            Ok(number as u64)
        } else {
            Err(E::custom(
                "is not a whole number; accepted: a whole number, not negative",
            ))
        }
    }
}

/// A secret as it is written: itself, or where it is found.
pub(super) enum SecretText {
    Literal(Secret<String>),
    /// The name of an environment variable.
    Environment(Given<String>),
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Environment {
    env: Given<String>,
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = SecretText;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string, or {\"env\": \"NAME\"} with the name of a variable")
    }

    fn visit_str<E>(self, text: &str) -> Result<SecretText, E> {
        Ok(SecretText::Literal(Secret::new(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<SecretText, A::Error> {
        Environment::deserialize(MapAccessDeserializer::new(access))
            .map(|environment| SecretText::Environment(environment.env))
    }
}

/// A string, or a list of strings.
pub(super) enum TextOrList {
    Text(String),
    List(Vec<Given<String>>),
}

impl<'de> Deserialize<'de> for TextOrList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrListVisitor)
    }
}

struct TextOrListVisitor;

impl<'de> Visitor<'de> for TextOrListVisitor {
    type Value = TextOrList;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string, or a list of strings")
    }

    fn visit_str<E>(self, text: &str) -> Result<TextOrList, E> {
        Ok(TextOrList::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<TextOrList, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(access)).map(TextOrList::List)
    }
}

/// A text, a number or a boolean.
pub(super) enum Plain {
    Text(String),
    Number(f64),
    Flag(bool),
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl PlainVisitor {
    /// Beyond this, whole numbers share an `f64`.
    const MOST: f64 = 9_007_199_254_740_991.0;

    fn number<E: Error>(number: f64) -> Result<Plain, E> {
        if (-Self::MOST..=Self::MOST).contains(&number) {
            return Ok(Plain::Number(number));
        }
        Err(E::custom(
            "is a number too large to be told from others; accepted: a number between -9007199254740991 and 9007199254740991",
        ))
    }
}

impl Visitor<'_> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string, a number or a boolean")
    }

    fn visit_str<E>(self, text: &str) -> Result<Plain, E> {
        Ok(Plain::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Plain, E> {
        Ok(Plain::Flag(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Plain, E> {
        Self::number(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Plain, E> {
        Self::number(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Plain, E> {
        Self::number(number)
    }
}
