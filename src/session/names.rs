//! The names of Portero's cookies, all derived from the session cookie's.

use super::chunks;

const HOST_PREFIX: &str = "__Host-";
const SECURE_PREFIX: &str = "__Secure-";

/// The names in use under one configuration.
#[derive(Debug)]
pub struct CookieNames {
    pub session: String,
    /// A login in progress is named by this and its state.
    pub login_prefix: String,
    /// Keeps the ID token for the logout request; its path is the logout path, which the `__Host-`
    /// prefix does not allow.
    pub hint: String,
    /// Keeps the state of a logout at the provider.
    pub logout: String,
    /// Says that a browser has been sent back once to show a newer session cookie.
    pub retry: String,
}

impl CookieNames {
    pub fn new(session: &str) -> Self {
        let hint = match session.strip_prefix(HOST_PREFIX) {
            Some(base) => format!("{SECURE_PREFIX}{base}-hint"),
            None => format!("{session}-hint"),
        };
        Self {
            session: session.to_owned(),
            login_prefix: format!("{session}-login-"),
            hint,
            logout: format!("{session}-logout"),
            retry: format!("{session}-retry"),
        }
    }

    /// The cookie of the login with this state.
    pub fn login(&self, state: &str) -> String {
        format!("{}{state}", self.login_prefix)
    }

    /// Whether a cookie is Portero's own, so that the upstream must not see it.
    pub fn are_ours(&self, name: &[u8]) -> bool {
        chunks::is_piece(&self.session, name)
            || name.starts_with(self.login_prefix.as_bytes())
            || chunks::is_piece(&self.hint, name)
            || name == self.logout.as_bytes()
            || name == self.retry.as_bytes()
    }
}

#[cfg(test)]
mod tests;
