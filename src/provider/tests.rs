use std::time::Duration;

use serde_json::json;

use super::{Availability, DocumentPlan, KeyRefresh, ProviderCache, ProviderData, Sender};
use crate::config::Provider;
use crate::host::Host as _;
use crate::jose::testing::Signer;
use crate::jose::{Algorithm, JwkSet};
use crate::oidc::ProviderMetadata;
use crate::secret::Secret;
use crate::session::{Seal, SharedMemory};
use crate::testing::{TestHost, config};
use crate::time::Timestamp;

const TICK: Duration = Duration::from_millis(1);
const TIMEOUT: Duration = Duration::from_secs(5);
const REFRESH: Duration = Duration::from_secs(3600);
const COOLDOWN: Duration = Duration::from_secs(30);
const LEASE: Duration = Duration::from_secs(15);
const ALL: Option<DocumentPlan> = Some(DocumentPlan { discovery: true });
const KEYS: Option<DocumentPlan> = Some(DocumentPlan { discovery: false });

/// One Envoy with two workers of one configuration.
struct Envoy {
    host: TestHost,
    seal: Seal,
    provider: Provider,
    workers: [ProviderCache; 2],
}

const fn memory<'a>(host: &'a TestHost, seal: &'a Seal) -> SharedMemory<'a> {
    SharedMemory {
        host,
        seal,
        scope: "test",
    }
}

impl Envoy {
    fn new() -> Self {
        let config = config(|_| {});
        let host = TestHost::default();
        let seal = Seal::new(&config.session.keys);
        let workers = [(); 2].map(|()| ProviderCache::default());
        Self {
            host,
            seal,
            provider: config.provider,
            workers,
        }
    }

    fn ready() -> Self {
        let mut envoy = Self::new();
        assert_eq!(envoy.tick(0), ALL);
        envoy.succeed(0);
        assert_eq!(envoy.tick(1), None);
        envoy
    }

    fn tick(&mut self, worker: usize) -> Option<DocumentPlan> {
        self.workers[worker].tick(memory(&self.host, &self.seal), &self.provider)
    }

    fn want(&mut self, worker: usize) -> KeyRefresh {
        self.want_for(worker, Sender::Provider)
    }

    fn want_for(&mut self, worker: usize, sender: Sender) -> KeyRefresh {
        let known = self.fetched_at(worker).unwrap();
        let memory = memory(&self.host, &self.seal);
        self.workers[worker].want_newer_keys(memory, &self.provider, known, sender)
    }

    fn succeed(&mut self, worker: usize) {
        let discovery = json!({
            "issuer": self.provider.issuer,
            "authorization_endpoint": "https://idp.example.com/authorize",
            "token_endpoint": "https://idp.example.com/token",
            "jwks_uri": "https://idp.example.com/keys",
        });
        let discovery = discovery.to_string().into_bytes();
        let jwks = json!({"keys": [Signer::new(Algorithm::EdDsa).jwk()]});
        let jwks = jwks.to_string().into_bytes();
        let data = ProviderData {
            metadata: ProviderMetadata::parse(&self.provider, &discovery).unwrap(),
            keys: JwkSet::parse(&jwks).unwrap(),
            keys_mark: ProviderData::mark(Some(&jwks)),
            fetched_at: self.host.now(),
        };
        let worker = &mut self.workers[worker];
        worker.succeed(
            memory(&self.host, &self.seal),
            &self.provider,
            data,
            Some(discovery),
            Some(jwks),
        );
    }

    fn fail(&mut self, worker: usize) {
        self.workers[worker].fail(memory(&self.host, &self.seal));
    }

    fn availability(&self, worker: usize) -> Availability {
        self.workers[worker].availability(self.host.now())
    }

    fn fetched_at(&self, worker: usize) -> Option<Timestamp> {
        match self.availability(worker) {
            Availability::Ready(data) => Some(data.fetched_at),
            _ => None,
        }
    }

    fn mark(&self, worker: usize) -> Option<[u8; 8]> {
        match self.availability(worker) {
            Availability::Ready(data) => Some(data.keys_mark),
            _ => None,
        }
    }

    fn is_down(&self, worker: usize) -> bool {
        matches!(self.availability(worker), Availability::Down)
    }

    /// How long it takes from now until a worker may fetch.
    fn wait_for_plan(&mut self, worker: usize) -> Duration {
        let start = self.host.now();
        while self.tick(worker).is_none() {
            self.host.pass(Duration::from_millis(10));
            assert!(self.host.now().since(start) < 2 * REFRESH, "never");
        }
        self.host.now().since(start)
    }
}

