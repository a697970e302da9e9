//! The host that belongs to the tests: its clock stands still until a test moves it, its
//! randomness repeats in every run, and its log knows every secret there is.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portero::host::{Host, RandomUnavailable, SharedValue, SignatureQuestion};
use portero::telemetry::{Level, Metric};
use portero::time::Timestamp;
use sha2::{Digest, Sha256};

/// What all processes of a story have in common.
pub struct Land {
    clock: Cell<Timestamp>,
    drawn: Cell<u64>,
    pub random_fails: Cell<bool>,
    /// How many signatures it was asked about, and left to Portero.
    pub verified: Cell<usize>,
    counters: RefCell<BTreeMap<String, u64>>,
    lines: RefCell<Vec<(Level, String)>>,
    secrets: RefCell<BTreeSet<String>>,
}

/// 2026-01-01, noon: far from any edge.
const START: Timestamp = Timestamp::from_secs(1_767_268_800);

/// Shorter texts occur by chance.
const LEAST_SECRET: usize = 8;

impl Land {
    pub fn new() -> Rc<Self> {
        Rc::new(Self {
            clock: Cell::new(START),
            drawn: Cell::new(0),
            random_fails: Cell::new(false),
            verified: Cell::new(0),
            counters: RefCell::default(),
            lines: RefCell::default(),
            secrets: RefCell::default(),
        })
    }

    pub fn now(&self) -> Timestamp {
        self.clock.get()
    }

    /// Somebody sets the clock.
    pub fn set(&self, now: Timestamp) {
        self.clock.set(now);
    }

    pub fn pass(&self, span: Duration) {
        self.clock.set(self.clock.get().after(span));
    }

    /// From now on the log panics when a line holds `secret`.
    pub fn keep_secret(&self, secret: &str) {
        if secret.len() >= LEAST_SECRET {
            self.secrets.borrow_mut().insert(secret.to_owned());
        }
    }

    /// How often a counter has been counted, by its name.
    pub fn counted(&self, name: &str) -> u64 {
        self.counters.borrow().get(name).copied().unwrap_or(0)
    }

    /// Names of the counters of failures, with their values.
    pub fn failures(&self) -> BTreeMap<String, u64> {
        let counters = self.counters.borrow();
        counters
            .iter()
            .filter_map(|(name, count)| {
                let code = name.strip_prefix("portero.failure.")?;
                Some((code.to_owned(), *count))
            })
            .collect()
    }

    /// Lines that contain `text`.
    pub fn lines(&self, text: &str) -> Vec<String> {
        let lines = self.lines.borrow();
        lines
            .iter()
            .filter(|(_, line)| line.contains(text))
            .map(|(_, line)| line.clone())
            .collect()
    }

    fn draw(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            self.drawn.set(self.drawn.get() + 1);
            let block = Sha256::digest(self.drawn.get().to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }

    fn log(&self, level: Level, line: &str) {
        for secret in self.secrets.borrow().iter() {
            assert!(!line.contains(secret), "the log tells {secret}: {line}");
        }
        assert!(
            line.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            "not one line of text: {line:?}"
        );
        self.lines.borrow_mut().push((level, line.to_owned()));
    }
}

/// One process's shared data, as Envoy keeps it.
#[derive(Default)]
pub struct SharedData {
    slots: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    versions: Cell<u32>,
}

impl SharedData {
    pub fn slots(&self) -> Vec<String> {
        self.slots.borrow().keys().cloned().collect()
    }

    pub fn get(&self, slot: &str) -> Option<(Vec<u8>, u32)> {
        self.slots.borrow().get(slot).cloned()
    }

    /// `expected` zero writes whatever is there; a slot that is missing is always written.
    pub fn set(&self, slot: &str, value: &[u8], expected: u32) -> bool {
        let mut slots = self.slots.borrow_mut();
        let present = slots.get(slot).map(|(_, version)| *version);
        if expected != 0 && present.is_some_and(|version| version != expected) {
            return false;
        }
        self.versions.set(self.versions.get() + 1);
        slots.insert(slot.to_owned(), (value.to_vec(), self.versions.get()));
        true
    }
}

/// One process on a [`Land`].
pub struct Process {
    pub land: Rc<Land>,
    pub shared: Rc<SharedData>,
}

impl Host for Process {
    fn now(&self) -> Timestamp {
        self.land.now()
    }

    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        if self.land.random_fails.get() {
            return Err(RandomUnavailable);
        }
        self.land.draw(bytes);
        // Nonces, states, code verifiers and session ids: none of them belongs in a log.
        if bytes.len() >= 16 {
            self.land.keep_secret(&URL_SAFE_NO_PAD.encode(&*bytes));
        }
        Ok(())
    }

    fn shared(&self, slot: &str) -> Option<SharedValue> {
        let (bytes, version) = self.shared.get(slot)?;
        Some(SharedValue { bytes, version })
    }

    fn set_shared(&self, slot: &str, value: &[u8], expected: Option<u32>) -> bool {
        self.shared.set(slot, value, expected.unwrap_or(0))
    }

    fn verify_signature(&self, _: &SignatureQuestion<'_>) -> Option<bool> {
        self.land.verified.set(self.land.verified.get() + 1);
        None
    }

    fn count(&self, metric: &Metric) {
        let mut counters = self.land.counters.borrow_mut();
        *counters.entry(metric.name()).or_default() += 1;
    }

    fn record(&self, metric: &Metric, _: u64) {
        self.count(metric);
    }

    fn log(&self, level: Level, line: &str) {
        self.land.log(level, line);
    }
}
