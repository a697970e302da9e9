//! JSON Web Key Sets (RFC 7517 section 5).

use portero_fast::parse_object;
use serde_json::Value;

use super::{Header, Jwk, KeyFault};

/// The largest document that is read.
pub const MAX_JWK_SET_BYTES: usize = 512 * 1024;

/// How many keys of a set are looked at.
pub const MAX_KEYS: usize = 100;

/// How many keys are tried on one token.
pub const MAX_CANDIDATES: usize = 4;

/// The keys that verify the signatures of one issuer.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    skipped: usize,
}

/// Why a document is not a [`JwkSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JwkSetFault {
    /// Larger than [`MAX_JWK_SET_BYTES`].
    TooLarge,
    /// Not one JSON object with distinct member names and an array `keys`.
    Malformed,
}

impl JwkSetFault {
    /// Every fault.
    pub const ALL: &'static [Self] = &[Self::TooLarge, Self::Malformed];

    /// The stable name of the fault in answers, logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "jwk_set_too_large",
            Self::Malformed => "jwk_set_malformed",
        }
    }
}

impl JwkSet {
    /// Reads the JSON document `bytes`, as a provider publishes it. The set is a function of these
    /// bytes alone, so they may be kept and parsed again.
    ///
    /// Keys that Portero cannot use are skipped and counted (RFC 7517 section 5: ignore what is
    /// not understood), as is everything after the first [`MAX_KEYS`]. A set without a usable key
    /// is a set; the caller decides what to do without keys.
    pub fn parse(bytes: &[u8]) -> Result<Self, JwkSetFault> {
        if bytes.len() > MAX_JWK_SET_BYTES {
            return Err(JwkSetFault::TooLarge);
        }
        let document = parse_object(bytes).ok_or(JwkSetFault::Malformed)?;
        let Some(Value::Array(values)) = document.get("keys") else {
            return Err(JwkSetFault::Malformed);
        };
        let keys: Vec<Jwk> = values
            .iter()
            .take(MAX_KEYS)
            .filter_map(|value| Jwk::from_value(value).ok())
            .collect();
        let skipped = values.len().saturating_sub(keys.len());
        Ok(Self { keys, skipped })
    }

    /// Reads a key set that is written into the configuration.
    ///
    /// It differs from a published one in what its author must hear of: private and symmetric keys
    /// are faults, and so is a set without a usable key.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyFault> {
        if text.len() > MAX_JWK_SET_BYTES {
            return Err(KeyFault::TooLarge);
        }
        let document = parse_object(text).ok_or(KeyFault::JwkSetMalformed)?;
        let Some(Value::Array(values)) = document.get("keys") else {
            return Err(KeyFault::JwkSetMalformed);
        };
        let mut keys = Vec::new();
        for value in values.iter().take(MAX_KEYS) {
            match Jwk::from_value(value) {
                Ok(key) => keys.push(key.configured()),
                Err(fault @ (KeyFault::Private | KeyFault::Symmetric)) => return Err(fault),
                Err(_) => {}
            }
        }
        if keys.is_empty() {
            return Err(KeyFault::NoKeys);
        }
        let skipped = values.len().saturating_sub(keys.len());
        Ok(Self { keys, skipped })
    }

    /// The usable keys, in the document's order.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// How many members of `keys` are not usable.
    pub const fn skipped(&self) -> usize {
        self.skipped
    }

    /// Whether no signature can be verified.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that may have made a signature with this `header`, in the document's order: those
    /// that support its `alg` and, where it has a `kid`, carry the same one (RFC 7515 section 6) or
    /// are configured without one. A key of equal `kid` but other type or `alg` is not among them.
    pub fn candidates<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a Jwk> {
        self.keys
            .iter()
            .filter(|key| key.supports(header.algorithm()) && key.is_meant_by(header.key_id()))
    }
}

/// Keys that the configuration gives one by one.
impl FromIterator<Jwk> for JwkSet {
    fn from_iter<I: IntoIterator<Item = Jwk>>(keys: I) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            skipped: 0,
        }
    }
}

#[cfg(test)]
mod tests;
