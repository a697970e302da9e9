//! The tokens that are fetched for the upstream, and the rules that name them.

use std::collections::BTreeMap;
use std::iter;
use std::time::Duration;

use super::super::fault::At;
use super::super::words::{Given, TextOrList};
use super::super::{
    Access, CONSUMER_HEADERS, Client, ClientAuthentication, Entrance, Method, Provider, Rule,
    RuleTokens, SubjectToken, TokenClient, TokenGrant, UpstreamHeader, UpstreamToken, WithoutToken,
    defaults, raw,
};
use super::provider::{DAY, MOST_ENTRIES};
use super::request::{check_parameter_name, scope};
use super::{Check, bearer, entrance, header};
use crate::header_list::are_twins;
use crate::secret::Secret;

const MOST_TOKENS: usize = 64;
const MOST_TOKENS_OF_A_RULE: usize = 8;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What a token may speak of; nothing of it where that is not known because of a fault.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) providers: Option<&'a [&'a Provider]>,
    /// Of all tokens, in their order.
    pub(super) names: Option<&'a [String]>,
    /// The headers that Portero sets with something else.
    headers: &'a [String],
}

impl Check<'_> {
    /// Those in `providers` that issue one are told so.
    pub(super) fn upstream_tokens(
        &mut self,
        root: &At<'_>,
        raw: Option<BTreeMap<String, raw::UpstreamToken>>,
        providers: Option<&mut (Provider, Vec<Provider>)>,
        headers: &[String],
    ) -> Option<Vec<UpstreamToken>> {
        let at = &root.key("upstream_tokens");
        let raw = self.or(at, raw, BTreeMap::new())?;
        self.at_most(at, raw.len(), MOST_TOKENS)?;
        let names: Vec<String> = raw.keys().cloned().collect();
        let are_all_here = !self.ledger.has_pruned_child(&at.place());
        let all: Option<Vec<&Provider>> = providers
            .as_deref()
            .map(|(first, others)| iter::once(first).chain(others).collect());
        let around = Around {
            providers: all.as_deref(),
            names: are_all_here.then_some(&names),
            headers,
        };
        let mut tokens = Vec::with_capacity(raw.len());
        for (name, raw) in raw {
            tokens.extend(self.upstream_token(&at.key(&name), &name, raw, around));
        }
        if tokens.len() != names.len() || !are_all_here {
            return None;
        }
        self.actors(at, &tokens);
        // `authorization` is taken away only where a token is put there.
        let is_kept =
            |token: &&UpstreamToken| token.keep_existing && token.header != defaults::BEARER_HEADER;
        for token in tokens.iter().filter(is_kept) {
            let takes_away = |other: &UpstreamToken| {
                !other.keep_existing && are_twins(other.header.as_bytes(), token.header.as_bytes())
            };
            if tokens.iter().any(takes_away) {
                self.fault(&at.key(&token.name).key("keep_existing"), "is true, and another token that does not keep it has the same header, which is therefore taken from every request; accepted: the same for both, or another header");
            }
        }
        let (first, others) = providers?;
        for (index, provider) in iter::once(first).chain(others).enumerate() {
            provider.issues_upstream_tokens = tokens.iter().any(|token| token.provider == index);
            self.provider_has_a_use(&root.key("providers").key(&provider.name), provider);
        }
        Some(tokens)
    }

    /// `at` is the provider.
    fn provider_has_a_use(&mut self, at: &At<'_>, provider: &Provider) {
        let vouches = provider.client.is_some() || provider.access_tokens.is_some();
        if !vouches && !provider.issues_upstream_tokens {
            self.fault(at, "has neither a `client` nor `access_tokens`, so it vouches for nobody, and no `upstream_tokens` are from it; accepted: at least one of them");
        }
        let clusters = &provider.clusters;
        let is_found = provider.endpoints.token.is_some() || !clusters.discovery.is_empty();
        if provider.issues_upstream_tokens && (clusters.token.is_empty() || !is_found) {
            self.missing(&at.key("cluster"), "the name of an Envoy cluster");
        }
    }

    fn upstream_token(
        &mut self,
        at: &At<'_>,
        name: &str,
        raw: raw::UpstreamToken,
        around: Around<'_>,
    ) -> Option<UpstreamToken> {
        let name = self.plain_name(at, name, "token");
        let provider = self.issuing(&at.key("provider"), raw.provider, around.providers);
        let own = provider.and_then(|index| around.providers?.get(index));
        let client_at = at.key("client");
        let client = match raw.client {
            Some(raw) => self.token_client(&client_at, raw),
            None if own.is_some_and(|own| own.client.is_none()) => {
                if !self.is_taken_out(&client_at) {
                    self.missing(
                        &client_at,
                        "the client that asks, where the provider has no `client`",
                    );
                }
                None
            }
            None => self.or(&client_at, None, TokenClient::ProviderClient),
        };
        let grant_at = at.key("grant");
        let grant = match raw.grant {
            None => self.or(&grant_at, None, TokenGrant::ClientCredentials),
            Some(raw) => self.token_grant(&grant_at, raw, around),
        };
        let scopes = self.token_scopes(&at.key("scopes"), raw.scopes);
        let endpoint_params = self.endpoint_params(
            &at.key("endpoint_params"),
            raw.endpoint_params,
            grant.as_ref(),
        );
        let keep_existing = self.or(&at.key("keep_existing"), raw.keep_existing, false);
        let header_at = at.key("header");
        let header = self
            .or(&header_at, raw.header, defaults::BEARER_HEADER.to_owned())
            .and_then(|text| self.accept(&header_at, header::name(&text)));
        if let (Some(header), Some(true)) = (&header, keep_existing) {
            let is_header = |set: &String| are_twins(set.as_bytes(), header.as_bytes());
            if around.headers.iter().any(is_header) {
                self.fault(&at.key("keep_existing"), "is true, and Portero sets this header with something else, so nothing else could be kept; accepted: false, or another header");
            }
        }
        let scheme_at = at.key("scheme");
        let scheme = match raw.scheme {
            None => {
                let usual = match header.as_deref() {
                    Some(defaults::BEARER_HEADER) => defaults::BEARER_SCHEME,
                    _ => "",
                };
                self.or(&scheme_at, None, usual.to_owned())
            }
            Some(text) => self.accept(&scheme_at, bearer::scheme(&text).map(|()| text)),
        };
        let is_of_caller = grant
            .as_ref()
            .is_some_and(|grant| grant.subject().is_some());
        let callers_of = self.callers_of(
            &at.key("callers_of"),
            raw.callers_of,
            is_of_caller.then_some(provider).flatten(),
            around.providers,
        );
        let renew_before = self.span(
            &at.key("renew_before"),
            raw.renew_before,
            defaults::RENEW_BEFORE,
            Duration::from_secs(5)..=HOUR,
        );
        let default_lifetime = self.span(
            &at.key("default_lifetime"),
            raw.default_lifetime,
            defaults::DEFAULT_LIFETIME,
            Duration::from_secs(10)..=DAY,
        );
        let when_unavailable = self.or(
            &at.key("when_unavailable"),
            raw.when_unavailable.map(|word| match word {
                raw::WithoutToken::Refuse => WithoutToken::Refuse,
                raw::WithoutToken::Pass => WithoutToken::Pass,
            }),
            WithoutToken::Refuse,
        );
        Some(UpstreamToken {
            name: name?,
            provider: provider?,
            client: client?,
            grant: grant?,
            scopes: scopes?,
            endpoint_params: endpoint_params?,
            header: header?,
            scheme: scheme?,
            keep_existing: keep_existing?,
            renew_before: renew_before?,
            default_lifetime: default_lifetime?,
            callers_of: callers_of?,
            when_unavailable: when_unavailable?,
        })
    }

    /// The index of the provider with this name.
    fn issuing(
        &mut self,
        at: &At<'_>,
        name: Option<String>,
        providers: Option<&[&Provider]>,
    ) -> Option<usize> {
        let providers = providers?;
        match name {
            Some(name) => {
                let index = providers.iter().position(|one| one.name == name);
                if index.is_none() {
                    self.fault(
                        at,
                        "is the name of no provider; accepted: a name under `providers`",
                    );
                }
                index
            }
            None if self.is_taken_out(at) => None,
            None if providers.len() > 1 => {
                self.missing(
                    at,
                    "the name of the provider that issues it, because there are several",
                );
                None
            }
            None => Some(0),
        }
    }

    /// The client, which here may also try where its secret belongs.
    fn token_client(&mut self, at: &At<'_>, raw: raw::Client) -> Option<TokenClient> {
        let secret = match raw.authentication.0 {
            Some(raw::ClientAuthentication::ClientSecretAutomatic { secret }) => secret,
            authentication => {
                let authentication = Given(authentication);
                let raw = raw::Client {
                    id: raw.id,
                    authentication,
                };
                return self.client(at, raw).map(TokenClient::Own);
            }
        };
        let method_at = at.key("authentication");
        let method_at = method_at.key("client_secret_automatic");
        let secret = self.written_secret(&method_at.key("secret"), secret);
        let id = self.client_id(&at.key("id"), raw.id);
        let (id, secret) = (id?, secret?);
        let client = |send: fn(Secret<String>) -> ClientAuthentication| Client {
            id: id.clone(),
            authentication: send(secret.clone()),
        };
        Some(TokenClient::Automatic {
            basic: client(|secret| ClientAuthentication::ClientSecretBasic { secret }),
            post: client(|secret| ClientAuthentication::ClientSecretPost { secret }),
        })
    }

    fn token_scopes(&mut self, at: &At<'_>, raw: Option<TextOrList>) -> Option<Vec<String>> {
        let text = match raw {
            None => return self.or(at, None, Vec::new()),
            Some(TextOrList::List(items)) if items.is_empty() => String::new(),
            Some(TextOrList::List(items)) => {
                return self.texts(at, Some(items), MOST_ENTRIES, &|check, at, text| {
                    check.accept(at, scope(&text).map(|()| text))
                });
            }
            Some(TextOrList::Text(text)) => text,
        };
        let mut scopes: Vec<String> = Vec::new();
        for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
            self.accept(at, scope(word))?;
            if scopes.iter().any(|known| known == word) {
                self.fault(at, "names a scope twice; accepted: each once");
                return None;
            }
            scopes.push(word.to_owned());
        }
        if scopes.is_empty() {
            self.fault(
                at,
                "names no scope; accepted: leave it out to send no `scope`",
            );
            return None;
        }
        self.at_most(at, scopes.len(), MOST_ENTRIES)?;
        Some(scopes)
    }

    fn endpoint_params(
        &mut self,
        at: &At<'_>,
        raw: Option<BTreeMap<String, TextOrList>>,
        grant: Option<&TokenGrant>,
    ) -> Option<Vec<(String, String)>> {
        let raw = self.or(at, raw, BTreeMap::new())?;
        self.at_most(at, raw.len(), MOST_ENTRIES)?;
        let mut complete = true;
        let mut parameters = Vec::with_capacity(raw.len());
        for (name, values) in raw {
            let at = at.key(&name);
            let free = check_parameter_name(&name).and_then(|()| check_is_free(&name, grant));
            let named = self.accept(&at, free);
            match (named, self.one_or_more(&at, values, &Self::text)) {
                (Some(()), Some(values)) => {
                    parameters.extend(values.into_iter().map(|value| (name.clone(), value)));
                }
                _ => complete = false,
            }
        }
        complete.then_some(parameters)
    }

    /// Each of them a value of its own.
    pub(super) fn one_or_more(
        &mut self,
        at: &At<'_>,
        raw: TextOrList,
        read: &dyn Fn(&mut Self, &At<'_>, String) -> Option<String>,
    ) -> Option<Vec<String>> {
        match raw {
            TextOrList::Text(text) => read(self, at, text).map(|text| vec![text]),
            TextOrList::List(items) if items.is_empty() => {
                self.fault(at, "is empty; accepted: a string, or a list of strings");
                None
            }
            TextOrList::List(items) => self.texts(at, Some(items), MOST_ENTRIES, read),
        }
    }

    /// What the requests of a rule get.
    pub(super) fn tokens_of_rule(
        &mut self,
        at: &At<'_>,
        raw: Option<Vec<Given<String>>>,
        access: Option<Access>,
        entrance: Option<&Entrance>,
        known: entrance::Known<'_>,
    ) -> Option<RuleTokens> {
        let tokens = known.tokens?;
        let is_public = access? == Access::Public;
        let lacks_caller = |index: &usize| {
            let token = tokens.get(*index);
            is_public && token.is_some_and(|token| token.subject().is_some())
        };
        let Some(raw) = raw else {
            let of_all = match is_public {
                true => RuleTokens::default(),
                false => known.tokens_of_all?.clone(),
            };
            return self.or(at, None, of_all);
        };
        let named = self.tokens_named(at, Some(raw), Some(tokens))?;
        if let Some(place) = named.iter().position(lacks_caller) {
            self.fault(&at.index(place), "is made of the caller's token, and a public rule asks nobody who they are; accepted: tokens for all callers, or `access` authenticated");
        }
        let has_session = |entrance: &Entrance| entrance.methods.each().contains(&Method::Session);
        let is_of_login = |index: &usize| {
            let token = tokens.get(*index);
            token.and_then(UpstreamToken::subject) == Some(SubjectToken::IdToken)
        };
        if let Some(place) = named.iter().position(is_of_login)
            && entrance.is_some_and(|entrance| !has_session(entrance))
        {
            self.fault(&at.index(place), "is made of the ID token of a login, and no session counts under this rule; accepted: tokens of another subject, or `session` among `authenticate`");
        }
        Some(RuleTokens {
            indexes: named,
            is_default: false,
        })
    }

    /// Whoever describes a token wants it to go somewhere.
    pub(super) fn tokens_are_named(
        &mut self,
        at: &At<'_>,
        tokens: &[UpstreamToken],
        everywhere: &RuleTokens,
        rules: &[Rule],
    ) {
        for (index, token) in tokens.iter().enumerate() {
            let is_named = |names: &RuleTokens| names.indexes.contains(&index);
            let acts = tokens.iter().any(|other| other.actor() == Some(index));
            let mut of_rules = rules.iter().map(|rule| &rule.upstream_tokens);
            if !acts && !is_named(everywhere) && !of_rules.any(is_named) {
                self.warn(
                    &at.key(&token.name),
                    "is named by no rule and not in `upstream.tokens`, so no request gets it",
                );
            }
        }
    }

    /// The indexes of the tokens with these names, which go into headers that differ.
    pub(super) fn tokens_named(
        &mut self,
        at: &At<'_>,
        raw: Option<Vec<Given<String>>>,
        tokens: Option<&[UpstreamToken]>,
    ) -> Option<Vec<usize>> {
        let raw = self.or(at, raw, Vec::new())?;
        let tokens = tokens?;
        let mut headers: Vec<(usize, &[u8])> = Vec::new();
        self.distinct(
            at,
            raw,
            MOST_TOKENS_OF_A_RULE,
            |check, at, name: String| {
                let place = tokens.iter().position(|token| token.name == name);
                let Some((index, token)) = place.zip(place.and_then(|place| tokens.get(place)))
                else {
                    check.fault(
                        at,
                        "is the name of no token; accepted: a name under `upstream_tokens`",
                    );
                    return None;
                };
                let header = token.header.as_bytes();
                // The same token twice is another fault.
                let mut others = headers.iter().filter(|(other, _)| *other != index);
                if others.any(|(_, other)| are_twins(other, header)) {
                    check.fault(at, "goes into the header of another token in this list; accepted: tokens whose `header` differs in more than case, `-` and `_`");
                    return None;
                }
                headers.push((index, header));
                Some(index)
            },
        )
    }
}

