//! What a worker knows of the provider, and when it is time to ask again.
//!
//! Every worker keeps its own copy; the copies meet in two sealed slots of shared data. One holds
//! the documents as fetched, the other says who may fetch and when: a worker that does not hold the
//! lease waits for the documents to appear. The last good copy serves for as long as it must.

mod sender;
mod slots;

use std::rc::Rc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::config::Provider;
use crate::host::{Host, jittered};
use crate::jose::JwkSet;
use crate::oidc::ProviderMetadata;
use crate::session::SharedMemory;
use crate::time::Timestamp;
use sender::BySender;
pub use sender::Sender;
use slots::{Documents, Schedule};

/// Metadata and keys that were fetched together.
#[derive(Debug)]
pub struct ProviderData {
    pub metadata: ProviderMetadata,
    pub keys: JwkSet,
    /// Other keys have another mark; a set that was fetched again unchanged has the same.
    pub keys_mark: [u8; 8],
    pub fetched_at: Timestamp,
}

impl ProviderData {
    /// The mark of the keys in this document.
    pub fn mark(jwks: Option<&[u8]>) -> [u8; 8] {
        let hash = Sha256::digest(jwks.unwrap_or_default());
        hash.first_chunk().copied().unwrap_or_default()
    }
}

/// Whether a flow can go on.
#[derive(Clone, Debug)]
pub enum Availability {
    Ready(Rc<ProviderData>),
    /// A fetch is due or under way.
    Pending,
    /// The last fetch failed and the next is not due yet.
    Down,
}

/// What becomes of a flow's request for newer keys.
#[derive(Clone, Debug)]
pub enum KeyRefresh {
    /// Another worker has fetched them already.
    Newer(Rc<ProviderData>),
    /// A fetch is due or under way; asked at this time.
    Asked(Timestamp),
    /// There was one a moment ago, or the next has to wait because it failed.
    CoolingDown,
}

/// Documents to fetch; the holder of a plan holds the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentPlan {
    pub discovery: bool,
}

/// The first delay after a failure; it doubles with every further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest delay while nothing is known: people are waiting.
const LONGEST_RETRY_EMPTY: Duration = Duration::from_secs(3);
/// The longest delay while the last good copy serves.
const LONGEST_RETRY_READY: Duration = Duration::from_secs(60);

/// A worker's view of the provider.
#[derive(Default)]
pub struct ProviderCache {
    state: ProviderState,
    data: Option<Rc<ProviderData>>,
    /// The version of the shared documents that `data` was made of.
    adopted: Option<u32>,
    refresh_at: Timestamp,
    /// Newer keys, for tokens of each sender's.
    wishes: BySender<Wish>,
}

/// A wish for newer keys.
#[derive(Clone, Copy, Default)]
struct Wish {
    is_open: bool,
    /// When it was last refused, or its fetch failed.
    failed_at: Option<Timestamp>,
}

impl Wish {
    const fn fail(&mut self, now: Timestamp) {
        self.is_open = false;
        self.failed_at = Some(now);
    }
}

/// Where this worker stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProviderState {
    /// Nothing has been fetched yet.
    #[default]
    Empty,
    /// This worker is fetching, and holds the lease until then. Who has not come back by then may
    /// fetch again.
    Fetching {
        until: Timestamp,
        /// Whose token made it necessary, where nothing else did.
        forced_by: Option<Sender>,
    },
    Ready,
    /// The last fetch, of whatever worker, failed.
    Backoff {
        until: Timestamp,
    },
}

impl ProviderCache {
    pub fn availability(&self, now: Timestamp) -> Availability {
        match (&self.data, self.state) {
            (Some(data), _) => Availability::Ready(Rc::clone(data)),
            (None, ProviderState::Backoff { until })
                if until.is_ahead(now, LONGEST_RETRY_READY) =>
            {
                Availability::Down
            }
            _ => Availability::Pending,
        }
    }

