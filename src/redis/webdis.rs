//! Webdis: a command is its words with `/` between them, and what it answers is a member of the
//! command's name. Redis' own errors come with status 200.

use std::fmt::Write;

use serde_json::Value;

use super::only_member;
use crate::error::CallFault;

/// Everything but letters, digits and `_-:` is percent-encoded: `/` parts words, `?` ends them, and
/// a `.` would begin the name of a format.
pub fn encode(words: &[String]) -> Vec<u8> {
    let mut body = String::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            body.push('/');
        }
        for byte in word.bytes() {
            if byte.is_ascii_alphanumeric() || b"_-:".contains(&byte) {
                body.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(body, "%{byte:02X}");
            }
        }
    }
    body.into_bytes()
}

/// A status is `[true, "OK"]` and an error `[false, "ERR ..."]`; everything else is as it is. No list
/// of values begins with `true` or `false`.
pub fn decode(name: &str, answer: Value) -> Result<Value, CallFault> {
    match only_member(answer, name)? {
        Value::Array(list) => match list.as_slice() {
            [Value::Bool(true), status] => Ok(status.clone()),
            [Value::Bool(false), Value::String(_)] => Err(CallFault::Refused),
            _ => Ok(Value::Array(list)),
        },
        value => Ok(value),
    }
}
