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
        let mut names = Vec::new();
        for header in headers.chain(of_consumers.iter().copied()) {
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
        let ours = |name: &[u8]| cookies.are_ours(name);
        let found = request
            .all("cookie")
            .any(|header| cookie::names(header).any(ours));
        if found {
            let kept: Vec<Vec<u8>> = request
                .all("cookie")
                .filter_map(|header| cookie::without(header, ours))
                .collect();
            match kept.is_empty() {
                true => forward.remove.push("cookie".to_owned()),
                false => forward
                    .set
                    .push(("cookie".to_owned(), kept.join(&b"; "[..]))),
            }
        }
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

fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests;
