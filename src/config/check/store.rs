//! The session store.

use std::time::Duration;

use super::super::fault::At;
use super::super::words::SecretText;
use super::super::{StorePolicy, StoreProtocol, WhenUnavailable, defaults, raw};
use super::Check;
use crate::secret::Secret;

const LONGEST_PREFIX: usize = 64;
/// Below the time for which a refreshed session is remembered by the process that refreshed it: a
/// worker reads a session again before nobody knows any more what became of the one it has.
const LONGEST_REREAD_INTERVAL: Duration = Duration::from_secs(30);

impl Check<'_> {
    pub(super) fn store(&mut self, at: &At<'_>, raw: raw::Store) -> Option<StorePolicy> {
        let cluster = self.required(
            &at.key("cluster"),
            raw.cluster,
            "the name of an Envoy cluster",
            Self::text,
        );
        let insecure_at = at.key("insecure_allow_http");
        let insecure = self.or(&insecure_at, raw.insecure_allow_http, false);
        if insecure == Some(true) {
            self.warn(&insecure_at, "the store may be reached without TLS: its credentials travel in the clear, and whoever can change that traffic can end sessions and bring deleted ones back");
        }
        // While it is unknown whether http is allowed, nobody is blamed for it.
        let allow_http = insecure.unwrap_or(true);
        let url = self.required(
            &at.key("url"),
            raw.url,
            "an https URL",
            |check, at, text: String| check.endpoint(at, &text, allow_http),
        );
        let protocol = self.required(
            &at.key("protocol"),
            raw.protocol,
            "an object with one of webdis, upstash",
            Self::store_protocol,
        );
        let key_prefix = self.key_prefix(&at.key("key_prefix"), raw.key_prefix);
        let timeout = self.span(
            &at.key("timeout"),
            raw.timeout,
            defaults::STORE_TIMEOUT,
            Duration::from_millis(10)..=Duration::from_secs(10),
        );
        let reread_interval = self.span(
            &at.key("reread_interval"),
            raw.reread_interval,
            defaults::STORE_REREAD_INTERVAL,
            Duration::ZERO..=LONGEST_REREAD_INTERVAL,
        );
        let when_unavailable = self.or(
            &at.key("when_unavailable"),
            raw.when_unavailable.map(|word| match word {
                raw::WhenUnavailable::Refuse => WhenUnavailable::Refuse,
                raw::WhenUnavailable::UseCookies => WhenUnavailable::UseCookies,
            }),
            WhenUnavailable::Refuse,
        );
        insecure?;
        Some(StorePolicy {
            cluster: cluster?,
            url: url?,
            protocol: protocol?,
            key_prefix: key_prefix?,
            timeout: timeout?,
            reread_interval: reread_interval?,
            when_unavailable: when_unavailable?,
        })
    }

    fn store_protocol(&mut self, at: &At<'_>, raw: raw::StoreProtocol) -> Option<StoreProtocol> {
        match raw {
            raw::StoreProtocol::Webdis { username, password } => {
                let credentials = self.credentials(&at.key("webdis"), username, password)?;
                Some(StoreProtocol::Webdis { credentials })
            }
            raw::StoreProtocol::Upstash { token } => {
                let at = at.key("upstash");
                let at = at.key("token");
                let accepted = "a string, or {\"env\": \"NAME\"}";
                let token = self.required(&at, token, accepted, Self::secret)?;
                if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                    self.fault(&at, "has characters that no token has; accepted: printable ASCII characters without spaces");
                    return None;
                }
                Some(StoreProtocol::Upstash { token })
            }
        }
    }

    /// User name and password as RFC 7617 joins them.
    fn credentials(
        &mut self,
        at: &At<'_>,
        username: Option<String>,
        password: Option<SecretText>,
    ) -> Option<Option<Secret<String>>> {
        let (username_at, password_at) = (at.key("username"), at.key("password"));
        let username = match username {
            None => self.or(&username_at, None, None),
            Some(name) => self.username(&username_at, name).map(Some),
        };
        let password = match password {
            None => self.or(&password_at, None, None),
            Some(password) => self.secret(&password_at, password).map(Some),
        };
        match (username?, password?) {
            (None, None) => Some(None),
            (Some(username), Some(password)) => {
                let pair = format!("{username}:{}", password.expose());
                Some(Some(Secret::new(pair)))
            }
            (None, Some(_)) => {
                self.missing(&username_at, "the user name that belongs to `password`");
                None
            }
            (Some(_), None) => {
                self.missing(&password_at, "the password that belongs to `username`");
                None
            }
        }
    }

    fn username(&mut self, at: &At<'_>, name: String) -> Option<String> {
        let name = self.text(at, name)?;
        if name.contains(':') {
            self.fault(
                at,
                "has a `:`, where the password would begin; accepted: a name without",
            );
            return None;
        }
        Some(name)
    }

    fn key_prefix(&mut self, at: &At<'_>, raw: Option<String>) -> Option<String> {
        let prefix = self.or(at, raw, defaults::STORE_KEY_PREFIX.to_owned())?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":_-".contains(&byte);
        if prefix.is_empty() || prefix.len() > LONGEST_PREFIX || !prefix.bytes().all(is_plain) {
            self.fault(
                at,
                "cannot begin a key; accepted: 1 to 64 letters, digits, `:`, `_` and `-`",
            );
            return None;
        }
        Some(prefix)
    }
}
