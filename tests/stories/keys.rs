//! The provider's keys change.

use crate::browser::HOST;
use crate::cookies::Site;
use crate::provider::Answer;
use crate::signer::Signer;
use crate::world::{World, seconds};
use portero::telemetry::Purpose;
use serde_json::json;
use std::time::Duration;

const SECOND: Signer = Signer::es256("second", 9);

#[test]
fn a_token_with_a_new_key_is_accepted_after_one_fetch_of_keys_alone() {
    let world = World::new();
    world.browser().log_in();
    world.provider.rotate(SECOND);
    world.browser().log_in();
    world.browser().log_in();
    assert_eq!(world.provider.called(Purpose::Jwks), 2);
    assert_eq!(world.provider.called(Purpose::Discovery), 1);
    assert!(world.land.failures().is_empty());
}

#[test]
fn the_other_worker_learns_of_new_keys_without_asking() {
    let world = World::new();
    let other = world.another_worker();
    world.browser().log_in();
    other.tick();
    world.provider.rotate(SECOND);
    world.browser().log_in();
    other.tick();
    let browser = world.browser();
    browser.moves_to(&other);
    browser.log_in();
    assert_eq!(world.provider.called(Purpose::Jwks), 2);
}

#[test]
fn a_thousand_tokens_with_unknown_keys_cause_one_fetch_per_cool_down() {
    let world = World::new();
    let workers = [world.worker.clone(), world.another_worker()];
    workers.iter().for_each(|worker| worker.tick());
    world.provider.latency.set(Duration::ZERO);
    world.provider.tamper(|token| {
        let unknown = token.claims["nonce"].clone();
        token.header["kid"] = unknown;
    });
    let bad_token = |number: usize| {
        let browser = world.browser();
        browser.moves_to(&workers[number % 2]);
        let callback = browser.login_until_callback("/");
        let end = browser.come_from_elsewhere(&callback);
        assert_eq!(end.code(), "id_token_key_unknown");
    };
    let began = world.land.now();
    (0..1000).for_each(bad_token);
    let took = world.land.now().since(began);
    assert!(took < seconds(30), "the cool-down has ended: {took:?}");
    assert_eq!(world.provider.called(Purpose::Jwks), 2);
    world.pass(seconds(29) - took);
    (0..10).for_each(bad_token);
    assert_eq!(world.provider.called(Purpose::Jwks), 2);
    world.pass(seconds(2));
    (0..10).for_each(bad_token);
    assert_eq!(world.provider.called(Purpose::Jwks), 3);
    assert_eq!(world.provider.called(Purpose::Discovery), 1);
}

/// Two people come back right after a rotation, one a little later than the other: the keys that
/// the first waits for are good for the second.
#[test]
fn everybody_who_comes_while_newer_keys_are_fetched_is_logged_in_with_them() {
    for workers in [1, 2] {
        let world = World::new();
        let second_worker = match workers {
            1 => world.worker.clone(),
            _ => world.another_worker(),
        };
        world.worker.tick();
        second_worker.tick();
        world.provider.rotate(SECOND);
        let (one, two) = (world.browser(), world.browser());
        two.moves_to(&second_worker);
        let callbacks = [one.login_until_callback("/"), two.login_until_callback("/")];
        let requests = [
            one.navigation(&callbacks[0], Site::Cross),
            two.navigation(&callbacks[1], Site::Cross),
        ];
        let mut first = world.worker.begin(requests[0].clone());
        let token = world.provider.answer(first.call().unwrap());
        first.resume(token);
        assert!(first.waits());
        let mut fetch = world.worker.begin_fetch().unwrap();

        world.pass(Duration::from_millis(200));
        let mut second = second_worker.begin(requests[1].clone());
        let token = world.provider.answer(second.call().unwrap());
        second.resume(token);
        assert!(second.waits());

        let keys = world.provider.answer(fetch.call().unwrap());
        fetch.resume(keys);
        let finished_at = world.land.now();
        first.wake();
        let first = world.worker.finish(&requests[0], first);
        assert_eq!(first.location(), format!("https://{HOST}/"));
        second_worker.tick();
        second.wake();
        let second = second_worker.finish(&requests[1], second);
        assert_eq!(second.location(), format!("https://{HOST}/"), "{workers}");
        assert!(world.land.now().since(finished_at) < seconds(1));
        assert_eq!(world.provider.called(Purpose::Jwks), 2);
    }
}

#[test]
fn while_the_keys_cannot_be_fetched_nobody_is_kept_waiting_for_them() {
    let world = World::new();
    let workers = [world.worker.clone(), world.another_worker()];
    workers.iter().for_each(|worker| worker.tick());
    world.provider.rotate(SECOND);
    world
        .provider
        .break_down(Purpose::Jwks, Answer::Status(503));
    for number in 0..60 {
        world.pass(seconds(7));
        let browser = world.browser();
        browser.moves_to(&workers[number % 2]);
        let callback = browser.login_until_callback("/");
        let asked_at = world.land.now();
        let end = browser.come_from_elsewhere(&callback);
        assert_eq!(end.code(), "id_token_key_unknown");
        let took = world.land.now().since(asked_at);
        assert!(took < seconds(1), "login {number}: {took:?}");
    }
}

#[test]
fn a_signature_by_a_known_key_that_is_wrong_causes_no_fetch() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    world
        .provider
        .tamper(|token| token.signer = Signer::es256("first", 99));
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!(end.code(), "id_token_signature_invalid");
    assert_eq!(world.provider.called(Purpose::Jwks), 1);
}

#[test]
fn keys_that_cannot_be_used_do_not_disturb_the_others() {
    let world = World::new();
    let signer = Signer::es256("first", 7);
    world.provider.script.borrow_mut().jwks = json!({"keys": [
        {"kty": "oct", "kid": "first", "k": "AAAA"},
        {"kty": "RSA", "kid": "first", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "kid": "first", "crv": "P-521", "x": "AA", "y": "AA"},
        Signer::rs256("first").jwk(),
        7,
        {},
        signer.jwk(),
    ]});
    world.browser().log_in();
}

#[test]
fn a_set_without_a_usable_key_is_no_set() {
    let world = World::new();
    world.provider.script.borrow_mut().jwks = json!({"keys": [{"kty": "oct", "k": "AAAA"}]});
    assert_eq!(world.browser().go("/").code(), "provider_unavailable");
    assert_eq!(world.land.lines("cause=no_usable_key").len(), 1);
}
