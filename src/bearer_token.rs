//! Where a bearer token stands in a request (RFC 6750 section 2). Pure.
//!
//! Whatever stands in a token's place must be one: nothing is repaired, and nothing is passed over. A
//! token that stands in several places is one token; two tokens are one too many, whatever each of them
//! is good for (section 2).

use std::borrow::Cow;

use crate::config::{Bearer, BearerHeader};
use crate::error::RequestFault;
use crate::header_list::are_twins;
use crate::jose::MAX_TOKEN_BYTES;
use crate::request::{Request, query};
use crate::session::CookieJar;

/// The token that a request carries, if it carries one.
pub fn find<'a>(
    bearer: &Bearer,
    request: &'a Request,
    jar: &CookieJar<'a>,
) -> Result<Option<Cow<'a, str>>, RequestFault> {
    candidate(bearer, request, jar)?.map(checked).transpose()
}

/// What stands in a token's place of a request, if anything does. Of what stands in one place alone nothing
/// is said: [`checked`] tells whether it is a token.
pub fn candidate<'a>(
    bearer: &Bearer,
    request: &'a Request,
    jar: &CookieJar<'a>,
) -> Result<Option<Cow<'a, [u8]>>, RequestFault> {
    let headers = request.headers().iter();
    let in_headers = headers.filter_map(|(name, value)| in_header(bearer, name, value));
    let cookies = bearer.cookies.iter();
    let in_cookies = cookies.flat_map(|name| jar.all(name.as_bytes()));
    let parameters = parameters(bearer, request.target());
    let in_query = parameters.filter(|parameter| is_token_parameter(bearer, parameter));
    let candidates = in_headers
        .chain(in_cookies)
        .map(Cow::Borrowed)
        .chain(in_query.map(|parameter| decoded(value_of(parameter))));
    let mut found: Option<Cow<'a, [u8]>> = None;
    for candidate in candidates {
        if let Some(other) = &found {
            check(other)?;
            check(&candidate)?;
            if *other != candidate {
                return Err(RequestFault::TokenAmbiguous);
            }
        }
        found = Some(candidate);
    }
    Ok(found)
}

/// What stands in a token's place, if it is a token.
pub fn checked(candidate: Cow<'_, [u8]>) -> Result<Cow<'_, str>, RequestFault> {
    check(&candidate)?;
    match candidate {
        Cow::Borrowed(text) => std::str::from_utf8(text).ok().map(Cow::Borrowed),
        Cow::Owned(text) => String::from_utf8(text).ok().map(Cow::Owned),
    }
    .ok_or(RequestFault::TokenMalformed)
}

/// The headers of `request` that hold a token, by their names as they were spelled.
pub fn headers<'a>(bearer: &Bearer, request: &'a Request) -> impl Iterator<Item = &'a [u8]> {
    let headers = request.headers().iter();
    let holding = headers.filter(|(name, value)| in_header(bearer, name, value).is_some());
    holding.map(|(name, _)| name)
}

/// Whether a cookie of this name holds a token.
pub fn is_cookie(bearer: &Bearer, name: &[u8]) -> bool {
    bearer.cookies.iter().any(|known| known.as_bytes() == name)
}

/// `target` (path and query, as received) without the parameters that hold a token; `None` where there
/// are none.
pub fn target_without(bearer: &Bearer, target: &[u8]) -> Option<Vec<u8>> {
    let is_token = |parameter: &&[u8]| is_token_parameter(bearer, parameter);
    if !parameters(bearer, target).any(|parameter| is_token(&parameter)) {
        return None;
    }
    let kept: Vec<&[u8]> = parameters(bearer, target)
        .filter(|parameter| !is_token(parameter))
        .collect();
    let path = target.split(|byte| *byte == b'?').next();
    let mut rest = path.unwrap_or_default().to_vec();
    if kept.iter().any(|parameter| !parameter.is_empty()) {
        rest.push(b'?');
        rest.extend(kept.join(&b"&"[..]));
    }
    Some(rest)
}

/// What stands in the token's place of a header's value; `None` where the value is of another scheme.
fn in_header<'a>(bearer: &Bearer, name: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let of_this_header = |header: &&BearerHeader| are_twins(name, header.name.as_bytes());
    let mut schemes = bearer.headers.iter().filter(of_this_header).peekable();
    schemes.peek()?;
    let value = value.trim_ascii();
    let end = value.iter().position(|byte| matches!(byte, b' ' | b'\t'));
    let (scheme, credentials) = match end.and_then(|end| value.split_at_checked(end)) {
        Some((scheme, rest)) => (scheme, trimmed(rest)),
        None => (value, &[][..]),
    };
    let named = |header: &BearerHeader| {
        !header.scheme.is_empty() && scheme.eq_ignore_ascii_case(header.scheme.as_bytes())
    };
    if schemes.clone().any(named) {
        return Some(credentials);
    }
    schemes
        .any(|header| header.scheme.is_empty())
        .then_some(value)
}

/// Without the spaces that may stand between a scheme and its credentials (RFC 9110 section 11.4); a
/// tab is none of them.
fn trimmed(mut rest: &[u8]) -> &[u8] {
    while let Some(next) = rest.strip_prefix(b" ") {
        rest = next;
    }
    rest
}

/// The parameters of a target's query, as received; none where none can hold a token.
fn parameters<'a>(bearer: &Bearer, target: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let target = (!bearer.query.is_empty()).then_some(target);
    let query = target.map(query).into_iter();
    query.flat_map(|query| query.split(|byte| *byte == b'&'))
}

fn is_token_parameter(bearer: &Bearer, parameter: &[u8]) -> bool {
    let name = parameter.split(|byte| *byte == b'=').next();
    let name = decoded(name.unwrap_or_default());
    bearer.query.iter().any(|known| known.as_bytes() == &*name)
}

/// What follows the first `=` of a parameter.
fn value_of(parameter: &[u8]) -> &[u8] {
    let mut parts = parameter.splitn(2, |byte| *byte == b'=');
    parts.nth(1).unwrap_or_default()
}

/// Without percent-encoding. A `+` stays what it is: forms write a space so, but no token has a space
/// and many have a `+`. What is no percent-encoding stays too, and is no token.
fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let encoded = match (byte, after) {
            (b'%', [high, low, after @ ..]) => {
                hex(*high).zip(hex(*low)).map(|digits| (digits, after))
            }
            _ => None,
        };
        match encoded {
            Some(((high, low), after)) => {
                plain.push((high << 4) | low);
                rest = after;
            }
            None => {
                plain.push(byte);
                rest = after;
            }
        }
    }
    Cow::Owned(plain)
}

fn hex(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// Checks that a text is a `b64token` (RFC 6750 section 2.1), in whatever place it stands, and no longer
/// than any token may be.
fn check(candidate: &[u8]) -> Result<(), RequestFault> {
    match candidate.len() <= MAX_TOKEN_BYTES && portero_fast::is_b64token(candidate) {
        true => Ok(()),
        false => Err(RequestFault::TokenMalformed),
    }
}

#[cfg(test)]
mod tests;