#[test]
fn one_worker_fetches_and_the_others_take_it_over() {
    let mut envoy = Envoy::new();
    assert_eq!(envoy.tick(0), ALL);
    assert_eq!(envoy.tick(0), None);
    assert_eq!(envoy.tick(1), None);
    assert!(matches!(envoy.availability(1), Availability::Pending));
    envoy.host.pass(Duration::from_secs(1));
    envoy.succeed(0);
    assert_eq!(envoy.tick(1), None);
    assert_eq!(envoy.fetched_at(0), Some(envoy.host.now()));
    assert_eq!(envoy.fetched_at(1), envoy.fetched_at(0));
}

#[test]
fn a_worker_that_never_comes_back_loses_its_lease() {
    let mut envoy = Envoy::new();
    assert_eq!(envoy.provider.timeout, TIMEOUT);
    assert_eq!(envoy.tick(0), ALL);
    envoy.host.pass(LEASE - TICK);
    assert_eq!(envoy.tick(1), None);
    envoy.host.pass(TICK);
    assert_eq!(envoy.tick(1), ALL);
}

/// Nobody comes back to tell: the flow that was to fetch is lost.
#[test]
fn a_worker_whose_lease_has_passed_may_fetch_again_itself() {
    let mut envoy = Envoy::new();
    assert_eq!(envoy.tick(0), ALL);
    envoy.host.pass(LEASE - TICK);
    assert_eq!(envoy.tick(0), None);
    envoy.host.pass(TICK);
    assert_eq!(envoy.tick(0), ALL);
    assert_eq!(envoy.tick(1), None, "leased anew");
}

#[test]
fn a_lease_from_before_the_clock_was_set_back_has_passed() {
    let mut envoy = Envoy::new();
    envoy.host.pass(REFRESH);
    assert_eq!(envoy.tick(0), ALL);
    envoy.host.set_back(REFRESH);
    assert_eq!(envoy.tick(1), ALL);
    assert_eq!(envoy.tick(0), None, "the other's lease counts");
    envoy.host.pass(LEASE);
    assert_eq!(envoy.tick(0), ALL);
}

#[test]
fn a_delay_from_before_the_clock_was_set_back_has_passed() {
    let mut envoy = Envoy::new();
    envoy.host.pass(REFRESH);
    assert_eq!(envoy.tick(0), ALL);
    envoy.fail(0);
    assert_eq!(envoy.tick(1), None);
    envoy.host.set_back(REFRESH);
    for worker in [0, 1] {
        assert!(!envoy.is_down(worker), "{worker}");
    }
    assert_eq!(envoy.tick(1), ALL);
}

#[test]
fn a_cool_down_from_before_the_clock_was_set_back_has_passed() {
    let mut envoy = Envoy::ready();
    envoy.host.pass(COOLDOWN);
    assert!(matches!(envoy.want(0), KeyRefresh::Asked(_)));
    assert_eq!(envoy.tick(0), KEYS);
    envoy.succeed(0);
    assert!(matches!(envoy.want(0), KeyRefresh::CoolingDown));
    envoy.host.set_back(TICK);
    assert!(matches!(envoy.want(0), KeyRefresh::Asked(_)));
    assert_eq!(envoy.tick(0), KEYS);
}

#[test]
fn documents_from_before_the_clock_was_set_back_give_way_to_newer_ones() {
    let mut envoy = Envoy::new();
    envoy.host.pass(2 * REFRESH);
    assert_eq!(envoy.tick(0), ALL);
    envoy.succeed(0);
    assert_eq!(envoy.tick(1), None);
    let known = envoy.fetched_at(1).unwrap();
    envoy.host.set_back(2 * REFRESH);
    assert_eq!(envoy.tick(0), ALL, "they are not fresh for ever");
    envoy.succeed(0);
    let now = envoy.host.now();
    assert!(now < known);
    let newer = envoy.want(1);
    assert!(matches!(newer, KeyRefresh::Newer(_)), "{newer:?}");
    assert_eq!(envoy.fetched_at(1), Some(now));
    assert_eq!(envoy.tick(1), None);
}

