//! What is known of one token.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Owner;
use crate::error::CallFault;
use crate::host::{Host, jittered};
use crate::time::Timestamp;

/// The first pause after a failure; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// An upstream that refuses every token must not make Portero fetch one for every request.
const DROPS_APART: Duration = Duration::from_secs(10);

/// A token and its times.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldToken {
    pub token: String,
    /// Before the request for it was sent, so that its life is not taken for longer than it is.
    pub fetched_at: Timestamp,
    pub renew_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Nothing of the token is printed.
impl fmt::Debug for HeldToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HeldToken")
            .field("renew_at", &self.renew_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl HeldToken {
    /// Until its end. One from the future was fetched before the clock was set back, and nobody knows how
    /// long it is good.
    fn is_good(&self, now: Timestamp) -> bool {
        self.fetched_at <= now && now < self.expires_at
    }
}

/// How it stands with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Good {
        token: HeldToken,
        /// It is time for the next, and nobody is at it.
        is_due: bool,
    },
    /// Somebody fetches it.
    Fetching,
    /// It could not be had, and it is too soon to try again.
    Failed(CallFault),
    Absent,
}

impl Standing {
    /// Whether the next is to be fetched while this one is good.
    pub const fn is_due(&self) -> bool {
        matches!(self, Self::Good { is_due: true, .. })
    }
}

/// What the workers know of one token. The empty one is nobody's.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Record {
    owner: Option<[u8; 32]>,
    held: Option<HeldToken>,
    /// Newer than the configured one.
    pub(super) refresh_token: Option<String>,
    /// How often anybody has begun: whoever holds the lease has the latest number.
    attempt: u32,
    lease_until: Timestamp,
    retry_at: Timestamp,
    failures: u32,
    fault: Option<CallFault>,
    dropped_at: Timestamp,
}

impl Record {
    pub(super) fn of(owner: Owner) -> Self {
        Self {
            owner: digest(owner),
            ..Self::default()
        }
    }

    pub(super) fn is_of(&self, owner: Owner) -> bool {
        self.owner == digest(owner)
    }

    pub(super) const fn has_token(&self) -> bool {
        self.held.is_some()
    }

    pub(super) fn standing(&self, now: Timestamp, lease: Duration) -> Standing {
        let is_fetched = self.lease_until.is_ahead(now, lease);
        let fault = self
            .fault
            .filter(|_| self.retry_at.is_ahead(now, LONGEST_PAUSE));
        match (&self.held, fault) {
            (Some(held), _) if held.is_good(now) => Standing::Good {
                token: held.clone(),
                is_due: now >= held.renew_at && !is_fetched && fault.is_none(),
            },
            _ if is_fetched => Standing::Fetching,
            (_, Some(fault)) => Standing::Failed(fault),
            _ => Standing::Absent,
        }
    }

    /// Takes the lease where there is something to do; the number says whose it is.
    pub(super) fn begin(&mut self, now: Timestamp, lease: Duration) -> Option<u32> {
        let standing = self.standing(now, lease);
        if standing != Standing::Absent && !standing.is_due() {
            return None;
        }
        self.attempt = self.attempt.wrapping_add(1);
        self.lease_until = now.after(lease);
        Some(self.attempt)
    }

    /// An attempt has brought a token; says whether it was of use. One whose lease was over, and that
    /// somebody has followed since, is of use only as long as the other has brought nothing.
    pub(super) fn succeed(
        &mut self,
        attempt: u32,
        token: HeldToken,
        refresh_token: Option<String>,
    ) -> bool {
        if attempt != self.attempt && self.held.is_some() {
            return false;
        }
        self.held = Some(token);
        self.refresh_token = refresh_token.or_else(|| self.refresh_token.take());
        self.lease_until = Timestamp::default();
        self.retry_at = Timestamp::default();
        self.failures = 0;
        self.fault = None;
        true
    }

    /// An attempt has failed, which says nothing any more where somebody has followed it.
    pub(super) fn fail(
        &mut self,
        attempt: u32,
        host: &dyn Host,
        now: Timestamp,
        fault: CallFault,
    ) -> bool {
        if attempt != self.attempt {
            return false;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.after(jittered(host, pause.min(LONGEST_PAUSE)));
        self.fault = Some(fault);
        if fault == CallFault::InvalidGrant {
            // The configured one may be good still, or again.
            self.refresh_token = None;
        }
        self.lease_until = Timestamp::default();
        true
    }

    pub(super) fn drop_refused(&mut self, token: &HeldToken, now: Timestamp) -> bool {
        let is_held = self.held.as_ref() == Some(token);
        let is_too_soon = self
            .dropped_at
            .after(DROPS_APART)
            .is_ahead(now, DROPS_APART);
        if !is_held || is_too_soon {
            return false;
        }
        self.held = None;
        self.dropped_at = now;
        true
    }

    /// Until when it is of use to its owner; the least where it is nobody's or its time has passed.
    pub(super) fn end(&self, now: Timestamp) -> Timestamp {
        let held = self.held.as_ref().filter(|held| held.is_good(now));
        let held = held.map_or(Timestamp::default(), |held| held.expires_at);
        let others = [self.lease_until, self.retry_at];
        let others = others.iter().filter(|time| **time > now);
        others.fold(held, |end, time| end.max(*time))
    }

    /// Bytes in memory, about.
    pub(super) fn size(&self) -> usize {
        let held = self.held.as_ref().map_or(0, |held| held.token.len());
        let refresh_token = self.refresh_token.as_ref().map_or(0, String::len);
        size_of::<Self>()
            .saturating_add(held)
            .saturating_add(refresh_token)
    }
}

const fn digest(owner: Owner) -> Option<[u8; 32]> {
    match owner {
        Owner::Everybody => Some([0; 32]),
        Owner::Caller(digest) => Some(digest),
    }
}

#[cfg(test)]
mod tests;
