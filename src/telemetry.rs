//! The names of metrics and the levels of log lines.

use std::borrow::Cow;

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
    Error,
}

/// What a call to the provider is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Discovery,
    Jwks,
    Token,
    Userinfo,
    Revocation,
}

impl Purpose {
    /// The word in codes, metrics and log lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Token => "token",
            Self::Userinfo => "userinfo",
            Self::Revocation => "revocation",
        }
    }
}

/// A counter or distribution, named as Envoy's statistics show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    LoginStarted,
    LoginSucceeded,
    LogoutSucceeded,
    RefreshSucceeded,
    /// One request that found a refresh due and no place to note it.
    RefreshWithoutSlot,
    /// One refusal because the provider left groups out.
    GroupsOverage,
    /// One answer that is an error, by its code.
    Failure(Cow<'static, str>),
    /// One call to the provider whose answer was judged and can be used.
    CallSucceeded(Purpose),
    /// One call that brought nothing: no answer, a refusal, or something else than was asked for.
    CallFailed(Purpose),
    /// Milliseconds that a call took.
    CallMilliseconds(Purpose),
}

impl Metric {
    pub fn name(&self) -> String {
        match self {
            Self::LoginStarted => "portero.login.started".to_owned(),
            Self::LoginSucceeded => "portero.login.succeeded".to_owned(),
            Self::LogoutSucceeded => "portero.logout.succeeded".to_owned(),
            Self::RefreshSucceeded => "portero.refresh.succeeded".to_owned(),
            Self::GroupsOverage => "portero.authorization.groups_overage".to_owned(),
            Self::RefreshWithoutSlot => "portero.refresh.without_slot".to_owned(),
            Self::Failure(code) => format!("portero.failure.{code}"),
            Self::CallSucceeded(purpose) => {
                format!("portero.provider.{}.succeeded", purpose.name())
            }
            Self::CallFailed(purpose) => format!("portero.provider.{}.failed", purpose.name()),
            Self::CallMilliseconds(purpose) => {
                format!("portero.provider.{}.milliseconds", purpose.name())
            }
        }
    }
}