#[test]
fn delays_grow_with_every_failure_up_to_three_seconds_while_people_wait() {
    let mut envoy = Envoy::new();
    assert_eq!(envoy.tick(0), ALL);
    for longest in [1.0, 2.0, 3.0, 3.0, 3.0] {
        envoy.fail(0);
        assert!(envoy.is_down(0));
        assert_eq!(envoy.tick(1), None);
        assert!(envoy.is_down(1), "the others know");
        let waited = envoy.wait_for_plan(0).as_secs_f64();
        assert!(
            (longest * 0.8..=longest + 0.01).contains(&waited),
            "{waited} of {longest}"
        );
    }
    envoy.succeed(0);
    assert!(envoy.fetched_at(0).is_some());
}

#[test]
fn while_the_last_good_copy_serves_delays_grow_to_a_minute() {
    let mut envoy = Envoy::ready();
    let first = envoy.fetched_at(0);
    envoy.host.pass(REFRESH);
    assert_eq!(envoy.tick(0), ALL);
    for longest in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
        envoy.fail(0);
        assert_eq!(envoy.fetched_at(0), first);
        let waited = envoy.wait_for_plan(0).as_secs_f64();
        assert!(
            (longest * 0.8..=longest + 0.01).contains(&waited),
            "{waited} of {longest}"
        );
    }
    envoy.succeed(0);
    envoy.host.pass(REFRESH);
    assert_eq!(envoy.tick(0), ALL);
    envoy.fail(0);
    assert!(
        envoy.wait_for_plan(0) <= Duration::from_millis(1010),
        "failures are forgotten"
    );
}

#[test]
fn what_serves_is_fetched_anew_before_the_interval_ends() {
    let mut envoy = Envoy::ready();
    let waited = envoy.wait_for_plan(0);
    assert!(
        (REFRESH.mul_f64(0.8)..=REFRESH).contains(&waited),
        "{waited:?}"
    );
}

#[test]
fn an_unknown_key_causes_one_fetch_of_keys_per_cool_down() {
    let mut envoy = Envoy::ready();
    assert_eq!(envoy.provider.unknown_key_cooldown, COOLDOWN);
    envoy.host.pass(TICK);
    assert!(matches!(envoy.want(0), KeyRefresh::Asked(_)));
    assert_eq!(envoy.tick(0), KEYS);
    // Under way: the other worker waits for the same fetch.
    assert!(matches!(envoy.want(1), KeyRefresh::Asked(_)));
    assert_eq!(envoy.tick(1), None);
    envoy.host.pass(TICK);
    envoy.succeed(0);
    assert!(matches!(envoy.want(1), KeyRefresh::Newer(_)));
    assert!(matches!(envoy.want(0), KeyRefresh::CoolingDown));
    assert!(matches!(envoy.want(1), KeyRefresh::CoolingDown));
    envoy.host.pass(COOLDOWN - TICK);
    assert!(matches!(envoy.want(1), KeyRefresh::Asked(_)));
    assert_eq!(envoy.tick(1), KEYS);
}

#[test]
fn who_waits_for_keys_learns_that_the_fetch_has_failed() {
    let mut envoy = Envoy::ready();
    let KeyRefresh::Asked(asked) = envoy.want(0) else {
        panic!("not asked")
    };
    assert_eq!(envoy.tick(0), KEYS);
    assert!(!envoy.workers[0].has_failed_since(asked, Sender::Provider));
    envoy.host.pass(TICK);
    envoy.fail(0);
    assert!(envoy.workers[0].has_failed_since(asked, Sender::Provider));
    assert!(envoy.fetched_at(0).is_some(), "the old keys serve");
}

#[test]
fn strangers_use_up_no_cool_down_but_their_own() {
    let mut envoy = Envoy::ready();
    let anybody = Sender::Anybody;
    envoy.host.pass(TICK);
    assert!(matches!(envoy.want_for(0, anybody), KeyRefresh::Asked(_)));
    assert_eq!(envoy.tick(0), KEYS);
    envoy.host.pass(TICK);
    envoy.succeed(0);
    for worker in [0, 1] {
        envoy.tick(worker);
        let again = envoy.want_for(worker, anybody);
        assert!(matches!(again, KeyRefresh::CoolingDown), "{again:?}");
    }
    envoy.host.pass(TICK);
    assert!(matches!(envoy.want(1), KeyRefresh::Asked(_)));
    assert_eq!(envoy.tick(1), KEYS);
    envoy.host.pass(TICK);
    envoy.succeed(1);
    assert!(matches!(envoy.want(1), KeyRefresh::CoolingDown));
}

