//! Asking the provider for a token of the upstream, for all who wait for it.

use std::time::Duration;

use super::fetched_token::FetchedToken;
use super::provider_keys::ProviderKeys;
use super::{Call, Exchange, Gateway};
use crate::config::{Client, Config, TokenClient, TokenGrant, UpstreamToken};
use crate::error::CallFault;
use crate::host::{Host, jittered};
use crate::oidc::{IssueFault, IssuedToken, ProviderMetadata, UpstreamTokenRequest};
use crate::secret::Secret;
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
    subject: Option<Secret<String>>,
    /// The number of the attempt.
    attempt: u32,
}

impl FetchJob {
    pub fn new(index: usize, owner: Owner, subject: Option<&str>, attempt: u32) -> Self {
        Self {
            index,
            owner,
            subject: subject.map(|subject| Secret::new(subject.to_owned())),
            attempt,
        }
    }
}

/// How long asking may take: the provider's metadata, and the token in two ways, each within its time
/// limit, and some room for slow wheels; and the actor's token before that.
pub fn time_limit(config: &Config, policy: &UpstreamToken) -> Duration {
    let provider = config.providers().nth(policy.provider);
    let timeout = provider.map_or(Duration::ZERO, |provider| provider.timeout);
    let actor = policy
        .actor()
        .and_then(|index| config.upstream_tokens.get(index));
    // No actor has one of its own.
    let of_actor = actor.map_or(Duration::ZERO, |actor| time_limit(config, actor));
    timeout.saturating_mul(4).saturating_add(of_actor)
}

/// Carries out a fetch, and leaves what came of it for everybody.
pub async fn fetch(gateway: &Gateway, exchange: &Exchange, job: &FetchJob) {
    let Ok(fetched) = FetchedToken::of(gateway, job.index) else {
        return;
    };
    let host = gateway.host.as_ref();
    let slots = fetched.slots;
    let latest = slots.refresh_token(job.owner);
    let subject = job
        .subject
        .as_ref()
        .map(|subject| subject.expose().as_str());
    let verdict = ask(fetched, exchange, subject, latest.as_deref()).await;
    let held = verdict.and_then(|(issued, asked_at)| {
        let token = held(host, fetched.policy, asked_at, &issued)?;
        Ok((token, issued.refresh_token))
    });
    match held {
        Ok((token, next)) => {
            let next = next.as_ref().map(|next| next.expose().as_str());
            slots.succeed(job.owner, job.attempt, &token, next);
        }
        Err(fault) => {
            let (name, cause) = (&fetched.policy.name, fault.name());
            let line = format!("upstream_token_failed token={name} cause={cause}");
            host.log(Level::Warn, &line);
            slots.fail(job.owner, job.attempt, fault.call_fault());
        }
    }
}

/// The token with its times. One that has ended by now would only be asked for again at once.
fn held(
    host: &dyn Host,
    policy: &UpstreamToken,
    asked_at: Timestamp,
    issued: &IssuedToken,
) -> Result<HeldToken, IssueFault> {
    let lifetime = issued
        .expires_in
        .map_or(policy.default_lifetime, Duration::from_secs);
    // Whoever issues it may count whole seconds from the one in which it was asked for.
    let expires_at = Timestamp::from_secs(asked_at.as_secs()).after(lifetime);
    if expires_at <= host.now() {
        return Err(IssueFault::Ended);
    }
    let ahead = jittered(host, policy.renew_before.min(lifetime.mul_f64(0.5)));
    Ok(HeldToken {
        token: issued.token.expose().clone(),
        fetched_at: asked_at,
        renew_at: expires_at.before(ahead),
        expires_at,
    })
}

/// The answer, and when it was asked for.
type Answer = Result<(IssuedToken, Timestamp), IssueFault>;

