//! The configuration as it is written. The comments here become the schema's descriptions and
//! the reference, so they speak to the person who writes a configuration.

mod access_tokens;
mod bearer;
mod client;
mod consumers;
mod identity;
mod introspection;
mod paths;
mod policy;
mod protected_resource;
mod rule;
mod upstream_token;

use std::collections::BTreeMap;

use portero_derive::Read;

pub(super) use access_tokens::{AccessTokenKey, AccessTokenProfile, AccessTokens};
pub(super) use bearer::{Bearer, BearerHeader};
pub(super) use client::{AssertionAudience, Client, ClientAuthentication};
pub(super) use consumers::{Consumer, Credential};
pub(super) use identity::{Identity, IdentityKey};
pub(super) use introspection::Introspection;
pub(super) use paths::Paths;
pub(super) use policy::{ClaimCondition, Conditions, Selection};
pub(super) use protected_resource::ProtectedResource;
pub(super) use rule::{Access, Authentication, Match, Methods, Otherwise, PathMatch, Rule};
pub(super) use upstream_token::{
    Actor, Assertion, SignedAssertion, SubjectToken, TokenExchange, TokenGrant, UpstreamToken,
    WithoutToken,
};

use super::fault::Ledger;
use super::read::{Cursor, Read};
use super::words::{Given, SecretText, Span, TextOrList, Whole};

/// The whole configuration of Portero: one object. Unknown keys, repeated keys and nulls are
/// refused; every fault of a configuration is reported at once.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Configuration {
    /// The OpenID providers by a name of your choice (letters, digits, `_` and `-`, at most 64): at most 32.
    /// One of them may have a `client`: people log in there. Those with `access_tokens` vouch for
    /// programs. Those with neither issue `upstream_tokens`.
    pub(super) providers: Given<BTreeMap<String, Provider>>,
    /// Sessions and their cookie.
    pub(super) session: Given<Session>,
    /// The paths that Portero answers itself.
    pub(super) paths: Option<Paths>,
    /// Who gets through where: the first rule that matches decides. What no rule matches needs a session,
    /// or an access token where some provider has `access_tokens`. At most 200.
    pub(super) rules: Option<Vec<Given<Rule>>>,
    /// Where bearer tokens stand in a request.
    pub(super) bearer: Option<Bearer>,
    /// What is said of the protected resources here to clients that look for it, at most 32.
    pub(super) protected_resources: Option<Vec<Given<ProtectedResource>>>,
    /// What happens to a CORS preflight request on a protected path.
    pub(super) cors_preflight: Option<CorsPreflight>,
    /// Says that the filter in Envoy has `allow_on_headers_stop_iteration: true`: only then does Envoy
    /// show a filter the body of a request before the upstream sees its head. What needs the body of
    /// a request is refused without it.
    pub(super) allow_on_headers_stop_iteration: Option<bool>,
    /// Whom bearer tokens are from, by name, at most 10000. With it, even where it is empty, the headers
    /// `x-consumer-id`, `x-consumer-custom-id`, `x-consumer-username`, `x-credential-identifier` and
    /// `x-anonymous-consumer` are Portero's. A token of nobody here has the client that it was issued to
    /// as `x-credential-identifier`, percent-encoded as claims in headers are, and none of the others.
    pub(super) consumers: Option<BTreeMap<String, Consumer>>,
    /// The tokens that Portero fetches for the upstream, by a name of your choice (letters, digits, `_` and
    /// `-`, at most 64): at most 64. Each is fetched for the rules that name it.
    pub(super) upstream_tokens: Option<BTreeMap<String, UpstreamToken>>,
    /// What the upstream is told about the caller.
    pub(super) upstream: Option<Upstream>,
    /// What other filters and access logs in Envoy are told about the caller: filter state by name, at
    /// most 16. A name is one to 64 letters, digits, `.`, `_` and `-`; Envoy knows it as `wasm.<name>`.
    /// The sources are those of headers, without whole tokens. Texts stand as they are, except that
    /// control characters and line separators become `\u{fffd}`; every other claim is JSON.
    pub(super) filter_state: Option<BTreeMap<String, HeaderSource>>,
}