/// Whether the token request leaves this parameter to the configuration.
fn check_is_free(name: &str, grant: Option<&TokenGrant>) -> Result<(), String> {
    let own = match name {
        "client_id" | "client_secret" => {
            return Err("is the client's own; accepted: other parameters, and `client_secret_post` as the client's `authentication` for a provider that wants both in the body".to_owned());
        }
        "grant_type" => "grant",
        "scope" => "scopes",
        _ if name.starts_with("client_assertion") => "client",
        "audience" | "resource" | "requested_token_type"
            if matches!(grant, Some(TokenGrant::TokenExchange(_))) =>
        {
            "grant"
        }
        _ if matches!(grant, Some(TokenGrant::TokenExchange(_)))
            && (name.starts_with("subject_token") || name.starts_with("actor_token")) =>
        {
            "grant"
        }
        "assertion" if matches!(grant, Some(TokenGrant::JwtBearer(_))) => "grant",
        "refresh_token" if matches!(grant, Some(TokenGrant::RefreshToken { .. })) => "grant",
        _ => return Ok(()),
    };
    Err(format!(
        "is a parameter that Portero sends itself; accepted: other parameters, and `{own}` for this one"
    ))
}

/// The headers that Portero sets with something else than tokens for the upstream.
pub(super) fn headers_set(headers: Option<&[UpstreamHeader]>, has_consumers: bool) -> Vec<String> {
    let mut names: Vec<String> = headers
        .unwrap_or_default()
        .iter()
        .map(|header| header.name.clone())
        .collect();
    if has_consumers {
        names.extend(CONSUMER_HEADERS.map(str::to_owned));
    }
    names
}
