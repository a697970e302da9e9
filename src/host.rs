//! What Portero needs of the proxy it runs in, besides HTTP calls: those are steps of a flow.

use std::time::Duration;

use crate::telemetry::{Level, Metric};
use crate::time::Timestamp;

/// The host's synchronous services. One implementation speaks to Envoy, one belongs to the tests.
pub trait Host {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Fills `bytes` from the system's random source. Without randomness nothing can be sealed,
    /// so a failure ends the request.
    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable>;

    /// The value of a slot that all workers of this process share, with its version.
    fn shared(&self, slot: &str) -> Option<SharedValue>;

    /// Writes a shared slot. With `expected`, only if the slot still has that version; says
    /// whether it was written.
    fn set_shared(&self, slot: &str, value: &[u8], expected: Option<u32>) -> bool;

    /// What the host's own cryptography says of a signature. `None` where it says nothing, or nothing
    /// that can be relied on, which is no answer either way.
    fn verify_signature(&self, question: &SignatureQuestion<'_>) -> Option<bool>;

    /// Adds one to a counter.
    fn count(&self, metric: &Metric);

    /// Adds a value to a distribution.
    fn record(&self, metric: &Metric, value: u64);

    /// Writes one line of log. The line carries no secret and nothing a stranger wrote.
    fn log(&self, level: Level, line: &str);
}

/// The version to expect of a slot that must not exist yet: no slot ever has it, and a host compares
/// versions only of what is there.
pub const ABSENT: u32 = u32::MAX;

/// A shared slot's value and the version that a conditional write names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedValue {
    pub bytes: Vec<u8>,
    pub version: u32,
}

/// Whether this key made this signature over this text.
#[derive(Clone, Copy, Debug)]
pub struct SignatureQuestion<'a> {
    /// The name of the hash function: `sha256`, `sha384` or `sha512`.
    pub hash: &'static str,
    /// SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7), whose type decides what is verified:
    /// RSASSA-PKCS1-v1_5 or ECDSA.
    pub public_key: &'a [u8],
    /// That of RSA as it is (RFC 8017 section 8.2), that of ECDSA in DER (RFC 3279 section 2.2.3).
    pub signature: &'a [u8],
    pub text: &'a [u8],
}

/// The system's random source failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomUnavailable;

/// `N` random bytes.
pub fn random<const N: usize>(host: &dyn Host) -> Result<[u8; N], RandomUnavailable> {
    let mut bytes = [0; N];
    host.fill_random(&mut bytes)?;
    Ok(bytes)
}

/// Between 80 and 100 per cent of a span, so that workers and fleets do not march in step.
pub fn jittered(host: &dyn Host, span: Duration) -> Duration {
    let [byte] = random::<1>(host).unwrap_or_default();
    span.saturating_sub(span.mul_f64(f64::from(byte) / 1280.0))
}
