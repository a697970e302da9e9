//! How callers prove who they are, and what becomes of those who do not.

use super::Config;

/// What stands at the entrance of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrance {
    pub methods: Methods,
    pub otherwise: Otherwise,
}

/// Which methods it takes. Nobody gets in where there are none, because no provider vouches for anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// The first of these that a request has.
    AnyOf(Vec<Method>),
    /// All of these; the first says who the caller is.
    AllOf(Vec<Method>),
}

/// A way to prove who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// An access token (RFC 6750).
    Bearer,
    Session,
}

/// What becomes of a request that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// A person is sent to log in, a program refused.
    Redirect,
    Deny,
    /// It goes on without identity.
    Pass,
    /// It goes on as this consumer, by its place in [`super::Consumers::all`].
    Anonymous(usize),
}

impl Methods {
    /// In their order.
    pub fn each(&self) -> &[Method] {
        match self {
            Self::AnyOf(methods) | Self::AllOf(methods) => methods,
        }
    }
}

impl Entrance {
    /// The entrance that takes every method for which there is a provider.
    pub(super) fn of_all(methods: Vec<Method>) -> Self {
        Self {
            otherwise: Otherwise::after(&methods),
            methods: Methods::AnyOf(methods),
        }
    }
}

impl Otherwise {
    /// What becomes of a request that proves nothing, where nothing is said of it.
    pub(super) fn after(methods: &[Method]) -> Self {
        match methods.contains(&Method::Session) {
            true => Self::Redirect,
            false => Self::Deny,
        }
    }
}

impl Config {
    /// What stands at the entrance of the rule with this index, and of what no rule matches.
    pub fn entrance(&self, rule: Option<usize>) -> &Entrance {
        rule.and_then(|index| self.rules.get(index))
            .map_or(&self.entrance, |rule| &rule.entrance)
    }
}
