//! The configuration as the rest of Portero sees it: checked, complete, safe to print.
//!
//! [`Config::load`] goes from JSON text or a protobuf `Struct` to a tree (`tree`,
//! `struct_message`), from the tree to what was written (`raw`, by way of `read`), and from there
//! to the types here (`check`). Each step records its faults and goes on with the rest, so that one
//! load reports everything.

mod access_tokens;
mod bearer;
mod check;
mod client;
mod consumers;
mod defaults;
mod duration;
mod entrance;
mod fault;
mod hosts;
mod identity;
mod introspection;
mod load;
mod policy;
mod protected_resource;
mod raw;
mod read;
#[cfg(not(target_arch = "wasm32"))]
mod reference;
#[cfg(not(target_arch = "wasm32"))]
mod schema;
mod struct_message;
#[cfg(test)]
mod tests;
mod tree;
mod upstream_token;
mod words;

use std::iter;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::jose::Algorithm;
use crate::secret::Secret;

pub use access_tokens::{AccessTokenPolicy, AccessTokenProfile};
pub use bearer::{Bearer, BearerHeader};
pub use client::{AssertionAudience, Client, ClientAuthentication};
pub use consumers::{CONSUMER_HEADERS, Consumer, Consumers, Credential, CredentialKind};
pub use entrance::{Entrance, Method, Methods, Otherwise};
pub use fault::{Fault, Faults};
pub use hosts::NamedHosts;
pub use identity::{IdentityClaim, SignedIdentity};
pub use introspection::{IntrospectionCredentials, IntrospectionPolicy};
pub use load::Loaded;
pub use policy::{Condition, Pattern, Policy, Scalar, Selection, Test};
pub use protected_resource::{ProtectedResource, ResourceIdentifier};
pub use upstream_token::{
    Actor, Assertion, RuleTokens, SignedAssertion, SubjectToken, TokenClient, TokenExchange,
    TokenGrant, UpstreamToken, WithoutToken,
};
#[cfg(not(target_arch = "wasm32"))]
pub use {reference::reference, schema::schema};

/// A whole configuration. Only loading makes one.
#[derive(Debug)]
pub struct Config {
    /// The provider that logs people in; where none does, the first by name.
    pub provider: Provider,
    /// The other providers, by name.
    pub others: Vec<Provider>,
    pub session: SessionPolicy,
    pub paths: Paths,
    pub rules: Vec<Rule>,
    pub bearer: Bearer,
    pub protected_resources: Vec<ProtectedResource>,
    /// By these rules and resources.
    pub named_hosts: NamedHosts,
    /// What stands at the entrance where no rule says more.
    pub entrance: Entrance,
    pub cors_preflight: CorsPreflight,
    /// Whether the proxy is set up to show the bodies of requests.
    pub reads_bodies: bool,
    /// Whom bearer tokens are from, where the upstream is told.
    pub consumers: Option<Consumers>,
    /// What is fetched for the upstream, by name.
    pub upstream_tokens: Vec<UpstreamToken>,
    pub upstream: Upstream,
}

impl Config {
    /// All providers. The first logs people in, where one does.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        iter::once(&self.provider).chain(&self.others)
    }

    /// Whether people log in.
    pub const fn logs_in(&self) -> bool {
        self.provider.client.is_some()
    }

    /// The client that people log in with; empty where nobody does.
    pub fn client_id(&self) -> &str {
        let client = self.provider.client.as_ref();
        client.map_or("", |client| client.id.as_str())
    }

    /// What the rule with this index demands.
    pub fn authentication(&self, rule: Option<usize>) -> &AuthenticationDemand {
        rule.and_then(|index| self.rules.get(index))
            .map_or(AuthenticationDemand::NOTHING, |rule| &rule.authentication)
    }
}

