//! What the upstream is told about a caller: claims as header values. And Envoy: claims as filter state.

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::config::{HeaderSource, IdentityClaim, Upstream};
use crate::jose::{Found, follow, graft};
use crate::session::Session;

/// Claims that speak of the login, not of the person, and would make every session cookie longer.
const PROTOCOL_CLAIMS: [&str; 10] = [
    "iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "c_hash", "jti",
];

/// Claims that say how the login came about. The ID token is signed and has been checked for them;
/// what userinfo says of them counts for nothing.
const LOGIN_CLAIMS: [&str; 5] = ["sub", "acr", "amr", "auth_time", "sid"];

/// All identity claims of a login: those of the ID token, and over them what userinfo says about
/// the person.
pub fn identity(
    id_token: &Map<String, Value>,
    userinfo: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    let mut identity = id_token.clone();
    identity.extend(personal(userinfo));
    identity
}

/// The identity claims, and below them what the login's access token says about the person.
pub fn with_access_token(
    identity: &Map<String, Value>,
    access_token: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    let mut all = Map::new();
    all.extend(personal(access_token));
    all.extend(identity.clone());
    all
}

/// Claims that may come from elsewhere than the ID token.
fn personal(claims: Option<&Map<String, Value>>) -> impl Iterator<Item = (String, Value)> {
    let of_the_login = |name: &str| PROTOCOL_CLAIMS.contains(&name) || LOGIN_CLAIMS.contains(&name);
    let claims = claims.into_iter().flatten();
    claims
        .filter(move |(name, _)| !of_the_login(name))
        .map(|(name, value)| (name.clone(), value.clone()))
}

/// Of what is known of somebody, the claims that the configuration gives away: of `identity` all where it
/// gives all, of `known` those that it names.
pub fn select_claims(
    upstream: &Upstream,
    identity: &Map<String, Value>,
    known: &Map<String, Value>,
) -> Map<String, Value> {
    let whole = shows_all(upstream);
    let personal = |name: &str| whole && !PROTOCOL_CLAIMS.contains(&name);
    let mut selected = Map::new();
    selected.extend(
        identity
            .iter()
            .filter(|(name, _)| personal(name))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    for source in upstream.sources() {
        if let HeaderSource::Claim(path) = source
            && let Some(value) = lookup(known, path)
        {
            graft(&mut selected, path, value.clone());
        }
    }
    selected
}

/// What [`select_claims`] chooses of a caller's claims, and where no header shows them as a whole, the others
/// as well: nobody sees those.
pub fn told<'a>(upstream: &Upstream, known: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
    match shows_all(upstream) {
        true => Cow::Owned(select_claims(upstream, known, known)),
        false => Cow::Borrowed(known),
    }
}

fn shows_all(upstream: &Upstream) -> bool {
    let mut sources = upstream.sources();
    sources.any(|source| *source == HeaderSource::Userinfo)
}

/// What is known of a caller.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Those that [`select_claims`] has chosen, or at least what the configuration names of them.
    pub claims: &'a Map<String, Value>,
    /// As received.
    pub id_token: Option<&'a str>,
    /// As received.
    pub access_token: Option<&'a str>,
    /// All that the access token says.
    pub access_token_claims: Option<&'a Map<String, Value>>,
}

impl<'a> Known<'a> {
    /// `claims` are those of the session, and `token_claims` those that it keeps of its access token.
    pub fn of_session(
        session: &'a Session,
        claims: &'a Map<String, Value>,
        token_claims: &'a Map<String, Value>,
    ) -> Self {
        Self {
            claims,
            id_token: session.id_token.as_deref(),
            access_token: session.access_token.as_deref(),
            access_token_claims: Some(token_claims),
        }
    }

    fn of_access_token(&self, path: &[String]) -> Option<&'a Value> {
        lookup(self.access_token_claims?, path)
    }
}

/// Of an access token, the claims that the configuration gives away as such.
pub fn select_token_claims(
    upstream: &Upstream,
    access_token: &Map<String, Value>,
) -> Map<String, Value> {
    let mut selected = Map::new();
    for source in upstream.sources() {
        if let HeaderSource::AccessTokenClaim(path) = source
            && let Some(value) = lookup(access_token, path)
        {
            graft(&mut selected, path, value.clone());
        }
    }
    selected
}

