use std::rc::Rc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{Given, OpenSession, Session};
use super::CacheKey::{self, Cookie};
use super::{Cache, ENTRY_OVERHEAD, Footprint};
use crate::testing;

const HOST: &str = "app.example.com";

fn session(subject: &str) -> Rc<OpenSession> {
    Rc::new(OpenSession::new(
        Session {
            subject: subject.to_owned(),
            ..testing::session()
        },
        None,
        Given {
            headers: vec![("x-user".to_owned(), subject.as_bytes().to_vec())],
            filter_state: Vec::new(),
        },
    ))
}

fn subject(found: Option<Rc<OpenSession>>) -> Option<String> {
    found.map(|open| open.session.subject.clone())
}

#[test]
fn what_was_inserted_is_found_by_the_whole_cookie_on_the_same_host() {
    let mut cache = Cache::new(10_000);
    cache.insert(Cookie(b"one cookie 12345678"), HOST, &session("alice"));
    assert_eq!(
        subject(cache.find(Cookie(b"one cookie 12345678"), HOST)),
        Some("alice".to_owned())
    );
    assert_eq!(
        subject(cache.find(Cookie(b"One cookie 12345678"), HOST)),
        None
    );
    assert_eq!(subject(cache.find(Cookie(b"12345678"), HOST)), None);
    assert_eq!(
        subject(cache.find(Cookie(b"one cookie 12345678"), "app.example.com:8443")),
        None
    );
    assert_eq!(
        subject(cache.find(Cookie(b"one cookie 12345678"), "")),
        None
    );
}

#[test]
fn a_cookie_with_the_same_tail_takes_the_place_and_never_the_session() {
    let mut cache = Cache::new(10_000);
    cache.insert(Cookie(b"one cookie 12345678"), HOST, &session("alice"));
    cache.insert(Cookie(b"two cookie 12345678"), HOST, &session("bob"));
    assert_eq!(
        subject(cache.find(Cookie(b"one cookie 12345678"), HOST)),
        None
    );
    assert_eq!(
        subject(cache.find(Cookie(b"two cookie 12345678"), HOST)),
        Some("bob".to_owned())
    );
    cache.remove(Cookie(b"one cookie 12345678"));
    assert!(cache.find(Cookie(b"two cookie 12345678"), HOST).is_some());
    cache.remove(Cookie(b"two cookie 12345678"));
    assert_eq!(cache.used(), 0);
}

#[test]
fn a_cookie_too_short_for_a_tail_is_not_kept() {
    let mut cache = Cache::new(10_000);
    cache.insert(Cookie(b"1234567"), HOST, &session("alice"));
    assert_eq!(cache.used(), 0);
    assert!(cache.find(Cookie(b"1234567"), HOST).is_none());
    cache.remove(Cookie(b"1234567"));
}

/// Ids are names of keys in the store, and many people see those.
#[test]
fn an_id_is_no_cookie_and_a_cookie_is_no_id() {
    let id = b"sixteen bytes id";
    let mut cache = Cache::new(10_000);
    cache.insert(CacheKey::Reference(id), HOST, &session("alice"));
    assert!(cache.find(Cookie(id), HOST).is_none());
    assert!(cache.find(CacheKey::Reference(id), HOST).is_some());
    cache.insert(Cookie(id), HOST, &session("bob"));
    assert!(cache.find(CacheKey::Reference(id), HOST).is_none());
}

#[test]
fn without_a_budget_nothing_is_kept() {
    let mut cache = Cache::new(0);
    cache.insert(Cookie(b"one cookie 12345678"), HOST, &session("alice"));
    assert_eq!(cache.used(), 0);
    assert!(cache.find(Cookie(b"one cookie 12345678"), HOST).is_none());
}

#[test]
fn a_session_larger_than_the_budget_leaves_the_others_alone() {
    let mut cache = Cache::new(2_000);
    cache.insert(Cookie(b"one cookie 12345678"), HOST, &session("alice"));
    cache.insert(
        Cookie(b"two cookie 87654321"),
        HOST,
        &session(&"b".repeat(2_000)),
    );
    assert!(cache.find(Cookie(b"one cookie 12345678"), HOST).is_some());
    assert!(cache.find(Cookie(b"two cookie 87654321"), HOST).is_none());
}

