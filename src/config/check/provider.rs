//! The provider and what Portero is to it.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::super::fault::At;
use super::super::words::{Given, TextOrList};
use super::super::{
    Client, ClientAuthentication, Endpoints, IdTokenPolicy, Provider, defaults, raw,
};
use super::Check;
use crate::endpoint::Endpoint;
use crate::jose::Algorithm;

const MOST_ENTRIES: usize = 64;
const LONGEST_TEXT: usize = 2048;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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

impl Check<'_> {
    pub(super) fn providers(
        &mut self,
        at: &At<'_>,
        raw: Given<BTreeMap<String, raw::Provider>>,
    ) -> Option<Provider> {
        let raw = self.given(at, raw, "an object with one provider")?;
        let count = raw.len();
        if count != 1 && !self.ledger.has_pruned_child(&at.place()) {
            self.fault(
                at,
                format!("has {count} entries; accepted: exactly one provider in this version"),
            );
        }
        // Each is checked, so that the faults of all are told.
        let mut checked = raw
            .into_iter()
            .map(|(name, raw)| {
                let at = at.key(&name);
                self.provider(&at, &name, raw)
            })
            .collect::<Vec<_>>();
        checked.pop().flatten()
    }

    fn provider(&mut self, at: &At<'_>, name: &str, raw: raw::Provider) -> Option<Provider> {
        let name = self.provider_name(at, name);
        let insecure_at = at.key("insecure_allow_http");
        let insecure = self.or(&insecure_at, raw.insecure_allow_http, false);
        if insecure == Some(true) {
            self.warn(&insecure_at, "the provider may be reached without TLS: whoever can change that traffic can log in as anybody");
        }
        // While it is unknown whether http is allowed, nobody is blamed for it.
        let allow_http = insecure.unwrap_or(true);
        let issuer = self
            .given(&at.key("issuer"), raw.issuer, "an https URL")
            .and_then(|text| self.issuer(&at.key("issuer"), text, allow_http));
        let cluster = self
            .given(
                &at.key("cluster"),
                raw.cluster,
                "the name of an Envoy cluster",
            )
            .and_then(|text| self.text(&at.key("cluster"), text));
        let endpoints = self.endpoints(
            &at.key("endpoints"),
            raw.endpoints.unwrap_or_default(),
            allow_http,
        );
        let client = self
            .given(
                &at.key("client"),
                raw.client,
                "an object with `id` and `authentication`",
            )
            .and_then(|raw| self.client(&at.key("client"), raw));
        let scopes = self.scopes(&at.key("scopes"), raw.scopes);
        let resources_at = at.key("resources");
        let resources = self
            .or(&resources_at, raw.resources, Vec::new())
            .and_then(|raw| self.distinct(&resources_at, raw, MOST_ENTRIES, Self::resource));
        let authorization_params =
            self.authorization_params(&at.key("authorization_params"), raw.authorization_params);
        let id_token = self.id_token(&at.key("id_token"), raw.id_token.unwrap_or_default());
        let timeout = self.span(
            &at.key("timeout"),
            raw.timeout,
            defaults::TIMEOUT,
            Duration::from_millis(100)..=Duration::from_secs(60),
        );
        let refresh_interval = self.span(
            &at.key("refresh_interval"),
            raw.refresh_interval,
            defaults::REFRESH_INTERVAL,
            Duration::from_secs(10)..=DAY,
        );
        let unknown_key_cooldown = self.span(
            &at.key("unknown_key_cooldown"),
            raw.unknown_key_cooldown,
            defaults::UNKNOWN_KEY_COOLDOWN,
            Duration::from_secs(1)..=Duration::from_secs(60 * 60),
        );
        Some(Provider {
            name: name?,
            issuer: issuer?,
            cluster: cluster?,
            endpoints: endpoints?,
            client: client?,
            scopes: scopes?,
            resources: resources?,
            authorization_params: authorization_params?,
            id_token: id_token?,
            timeout: timeout?,
            refresh_interval: refresh_interval?,
            unknown_key_cooldown: unknown_key_cooldown?,
            insecure_allow_http: insecure?,
        })
    }

    fn provider_name(&mut self, at: &At<'_>, name: &str) -> Option<String> {
        let plain = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !plain {
            self.fault(
                at,
                "is not a name for a provider; accepted: 1 to 64 letters, digits, `_` and `-`",
            );
        }
        plain.then(|| name.to_owned())
    }

    fn issuer(&mut self, at: &At<'_>, text: String, allow_http: bool) -> Option<String> {
        self.endpoint(at, &text, allow_http)?;
        if text.contains('?') {
            self.fault(
                at,
                "carries a query; accepted: a URL without query and fragment",
            );
            return None;
        }
        Some(text)
    }

    fn endpoint(&mut self, at: &At<'_>, text: &str, allow_http: bool) -> Option<Endpoint> {
        // The parser would repair these, and the provider would not recognise the result.
        let result = if text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        {
            Endpoint::parse(text, allow_http).map_err(|fault| {
                let scheme = if allow_http { "http or https" } else { "https" };
                format!(
                    "{fault}; accepted: an absolute {scheme} URL without user information and fragment"
                )
            })
        } else {
            Err("contains a character that no URL has; accepted: visible ASCII characters except `\\`".to_owned())
        };
        self.accept(at, result)
    }

    fn endpoints(
        &mut self,
        at: &At<'_>,
        raw: raw::Endpoints,
        allow_http: bool,
    ) -> Option<Endpoints> {
        let mut read = |name: &str, text: Option<String>| -> Option<Option<Endpoint>> {
            let at = at.key(name);
            match text {
                None => self.or(&at, None, None),
                Some(text) => self.endpoint(&at, &text, allow_http).map(Some),
            }
        };
        let authorization = read("authorization", raw.authorization);
        let token = read("token", raw.token);
        let jwks = read("jwks", raw.jwks);
        let userinfo = read("userinfo", raw.userinfo);
        let end_session = read("end_session", raw.end_session);
        Some(Endpoints {
            authorization: authorization?,
            token: token?,
            jwks: jwks?,
            userinfo: userinfo?,
            end_session: end_session?,
        })
    }

    fn client(&mut self, at: &At<'_>, raw: raw::Client) -> Option<Client> {
        let id = self
            .given(
                &at.key("id"),
                raw.id,
                "the client identifier that the provider gave",
            )
            .and_then(|text| self.text(&at.key("id"), text));
        let at = at.key("authentication");
        let authentication = self
            .given(
                &at,
                raw.authentication,
                "an object with one of client_secret_basic, client_secret_post, none",
            )
            .and_then(|raw| self.authentication(&at, raw));
        Some(Client {
            id: id?,
            authentication: authentication?,
        })
    }

    fn authentication(
        &mut self,
        at: &At<'_>,
        raw: raw::ClientAuthentication,
    ) -> Option<ClientAuthentication> {
        let (method, secret, basic) = match raw {
            raw::ClientAuthentication::None {} => return Some(ClientAuthentication::None),
            raw::ClientAuthentication::ClientSecretBasic { secret } => {
                ("client_secret_basic", secret, true)
            }
            raw::ClientAuthentication::ClientSecretPost { secret } => {
                ("client_secret_post", secret, false)
            }
        };
        let at = at.key(method);
        let at = at.key("secret");
        let secret = self.given(&at, secret, "a string, or {\"env\": \"NAME\"}")?;
        let secret = self.secret(&at, secret)?;
        Some(if basic {
            ClientAuthentication::ClientSecretBasic { secret }
        } else {
            ClientAuthentication::ClientSecretPost { secret }
        })
    }

    fn scopes(&mut self, at: &At<'_>, raw: Option<Vec<Given<String>>>) -> Option<Vec<String>> {
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

    fn resource(&mut self, at: &At<'_>, text: String) -> Option<String> {
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

    fn authorization_params(
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
            let named = self.accept(&at, parameter_name(&name));
            match (named, self.parameter_value(&at, value)) {
                (Some(()), Some(value)) => parameters.push((name, value)),
                _ => complete = false,
            }
        }
        complete.then_some(parameters)
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

    fn id_token(&mut self, at: &At<'_>, raw: raw::IdToken) -> Option<IdTokenPolicy> {
        let algorithms = self.algorithms(&at.key("algorithms"), raw.algorithms);
        let audiences_at = at.key("trusted_audiences");
        let trusted_audiences = self
            .or(&audiences_at, raw.trusted_audiences, Vec::new())
            .and_then(|raw| self.distinct(&audiences_at, raw, MOST_ENTRIES, Self::text));
        let clock_skew = self.span(
            &at.key("clock_skew"),
            raw.clock_skew,
            defaults::CLOCK_SKEW,
            Duration::ZERO..=Duration::from_secs(5 * 60),
        );
        let max_age = self.span(
            &at.key("max_age"),
            raw.max_age,
            defaults::MAX_AGE,
            Duration::from_secs(1)..=DAY,
        );
        Some(IdTokenPolicy {
            algorithms: algorithms?,
            trusted_audiences: trusted_audiences?,
            clock_skew: clock_skew?,
            max_age: max_age?,
        })
    }

    fn algorithms(
        &mut self,
        at: &At<'_>,
        raw: Option<Vec<Given<String>>>,
    ) -> Option<Vec<Algorithm>> {
        let names = Algorithm::ALL.map(Algorithm::name).join(", ");
        match raw {
            None => self.or(at, None, Algorithm::ALL.to_vec()),
            Some(raw) if raw.is_empty() => {
                self.fault(at, format!("is empty; accepted: one or more of {names}"));
                None
            }
            Some(raw) => self.distinct(at, raw, MOST_ENTRIES, |check, at, name: String| {
                check.accept(
                    at,
                    Algorithm::from_name(&name).ok_or_else(|| {
                        format!("is not an algorithm that can be trusted; accepted: {names}")
                    }),
                )
            }),
        }
    }

    /// A text that is not empty and has no control characters.
    fn text(&mut self, at: &At<'_>, text: String) -> Option<String> {
        let problem = if text.is_empty() {
            "is empty; accepted: a text".to_owned()
        } else if text.len() > LONGEST_TEXT {
            format!("is too long; accepted: at most {LONGEST_TEXT} bytes")
        } else if text.chars().any(char::is_control) {
            "contains a control character; accepted: a text on one line".to_owned()
        } else {
            return Some(text);
        };
        self.fault(at, problem);
        None
    }
}

/// Checks a scope-token (RFC 6749 section 3.3).
fn scope(text: &str) -> Result<(), &'static str> {
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if text.is_empty() || text.len() > LONGEST_TEXT || !text.bytes().all(fits) {
        return Err(
            "is not a scope; accepted: visible ASCII characters without space, `\"` and `\\`",
        );
    }
    Ok(())
}

fn parameter_name(name: &str) -> Result<(), String> {
    if OWN_PARAMETERS.contains(&name) {
        return Err("is a parameter that Portero sends or must not send; accepted: other parameters, and `scopes` and `resources` for theirs".to_owned());
    }
    if name.is_empty() || name.len() > 128 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("is not a parameter's name; accepted: visible ASCII characters".to_owned());
    }
    Ok(())
}
