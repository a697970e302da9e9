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
    /// Keeps the ID token for the logout request; its path is the logout path.
    pub hint: String,
    /// Keeps a posted form for the login that comes between; its path is the callback path.
    pub form: String,
    /// Keeps the state of a logout at the provider.
    pub logout: String,
    /// Says that a browser has been sent back once to show a newer session cookie.
    pub retry: String,
}

impl CookieNames {
    pub fn new(session: &str) -> Self {
        // Those that have a path of their own, which the prefix `__Host-` does not allow.
        let on_a_path = |end: &str| match session.strip_prefix(HOST_PREFIX) {
            Some(base) => format!("{SECURE_PREFIX}{base}-{end}"),
            None => format!("{session}-{end}"),
        };
        Self {
            session: session.to_owned(),
            login_prefix: format!("{session}-login-"),
            hint: on_a_path("hint"),
            form: on_a_path("form"),
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
            || chunks::is_piece(&self.form, name)
            || name == self.logout.as_bytes()
            || name == self.retry.as_bytes()
    }
}

#[cfg(test)]
mod tests;
