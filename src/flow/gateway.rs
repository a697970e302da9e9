//! What all requests of one worker share.

use std::cell::RefCell;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::Job;
use super::bearer::OpenToken;
use super::introspection::{REFUSED_BYTES, RefusedToken};
use super::known_token::KnownToken;
use super::signed_identity;
use super::strip::HeaderGuard;
use crate::authz::Interests;
use crate::config::{Client, Config, Provider};
use crate::endpoint::Endpoint;
use crate::error::{Error, InternalFault};
use crate::host::Host;
use crate::oidc::ProviderMetadata;
use crate::provider::{Availability, DocumentPlan, ProviderCache};
use crate::session::{
    Cache, CookieContext, CookieJar, CookieNames, Given, Naming, OpenSession, Seal, Session,
    SharedMemory, Sweep, Watermarks,
};
use crate::time::Timestamp;
use crate::upstream::{self, Known};
use crate::upstream_token::Seen;

/// What a worker knows of one provider.
pub struct KnownProvider {
    pub(super) cache: RefCell<ProviderCache>,
    /// Tells apart providers whose documents are in one Envoy's shared data.
    scope: String,
    /// Whether anything of it has to be fetched.
    needs_documents: bool,
}

/// One loaded configuration with what a worker keeps for it.
pub struct Gateway {
    pub config: Config,
    pub host: Rc<dyn Host>,
    pub seal: Seal,
    pub(super) names: CookieNames,
    pub(super) guard: HeaderGuard,
    pub(super) interests: Interests,
    pub(super) sessions: RefCell<Cache<OpenSession>>,
    pub(super) tokens: RefCell<Cache<OpenToken>>,
    /// Tokens that the provider was asked about in vain.
    pub(super) refused_tokens: RefCell<Cache<RefusedToken>>,
    pub(super) watermarks: Watermarks,
    /// How watermarks name the sessions of the provider that people log in with.
    pub(super) naming: Naming,
    /// What is known of each of [`Config::providers`].
    pub(super) providers: Vec<KnownProvider>,
    /// What is known of each of [`Config::upstream_tokens`].
    pub(super) upstream_tokens: Vec<KnownToken>,
    /// What was seen last of those that are made of a caller's token.
    pub(super) callers_tokens: RefCell<Cache<Seen>>,
    jobs: RefCell<Vec<Job>>,
    sweep: Sweep,
    /// Tells apart configurations that share one Envoy's shared data.
    scope: String,
}

impl Gateway {
    /// From a checked configuration.
    pub fn new(config: Config, host: Rc<dyn Host>) -> Self {
        let seal = Seal::new(&config.session.keys);
        let scope = scope(&config.provider, &config.session.cookie.name);
        Self {
            names: CookieNames::new(&config.session.cookie.name),
            guard: HeaderGuard::new(&config),
            interests: Interests::of(&config),
            sessions: RefCell::new(Cache::new(config.session.cache_bytes)),
            tokens: RefCell::new(Cache::new(config.session.cache_bytes)),
            refused_tokens: RefCell::new(Cache::new(REFUSED_BYTES)),
            watermarks: Watermarks::default(),
            naming: Naming::of(&config.provider.issuer),
            providers: config.providers().map(KnownProvider::new).collect(),
            upstream_tokens: config
                .upstream_tokens
                .iter()
                .map(|policy| KnownToken::new(&config, policy))
                .collect(),
            callers_tokens: RefCell::new(Cache::new(config.session.cache_bytes)),
            jobs: RefCell::default(),
            sweep: Sweep::default(),
            seal,
            host,
            config,
            scope,
        }
    }

    /// What requests have left behind and nobody has carried out yet; whoever takes them runs
    /// [`super::carry_out`] for each.
    pub fn take_jobs(&self) -> Vec<Job> {
        self.jobs.take()
    }

    pub fn has_jobs(&self) -> bool {
        !self.jobs.borrow().is_empty()
    }

    /// Leaves a job behind, unless the same one is there already.
    pub(super) fn add_job(&self, job: Job) {
        let mut jobs = self.jobs.borrow_mut();
        if !jobs.contains(&job) {
            jobs.push(job);
        }
    }

