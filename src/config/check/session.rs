//! Sessions, their keys and their cookie.

use std::time::Duration;

use super::super::fault::At;
use super::super::words::{Given, SecretText, Whole};
use super::super::{CookiePolicy, RefreshPolicy, SameSite, SessionPolicy, defaults, duration, raw};
use super::provider::DAY;
use super::{Check, is_token};
use crate::secret::Secret;

const MOST_KEYS: usize = 16;
const LEAST_KEY_BYTES: usize = 32;
const LEAST_DIFFERENT_BYTES: usize = 10;
const LONGEST_NAME: usize = 64;
const MOST_CACHE_BYTES: u64 = 512 * 1024 * 1024;
/// What fits into a browser's cookies once it is sealed.
const MOST_POST_BYTES: u64 = 12_000;
const SHORTEST_REREAD: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);
const LONGEST_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const HOST_PREFIX: &str = "__Host-";

impl Check<'_> {
    pub(super) fn session(
        &mut self,
        at: &At<'_>,
        raw: Given<raw::Session>,
    ) -> Option<SessionPolicy> {
        let raw = self.given(at, raw, "an object with `keys`")?;
        let keys = self.keys(&at.key("keys"), raw.keys);
        let cookie = self.cookie(&at.key("cookie"), raw.cookie.unwrap_or_default());
        let lifetime = self.span(
            &at.key("lifetime"),
            raw.lifetime,
            defaults::LIFETIME,
            MINUTE..=LONGEST_LIFETIME,
        );
        let idle_timeout = self.span(
            &at.key("idle_timeout"),
            raw.idle_timeout,
            defaults::IDLE_TIMEOUT.min(lifetime.unwrap_or(defaults::IDLE_TIMEOUT)),
            MINUTE..=LONGEST_LIFETIME,
        );
        if let (Some(idle), Some(most)) = (idle_timeout, lifetime)
            && idle > most
        {
            let [idle, most] = [idle, most].map(duration::written);
            self.fault(
                &at.key("idle_timeout"),
                format!("is {idle}; accepted: 1m to the `lifetime`, {most}"),
            );
        }
        let refresh = self.refresh(&at.key("refresh"), raw.refresh.unwrap_or_default());
        let preserved_post_bytes = self.bytes(
            &at.key("preserved_post_bytes"),
            raw.preserved_post_bytes,
            0,
            MOST_POST_BYTES,
        );
        let cache_bytes = self.bytes(
            &at.key("cache_bytes"),
            raw.cache_bytes,
            defaults::CACHE_BYTES,
            MOST_CACHE_BYTES,
        );
        let store_at = at.key("store");
        let store = match raw.store {
            None => self.or(&store_at, None, None),
            Some(raw) => self.store(&store_at, raw).map(Some),
        };
        let reread_at = at.key("reread_claims");
        let reread_claims = match raw.reread_claims {
            None => self.or(&reread_at, None, None),
            Some(span) => self
                .span(
                    &reread_at,
                    Some(span),
                    SHORTEST_REREAD,
                    SHORTEST_REREAD..=DAY,
                )
                .map(Some),
        };
        let prompt_none_renewal = self.or(
            &at.key("prompt_none_renewal"),
            raw.prompt_none_renewal,
            false,
        );
        Some(SessionPolicy {
            keys: keys?,
            cookie: cookie?,
            idle_timeout: idle_timeout?,
            lifetime: lifetime?,
            refresh: refresh?,
            preserved_post_bytes: preserved_post_bytes?,
            reread_claims: reread_claims?,
            prompt_none_renewal: prompt_none_renewal?,
            cache_bytes: cache_bytes?,
            store: store?,
        })
    }

    fn keys(
        &mut self,
        at: &At<'_>,
        raw: Given<Vec<Given<SecretText>>>,
    ) -> Option<Vec<Secret<Vec<u8>>>> {
        let raw = self.given(at, raw, "a list of secrets, the first seals")?;
        if raw.is_empty() {
            self.fault(at, "is empty; accepted: 1 to 16 secrets, the first seals");
            return None;
        }
        self.distinct(at, raw, MOST_KEYS, Self::key)
    }

    fn key(&mut self, at: &At<'_>, raw: SecretText) -> Option<Secret<Vec<u8>>> {
        let secret = self.secret(at, raw)?;
        let bytes = secret.expose().as_bytes();
        let count = bytes.len();
        if count < LEAST_KEY_BYTES {
            self.fault(at, format!("has {count} bytes; accepted: at least {LEAST_KEY_BYTES}, as `openssl rand -base64 48` prints"));
            return None;
        }
        let different = (0..=u8::MAX).filter(|byte| bytes.contains(byte)).count();
        if different < LEAST_DIFFERENT_BYTES {
            self.fault(at, format!("repeats itself too much to be random; accepted: at least {LEAST_DIFFERENT_BYTES} different bytes, as `openssl rand -base64 48` prints"));
            return None;
        }
        Some(Secret::new(bytes.to_vec()))
    }

    fn cookie(&mut self, at: &At<'_>, raw: raw::Cookie) -> Option<CookiePolicy> {
        let insecure_at = at.key("insecure_allow_http");
        let insecure = self.or(&insecure_at, raw.insecure_allow_http, false);
        if insecure == Some(true) {
            self.warn(
                &insecure_at,
                "cookies travel without `Secure`; use it on a local machine only",
            );
        }
        let name_at = at.key("name");
        let name = match (raw.name, insecure) {
            (Some(name), _) => self.cookie_name(&name_at, name, insecure),
            (None, Some(true)) => {
                self.or(&name_at, None, defaults::INSECURE_COOKIE_NAME.to_owned())
            }
            (None, _) => self.or(&name_at, None, defaults::COOKIE_NAME.to_owned()),
        };
        let same_site_at = at.key("same_site");
        let same_site = self.or(
            &same_site_at,
            raw.same_site.map(|word| match word {
                raw::SameSite::Lax => SameSite::Lax,
                raw::SameSite::None => SameSite::None,
            }),
            SameSite::Lax,
        );
        if same_site == Some(SameSite::None) && insecure == Some(true) {
            self.fault(&same_site_at, "is `none` with `insecure_allow_http`, and browsers drop such a cookie; accepted: lax");
        } else if same_site == Some(SameSite::None) {
            self.warn(&same_site_at, "the session goes along with requests that other sites make a browser send, so any site can act as the person who visits it unless the upstream defends itself against cross-site request forgery");
        }
        Some(CookiePolicy {
            name: name?,
            same_site: same_site?,
            insecure_allow_http: insecure?,
        })
    }

    fn cookie_name(&mut self, at: &At<'_>, name: String, insecure: Option<bool>) -> Option<String> {
        let lower = name.to_ascii_lowercase();
        let prefixed = lower.starts_with("__host-") || lower.starts_with("__secure-");
        let problem = if name.len() > LONGEST_NAME || !is_token(&name) {
            "is not a cookie name; accepted: a token of at most 64 characters"
        } else if insecure == Some(true) && prefixed {
            "has a prefix that needs `Secure`, which `insecure_allow_http` takes away; accepted: a name without it, such as `portero`"
        } else if insecure == Some(false)
            && name.strip_prefix(HOST_PREFIX).is_none_or(str::is_empty)
        {
            "does not start with `__Host-`; accepted: `__Host-` and a name"
        } else {
            return Some(name);
        };
        self.fault(at, problem);
        None
    }

    fn refresh(&mut self, at: &At<'_>, raw: raw::Refresh) -> Option<RefreshPolicy> {
        let enabled = self.or(&at.key("enabled"), raw.enabled, true);
        let leeway = self.span(
            &at.key("leeway"),
            raw.leeway,
            defaults::REFRESH_LEEWAY,
            Duration::from_secs(1)..=Duration::from_secs(60 * 60),
        );
        Some(RefreshPolicy {
            enabled: enabled?,
            leeway: leeway?,
        })
    }

    fn bytes(
        &mut self,
        at: &At<'_>,
        raw: Option<Whole>,
        default: usize,
        most: u64,
    ) -> Option<usize> {
        let Some(Whole(count)) = raw else {
            return self.or(at, None, default);
        };
        let fitting = usize::try_from(count).ok().filter(|_| count <= most);
        if fitting.is_none() {
            self.fault(at, format!("is {count}; accepted: 0 to {most} bytes"));
        }
        fitting
    }
}
