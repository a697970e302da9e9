//! The provider and what Portero is to it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::fault::At;
use super::super::words::Given;
use super::super::{AccessTokenPolicy, Clusters, Endpoints, Provider, defaults, raw};
use super::Check;
use crate::endpoint::Endpoint;

pub(super) const MOST_ENTRIES: usize = 64;
const MOST_PROVIDERS: usize = 32;
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Check<'_> {
    /// The provider that logs people in, or the first; and all others.
    pub(super) fn providers(
        &mut self,
        at: &At<'_>,
        raw: Given<BTreeMap<String, raw::Provider>>,
    ) -> Option<(Provider, Vec<Provider>)> {
        let raw = self.given(at, raw, "an object with a provider")?;
        self.at_most(at, raw.len(), MOST_PROVIDERS)?;
        if raw.is_empty() && !self.ledger.has_pruned_child(&at.place()) {
            self.fault(at, "is empty; accepted: at least one provider");
        }
        let mut complete = true;
        let mut providers: Vec<Provider> = Vec::with_capacity(raw.len());
        for (name, raw) in raw {
            let at = at.key(&name);
            let Some(provider) = self.provider(&at, &name, raw) else {
                complete = false;
                continue;
            };
            if providers
                .iter()
                .any(|other| other.issuer == provider.issuer)
            {
                self.fault(
                    &at.key("issuer"),
                    "is the issuer of another provider; accepted: each issuer once",
                );
            }
            if provider.client.is_some() && providers.iter().any(|other| other.client.is_some()) {
                self.fault(&at.key("client"), "is the second of the configuration; accepted: one provider with a `client`, where people log in");
            }
            let is_asked = |provider: &Provider| provider.introspection().is_some();
            if is_asked(&provider) && providers.iter().any(is_asked) {
                self.fault(&at.key("access_tokens").key("introspection"), "is the second of the configuration, and nobody can see whose an opaque token is; accepted: one provider with `introspection`");
            }
            providers.push(provider);
        }
        if !complete || providers.is_empty() {
            return None;
        }
        let first = providers.iter().position(|one| one.client.is_some());
        let first = providers.remove(first.unwrap_or_default());
        Some((first, providers))
    }

    fn provider(&mut self, at: &At<'_>, name: &str, raw: raw::Provider) -> Option<Provider> {
        let name = self.plain_name(at, name, "provider");
        if raw.client.is_none() && !self.is_taken_out(&at.key("client")) {
            self.without_client(at, &raw);
        }
        let insecure = self.loosened(
            &at.key("insecure_allow_http"),
            raw.insecure_allow_http,
            "the provider may be reached without TLS: whoever can change that traffic can log in as anybody",
        );
        // While it is unknown whether http is allowed, nobody is blamed for it.
        let allow_http = insecure.unwrap_or(true);
        let issuer = self.required(
            &at.key("issuer"),
            raw.issuer,
            "an https URL",
            |check, at, text| check.issuer(at, text, allow_http),
        );
        let endpoints = self.endpoints(
            &at.key("endpoints"),
            raw.endpoints.unwrap_or_default(),
            allow_http,
        );
        let client = match raw.client {
            None => self.or(&at.key("client"), None, None),
            Some(raw) => self.client(&at.key("client"), raw).map(Some),
        };
        let access_tokens_at = at.key("access_tokens");
        let access_tokens = match raw.access_tokens {
            None => self.or(&access_tokens_at, None, None),
            Some(raw) => {
                let client = client.as_ref().and_then(Option::as_ref);
                self.access_tokens(&access_tokens_at, raw, client).map(Some)
            }
        };
        let says_all =
            |policy: &AccessTokenPolicy| !policy.keys.is_empty() && policy.introspection.is_none();
        let says_all = matches!(&access_tokens, Some(Some(policy)) if says_all(policy));
        let is_asked = !says_all || !matches!(client, Some(None));
        let clusters = self.clusters(at, raw.cluster, raw.clusters.unwrap_or_default(), is_asked);
        let scopes = self.scopes(&at.key("scopes"), raw.scopes);
        let resources_at = at.key("resources");
        let resources = self
            .or(&resources_at, raw.resources, Vec::new())
            .and_then(|raw| self.distinct(&resources_at, raw, MOST_ENTRIES, Self::resource));
        let authorization_params =
            self.authorization_params(&at.key("authorization_params"), raw.authorization_params);
        let authentication = authorization_params.as_deref().and_then(|parameters| {
            self.asked_of_authentication(&at.key("authorization_params"), parameters)
        });
        let id_token = self.id_token(&at.key("id_token"), raw.id_token.unwrap_or_default());
        let userinfo = self.or(&at.key("userinfo"), raw.userinfo, true);
        let claims_at = at.key("access_token_claims");
        let access_token_claims = self.or(&claims_at, raw.access_token_claims, false);
        if access_token_claims == Some(true) && matches!(access_tokens, Some(None)) {
            self.fault(&claims_at, "reads access tokens, and nothing says what they must be like; accepted: `access_token_claims` beside `access_tokens`");
        }
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
        let without_iss = self.loosened(
            &at.key("insecure_frontchannel_logout_without_iss"),
            raw.insecure_frontchannel_logout_without_iss,
            "a front-channel logout needs no `iss`: whoever has learned somebody's `sid` can log them out from a page whose frames bring the session cookie",
        );
        let without_exp = self.loosened(
            &at.key("insecure_logout_token_without_exp"),
            raw.insecure_logout_token_without_exp,
            "a logout token needs no `exp`: it then counts for two minutes from its `iat`, whatever the provider had in mind",
        );
        Some(Provider {
            name: name?,
            issuer: issuer?,
            clusters: clusters?,
            endpoints: endpoints?,
            client: client?,
            access_tokens: access_tokens?,
            issues_upstream_tokens: false,
            scopes: scopes?,
            resources: resources?,
            authorization_params: authorization_params?,
            authentication: authentication?,
            id_token: id_token?,
            userinfo: userinfo?,
            access_token_claims: access_token_claims?,
            timeout: timeout?,
            refresh_interval: refresh_interval?,
            unknown_key_cooldown: unknown_key_cooldown?,
            insecure_allow_http: insecure?,
            insecure_frontchannel_logout_without_iss: without_iss?,
            insecure_logout_token_without_exp: without_exp?,
        })
    }

    /// A word that loosens a check, and is told where it does.
    pub(super) fn loosened(
        &mut self,
        at: &At<'_>,
        raw: Option<bool>,
        warning: &str,
    ) -> Option<bool> {
        let is_loosened = self.or(at, raw, false);
        if is_loosened == Some(true) {
            self.warn(at, warning);
        }
        is_loosened
    }

    /// What is written at a provider where nobody logs in.
    fn without_client(&mut self, at: &At<'_>, raw: &raw::Provider) {
        let about_logins = [
            ("scopes", raw.scopes.is_some()),
            ("resources", raw.resources.is_some()),
            ("authorization_params", raw.authorization_params.is_some()),
            ("id_token", raw.id_token.is_some()),
            ("userinfo", raw.userinfo.is_some()),
            ("access_token_claims", raw.access_token_claims.is_some()),
        ];
        for (key, is_there) in about_logins {
            if is_there {
                self.fault(&at.key(key), "is about logging in, and this provider has no `client`; accepted: both, or neither");
            }
        }
    }

    /// `at` is the provider; `is_asked` where it is asked for anything.
    fn clusters(
        &mut self,
        at: &At<'_>,
        cluster: Option<String>,
        raw: raw::Clusters,
        is_asked: bool,
    ) -> Option<Clusters> {
        let cluster_at = at.key("cluster");
        let cluster = match cluster {
            Some(text) => self.text(&cluster_at, text),
            None if is_asked => self.required(
                &cluster_at,
                Given(None),
                "the name of an Envoy cluster",
                Self::text,
            ),
            None => self.or(&cluster_at, None, String::new()),
        };
        let at = at.key("clusters");
        let mut read = |name: &str, text: Option<String>| -> Option<String> {
            let at = at.key(name);
            match text {
                None => self.or(&at, None, cluster.clone()?),
                Some(text) => self.text(&at, text),
            }
        };
        let discovery = read("discovery", raw.discovery);
        let token = read("token", raw.token);
        let jwks = read("jwks", raw.jwks);
        let userinfo = read("userinfo", raw.userinfo);
        let introspection = read("introspection", raw.introspection);
        // With all of them written, nothing would miss it.
        cluster?;
        Some(Clusters {
            discovery: discovery?,
            token: token?,
            jwks: jwks?,
            userinfo: userinfo?,
            introspection: introspection?,
        })
    }

    /// The name of a thing of this kind.
    pub(super) fn plain_name(&mut self, at: &At<'_>, name: &str, kind: &str) -> Option<String> {
        let plain = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !plain {
            self.fault(
                at,
                format!(
                    "is not a name for a {kind}; accepted: 1 to 64 letters, digits, `_` and `-`"
                ),
            );
        }
        plain.then(|| name.to_owned())
    }

    pub(super) fn issuer(&mut self, at: &At<'_>, text: String, allow_http: bool) -> Option<String> {
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

    pub(super) fn endpoint(
        &mut self,
        at: &At<'_>,
        text: &str,
        allow_http: bool,
    ) -> Option<Endpoint> {
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
        let revocation = read("revocation", raw.revocation);
        let introspection = read("introspection", raw.introspection);
        Some(Endpoints {
            authorization: authorization?,
            token: token?,
            jwks: jwks?,
            userinfo: userinfo?,
            end_session: end_session?,
            revocation: revocation?,
            introspection: introspection?,
        })
    }
}
