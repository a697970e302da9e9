//! What is exchanged for a token of the upstream.

use std::time::Duration;

use serde_json::Map;
use url::Url;

use super::super::fault::At;
use super::super::words::{Given, TextOrList};
use super::super::{
    Actor, Assertion, Provider, SignedAssertion, SubjectToken, TokenExchange, TokenGrant,
    UpstreamToken, defaults, raw,
};
use super::provider::MOST_ENTRIES;
use super::upstream_token::Around;
use super::{Check, LONGEST_TEXT};

/// The token type identifiers of RFC 8693 section 3.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// The claims of an assertion that have keys of their own, or that Portero sets.
const OWN_CLAIMS: [&str; 6] = ["iss", "sub", "aud", "iat", "exp", "jti"];

impl Check<'_> {
    /// `own` is the provider of a token that is made of the caller's.
    pub(super) fn callers_of(
        &mut self,
        at: &At<'_>,
        raw: Option<Vec<Given<String>>>,
        own: Option<usize>,
        providers: Option<&[&Provider]>,
    ) -> Option<Vec<usize>> {
        let (Some(own), Some(providers)) = (own, providers) else {
            if raw.is_some() && providers.is_some() {
                self.fault(at, "is about callers' tokens, and this token is not made of one; accepted: only beside such a grant");
            }
            return self.or(at, None, Vec::new());
        };
        let vouches = |index: &usize| {
            let provider = providers.get(*index);
            provider.is_some_and(|one| one.client.is_some() || one.access_tokens.is_some())
        };
        let Some(raw) = raw else {
            if !vouches(&own) && !self.is_taken_out(at) {
                self.missing(at, "the names of the providers whose callers' tokens are exchanged, because nobody calls with a token of this one");
            }
            return self.or(at, None, vec![own]);
        };
        self.distinct(at, raw, MOST_ENTRIES, |check, at, name: String| {
            let place = providers.iter().position(|one| one.name == name);
            let place = place.filter(vouches);
            if place.is_none() {
                check.fault(at, "is the name of no provider that anybody calls with a token of; accepted: a name under `providers`, with `client` or `access_tokens`");
            }
            place
        })
    }

    pub(super) fn token_grant(
        &mut self,
        at: &At<'_>,
        raw: raw::TokenGrant,
        around: Around<'_>,
    ) -> Option<TokenGrant> {
        match raw {
            raw::TokenGrant::ClientCredentials {} => Some(TokenGrant::ClientCredentials),
            raw::TokenGrant::TokenExchange(raw) => self
                .token_exchange(&at.key("token_exchange"), raw, around)
                .map(|exchange| TokenGrant::TokenExchange(Box::new(exchange))),
            raw::TokenGrant::JwtBearer(raw) => {
                let at = at.key("jwt_bearer");
                let assertion = match raw {
                    raw::Assertion::Caller(word) => self
                        .subject_token(&at.key("caller"), word, around)
                        .map(Assertion::Caller),
                    raw::Assertion::Signed(raw) => self
                        .signed_assertion(&at.key("signed"), raw)
                        .map(|signed| Assertion::Signed(Box::new(signed))),
                };
                assertion.map(TokenGrant::JwtBearer)
            }
            raw::TokenGrant::RefreshToken { token } => {
                let at = at.key("refresh_token");
                let token = self.written_secret(&at.key("token"), token)?;
                Some(TokenGrant::RefreshToken { token })
            }
        }
    }

    fn token_exchange(
        &mut self,
        at: &At<'_>,
        raw: raw::TokenExchange,
        around: Around<'_>,
    ) -> Option<TokenExchange> {
        let subject_at = at.key("subject");
        let subject = self
            .or(&subject_at, raw.subject, raw::SubjectToken::AccessToken)
            .and_then(|word| self.subject_token(&subject_at, word, around));
        let type_at = at.key("subject_token_type");
        let subject_token_type = match raw.subject_token_type {
            None => {
                let usual = subject.map(|subject| match subject {
                    SubjectToken::AccessToken => ACCESS_TOKEN.to_owned(),
                    SubjectToken::IdToken => ID_TOKEN.to_owned(),
                });
                usual.and_then(|usual| self.or(&type_at, None, usual))
            }
            Some(text) => self.token_type(&type_at, text),
        };
        let actor_at = at.key("actor");
        let actor = match raw.actor {
            None => self.or(&actor_at, None, None),
            Some(raw) => self.actor(&actor_at, raw, around).map(Some),
        };
        let audience = self.optional(&at.key("audience"), raw.audience, &Self::text);
        let resource = self.optional(&at.key("resource"), raw.resource, &Self::resource);
        let requested_at = at.key("requested_token_type");
        let requested_token_type = match raw.requested_token_type {
            None => self.or(&requested_at, None, None),
            Some(text) => self.token_type(&requested_at, text).map(Some),
        };
        let issued_at = at.key("issued_audiences");
        let issued_audiences = match raw.issued_audiences {
            None => match (&audience, &resource) {
                (Some(audience), Some(resource)) => {
                    self.or(&issued_at, None, [audience.as_slice(), resource].concat())
                }
                _ => None,
            },
            Some(items) => self.texts(&issued_at, Some(items), MOST_ENTRIES, &Self::text),
        };
        Some(TokenExchange {
            subject: subject?,
            subject_token_type: subject_token_type?,
            actor: actor?,
            audience: audience?,
            resource: resource?,
            requested_token_type: requested_token_type?,
            issued_audiences: issued_audiences?,
        })
    }

    /// What callers can have, by the providers that there are.
    fn subject_token(
        &mut self,
        at: &At<'_>,
        word: raw::SubjectToken,
        around: Around<'_>,
    ) -> Option<SubjectToken> {
        let providers = around.providers?;
        let logs_in = providers.iter().any(|one| one.client.is_some());
        let takes_tokens = providers.iter().any(|one| one.access_tokens.is_some());
        match word {
            raw::SubjectToken::AccessToken if logs_in || takes_tokens => {
                Some(SubjectToken::AccessToken)
            }
            raw::SubjectToken::AccessToken => {
                self.fault(at, "is the caller's access token, and no provider has a `client` or `access_tokens`, so no caller has one; accepted: a grant without the caller, or such a provider");
                None
            }
            raw::SubjectToken::IdToken if logs_in => Some(SubjectToken::IdToken),
            raw::SubjectToken::IdToken => {
                self.fault(at, "is the caller's ID token, and no provider has a `client` to log in with, so no caller has one; accepted: access_token, or such a provider");
                None
            }
        }
    }

    fn actor(&mut self, at: &At<'_>, raw: raw::Actor, around: Around<'_>) -> Option<Actor> {
        match raw {
            raw::Actor::Token { token, token_type } => {
                let at = at.key("token");
                let type_at = at.key("token_type");
                let token_type = match token_type {
                    None => self.or(&type_at, None, ACCESS_TOKEN.to_owned()),
                    Some(text) => self.token_type(&type_at, text),
                };
                let token = self.written_secret(&at.key("token"), token);
                Some(Actor::Token {
                    token: token?,
                    token_type: token_type?,
                })
            }
            raw::Actor::UpstreamToken(name) => {
                let index = around.names?.iter().position(|known| *known == name);
                if index.is_none() {
                    self.fault(
                        &at.key("upstream_token"),
                        "is the name of no token; accepted: a name under `upstream_tokens`",
                    );
                }
                index.map(Actor::UpstreamToken)
            }
        }
    }

    /// An actor has a token of its own, and so is no circle of tokens.
    pub(super) fn actors(&mut self, at: &At<'_>, tokens: &[UpstreamToken]) {
        for token in tokens {
            let actor = token.actor().and_then(|index| tokens.get(index));
            if actor.is_some_and(|actor| actor.subject().is_some()) {
                let at = at.key(&token.name);
                let at = at.key("grant");
                let at = at.key("token_exchange");
                let at = at.key("actor");
                self.fault(&at.key("upstream_token"), "is a token of each caller's own; accepted: one for all callers, such as with `client_credentials`");
            }
        }
    }

    fn signed_assertion(
        &mut self,
        at: &At<'_>,
        raw: raw::SignedAssertion,
    ) -> Option<SignedAssertion> {
        let key = self.private_key(at, raw.key, raw.key_id, raw.algorithm);
        let issuer = self.required(
            &at.key("issuer"),
            raw.issuer,
            "who vouches, as the provider knows it",
            Self::text,
        );
        let subject_at = at.key("subject");
        let subject = match raw.subject {
            None => issuer
                .clone()
                .and_then(|issuer| self.or(&subject_at, None, issuer)),
            Some(text) => self.text(&subject_at, text),
        };
        let audience_at = at.key("audience");
        let audience = match raw.audience {
            None => self.or(&audience_at, None, None),
            Some(text) => self.text(&audience_at, text).map(Some),
        };
        let claims_at = at.key("claims");
        let claims = self.or(&claims_at, raw.claims, Default::default());
        let mut more = Map::new();
        for (name, value) in claims.iter().flatten() {
            if OWN_CLAIMS.contains(&name.as_str()) {
                self.fault(
                    &claims_at.key(name),
                    "is a claim that Portero sets; accepted: other claims, and `issuer`, `subject`, `audience` and `lifetime`",
                );
            }
            more.insert(name.clone(), value.clone());
        }
        let lifetime = self.span(
            &at.key("lifetime"),
            raw.lifetime,
            defaults::ASSERTION_LIFETIME,
            Duration::from_secs(10)..=Duration::from_secs(60 * 60),
        );
        claims?;
        Some(SignedAssertion {
            key: key?,
            issuer: issuer?,
            subject: subject?,
            audience: audience?,
            claims: more,
            lifetime: lifetime?,
        })
    }

    fn optional(
        &mut self,
        at: &At<'_>,
        raw: Option<TextOrList>,
        read: &dyn Fn(&mut Self, &At<'_>, String) -> Option<String>,
    ) -> Option<Vec<String>> {
        match raw {
            None => self.or(at, None, Vec::new()),
            Some(raw) => self.one_or_more(at, raw, read),
        }
    }

    /// A token type identifier (RFC 8693 section 3).
    fn token_type(&mut self, at: &At<'_>, text: String) -> Option<String> {
        let is_uri = text.len() <= LONGEST_TEXT
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && Url::parse(&text).is_ok();
        if !is_uri {
            self.fault(
                at,
                format!(
                    "is not a token type identifier; accepted: a URI, such as `{ACCESS_TOKEN}`"
                ),
            );
        }
        is_uri.then_some(text)
    }
}
