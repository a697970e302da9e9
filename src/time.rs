//! Points in time, as the host's clock tells them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch.
///
/// All arithmetic saturates, so that no remote number can overflow it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(u64);

impl Timestamp {
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From a JSON Web Token's NumericDate (RFC 7519 section 2), in whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// In whole seconds, as a NumericDate.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The point in time `span` later.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// The point in time `span` earlier, not before the epoch.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// How much time has passed since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Whether this is still to come. What lies further ahead than `longest` was written before the
    /// clock was set back, and counts as passed.
    pub fn is_ahead(self, now: Self, longest: Duration) -> bool {
        now < self && self.since(now) <= longest
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
