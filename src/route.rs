//! From a request's head to what Portero does with it. Pure: rules see host, path and method only.

mod authority;
mod path;

pub use authority::Authority;
pub use path::CanonicalPath;

use crate::config::{Access, Config, HostPattern, Matcher, PathPattern};
use crate::error::{Error, RequestFault};

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The authorization response comes here.
    Callback,
    Logout,
    /// Where a logout lands.
    LoggedOut,
    /// The upstream answers whoever asks.
    Public,
    /// Only a person who is logged in gets through.
    Protected,
}

impl Route {
    /// The route of a request to `authority` for `target` (path and query, as received).
    ///
    /// A path that an upstream could read in another way than Portero, with another route, is
    /// refused.
    pub fn of(
        config: &Config,
        authority: &Authority,
        method: &str,
        target: &[u8],
    ) -> Result<Self, Error> {
        let path = CanonicalPath::parse(target)?;
        let mut routes = path
            .readings()
            .map(|reading| Self::of_reading(config, authority, method, reading));
        let route = routes
            .next()
            .ok_or(Error::Request(RequestFault::PathAmbiguous))?;
        if routes.any(|other| other != route) {
            return Err(Error::Request(RequestFault::PathAmbiguous));
        }
        Ok(route.0)
    }

    /// The route, and the rule it comes from: two rules may demand different things.
    fn of_reading(
        config: &Config,
        authority: &Authority,
        method: &str,
        path: &str,
    ) -> (Self, Option<usize>) {
        let paths = &config.paths;
        let own = [
            (&paths.callback, Self::Callback),
            (&paths.logout, Self::Logout),
            (&paths.logged_out, Self::LoggedOut),
        ];
        if let Some((_, route)) = own.into_iter().find(|(own, _)| *own == path) {
            return (route, None);
        }
        let rule = config
            .rules
            .iter()
            .enumerate()
            .find(|(_, rule)| matches(&rule.matcher, authority, method, path));
        match rule {
            Some((index, rule)) => match rule.access {
                Access::Public => (Self::Public, Some(index)),
                Access::Authenticated => (Self::Protected, Some(index)),
            },
            None => (Self::Protected, None),
        }
    }
}

fn matches(matcher: &Matcher, authority: &Authority, method: &str, path: &str) -> bool {
    let host = matcher.hosts.is_empty()
        || matcher.hosts.iter().any(|pattern| match pattern {
            HostPattern::Exact(exact) => exact == authority.host(),
            HostPattern::Suffix(suffix) => authority
                .host()
                .strip_suffix(suffix.as_str())
                .is_some_and(|label| !label.is_empty()),
        });
    let method = matcher.methods.is_empty() || matcher.methods.iter().any(|known| known == method);
    let path = match &matcher.path {
        PathPattern::Any => true,
        PathPattern::Exact(exact) => exact == path,
        PathPattern::Prefix(prefix) => {
            let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
            match path.strip_prefix(prefix) {
                Some(rest) => rest.is_empty() || rest.starts_with('/'),
                None => false,
            }
        }
    };
    host && method && path
}

#[cfg(test)]
mod tests;
