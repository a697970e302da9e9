//! From what Envoy hands over to a checked configuration, or to everything that is wrong with it.

use serde::Deserialize as _;
use serde_json::Value;

use super::check::Check;
use super::cursor::{Cursor, Wrong};
use super::fault::{At, Faults, Ledger, Place, Step, unreadable};
use super::{Config, raw, tree};

/// A configuration that may be used, and what its author should know about it.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    /// `path: why this is dangerous or useless`, one sentence each.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads and checks a configuration of at most 1 MiB: a JSON object in UTF-8, or a serialized
    /// `google.protobuf.Struct`. `environment` answers the value of an environment variable.
    ///
    /// # Errors
    ///
    /// All faults of the configuration, up to a limit: unknown keys, values of the wrong type and
    /// values out of range alike, each with its place. No text holds the value of a secret.
    pub fn load(
        bytes: &[u8],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Loaded, Faults> {
        let (mut tree, mut ledger) = tree::read(bytes)?;
        let raw = shape(&mut tree, &mut ledger);
        let mut check = Check::new(ledger, environment);
        let config = raw.and_then(|raw| check.configuration(raw));
        let warnings = check.settle()?;
        config
            .map(|config| Loaded { config, warnings })
            .ok_or_else(|| unreadable("could not be read; this is a defect of Portero"))
    }
}

/// Turns `tree` into the raw configuration. `serde` stops at the first thing it cannot read, so
/// that is recorded and taken out of `tree`, until the rest can be read.
fn shape(tree: &mut Value, ledger: &mut Ledger) -> Option<raw::Configuration> {
    while !ledger.is_full() {
        let cursor = Cursor {
            value: tree,
            at: At::Root,
        };
        match raw::Configuration::deserialize(cursor) {
            Ok(raw) => return Some(raw),
            Err(Wrong { place, problem }) => {
                let place: Place = place.unwrap_or_default();
                // An object that lost its content to an earlier fault is not to blame.
                if !ledger.has_pruned_inside(&place) {
                    ledger.fault(&place, problem);
                }
                if !take_out(tree, &place) {
                    return None;
                }
                ledger.prune(place);
            }
        }
    }
    None
}

/// Removes the value at `place`; in a list it leaves a null, so that the others keep their index.
fn take_out(tree: &mut Value, place: &[Step]) -> bool {
    let Some((last, parents)) = place.split_last() else {
        return false;
    };
    let mut value = tree;
    for step in parents {
        let child = match step {
            Step::Key(name) => value.get_mut(name),
            Step::Index(index) => value.get_mut(*index),
        };
        let Some(child) = child else {
            return false;
        };
        value = child;
    }
    match (value, last) {
        (Value::Object(object), Step::Key(name)) => object.remove(name).is_some(),
        (Value::Array(items), Step::Index(index)) => items
            .get_mut(*index)
            .is_some_and(|item| !std::mem::replace(item, Value::Null).is_null()),
        _ => false,
    }
}
