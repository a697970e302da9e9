//! The small types that the raw configuration is written with.

use std::time::Duration;

use portero_derive::Read;
use serde_json::Value;

use super::duration;
use super::fault::Ledger;
use super::read::{Cursor, Read, Slot};
use crate::secret::Secret;

/// A value that must be there. It holds nothing where the value is absent or had a fault of its
/// own, so that one missing value does not hide the faults beside it.
pub(super) struct Given<T>(pub(super) Option<T>);

impl<T: Read> Slot for Given<T> {
    type Value = T;

    fn holding(value: Option<T>) -> Self {
        Self(value)
    }
}

/// A duration with its unit.
pub(super) struct Span(pub(super) Duration);

impl Read for Span {
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self> {
        let accepted = duration::ACCEPTED;
        let Value::String(text) = cursor.value else {
            cursor.wrong_kind(accepted, ledger);
            return None;
        };
        let span = duration::parse(text).map(Self);
        if span.is_none() {
            cursor.wrong(format!("is not a duration; accepted: {accepted}"), ledger);
        }
        span
    }
}

/// A whole number. A protobuf `Struct` holds every number as a double, so `5.0` is 5.
pub(super) struct Whole(pub(super) u64);

impl Read for Whole {
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self> {
        // Doubles are exact up to here, and no limit of ours comes near.
        const MOST: f64 = 9_007_199_254_740_992.0;
        const ACCEPTED: &str = "a whole number, not negative";
        let Value::Number(number) = cursor.value else {
            cursor.wrong_kind(ACCEPTED, ledger);
            return None;
        };
        if let Some(number) = number.as_u64() {
            return Some(Self(number));
        }
        let number = number.as_f64().unwrap_or(f64::NAN);
        if number.fract() == 0.0 && (0.0..=MOST).contains(&number) {
            return Some(Self(number as u64));
        }
        cursor.wrong(
            format!("is not a whole number; accepted: {ACCEPTED}"),
            ledger,
        );
        None
    }
}

/// A secret as it is written: itself, or where it is found.
pub(super) enum SecretText {
    Literal(Secret<String>),
    /// The name of an environment variable.
    Environment(Given<String>),
}

#[derive(Read)]
#[serde(deny_unknown_fields)]
struct Environment {
    env: Given<String>,
}

impl Read for SecretText {
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self> {
        match cursor.value {
            Value::String(text) => Some(Self::Literal(Secret::new(text.clone()))),
            Value::Object(_) => {
                let Environment { env } = Environment::read(cursor, ledger)?;
                Some(Self::Environment(env))
            }
            _ => {
                cursor.wrong_kind(
                    "a string, or {\"env\": \"NAME\"} with the name of a variable",
                    ledger,
                );
                None
            }
        }
    }
}

/// A string, or a list of strings.
pub(super) enum TextOrList {
    Text(String),
    List(Vec<Given<String>>),
}

impl Read for TextOrList {
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self> {
        match cursor.value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Array(_) => Vec::read(cursor, ledger).map(Self::List),
            _ => {
                cursor.wrong_kind("a string, or a list of strings", ledger);
                None
            }
        }
    }
}

/// A text, a number or a boolean.
pub(super) enum Plain {
    Text(String),
    Number(f64),
    Flag(bool),
}

impl Read for Plain {
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self> {
        /// Beyond this, whole numbers share an `f64`.
        const MOST: f64 = 9_007_199_254_740_991.0;
        match cursor.value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Bool(flag) => Some(Self::Flag(*flag)),
            Value::Number(number) => {
                let number = number.as_f64().filter(|it| (-MOST..=MOST).contains(it));
                if number.is_none() {
                    cursor.wrong("is a number too large to be told from others; accepted: a number between -9007199254740991 and 9007199254740991".to_owned(), ledger);
                }
                number.map(Self::Number)
            }
            _ => {
                cursor.wrong_kind("a string, a number or a boolean", ledger);
                None
            }
        }
    }
}
