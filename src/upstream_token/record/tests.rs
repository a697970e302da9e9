use std::time::Duration;

use super::{FIRST_PAUSE, HeldToken, LONGEST_PAUSE, Record, Standing};
use crate::error::CallFault;
use crate::host::Host as _;
use crate::testing::{START, TestHost};
use crate::time::Timestamp;
use crate::upstream_token::Owner;

const LEASE: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Timestamp {
    START.after(Duration::from_secs(seconds))
}

/// Good for 100 seconds, to be renewed after 80.
fn token(text: &str) -> HeldToken {
    HeldToken {
        token: text.to_owned(),
        fetched_at: START,
        renew_at: at(80),
        expires_at: at(100),
    }
}

fn record() -> Record {
    Record::of(Owner::Everybody)
}

fn good(is_due: bool) -> Standing {
    Standing::Good {
        token: token("t"),
        is_due,
    }
}

#[test]
fn a_token_is_good_until_its_end_and_due_before() {
    let mut record = record();
    assert_eq!(record.standing(START, LEASE), Standing::Absent);
    record.succeed(0, token("t"), None);
    assert_eq!(record.standing(at(79), LEASE), good(false));
    assert_eq!(record.standing(at(80), LEASE), good(true));
    assert_eq!(record.standing(at(99), LEASE), good(true));
    assert_eq!(record.standing(at(100), LEASE), Standing::Absent);
}

/// A clock that was set back must not make it last longer.
#[test]
fn a_token_from_the_future_is_none() {
    let mut record = record();
    record.succeed(0, token("t"), None);
    assert_eq!(
        record.standing(START.before(SECOND), LEASE),
        Standing::Absent
    );
}

#[test]
fn one_at_a_time_fetches_and_nobody_for_ever() {
    let mut record = record();
    assert_eq!(record.begin(START, LEASE), Some(1));
    assert_eq!(record.begin(START, LEASE), None);
    assert_eq!(record.standing(START, LEASE), Standing::Fetching);
    assert_eq!(record.standing(START.after(LEASE), LEASE), Standing::Absent);
    assert_eq!(record.begin(START.after(LEASE), LEASE), Some(2));
    // The clock is set back by more than a lease lasts.
    assert_eq!(
        record.standing(START.before(LEASE), LEASE),
        Standing::Absent
    );
}

#[test]
fn a_renewal_leaves_the_token_in_use() {
    let mut record = record();
    record.succeed(0, token("t"), None);
    assert_eq!(record.begin(at(79), LEASE), None);
    assert_eq!(record.begin(at(80), LEASE), Some(1));
    assert_eq!(record.standing(at(81), LEASE), good(false));
    assert_eq!(record.standing(at(105), LEASE), Standing::Fetching);
}

#[test]
fn failures_come_further_and_further_apart() {
    let (host, mut record) = (TestHost::default(), record());
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let now = host.now();
        record.fail(0, &host, now, CallFault::Timeout);
        let failed = Standing::Failed(CallFault::Timeout);
        assert_eq!(record.standing(now, LEASE), failed);
        assert_eq!(record.begin(now, LEASE), None);
        let pause = record.retry_at.since(now);
        assert_eq!(record.standing(record.retry_at, LEASE), Standing::Absent);
        host.pass(pause);
        pauses.push(pause);
    }
    assert!(pauses[0] <= FIRST_PAUSE && pauses[0] >= FIRST_PAUSE.mul_f64(0.8));
    assert!(pauses.is_sorted_by(|one, next| *next >= one.mul_f64(0.8)));
    assert!(pauses[7] <= LONGEST_PAUSE && pauses[7] >= LONGEST_PAUSE.mul_f64(0.8));
}

#[test]
fn a_failure_leaves_a_good_token_in_use_and_pauses_its_renewal() {
    let (host, mut record) = (TestHost::default(), record());
    record.succeed(0, token("t"), None);
    record.fail(0, &host, at(80), CallFault::Unreachable);
    assert_eq!(record.standing(at(80), LEASE), good(false));
    assert_eq!(record.standing(at(82), LEASE), good(true));
    record.succeed(0, token("t"), None);
    assert_eq!(record.failures, 0);
    assert_eq!(record.standing(at(80), LEASE), good(true));
}

#[test]
fn only_the_held_token_is_dropped_and_not_at_every_answer() {
    let mut record = record();
    record.succeed(0, token("first"), None);
    assert!(!record.drop_refused(&token("older"), START));
    assert!(record.drop_refused(&token("first"), START));
    assert_eq!(record.standing(START, LEASE), Standing::Absent);
    record.succeed(0, token("second"), None);
    assert!(!record.drop_refused(&token("second"), at(9)));
    assert!(record.drop_refused(&token("second"), at(10)));
}

#[test]
fn the_latest_refresh_token_stays_until_it_is_refused() {
    let (host, mut record) = (TestHost::default(), record());
    record.succeed(0, token("t"), Some("next".to_owned()));
    record.succeed(0, token("t"), None);
    assert_eq!(record.refresh_token.as_deref(), Some("next"));
    record.fail(0, &host, START, CallFault::Timeout);
    assert_eq!(record.refresh_token.as_deref(), Some("next"));
    record.fail(0, &host, START, CallFault::InvalidGrant);
    assert_eq!(record.refresh_token, None);
}

/// Its lease was over, and somebody else has begun.
#[test]
fn a_late_attempt_says_nothing_that_the_next_one_knows_better() {
    let host = TestHost::default();
    for brings in [true, false] {
        let mut record = record();
        let late = record.begin(START, LEASE).unwrap();
        let next = record.begin(START.after(LEASE), LEASE).unwrap();
        assert!(!record.fail(late, &host, at(31), CallFault::InvalidGrant));
        assert_eq!(record.standing(at(31), LEASE), Standing::Fetching);
        if brings {
            assert!(record.succeed(next, token("t"), Some("next".to_owned())));
            assert!(!record.succeed(late, token("late"), Some("late".to_owned())));
            assert!(!record.fail(late, &host, at(31), CallFault::InvalidGrant));
            assert_eq!(record.refresh_token.as_deref(), Some("next"));
        } else {
            // Nobody has anything better by now.
            assert!(record.succeed(late, token("t"), None));
        }
        assert_eq!(record.standing(at(31), LEASE), good(false));
    }
}
