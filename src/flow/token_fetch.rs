//! Asking the provider for a token of the upstream, for all who wait for it.

use std::time::Duration;

use super::provider_keys::ProviderKeys;
use super::upstream_token::FetchedToken;
use super::{Call, Exchange, Gateway};
use crate::config::{Actor, Client, Config, TokenClient, TokenGrant, UpstreamToken};
use crate::error::{CallFault, Error, InternalFault};
use crate::host::{Host, jittered};
use crate::oidc::{Authenticator, IssueFault, IssuedToken, ProviderMetadata, UpstreamTokenRequest};
use crate::session::SharedSlot;
use crate::telemetry::{Level, Purpose};
use crate::time::Timestamp;
use crate::upstream_token::{HeldToken, Owner};

/// The longest token that can stand in a header.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A token to fetch; whoever holds it holds the lease.
#[derive(PartialEq, Eq)]
pub struct FetchJob {
    index: usize,
    owner: Owner,
    subject: Option<String>,
}

impl FetchJob {
    pub fn new(index: usize, owner: Owner, subject: Option<&str>) -> Self {
        Self {
            index,
            owner,
            subject: subject.map(str::to_owned),
        }
    }
}

/// How long asking may take: the provider's metadata, and the token in two ways.
pub fn time_limit(config: &Config, policy: &UpstreamToken) -> Duration {
    let provider = config.providers().nth(policy.provider);
    let timeout = provider.map_or(Duration::ZERO, |provider| provider.timeout);
    timeout.saturating_mul(3)
}

/// Carries out a fetch, and leaves what came of it for everybody.
pub async fn fetch(gateway: &Gateway, exchange: &Exchange, job: &FetchJob) {
    let Ok(fetched) = FetchedToken::of(gateway, exchange, job.index) else {
        return;
    };
    let host = gateway.host.as_ref();
    let slots = fetched.slots;
    let asked_at = host.now();
    let refresh_token = match fetched.policy.grant {
        TokenGrant::RefreshToken { .. } => slots.refresh_token(job.owner),
        _ => None,
    };
    match ask(&fetched, job.subject.as_deref(), refresh_token.as_deref()).await {
        Ok(issued) => {
            let token = held(host, fetched.policy, asked_at, &issued);
            let next = issued.refresh_token.as_ref();
            slots.succeed(job.owner, &token, next.map(|next| next.expose().as_str()));
        }
        Err(fault) => {
            let call_fault = fault.call_fault();
            host.log(
                Level::Warn,
                &format!(
                    "upstream_token_failed token={} cause={}",
                    fetched.policy.name,
                    fault.name()
                ),
            );
            slots.fail(job.owner, call_fault);
        }
    }
}

fn held(
    host: &dyn Host,
    policy: &UpstreamToken,
    asked_at: Timestamp,
    issued: &IssuedToken,
) -> HeldToken {
    let lifetime = issued
        .expires_in
        .map_or(policy.default_lifetime, Duration::from_secs);
    // Whoever issues it may count whole seconds from the one in which it was asked for.
    let expires_at = Timestamp::from_secs(asked_at.as_secs()).after(lifetime);
    let ahead = jittered(host, policy.renew_before.min(lifetime.mul_f64(0.5)));
    HeldToken {
        token: issued.token.expose().clone(),
        fetched_at: asked_at,
        renew_at: expires_at.before(ahead),
        expires_at,
    }
}

