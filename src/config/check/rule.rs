//! The rules.

use super::super::fault::At;
use super::super::words::Given;
use super::super::{Access, Matcher, PathPattern, Rule, raw};
use super::{Check, host, is_token};

const MOST_RULES: usize = 200;
const MOST_HOSTS: usize = 100;
const MOST_METHODS: usize = 32;

impl Check<'_> {
    pub(super) fn rules(
        &mut self,
        at: &At<'_>,
        raw: Option<Vec<Given<raw::Rule>>>,
    ) -> Option<Vec<Rule>> {
        let raw = self.or(at, raw, Vec::new())?;
        let rules = self.each(at, raw, MOST_RULES, Self::rule)?;
        let everything = rules.iter().position(|rule| rule.matcher.is_everything());
        if let Some(index) = everything {
            let here = at.index(index);
            if rules.iter().skip(index).count() > 1 {
                self.warn(
                    &here,
                    "matches every request, so the rules after it are never reached",
                );
            }
            if rules
                .iter()
                .take(index.saturating_add(1))
                .all(|rule| rule.access == Access::Public)
            {
                self.warn(&here, "makes every request public: nothing is protected");
            }
        }
        Some(rules)
    }

    fn rule(&mut self, at: &At<'_>, raw: raw::Rule) -> Option<Rule> {
        let matcher = self.matcher(&at.key("match"), raw.matcher.unwrap_or_default());
        let access = self.or(
            &at.key("access"),
            raw.access.map(|word| match word {
                raw::Access::Public => Access::Public,
                raw::Access::Authenticated => Access::Authenticated,
            }),
            Access::Authenticated,
        );
        Some(Rule {
            matcher: matcher?,
            access: access?,
        })
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

fn method(text: String) -> Result<String, String> {
    if text.len() <= 32 && is_token(&text) && !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        Ok(text)
    } else {
        Err("is not an HTTP method; accepted: a method in upper case, such as `GET`".to_owned())
    }
}
