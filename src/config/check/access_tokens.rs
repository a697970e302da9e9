//! What access tokens of an issuer must be like.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::super::fault::At;
use super::super::words::{Given, SecretText};
use super::super::{AccessTokenPolicy, AccessTokenProfile, Client, raw};
use super::Check;
use super::provider::{DAY, MOST_ENTRIES};
use crate::jose::{Algorithm, Jwk, JwkSet, MAX_CANDIDATES};

impl Check<'_> {
    /// `client` is the provider's own.
    pub(super) fn access_tokens(
        &mut self,
        at: &At<'_>,
        raw: raw::AccessTokens,
        client: Option<&Client>,
    ) -> Option<AccessTokenPolicy> {
        let audiences = self.required(
            &at.key("audiences"),
            raw.audiences,
            "a list of the names that the provider has for what is protected here",
            Self::audiences,
        );
        let profile = self.or(
            &at.key("profile"),
            raw.profile.map(|word| match word {
                raw::AccessTokenProfile::Rfc9068 => AccessTokenProfile::Rfc9068,
                raw::AccessTokenProfile::Lenient => AccessTokenProfile::Lenient,
            }),
            AccessTokenProfile::Rfc9068,
        );
        let keys_at = at.key("keys");
        let keys = match raw.keys {
            None => self.or(&keys_at, None, Vec::new()),
            Some(raw) if raw.is_empty() => {
                self.fault(
                    &keys_at,
                    "is empty; accepted: leave it out for the keys that the provider publishes",
                );
                None
            }
            Some(raw) => self.each(&keys_at, raw, MOST_ENTRIES, Self::access_token_key),
        };
        let algorithms = self.algorithms(&at.key("algorithms"), raw.algorithms);
        let clock_skew = self.clock_skew(&at.key("clock_skew"), raw.clock_skew);
        let max_lifetime_at = at.key("max_lifetime");
        let max_lifetime = match raw.max_lifetime {
            None => self.or(&max_lifetime_at, None, None),
            Some(span) => {
                let range = Duration::from_secs(1)..=DAY.saturating_mul(365);
                self.span(&max_lifetime_at, Some(span), DAY, range)
                    .map(Some)
            }
        };
        let introspection_at = at.key("introspection");
        let introspection = match raw.introspection {
            None => self.or(&introspection_at, None, None),
            Some(raw) => self.introspection(&introspection_at, raw, client).map(Some),
        };
        let require_consumer = self.or(&at.key("require_consumer"), raw.require_consumer, false);
        let client_ids: Vec<String> = client.map(|client| client.id.clone()).into_iter().collect();
        if let Some(audiences) = &audiences
            && audiences
                .iter()
                .any(|audience| client_ids.contains(audience))
        {
            self.warn(
                &at.key("audiences"),
                "names the client that people log in with, whose ID tokens have the same audience: tokens that do not say that they are access tokens are refused for it",
            );
        }
        let (mut algorithms, keys) = (algorithms?, keys?);
        for algorithm in Algorithm::ASYMMETRIC
            .into_iter()
            .chain(Algorithm::SYMMETRIC)
        {
            let unnamed = keys
                .iter()
                .filter(|(key, _)| key.key_id().is_none() && key.supports(algorithm));
            if unnamed.count() > MAX_CANDIDATES {
                let name = algorithm.name();
                self.fault(&keys_at, format!("has more keys for {name} that have no `kid` than are tried on a token; accepted: at most {MAX_CANDIDATES} for an algorithm, or keys as JWK with `kid`"));
                break;
            }
        }
        for (_, algorithm) in &keys {
            algorithms.extend(algorithm);
        }
        Some(AccessTokenPolicy {
            audiences: audiences?,
            profile: profile?,
            algorithms,
            keys: keys.into_iter().map(|(key, _)| key).collect::<JwkSet>(),
            clock_skew: clock_skew?,
            max_lifetime: max_lifetime?,
            require_consumer: require_consumer?,
            client_ids,
            introspection: introspection?,
        })
    }

    fn audiences(&mut self, at: &At<'_>, raw: Vec<Given<String>>) -> Option<Vec<String>> {
        if raw.is_empty() {
            self.fault(
                at,
                "is empty, and no token would count; accepted: at least one name",
            );
            return None;
        }
        self.distinct(at, raw, MOST_ENTRIES, Self::text)
    }

    /// The key, and its algorithm where that is symmetric.
    fn access_token_key(
        &mut self,
        at: &At<'_>,
        raw: raw::AccessTokenKey,
    ) -> Option<(Jwk, Option<Algorithm>)> {
        let (at, key) = match raw {
            raw::AccessTokenKey::Pem(text) => (at.key("pem"), Jwk::from_pem(&text)),
            raw::AccessTokenKey::Jwk(members) => {
                let mut jwk = Map::new();
                jwk.extend(members);
                let jwk = Value::Object(jwk).to_string();
                (at.key("jwk"), Jwk::from_json(jwk.as_bytes()))
            }
            raw::AccessTokenKey::Secret {
                value,
                algorithm,
                base64,
            } => {
                let at = at.key("secret");
                let key = self.secret_key(&at, value, algorithm, base64.unwrap_or(false));
                return key.map(|(key, algorithm)| (key, Some(algorithm)));
            }
        };
        let key = self.accept(&at, key.map_err(|fault| fault.to_string()));
        key.map(|key| (key, None))
    }

    fn secret_key(
        &mut self,
        at: &At<'_>,
        value: Given<SecretText>,
        algorithm: Given<String>,
        is_base64: bool,
    ) -> Option<(Jwk, Algorithm)> {
        let value_at = at.key("value");
        let value = self.written_secret(&value_at, value);
        let names = Algorithm::SYMMETRIC.map(Algorithm::name).join(", ");
        let algorithm = self.required(
            &at.key("algorithm"),
            algorithm,
            &names,
            |check, at, name: String| {
                let algorithm = Algorithm::from_name(&name).filter(|known| known.is_symmetric());
                check.accept(
                    at,
                    algorithm.ok_or_else(|| {
                        format!("is not an algorithm for secrets; accepted: {names}")
                    }),
                )
            },
        );
        let (value, algorithm) = (value?, algorithm?);
        let bytes = match is_base64 {
            false => Ok(value.expose().clone().into_bytes()),
            true => STANDARD.decode(value.expose()).map_err(|_| "is not base64; accepted: base64 with padding, or the secret itself without `base64`"),
        };
        let bytes = self.accept(&value_at, bytes)?;
        let key = Jwk::from_secret(&bytes, algorithm);
        let key = self.accept(&value_at, key.map_err(|fault| fault.to_string()));
        key.map(|key| (key, algorithm))
    }
}
