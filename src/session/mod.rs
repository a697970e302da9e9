//! What a browser carries between requests: sealed, chunked, bounded.

mod authorization;
mod cache;
mod chunks;
pub mod cookie;
mod given;
mod identity;
mod names;
mod pending;
mod posted;
mod progress;
mod record;
mod reference;
mod seal;
mod seen_once;
mod slot;
mod store;
mod watermarks;

pub use authorization::Authorization;
pub use cache::{Cache, CacheKey, Footprint};
pub use chunks::TooLarge;
pub use cookie::CookieJar;
pub use given::Given;
pub use identity::CallerIdentity;
pub use names::CookieNames;
pub use pending::{LOGIN_LIFETIME, MAX_LOGINS, PendingLogin, PendingLogins};
pub use posted::{Form, PostedForm};
pub use progress::{Beginning, Progress, RefreshFault, RefreshProgress, SUCCESSOR_LIFETIME, Sweep};
pub use record::Record;
pub use reference::{Reference, SessionCookie};
pub use seal::{Binding, Seal};
pub use seen_once::SeenOnce;
pub use slot::{Found, SharedMemory, SharedSlot};
pub use store::{CookieContext, IdTokenHint, LogoutState, RetryMark, StoredSession};
pub use watermarks::{
    Mark, Name, Naming, NotRecorded, Recorded, Tag, Watermark, Watermarks, names_of,
};

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::AuthenticationDemand;
use crate::time::Timestamp;
pub use authorization::footprint;
use authorization::object;
use watermarks::Epoch;

/// A person who is logged in: what the session cookie holds, or the session store.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// New at every login.
    pub id: [u8; 16],
    /// The id of the first session of this person in this browser: a login that a session asked for, to
    /// renew it or to make it stronger, has the session's. A logout ends them all.
    pub family: [u8; 16],
    pub subject: String,
    /// When the cookie was last issued, for the idle timeout. Of a session in the store its reference
    /// knows better.
    pub seen_at: Timestamp,
    /// The absolute end.
    pub ends_at: Timestamp,
    pub authentication: Authentication,
    /// The claims that the configuration gives to the upstream, as a JSON object.
    pub claims: String,
    /// Only when the configuration forwards it.
    pub id_token: Option<String>,
    /// Only when the configuration forwards it, or the claims are read again with it.
    pub access_token: Option<String>,
    /// When the session can be refreshed or its claims can be read again.
    pub grant: Option<Grant>,
    /// The provider's name for its own session, by which it logs out here, where it gave one
    /// (OpenID Connect Front-Channel Logout 1.0 section 3).
    pub sid: Option<String>,
    /// What rules look at.
    pub authorization: Authorization,
    /// When the provider is asked without asking the person, where the configuration says so.
    pub silent_renewal: Option<SilentRenewal>,
}

/// The next renewal of a session with `prompt=none` (OpenID Connect Core 3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilentRenewal {
    pub due_at: Timestamp,
    /// The end of the login that the person took part in, beyond which no renewal lasts.
    pub until: Timestamp,
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

/// What may pass between the moment in which an ID token proves an authentication and the one in
/// which the browser comes to its target: without it, a demand without any leeway would never be met.
const WAY_BACK: Duration = Duration::from_secs(10);

impl Authentication {
    /// Whether this is what a rule demands, at `now`.
    pub fn meets(
        &self,
        demand: &AuthenticationDemand,
        now: Timestamp,
        clock_skew: Duration,
    ) -> bool {
        let is_recent = demand.max_age.is_none_or(|max_age| {
            let oldest = now.before(max_age).before(clock_skew).before(WAY_BACK);
            self.auth_time.is_some_and(|auth_time| auth_time >= oldest)
        });
        let acr_values = &demand.acr_values;
        let is_of_class = acr_values.is_empty()
            || self
                .acr
                .as_ref()
                .is_some_and(|acr| acr_values.contains(acr));
        is_recent && is_of_class
    }
}

/// What bringing a session up to date needs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub credential: Credential,
    /// How often the session has been refreshed, or its claims have been read again.
    pub generation: u32,
    /// From then on that is due.
    pub due_at: Timestamp,
    /// Until then the session is good without it.
    pub expires_at: Timestamp,
}

