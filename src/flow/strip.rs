//! Which request headers the upstream must not get from a stranger.

use super::Forward;
use crate::config::{CONSUMER_HEADERS, Config};
use crate::header_list::folded;
use crate::request::Request;
use crate::session::{CookieNames, cookie};

/// The names of every header that Portero can emit. Upstreams that turn `-` into `_` (CGI, WSGI)
/// cannot tell the two apart, so neither does this.
pub struct HeaderGuard {
    /// In order, each once.
    names: Vec<Vec<u8>>,
    /// A bit for each length that one of them has: most headers of a request have another.
    lengths: u64,
}

impl HeaderGuard {
    pub fn new(config: &Config) -> Self {
        let of_consumers = match config.consumers {
            Some(_) => &CONSUMER_HEADERS[..],
            None => &[],
        };
        let headers = config.upstream.headers.iter();
        let headers = headers.map(|header| header.name.as_str());
        // `authorization` is the caller's own wherever no token is put there.
        let tokens = config.upstream_tokens.iter();
        let tokens = tokens.filter(|token| !token.keep_existing && token.header != "authorization");
        let tokens = tokens.map(|token| token.header.as_str());
        let identity = config.upstream.identity.iter();
        let identity = identity.map(|identity| identity.header.as_str());
        let all = headers.chain(identity).chain(tokens);
        let mut names = Vec::new();
        for header in all.chain(of_consumers.iter().copied()) {
            let name = folded(header.as_bytes());
            if let Err(place) = names.binary_search(&name) {
                names.insert(place, name);
            }
        }
        let lengths = names.iter().fold(0, |all, name| all | length_bit(name));
        Self { names, lengths }
    }

    /// What has to be removed from `request` on every way to the upstream: headers that only
    /// Portero may set, and Portero's own cookies.
    pub fn strip(&self, request: &Request, cookies: &CookieNames) -> Forward {
        let mut forward = Forward::default();
        for (name, _) in request.headers().iter() {
            if self.guards(name) {
                forward.take_away(name);
            }
        }
        forward.drop_cookies(request, &|name| cookies.are_ours(name));
        forward
    }

    fn guards(&self, name: &[u8]) -> bool {
        if self.lengths & length_bit(name) == 0 {
            return false;
        }
        let is_known = |name: &[u8]| {
            let order = |known: &Vec<u8>| known.as_slice().cmp(name);
            self.names.binary_search_by(order).is_ok()
        };
        match name.contains(&b'_') {
            true => is_known(&folded(name)),
            false => is_known(name),
        }
    }
}

/// Lengths share a bit from 64 on, in turn.
const fn length_bit(name: &[u8]) -> u64 {
    1_u64.rotate_left((name.len() & 63) as u32)
}

impl Forward {
    /// Takes a header of the request away from the upstream.
    pub(super) fn take_away(&mut self, name: &[u8]) {
        if !self.remove.iter().any(|removed| removed.as_bytes() == name) {
            self.remove.push(String::from_utf8_lossy(name).into_owned());
        }
    }

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
        let mut kept = Vec::new();
        let mut dropped = false;
        for header in headers {
            dropped |= cookie::keep(header, are_dropped, &mut kept);
        }
        if !dropped {
            return;
        }
        let left = (!kept.is_empty()).then(|| kept.join(&b"; "[..]));
        self.set.retain(|(name, _)| !is_cookie(name));
        match left {
            None => self.remove.push("cookie".to_owned()),
            Some(left) => self.set.push(("cookie".to_owned(), left)),
        }
    }
}

#[cfg(test)]
mod tests;
