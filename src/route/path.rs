//! One canonical path for every decision.
//!
//! Upstreams differ in how they read a path. What most of them read alike is made one: percent
//! encoding of characters that need none is undone. What no application needs, dot segments,
//! backslashes, control characters and separators encoded twice, is refused. What some drop or
//! decode and others keep, path parameters (`;x`), doubled slashes and encoded separators, is read
//! both ways, and both readings must lead to the same decision.

use crate::error::{Error, RequestFault};

/// A path without its query, in the one or two ways an upstream may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalPath {
    path: String,
    /// The same path with encoded separators decoded, and without parameters and doubled slashes,
    /// where that makes a difference.
    reduced: Option<String>,
}

const AMBIGUOUS: Error = Error::Request(RequestFault::PathAmbiguous);

impl CanonicalPath {
    /// From path and query as received.
    pub fn parse(target: &[u8]) -> Result<Self, Error> {
        let raw = target
            .split(|byte| *byte == b'?')
            .next()
            .unwrap_or_default();
        let path = decode(raw)?;
        if !path.starts_with('/') || has_encoded_trap(&path) {
            return Err(AMBIGUOUS);
        }
        let mut reduced = String::with_capacity(path.len());
        let decoded = path
            .replace("%2F", "/")
            .replace("%5C", "/")
            .replace("%3B", ";");
        let mut last = "";
        for segment in decoded.split('/').skip(1) {
            let name = segment.split(';').next().unwrap_or_default();
            last = name;
            if name == "." || name == ".." {
                return Err(AMBIGUOUS);
            }
            if !name.is_empty() {
                reduced.push('/');
                reduced.push_str(name);
            }
        }
        if last.is_empty() {
            reduced.push('/');
        }
        let reduced = (reduced != path).then_some(reduced);
        Ok(Self { path, reduced })
    }

    /// Every way an upstream may read the path.
    pub fn readings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path.as_str()).chain(self.reduced.as_deref())
    }
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
