//! JSON Web Key Sets (RFC 7517 section 5).

use serde_json::Value;

use super::{Header, Jwk, json};

/// The largest document that is read.
pub const MAX_JWK_SET_BYTES: usize = 512 * 1024;

/// How many keys of a set are looked at.
pub const MAX_KEYS: usize = 100;

/// How many keys are tried on one token.
pub const MAX_CANDIDATES: usize = 4;

/// The keys of a provider that verify signatures.
///
/// It is a function of the document's bytes alone, so the bytes may be kept and parsed again.
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
    /// Reads the JSON document `bytes`.
    ///
    /// Keys that Portero cannot use are skipped and counted (RFC 7517 section 5: ignore what is
    /// not understood), as is everything after the first [`MAX_KEYS`]. A set without a usable key
    /// is a set; the caller decides what to do without keys.
    pub fn parse(bytes: &[u8]) -> Result<Self, JwkSetFault> {
        if bytes.len() > MAX_JWK_SET_BYTES {
            return Err(JwkSetFault::TooLarge);
        }
        let document = json::parse_object(bytes).ok_or(JwkSetFault::Malformed)?;
        let Some(Value::Array(values)) = document.get("keys") else {
            return Err(JwkSetFault::Malformed);
        };
        let keys: Vec<Jwk> = values
            .iter()
            .take(MAX_KEYS)
            .filter_map(Jwk::from_value)
            .collect();
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
    /// that support its `alg` and, where it has a `kid`, carry the same one (RFC 7515 section 6).
    /// A key of equal `kid` but other type or `alg` is not among them.
    pub fn candidates<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a Jwk> {
        self.keys.iter().filter(|key| {
            key.supports(header.algorithm())
                && header
                    .key_id()
                    .is_none_or(|wanted| key.key_id() == Some(wanted))
        })
    }
}

#[cfg(test)]
mod tests;
