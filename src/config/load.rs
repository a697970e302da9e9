//! From what Envoy hands over to a checked configuration, or to everything that is wrong with it.

use super::check::Check;
use super::fault::{At, Faults, unreadable};
use super::read::{Cursor, Read as _};
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
        let (tree, mut ledger) = tree::read(bytes)?;
        let cursor = Cursor {
            value: &tree,
            at: At::Root,
        };
        let raw = raw::Configuration::read(cursor, &mut ledger).filter(|_| !ledger.is_full());
        let mut check = Check::new(ledger, environment);
        let config = raw.and_then(|raw| check.configuration(raw));
        let warnings = check.settle()?;
        config
            .map(|config| Loaded { config, warnings })
            .ok_or_else(|| unreadable("could not be read; this is a defect of Portero"))
    }
}
