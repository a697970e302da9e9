//! What all requests of one worker share.

use std::cell::RefCell;
use std::rc::Rc;

use super::strip::HeaderGuard;
use crate::config::Config;
use crate::host::Host;
use crate::provider::{Availability, FetchPlan, ProviderCache};
use crate::session::{CookieNames, Seal, SessionCache};

/// One loaded configuration with what a worker keeps for it.
pub struct Gateway {
    pub config: Config,
    pub host: Rc<dyn Host>,
    pub seal: Seal,
    pub(super) names: CookieNames,
    pub(super) guard: HeaderGuard,
    pub(super) sessions: RefCell<SessionCache>,
    pub(super) provider: RefCell<ProviderCache>,
    /// Tells apart configurations that share one Envoy's shared data.
    pub(super) scope: String,
}

impl Gateway {
    /// From a checked configuration.
    pub fn new(config: Config, host: Rc<dyn Host>) -> Self {
        let seal = Seal::new(&config.session.keys);
        let scope = format!("{}/{}", seal.fingerprint(), config.provider.name);
        let provider = ProviderCache::new(&scope);
        provider.prepare(host.as_ref(), &seal);
        Self {
            names: CookieNames::new(&config.session.cookie.name),
            guard: HeaderGuard::new(&config.upstream),
            sessions: RefCell::new(SessionCache::new(config.session.cache_bytes)),
            provider: RefCell::new(provider),
            seal,
            host,
            config,
            scope,
        }
    }

    /// Whether metadata and keys are known.
    pub fn is_ready(&self) -> bool {
        let availability = self.provider.borrow().availability(self.host.now());
        matches!(availability, Availability::Ready(_))
    }

    /// To be called regularly: keeps the provider's metadata and keys fresh. A plan that comes back
    /// is to be carried out by [`super::fetch_provider`].
    pub fn tick(&self) -> Option<FetchPlan> {
        self.provider
            .borrow_mut()
            .tick(self.host.as_ref(), &self.seal, &self.config.provider)
    }
}
