//! The rules.

use std::time::Duration;

use super::super::fault::At;
use super::super::words::Given;
use super::super::{
    Access, AuthenticationDemand, Entrance, Matcher, Otherwise, PathPattern, Rule, raw,
};
use super::entrance::Known;
use super::request::{LONGEST_MAX_AGE, is_quotable};
use super::{Check, host, is_token};

const MOST_RULES: usize = 200;
const MOST_HOSTS: usize = 100;
const MOST_METHODS: usize = 32;
const MOST_CLASSES: usize = 16;
/// They are kept in the cookie of a login, beside its target.
const LONGEST_CLASSES: usize = 512;

impl Check<'_> {
    pub(super) fn rules(
        &mut self,
        at: &At<'_>,
        raw: Option<Vec<Given<raw::Rule>>>,
        known: Known<'_>,
    ) -> Option<Vec<Rule>> {
        let raw = self.or(at, raw, Vec::new())?;
        let rules = self.each(at, raw, MOST_RULES, |check, at, raw| {
            check.rule(at, raw, known)
        })?;
        let everything = rules.iter().position(|rule| rule.matcher.is_everything());
        let mut is_open = false;
        if let Some(index) = everything {
            let here = at.index(index);
            if rules.iter().skip(index).count() > 1 {
                self.warn(
                    &here,
                    "matches every request, so the rules after it are never reached",
                );
            }
            is_open = rules
                .iter()
                .take(index.saturating_add(1))
                .all(|rule| rule.access == Access::Public);
            if is_open {
                self.warn(&here, "makes every request public: nothing is protected");
            }
        }
        if known.methods.is_some_and(<[_]>::is_empty) && !is_open {
            self.warn(at, "let in nobody but where everybody may: no provider has a `client` or `access_tokens`");
        }
        Some(rules)
    }

    fn rule(&mut self, at: &At<'_>, raw: raw::Rule, known: Known<'_>) -> Option<Rule> {
        let matcher = self.matcher(&at.key("match"), raw.matcher.unwrap_or_default());
        let access = self.or(
            &at.key("access"),
            raw.access.map(|word| match word {
                raw::Access::Public => Access::Public,
                raw::Access::Authenticated => Access::Authenticated,
            }),
            Access::Authenticated,
        );
        let entrance = self.entrance(at, access, raw.authenticate, raw.otherwise, known);
        let is_passed = matches!(
            &entrance,
            Some(Entrance {
                otherwise: Otherwise::Pass | Otherwise::Anonymous(_),
                ..
            })
        );
        let demands = raw.authentication.is_some() || raw.require.is_some() || raw.forbid.is_some();
        if is_passed && demands {
            self.fault(&at.key("otherwise"), "lets pass whoever proves nothing, in a rule that demands something of who they are; accepted: redirect or deny, or a rule without `require`, `forbid` and `authentication`");
        }
        let authentication_at = at.key("authentication");
        let authentication = match raw.authentication {
            None => self.or(&authentication_at, None, AuthenticationDemand::default()),
            Some(_) if access == Some(Access::Public) => {
                self.fault(&authentication_at, "stands in a public rule, which asks nobody who they are; accepted: `authentication` with `access` authenticated");
                None
            }
            Some(raw) => self.demand(&authentication_at, raw),
        };
        let policy = self.policy(at, access, raw.require, raw.forbid);
        let upstream_tokens = self.tokens_of_rule(
            &at.key("upstream_tokens"),
            raw.upstream_tokens,
            access,
            entrance.as_ref(),
            known,
        );
        let identity_audience = self.identity_audience(
            &at.key("identity_audience"),
            raw.identity_audience,
            access,
            known.has_identity,
        );
        Some(Rule {
            matcher: matcher?,
            access: access?,
            entrance: entrance?,
            authentication: authentication?,
            policy: policy?,
            upstream_tokens: upstream_tokens?,
            identity_audience: identity_audience?,
        })
    }

    fn demand(&mut self, at: &At<'_>, raw: raw::Authentication) -> Option<AuthenticationDemand> {
        let max_age_at = at.key("max_age");
        let max_age = match raw.max_age {
            None => self.or(&max_age_at, None, None),
            Some(span) => self
                .span(
                    &max_age_at,
                    Some(span),
                    Duration::ZERO,
                    Duration::ZERO..=Duration::from_secs(LONGEST_MAX_AGE),
                )
                .and_then(|span| self.accept(&max_age_at, whole_seconds(span)))
                .map(Some),
        };
        let acr_values_at = at.key("acr_values");
        let acr_values = match raw.acr_values {
            None => self.or(&acr_values_at, None, Vec::new()),
            Some(items) if items.is_empty() => {
                self.fault(
                    &acr_values_at,
                    "is empty; accepted: leave it out to take any",
                );
                None
            }
            Some(items) => self.distinct(&acr_values_at, items, MOST_CLASSES, Self::class),
        };
        let (max_age, acr_values) = (max_age?, acr_values?);
        if acr_values.iter().map(String::len).sum::<usize>() > LONGEST_CLASSES {
            self.fault(
                &acr_values_at,
                format!("is too long; accepted: at most {LONGEST_CLASSES} characters together"),
            );
            return None;
        }
        let demand = AuthenticationDemand {
            max_age,
            acr_values,
        };
        if demand.is_nothing() {
            self.fault(
                at,
                "demands nothing; accepted: `max_age`, `acr_values` or both",
            );
            return None;
        }
        Some(demand)
    }

    fn class(&mut self, at: &At<'_>, text: String) -> Option<String> {
        if is_quotable(&text) {
            return Some(text);
        }
        self.fault(at, "is not a class of authentication; accepted: visible ASCII characters without space, `\"` and `\\`");
        None
    }

    fn matcher(&mut self, at: &At<'_>, raw: raw::Match) -> Option<Matcher> {
        let hosts = self.alternatives(&at.key("hosts"), raw.hosts, MOST_HOSTS, |text| {
            host::pattern(&text)
        });
        let methods = self.alternatives(&at.key("methods"), raw.methods, MOST_METHODS, method);
        let path_at = at.key("path");
        let path = match raw.path {
            None => self.or(&path_at, None, PathPattern::Any),
            Some(raw::PathMatch::Exact(text)) => self
                .canonical_path(&path_at.key("exact"), text)
                .map(PathPattern::Exact),
            Some(raw::PathMatch::Prefix(text)) => self
                .canonical_path(&path_at.key("prefix"), text)
                .map(prefix),
        };
        Some(Matcher {
            hosts: hosts?,
            path: path?,
            methods: methods?,
        })
    }

    /// A list of which one must hold. Written but empty it would match nothing to one reader and
    /// anything to another, so it is refused.
    fn alternatives<T>(
        &mut self,
        at: &At<'_>,
        raw: Option<Vec<Given<String>>>,
        most: usize,
        read: impl Fn(String) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        match raw {
            None => self.or(at, None, Vec::new()),
            Some(items) if items.is_empty() => {
                self.fault(at, "is empty; accepted: leave it out to match any");
                None
            }
            Some(items) => self.each(at, items, most, |check, at, text| {
                check.accept(at, read(text))
            }),
        }
    }
}

impl Matcher {
    fn is_everything(&self) -> bool {
        self.hosts.is_empty() && self.methods.is_empty() && self.path == PathPattern::Any
    }
}

/// Prefixes go by whole segments, so the slash at the end says nothing; `/` is any path.
fn prefix(mut path: String) -> PathPattern {
    if path.ends_with('/') {
        path.pop();
    }
    if path.is_empty() {
        PathPattern::Any
    } else {
        PathPattern::Prefix(path)
    }
}

/// What `max_age` says to a provider.
fn whole_seconds(span: Duration) -> Result<Duration, &'static str> {
    match span.subsec_nanos() {
        0 => Ok(span),
        _ => Err("has a part of a second; accepted: whole seconds"),
    }
}

fn method(text: String) -> Result<String, String> {
    if text.len() <= 32 && is_token(&text) && !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        Ok(text)
    } else {
        Err("is not an HTTP method; accepted: a method in upper case, such as `GET`".to_owned())
    }
}
