use std::rc::Rc;
use std::time::Duration;

use super::{SLOTS, first_time, slot_number};
use crate::flow::Gateway;
use crate::session::LOGIN_LIFETIME;
use crate::testing::{TestHost, config};

const STATE: &str = "AAAAAAAAAAAAAAAAAAAAAA";

fn worker(host: &Rc<TestHost>) -> Gateway {
    let host: Rc<TestHost> = Rc::clone(host);
    Gateway::new(config(|_| {}), host)
}

#[test]
fn a_code_is_redeemed_once_in_all_workers() {
    let host = Rc::new(TestHost::default());
    let (one, other) = (worker(&host), worker(&host));
    assert!(first_time(&one, STATE));
    assert!(!first_time(&one, STATE));
    assert!(!first_time(&other, STATE));
    assert!(first_time(&other, "BAAAAAAAAAAAAAAAAAAAAA"));
}

#[test]
fn a_redeemed_code_is_remembered_as_long_as_its_login_could_live() {
    let host = Rc::new(TestHost::default());
    let worker = worker(&host);
    assert!(first_time(&worker, STATE));
    host.pass(LOGIN_LIFETIME - Duration::from_millis(1));
    assert!(!first_time(&worker, STATE));
    host.pass(Duration::from_millis(1));
    assert!(first_time(&worker, STATE));
}

#[test]
fn what_others_write_into_the_slot_is_a_miss() {
    let host = Rc::new(TestHost::default());
    let worker = worker(&host);
    assert!(first_time(&worker, STATE));
    let slot = host
        .slots()
        .into_iter()
        .find(|slot| slot.contains("/redeemed/"))
        .unwrap();
    host.forge(&slot, b"forged");
    assert!(first_time(&worker, STATE));
    assert!(!first_time(&worker, STATE));
}

#[test]
fn without_randomness_nobody_is_turned_away() {
    let host = Rc::new(TestHost::default());
    let worker = worker(&host);
    host.random_fails.set(true);
    assert!(first_time(&worker, STATE));
}

#[test]
fn the_memory_is_bounded_and_spread() {
    let mut hit = std::collections::HashSet::new();
    for number in 0..10_000_u32 {
        let slot = slot_number(&format!("{number:x}AAAAAAAAAAAAAAAAAAAA"));
        assert!(slot < SLOTS);
        hit.insert(slot);
    }
    assert!(hit.len() > 450, "{}", hit.len());
}