    /// Asks for keys newer than those that were fetched at `known`, once per cool-down over all
    /// workers and for each kind of sender, so that strangers delay nobody but each other.
    pub fn want_newer_keys(
        &mut self,
        memory: SharedMemory<'_>,
        provider: &Provider,
        known: Timestamp,
        sender: Sender,
    ) -> KeyRefresh {
        self.adopt(memory, provider);
        // Whatever replaced what the flow knows is newer, by a clock that was set back too.
        if let Some(data) = self.data.as_ref().filter(|data| data.fetched_at != known) {
            return KeyRefresh::Newer(Rc::clone(data));
        }
        let now = memory.host.now();
        let (schedule, _) = Schedule::read(memory);
        let under_way = schedule.lease_until.is_ahead(now, lease(provider));
        if is_backing_off(&schedule, now)
            || (!under_way && is_cooling(&schedule, provider, sender, now))
        {
            return KeyRefresh::CoolingDown;
        }
        self.wishes.of_mut(sender).is_open = true;
        KeyRefresh::Asked(now)
    }

    /// Whether a fetch that could have answered a request made at `asked` has failed.
    pub fn has_failed_since(&self, asked: Timestamp, sender: Sender) -> bool {
        let failed_at = self.wishes.of(sender).failed_at;
        failed_at.is_some_and(|failed_at| failed_at >= asked)
    }

    /// Takes over what another worker fetched, and says whether it is this worker's turn to fetch.
    pub fn tick(&mut self, memory: SharedMemory<'_>, provider: &Provider) -> Option<DocumentPlan> {
        self.adopt(memory, provider);
        let now = memory.host.now();
        if let ProviderState::Fetching { until, .. } = self.state
            && until.is_ahead(now, lease(provider))
        {
            return None;
        }
        let routine =
            self.data.is_none() || !self.refresh_at.is_ahead(now, provider.refresh_interval);
        let is_wanted = |sender| self.wishes.of(sender).is_open;
        if !routine && !Sender::ALL.into_iter().any(is_wanted) {
            return None;
        }
        let (mut schedule, version) = Schedule::read(memory);
        if is_backing_off(&schedule, now) {
            self.fail_until(schedule.retry_at, now);
            return None;
        }
        if schedule.lease_until.is_ahead(now, lease(provider)) {
            return None;
        }
        let forced_by = match routine {
            true => None,
            false => Some(self.wish_to_fulfil(&schedule, provider, now)?),
        };
        if let Some(sender) = forced_by {
            *schedule.forced_at.of_mut(sender) = now;
        }
        schedule.lease_until = now.after(lease(provider));
        if !Schedule::slot(memory).write(&schedule, version) {
            return None;
        }
        self.state = ProviderState::Fetching {
            until: schedule.lease_until,
            forced_by,
        };
        Some(DocumentPlan {
            discovery: routine && ProviderMetadata::by_hand(provider).is_none(),
        })
    }

    /// Whose wish may cause a fetch now. Those that may not are refused.
    fn wish_to_fulfil(
        &mut self,
        schedule: &Schedule,
        provider: &Provider,
        now: Timestamp,
    ) -> Option<Sender> {
        for sender in Sender::ALL {
            let wish = self.wishes.of_mut(sender);
            if wish.is_open && is_cooling(schedule, provider, sender, now) {
                // Whatever another worker's fetch has brought is here by now.
                wish.fail(now);
            }
        }
        Sender::ALL
            .into_iter()
            .find(|sender| self.wishes.of(*sender).is_open)
    }

    /// Ends a fetch with what it brought: the discovery document, unless it was not asked for, and
    /// the key set. Everybody gets it.
    pub fn succeed(
        &mut self,
        memory: SharedMemory<'_>,
        provider: &Provider,
        data: ProviderData,
        discovery: Option<Vec<u8>>,
        jwks: Option<Vec<u8>>,
    ) {
        let discovery = discovery.or_else(|| {
            let old: Option<Documents> = Documents::slot(memory).read().value;
            old?.discovery
        });
        let documents = Documents {
            discovery,
            jwks,
            fetched_at: data.fetched_at,
        };
        Documents::slot(memory).overwrite(&documents);
        self.take(memory.host, provider, data);
        let (mut schedule, version) = Schedule::read(memory);
        schedule.lease_until = Timestamp::default();
        schedule.retry_at = Timestamp::default();
        schedule.failures = 0;
        Schedule::slot(memory).write(&schedule, version);
    }

