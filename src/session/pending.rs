//! Logins in progress: one sealed cookie each, named by its state, so that tabs do not disturb
//! each other.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::store::CookieContext;
use crate::config::AuthenticationDemand;
use crate::error::InternalFault;
use crate::time::Timestamp;

/// The most logins one browser may have in progress; the oldest gives way.
pub const MAX_LOGINS: usize = 5;

/// How long a login may take.
pub const LOGIN_LIFETIME: Duration = Duration::from_secs(600);

/// Login cookies beyond this number are deleted unread: opening them would be work for nothing.
const MAX_OPENED: usize = 16;

/// The most cookies that one answer deletes: proxies on its way bound the headers of an answer. The
/// rest goes with the next.
const MAX_DELETED: usize = 32;

/// What must be remembered between the authorization request and its response.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLogin {
    pub started_at: Timestamp,
    pub nonce: String,
    pub code_verifier: String,
    /// Path and query on this origin, where the person wanted to go.
    pub target: String,
    /// How many logins for this target have gone wrong in a way that another one mends.
    pub attempt: u8,
    /// The target was posted to, with a form that is kept.
    pub is_posted: bool,
    /// What the authorization request demanded for the rule of the target.
    pub demand: AuthenticationDemand,
    /// That the provider was told to ask nobody, and when the session that it renews ends at last.
    pub silent: Option<Timestamp>,
}

/// Nonce and verifier are what a thief of the code lacks, and a target may carry a secret too.
impl fmt::Debug for PendingLogin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PendingLogin")
            .field("started_at", &self.started_at)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// The logins in progress in one browser.
pub struct PendingLogins<'a> {
    context: CookieContext<'a>,
}

const PURPOSE: &str = "login";

impl<'a> PendingLogins<'a> {
    pub const fn new(context: CookieContext<'a>) -> Self {
        Self { context }
    }

    /// The login with this state, if this browser has it.
    pub fn find(&self, state: &str) -> Option<PendingLogin> {
        if !is_state(state.as_bytes()) {
            return None;
        }
        let name = self.context.names.login(state);
        let sealed = self.context.jar.single(name.as_bytes())?;
        self.open(&name, sealed)
    }

    /// `Set-Cookie` values that add a login and delete those that are too many, too old or foreign.
    pub fn add(&self, state: &str, login: &PendingLogin) -> Result<Vec<String>, InternalFault> {
        let name = self.context.names.login(state);
        let plaintext = postcard::to_allocvec(login).map_err(|_| InternalFault::Bug)?;
        let sealed = self.context.seal_text(PURPOSE, &name, &plaintext)?;
        let attributes = self.context.attributes("/");
        let mut cookies = vec![attributes.set(&name, &sealed, LOGIN_LIFETIME)];
        cookies.extend(
            self.surplus(login.started_at)
                .iter()
                .map(|name| attributes.delete(name)),
        );
        Ok(cookies)
    }

    /// A `Set-Cookie` value that ends the login with this state.
    pub fn remove(&self, state: &str) -> Option<String> {
        is_state(state.as_bytes()).then(|| {
            self.context
                .attributes("/")
                .delete(&self.context.names.login(state))
        })
    }

    fn surplus(&self, now: Timestamp) -> Vec<String> {
        let prefix = self.context.names.login_prefix.as_bytes();
        // Both lists are kept in order as they grow: sorting them is several kilobytes of code.
        let mut names: Vec<&[u8]> = Vec::new();
        for name in self.context.jar.names() {
            if name.strip_prefix(prefix).is_some_and(is_state)
                && let Err(place) = names.binary_search(&name)
            {
                names.insert(place, name);
            }
        }
        let mut alive = Vec::new();
        let mut surplus = Vec::new();
        for (index, name) in names.into_iter().enumerate() {
            let name = String::from_utf8_lossy(name).into_owned();
            let started_at = (index < MAX_OPENED)
                .then(|| self.context.jar.single(name.as_bytes()))
                .flatten()
                .and_then(|sealed| self.open(&name, sealed))
                .map(|login| login.started_at)
                .filter(|started_at| now.since(*started_at) < LOGIN_LIFETIME);
            match started_at {
                Some(started_at) => {
                    let login = (started_at, name);
                    let place = alive.partition_point(|earlier| *earlier < login);
                    alive.insert(place, login);
                }
                None => surplus.push(name),
            }
        }
        let room = MAX_LOGINS.saturating_sub(1);
        let too_many = alive.len().saturating_sub(room);
        let oldest = alive.into_iter().take(too_many).map(|(_, name)| name);
        oldest.chain(surplus).take(MAX_DELETED).collect()
    }

    fn open(&self, name: &str, sealed: &[u8]) -> Option<PendingLogin> {
        let plaintext = self.context.open_text(PURPOSE, name, sealed)?;
        postcard::from_bytes(&plaintext).ok()
    }
}

/// A state as Portero makes it: nothing else is ever part of a cookie's name.
fn is_state(text: &[u8]) -> bool {
    text.len() == 22
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests;
