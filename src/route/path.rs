//! One canonical path for every decision.
//!
//! Upstreams differ in how they read a path. What most of them read alike is made one: percent
//! encoding of characters that need none is undone. What no application needs, dot segments,
//! backslashes, control characters and separators encoded twice, is refused. What some drop or
//! decode and others keep, path parameters (`;x`), doubled slashes and encoded separators, is read
//! in every way, in either order, and all readings must lead to the same decision.

use std::borrow::Cow;

use crate::error::{Error, RequestFault};

/// A path without its query, in every way an upstream may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalPath<'t> {
    path: Cow<'t, str>,
    /// The same path with encoded separators decoded, and without parameters and doubled slashes,
    /// where that makes a difference.
    reduced: Vec<String>,
}

const AMBIGUOUS: Error = Error::Request(RequestFault::PathAmbiguous);

impl<'t> CanonicalPath<'t> {
    /// From path and query as received.
    pub fn parse(target: &'t [u8]) -> Result<Self, Error> {
        let end = memchr::memchr(b'?', target).unwrap_or(target.len());
        let raw = target.get(..end).unwrap_or_default();
        // Nearly every path is plain, and nothing has to be undone in it.
        match plain(raw) {
            Some(path) => Ok(Self {
                path: Cow::Borrowed(path),
                reduced: Vec::new(),
            }),
            None => Self::parse_path(raw),
        }
    }

    /// From a path of any kind.
    fn parse_path(raw: &[u8]) -> Result<Self, Error> {
        let path = decode(raw)?;
        if !path.starts_with('/') || has_encoded_trap(&path) {
            return Err(AMBIGUOUS);
        }
        let mut readings = Vec::with_capacity(3);
        if path.contains(';') || path.contains("%3B") {
            // Some (Tomcat) drop parameters first and decode then: a slash encoded in a parameter
            // separates nothing, and a `;` that was encoded is part of a name, unless somebody
            // behind them reads again.
            let bare = without_parameters(&path);
            readings.push(reduce(&bare, false)?);
            readings.push(reduce(&bare, true)?);
        }
        // Others decode first, and drop parameters then.
        readings.push(reduce(&path, true)?);
        let mut reduced: Vec<String> = Vec::new();
        for reading in readings {
            if reading != path && !reduced.contains(&reading) {
                reduced.push(reading);
            }
        }
        Ok(Self {
            path: Cow::Owned(path),
            reduced,
        })
    }

    /// Every way an upstream may read the path.
    pub fn readings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.path).chain(self.reduced.iter().map(String::as_str))
    }
}

/// A path that nobody can read in two ways.
fn plain(raw: &[u8]) -> Option<&str> {
    let path = portero_fast::is_plain_path(raw).then_some(raw)?;
    std::str::from_utf8(path).ok()
}

fn without_parameters(path: &str) -> String {
    let names: Vec<&str> = path.split('/').map(name).collect();
    names.join("/")
}

/// A segment without its parameters.
fn name(segment: &str) -> &str {
    segment.split(';').next().unwrap_or_default()
}

/// Decodes separators, collapses slashes, and drops parameters or keeps them as they are.
fn reduce(path: &str, drops_parameters: bool) -> Result<String, Error> {
    let decoded = path.replace("%2F", "/").replace("%5C", "/");
    let decoded = match drops_parameters {
        true => without_parameters(&decoded.replace("%3B", ";")),
        false => decoded,
    };
    let mut reduced = String::with_capacity(decoded.len());
    for segment in decoded.split('/') {
        if segment == "." || segment == ".." {
            return Err(AMBIGUOUS);
        }
        if !segment.is_empty() {
            reduced.push('/');
            reduced.push_str(segment);
        }
    }
    if decoded.ends_with('/') {
        reduced.push('/');
    }
    Ok(reduced)
}

/// Undoes percent encoding where it makes no difference to any upstream, and brings the rest to
/// upper case. RFC 3986 section 2.3 promises that of fewer characters, but no upstream tells `%40`
/// from `@` when it looks for a file or a route.
fn decode(raw: &[u8]) -> Result<String, Error> {
    let mut path = String::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'%' => {
                let (high, low) = (bytes.next().copied(), bytes.next().copied());
                let value = hex(high)
                    .zip(hex(low))
                    .map(|(high, low)| (high << 4) | low)
                    .ok_or(AMBIGUOUS)?;
                match value {
                    0..=0x1f | 0x7f => return Err(AMBIGUOUS),
                    _ if means_itself(value) => path.push(char::from(value)),
                    _ => path.push_str(&format!("%{value:02X}")),
                }
            }
            b'\\' | b'#' | 0..=0x20 | 0x7f..=0xff => return Err(AMBIGUOUS),
            _ => path.push(char::from(byte)),
        }
    }
    Ok(path)
}

/// Whether an upstream that decodes twice would find a separator, a dot or a control character. To
/// be asked of a decoded path: the digits of the inner encoding may have been encoded themselves.
fn has_encoded_trap(path: &str) -> bool {
    path.split("%25").skip(1).any(|rest| {
        let mut digits = rest.bytes();
        let value = hex(digits.next()).zip(hex(digits.next()));
        matches!(
            value.map(|(high, low)| (high << 4) | low),
            Some(b'/' | b'\\' | b'.' | b';' | b'%' | 0..=0x1f | 0x7f)
        )
    })
}

/// Whether a character is the same, encoded or not: all are that separate nothing.
const fn means_itself(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'/' | b'\\' | b';' | b'?' | b'#' | b'%')
}

fn hex(byte: Option<u8>) -> Option<u8> {
    let digit = char::from(byte?).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests;
