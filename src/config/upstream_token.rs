//! The tokens that Portero fetches for the upstream.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Client, Config};
use crate::jose::SigningKey;
use crate::secret::Secret;

/// A token that the upstream wants, and how it is had.
#[derive(Debug)]
pub struct UpstreamToken {
    /// The key under `upstream_tokens`.
    pub name: String,
    /// Who issues it: the index among [`Config::providers`].
    pub provider: usize,
    pub client: TokenClient,
    pub grant: TokenGrant,
    /// Without any, no `scope` is sent.
    pub scopes: Vec<String>,
    /// More parameters of the token request, in the order in which they are sent.
    pub endpoint_params: Vec<(String, String)>,
    /// The header that holds it, in lower case.
    pub header: String,
    /// What stands before the token in the header; the empty one where the token is the whole value.
    pub scheme: String,
    /// Whether a header of that name that the caller has sent stays, and no token is fetched for it.
    pub keep_existing: bool,
    /// Where it is made of a token of the caller's: the indexes among [`Config::providers`] of those whose
    /// callers' tokens its provider may see.
    pub callers_of: Vec<usize>,
    /// How long before its end it is renewed, at most half of its life.
    pub renew_before: Duration,
    /// How long a token lasts of which the provider does not say it.
    pub default_lifetime: Duration,
    pub when_unavailable: WithoutToken,
}

impl UpstreamToken {
    /// What of the caller's it is made of, where it is each caller's own.
    pub const fn subject(&self) -> Option<SubjectToken> {
        self.grant.subject()
    }

    /// Which other token shows who acts, where one does: its index among [`Config::upstream_tokens`].
    pub const fn actor(&self) -> Option<usize> {
        match &self.grant {
            TokenGrant::TokenExchange(exchange) => match exchange.actor {
                Some(Actor::UpstreamToken(index)) => Some(index),
                Some(Actor::Token { .. }) | None => None,
            },
            TokenGrant::ClientCredentials
            | TokenGrant::JwtBearer(_)
            | TokenGrant::RefreshToken { .. } => None,
        }
    }
}

/// What the requests of a rule get.
#[derive(Clone, Debug, Default)]
pub struct RuleTokens {
    /// Indexes among [`Config::upstream_tokens`].
    pub indexes: Vec<usize>,
    /// The rule says nothing of its own, so they are only for those who prove something.
    pub is_default: bool,
}

/// The client that asks for it.
#[derive(Debug)]
pub enum TokenClient {
    /// The one that people log in with at this provider.
    ProviderClient,
    Own(Client),
    /// The same client, which sends its secret in the one way where the provider refuses it in the other.
    Automatic {
        basic: Client,
        post: Client,
    },
}

/// What is exchanged for it.
#[derive(Debug)]
pub enum TokenGrant {
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// RFC 8693.
    TokenExchange(Box<TokenExchange>),
    /// RFC 7523 section 2.1.
    JwtBearer(Assertion),
    /// RFC 6749 section 6.
    RefreshToken { token: Secret<String> },
}

impl TokenGrant {
    /// What of the caller's is exchanged, where anything is.
    pub const fn subject(&self) -> Option<SubjectToken> {
        match self {
            Self::TokenExchange(exchange) => Some(exchange.subject),
            Self::JwtBearer(Assertion::Caller(subject)) => Some(*subject),
            Self::ClientCredentials
            | Self::JwtBearer(Assertion::Signed(_))
            | Self::RefreshToken { .. } => None,
        }
    }
}

/// The parameters of RFC 8693 section 2.1.
#[derive(Debug)]
pub struct TokenExchange {
    pub subject: SubjectToken,
    /// A token type identifier (section 3).
    pub subject_token_type: String,
    pub actor: Option<Actor>,
    pub audience: Vec<String>,
    pub resource: Vec<String>,
    /// What is asked for, if anything is, and then what must come.
    pub requested_token_type: Option<String>,
    /// Where the issued token is a JSON Web Token, its `aud` must name one of these; any will do where
    /// there are none.
    pub issued_audiences: Vec<String>,
}

/// Who acts for the subject.
#[derive(Debug)]
pub enum Actor {
    /// With a fixed token of this type.
    Token {
        token: Secret<String>,
        token_type: String,
    },
    /// Portero, with the access token that has this index among [`Config::upstream_tokens`]. It is nobody's
    /// own.
    UpstreamToken(usize),
}

/// A token of the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectToken {
    AccessToken,
    /// Only sessions have one.
    IdToken,
}

/// What a JSON Web Token grant shows.
#[derive(Debug)]
pub enum Assertion {
    Caller(SubjectToken),
    Signed(Box<SignedAssertion>),
}

/// An assertion of Portero's own (RFC 7523 section 3).
#[derive(Debug)]
pub struct SignedAssertion {
    pub key: SigningKey,
    pub issuer: String,
    pub subject: String,
    /// The token endpoint where nothing is written.
    pub audience: Option<String>,
    /// More claims; none of those that Portero sets.
    pub claims: Map<String, Value>,
    pub lifetime: Duration,
}

/// What becomes of a request whose token cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutToken {
    Refuse,
    /// It goes to the upstream without the token, and without the caller's header.
    Pass,
}

impl Config {
    /// What requests under the rule with this index get, and what those get that no rule matches.
    pub fn upstream_tokens_of(&self, rule: Option<usize>) -> &RuleTokens {
        rule.and_then(|index| self.rules.get(index))
            .map_or(&self.upstream.tokens, |rule| &rule.upstream_tokens)
    }

    /// Whether sessions need such a token of the login for what the upstream wants.
    pub fn exchanges(&self, subject: SubjectToken) -> bool {
        let mut tokens = self.upstream_tokens.iter();
        tokens.any(|token| token.subject() == Some(subject))
    }
}
