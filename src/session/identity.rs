//! What the signed identities of one caller say, and those that have been signed, so that not every
//! request pays for a signature.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Footprint, footprint};
use crate::time::Timestamp;

/// What a token has beside the caller's claims, about: its header, Portero's own claims, the signature.
const TOKEN_OVERHEAD: usize = 1024;

/// One caller, of whom the upstream is told in signed tokens.
pub struct CallerIdentity {
    claims: Map<String, Value>,
    /// The end of the session or the access token that makes the caller known, where it has one.
    ends_at: Option<Timestamp>,
    most: usize,
    signed: RefCell<Vec<SignedToken>>,
}

struct SignedToken {
    audience: String,
    token: String,
    expires_at: Timestamp,
}

impl CallerIdentity {
    /// `claims` are those that all tokens have; of the tokens, `most` are kept.
    pub const fn new(claims: Map<String, Value>, ends_at: Option<Timestamp>, most: usize) -> Self {
        Self {
            claims,
            ends_at,
            most,
            signed: RefCell::new(Vec::new()),
        }
    }

    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The end of a token that is signed now: no later than that of what it speaks of.
    pub fn expires_at(&self, now: Timestamp, lifetime: Duration) -> Timestamp {
        let end = now.after(lifetime);
        self.ends_at.map_or(end, |ends_at| end.min(ends_at))
    }

    /// A token that was signed before: half of its life is left, or a new one would not last longer. One
    /// that would last longer than a new one is from before the clock was set back.
    pub fn find(&self, audience: &str, now: Timestamp, lifetime: Duration) -> Option<String> {
        let newest = self.expires_at(now, lifetime);
        let half_is_left_at = now.after(lifetime.mul_f64(0.5));
        let is_good = |signed: &&SignedToken| {
            let end = signed.expires_at;
            signed.audience == audience
                && end <= newest
                && (end == newest || end >= half_is_left_at)
        };
        let signed = self.signed.borrow();
        let found = signed.iter().find(is_good);
        found.map(|signed| signed.token.clone())
    }

    /// Keeps a token in place of the one before for the same audience, and where there are too many, of
    /// the oldest.
    pub fn keep(&self, audience: &str, token: &str, expires_at: Timestamp) {
        let mut signed = self.signed.borrow_mut();
        signed.retain(|other| other.audience != audience);
        if signed.len() >= self.most && !signed.is_empty() {
            signed.remove(0);
        }
        signed.push(SignedToken {
            audience: audience.to_owned(),
            token: token.to_owned(),
            expires_at,
        });
    }
}

/// With room for the tokens that are still to come: what is remembered is measured once.
impl Footprint for CallerIdentity {
    fn size(&self) -> usize {
        let claims = self.claims.iter();
        let claims = claims.map(|(name, value)| name.len().saturating_add(footprint(value)));
        let claims = claims.fold(0, usize::saturating_add);
        // In a token they are base64.
        let token = claims.saturating_mul(2).saturating_add(TOKEN_OVERHEAD);
        claims.saturating_add(token.saturating_mul(self.most))
    }
}

#[cfg(test)]
mod tests;