async fn ask(
    fetched: FetchedToken<'_>,
    exchange: &Exchange,
    subject: Option<&str>,
    refresh_token: Option<&str>,
) -> Answer {
    let FetchedToken {
        gateway, policy, ..
    } = fetched;
    let keys = ProviderKeys::of(gateway, exchange, policy.provider);
    let keys = keys.ok_or(IssueFault::MetadataUnknown)?;
    let metadata = keys.metadata().await;
    let metadata = metadata.map_err(|_| IssueFault::MetadataUnknown)?;
    let actor = match policy.actor() {
        None => None,
        Some(index) => {
            let actor = FetchedToken::of(gateway, index);
            let actor = actor.map_err(|_| IssueFault::MetadataUnknown)?;
            let held = actor.wait(exchange).await.map_err(IssueFault::Call)?;
            Some((actor, held))
        }
    };
    let asking = Asking {
        keys,
        metadata: &metadata,
        request: UpstreamTokenRequest {
            policy,
            subject,
            actor: actor.as_ref().map(|(_, held)| held.token.as_str()),
            refresh_token,
        },
    };
    let (verdict, is_refused) = asking.ask_in_its_way(fetched).await;
    if let Some((actor, held)) = actor.filter(|_| is_refused) {
        // It may be the actor whom the provider does not know any more.
        actor.drop_refused(Owner::Everybody, &held);
    }
    verdict
}

/// One question, which may have to be asked twice.
struct Asking<'a> {
    keys: ProviderKeys<'a>,
    metadata: &'a ProviderMetadata,
    request: UpstreamTokenRequest<'a>,
}

impl Asking<'_> {
    /// What comes of it, and whether the provider has refused something of what it was shown.
    async fn ask_in_its_way(&self, fetched: FetchedToken<'_>) -> (Answer, bool) {
        let way = Way::of(fetched);
        let is_post = way.is_post();
        let (first, second) = match &self.request.policy.client {
            TokenClient::ProviderClient => (self.keys.provider.client.as_ref(), None),
            TokenClient::Own(client) => (Some(client), None),
            TokenClient::Automatic { basic, post } if is_post => (Some(post), Some(basic)),
            TokenClient::Automatic { basic, post } => (Some(basic), Some(post)),
        };
        let Some(first) = first else {
            return (Err(IssueFault::MetadataUnknown), false);
        };
        let (verdict, is_refused) = self.ask(first).await;
        let Some(second) = second.filter(|_| is_refused) else {
            return (verdict, is_refused);
        };
        let (other, is_refused) = self.ask(second).await;
        match (&verdict, &other) {
            (_, Ok(_)) => way.remember(!is_post),
            // Whoever does not take the client in this way says nothing of the rest.
            (Err(_), Err(IssueFault::Call(CallFault::InvalidClient))) => {
                return (verdict, is_refused);
            }
            _ => {}
        }
        (other, is_refused)
    }

    /// What comes of it, and whether the provider may have refused the way in which the client
    /// authenticates: not all of them say `invalid_client`.
    async fn ask(&self, client: &Client) -> (Answer, bool) {
        let mut is_refused = false;
        let verdict = self.ask_once(client, &mut is_refused).await;
        (verdict, is_refused)
    }

    async fn ask_once(&self, client: &Client, is_refused: &mut bool) -> Answer {
        let ProviderKeys {
            gateway,
            exchange,
            provider,
            ..
        } = self.keys;
        let host = gateway.host.as_ref();
        let endpoint = self.metadata.token_endpoint.as_ref();
        let endpoint = endpoint.ok_or(IssueFault::MetadataUnknown)?;
        let client = self.keys.authenticator(client, self.metadata);
        let form = self.request.encode(&client);
        let form = form.map_err(|_| IssueFault::NotSigned)?;
        let call = Call::with_form(provider, Purpose::UpstreamToken, endpoint, form);
        let asked_at = host.now();
        let issued = gateway
            .call(exchange, call, |reply| {
                let reply = reply.map_err(IssueFault::Call)?;
                *is_refused = matches!(reply.status, 400 | 401 | 403);
                let mut issued = self.request.read(reply.status, &reply.body)?;
                if !matches!(self.request.policy.grant, TokenGrant::RefreshToken { .. }) {
                    // Nobody would ever use it.
                    issued.refresh_token = None;
                }
                let tokens = [Some(&issued.token), issued.refresh_token.as_ref()];
                let is_small = |token: &Secret<String>| token.expose().len() <= MAX_TOKEN_BYTES;
                let are_small = tokens.into_iter().flatten().all(is_small);
                are_small.then_some(issued).ok_or(IssueFault::TooLarge)
            })
            .await?;
        Ok((issued, asked_at))
    }
}

/// How the client sends its secret, where that has to be found out.
struct Way<'a>(SharedSlot<'a>);

impl<'a> Way<'a> {
    fn of(fetched: FetchedToken<'a>) -> Self {
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
