//! What the targets stand on.

use std::sync::LazyLock;

use portero::config::Config;
use portero::host::{Host, RandomUnavailable, SharedValue, SignatureQuestion};
use portero::telemetry::{Level, Metric};
use portero::time::Timestamp;

/// The smallest configuration.
pub static CONFIG: LazyLock<Config> =
    LazyLock::new(|| load(include_bytes!("../../tests/fixtures/minimal.json")));

/// A configuration with everything in it.
pub static FULL: LazyLock<Config> =
    LazyLock::new(|| load(include_bytes!("../../tests/fixtures/full.json")));

fn load(json: &[u8]) -> Config {
    let environment = |name: &str| Some(format!("{name} for fuzzing, 32 bytes and more"));
    Config::load(json, &environment)
        .expect("the fixture is good")
        .config
}

/// A host where no time passes and nothing is shared.
pub struct StillHost;

impl Host for StillHost {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_700_000_000)
    }

    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        bytes.fill(7);
        Ok(())
    }

    fn shared(&self, _: &str) -> Option<SharedValue> {
        None
    }

    fn set_shared(&self, _: &str, _: &[u8], _: Option<u32>) -> bool {
        true
    }

    fn verify_signature(&self, _: &SignatureQuestion<'_>) -> Option<bool> {
        None
    }

    fn count(&self, _: &Metric) {}

    fn record(&self, _: &Metric, _: u64) {}

    fn log(&self, _: Level, _: &str) {}
}
