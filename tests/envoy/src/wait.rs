//! Waiting for a condition, with an end.
use std::thread;
use std::time::{Duration, Instant};

/// Asks until there is an answer; fails the test, naming what was waited for, after ten seconds.
pub fn until<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    until_within(Duration::from_secs(10), what, condition)
}

/// The same with another limit.
pub fn until_within<T>(limit: Duration, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = condition() {
            return answer;
        }
        assert!(
            started.elapsed() < limit,
            "waited {limit:?} in vain: {what}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}