    /// What every cookie of a request to `authority`, with the cookies in `jar`, has in common.
    pub(super) fn cookies<'a>(
        &'a self,
        jar: &'a CookieJar<'a>,
        authority: &'a str,
    ) -> CookieContext<'a> {
        CookieContext {
            policy: &self.config.session,
            names: &self.names,
            seal: &self.seal,
            host: self.host.as_ref(),
            jar,
            authority,
            issuer: &self.config.provider.issuer,
        }
    }

    /// A session with what it tells others; `read_at` where the store keeps it.
    pub(super) fn open(&self, session: Session, read_at: Option<Timestamp>) -> OpenSession {
        let token_claims = session.authorization.token_claims();
        let claims = session.claims();
        let known = Known::of_session(&session, &claims, &token_claims);
        let given = Given {
            headers: upstream::headers(&self.config.upstream, &known),
            filter_state: upstream::filter_state(&self.config.upstream, &known),
        };
        let identity = signed_identity::of_session(&self.config, &session, &known);
        let mut open = OpenSession::new(session, read_at, given);
        open.identity = identity;
        open
    }

    /// What this configuration's workers share.
    pub(super) fn memory(&self) -> SharedMemory<'_> {
        SharedMemory {
            host: self.host.as_ref(),
            seal: &self.seal,
            scope: &self.scope,
        }
    }

    /// What the workers share of one provider.
    pub(super) fn memory_of<'a>(&'a self, known: &'a KnownProvider) -> SharedMemory<'a> {
        SharedMemory {
            scope: &known.scope,
            ..self.memory()
        }
    }

    /// The client that people log in with. Where there is none, nothing leads to a login.
    pub(super) fn client(&self) -> Result<&Client, Error> {
        let client = self.config.provider.client.as_ref();
        client.ok_or(Error::Internal(InternalFault::Bug))
    }

    /// Whether metadata and keys of every provider are known.
    pub fn is_ready(&self) -> bool {
        let now = self.host.now();
        self.providers.iter().all(|known| {
            let availability = known.cache.borrow().availability(now);
            !known.needs_documents || matches!(availability, Availability::Ready(_))
        })
    }

    /// To be called regularly: keeps the providers' metadata and keys fresh, and the memory of refreshes
    /// small. The plans that come back are to be carried out by [`super::fetch_provider`].
    pub fn tick(&self) -> Vec<FetchPlan> {
        self.sweep.go_on(&self.refresh_progress());
        self.renew_upstream_tokens();
        let mut plans = Vec::new();
        let all = self.providers.iter().zip(self.config.providers());
        for (index, (known, provider)) in all.enumerate() {
            if known.needs_documents {
                let mut cache = known.cache.borrow_mut();
                let discovery = cache.tick(self.memory_of(known), provider);
                plans.extend(discovery.map(|documents| FetchPlan {
                    provider: index,
                    documents,
                }));
            }
        }
        plans
    }
}

/// Documents of one provider that are to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchPlan {
    /// The index among [`Config::providers`].
    pub provider: usize,
    pub documents: DocumentPlan,
}

impl KnownProvider {
    fn new(provider: &Provider) -> Self {
        Self {
            cache: RefCell::default(),
            scope: scope(provider, ""),
            needs_documents: provider.publishes_keys()
                || ProviderMetadata::by_hand(provider).is_none(),
        }
    }
}

/// Bytes of the hash in a scope.
const SCOPE_HASH: usize = 8;

/// Two configurations share documents, keys and schedule only where they would ask the same
/// provider in the same way, for the same client: the keys of one decide who is logged in. The keys
/// that seal are not part of it, so that nothing is forgotten when they are rotated; what another key
/// has sealed counts as missing.
fn scope(provider: &Provider, cookie_name: &str) -> String {
    let by_hand = &provider.endpoints;
    let endpoints = [
        &by_hand.authorization,
        &by_hand.token,
        &by_hand.jwks,
        &by_hand.userinfo,
        &by_hand.end_session,
        &by_hand.revocation,
        &by_hand.introspection,
    ]
    .map(|endpoint| endpoint.as_ref().map(Endpoint::as_str));
    let clusters = &provider.clusters;
    let clusters = [
        &clusters.discovery,
        &clusters.token,
        &clusters.jwks,
        &clusters.userinfo,
        &clusters.introspection,
    ];
    // As JSON, so that no text can reach over into the next.
    let sources = serde_json::json!([
        provider.issuer,
        endpoints,
        clusters,
        provider.client.as_ref().map(|client| &client.id),
        provider.publishes_keys(),
        cookie_name,
    ]);
    format!(
        "{}/{}",
        provider.name,
        fingerprint(sources.to_string(), SCOPE_HASH)
    )
}

/// The first `bytes` of the SHA-256 of `source`, in hexadecimal.
pub(super) fn fingerprint(source: impl AsRef<[u8]>, bytes: usize) -> String {
    let hash = Sha256::digest(source);
    let hash = hash.iter().take(bytes);
    hash.map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
