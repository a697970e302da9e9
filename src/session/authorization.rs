//! What a session keeps for the rules, and of its access token.

use portero_fast::parse_object;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What rules look at, and what the access token says.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// Which rules it was kept for; other rules may look at something else.
    pub mark: u32,
    /// The claims, as a JSON object; empty where no rule looks at any.
    pub claims: String,
    /// What the access token was granted for, where a rule looks at that.
    pub scope: String,
    /// The claims of the access token that headers show as such, as a JSON object; empty without any.
    pub token_claims: String,
}

impl Authorization {
    /// The claims as an object; without any where they are none.
    pub fn claims(&self) -> Map<String, Value> {
        object(&self.claims)
    }

    /// The claims of the access token, likewise.
    pub fn token_claims(&self) -> Map<String, Value> {
        object(&self.token_claims)
    }

    /// Bytes in memory, about.
    pub(super) const fn size(&self) -> usize {
        self.claims
            .len()
            .saturating_add(self.scope.len())
            .saturating_add(self.token_claims.len())
    }
}

/// The members of a JSON object that a session keeps as text; none where it keeps no text.
pub(super) fn object(text: &str) -> Map<String, Value> {
    match text {
        "" => Map::new(),
        text => parse_object(text.as_bytes()).unwrap_or_default(),
    }
}

/// Bytes that a value and its members take, about.
pub fn footprint(value: &Value) -> usize {
    let members = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(footprint).fold(0, usize::saturating_add),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| name.len().saturating_add(footprint(value)))
            .fold(0, usize::saturating_add),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    members.saturating_add(size_of::<(String, Value)>())
}
