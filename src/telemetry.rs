//! The names of metrics and the levels of log lines.

use std::borrow::Cow;

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
    Error,
}

/// Whom a call asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// The provider, and what for.
    Provider(Purpose),
    SessionStore,
}

impl Callee {
    pub const ALL: [Self; 8] = [
        Self::Provider(Purpose::Discovery),
        Self::Provider(Purpose::Jwks),
        Self::Provider(Purpose::Token),
        Self::Provider(Purpose::Userinfo),
        Self::Provider(Purpose::Revocation),
        Self::Provider(Purpose::Introspection),
        Self::Provider(Purpose::UpstreamToken),
        Self::SessionStore,
    ];

    /// The words in metrics.
    fn name(self) -> String {
        match self {
            Self::Provider(purpose) => format!("provider.{}", purpose.name()),
            Self::SessionStore => "session_store".to_owned(),
        }
    }
}

/// What a call to the provider is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Discovery,
    Jwks,
    Token,
    Userinfo,
    Revocation,
    Introspection,
    /// A token for the upstream.
    UpstreamToken,
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
            Self::Introspection => "introspection",
            Self::UpstreamToken => "upstream_token",
        }
    }
}

/// A counter or distribution, named as Envoy's statistics show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    LoginStarted,
    LoginSucceeded,
    LogoutSucceeded,
    /// One logout for which the table of ended sessions had no room: others ended with it.
    LogoutTableFull,
    RefreshSucceeded,
    /// One refresh that brought no session and ended none: the provider or the store could not be asked.
    RefreshFailed,
    /// One request that found a refresh due and no place to note it.
    RefreshWithoutSlot,
    /// One refresh without its ID token, whose key was unknown and could not be had.
    RefreshUnverified,
    /// One refusal because the provider left groups out.
    GroupsOverage,
    /// One answer that is an error, by its code; or one silent renewal that failed.
    Failure(Cow<'static, str>),
    /// One session that was kept in the cookie because the store could not be asked.
    SessionStoreBypassed,
    /// One logout that could not delete its session from the store.
    LogoutIncomplete,
    /// One token that was given up because the upstream refused it.
    UpstreamTokenDropped,
    /// One request that went to the upstream without the token that could not be had.
    UpstreamTokenLeftOut,
    /// One call whose answer was judged and can be used.
    CallSucceeded(Callee),
    /// One call that brought nothing: no answer, a refusal, or something else than was asked for.
    CallFailed(Callee),
    /// Milliseconds that a call took.
    CallMilliseconds(Callee),
}

impl Metric {
    /// The counters that are there from the start, as zero: of one that appears with its first event,
    /// nobody can tell how it has grown. Failures are too many for that.
    pub fn counters() -> impl Iterator<Item = Self> {
        let calls = Callee::ALL.into_iter();
        let calls = calls.flat_map(|it| [Self::CallSucceeded(it), Self::CallFailed(it)]);
        let others = [
            Self::LoginStarted,
            Self::LoginSucceeded,
            Self::LogoutSucceeded,
            Self::LogoutTableFull,
            Self::LogoutIncomplete,
            Self::RefreshSucceeded,
            Self::RefreshFailed,
            Self::RefreshWithoutSlot,
            Self::RefreshUnverified,
            Self::GroupsOverage,
            Self::SessionStoreBypassed,
            Self::UpstreamTokenDropped,
            Self::UpstreamTokenLeftOut,
        ];
        others.into_iter().chain(calls)
    }

    pub fn name(&self) -> String {
        match self {
            Self::LoginStarted => "portero.login.started".to_owned(),
            Self::LoginSucceeded => "portero.login.succeeded".to_owned(),
            Self::LogoutSucceeded => "portero.logout.succeeded".to_owned(),
            Self::LogoutTableFull => "portero.logout.table_full".to_owned(),
            Self::RefreshSucceeded => "portero.refresh.succeeded".to_owned(),
            Self::RefreshFailed => "portero.refresh.failed".to_owned(),
            Self::GroupsOverage => "portero.authorization.groups_overage".to_owned(),
            Self::RefreshWithoutSlot => "portero.refresh.without_slot".to_owned(),
            Self::RefreshUnverified => "portero.refresh.unverified".to_owned(),
            Self::Failure(code) => format!("portero.failure.{code}"),
            Self::SessionStoreBypassed => "portero.session_store.bypassed".to_owned(),
            Self::LogoutIncomplete => "portero.logout.incomplete".to_owned(),
            Self::UpstreamTokenDropped => "portero.upstream_token.dropped".to_owned(),
            Self::UpstreamTokenLeftOut => "portero.upstream_token.left_out".to_owned(),
            Self::CallSucceeded(callee) => format!("portero.{}.succeeded", callee.name()),
            Self::CallFailed(callee) => format!("portero.{}.failed", callee.name()),
            Self::CallMilliseconds(callee) => format!("portero.{}.milliseconds", callee.name()),
        }
    }
}