    /// Ends a fetch without a result. The next one comes later each time, but no later because of
    /// strangers: theirs wait for their own cool-down.
    pub fn fail(&mut self, memory: SharedMemory<'_>) {
        let now = memory.host.now();
        let (mut schedule, version) = Schedule::read(memory);
        let forced_by = match self.state {
            ProviderState::Fetching { forced_by, .. } => forced_by,
            _ => None,
        };
        if forced_by == Some(Sender::Anybody) {
            schedule.lease_until = Timestamp::default();
            Schedule::slot(memory).write(&schedule, version);
            self.state = ProviderState::Ready;
            self.wishes.of_mut(Sender::Anybody).fail(now);
            return;
        }
        let longest = match self.data {
            Some(_) => LONGEST_RETRY_READY,
            None => LONGEST_RETRY_EMPTY,
        };
        let doubled = FIRST_RETRY.saturating_mul(1 << schedule.failures.min(10));
        schedule.failures = schedule.failures.saturating_add(1);
        schedule.lease_until = Timestamp::default();
        schedule.retry_at = now.after(jittered(memory.host, doubled.min(longest)));
        Schedule::slot(memory).write(&schedule, version);
        self.state = ProviderState::Empty;
        self.fail_until(schedule.retry_at, now);
    }

    /// The metadata in use, for a fetch of keys alone.
    pub fn metadata(&self) -> Option<ProviderMetadata> {
        self.data.as_ref().map(|data| data.metadata.clone())
    }

    fn adopt(&mut self, memory: SharedMemory<'_>, provider: &Provider) {
        let Some(found) = Documents::slot(memory).read_unless::<Documents>(self.adopted) else {
            return;
        };
        self.adopted = Some(found.version);
        let Some(documents) = found.value else {
            return;
        };
        let host = memory.host;
        let now = host.now();
        // A copy from the future was fetched before the clock was set back.
        let newer = self
            .data
            .as_ref()
            .is_none_or(|data| data.fetched_at < documents.fetched_at || now < data.fetched_at);
        if !newer {
            return;
        }
        let metadata = match &documents.discovery {
            Some(discovery) => ProviderMetadata::parse(provider, discovery).ok(),
            None => ProviderMetadata::by_hand(provider),
        };
        let keys = match &documents.jwks {
            Some(jwks) => JwkSet::parse(jwks).ok(),
            None => Some(JwkSet::default()),
        };
        if let (Some(metadata), Some(keys)) = (metadata, keys) {
            self.take(
                host,
                provider,
                ProviderData {
                    metadata,
                    keys,
                    keys_mark: ProviderData::mark(documents.jwks.as_deref()),
                    fetched_at: documents.fetched_at,
                },
            );
        }
    }

    fn take(&mut self, host: &dyn Host, provider: &Provider, data: ProviderData) {
        self.refresh_at = data
            .fetched_at
            .after(jittered(host, provider.refresh_interval));
        self.wishes = BySender::default();
        self.data = Some(Rc::new(data));
        self.state = ProviderState::Ready;
    }

    fn fail_until(&mut self, until: Timestamp, now: Timestamp) {
        if self.state == (ProviderState::Backoff { until }) {
            return;
        }
        self.state = ProviderState::Backoff { until };
        for sender in Sender::ALL {
            self.wishes.of_mut(sender).fail(now);
        }
    }
}

/// How long a fetch may take: discovery and keys, each within its time limit, and some room for
/// slow wheels.
const fn lease(provider: &Provider) -> Duration {
    provider.timeout.saturating_mul(3)
}

/// Whether a failure delays the next fetch.
fn is_backing_off(schedule: &Schedule, now: Timestamp) -> bool {
    schedule.retry_at.is_ahead(now, LONGEST_RETRY_READY)
}

/// Whether an unknown key of this sender's has caused a fetch a moment ago.
fn is_cooling(schedule: &Schedule, provider: &Provider, sender: Sender, now: Timestamp) -> bool {
    let cooldown = provider.unknown_key_cooldown;
    let forced_at = *schedule.forced_at.of(sender);
    forced_at <= now && forced_at.after(cooldown).is_ahead(now, cooldown)
}

#[cfg(test)]
mod tests;
