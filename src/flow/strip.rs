//! Which request headers the upstream must not get from a stranger.

use super::Forward;
use crate::config::{CONSUMER_HEADERS, Config};
use crate::request::Request;
use crate::session::{CookieNames, cookie};

/// The names of every header that Portero can emit. Upstreams that turn `-` into `_` (CGI, WSGI)
/// cannot tell the two apart, so neither does this.
pub struct HeaderGuard {
    /// In order, each once.
    names: Vec<String>,
}

impl HeaderGuard {
    pub fn new(config: &Config) -> Self {
        let of_consumers = match config.consumers {
            Some(_) => &CONSUMER_HEADERS[..],
            None => &[],
        };
        let headers = config.upstream.headers.iter();
        let headers = headers.map(|header| header.name.as_str());
        let identity = config.upstream.identity.iter();
        let identity = identity.map(|identity| identity.header.as_str());
        // `authorization` is the caller's own wherever no token is put there.
        let tokens = config.upstream_tokens.iter();
        let tokens = tokens.filter(|token| !token.keep_existing && token.header != "authorization");
        let tokens = tokens.map(|token| token.header.as_str());
        let set_by_us = headers.chain(of_consumers.iter().copied());
        let mut names = Vec::new();
        for header in set_by_us.chain(tokens).chain(identity) {
            let name = folded(header);
            if let Err(place) = names.binary_search(&name) {
                names.insert(place, name);
            }
        }
        Self { names }
    }

    /// What has to be removed from `request` on every way to the upstream: headers that only
    /// Portero may set, and Portero's own cookies.
    pub fn strip(&self, request: &Request, cookies: &CookieNames) -> Forward {
        let mut forward = Forward::default();
        for (name, _) in request.headers() {
            if self.guards(name) && !forward.remove.contains(name) {
                forward.remove.push(name.clone());
            }
        }
        forward.drop_cookies(request, &|name| cookies.are_ours(name));
        forward
    }

    fn guards(&self, name: &str) -> bool {
        match name.contains('_') {
            true => self.names.binary_search(&folded(name)).is_ok(),
            false => self
                .names
                .binary_search_by(|known| known.as_str().cmp(name))
                .is_ok(),
        }
    }
}

impl Forward {
    /// Takes the cookies of `request` that `are_dropped` names away from the upstream, beside those that
    /// have been taken already.
    pub(super) fn drop_cookies(&mut self, request: &Request, are_dropped: &dyn Fn(&[u8]) -> bool) {
        let is_cookie = |name: &str| name == "cookie";
        if self.remove.iter().any(|name| is_cookie(name)) {
            return;
        }
        let left = self.set.iter().find(|(name, _)| is_cookie(name));
        let headers: Vec<&[u8]> = match left {
            Some((_, left)) => vec![left],
            None => request.all("cookie").collect(),
        };
        let found = headers
            .iter()
            .any(|header| cookie::names(header).any(are_dropped));
        if !found {
            return;
        }
        let kept: Vec<Vec<u8>> = headers
            .iter()
            .filter_map(|header| cookie::without(header, are_dropped))
            .collect();
        self.set.retain(|(name, _)| !is_cookie(name));
        match kept.is_empty() {
            true => self.remove.push("cookie".to_owned()),
            false => self.set.push(("cookie".to_owned(), kept.join(&b"; "[..]))),
        }
    }
}

fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests;
