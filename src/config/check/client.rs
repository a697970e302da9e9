//! The client at the provider, and the ID tokens made for it.

use std::time::Duration;

use super::super::fault::At;
use super::super::words::{Given, SecretText, Span};
use super::super::{AssertionAudience, Client, ClientAuthentication, IdTokenPolicy, defaults, raw};
use super::Check;
use super::provider::{DAY, MOST_ENTRIES};
use crate::jose::{Algorithm, SigningKey};
use crate::secret::Secret;

impl Check<'_> {
    pub(super) fn client(&mut self, at: &At<'_>, raw: raw::Client) -> Option<Client> {
        let id = self.client_id(&at.key("id"), raw.id);
        let authentication = self.required(
            &at.key("authentication"),
            raw.authentication,
            "an object with one of client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, none",
            Self::authentication,
        );
        Some(Client {
            id: id?,
            authentication: authentication?,
        })
    }

    pub(super) fn client_id(&mut self, at: &At<'_>, raw: Given<String>) -> Option<String> {
        let accepted = "the client identifier that the provider gave";
        self.required(at, raw, accepted, Self::text)
    }

    fn authentication(
        &mut self,
        at: &At<'_>,
        raw: raw::ClientAuthentication,
    ) -> Option<ClientAuthentication> {
        match raw {
            raw::ClientAuthentication::None {} => Some(ClientAuthentication::None),
            raw::ClientAuthentication::ClientSecretBasic { secret } => {
                let secret =
                    self.written_secret(&at.key("client_secret_basic").key("secret"), secret)?;
                Some(ClientAuthentication::ClientSecretBasic { secret })
            }
            raw::ClientAuthentication::ClientSecretPost { secret } => {
                let secret =
                    self.written_secret(&at.key("client_secret_post").key("secret"), secret)?;
                Some(ClientAuthentication::ClientSecretPost { secret })
            }
            raw::ClientAuthentication::ClientSecretJwt {
                secret,
                algorithm,
                audience,
            } => {
                let at = at.key("client_secret_jwt");
                let algorithm_at = at.key("algorithm");
                let algorithm = match algorithm {
                    None => self.or(&algorithm_at, None, Algorithm::Hs256),
                    Some(name) => self.signing(&algorithm_at, &name, &Algorithm::SYMMETRIC),
                };
                let audience = self.assertion_audience(&at, audience);
                let secret_at = at.key("secret");
                let secret = self.written_secret(&secret_at, secret)?;
                let key = SigningKey::from_secret(secret.expose().as_bytes(), algorithm?);
                Some(ClientAuthentication::Assertion {
                    key: self.accept(&secret_at, key.map_err(|fault| fault.to_string()))?,
                    audience: audience?,
                })
            }
            raw::ClientAuthentication::PrivateKeyJwt {
                key,
                key_id,
                algorithm,
                audience,
            } => {
                let at = at.key("private_key_jwt");
                let audience = self.assertion_audience(&at, audience);
                Some(ClientAuthentication::Assertion {
                    key: self.private_key(&at, key, key_id, algorithm)?,
                    audience: audience?,
                })
            }
            raw::ClientAuthentication::ClientSecretAutomatic { .. } => {
                self.fault(
                    &at.key("client_secret_automatic"),
                    "is for the clients of `upstream_tokens`; accepted: client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, none",
                );
                None
            }
        }
    }

    /// A private key that signs, with its name. `at` is what it belongs to.
    pub(super) fn private_key(
        &mut self,
        at: &At<'_>,
        key: Given<SecretText>,
        key_id: Option<String>,
        algorithm: Option<String>,
    ) -> Option<SigningKey> {
        let algorithm_at = at.key("algorithm");
        let algorithm = match algorithm {
            None => self.or(&algorithm_at, None, None),
            Some(name) => self
                .signing(&algorithm_at, &name, &SigningKey::ALGORITHMS)
                .map(Some),
        };
        let key_id_at = at.key("key_id");
        let key_id = match key_id {
            None => self.or(&key_id_at, None, None),
            Some(id) => self.text(&key_id_at, id).map(Some),
        };
        let key_at = at.key("key");
        let key = self.written_secret(&key_at, key)?;
        let key = SigningKey::parse(key.expose(), algorithm?);
        let key = self.accept(&key_at, key.map_err(|fault| fault.to_string()))?;
        match key_id? {
            None => Some(key),
            Some(id) => {
                let named = key.with_key_id(id).map_err(|fault| fault.to_string());
                self.accept(&key_id_at, named)
            }
        }
    }

    pub(super) fn written_secret(
        &mut self,
        at: &At<'_>,
        secret: Given<SecretText>,
    ) -> Option<Secret<String>> {
        let accepted = "a string, or {\"env\": \"NAME\"}";
        self.required(at, secret, accepted, Self::secret)
    }

    /// An algorithm that signs.
    fn signing(&mut self, at: &At<'_>, name: &str, among: &[Algorithm]) -> Option<Algorithm> {
        let found = Algorithm::from_name(name).filter(|found| among.contains(found));
        if found.is_none() {
            let names: Vec<&str> = among.iter().map(|algorithm| algorithm.name()).collect();
            let names = names.join(", ");
            self.fault(
                at,
                format!("is not an algorithm for this; accepted: {names}"),
            );
        }
        found
    }

    /// `at` is the method.
    fn assertion_audience(
        &self,
        at: &At<'_>,
        raw: Option<raw::AssertionAudience>,
    ) -> Option<AssertionAudience> {
        let word = raw.map(|word| match word {
            raw::AssertionAudience::Issuer => AssertionAudience::Issuer,
            raw::AssertionAudience::TokenEndpoint => AssertionAudience::TokenEndpoint,
        });
        self.or(&at.key("audience"), word, AssertionAudience::Issuer)
    }

    pub(super) fn id_token(&mut self, at: &At<'_>, raw: raw::IdToken) -> Option<IdTokenPolicy> {
        let algorithms = self.algorithms(&at.key("algorithms"), raw.algorithms);
        let audiences_at = at.key("trusted_audiences");
        let trusted_audiences = self
            .or(&audiences_at, raw.trusted_audiences, Vec::new())
            .and_then(|raw| self.distinct(&audiences_at, raw, MOST_ENTRIES, Self::text));
        let clock_skew = self.clock_skew(&at.key("clock_skew"), raw.clock_skew);
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

    pub(super) fn clock_skew(&mut self, at: &At<'_>, raw: Option<Span>) -> Option<Duration> {
        let range = Duration::ZERO..=Duration::from_secs(5 * 60);
        self.span(at, raw, defaults::CLOCK_SKEW, range)
    }

    pub(super) fn algorithms(
        &mut self,
        at: &At<'_>,
        raw: Option<Vec<Given<String>>>,
    ) -> Option<Vec<Algorithm>> {
        let names = Algorithm::ASYMMETRIC.map(Algorithm::name).join(", ");
        match raw {
            None => self.or(at, None, Algorithm::ASYMMETRIC.to_vec()),
            Some(raw) if raw.is_empty() => {
                self.fault(at, format!("is empty; accepted: one or more of {names}"));
                None
            }
            Some(raw) => self.distinct(at, raw, MOST_ENTRIES, |check, at, name: String| {
                check.accept(
                    at,
                    Algorithm::from_name(&name)
                        .filter(|algorithm| !algorithm.is_symmetric())
                        .ok_or_else(|| {
                            format!("is not an algorithm that can be trusted; accepted: {names}")
                        }),
                )
            }),
        }
    }
}
