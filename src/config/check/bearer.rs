//! Where bearer tokens stand in a request.

use super::super::fault::At;
use super::super::words::Given;
use super::super::{Bearer, BearerHeader, SessionPolicy, defaults, raw};
use super::{Check, header, is_token};

const MOST_PLACES: usize = 16;
const LONGEST_NAME: usize = 128;
const LONGEST_REALM: usize = 256;

/// Schemes whose credentials are no bearer token: a token that is bound to a key counts for nothing
/// without its proof (RFC 9449 section 7.2).
const OTHER_SCHEMES: [&str; 4] = ["basic", "digest", "dpop", "negotiate"];

impl Check<'_> {
    pub(super) fn bearer(
        &mut self,
        at: &At<'_>,
        raw: raw::Bearer,
        session: Option<&SessionPolicy>,
    ) -> Option<Bearer> {
        let headers = self.bearer_headers(&at.key("headers"), raw.headers);
        let cookies = self.texts(
            &at.key("cookies"),
            raw.cookies,
            MOST_PLACES,
            &|check, at, name| check.token_cookie(at, name, session),
        );
        let query_at = at.key("query");
        let query = self.texts(&query_at, raw.query, MOST_PLACES, &Self::token_parameter);
        if query.as_ref().is_some_and(|names| !names.is_empty()) {
            self.warn(
                &query_at,
                "tokens may stand in addresses, which end up in logs and histories; RFC 6750 advises against it",
            );
        }
        let hide = self.or(&at.key("hide"), raw.hide, true);
        let realm_at = at.key("realm");
        let realm = match raw.realm {
            None => self.or(&realm_at, None, None),
            Some(text) => self.accept(&realm_at, realm(&text).map(|()| Some(text))),
        };
        let bearer = Bearer {
            headers: headers?,
            cookies: cookies?,
            query: query?,
            hide: hide?,
            realm: realm?,
        };
        if bearer.headers.is_empty() && bearer.cookies.is_empty() && bearer.query.is_empty() {
            self.fault(
                at,
                "leaves no place for a token; accepted: at least one of `headers`, `cookies` and `query`",
            );
            return None;
        }
        Some(bearer)
    }

    fn bearer_headers(
        &mut self,
        at: &At<'_>,
        raw: Option<Vec<Given<raw::BearerHeader>>>,
    ) -> Option<Vec<BearerHeader>> {
        let Some(raw) = raw else {
            let [name, scheme] = [defaults::BEARER_HEADER, defaults::BEARER_SCHEME];
            let header = BearerHeader {
                name: name.to_owned(),
                scheme: scheme.to_owned(),
            };
            return self.or(at, None, vec![header]);
        };
        let mut seen: Vec<(String, String)> = Vec::new();
        self.each(at, raw, MOST_PLACES, |check, at, raw| {
            let header = check.bearer_header(at, raw)?;
            let place = (header.name.clone(), header.scheme.to_ascii_lowercase());
            if seen.contains(&place) {
                check.fault(at, "is in this list already; accepted: each once");
                return None;
            }
            seen.push(place);
            Some(header)
        })
    }

    fn bearer_header(&mut self, at: &At<'_>, raw: raw::BearerHeader) -> Option<BearerHeader> {
        let name = self.required(
            &at.key("name"),
            raw.name,
            "a header's name, such as `authorization`",
            |check, at, text| check.accept(at, header::source(&text)),
        );
        let scheme_at = at.key("scheme");
        let scheme = self
            .or(&scheme_at, raw.scheme, defaults::BEARER_SCHEME.to_owned())
            .and_then(|text| self.accept(&scheme_at, scheme(&text).map(|()| text)));
        Some(BearerHeader {
            name: name?,
            scheme: scheme?,
        })
    }

    fn token_cookie(
        &mut self,
        at: &At<'_>,
        name: String,
        session: Option<&SessionPolicy>,
    ) -> Option<String> {
        if name.len() > LONGEST_NAME || !is_token(&name) {
            self.fault(
                at,
                "is not a cookie's name; accepted: letters, digits and such as `_` and `-`",
            );
            return None;
        }
        let own = session.map(|session| base(&session.cookie.name));
        // All of Portero's cookies are derived from the session cookie's name.
        let is_own = own.and_then(|own| base(&name).strip_prefix(own));
        if is_own.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-'])) {
            self.fault(
                at,
                "may be a cookie of Portero's own; accepted: a name that is not the session cookie's and does not begin with it",
            );
            return None;
        }
        Some(name)
    }

    fn token_parameter(&mut self, at: &At<'_>, name: String) -> Option<String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(plain) {
            return Some(name);
        }
        self.fault(at, "is not a query parameter's name; accepted: letters, digits, `-`, `.`, `_` and `~`, such as `access_token`");
        None
    }
}

/// A cookie's name without the prefix that browsers understand.
fn base(name: &str) -> &str {
    let prefixes = ["__Host-", "__Secure-"];
    let mut bare = prefixes
        .iter()
        .filter_map(|prefix| name.strip_prefix(prefix));
    bare.next().unwrap_or(name)
}

pub(super) fn scheme(text: &str) -> Result<(), &'static str> {
    const ACCEPTED: &str = "is not a scheme; accepted: a word such as `Bearer`, or \"\" where the token is the whole value";
    if OTHER_SCHEMES
        .iter()
        .any(|other| text.eq_ignore_ascii_case(other))
    {
        return Err("is a scheme whose credentials are no bearer token; accepted: another one");
    }
    match text.is_empty() || (text.len() <= LONGEST_NAME && is_token(text)) {
        true => Ok(()),
        false => Err(ACCEPTED),
    }
}

fn realm(text: &str) -> Result<(), String> {
    let fits = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if (1..=LONGEST_REALM).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(());
    }
    Err(format!(
        "does not fit between quotes; accepted: visible ASCII characters and spaces without `\"` and `\\`, 1 to {LONGEST_REALM}"
    ))
}
