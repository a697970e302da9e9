//! From a request's head to what Portero does with it. Pure: rules see host, path and method only.

mod authority;
mod path;

pub use authority::Authority;
pub use path::CanonicalPath;

use crate::config::{
    Access, Config, HostName, HostPattern, Matcher, PathPattern, Paths, ProtectedResource,
};
use crate::error::{Error, RequestFault};

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The authorization response comes here.
    Callback,
    Logout,
    /// Where a logout lands.
    LoggedOut,
    /// The provider logs a browser out here, in a frame.
    FrontChannelLogout,
    /// The provider logs people out here, without their browsers.
    BackChannelLogout,
    /// Clients learn here about the protected resource with this index.
    ResourceMetadata(usize),
    /// The keys of the identity that Portero signs are here.
    IdentityKeys,
    /// The upstream answers whoever asks; the index of the rule that says so.
    Public(usize),
    /// Only who is known gets through; the index of the rule that says so, if one does.
    Protected(Option<usize>),
}

impl Route {
    /// The route of a request to `authority` for `target` (path and query, as received).
    ///
    /// A path that an upstream could read in another way than Portero, with another route, is
    /// refused. So is an authority whose port decides: whether the proxy chooses its virtual host
    /// with or without the port is its own setting, which a filter cannot see.
    pub fn of(
        config: &Config,
        authority: &Authority,
        method: &str,
        target: &[u8],
    ) -> Result<Self, Error> {
        let path = CanonicalPath::parse(target)?;
        let decide = |hosts: HostReading| {
            let mut decisions = path
                .readings()
                .map(|path| Self::of_reading(config, (authority, hosts), method, path));
            let first = decisions.next();
            first
                .filter(|first| decisions.all(|other| other == *first))
                .ok_or(Error::Request(RequestFault::PathAmbiguous))
        };
        let with_port = decide(HostReading::WithPort)?;
        let alike = config.named_hosts.read_alike(authority.port().is_some());
        if !alike && decide(HostReading::WithoutPort)? != with_port {
            return Err(Error::Request(RequestFault::AuthorityAmbiguous));
        }
        Ok(with_port.0)
    }

    /// The index of the rule that protects it, if one does.
    pub const fn rule(self) -> Option<usize> {
        match self {
            Self::Protected(rule) => rule,
            Self::Callback
            | Self::Logout
            | Self::LoggedOut
            | Self::FrontChannelLogout
            | Self::BackChannelLogout
            | Self::ResourceMetadata(_)
            | Self::IdentityKeys
            | Self::Public(_) => None,
        }
    }

    /// The route, and the rule it comes from: two rules may demand different things.
    fn of_reading(
        config: &Config,
        host: (&Authority, HostReading),
        method: &str,
        path: &str,
    ) -> (Self, Option<usize>) {
        if config.logs_in()
            && let Some(route) = Self::of_own_path(&config.paths, path)
        {
            return (route, None);
        }
        if config.paths.identity_keys.as_deref() == Some(path) {
            return (Self::IdentityKeys, None);
        }
        if let Some(index) = metadata(&config.protected_resources, host, path) {
            return (Self::ResourceMetadata(index), None);
        }
        let rule = config
            .rules
            .iter()
            .enumerate()
            .find(|(_, rule)| matches(&rule.matcher, host, method, path));
        match rule {
            Some((index, rule)) => match rule.access {
                Access::Public => (Self::Public(index), Some(index)),
                Access::Authenticated => (Self::Protected(Some(index)), Some(index)),
            },
            None => (Self::Protected(None), None),
        }
    }

    /// The route of a path that belongs to logging in and out.
    fn of_own_path(paths: &Paths, path: &str) -> Option<Self> {
        let own = [
            (&paths.callback, Self::Callback),
            (&paths.logout, Self::Logout),
            (&paths.logged_out, Self::LoggedOut),
            (&paths.frontchannel_logout, Self::FrontChannelLogout),
        ];
        if let Some((_, route)) = own.into_iter().find(|(own, _)| *own == path) {
            return Some(route);
        }
        (paths.backchannel_logout.as_deref() == Some(path)).then_some(Self::BackChannelLogout)
    }
}

/// The resource whose metadata is at `path`. Where several differ in nothing but the port, the one with
/// the port that was asked is meant, whatever else is compared.
fn metadata(
    resources: &[ProtectedResource],
    (authority, reading): (&Authority, HostReading),
    path: &str,
) -> Option<usize> {
    let find = |reading| {
        resources.iter().position(|resource| {
            let identifier = &resource.identifier;
            identifier.metadata_path == path && identifier.host.matches(authority, reading)
        })
    };
    find(HostReading::WithPort).or_else(|| find(reading))
}

/// The protected resource that `target` of `authority` belongs to: of those that cover it, the one with
/// the longest path.
pub fn protected_resource<'c>(
    config: &'c Config,
    authority: &Authority,
    target: &[u8],
) -> Option<&'c ProtectedResource> {
    // On most routes none is configured, and nothing has to be read again.
    if config.protected_resources.is_empty() {
        return None;
    }
    let path = CanonicalPath::parse(target).ok()?;
    let path = path.readings().next()?;
    let covers = |resource: &&ProtectedResource| {
        let identifier = &resource.identifier;
        identifier.host.matches(authority, HostReading::WithPort)
            && is_below(path, &identifier.prefix)
    };
    let resources = config.protected_resources.iter().filter(covers);
    resources.max_by_key(|resource| resource.identifier.prefix.len())
}

/// Whether `path` is `prefix`, which has no slash at its end, or something below it in whole segments.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How hosts are compared with a rule's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HostReading {
    WithPort,
    WithoutPort,
}

impl HostPattern {
    fn matches(&self, authority: &Authority, reading: HostReading) -> bool {
        let port = match reading {
            HostReading::WithPort => self.port.as_deref() == authority.port(),
            HostReading::WithoutPort => true,
        };
        port && match &self.name {
            HostName::Exact(exact) => exact == authority.host(),
            HostName::Below(suffix) => authority
                .host()
                .strip_suffix(suffix.as_str())
                .is_some_and(|label| !label.is_empty()),
        }
    }
}

fn matches(
    matcher: &Matcher,
    (authority, reading): (&Authority, HostReading),
    method: &str,
    path: &str,
) -> bool {
    let host = matcher.hosts.is_empty()
        || matcher
            .hosts
            .iter()
            .any(|pattern| pattern.matches(authority, reading));
    let method = matcher.methods.is_empty() || matcher.methods.iter().any(|known| known == method);
    let path = match &matcher.path {
        PathPattern::Any => true,
        PathPattern::Exact(exact) => exact == path,
        PathPattern::Prefix(prefix) => is_below(path, prefix.strip_suffix('/').unwrap_or(prefix)),
    };
    host && method && path
}

#[cfg(test)]
mod tests;