#[test]
fn a_fetch_that_fails_for_a_stranger_delays_nobody_else() {
    let mut envoy = Envoy::ready();
    let anybody = Sender::Anybody;
    for _ in 0..10 {
        envoy.host.pass(COOLDOWN);
        let KeyRefresh::Asked(asked) = envoy.want_for(0, anybody) else {
            panic!("not asked")
        };
        assert_eq!(envoy.tick(0), KEYS);
        // One waits for the same fetch, on either worker, and goes on with one of its own.
        let KeyRefresh::Asked(waits) = envoy.want(0) else {
            panic!("not asked")
        };
        assert!(matches!(envoy.want(1), KeyRefresh::Asked(_)));
        envoy.host.pass(TICK);
        envoy.fail(0);
        assert!(envoy.workers[0].has_failed_since(asked, anybody));
        assert!(!envoy.workers[0].has_failed_since(waits, Sender::Provider));
        assert_eq!(envoy.tick(0), KEYS);
        assert_eq!(envoy.tick(1), None, "leased");
        envoy.host.pass(TICK);
        envoy.succeed(0);
        assert_eq!(envoy.tick(1), None);
        assert!(matches!(
            envoy.want_for(1, anybody),
            KeyRefresh::CoolingDown
        ));
    }
}

#[test]
fn forged_slots_are_misses() {
    let mut envoy = Envoy::ready();
    let first = envoy.fetched_at(1);
    envoy.host.pass(TICK);
    for slot in envoy.host.slots() {
        envoy.host.forge(&slot, b"forged");
    }
    assert_eq!(envoy.tick(1), None);
    assert_eq!(envoy.fetched_at(1), first);
    let mut late = ProviderCache::default();
    assert_eq!(
        late.tick(memory(&envoy.host, &envoy.seal), &envoy.provider),
        ALL
    );
}

#[test]
fn slots_do_not_stand_for_each_other_and_need_the_key() {
    let mut envoy = Envoy::ready();
    let [documents, schedule] =
        ["documents", "schedule"].map(|end| format!("portero/test/provider/{end}"));
    let good = envoy.host.shared(&documents).unwrap().bytes;
    envoy.host.forge(&schedule, &good);
    let mut stranger = ProviderCache::default();
    let key = Secret::new(b"another key of 32 bytes and some more".to_vec());
    let seal = Seal::new(&[key]);
    let plan = stranger.tick(memory(&envoy.host, &seal), &envoy.provider);
    assert_eq!(plan, ALL, "documents under another key are none");
    envoy.host.pass(2 * REFRESH);
    assert_eq!(
        envoy.tick(0),
        ALL,
        "a schedule that does not open is an empty one"
    );
}

#[test]
fn without_randomness_no_lease_is_taken() {
    let mut envoy = Envoy::new();
    envoy.host.random_fails.set(true);
    assert_eq!(envoy.tick(0), None);
    envoy.host.random_fails.set(false);
    assert_eq!(envoy.tick(0), ALL);
}

#[test]
fn of_a_provider_written_by_hand_only_keys_are_fetched() {
    let mut envoy = Envoy::new();
    let endpoints = json!({
        "authorization": "https://by.hand/a",
        "token": "https://by.hand/t",
        "jwks": "https://by.hand/k",
    });
    envoy.provider = config(|whole| whole["providers"]["corp"]["endpoints"] = endpoints).provider;
    assert_eq!(envoy.tick(0), KEYS);
}

/// What was verified with keys need not be verified again because they were fetched again.
#[test]
fn the_same_keys_have_the_same_mark() {
    let jwks = |seed: &str| json!({"keys": [], "x": seed}).to_string().into_bytes();
    let mark = |jwks: &[u8]| ProviderData::mark(Some(jwks));
    assert_eq!(mark(&jwks("a")), mark(&jwks("a")));
    assert_ne!(mark(&jwks("a")), mark(&jwks("b")));
    let mut envoy = Envoy::ready();
    let before = envoy.mark(0);
    let fetched_at = envoy.fetched_at(0);
    envoy.host.pass(COOLDOWN);
    assert!(matches!(envoy.want(0), KeyRefresh::Asked(_)));
    assert_eq!(envoy.tick(0), KEYS);
    envoy.succeed(0);
    // The other worker takes the documents over.
    assert_eq!(envoy.tick(1), None);
    for worker in [0, 1] {
        assert_ne!(envoy.fetched_at(worker), fetched_at);
        assert_eq!(envoy.mark(worker), before);
    }
}
