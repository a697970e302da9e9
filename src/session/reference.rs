//! What the session cookie holds: a whole session, or the id of one in the store.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Life, Session, is_renewed_after};
use crate::time::Timestamp;

/// The plaintext of a session cookie.
#[derive(Debug, Serialize, Deserialize)]
pub enum SessionCookie<'a> {
    Whole(Box<Cow<'a, Session>>),
    Reference(Reference),
}

impl SessionCookie<'_> {
    /// The same, independent of where it was taken from.
    pub fn into_owned(self) -> SessionCookie<'static> {
        match self {
            Self::Whole(session) => {
                SessionCookie::Whole(Box::new(Cow::Owned(session.into_owned())))
            }
            Self::Reference(reference) => SessionCookie::Reference(reference),
        }
    }
}

/// A session in the store. Its id comes from a sealed cookie only, so nobody can try out ids.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    pub id: [u8; 16],
    pub family: [u8; 16],
    /// When the cookie was issued.
    pub seen_at: Timestamp,
    /// The absolute end of the session.
    pub ends_at: Timestamp,
}

impl Reference {
    /// To `session`, which is in use at `now`.
    pub const fn to(session: &Session, now: Timestamp) -> Self {
        Self {
            id: session.id,
            family: session.family,
            seen_at: now,
            ends_at: session.ends_at,
        }
    }

    /// Where the session stands at `now`, as far as the cookie tells: whether it has been idle for too
    /// long is the store's to say.
    pub fn life(&self, now: Timestamp, idle_timeout: Duration) -> Life {
        if now >= self.ends_at {
            Life::Over
        } else if is_renewed_after(now.since(self.seen_at), idle_timeout) {
            Life::Renew
        } else {
            Life::Alive
        }
    }
}

/// The id is not printed.
impl fmt::Debug for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Reference")
            .field("seen_at", &self.seen_at)
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