/// An OpenID provider, which logs people in, or whose access tokens count, or both.
#[derive(Debug)]
pub struct Provider {
    /// The key under `providers`.
    pub name: String,
    /// Compared byte for byte with `iss` (OpenID Connect Core 3.1.3.7).
    pub issuer: String,
    pub clusters: Clusters,
    pub endpoints: Endpoints,
    /// What Portero is where people log in.
    pub client: Option<Client>,
    /// What access tokens must be like, where they count.
    pub access_tokens: Option<AccessTokenPolicy>,
    /// Whether it issues any of [`Config::upstream_tokens`].
    pub issues_upstream_tokens: bool,
    pub scopes: Vec<String>,
    /// Resource indicators, sent in authorization and token requests (RFC 8707).
    pub resources: Vec<String>,
    /// Extra parameters of the authorization request, in the order of their names.
    pub authorization_params: Vec<(String, String)>,
    /// What `max_age` and `acr_values` among them demand of every login.
    pub authentication: AuthenticationDemand,
    pub id_token: IdTokenPolicy,
    /// Whether a login asks the userinfo endpoint, where there is one.
    pub userinfo: bool,
    /// Whether a login reads its access token, as [`AccessTokenPolicy`] has it.
    pub access_token_claims: bool,
    /// Limit of one call to the provider, and of waiting for its metadata and keys.
    pub timeout: Duration,
    /// How long metadata and keys are used before they are fetched again.
    pub refresh_interval: Duration,
    /// How long an unknown `kid` causes no further fetch.
    pub unknown_key_cooldown: Duration,
    /// Whether issuer and endpoints may be plain `http`.
    pub insecure_allow_http: bool,
    /// Whether `sid` alone may say whom a front-channel logout means.
    pub insecure_frontchannel_logout_without_iss: bool,
    /// Whether a logout token may be without `exp`.
    pub insecure_logout_token_without_exp: bool,
}

impl Provider {
    /// Whether keys that the provider publishes are used.
    pub fn publishes_keys(&self) -> bool {
        match (&self.client, &self.access_tokens) {
            (None, Some(policy)) => policy.keys.is_empty(),
            (None, None) => false,
            (Some(_), _) => true,
        }
    }

    /// Whether nothing can be done without them: a provider that is only asked needs none.
    pub fn must_publish_keys(&self) -> bool {
        self.publishes_keys() && (self.client.is_some() || self.introspection().is_none())
    }

    /// How the provider is asked about access tokens, if it is.
    pub fn introspection(&self) -> Option<&IntrospectionPolicy> {
        self.access_tokens.as_ref()?.introspection.as_ref()
    }
}

/// The Envoy clusters that reach the provider. Nothing of them is used where nothing is fetched.
#[derive(Debug)]
pub struct Clusters {
    pub discovery: String,
    pub token: String,
    pub jwks: String,
    pub userinfo: String,
    pub introspection: String,
}

/// Endpoints written by hand; they override what discovery says.
#[derive(Debug, Default)]
pub struct Endpoints {
    pub authorization: Option<Endpoint>,
    pub token: Option<Endpoint>,
    pub jwks: Option<Endpoint>,
    pub userinfo: Option<Endpoint>,
    pub end_session: Option<Endpoint>,
    pub revocation: Option<Endpoint>,
    pub introspection: Option<Endpoint>,
}

/// What an ID token must be like.
#[derive(Debug)]
pub struct IdTokenPolicy {
    pub algorithms: Vec<Algorithm>,
    /// Audiences that may stand beside the client id.
    pub trusted_audiences: Vec<String>,
    /// Allowed difference between the clocks, at most five minutes.
    pub clock_skew: Duration,
    /// How old `iat` may be when the token arrives.
    pub max_age: Duration,
}