/// The headers that somebody gives: name in lower case, value safe to send. A claim that is missing or
/// null gives none, and neither does a token that the caller does not have.
pub fn headers(upstream: &Upstream, known: &Known<'_>) -> Vec<(String, Vec<u8>)> {
    upstream
        .headers
        .iter()
        .filter_map(|header| {
            let value = value(&header.source, known)?;
            Some((header.name.clone(), value.into_bytes()))
        })
        .collect()
}

/// The filter state that somebody gives: name and text. What the caller does not have gives none.
pub fn filter_state(upstream: &Upstream, known: &Known<'_>) -> Vec<(String, String)> {
    upstream
        .filter_state
        .iter()
        .filter_map(|state| {
            let text = match &state.source {
                HeaderSource::Claim(path) => plain(lookup(known.claims, path)?),
                HeaderSource::AccessTokenClaim(path) => plain(known.of_access_token(path)?),
                source => value(source, known)?,
            };
            Some((state.name.clone(), text))
        })
        .collect()
}

/// What a signed identity says of somebody, beside who they are: claims as they are. A claim that is
/// missing or null is left out.
pub fn identity_claims(wanted: &[IdentityClaim], known: &Known<'_>) -> Map<String, Value> {
    let mut told = Map::new();
    for claim in wanted {
        let value = match &claim.source {
            HeaderSource::Claim(path) => lookup(known.claims, path),
            HeaderSource::AccessTokenClaim(path) => known.of_access_token(path),
            _ => None,
        };
        if let Some(value) = value.filter(|value| !value.is_null()) {
            told.insert(claim.name.clone(), value.clone());
        }
    }
    told
}

fn value(source: &HeaderSource, known: &Known<'_>) -> Option<String> {
    match source {
        HeaderSource::Claim(path) => lookup(known.claims, path).and_then(claim_value),
        HeaderSource::Userinfo => Some(STANDARD.encode(serde_json::to_vec(known.claims).ok()?)),
        HeaderSource::IdToken => known.id_token.map(ToOwned::to_owned),
        HeaderSource::IdTokenClaims => {
            let payload = known.id_token?.split('.').nth(1)?;
            Some(STANDARD.encode(URL_SAFE_NO_PAD.decode(payload).ok()?))
        }
        HeaderSource::AccessToken => known.access_token.map(ToOwned::to_owned),
        HeaderSource::BearerAccessToken => {
            known.access_token.map(|token| format!("Bearer {token}"))
        }
        HeaderSource::AccessTokenClaim(path) => known.of_access_token(path).and_then(claim_value),
    }
}

/// A claim as Envoy's logs and filters read it: a text as it is, everything else as JSON. Access logs
/// write it without any escaping, so nothing of it may begin a new line; and it must not come to look
/// like somebody else's, so what could is replaced and not left out.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let breaks_lines = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.replace(breaks_lines, "\u{fffd}")
}

fn claim_value(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Array(items) if items.iter().all(is_scalar) => {
            let items: Vec<String> = items.iter().filter_map(scalar).collect();
            Some(items.join(","))
        }
        Value::Array(_) | Value::Object(_) => Some(STANDARD.encode(value.to_string())),
        _ => scalar(value),
    }
}

const fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(encode(text)),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Percent-encodes what cannot stand in a header value, and `%` itself, so that it can be undone:
/// controls, everything beyond ASCII, and blanks at the ends, which proxies drop. Commas too: they
/// stand between the items of a list, and no person may write themselves one more.
pub fn encode(text: &str) -> String {
    if portero_fast::is_plain_value(text.as_bytes()) {
        return text.to_owned();
    }
    let last = text.len().saturating_sub(1);
    let mut encoded = String::with_capacity(text.len());
    for (index, byte) in text.bytes().enumerate() {
        let plain = match byte {
            b' ' => index != 0 && index != last,
            b'%' | b',' => false,
            _ => byte.is_ascii_graphic(),
        };
        if plain {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn lookup<'a>(claims: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    match follow(claims, path) {
        Found::Value(value) => Some(value),
        Found::Nothing | Found::Blocked { .. } => None,
    }
}

#[cfg(test)]
mod tests;
