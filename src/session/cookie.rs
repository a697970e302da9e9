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
        let mut cookies = Vec::new();
        for header in request.all("cookie") {
            cookies.extend(pieces(header).filter_map(pair));
        }
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

/// What stands between the semicolons of a `Cookie` header.
fn pieces(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(header);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = memchr::memchr(b';', text).unwrap_or(text.len());
        let (piece, after) = text.split_at_checked(end)?;
        rest = after.get(1..);
        Some(piece)
    })
}

fn pair(piece: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b'=', piece)?;
    let (name, value) = piece.split_at_checked(at)?;
    Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
}

/// The pieces of a `Cookie` header without those that `are_dropped` names, put behind `kept`; says whether
/// any was dropped.
pub fn keep<'a>(
    header: &'a [u8],
    are_dropped: &dyn Fn(&[u8]) -> bool,
    kept: &mut Vec<&'a [u8]>,
) -> bool {
    let mut dropped = false;
    for piece in pieces(header) {
        let piece = piece.trim_ascii();
        // Upstreams may take what has no `=` for a name, or for a value.
        let name = pair(piece).map_or(piece, |(name, _)| name);
        if are_dropped(name) {
            dropped = true;
        } else if !piece.is_empty() {
            kept.push(piece);
        }
    }
    dropped
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