/// An OpenID provider and what Portero is to it.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    /// The provider's issuer identifier: an `https` URL without query and fragment, exactly as the
    /// provider writes it in its tokens. A trailing slash counts.
    pub(super) issuer: Given<String>,
    /// The name of the Envoy cluster that reaches the provider. Not needed where nothing is asked of it:
    /// without `client`, with all `keys` written into `access_tokens`.
    pub(super) cluster: Option<String>,
    /// Clusters of their own for endpoints on other hosts than the rest.
    pub(super) clusters: Option<Clusters>,
    /// Endpoints written by hand. They win over the provider's discovery document; with
    /// `authorization`, `token` and `jwks` written, no discovery takes place.
    pub(super) endpoints: Option<Endpoints>,
    /// Portero as the provider knows it: people log in there. What else is about logging in (`scopes`,
    /// `resources`, `authorization_params`, `id_token`, `userinfo`) stands beside a client only.
    pub(super) client: Option<Client>,
    /// Lets callers in with access tokens of this issuer, and says what those must be like.
    pub(super) access_tokens: Option<AccessTokens>,
    /// The scopes that a login asks for; `openid` must be one of them.
    pub(super) scopes: Option<Vec<Given<String>>>,
    /// Resource indicators (RFC 8707): absolute URIs without fragment, each sent as a `resource`
    /// parameter with the login and the token request.
    pub(super) resources: Option<Vec<Given<String>>>,
    /// More parameters of the authorization request, such as `audience` or `prompt`. A list is
    /// sent as one value with spaces between its items. The parameters that Portero sends itself
    /// are refused. What `max_age` (whole seconds) and `acr_values` ask for is then required of the
    /// ID token: an `auth_time` that is not older, and one of the values as `acr`.
    pub(super) authorization_params: Option<BTreeMap<String, TextOrList>>,
    /// What an ID token must be like.
    pub(super) id_token: Option<IdToken>,
    /// Whether a login also asks the userinfo endpoint, where the provider has one. Without it, the
    /// claims of the ID token are all there is.
    pub(super) userinfo: Option<bool>,
    /// Whether what a login's access token says counts too: for the rules, and for headers with `claim` and
    /// `access_token_claim`, though not for `userinfo`. Of the same claim, that of the ID token and of
    /// userinfo wins. The token must be as `access_tokens` has it: else the login fails, and a refresh
    /// as well.
    pub(super) access_token_claims: Option<bool>,
    /// How long one call to the provider may take, and how long a request waits for the provider's
    /// metadata and keys: `100ms` to `1m`.
    pub(super) timeout: Option<Span>,
    /// How long metadata and keys are used before they are fetched again: `10s` to `1d`.
    pub(super) refresh_interval: Option<Span>,
    /// How long a token with an unknown key causes no further fetch of the keys: `1s` to `1h`.
    /// Logout tokens, which anybody can send, have a time of their own.
    pub(super) unknown_key_cooldown: Option<Span>,
    /// Lets issuer and endpoints be plain `http`. Whoever can read or change that traffic can log
    /// in as anybody: for tests only.
    pub(super) insecure_allow_http: Option<bool>,
    /// Lets the provider leave `iss` out of a front-channel logout, as Entra ID does, where it sends the
    /// `sid` of the session. Whoever has learned somebody's `sid` can then log them out from a page
    /// whose frames bring the session cookie.
    pub(super) insecure_frontchannel_logout_without_iss: Option<bool>,
    /// Lets logout tokens be without `exp`, which the standard did not have before its final text. Such a
    /// token then counts for two minutes from its `iat`, with the `clock_skew` of `id_token`.
    pub(super) insecure_logout_token_without_exp: Option<bool>,
}

/// The Envoy clusters of a provider whose endpoints are on several hosts. Each is `cluster` where
/// nothing else is said.
#[derive(Default, Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Clusters {
    /// Reaches the issuer, where the discovery document is.
    pub(super) discovery: Option<String>,
    /// Reaches the token endpoint.
    pub(super) token: Option<String>,
    /// Reaches the provider's public keys.
    pub(super) jwks: Option<String>,
    /// Reaches the userinfo endpoint.
    pub(super) userinfo: Option<String>,
    /// Reaches the introspection endpoint.
    pub(super) introspection: Option<String>,
}

/// Endpoints of a provider, each an absolute `https` URL without user information and fragment.
/// The calls go to the clusters that `cluster` and `clusters` name, whatever host an endpoint names.
#[derive(Default, Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoints {
    /// Where browsers are sent to log in.
    pub(super) authorization: Option<String>,
    /// Where authorization codes and refresh tokens are redeemed.
    pub(super) token: Option<String>,
    /// Where the provider's public keys are.
    pub(super) jwks: Option<String>,
    /// Where more claims about the user are.
    pub(super) userinfo: Option<String>,
    /// Where browsers are sent to log out.
    pub(super) end_session: Option<String>,
    /// Where the tokens of a session are revoked at its logout. Reached through the cluster of the
    /// token endpoint.
    pub(super) revocation: Option<String>,
    /// Where the provider says what an access token is. Written by hand for a provider without `client`,
    /// and without `jwks`, it is all that is needed: then nothing is discovered, and JSON Web Tokens of
    /// the provider are refused.
    pub(super) introspection: Option<String>,
}

