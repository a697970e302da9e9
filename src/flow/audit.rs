//! Audit lines: who has logged in, whose session has ended, and who was refused what.
//!
//! `audit event=… key=value …`, one line for an event. A line never has a token or anything that
//! could be shown as one: sessions go by a hash. What a provider wrote is percent-encoded and cut off,
//! so that nobody can write a line, or a word, of their own.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::gateway::fingerprint;
use crate::config::Config;
use crate::jose::client_of;
use crate::oidc::{Ends, VerifiedIdToken};
use crate::session::{Reference, Session};

/// Subjects have at most 255 characters (OpenID Connect Core 2); what is longer is cut off.
const MOST_VALUE: usize = 255;

/// How much of a hash is shown, in bytes.
const SHOWN_HASH: usize = 8;

/// Words of a line, a space before each.
#[derive(Default)]
struct Words(String);

impl Words {
    fn of_issuer(issuer: &str) -> Self {
        let mut words = Self::default();
        words.add("issuer", Some(issuer));
        words
    }

    fn begin(&mut self, key: &str) {
        self.0.push(' ');
        self.0.push_str(key);
        self.0.push('=');
    }

    fn add(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.begin(key);
            encode(&mut self.0, value);
        }
    }

    /// Tells one value from others, and nothing else of it.
    fn add_hash(&mut self, key: &str, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.begin(key);
            self.0.push_str(&fingerprint(value, SHOWN_HASH));
        }
    }
}

/// Percent-encodes everything but letters, digits and a few characters that subjects and addresses have and that mean nothing to
/// whoever reads such lines.
fn encode(text: &mut String, value: &str) {
    for byte in value.bytes().take(MOST_VALUE) {
        match byte.is_ascii_alphanumeric() || b"-._~:/@|+".contains(&byte) {
            true => text.push(char::from(byte)),
            false => {
                // Writing to a String cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
}

/// Whose session it is, what tells it from others of the same person, and how they authenticated.
pub fn session(config: &Config, session: &Session) -> String {
    let mut words = Words::of_issuer(&config.provider.issuer);
    words.add("sub", Some(&session.subject));
    words.add_hash("session", Some(&session.family));
    words.add_hash("sid", session.sid.as_deref().map(str::as_bytes));
    words.add("acr", session.authentication.acr.as_deref());
    words.0
}

/// The same of a session that has begun, with the methods that its ID token names (RFC 8176).
pub fn login(config: &Config, new: &Session, id_token: &VerifiedIdToken) -> String {
    let mut line = session(config, new);
    let methods = id_token.claims().as_object().get("amr");
    let methods = methods.and_then(Value::as_array).into_iter().flatten();
    let mut before = " amr=";
    for method in methods.filter_map(Value::as_str).take(8) {
        line.push_str(before);
        encode(&mut line, method);
        before = ",";
    }
    line
}

/// A session in the store, of which only its reference is known.
pub fn reference(config: &Config, reference: &Reference) -> String {
    let mut words = Words::of_issuer(&config.provider.issuer);
    words.add_hash("session", Some(&reference.family));
    words.0
}

/// Whose sessions a provider ends.
pub fn named(config: &Config, ends: &Ends) -> String {
    let (sid, subject) = match ends {
        Ends::Session { sid } => (Some(sid), None),
        Ends::SessionOf { sid, subject } => (Some(sid), Some(subject)),
        Ends::Subject { subject } => (None, Some(subject)),
    };
    let mut words = Words::of_issuer(&config.provider.issuer);
    words.add("sub", subject.map(String::as_str));
    words.add_hash("sid", sid.map(|sid| sid.as_bytes()));
    words.0
}

/// Whose access token it is.
pub fn token(issuer: &str, claims: &Map<String, Value>) -> String {
    let mut words = Words::of_issuer(issuer);
    words.add("sub", claims.get("sub").and_then(Value::as_str));
    words.add("client", client_of(claims));
    words.0
}

#[cfg(test)]
mod tests;
