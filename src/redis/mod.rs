//! Redis, as far as HTTP reaches it: commands, how each front end takes them, and what comes back.
//!
//! A Wasm filter speaks HTTP only, so somebody stands before Redis who does, too. There are two
//! ways to say a command to such a front end, and both are here; neither is asked for more than the
//! one command of a call. Nothing that comes back is believed unless it is the whole of what the
//! command can answer.

mod command;
mod upstash;
mod webdis;

pub use command::{Command, Condition, Del, Expire, Mget, Set, Swap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::config::StoreProtocol;
use crate::error::CallFault;

/// The longest answer that is read, in bytes: some values of the length that a session may have.
const LONGEST_ANSWER: usize = 512 * 1024;

/// What a call to the front end carries; it is a `POST` to the front end's own path.
pub struct Message {
    /// The value of `authorization`, where there are credentials.
    pub authorization: Option<String>,
    pub content_type: Option<&'static str>,
    pub body: Vec<u8>,
}

/// A command in the words of a front end.
pub fn message(protocol: &StoreProtocol, command: &impl Command) -> Message {
    let words = command.words();
    match protocol {
        StoreProtocol::Webdis { credentials } => Message {
            authorization: credentials
                .as_ref()
                .map(|pair| format!("Basic {}", STANDARD.encode(pair.expose()))),
            content_type: None,
            body: webdis::encode(&words),
        },
        StoreProtocol::Upstash { token } => Message {
            authorization: Some(format!("Bearer {}", token.expose())),
            content_type: Some("application/json"),
            body: upstash::encode(&words),
        },
    }
}

/// What a front end's answer says about `command`.
pub fn parse<C: Command>(
    protocol: &StoreProtocol,
    command: &C,
    status: u16,
    body: &[u8],
) -> Result<C::Reply, CallFault> {
    match status {
        200 => {}
        503 => return Err(CallFault::Unreachable),
        504 => return Err(CallFault::Timeout),
        _ => return Err(CallFault::Refused),
    }
    if body.len() > LONGEST_ANSWER {
        return Err(CallFault::Malformed);
    }
    let answer: Value = serde_json::from_slice(body).map_err(|_| CallFault::Malformed)?;
    let value = match protocol {
        StoreProtocol::Webdis { .. } => webdis::decode(C::NAME, answer)?,
        StoreProtocol::Upstash { .. } => upstash::decode(answer)?,
    };
    command.read(value).ok_or(CallFault::Malformed)
}

/// The value of the one member that an object has.
fn only_member(answer: Value, name: &str) -> Result<Value, CallFault> {
    let Value::Object(members) = answer else {
        return Err(CallFault::Malformed);
    };
    let mut members = members.into_iter();
    match (members.next(), members.next()) {
        (Some((only, value)), None) if only == name => Ok(value),
        _ => Err(CallFault::Malformed),
    }
}

#[cfg(test)]
mod tests;