/// What is shown to the provider for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credential {
    /// It is redeemed for new tokens.
    RefreshToken {
        token: String,
        /// Of the login, with which the refreshed ID token is compared (OpenID Connect Core 12.2).
        nonce: String,
    },
    /// The session's own access token, with which userinfo is asked again.
    AccessToken {
        /// The outermost claims that userinfo gave the last time: without it they are gone.
        from_userinfo: Vec<String>,
    },
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

impl Credential {
    /// Bytes in memory, about.
    fn size(&self) -> usize {
        match self {
            Self::RefreshToken { token, nonce } => token.len().saturating_add(nonce.len()),
            Self::AccessToken { from_userinfo } => from_userinfo
                .iter()
                .fold(0, |sum, name| sum.saturating_add(name.len())),
        }
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
    /// The claims as an object.
    pub fn claims(&self) -> Map<String, Value> {
        object(&self.claims)
    }

    /// Takes over the absolute end of the session that this one renews.
    pub fn end_by(&mut self, until: Timestamp) {
        self.ends_at = self.ends_at.min(until);
        if let Some(renewal) = &mut self.silent_renewal {
            renewal.until = renewal.until.min(until);
        }
    }

    /// Where the session stands at `now`.
    pub fn life(&self, now: Timestamp, idle_timeout: Duration) -> Life {
        let idle = now.since(self.seen_at);
        if now >= self.ends_at || idle >= idle_timeout {
            Life::Over
        } else if is_renewed_after(idle, idle_timeout) {
            Life::Renew
        } else {
            Life::Alive
        }
    }

    /// How often the session has been refreshed.
    pub fn generation(&self) -> u32 {
        self.grant.as_ref().map_or(0, |grant| grant.generation)
    }
}

fn is_renewed_after(idle: Duration, idle_timeout: Duration) -> bool {
    idle >= idle_timeout.mul_f64(RENEWAL_SHARE)
}

/// An opened session with the upstream headers and the filter state it gives, and the claims that rules look at, made once
/// and used by every request.
pub struct OpenSession {
    pub session: Session,
    /// When it was read from the store; nothing for one that the cookie holds.
    pub read_at: Option<Timestamp>,
    pub given: Rc<Given>,
    pub claims: Map<String, Value>,
    /// Where the upstream gets a signed one.
    pub identity: Option<CallerIdentity>,
    /// When it was last looked for among the sessions that have been ended, and not found.
    pub(super) seen_alive: Cell<Option<Epoch>>,
    /// The same for what the store knows of.
    pub alive_in_store_at: Cell<Option<Timestamp>>,
}

/// The headers' values are claims and tokens.
impl fmt::Debug for OpenSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.given.header_names().collect();
        formatter
            .debug_struct("OpenSession")
            .field("session", &self.session)
            .field("headers", &headers)
            .finish()
    }
}

impl OpenSession {
    /// `read_at` for one that the store keeps.
    pub fn new(session: Session, read_at: Option<Timestamp>, given: Given) -> Self {
        let claims = session.authorization.claims();
        Self {
            session,
            read_at,
            given: Rc::new(given),
            claims,
            identity: None,
            seen_alive: Cell::new(None),
            alive_in_store_at: Cell::new(read_at),
        }
    }

    pub const fn is_stored(&self) -> bool {
        self.read_at.is_some()
    }
}

impl Footprint for OpenSession {
    fn size(&self) -> usize {
        let texts = [
            self.session.subject.len(),
            self.session.claims.len(),
            self.session.id_token.as_ref().map_or(0, String::len),
            self.session.access_token.as_ref().map_or(0, String::len),
            self.session.sid.as_ref().map_or(0, String::len),
            self.session.authorization.size(),
            self.session
                .authentication
                .acr
                .as_ref()
                .map_or(0, String::len),
            self.session
                .grant
                .as_ref()
                .map_or(0, |grant| grant.credential.size()),
            self.identity.as_ref().map_or(0, Footprint::size),
            self.given.size(),
        ];
        let claims = self.claims.iter();
        let claims = claims.map(|(name, value)| name.len().saturating_add(footprint(value)));
        texts
            .into_iter()
            .chain(claims)
            .fold(0, usize::saturating_add)
    }
}

#[cfg(test)]
mod tests;
