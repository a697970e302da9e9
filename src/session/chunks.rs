//! One value in as many cookies as it needs.
//!
//! A browser silently drops a cookie above 4096 bytes, so a longer value is cut. The first cookie's
//! value starts with the number of pieces, so that a set with a piece missing is seen as such
//! before anything is opened.

use std::borrow::Cow;
use std::time::Duration;

use super::cookie::{Attributes, CookieJar};

/// The most cookies a value may take at all: a session takes as many. That is 20 KiB of the 60 KiB
/// of request headers that Envoy takes by default. The rest is for logins in progress (1.6 KiB each
/// at most; five of them, or as many as tabs are opened at once before any has answered) and, on the
/// logout path, for the ID token in [`MAX_HINT_PIECES`].
pub const MAX_PIECES: usize = 5;

/// The most cookies an ID token kept for the logout may take.
pub const MAX_HINT_PIECES: usize = 2;

/// Name, value and attributes of one cookie (RFC 6265bis section 5.6).
const COOKIE_LIMIT: usize = 4096;

/// The value does not fit into as many cookies as it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// `Set-Cookie` values that store `value` under `name` in at most `most` cookies, and delete what an
/// older, longer value may have left among `jar`.
pub fn store(
    name: &str,
    value: &str,
    most: usize,
    max_age: Duration,
    attributes: Attributes<'_>,
    jar: &CookieJar<'_>,
) -> Result<Vec<String>, TooLarge> {
    // Two bytes for a piece's suffix in the name, two for the count before the value.
    let room = COOKIE_LIMIT
        .saturating_sub(attributes.overhead())
        .saturating_sub(name.len())
        .saturating_sub(4);
    let pieces: Vec<&[u8]> = value.as_bytes().chunks(room.max(1)).collect();
    if pieces.is_empty() || pieces.len() > most.min(MAX_PIECES) {
        return Err(TooLarge);
    }
    let mut cookies = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.iter().enumerate() {
        let text = String::from_utf8_lossy(piece);
        cookies.push(match index {
            0 => attributes.set(name, &format!("{}.{text}", pieces.len()), max_age),
            _ => attributes.set(&piece_name(name, index), &text, max_age),
        });
    }
    let surplus = (pieces.len()..MAX_PIECES).map(|index| piece_name(name, index));
    cookies.extend(present(surplus, jar).map(|name| attributes.delete(&name)));
    Ok(cookies)
}

/// The whole value under `name`, or `None` unless every piece is there exactly once.
pub fn load<'a>(name: &str, jar: &CookieJar<'a>) -> Option<Cow<'a, [u8]>> {
    let first = jar.single(name.as_bytes())?;
    let (count, rest) = first.split_first()?;
    let count = usize::from(count.checked_sub(b'0')?);
    if count == 0 || count > MAX_PIECES {
        return None;
    }
    let first = rest.strip_prefix(b".")?;
    if count == 1 {
        return Some(Cow::Borrowed(first));
    }
    let mut pieces = vec![first];
    for index in 1..count {
        pieces.push(jar.single(piece_name(name, index).as_bytes())?);
    }
    Some(Cow::Owned(pieces.concat()))
}

/// `Set-Cookie` values that delete every piece that `jar` holds.
pub fn delete(name: &str, attributes: Attributes<'_>, jar: &CookieJar<'_>) -> Vec<String> {
    let names = (0..MAX_PIECES).map(|index| piece_name(name, index));
    present(names, jar)
        .map(|name| attributes.delete(&name))
        .collect()
}

/// `Set-Cookie` values that delete the first `most` pieces, for an answer to a request that does not
/// show which of them the browser has.
pub fn delete_unseen(name: &str, most: usize, attributes: Attributes<'_>) -> Vec<String> {
    (0..most)
        .map(|index| attributes.delete(&piece_name(name, index)))
        .collect()
}

/// Whether `candidate` is the name of a piece of `name`.
pub fn is_piece(name: &str, candidate: &[u8]) -> bool {
    match candidate.strip_prefix(name.as_bytes()) {
        Some([]) => true,
        Some([b'.', digit]) => digit.is_ascii_digit(),
        _ => false,
    }
}

fn piece_name(name: &str, index: usize) -> String {
    match index {
        0 => name.to_owned(),
        // Every request with such a cookie asks for it, so it is made without `format!`.
        _ => [name, ".", &index.to_string()].concat(),
    }
}

fn present(
    names: impl Iterator<Item = String>,
    jar: &CookieJar<'_>,
) -> impl Iterator<Item = String> {
    names.filter(|name| jar.names().any(|candidate| candidate == name.as_bytes()))
}

#[cfg(test)]
mod tests;
