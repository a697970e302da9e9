//! What tests stand on: a host they own, and configurations.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use crate::config::Config;
use crate::host::{Host, RandomUnavailable, SharedValue, SignatureQuestion};
use crate::session::{Authentication, Authorization, Session};
use crate::telemetry::{Level, Metric};
use crate::time::Timestamp;

/// When every test begins.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// A host whose clock, randomness and shared data are the test's.
#[derive(Default)]
pub(crate) struct TestHost {
    passed: Cell<Duration>,
    /// How far somebody has set the clock back.
    back: Cell<Duration>,
    drawn: Cell<u64>,
    pub(crate) random_fails: Cell<bool>,
    shared: RefCell<HashMap<String, SharedValue>>,
    pub(crate) lines: RefCell<Vec<String>>,
    /// What it says of every signature.
    pub(crate) verdict: Cell<Option<bool>>,
    pub(crate) asked: RefCell<Vec<Asked>>,
}

/// What a host was asked about: hash, key, signature and text.
pub(crate) type Asked = (&'static str, Vec<u8>, Vec<u8>, Vec<u8>);

impl TestHost {
    pub(crate) fn pass(&self, span: Duration) {
        self.passed.set(self.passed.get() + span);
    }

    pub(crate) fn set_back(&self, span: Duration) {
        self.back.set(self.back.get() + span);
    }

    /// What somebody else on the public square may do to a slot.
    pub(crate) fn forge(&self, slot: &str, bytes: &[u8]) {
        assert!(self.set_shared(slot, bytes, None));
    }

    pub(crate) fn slots(&self) -> Vec<String> {
        let mut slots: Vec<String> = self.shared.borrow().keys().cloned().collect();
        slots.sort();
        slots
    }
}

impl Host for TestHost {
    fn now(&self) -> Timestamp {
        START.after(self.passed.get()).before(self.back.get())
    }

    /// Different at every draw, and the same in every run.
    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        if self.random_fails.get() {
            return Err(RandomUnavailable);
        }
        for byte in bytes {
            // SplitMix64.
            let mut word = self.drawn.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
            self.drawn.set(word);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = word.to_le_bytes()[7];
        }
        Ok(())
    }

    fn shared(&self, slot: &str) -> Option<SharedValue> {
        self.shared.borrow().get(slot).cloned()
    }

    fn set_shared(&self, slot: &str, value: &[u8], expected: Option<u32>) -> bool {
        let mut shared = self.shared.borrow_mut();
        let present = shared.get(slot).map_or(0, |value| value.version);
        if present != 0 && expected.is_some_and(|expected| expected != present) {
            return false;
        }
        let value = SharedValue {
            bytes: value.to_vec(),
            version: present + 1,
        };
        shared.insert(slot.to_owned(), value);
        true
    }

    fn verify_signature(&self, question: &SignatureQuestion<'_>) -> Option<bool> {
        let [key, signature, text] =
            [question.public_key, question.signature, question.text].map(<[u8]>::to_vec);
        let asked = (question.hash, key, signature, text);
        self.asked.borrow_mut().push(asked);
        self.verdict.get()
    }

    fn count(&self, _: &Metric) {}

    fn record(&self, _: &Metric, _: u64) {}

    fn log(&self, _: Level, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }
}

/// The smallest configuration, after `change`.
pub(crate) fn config(change: impl FnOnce(&mut Value)) -> Config {
    let mut whole = serde_json::from_str(include_str!("../tests/fixtures/minimal.json")).unwrap();
    change(&mut whole);
    let environment = |name: &str| Some(format!("{name} of the tests, 32 bytes and more"));
    match Config::load(whole.to_string().as_bytes(), &environment) {
        Ok(loaded) => loaded.config,
        Err(faults) => panic!("{:?}", faults.0),
    }
}

/// A session that began at [`START`] and lasts 3000 seconds.
pub(crate) fn session() -> Session {
    Session {
        id: [7; 16],
        family: [7; 16],
        subject: "alice".to_owned(),
        seen_at: START,
        ends_at: START.after(Duration::from_secs(3000)),
        authentication: Authentication {
            issued_at: START,
            auth_time: None,
            acr: None,
        },
        claims: "{}".to_owned(),
        id_token: None,
        access_token: None,
        grant: None,
        sid: None,
        authorization: Authorization::default(),
        silent_renewal: None,
    }
}
