//! Cookies as they come and as they go (RFC 6265).

use std::fmt::Write;
use std::time::Duration;

use crate::config::SameSite;
use crate::request::Request;

/// The cookies of one request, in order.
#[derive(Debug, Default)]
pub struct CookieJar<'a> {
    cookies: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> CookieJar<'a> {
    /// Reads every `Cookie` header of a request. Text without `=` is not a cookie.
    pub fn of(request: &'a Request) -> Self {
        let cookies = request.all("cookie").flat_map(pairs).collect();
        Self { cookies }
    }

    /// The value of a cookie that was sent exactly once. The same name twice means that somebody
    /// else has set one of them, and their order tells nothing.
    pub fn single(&self, name: &[u8]) -> Option<&'a [u8]> {
        let mut values = self
            .cookies
            .iter()
            .filter(|(candidate, _)| *candidate == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// Every value of a cookie.
    pub fn all<'n>(&self, name: &'n [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n, '_> {
        self.cookies
            .iter()
            .filter(move |(candidate, _)| *candidate == name)
            .map(|(_, value)| *value)
    }

    pub fn names(&self) -> impl Iterator<Item = &'a [u8]> {
        self.cookies.iter().map(|(name, _)| *name)
    }
}

fn pairs(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    header.split(|byte| *byte == b';').filter_map(|pair| {
        let at = memchr::memchr(b'=', pair)?;
        let (name, value) = pair.split_at_checked(at)?;
        Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
    })
}

/// The names in a `Cookie` header.
pub fn names(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    header.split(|byte| *byte == b';').map(|piece| {
        piece
            .split(|byte| *byte == b'=')
            .next()
            .unwrap_or_default()
            .trim_ascii()
    })
}

/// A `Cookie` header without the cookies that `ours` names; `None` when nothing is left.
pub fn without(header: &[u8], ours: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let mut kept: Vec<u8> = Vec::with_capacity(header.len());
    for piece in header.split(|byte| *byte == b';') {
        let piece = piece.trim_ascii();
        let name = piece.split(|byte| *byte == b'=').next().unwrap_or_default();
        if piece.is_empty() || ours(name.trim_ascii()) {
            continue;
        }
        if !kept.is_empty() {
            kept.extend_from_slice(b"; ");
        }
        kept.extend_from_slice(piece);
    }
    (!kept.is_empty()).then_some(kept)
}

/// The attributes of a cookie that Portero sets. Deleting repeats every one of them, or the browser
/// would keep the cookie.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    pub path: &'a str,
    pub secure: bool,
    pub same_site: SameSite,
}

impl Attributes<'_> {
    /// A `Set-Cookie` value that keeps a cookie for `max_age`.
    pub fn set(&self, name: &str, value: &str, max_age: Duration) -> String {
        self.render(name, value, max_age.as_secs())
    }

    /// A `Set-Cookie` value that deletes a cookie.
    pub fn delete(&self, name: &str) -> String {
        self.render(name, "", 0)
    }

    /// How many bytes of a cookie the attributes take, at most.
    pub fn overhead(&self) -> usize {
        self.render("", "", u64::from(u32::MAX)).len()
    }

    fn render(&self, name: &str, value: &str, max_age: u64) -> String {
        let mut text = format!(
            "{name}={value}; Path={}; Max-Age={max_age}; HttpOnly",
            self.path
        );
        if self.secure {
            text.push_str("; Secure");
        }
        let same_site = match self.same_site {
            SameSite::Lax => "Lax",
            SameSite::None => "None",
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "; SameSite={same_site}");
        text
    }
}

#[cfg(test)]
mod tests;
