//! From raw to checked: each part looks at everything it has before it gives up.
//!
//! A function here answers `None` only where a fault is recorded for it, or for what it was made of.

mod access_tokens;
mod bearer;
mod client;
mod consumers;
mod entrance;
mod filter_state;
mod header;
mod host;
mod identity;
mod introspection;
mod path;
mod policy;
mod protected_resource;
mod provider;
mod request;
mod rule;
mod session;
mod store;
mod token_grant;
mod upstream;
mod upstream_token;

use std::iter;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::fault::{At, Faults, Ledger};
use super::words::{Given, SecretText, Span};
use super::{
    Config, CorsPreflight, Entrance, NamedHosts, Paths, RuleTokens, Upstream, defaults, duration,
    raw,
};
use crate::secret::Secret;

/// The longest text that is not a secret, in bytes.
const LONGEST_TEXT: usize = 2048;

/// One pass over a raw configuration.
pub(super) struct Check<'e> {
    ledger: Ledger,
    warnings: Vec<String>,
    environment: &'e dyn Fn(&str) -> Option<String>,
}

impl<'e> Check<'e> {
    pub(super) fn new(ledger: Ledger, environment: &'e dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            ledger,
            warnings: Vec::new(),
            environment,
        }
    }

    /// The warnings, or all faults if there is any.
    pub(super) fn settle(self) -> Result<Vec<String>, Faults> {
        self.ledger.settle().map(|()| self.warnings)
    }

    pub(super) fn configuration(&mut self, raw: raw::Configuration) -> Option<Config> {
        let root = At::Root;
        let mut providers = self.providers(&root.key("providers"), raw.providers);
        let session = self.session(&root.key("session"), raw.session);
        let possible = providers
            .as_ref()
            .map(|(first, others)| entrance::methods(iter::once(first).chain(others)));
        let upstream_at = root.key("upstream");
        let upstream = raw.upstream.unwrap_or_default();
        let headers = self.upstream(&upstream_at, upstream.headers);
        let mut set = upstream_token::headers_set(headers.as_deref(), raw.consumers.is_some());
        let upstream_tokens =
            self.upstream_tokens(&root, raw.upstream_tokens, providers.as_mut(), &set);
        let tokens = self.tokens_named(
            &upstream_at.key("tokens"),
            upstream.tokens,
            upstream_tokens.as_deref(),
        );
        let tokens = tokens.map(|indexes| RuleTokens {
            indexes,
            is_default: true,
        });
        let of_tokens = upstream_tokens.iter().flatten();
        set.extend(of_tokens.map(|token| token.header.clone()));
        let identity_at = upstream_at.key("identity");
        let has_identity = upstream.identity.is_some() || self.is_taken_out(&identity_at);
        let mut identity = self.identity(&identity_at, upstream.identity, providers.as_ref(), &set);
        let of_all = providers
            .as_ref()
            .map(|(first, others)| iter::once(first).chain(others).collect());
        let consumers = self.consumers(&root, raw.consumers, of_all, headers.as_deref());
        let known = entrance::Known {
            methods: possible.as_deref(),
            consumers: consumers.as_ref(),
            tokens: upstream_tokens.as_deref(),
            tokens_of_all: tokens.as_ref(),
            has_identity,
        };
        let rules = self.rules(&root.key("rules"), raw.rules, known);
        if let (Some(all), Some(everywhere), Some(rules)) = (&upstream_tokens, &tokens, &rules) {
            self.tokens_are_named(&root.key("upstream_tokens"), all, everywhere, rules);
        }
        if let (Some(Some(identity)), Some(rules)) = (&mut identity, &rules) {
            identity.most_kept = identity.worth_keeping(rules);
        }
        let cors_preflight = self.or(
            &root.key("cors_preflight"),
            raw.cors_preflight.map(|word| match word {
                raw::CorsPreflight::Deny => CorsPreflight::Deny,
                raw::CorsPreflight::Pass => CorsPreflight::Pass,
            }),
            CorsPreflight::Deny,
        );
        let reads_bodies = self.or(
            &root.key("allow_on_headers_stop_iteration"),
            raw.allow_on_headers_stop_iteration,
            false,
        );
        if reads_bodies == Some(false)
            && session
                .as_ref()
                .is_some_and(|session| session.preserved_post_bytes > 0)
        {
            self.fault(
                &root.key("session").key("preserved_post_bytes"),
                "needs the bodies of requests, which Envoy shows a filter only with `allow_on_headers_stop_iteration: true`; accepted: 0, or that setting in Envoy and here",
            );
        }
        let paths = self.paths(
            &root.key("paths"),
            raw.paths.unwrap_or_default(),
            reads_bodies,
            has_identity,
        );
        let filter_state = self.filter_state(&root.key("filter_state"), raw.filter_state);
        let bearer = self.bearer(
            &root.key("bearer"),
            raw.bearer.unwrap_or_default(),
            session.as_ref(),
        );
        let issuers = providers.as_ref().map(|(provider, others)| {
            let all = iter::once(provider).chain(others);
            let vouching = all.filter(|provider| provider.access_tokens.is_some());
            vouching
                .map(|provider| provider.issuer.clone())
                .collect::<Vec<_>>()
        });
        let protected_resources = self.protected_resources(
            &root.key("protected_resources"),
            raw.protected_resources,
            issuers.as_deref(),
            paths.as_ref(),
        );
        if let (Some(resources), Some(providers)) = (&protected_resources, &providers) {
            let at = root.key("protected_resources");
            self.resources_are_audiences(&at, resources, providers);
        }
        let (provider, others) = providers?;
        let (rules, protected_resources) = (rules?, protected_resources?);
        Some(Config {
            named_hosts: NamedHosts::of(&rules, &protected_resources),
            provider,
            others,
            session: session?,
            paths: paths?,
            rules,
            bearer: bearer?,
            protected_resources,
            entrance: Entrance::of_all(possible?),
            cors_preflight: cors_preflight?,
            reads_bodies: reads_bodies?,
            consumers: consumers?,
            upstream_tokens: upstream_tokens?,
            upstream: Upstream {
                headers: headers?,
                filter_state: filter_state?,
                tokens: tokens?,
                identity: identity?,
            },
        })
    }

    fn paths(
        &mut self,
        at: &At<'_>,
        raw: raw::Paths,
        reads_bodies: Option<bool>,
        has_identity: bool,
    ) -> Option<Paths> {
        let callback = self.own_path(&at.key("callback"), raw.callback, defaults::CALLBACK);
        let logout = self.own_path(&at.key("logout"), raw.logout, defaults::LOGOUT);
        let logged_out = self.own_path(&at.key("logged_out"), raw.logged_out, defaults::LOGGED_OUT);
        let frontchannel_logout = self.own_path(
            &at.key("frontchannel_logout"),
            raw.frontchannel_logout,
            defaults::FRONTCHANNEL_LOGOUT,
        );
        let backchannel_logout = self.backchannel_logout(
            &at.key("backchannel_logout"),
            raw.backchannel_logout,
            reads_bodies,
        );
        let identity_keys =
            self.identity_keys_path(&at.key("identity_keys"), raw.identity_keys, has_identity);
        let of_backchannel = backchannel_logout.clone().flatten();
        let of_identity = identity_keys.clone().flatten();
        let mut seen = vec![&callback];
        for (key, path) in [
            ("logout", &logout),
            ("logged_out", &logged_out),
            ("frontchannel_logout", &frontchannel_logout),
            ("backchannel_logout", &of_backchannel),
            ("identity_keys", &of_identity),
        ] {
            if path.is_some() && seen.contains(&path) {
                self.fault(
                    &at.key(key),
                    "is the same as another of `paths`; accepted: paths that all differ",
                );
            }
            seen.push(path);
        }
        Some(Paths {
            callback: callback?,
            logout: logout?,
            logged_out: logged_out?,
            frontchannel_logout: frontchannel_logout?,
            backchannel_logout: backchannel_logout?,
            identity_keys: identity_keys?,
        })
    }

    /// There is none where nobody could read what is sent to it.
    fn backchannel_logout(
        &mut self,
        at: &At<'_>,
        raw: Option<String>,
        reads_bodies: Option<bool>,
    ) -> Option<Option<String>> {
        if reads_bodies != Some(false) {
            let path = self.own_path(at, raw, defaults::BACKCHANNEL_LOGOUT)?;
            return Some(Some(path));
        }
        if raw.is_some() {
            self.fault(
                at,
                "needs the bodies of requests, and Envoy is not set up to show them; accepted: this \
                 path together with `allow_on_headers_stop_iteration: true`, here and in Envoy",
            );
            return None;
        }
        Some(None)
    }

    fn own_path(&mut self, at: &At<'_>, raw: Option<String>, default: &str) -> Option<String> {
        let text = self.or(at, raw, default.to_owned())?;
        let text = self.canonical_path(at, text)?;
        if text == "/" {
            self.fault(
                at,
                "is the root of the site; accepted: a path of its own, such as `/oauth2/callback`",
            );
            return None;
        }
        Some(text)
    }

    fn canonical_path(&mut self, at: &At<'_>, text: String) -> Option<String> {
        self.accept(at, path::canonical(&text).map(|()| text))
    }

    fn fault(&mut self, at: &At<'_>, problem: impl Into<String>) {
        self.record(at, problem.into());
    }

    #[inline(never)]
    fn record(&mut self, at: &At<'_>, problem: String) {
        self.ledger.fault(&at.place(), problem);
    }

    #[inline(never)]
    fn missing(&mut self, at: &At<'_>, accepted: &str) {
        self.fault(at, format!("is missing; accepted: {accepted}"));
    }

    #[inline(never)]
    fn is_taken_out(&self, at: &At<'_>) -> bool {
        self.ledger.is_pruned(&at.place())
    }

    fn warn(&mut self, at: &At<'_>, warning: &str) {
        let path = super::fault::written(&at.place());
        self.warnings.push(format!("{path}: {warning}"));
    }

    /// The value, or its problem recorded.
    fn accept<T>(&mut self, at: &At<'_>, result: Result<T, impl Into<String>>) -> Option<T> {
        result.map_err(|problem| self.fault(at, problem)).ok()
    }

    /// The value that must be there. `accepted` says what it is, for when it is not.
    fn given<T>(&mut self, at: &At<'_>, value: Given<T>, accepted: &str) -> Option<T> {
        if value.0.is_none() {
            self.missing(at, accepted);
        }
        value.0
    }

    /// What `read` makes of the value that must be there.
    fn required<T, U>(
        &mut self,
        at: &At<'_>,
        value: Given<T>,
        accepted: &str,
        read: impl FnOnce(&mut Self, &At<'_>, T) -> Option<U>,
    ) -> Option<U> {
        let value = self.given(at, value, accepted)?;
        read(self, at, value)
    }

    /// The value, or `default` where none was written. A value that was taken out has neither.
    fn or<T>(&self, at: &At<'_>, value: Option<T>, default: T) -> Option<T> {
        value.or_else(|| (!self.is_taken_out(at)).then_some(default))
    }

    /// A duration within `range`.
    fn span(
        &mut self,
        at: &At<'_>,
        raw: Option<Span>,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let span = self.or(at, raw.map(|span| span.0), default)?;
        if range.contains(&span) {
            return Some(span);
        }
        let [is, least, most] = [span, *range.start(), *range.end()].map(duration::written);
        self.fault(at, format!("is {is}; accepted: {least} to {most}"));
        None
    }

    /// Every item of a list of at most `most`, each read by `read`.
    fn each<R, T>(
        &mut self,
        at: &At<'_>,
        items: Vec<Given<R>>,
        most: usize,
        mut read: impl FnMut(&mut Self, &At<'_>, R) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.at_most(at, items.len(), most)?;
        let mut complete = true;
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            // A fault of its own is recorded for an item that is nothing.
            match item.0.and_then(|item| read(self, &at.index(index), item)) {
                Some(item) => list.push(item),
                None => complete = false,
            }
        }
        complete.then_some(list)
    }

    /// Like [`Self::each`], for a list where an item twice is a mistake.
    fn distinct<R, T: Clone + PartialEq>(
        &mut self,
        at: &At<'_>,
        items: Vec<Given<R>>,
        most: usize,
        mut read: impl FnMut(&mut Self, &At<'_>, R) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut seen: Vec<T> = Vec::new();
        self.each(at, items, most, |check, at, item| {
            let item = read(check, at, item)?;
            if seen.contains(&item) {
                check.fault(at, "is in this list already; accepted: each once");
                return None;
            }
            seen.push(item.clone());
            Some(item)
        })
    }

    /// Like [`Self::distinct`], for texts that may be left out. All such lists share this code.
    #[inline(never)]
    fn texts(
        &mut self,
        at: &At<'_>,
        items: Option<Vec<Given<String>>>,
        most: usize,
        read: &dyn Fn(&mut Self, &At<'_>, String) -> Option<String>,
    ) -> Option<Vec<String>> {
        let items = self.or(at, items, Vec::new())?;
        self.distinct(at, items, most, read)
    }

    fn at_most(&mut self, at: &At<'_>, count: usize, most: usize) -> Option<()> {
        if count > most {
            self.fault(at, format!("has {count} entries; accepted: at most {most}"));
            return None;
        }
        Some(())
    }

    /// A secret that is not empty, from the configuration or the environment.
    fn secret(&mut self, at: &At<'_>, raw: SecretText) -> Option<Secret<String>> {
        let name = match raw {
            SecretText::Literal(secret) if secret.expose().is_empty() => {
                self.fault(at, "is empty; accepted: a secret, or {\"env\": \"NAME\"}");
                return None;
            }
            SecretText::Literal(secret) => return Some(secret),
            SecretText::Environment(name) => {
                self.given(&at.key("env"), name, "the name of an environment variable")?
            }
        };
        let at = at.key("env");
        // What is not a name may be the secret itself, in the wrong place: it is not repeated.
        if !is_variable_name(&name) {
            self.fault(
                &at,
                "is not the name of an environment variable; accepted: letters, digits and `_`",
            );
            return None;
        }
        match (self.environment)(&name) {
            None => {
                self.fault(&at, format!("the environment variable `{name}` is not set; accepted: a variable of the Envoy process that its configuration passes on to the module"));
                None
            }
            Some(value) if value.is_empty() => {
                self.fault(&at, format!("the environment variable `{name}` is empty; accepted: a variable that holds the secret"));
                None
            }
            Some(value) => {
                if value.trim() != value {
                    self.warn(
                        &at,
                        "the variable's value begins or ends with white space, which counts",
                    );
                }
                Some(Secret::new(value))
            }
        }
    }

    /// A text that is not empty and has no control characters.
    fn text(&mut self, at: &At<'_>, text: String) -> Option<String> {
        let problem = if text.is_empty() {
            "is empty; accepted: a text".to_owned()
        } else if text.len() > LONGEST_TEXT {
            format!("is too long; accepted: at most {LONGEST_TEXT} bytes")
        } else if text.chars().any(char::is_control) {
            "contains a control character; accepted: a text on one line".to_owned()
        } else {
            return Some(text);
        };
        self.fault(at, problem);
        None
    }
}

fn is_variable_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether `text` is a token (RFC 9110 section 5.6.2), as the names of headers, cookies and methods are.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