/// Sessions and their cookie.
#[derive(Debug)]
pub struct SessionPolicy {
    /// The first seals, all open. Never empty, each at least 32 bytes.
    pub keys: Vec<Secret<Vec<u8>>>,
    pub cookie: CookiePolicy,
    pub idle_timeout: Duration,
    pub lifetime: Duration,
    pub refresh: RefreshPolicy,
    /// The largest form that is kept across a login, in bytes; zero keeps none.
    pub preserved_post_bytes: usize,
    /// How often the claims are read again, where not only a refresh does that.
    pub reread_claims: Option<Duration>,
    /// Whether sessions without a refresh token are renewed at the provider, with `prompt=none`.
    pub prompt_none_renewal: bool,
    /// Budget of one worker's cache of opened sessions, in bytes.
    pub cache_bytes: usize,
    /// Where sessions are kept on a server, if they are.
    pub store: Option<StorePolicy>,
}

/// The session store.
#[derive(Debug)]
pub struct StorePolicy {
    /// The Envoy cluster that reaches it.
    pub cluster: String,
    pub url: Endpoint,
    pub protocol: StoreProtocol,
    /// Before every key; letters, digits and `:_-`.
    pub key_prefix: String,
    /// Limit of one call.
    pub timeout: Duration,
    /// How long a worker uses a session that it has read without reading it again.
    pub reread_interval: Duration,
    pub when_unavailable: WhenUnavailable,
}

/// How commands are said to the store's front end.
#[derive(Debug)]
pub enum StoreProtocol {
    Webdis {
        /// User name and password with `:` between them, if it asks for any.
        credentials: Option<Secret<String>>,
    },
    Upstash {
        token: Secret<String>,
    },
}

/// What becomes of requests while the store cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnavailable {
    /// Whoever has a session in the store is refused, and nobody logs in.
    Refuse,
    /// New sessions live in the cookie.
    UseCookies,
}

/// Whether and when tokens are refreshed.
#[derive(Debug)]
pub struct RefreshPolicy {
    pub enabled: bool,
    /// How long before the access token's end.
    pub leeway: Duration,
}

/// The attributes of Portero's cookies.
#[derive(Debug)]
pub struct CookiePolicy {
    /// The session cookie's name; the other cookies derive theirs from it.
    pub name: String,
    pub same_site: SameSite,
    /// Cookies without `Secure` and prefix, and `http` origins: for localhost only.
    pub insecure_allow_http: bool,
}

/// The `SameSite` attribute. Never `Strict`: such a cookie stays away from the navigation that ends a
/// login, because the provider's site started it, and the login would begin again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    Lax,
    None,
}

/// The paths that Portero answers itself; canonical and distinct.
#[derive(Debug)]
pub struct Paths {
    pub callback: String,
    pub logout: String,
    pub logged_out: String,
    pub frontchannel_logout: String,
    /// Only where the bodies of requests can be read.
    pub backchannel_logout: Option<String>,
    /// Only where there is a [`SignedIdentity`].
    pub identity_keys: Option<String>,
}

impl Paths {
    /// Whether `path` is one of these.
    fn has(&self, path: &str) -> bool {
        let own = [
            &self.callback,
            &self.logout,
            &self.logged_out,
            &self.frontchannel_logout,
        ];
        own.into_iter()
            .chain(&self.backchannel_logout)
            .chain(&self.identity_keys)
            .any(|own| own == path)
    }
}

/// One line of the rules; the first that matches decides.
#[derive(Debug)]
pub struct Rule {
    pub matcher: Matcher,
    pub access: Access,
    /// Nothing comes through it where everybody gets in.
    pub entrance: Entrance,
    /// What it demands of whoever gets through; nothing where everybody does.
    pub authentication: AuthenticationDemand,
    /// What it demands of the claims of whoever gets through; nothing where everybody does.
    pub policy: Policy,
    /// What requests under it get.
    pub upstream_tokens: RuleTokens,
    /// Whom the signed identity is for, where not for all the same.
    pub identity_audience: Option<String>,
}

