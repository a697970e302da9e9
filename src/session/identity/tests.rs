use std::time::Duration;

use serde_json::json;

use super::CallerIdentity;
use crate::session::Footprint;
use crate::testing::START;
use crate::time::Timestamp;

const LIFETIME: Duration = Duration::from_secs(60);

fn caller(ends_at: Option<Timestamp>, most: usize) -> CallerIdentity {
    let claims = json!({"sub": "user-1", "groups": ["staff"]});
    CallerIdentity::new(claims.as_object().unwrap().clone(), ends_at, most)
}

fn at(seconds: u64) -> Timestamp {
    START.after(Duration::from_secs(seconds))
}

/// Signs as a request would at that moment, and says whether it had to.
fn signs(caller: &CallerIdentity, audience: &str, now: Timestamp) -> bool {
    if caller.find(audience, now, LIFETIME).is_some() {
        return false;
    }
    let expires_at = caller.expires_at(now, LIFETIME);
    caller.keep(audience, &format!("for {audience}"), expires_at);
    true
}

#[test]
fn a_token_is_used_again_for_half_of_its_life() {
    let caller = caller(None, 1);
    let moments = [0, 1, 30, 31, 60, 62, 200];
    let signed = moments.map(|seconds| signs(&caller, "a", at(seconds)));
    assert_eq!(signed, [true, false, false, true, false, true, true]);
}

#[test]
fn a_token_is_for_one_audience() {
    let caller = caller(None, 2);
    assert!(signs(&caller, "a", at(0)));
    assert!(signs(&caller, "b", at(0)));
    for audience in ["a", "b"] {
        let found = caller.find(audience, at(0), LIFETIME);
        assert_eq!(found, Some(format!("for {audience}")));
    }
    assert_eq!(caller.find("A", at(0), LIFETIME), None);
}

#[test]
fn no_token_outlasts_what_it_speaks_of_and_none_is_signed_that_would_last_no_longer() {
    let caller = caller(Some(at(100)), 1);
    assert_eq!(caller.expires_at(at(0), LIFETIME), at(60));
    assert_eq!(caller.expires_at(at(50), LIFETIME), at(100));
    let moments = [0, 31, 50, 80, 90, 99];
    let signed = moments.map(|seconds| signs(&caller, "a", at(seconds)));
    assert_eq!(signed, [true, true, false, true, false, false]);
}

#[test]
fn a_token_from_before_the_clock_was_set_back_is_signed_anew() {
    let caller = caller(None, 1);
    assert!(signs(&caller, "a", at(1000)));
    assert!(signs(&caller, "a", at(0)));
}

#[test]
fn as_many_tokens_are_kept_as_there_is_room_for_and_all_are_counted() {
    let caller = caller(None, 2);
    for audience in ["a", "b", "c", "c"] {
        signs(&caller, audience, at(0));
    }
    let kept = ["a", "b", "c"].map(|audience| caller.find(audience, at(0), LIFETIME).is_some());
    assert_eq!(kept, [false, true, true]);
    let sizes = [1, 2, 3].map(|most| self::caller(None, most).size());
    assert_eq!(sizes[2] - sizes[1], sizes[1] - sizes[0]);
    assert!(sizes[1] - sizes[0] > 1024);
}