async fn ask(
    fetched: &FetchedToken<'_>,
    subject: Option<&str>,
    refresh_token: Option<&str>,
) -> Result<IssuedToken, IssueFault> {
    let FetchedToken {
        gateway,
        exchange,
        policy,
        ..
    } = *fetched;
    let keys = ProviderKeys::of(gateway, exchange, policy.provider).ok_or(UNREACHABLE)?;
    let metadata = match ProviderMetadata::by_hand(keys.provider) {
        Some(metadata) => metadata,
        None => keys.wait().await.map_err(|_| UNREACHABLE)?.metadata.clone(),
    };
    let actor = match &policy.grant {
        TokenGrant::TokenExchange(exchange) => match exchange.actor {
            Some(Actor::UpstreamToken(index)) => Some(token_of_actor(fetched, index).await?),
            _ => None,
        },
        _ => None,
    };
    let request = UpstreamTokenRequest {
        policy,
        subject,
        actor: actor.as_deref(),
        refresh_token,
    };
    let way = Way::of(fetched);
    let (first, second) = match &policy.client {
        TokenClient::ProviderClient => (keys.provider.client.as_ref(), None),
        TokenClient::Own(client) => (Some(client), None),
        TokenClient::Automatic { basic, post } => match way.is_post() {
            true => (Some(post), Some(basic)),
            false => (Some(basic), Some(post)),
        },
    };
    let first = first.ok_or(UNREACHABLE)?;
    let asking = Asking {
        keys,
        metadata: &metadata,
        request,
    };
    let (verdict, is_refused) = asking.ask(first).await;
    let Some(second) = second.filter(|_| is_refused) else {
        return verdict;
    };
    let (verdict, _) = asking.ask(second).await;
    if verdict.is_ok() {
        way.remember(!way.is_post());
    }
    verdict
}

const UNREACHABLE: IssueFault = IssueFault::Call(CallFault::Unreachable);

async fn token_of_actor(fetched: &FetchedToken<'_>, index: usize) -> Result<String, IssueFault> {
    let actor = FetchedToken::of(fetched.gateway, fetched.exchange, index);
    let actor = actor.map_err(|_| UNREACHABLE)?;
    match actor.obtain(None).await {
        Ok((_, held)) => Ok(held.token),
        Err(Error::Provider(_, fault)) => Err(IssueFault::Call(fault)),
        Err(_) => Err(UNREACHABLE),
    }
}

/// One question, which may have to be asked twice.
struct Asking<'a> {
    keys: ProviderKeys<'a>,
    metadata: &'a ProviderMetadata,
    request: UpstreamTokenRequest<'a>,
}

impl Asking<'_> {
    /// What comes of it, and whether the provider may have refused the way in which the client
    /// authenticates: not all of them say `invalid_client`.
    async fn ask(&self, client: &Client) -> (Result<IssuedToken, IssueFault>, bool) {
        let mut is_refused = false;
        let verdict = self.ask_once(client, &mut is_refused).await;
        (verdict, is_refused)
    }

    async fn ask_once(
        &self,
        client: &Client,
        is_refused: &mut bool,
    ) -> Result<IssuedToken, IssueFault> {
        let ProviderKeys {
            gateway,
            exchange,
            provider,
            ..
        } = self.keys;
        let endpoint = self.metadata.token_endpoint.as_ref();
        let endpoint = endpoint.ok_or(UNREACHABLE)?;
        let client = Authenticator {
            client,
            issuer: &provider.issuer,
            token_endpoint: Some(endpoint),
            host: gateway.host.as_ref(),
        };
        // What cannot be signed cannot be sent.
        let form = self.request.encode(&client);
        let form = form.map_err(|_: InternalFault| UNREACHABLE)?;
        let call = Call::with_form(provider, Purpose::UpstreamToken, endpoint, form);
        gateway
            .call(exchange, call, |reply| {
                let reply = reply.map_err(IssueFault::Call)?;
                *is_refused = matches!(reply.status, 400 | 401 | 403);
                let issued = self.request.read(reply.status, &reply.body)?;
                match issued.token.expose().len() <= MAX_TOKEN_BYTES {
                    true => Ok(issued),
                    false => Err(IssueFault::Call(CallFault::Malformed)),
                }
            })
            .await
    }
}

/// How the client sends its secret, where that has to be found out.
struct Way<'a>(SharedSlot<'a>);

impl<'a> Way<'a> {
    fn of(fetched: &FetchedToken<'a>) -> Self {
        let slots = fetched.slots;
        Self(slots.memory.slot("upstream-token-way", slots.name))
    }

    /// In the body, because the provider has taken it there and not in the header.
    fn is_post(&self) -> bool {
        self.0.read::<bool>().value.unwrap_or_default()
    }

    fn remember(&self, is_post: bool) {
        self.0.overwrite(&is_post);
    }
}
