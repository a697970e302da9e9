//! What of a person's claims the rules look at: a session keeps that, and nothing else.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::names::{HAS_GROUPS, OVERAGE, is_compound};
use crate::config::{Condition, Config, Scalar, Test};
use crate::jose::{Found, follow, graft};

/// What all rules of a configuration look at.
#[derive(Debug, Default)]
pub struct Interests {
    claims: Vec<Interest>,
    pub scopes: bool,
    /// Other rules with other interests have another mark; zero where nothing is looked at.
    pub mark: u32,
}

#[derive(Debug)]
struct Interest {
    path: Vec<String>,
    /// Where the claim is an array, these elements.
    elements: Vec<Scalar>,
}

impl Interests {
    pub fn of(config: &Config) -> Self {
        let mut interests = Self::default();
        let client = config.client_id();
        for rule in &config.rules {
            let policy = &rule.policy;
            for condition in [&policy.require, &policy.forbid].into_iter().flatten() {
                interests.add(condition, client);
            }
        }
        if interests.scopes || !interests.claims.is_empty() {
            interests.mark = mark(&format!("{interests:?}"));
        }
        interests
    }

    /// Of all claims of a login, those that are looked at. Of an array only the elements that a rule
    /// names are left, so that somebody in a thousand groups still has a small session; and of objects
    /// nothing but that they are some, since no rule is met by one.
    pub fn select(&self, identity: &Map<String, Value>) -> Map<String, Value> {
        let mut selected = Map::new();
        for interest in &self.claims {
            let (path, value) = match follow(identity, &interest.path) {
                Found::Nothing => continue,
                Found::Value(value) => (interest.path.as_slice(), value),
                Found::Blocked { names, by } => {
                    (interest.path.get(..names).unwrap_or_default(), by)
                }
            };
            graft(&mut selected, path, interest.reduced(value));
        }
        selected
    }

    fn add(&mut self, condition: &Condition, client: &str) {
        let texts =
            |names: &[String]| -> Vec<Scalar> { names.iter().cloned().map(Scalar::Text).collect() };
        match condition {
            Condition::All(inner) | Condition::Any(inner) => {
                inner.iter().for_each(|each| self.add(each, client));
            }
            Condition::Scopes(_) => self.scopes = true,
            Condition::Issuer(_) => {}
            Condition::Roles(names) => {
                self.look_at(&["roles"], texts(names.items()));
                let path = ["resource_access", client, "roles"];
                self.look_at(&path, texts(names.items()));
            }
            Condition::Groups(names) => {
                self.look_at(&["groups"], texts(names.items()));
                self.look_at(&OVERAGE, Vec::new());
                self.look_at(&[HAS_GROUPS], Vec::new());
            }
            Condition::Claim { path, test } => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                let elements = match test {
                    Test::Contains(scalars) => scalars.items().to_vec(),
                    Test::OneOf(_) | Test::Matches(_) => Vec::new(),
                };
                self.look_at(&path, elements);
            }
        }
    }

    fn look_at(&mut self, path: &[&str], elements: Vec<Scalar>) {
        let known = self.claims.iter_mut().find(|known| known.path == path);
        match known {
            Some(known) => {
                for element in elements {
                    if !known.elements.contains(&element) {
                        known.elements.push(element);
                    }
                }
            }
            None => {
                let shorter = |known: &Interest| known.path.len() <= path.len();
                let place = self.claims.partition_point(shorter);
                let path = path.iter().map(|name| (*name).to_owned()).collect();
                self.claims.insert(place, Interest { path, elements });
            }
        }
    }
}

impl Interest {
    fn reduced(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => {
                let find = |scalar: &Scalar| items.iter().find(|item| scalar.is(item));
                let mut kept: Vec<Value> = self.elements.iter().filter_map(find).cloned().collect();
                // That there was something that nobody can tell.
                if items.iter().any(is_compound) {
                    kept.push(json!({}));
                }
                Value::Array(kept)
            }
            Value::Object(_) => json!({}),
            other => other.clone(),
        }
    }
}

/// Never zero.
fn mark(text: &str) -> u32 {
    let hash = Sha256::digest(text);
    let first = hash.first_chunk().copied().unwrap_or_default();
    u32::from_le_bytes(first).max(1)
}
