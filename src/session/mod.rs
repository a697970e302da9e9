//! What a browser carries between requests: sealed, chunked, bounded.

mod cache;
mod chunks;
pub mod cookie;
mod names;
mod pending;
mod posted;
mod progress;
mod seal;
mod seen_once;
mod slot;
mod store;
mod watermarks;

pub use cache::SessionCache;
pub use chunks::TooLarge;
pub use cookie::CookieJar;
pub use names::CookieNames;
pub use pending::{LOGIN_LIFETIME, MAX_LOGINS, PendingLogin, PendingLogins};
pub use posted::PostedForm;
pub use progress::{Progress, RefreshProgress, SUCCESSOR_LIFETIME};
pub use seal::{Binding, Seal};
pub use seen_once::SeenOnce;
pub use slot::{Found, SharedMemory, SharedSlot};
pub use store::{CookieContext, IdTokenHint, LogoutState, RetryMark, StoredSession};
pub use watermarks::{Mark, NotRecorded, Recorded, Watermarks};

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use watermarks::Epoch;

/// A person who is logged in: what the session cookie holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// New at every login.
    pub id: [u8; 16],
    pub subject: String,
    /// When the cookie was last issued, for the idle timeout.
    pub seen_at: Timestamp,
    /// The absolute end.
    pub ends_at: Timestamp,
    pub authentication: Authentication,
    /// The claims that the configuration gives to the upstream, as a JSON object.
    pub claims: String,
    /// Only when the configuration forwards it.
    pub id_token: Option<String>,
    /// Only when the configuration forwards it.
    pub access_token: Option<String>,
    /// When the provider gave a refresh token.
    pub grant: Option<Grant>,
    /// The provider's name for its own session, by which it logs out here, where it gave one
    /// (OpenID Connect Front-Channel Logout 1.0 section 3).
    pub sid: Option<String>,
}

/// How the person logged in at the provider, as the ID token of the login told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// `iat`: by the provider's clock, as the times are that its logout tokens name.
    pub issued_at: Timestamp,
    pub auth_time: Option<Timestamp>,
    /// The class of the authentication.
    pub acr: Option<String>,
}

/// What refreshing a session needs, and what the refreshed ID token is compared with
/// (OpenID Connect Core 12.2).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub refresh_token: String,
    /// How often the session has been refreshed.
    pub generation: u32,
    /// From then on a refresh is due.
    pub due_at: Timestamp,
    /// The access token's end.
    pub expires_at: Timestamp,
    pub nonce: String,
}

/// Tokens, claims and who it is about are not printed.
impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("seen_at", &self.seen_at)
            .field("ends_at", &self.ends_at)
            .field("claims_bytes", &self.claims.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Grant")
            .field("generation", &self.generation)
            .field("due_at", &self.due_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A session's place in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Alive,
    /// Alive, and idle for long enough that its cookie is to be issued anew.
    Renew,
    Over,
}

/// The share of the idle timeout after which a cookie is issued anew: not on every answer.
const RENEWAL_SHARE: f64 = 0.1;

impl Session {
    /// Where the session stands at `now`.
    pub fn life(&self, now: Timestamp, idle_timeout: Duration) -> Life {
        let idle = now.since(self.seen_at);
        if now >= self.ends_at || idle >= idle_timeout {
            Life::Over
        } else if idle >= idle_timeout.mul_f64(RENEWAL_SHARE) {
            Life::Renew
        } else {
            Life::Alive
        }
    }
}

/// An opened session with the upstream headers it gives, made once and used by every request.
pub struct OpenSession {
    pub session: Session,
    /// Name in lower case, and value.
    pub headers: Vec<(String, Vec<u8>)>,
    /// When it was last looked for among the sessions that have been ended, and not found.
    pub(super) seen_alive: Cell<Option<Epoch>>,
}

/// The headers' values are claims and tokens.
impl fmt::Debug for OpenSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("OpenSession")
            .field("session", &self.session)
            .field("headers", &headers)
            .finish()
    }
}

impl OpenSession {
    pub const fn new(session: Session, headers: Vec<(String, Vec<u8>)>) -> Self {
        Self {
            session,
            headers,
            seen_alive: Cell::new(None),
        }
    }

    /// Bytes in memory, about.
    pub(crate) fn size(&self) -> usize {
        let texts = [
            self.session.subject.len(),
            self.session.claims.len(),
            self.session.id_token.as_ref().map_or(0, String::len),
            self.session.access_token.as_ref().map_or(0, String::len),
            self.session.sid.as_ref().map_or(0, String::len),
            self.session
                .authentication
                .acr
                .as_ref()
                .map_or(0, String::len),
            self.session
                .grant
                .as_ref()
                .map_or(0, |grant| grant.refresh_token.len()),
        ];
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| name.len().saturating_add(value.len()));
        texts
            .into_iter()
            .chain(headers)
            .fold(0, usize::saturating_add)
    }
}

#[cfg(test)]
mod tests;
