//! How the provider is asked about access tokens.

use std::time::Duration;

use super::super::fault::At;
use super::super::{
    Client, ClientAuthentication, IntrospectionCredentials, IntrospectionPolicy, defaults, raw,
};
use super::Check;

const LONGEST_CACHE: Duration = Duration::from_secs(60 * 60);
const LONGEST_CACHE_INACTIVE: Duration = Duration::from_secs(60);

impl Check<'_> {
    /// `client` is the provider's own.
    pub(super) fn introspection(
        &mut self,
        at: &At<'_>,
        raw: raw::Introspection,
        client: Option<&Client>,
    ) -> Option<IntrospectionPolicy> {
        let client_at = at.key("client");
        let bearer_at = at.key("bearer_token");
        let credentials = match (raw.client, raw.bearer_token) {
            (Some(_), Some(_)) => {
                self.fault(
                    &bearer_at,
                    "stands beside a `client`; accepted: one of the two",
                );
                None
            }
            (Some(raw), None) => self
                .client(&client_at, raw)
                .map(IntrospectionCredentials::Client),
            (None, Some(secret)) => self.secret(&bearer_at, secret).and_then(|token| {
                let is_token = token.expose().bytes().all(|byte| byte.is_ascii_graphic());
                if !is_token {
                    self.fault(&bearer_at, "has characters that no token has; accepted: printable ASCII characters without spaces");
                }
                is_token.then_some(IntrospectionCredentials::Bearer(token))
            }),
            (None, None) if client.is_some() => self
                .or(&client_at, None, ())
                .and_then(|()| self.or(&bearer_at, None, IntrospectionCredentials::ProviderClient)),
            (None, None) => {
                if !self.is_taken_out(&client_at) && !self.is_taken_out(&bearer_at) {
                    self.missing(
                        &client_at,
                        "the client that asks, or a `bearer_token`, where the provider has no `client`",
                    );
                }
                None
            }
        };
        let asking = match &credentials {
            Some(IntrospectionCredentials::Client(own)) => Some(own),
            Some(IntrospectionCredentials::ProviderClient) => client,
            Some(IntrospectionCredentials::Bearer(_)) | None => None,
        };
        if asking.is_some_and(|asking| matches!(asking.authentication, ClientAuthentication::None))
        {
            self.fault(&client_at, "does not prove who it is, and no provider tells anybody about tokens (RFC 7662); accepted: a client with a secret or a key, or a `bearer_token`");
        }
        let cache = self.span(
            &at.key("cache"),
            raw.cache,
            defaults::INTROSPECTION_CACHE,
            Duration::ZERO..=LONGEST_CACHE,
        );
        let cache_inactive = self.span(
            &at.key("cache_inactive"),
            raw.cache_inactive,
            defaults::INTROSPECTION_CACHE_INACTIVE,
            Duration::ZERO..=LONGEST_CACHE_INACTIVE,
        );
        let jwt = self.or(&at.key("jwt"), raw.jwt, false);
        let without_audience = self.loosened(
            &at.key("insecure_allow_missing_audience"),
            raw.insecure_allow_missing_audience,
            "a token counts although the provider does not say whom it is for: whoever gets one for another service can use it here",
        );
        Some(IntrospectionPolicy {
            credentials: credentials?,
            cache: cache?,
            cache_inactive: cache_inactive?,
            jwt: jwt?,
            insecure_allow_missing_audience: without_audience?,
        })
    }
}