#[test]
fn the_one_that_nobody_used_makes_room() {
    let cookie = |index: usize| format!("cookie {index:08}").into_bytes();
    let size = 15 + HOST.len() + 5 + 2 + 6 + 5 + ENTRY_OVERHEAD;
    let mut cache = Cache::new(4 * size);
    for index in 0..4 {
        cache.insert(Cookie(&cookie(index)), HOST, &session("alice"));
    }
    assert_eq!(cache.used(), 4 * size);
    // The hand goes round once, takes the first, and has seen the others.
    cache.insert(Cookie(&cookie(4)), HOST, &session("alice"));
    assert!(cache.find(Cookie(&cookie(0)), HOST).is_none());
    for index in [1, 3] {
        assert!(cache.find(Cookie(&cookie(index)), HOST).is_some());
    }
    cache.insert(Cookie(&cookie(5)), HOST, &session("alice"));
    assert!(cache.find(Cookie(&cookie(2)), HOST).is_none());
    for index in [1, 3, 4, 5] {
        assert!(
            cache.find(Cookie(&cookie(index)), HOST).is_some(),
            "{index}"
        );
    }
}

#[derive(Clone, Debug)]
enum Action {
    Insert(usize, usize, usize),
    Find(usize, usize),
    Remove(usize),
}

const HOSTS: [&str; 2] = ["app.example.com", "b.example.com"];

/// Half of the cookies have the tail of another.
fn cookie(index: usize) -> Vec<u8> {
    let beginning = "x".repeat(index * 5);
    format!("{index}{beginning}{:08}", index / 2).into_bytes()
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        (0..12_usize, 0..2_usize, 0..600_usize).prop_map(|(c, h, l)| Action::Insert(c, h, l)),
        (0..12_usize, 0..2_usize).prop_map(|(c, h)| Action::Find(c, h)),
        (0..12_usize).prop_map(Action::Remove),
    ];
    vec(action, 0..80)
}

proptest! {
    /// The model is a map without a budget: what the cache finds is what the map has.
    #[test]
    fn the_cache_forgets_and_never_lies(budget in 0_usize..3_000, actions in actions()) {
        let mut cache = Cache::new(budget);
        let mut model: Vec<Option<(usize, String)>> = vec![None; 12];
        for (step, action) in actions.into_iter().enumerate() {
            match action {
                Action::Insert(index, host, length) => {
                    let subject = format!("{step} {}", "s".repeat(length));
                    cache.insert(Cookie(&cookie(index)), HOSTS[host], &session(&subject));
                    model[index] = Some((host, subject));
                    model[index ^ 1] = None;
                    let size = cookie(index).len() + HOSTS[host].len()
                        + session(&model[index].as_ref().unwrap().1).size() + ENTRY_OVERHEAD;
                    let found = cache.find(Cookie(&cookie(index)), HOSTS[host]).is_some();
                    prop_assert_eq!(found, size <= budget);
                }
                Action::Find(index, host) => {
                    if let Some(found) = subject(cache.find(Cookie(&cookie(index)), HOSTS[host])) {
                        prop_assert_eq!(Some((host, found)), model[index].clone());
                    }
                }
                Action::Remove(index) => {
                    let other = subject(cache.find(Cookie(&cookie(index ^ 1)), HOSTS[0]));
                    cache.remove(Cookie(&cookie(index)));
                    model[index] = None;
                    prop_assert_eq!(subject(cache.find(Cookie(&cookie(index ^ 1)), HOSTS[0])), other);
                    prop_assert!(HOSTS.iter().all(|host| cache.find(Cookie(&cookie(index)), host).is_none()));
                }
            }
            prop_assert!(cache.used() <= budget);
            let sizes: usize = cache.entries.iter().map(|entry| entry.size).sum();
            prop_assert_eq!(cache.used(), sizes);
            prop_assert_eq!(cache.index.len(), cache.entries.len());
        }
        for index in 0..12 {
            cache.remove(Cookie(&cookie(index)));
        }
        prop_assert_eq!(cache.used(), 0);
    }
}
