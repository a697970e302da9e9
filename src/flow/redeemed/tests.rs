use std::rc::Rc;
use std::time::Duration;

use super::first_time;
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
fn without_randomness_nobody_is_turned_away() {
    let host = Rc::new(TestHost::default());
    let worker = worker(&host);
    host.random_fails.set(true);
    assert!(first_time(&worker, STATE));
}