/// The checks of an ID token that a configuration may change.
#[derive(Default, Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct IdToken {
    /// The signature algorithms that are accepted.
    pub(super) algorithms: Option<Vec<Given<String>>>,
    /// Audiences that may stand in a token beside the client's own id. A token that names any
    /// other audience is refused.
    pub(super) trusted_audiences: Option<Vec<Given<String>>>,
    /// How far the provider's clock and ours may be apart: at most `5m`.
    pub(super) clock_skew: Option<Span>,
    /// How long before its arrival a token may have been issued: `1s` to `1d`.
    pub(super) max_age: Option<Span>,
}

/// Sessions live in a sealed cookie, and nothing about them is kept on a server, unless `store` says where.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Session {
    /// The keys that seal cookies: the first seals, all open, so a new key is put before the old
    /// one. 1 to 16 keys, each at least 32 bytes of random text (`openssl rand -base64 48`). Every Envoy that
    /// serves the same hosts needs the same keys.
    pub(super) keys: Given<Vec<Given<SecretText>>>,
    /// The cookie's attributes.
    pub(super) cookie: Option<Cookie>,
    /// How long a session lasts without a request: `1m` up to `lifetime`. Without a value: `1h`, or `lifetime`
    /// where that is shorter.
    pub(super) idle_timeout: Option<Span>,
    /// How long a session lasts at most: `1m` to `30d`.
    pub(super) lifetime: Option<Span>,
    /// How tokens are refreshed in the course of a session.
    pub(super) refresh: Option<Refresh>,
    /// Forms up to this many bytes, 0 to 12000, are kept where the session is over or not enough for the
    /// rule's `authentication`: a POST from a page of this site (`application/x-www-form-urlencoded`) then
    /// leads to the login instead of 401, and a page sends the form after it, by itself if the same person
    /// has signed in. The browser keeps it, sealed, in cookies of the callback path. Needs
    /// `allow_on_headers_stop_iteration`.
    pub(super) preserved_post_bytes: Option<Whole>,
    /// How often the claims are read again in the course of a session: `10s` to `1d`. Without it, only
    /// when the access token is refreshed. A session with a refresh token is refreshed that often; for
    /// any other Portero keeps the access token, asks the userinfo endpoint, and the session ends with
    /// the token. A provider that refuses ends the session. Where there is neither a refresh token
    /// nor a userinfo endpoint, nothing can be read again, and the log says so at the login.
    pub(super) reread_claims: Option<Span>,
    /// Whether a session without a refresh token is renewed at the provider with `prompt=none`, when
    /// its access token is about to end: the next page that a person opens goes by way of the
    /// provider, which asks nothing. Where it has to ask, the session is over and a login begins; where
    /// anything else goes wrong, the session goes on to its end. The `lifetime` goes on from the login.
    pub(super) prompt_none_renewal: Option<bool>,
    /// How much memory each worker spends on opened sessions, in bytes: 0 to 536870912. As much again at most
    /// for access tokens that have been verified, and for tokens of the upstream that were made of callers'.
    pub(super) cache_bytes: Option<Whole>,
    /// Keeps sessions in Redis instead of the cookie, which then holds only a sealed id. Without it
    /// nothing is kept on a server.
    pub(super) store: Option<Store>,
}

/// Redis as the store of sessions, reached by HTTP through a front end that is there already. What
/// is kept is sealed with the session keys before it leaves Envoy.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    /// The name of the Envoy cluster that reaches the front end.
    pub(super) cluster: Given<String>,
    /// The address of the front end: an absolute `https` URL without user information and fragment.
    /// Commands are posted to its path.
    pub(super) url: Given<String>,
    /// Lets `url` be plain `http`: credentials then travel in the clear, and whoever can change that
    /// traffic can end sessions, bring deleted ones back and hold up logins. For a network of your own.
    pub(super) insecure_allow_http: Option<bool>,
    /// The front end and its credentials.
    pub(super) protocol: Given<StoreProtocol>,
    /// What every key in Redis begins with: 1 to 64 letters, digits, `:`, `_` and `-`.
    pub(super) key_prefix: Option<String>,
    /// How long one call to the store may take: `10ms` to `10s`.
    pub(super) timeout: Option<Span>,
    /// How long a worker uses a session that it has read without reading it again: `0s` to `30s`. For
    /// as long after a logout, other workers and other Envoys may still let a copy of the cookie in.
    pub(super) reread_interval: Option<Span>,
    /// What happens while the store cannot be asked.
    pub(super) when_unavailable: Option<WhenUnavailable>,
}

