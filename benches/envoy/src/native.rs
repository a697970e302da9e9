//! This machine as a [`Host`]: what sealing and signing need of one.
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use portero::host::{Host, RandomUnavailable, SharedValue, SignatureQuestion};
use portero::telemetry::{Level, Metric};
use portero::time::Timestamp;

/// Shared data is this value's own, and what is counted and logged goes nowhere.
pub struct Native {
    random: RefCell<File>,
    shared: RefCell<BTreeMap<String, SharedValue>>,
}

impl Default for Native {
    fn default() -> Self {
        Self {
            random: RefCell::new(File::open("/dev/urandom").expect("a source of randomness")),
            shared: RefCell::default(),
        }
    }
}

impl Host for Native {
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Timestamp::from_millis(now.expect("a clock").as_millis() as u64)
    }

    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        let read = self.random.borrow_mut().read_exact(bytes);
        read.map_err(|_| RandomUnavailable)
    }

    fn shared(&self, slot: &str) -> Option<SharedValue> {
        self.shared.borrow().get(slot).cloned()
    }

    fn set_shared(&self, slot: &str, value: &[u8], _: Option<u32>) -> bool {
        let mut shared = self.shared.borrow_mut();
        let version = shared.get(slot).map_or(1, |value| value.version + 1);
        let bytes = value.to_vec();
        shared.insert(slot.to_owned(), SharedValue { bytes, version });
        true
    }

    fn verify_signature(&self, _: &SignatureQuestion<'_>) -> Option<bool> {
        None
    }

    fn count(&self, _: &Metric) {}

    fn record(&self, _: &Metric, _: u64) {}

    fn log(&self, _: Level, _: &str) {}
}
