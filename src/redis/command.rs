//! The commands of Redis that a session store takes, and what each can answer.

use std::time::Duration;

use serde_json::Value;

/// One command with its arguments.
pub trait Command {
    /// What it answers when it was carried out.
    type Reply;

    /// In capitals: a front end repeats the name as it was written.
    const NAME: &'static str;

    fn arguments(&self) -> Vec<String>;

    /// The reply in what a front end says, in the form that RESP has in JSON.
    fn read(&self, value: Value) -> Option<Self::Reply>;

    /// The name and the arguments.
    fn words(&self) -> Vec<String> {
        let mut words = vec![Self::NAME.to_owned()];
        words.extend(self.arguments());
        words
    }
}

/// The values of some keys, in their order; a key that is not there has none.
pub struct Mget<'a>(pub &'a [&'a str]);

impl Command for Mget<'_> {
    type Reply = Vec<Option<String>>;

    const NAME: &'static str = "MGET";

    fn arguments(&self) -> Vec<String> {
        self.0.iter().map(|key| (*key).to_owned()).collect()
    }

    /// A front end may leave out a value that it cannot write: then no place tells its key any more.
    fn read(&self, value: Value) -> Option<Self::Reply> {
        let Value::Array(values) = value else {
            return None;
        };
        if values.len() != self.0.len() {
            return None;
        }
        let text = |value| match value {
            Value::String(text) => Some(Some(text)),
            Value::Null => Some(None),
            _ => None,
        };
        values.into_iter().map(text).collect()
    }
}

/// When a key is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Always,
    /// `NX`: only if it is not there.
    Absent,
    /// `XX`: only if it is there.
    Present,
}

/// Sets a key for a time; says whether its condition held.
pub struct Set<'a> {
    pub key: &'a str,
    pub value: &'a str,
    pub lifetime: Duration,
    pub condition: Condition,
}

impl Command for Set<'_> {
    type Reply = bool;

    const NAME: &'static str = "SET";

    fn arguments(&self) -> Vec<String> {
        let mut words = vec![
            self.key.to_owned(),
            self.value.to_owned(),
            "EX".to_owned(),
            whole_seconds(self.lifetime).to_string(),
        ];
        match self.condition {
            Condition::Always => {}
            Condition::Absent => words.push("NX".to_owned()),
            Condition::Present => words.push("XX".to_owned()),
        }
        words
    }

    fn read(&self, value: Value) -> Option<bool> {
        match value {
            Value::String(word) if word == "OK" => Some(true),
            Value::Null if self.condition != Condition::Always => Some(false),
            _ => None,
        }
    }
}

/// Sets a key for a time, whatever is there; says what it has replaced.
pub struct Swap<'a> {
    pub key: &'a str,
    pub value: &'a str,
    pub lifetime: Duration,
}

impl Command for Swap<'_> {
    type Reply = Option<String>;

    const NAME: &'static str = "SET";

    fn arguments(&self) -> Vec<String> {
        let set = Set {
            key: self.key,
            value: self.value,
            lifetime: self.lifetime,
            condition: Condition::Always,
        };
        let mut words = set.arguments();
        words.push("GET".to_owned());
        words
    }

    fn read(&self, value: Value) -> Option<Self::Reply> {
        match value {
            Value::String(replaced) => Some(Some(replaced)),
            Value::Null => Some(None),
            _ => None,
        }
    }
}

/// Deletes a key; says whether it was there.
pub struct Del<'a>(pub &'a str);

impl Command for Del<'_> {
    type Reply = bool;

    const NAME: &'static str = "DEL";

    fn arguments(&self) -> Vec<String> {
        vec![self.0.to_owned()]
    }

    fn read(&self, value: Value) -> Option<bool> {
        zero_or_one(&value)
    }
}

/// Gives a key a new lifetime; says whether it was there.
pub struct Expire<'a> {
    pub key: &'a str,
    pub lifetime: Duration,
}

impl Command for Expire<'_> {
    type Reply = bool;

    const NAME: &'static str = "EXPIRE";

    fn arguments(&self) -> Vec<String> {
        vec![
            self.key.to_owned(),
            whole_seconds(self.lifetime).to_string(),
        ]
    }

    fn read(&self, value: Value) -> Option<bool> {
        zero_or_one(&value)
    }
}

fn zero_or_one(value: &Value) -> Option<bool> {
    match value.as_u64()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// Rounded up; Redis takes no lifetime of zero.
fn whole_seconds(lifetime: Duration) -> u64 {
    let begun = u64::from(lifetime.subsec_nanos() > 0);
    lifetime.as_secs().saturating_add(begun).max(1)
}