/// How the front end takes commands: an object with exactly one of these keys.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum StoreProtocol {
    /// Webdis. Its value is `{}` where it asks for no credentials.
    Webdis {
        /// The user name, without `:`; together with `password`.
        username: Option<String>,
        /// The password.
        password: Option<SecretText>,
    },
    /// Anything that speaks the REST form of Upstash.
    Upstash {
        /// The token.
        token: Given<SecretText>,
    },
}

/// What happens to requests while the store cannot be asked.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum WhenUnavailable {
    /// Requests whose session is in the store are refused with 502 to 504, and so is the end of a
    /// login.
    Refuse,
    /// A login puts its session into the cookie. A worker goes on with a session that it has read
    /// before; otherwise the request counts as having none.
    UseCookies,
}

/// Refreshing with the refresh token that the provider gave at the login, if it gave one.
#[derive(Default, Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    /// Whether the access token is refreshed before it expires. A provider that refuses then ends
    /// the session, and the claims follow the provider's.
    pub(super) enabled: Option<bool>,
    /// How long before its end the access token is refreshed, less up to a quarter at random: `1s`
    /// to `1h`. A token that lives less than twice as long is refreshed after half its life.
    pub(super) leeway: Option<Span>,
}

/// The session cookie.
#[derive(Default, Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Cookie {
    /// The cookie's name, at most 64 characters. It starts with `__Host-`, so that no other host can
    /// set it; with `insecure_allow_http` it must not, and is `portero` where nothing is said.
    pub(super) name: Option<String>,
    /// When a browser sends the session cookie with a request that another site caused.
    pub(super) same_site: Option<SameSite>,
    /// Cookies without `Secure`, so that a login works over plain `http`: for a local machine
    /// only.
    pub(super) insecure_allow_http: Option<bool>,
}

/// The `SameSite` attribute of the session cookie.
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename_all = "snake_case")
)]
pub(super) enum SameSite {
    /// Sent when a link of another site is followed.
    Lax,
    /// Always sent: for applications inside frames of other sites. The upstream must then defend
    /// itself against cross-site request forgery.
    None,
}

impl Read for SameSite {
    fn read(cursor: Cursor<'_>, ledger: &mut Ledger) -> Option<Self> {
        let problem = match cursor.text(ledger)? {
            "lax" => return Some(Self::Lax),
            "none" => return Some(Self::None),
            "strict" => {
                "is `strict`, and a browser does not send such a cookie when the provider sends it \
                 back, so a login would never end; accepted: lax, none"
            }
            _ => "is not a known word; accepted: lax, none",
        };
        cursor.wrong(problem.to_owned(), ledger);
        None
    }
}

/// What happens to a CORS preflight request: `OPTIONS` with `Access-Control-Request-Method`.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum CorsPreflight {
    /// It needs what every other request needs.
    Deny,
    /// It goes to the upstream, without identity.
    Pass,
}

/// What the upstream is told.
#[derive(Default, Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Upstream {
    /// The headers by name, at most 64. Each is removed from every request, public ones included,
    /// before Portero sets it. Headers that belong to the connection, to Envoy or to cookies are
    /// refused.
    pub(super) headers: Option<BTreeMap<String, HeaderSource>>,
    /// The names of the `upstream_tokens` of every request whose rule does not say otherwise. At most 8, in
    /// headers that differ. They are for those who have proved something: public requests, and those that
    /// `otherwise` lets pass, get only what their rule names.
    pub(super) tokens: Option<Vec<Given<String>>>,
    /// Says who is calling in a token that Portero signs.
    pub(super) identity: Option<Identity>,
}

/// What a header holds: an object with exactly one of these keys.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum HeaderSource {
    /// One claim. A string is the name of one outermost claim, whatever characters it has; a list
    /// names the way to a claim inside objects.
    Claim(TextOrList),
    /// All claims about the user.
    Userinfo(UserinfoForm),
    /// The ID token.
    IdToken(IdTokenForm),
    /// The access token.
    AccessToken(AccessTokenForm),
    /// One claim of the caller's access token, named as for `claim`. Sessions have none.
    AccessTokenClaim(TextOrList),
}

/// How the claims about the user are written.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum UserinfoForm {
    /// Base64 of a JSON object.
    Base64Json,
}

/// How the ID token is written.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum IdTokenForm {
    /// As it was received.
    Raw,
    /// Its claims alone, as base64 of a JSON object.
    ClaimsBase64Json,
}

/// How the access token is written.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum AccessTokenForm {
    /// As it was received.
    Raw,
    /// With `Bearer ` before it.
    Bearer,
}
