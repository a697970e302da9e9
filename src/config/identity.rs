//! The signed identity that the upstream gets.

use std::time::Duration;

use super::{Config, HeaderSource, Rule};
use crate::jose::SigningKey;

/// How Portero signs who is calling.
#[derive(Debug)]
pub struct SignedIdentity {
    /// The header that holds it, in lower case.
    pub header: String,
    /// `iss`.
    pub issuer: String,
    /// `aud`, where the rule has none of its own.
    pub audience: String,
    /// The first signs. Never empty.
    pub keys: Vec<SigningKey>,
    /// What is published: the public keys as a JSON Web Key Set (RFC 7517 section 5).
    pub key_set: String,
    pub claims: Vec<IdentityClaim>,
    pub lifetime: Duration,
    /// How many tokens are kept for one caller: one for each audience that there is, up to a limit.
    pub most_kept: usize,
}

/// One claim of the token.
#[derive(Debug)]
pub struct IdentityClaim {
    /// In the token; none of those that Portero sets.
    pub name: String,
    /// A claim of the caller's, or of their access token.
    pub source: HeaderSource,
}

/// The most tokens that are kept for one caller.
const MOST_KEPT: usize = 8;

impl SignedIdentity {
    /// How many tokens are worth keeping for one caller under these rules.
    pub(super) fn worth_keeping(&self, rules: &[Rule]) -> usize {
        let mut audiences = vec![self.audience.as_str()];
        for audience in rules
            .iter()
            .filter_map(|rule| rule.identity_audience.as_deref())
        {
            if !audiences.contains(&audience) {
                audiences.push(audience);
            }
        }
        audiences.len().min(MOST_KEPT)
    }
}

impl Config {
    /// Whom the identity of callers under the rule with this index is for.
    pub fn identity_audience<'a>(
        &'a self,
        identity: &'a SignedIdentity,
        rule: Option<usize>,
    ) -> &'a str {
        let rule = rule.and_then(|index| self.rules.get(index));
        rule.and_then(|rule| rule.identity_audience.as_deref())
            .unwrap_or(&identity.audience)
    }
}
