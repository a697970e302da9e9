//! What all requests of one worker share.

use std::cell::RefCell;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::Job;
use super::strip::HeaderGuard;
use crate::authz::Interests;
use crate::config::Config;
use crate::endpoint::Endpoint;
use crate::host::Host;
use crate::provider::{Availability, FetchPlan, ProviderCache};
use crate::session::{
    CookieContext, CookieJar, CookieNames, OpenSession, Seal, Session, SessionCache, SharedMemory,
    Sweep, Watermarks,
};
use crate::time::Timestamp;
use crate::upstream;

/// One loaded configuration with what a worker keeps for it.
pub struct Gateway {
    pub config: Config,
    pub host: Rc<dyn Host>,
    pub seal: Seal,
    pub(super) names: CookieNames,
    pub(super) guard: HeaderGuard,
    pub(super) interests: Interests,
    pub(super) sessions: RefCell<SessionCache>,
    pub(super) watermarks: Watermarks,
    pub(super) provider: RefCell<ProviderCache>,
    jobs: RefCell<Vec<Job>>,
    sweep: Sweep,
    /// Tells apart configurations that share one Envoy's shared data.
    scope: String,
}

impl Gateway {
    /// From a checked configuration.
    pub fn new(config: Config, host: Rc<dyn Host>) -> Self {
        let seal = Seal::new(&config.session.keys);
        let scope = scope(&config);
        Self {
            names: CookieNames::new(&config.session.cookie.name),
            guard: HeaderGuard::new(&config.upstream),
            interests: Interests::of(&config),
            sessions: RefCell::new(SessionCache::new(config.session.cache_bytes)),
            watermarks: Watermarks::default(),
            provider: RefCell::default(),
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
        let headers = upstream::headers(&self.config.upstream, &session);
        let filter_state = upstream::filter_state(&self.config.upstream, &session);
        OpenSession::new(session, read_at, headers, filter_state)
    }

    /// What this configuration's workers share.
    pub(super) fn memory(&self) -> SharedMemory<'_> {
        SharedMemory {
            host: self.host.as_ref(),
            seal: &self.seal,
            scope: &self.scope,
        }
    }

    /// Whether metadata and keys are known.
    pub fn is_ready(&self) -> bool {
        let availability = self.provider.borrow().availability(self.host.now());
        matches!(availability, Availability::Ready(_))
    }

    /// To be called regularly: keeps the provider's metadata and keys fresh, and the memory of refreshes
    /// small. A plan that comes back is to be carried out by [`super::fetch_provider`].
    pub fn tick(&self) -> Option<FetchPlan> {
        self.sweep.go_on(&self.refresh_progress());
        self.provider
            .borrow_mut()
            .tick(self.memory(), &self.config.provider)
    }
}

/// Bytes of the hash in a scope.
const SCOPE_HASH: usize = 8;

/// Two configurations share documents, keys and schedule only where they would ask the same
/// provider in the same way, for the same client: the keys of one decide who is logged in. The keys
/// that seal are not part of it, so that nothing is forgotten when they are rotated; what another key
/// has sealed counts as missing.
fn scope(config: &Config) -> String {
    let provider = &config.provider;
    let by_hand = &provider.endpoints;
    let endpoints = [
        &by_hand.authorization,
        &by_hand.token,
        &by_hand.jwks,
        &by_hand.userinfo,
        &by_hand.end_session,
        &by_hand.revocation,
    ]
    .map(|endpoint| endpoint.as_ref().map(Endpoint::as_str));
    let clusters = &provider.clusters;
    let clusters = [
        &clusters.discovery,
        &clusters.token,
        &clusters.jwks,
        &clusters.userinfo,
    ];
    // As JSON, so that no text can reach over into the next.
    let sources = serde_json::json!([
        provider.issuer,
        endpoints,
        clusters,
        provider.client.id,
        config.session.cookie.name,
    ]);
    let hash: String = Sha256::digest(sources.to_string())
        .iter()
        .take(SCOPE_HASH)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{}/{hash}", provider.name)
}

#[cfg(test)]
mod tests;
