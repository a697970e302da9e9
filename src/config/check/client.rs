//! The client at the provider, and the ID tokens made for it.

use std::time::Duration;

use super::super::fault::At;
use super::super::words::{Given, Span};
use super::super::{Client, ClientAuthentication, IdTokenPolicy, defaults, raw};
use super::Check;
use super::provider::{DAY, MOST_ENTRIES};
use crate::jose::Algorithm;

impl Check<'_> {
    pub(super) fn client(&mut self, at: &At<'_>, raw: raw::Client) -> Option<Client> {
        let id = self.required(
            &at.key("id"),
            raw.id,
            "the client identifier that the provider gave",
            Self::text,
        );
        let authentication = self.required(
            &at.key("authentication"),
            raw.authentication,
            "an object with one of client_secret_basic, client_secret_post, none",
            Self::authentication,
        );
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
        let secret = self.required(
            &at,
            secret,
            "a string, or {\"env\": \"NAME\"}",
            Self::secret,
        )?;
        Some(if basic {
            ClientAuthentication::ClientSecretBasic { secret }
        } else {
            ClientAuthentication::ClientSecretPost { secret }
        })
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
