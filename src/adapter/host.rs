//! Envoy as a [`Host`].

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::abi;
use super::numbers::{LogLevel, MetricKind};
use crate::host::{Host, RandomUnavailable, SharedValue, SignatureQuestion};
use crate::jose::tells_signatures_apart;
use crate::telemetry::{Level, Metric};
use crate::time::Timestamp;

thread_local! {
    /// The time, once it has been asked for in this callback of the proxy's.
    static TIME: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

/// A callback of the proxy's begins: time has passed.
pub fn forget_time() {
    TIME.set(None);
}

/// The proxy around this VM, with the ids of the metrics that have been used.
#[derive(Default)]
pub struct EnvoyHost {
    /// Whether what it says of signatures is relied on.
    knows_signatures: Cell<bool>,
    metrics: RefCell<BTreeMap<String, u32>>,
}

impl Host for EnvoyHost {
    /// One time for the whole of a callback: a request asks half a dozen times, every answer costs a call
    /// of the host, and between them there is nothing that anybody waits for.
    fn now(&self) -> Timestamp {
        TIME.get().unwrap_or_else(|| {
            let now = Timestamp::from_millis(abi::current_time() / 1_000_000);
            TIME.set(Some(now));
            now
        })
    }

    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        getrandom::fill(bytes).map_err(|_| RandomUnavailable)
    }

    fn shared(&self, slot: &str) -> Option<SharedValue> {
        abi::shared_data(slot).map(|(bytes, version)| SharedValue { bytes, version })
    }

    fn set_shared(&self, slot: &str, value: &[u8], expected: Option<u32>) -> bool {
        abi::set_shared_data(slot, value, expected.unwrap_or(0))
    }

    fn verify_signature(&self, question: &SignatureQuestion<'_>) -> Option<bool> {
        match self.knows_signatures.get() {
            true => abi::verify_signature(question),
            false => None,
        }
    }

    fn count(&self, metric: &Metric) {
        if let Some(id) = self.metric(MetricKind::Counter, metric) {
            abi::increment_metric(id);
        }
    }

    fn record(&self, metric: &Metric, value: u64) {
        if let Some(id) = self.metric(MetricKind::Histogram, metric) {
            abi::record_metric(id, value);
        }
    }

    fn log(&self, level: Level, line: &str) {
        abi::log(
            match level {
                Level::Info => LogLevel::Info,
                Level::Warn => LogLevel::Warn,
                Level::Error => LogLevel::Error,
            },
            line,
        );
    }
}

impl EnvoyHost {
    /// Finds out whether this proxy can verify signatures, and says so: it decides what they cost.
    pub fn try_signatures(&self) {
        let knows = tells_signatures_apart(abi::verify_signature);
        self.knows_signatures.set(knows);
        let by = match knows {
            true => "signatures_verified by=host",
            false => "signatures_verified by=module",
        };
        self.log(Level::Info, by);
    }

    /// Shows the counters that are there from the start.
    pub fn show_counters(&self) {
        for counter in Metric::counters() {
            self.metric(MetricKind::Counter, &counter);
        }
    }

    fn metric(&self, kind: MetricKind, metric: &Metric) -> Option<u32> {
        let name = metric.name();
        if let Some(id) = self.metrics.borrow().get(&name) {
            return Some(*id);
        }
        let id = abi::define_metric(kind, &name)?;
        self.metrics.borrow_mut().insert(name, id);
        Some(id)
    }
}
