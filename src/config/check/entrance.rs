//! How callers prove who they are.

use super::super::fault::At;
use super::super::words::Given;
use super::super::{
    Access, Consumers, Entrance, Method, Methods, Otherwise, Provider, RuleTokens, UpstreamToken,
    raw,
};
use super::Check;

/// What rules may speak of; nothing of it where that is not known because of a fault.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// The methods for which there is a provider.
    pub(super) methods: Option<&'a [Method]>,
    pub(super) consumers: Option<&'a Option<Consumers>>,
    pub(super) tokens: Option<&'a [UpstreamToken]>,
    /// Those that requests get whose rule does not say otherwise.
    pub(super) tokens_of_all: Option<&'a RuleTokens>,
    /// Whether the upstream gets a signed identity.
    pub(super) has_identity: bool,
}

/// The methods for which there is a provider, in the order in which they count.
pub(super) fn methods<'a>(providers: impl Iterator<Item = &'a Provider>) -> Vec<Method> {
    let (mut takes_tokens, mut logs_in) = (false, false);
    for provider in providers {
        takes_tokens |= provider.access_tokens.is_some();
        logs_in |= provider.client.is_some();
    }
    [(Method::Bearer, takes_tokens), (Method::Session, logs_in)]
        .into_iter()
        .filter_map(|(method, is_there)| is_there.then_some(method))
        .collect()
}

impl Check<'_> {
    /// `at` is the rule.
    pub(super) fn entrance(
        &mut self,
        at: &At<'_>,
        access: Option<Access>,
        authenticate: Option<raw::Methods>,
        otherwise: Option<raw::Otherwise>,
        known: Known<'_>,
    ) -> Option<Entrance> {
        for (key, is_there) in [
            ("authenticate", authenticate.is_some()),
            ("otherwise", otherwise.is_some()),
        ] {
            if is_there && access == Some(Access::Public) {
                self.fault(&at.key(key), "stands in a public rule, which asks nobody who they are; accepted: `authenticate` and `otherwise` with `access` authenticated");
            }
        }
        let methods_at = at.key("authenticate");
        let methods = match authenticate {
            None => {
                let all = known.methods.map(|all| Methods::AnyOf(all.to_vec()));
                self.or(&methods_at, None, all)?
            }
            Some(raw) => self.methods(&methods_at, raw, known.methods),
        };
        let methods = methods?;
        let otherwise_at = at.key("otherwise");
        let otherwise = match otherwise {
            None => self.or(&otherwise_at, None, Otherwise::after(methods.each()))?,
            Some(raw::Otherwise::Redirect) if !methods.each().contains(&Method::Session) => {
                self.fault(&otherwise_at, "sends people to log in, and no session counts here; accepted: deny or pass, or `session` among `authenticate`");
                return None;
            }
            Some(raw::Otherwise::Redirect) => Otherwise::Redirect,
            Some(raw::Otherwise::Deny) => Otherwise::Deny,
            Some(raw::Otherwise::Pass) => Otherwise::Pass,
            Some(raw::Otherwise::Anonymous(name)) => {
                let at = otherwise_at.key("anonymous");
                Otherwise::Anonymous(self.consumer_named(&at, &name, known.consumers?.as_ref())?)
            }
        };
        Some(Entrance { methods, otherwise })
    }

    fn consumer_named(
        &mut self,
        at: &At<'_>,
        name: &str,
        consumers: Option<&Consumers>,
    ) -> Option<usize> {
        let place = consumers.and_then(|consumers| consumers.place_of(name));
        if place.is_none() {
            self.fault(
                at,
                "is the name of no consumer; accepted: a name under `consumers`",
            );
        }
        place
    }

    fn methods(
        &mut self,
        at: &At<'_>,
        raw: raw::Methods,
        possible: Option<&[Method]>,
    ) -> Option<Methods> {
        match raw.0 {
            raw::Selection::AllOf(words) => self
                .method_list(&at.key("all_of"), words, possible)
                .map(Methods::AllOf),
            raw::Selection::AnyOf(words) => {
                self.method_list(at, words, possible).map(Methods::AnyOf)
            }
        }
    }

    fn method_list(
        &mut self,
        at: &At<'_>,
        words: Vec<Given<String>>,
        possible: Option<&[Method]>,
    ) -> Option<Vec<Method>> {
        if words.is_empty() {
            self.fault(
                at,
                "is empty, so nobody could prove anything; accepted: bearer, session, or both",
            );
            return None;
        }
        self.distinct(at, words, 2, |check, at, word: String| {
            let method = match word.as_str() {
                "bearer" => Ok(Method::Bearer),
                "session" => Ok(Method::Session),
                _ => Err("is not a known word; accepted: bearer, session"),
            };
            let method = check.accept(at, method)?;
            if possible.is_some_and(|possible| !possible.contains(&method)) {
                check.fault(at, match method {
                    Method::Bearer => "takes access tokens, and no provider has `access_tokens`; accepted: session, or such a provider",
                    Method::Session => "takes sessions, and no provider has a `client` to log in with; accepted: bearer, or such a provider",
                });
                return None;
            }
            Some(method)
        })
    }
}
