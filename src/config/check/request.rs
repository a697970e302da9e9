//! What a login asks the provider for.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::super::fault::At;
use super::super::words::{Given, TextOrList};
use super::super::{AuthenticationDemand, defaults};
use super::provider::MOST_ENTRIES;
use super::{Check, LONGEST_TEXT};

/// The parameters of an authorization request that Portero sends itself, or that would replace
/// what it sends.
const OWN_PARAMETERS: [&str; 12] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// The longest `max_age`, in seconds: a year.
pub(super) const LONGEST_MAX_AGE: u64 = 31_536_000;

impl Check<'_> {
    pub(super) fn scopes(
        &mut self,
        at: &At<'_>,
        raw: Option<Vec<Given<String>>>,
    ) -> Option<Vec<String>> {
        let Some(raw) = raw else {
            return self.or(at, None, defaults::SCOPES.map(str::to_owned).to_vec());
        };
        let scopes = self.distinct(at, raw, MOST_ENTRIES, |check, at, text: String| {
            check.accept(at, scope(&text).map(|()| text))
        })?;
        if !scopes.iter().any(|scope| scope == "openid") {
            self.fault(
                at,
                "does not contain `openid`; accepted: a list with `openid` in it",
            );
            return None;
        }
        Some(scopes)
    }

    pub(super) fn resource(&mut self, at: &At<'_>, text: String) -> Option<String> {
        let uri = text.bytes().all(|byte| byte.is_ascii_graphic()) && Url::parse(&text).is_ok();
        if !uri || text.contains('#') || text.len() > LONGEST_TEXT {
            self.fault(
                at,
                "is not a resource indicator; accepted: an absolute URI without fragment",
            );
            return None;
        }
        Some(text)
    }

    pub(super) fn authorization_params(
        &mut self,
        at: &At<'_>,
        raw: Option<BTreeMap<String, TextOrList>>,
    ) -> Option<Vec<(String, String)>> {
        let raw = self.or(at, raw, BTreeMap::new())?;
        self.at_most(at, raw.len(), MOST_ENTRIES)?;
        let mut complete = true;
        let mut parameters = Vec::with_capacity(raw.len());
        for (name, value) in raw {
            let at = at.key(&name);
            let named = self.accept(&at, authorization_parameter(&name));
            match (named, self.parameter_value(&at, value)) {
                (Some(()), Some(value)) => parameters.push((name, value)),
                _ => complete = false,
            }
        }
        complete.then_some(parameters)
    }

    /// Of `parameters`, what an ID token has to answer: `max_age` and `acr_values`.
    pub(super) fn asked_of_authentication(
        &mut self,
        at: &At<'_>,
        parameters: &[(String, String)],
    ) -> Option<AuthenticationDemand> {
        let find = |wanted: &str| {
            let mut named = parameters.iter().filter(|(name, _)| name == wanted);
            named.next().map(|(_, value)| value.as_str())
        };
        let max_age = match find("max_age") {
            None => Some(None),
            Some(text) => self
                .accept(&at.key("max_age"), seconds(text))
                .map(|seconds| Some(Duration::from_secs(seconds))),
        };
        let acr_values = match find("acr_values") {
            None => Some(Vec::new()),
            Some(text) => self.accept(&at.key("acr_values"), classes(text)),
        };
        Some(AuthenticationDemand {
            max_age: max_age?,
            acr_values: acr_values?,
        })
    }

    fn parameter_value(&mut self, at: &At<'_>, raw: TextOrList) -> Option<String> {
        match raw {
            TextOrList::Text(text) => self.text(at, text),
            TextOrList::List(items) if items.is_empty() => {
                self.fault(at, "is empty; accepted: a string, or a list of strings");
                None
            }
            TextOrList::List(items) => self
                .each(at, items, MOST_ENTRIES, |check, at, text: String| {
                    let text = check.text(at, text)?;
                    if text.contains(' ') {
                        check.fault(at, "contains a space, which separates the items of a list; accepted: items without spaces");
                        return None;
                    }
                    Some(text)
                })
                .map(|items| items.join(" ")),
        }
    }
}

fn seconds(text: &str) -> Result<u64, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|seconds| digits && *seconds <= LONGEST_MAX_AGE)
        .ok_or_else(|| {
            format!("is not an age in seconds; accepted: a whole number from 0 to {LONGEST_MAX_AGE}, as a string")
        })
}

fn classes(text: &str) -> Result<Vec<String>, &'static str> {
    let classes: Vec<String> = text
        .split(' ')
        .filter(|class| !class.is_empty())
        .map(str::to_owned)
        .collect();
    if classes.is_empty() {
        return Err(
            "names no class; accepted: a list of them, or a string with spaces between them",
        );
    }
    Ok(classes)
}

/// Checks a scope-token (RFC 6749 section 3.3).
pub(super) fn scope(text: &str) -> Result<(), &'static str> {
    if !is_quotable(text) {
        return Err(
            "is not a scope; accepted: visible ASCII characters without space, `\"` and `\\`",
        );
    }
    Ok(())
}

/// Whether `text` can be one of several words in a quoted string, such as a challenge has.
pub(super) fn is_quotable(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    (1..=LONGEST_TEXT).contains(&text.len()) && text.bytes().all(fits)
}

fn authorization_parameter(name: &str) -> Result<(), String> {
    if OWN_PARAMETERS.contains(&name) {
        return Err("is a parameter that Portero sends or must not send; accepted: other parameters, and `scopes` and `resources` for theirs".to_owned());
    }
    check_parameter_name(name)
}

/// Checks the name of a parameter, whosever it is.
pub(super) fn check_parameter_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > 128 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("is not a parameter's name; accepted: visible ASCII characters".to_owned());
    }
    Ok(())
}