/// How a person must have authenticated at the provider (OpenID Connect Core 3.1.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationDemand {
    /// How long ago at most, in whole seconds.
    pub max_age: Option<Duration>,
    /// By one of these classes; by any where there are none.
    pub acr_values: Vec<String>,
}

impl AuthenticationDemand {
    /// What demands nothing.
    pub const NOTHING: &Self = &Self {
        max_age: None,
        acr_values: Vec::new(),
    };

    pub const fn is_nothing(&self) -> bool {
        self.max_age.is_none() && self.acr_values.is_empty()
    }

    /// This demand, and where it is silent, `other`.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let acr_values = match self.acr_values.is_empty() {
            true => &other.acr_values,
            false => &self.acr_values,
        };
        Self {
            max_age: self.max_age.or(other.max_age),
            acr_values: acr_values.clone(),
        }
    }
}

/// What a rule looks at. An empty list means: any.
#[derive(Debug)]
pub struct Matcher {
    pub hosts: Vec<HostPattern>,
    pub path: PathPattern,
    pub methods: Vec<String>,
}

/// A host, or all hosts below one, with the port that belongs to it.
#[derive(Debug, PartialEq, Eq)]
pub struct HostPattern {
    pub name: HostName,
    /// In decimal digits; without it the host is meant as it stands in addresses without port.
    pub port: Option<String>,
}

/// A host in lower case.
#[derive(Debug, PartialEq, Eq)]
pub enum HostName {
    Exact(String),
    /// `*.example.com`: the suffix with its leading dot, and something before it.
    Below(String),
}

/// A canonical path.
#[derive(Debug, PartialEq, Eq)]
pub enum PathPattern {
    Any,
    Exact(String),
    /// Whole segments: `/api` matches `/api` and `/api/x`, not `/apix`.
    Prefix(String),
}

/// Who gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    Authenticated,
}

/// What happens to a CORS preflight (an `OPTIONS` request that asks for a method) on a protected path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorsPreflight {
    /// It needs a session like every other request.
    Deny,
    /// It goes to the upstream, without identity.
    Pass,
}

/// What the upstream is told, and Envoy itself.
#[derive(Debug)]
pub struct Upstream {
    pub headers: Vec<UpstreamHeader>,
    pub filter_state: Vec<FilterState>,
    /// What it can verify, if it gets that.
    pub identity: Option<SignedIdentity>,
    /// What requests get that no rule matches.
    pub tokens: RuleTokens,
}

impl Upstream {
    /// Everything that anybody is told.
    pub fn sources(&self) -> impl Iterator<Item = &HeaderSource> {
        let headers = self.headers.iter().map(|header| &header.source);
        let states = self.filter_state.iter().map(|state| &state.source);
        let identity = self.identity.iter().flat_map(|identity| &identity.claims);
        headers
            .chain(states)
            .chain(identity.map(|claim| &claim.source))
    }
}

/// One text that Portero leaves with a request for other filters and for access logs.
#[derive(Debug)]
pub struct FilterState {
    /// Without the `wasm.` that Envoy puts before it.
    pub name: String,
    /// Never a whole token.
    pub source: HeaderSource,
}

/// One header that Portero sets, and removes from every request before.
#[derive(Debug)]
pub struct UpstreamHeader {
    /// In lower case.
    pub name: String,
    pub source: HeaderSource,
}

/// Where an upstream header's value comes from.
#[derive(Debug, PartialEq, Eq)]
pub enum HeaderSource {
    /// One claim, by the names that lead to it from the outermost object.
    Claim(Vec<String>),
    /// All identity claims as base64 of a JSON object.
    Userinfo,
    /// The ID token as received.
    IdToken,
    /// The ID token's claims as base64 of a JSON object.
    IdTokenClaims,
    /// The access token as received.
    AccessToken,
    /// The access token with `Bearer ` before it.
    BearerAccessToken,
    /// One claim of the access token, by the names that lead to it from the outermost object.
    AccessTokenClaim(Vec<String>),
}
