//! The REST form of Upstash: a command is a JSON array, and what it answers is the member `result`.

use serde_json::Value;

use super::only_member;
use crate::error::CallFault;

pub fn encode(words: &[String]) -> Vec<u8> {
    Value::from(words).to_string().into_bytes()
}

/// Errors have a status of their own, so an answer is a result.
pub fn decode(answer: Value) -> Result<Value, CallFault> {
    only_member(answer, "result")
}
