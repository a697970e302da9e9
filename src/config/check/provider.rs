//! The provider and what Portero is to it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::fault::At;
use super::super::words::Given;
use super::super::{Clusters, Endpoints, Provider, defaults, raw};
use super::Check;
use crate::endpoint::Endpoint;

pub(super) const MOST_ENTRIES: usize = 64;
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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
        let clusters = self.clusters(at, raw.cluster, raw.clusters.unwrap_or_default());
        let endpoints = self.endpoints(
            &at.key("endpoints"),
            raw.endpoints.unwrap_or_default(),
            allow_http,
        );
        let client = self.required(
            &at.key("client"),
            raw.client,
            "an object with `id` and `authentication`",
            Self::client,
        );
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
            scopes: scopes?,
            resources: resources?,
            authorization_params: authorization_params?,
            authentication: authentication?,
            id_token: id_token?,
            userinfo: userinfo?,
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

    /// `at` is the provider.
    fn clusters(
        &mut self,
        at: &At<'_>,
        cluster: Given<String>,
        raw: raw::Clusters,
    ) -> Option<Clusters> {
        let cluster = self.required(
            &at.key("cluster"),
            cluster,
            "the name of an Envoy cluster",
            Self::text,
        );
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
        // With all four written, nothing would miss it.
        cluster?;
        Some(Clusters {
            discovery: discovery?,
            token: token?,
            jwks: jwks?,
            userinfo: userinfo?,
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
        Some(Endpoints {
            authorization: authorization?,
            token: token?,
            jwks: jwks?,
            userinfo: userinfo?,
            end_session: end_session?,
            revocation: revocation?,
        })
    }
}
