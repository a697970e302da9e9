//! The provider's keys change while sessions are refreshed: no new tokens are lost because keys
//! cannot be had, and nothing that is not proven is used.

use portero::telemetry::Purpose;
use serde_json::json;

use crate::back_channel::{self, LogoutToken, is_refused, sends};
use crate::provider::{Answer, SUBJECT};
use crate::refresh::logged_in;
use crate::signer::Signer;
use crate::world::{World, seconds};

const SECOND: Signer = Signer::es256("second", 9);
const LINE: &str = "refreshed_id_token_not_verified cause=key_unknown";

/// A provider whose refresh tokens are good once, whose access tokens last five minutes, and whose
/// ID tokens are forwarded.
fn world() -> World {
    let world = World::with(|settings| {
        settings["upstream"] = json!({"headers": {
            "authorization": {"access_token": "bearer"},
            "x-id-token": {"id_token": "raw"},
            "x-name": {"claim": "name"},
            "x-team": {"claim": "team"},
        }});
    });
    let mut script = world.provider.script.borrow_mut();
    script.refreshes = true;
    script.token_response = vec![("expires_in", json!(300))];
    script.claims.insert("team".to_owned(), json!("engines"));
    drop(script);
    world
}

fn refreshes(world: &World) -> usize {
    world.provider.called(Purpose::Token) - 1
}

/// The provider has rotated its keys, and says something else about the person from now on.
fn rotate(world: &World) {
    world.provider.rotate(SECOND);
    let mut script = world.provider.script.borrow_mut();
    script.claims.insert("team".to_owned(), json!("forged"));
}

#[test]
fn new_keys_that_cannot_be_fetched_cost_neither_session_nor_tokens() {
    let world = world();
    let browser = logged_in(&world);
    let before = browser.go("/");
    rotate(&world);
    let fault = Answer::Status(503);
    world.provider.break_down(Purpose::Jwks, fault);
    world.pass(seconds(301));
    let after = browser.go("/");
    let (before, after) = (before.forwarded(), after.forwarded());
    assert_ne!(
        after.header("authorization"),
        before.header("authorization")
    );
    assert_eq!(after.header("x-id-token"), before.header("x-id-token"));
    assert_eq!(after.header("x-team"), "engines", "nothing unverified");
    assert_eq!(after.header("x-name"), "Ada Lovelace");
    assert_eq!(world.land.lines(LINE).len(), 1);
    assert_eq!(world.land.counted("portero.refresh.unverified"), 1);
    assert_eq!(world.land.counted("portero.refresh.succeeded"), 1);
    assert!(world.land.failures().is_empty());

    world.pass(seconds(29));
    browser.go("/").forwarded();
    assert_eq!(refreshes(&world), 1, "not at every request");

    world.provider.recover();
    world.pass(seconds(35));
    let outcome = browser.go("/");
    assert_eq!(outcome.forwarded().header("x-team"), "forged");
    assert_eq!(refreshes(&world), 2, "with the rotated refresh token");
    assert_eq!(world.land.lines(LINE).len(), 1);
}

#[test]
fn a_day_without_keys_is_a_day_of_a_session() {
    let world = world();
    let browser = logged_in(&world);
    rotate(&world);
    world.pass(seconds(200));
    world
        .provider
        .break_down(Purpose::Jwks, Answer::Status(503));
    for _ in 0..400 {
        world.pass(seconds(60));
        browser.go("/").forwarded();
    }
    assert!(world.land.failures().is_empty());
    assert_eq!(world.provider.redeemed(), 1);
}

#[test]
fn a_key_that_is_unknown_within_the_cool_down_ends_nothing() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(285));
    // Somebody else's login uses the cool-down up.
    world
        .provider
        .tamper(|token| token.header["kid"] = json!("unheard-of"));
    let other = world.browser();
    let callback = other.login_until_callback("/");
    let end = other.come_from_elsewhere(&callback);
    assert_eq!(end.code(), "id_token_key_unknown");
    world.provider.script.borrow_mut().id_token = None;
    rotate(&world);
    world.pass(seconds(16));
    let keys = world.provider.called(Purpose::Jwks);
    browser.go("/").forwarded();
    assert_eq!(world.provider.called(Purpose::Jwks), keys);
    assert_eq!(world.land.lines(LINE).len(), 1);
    world.pass(seconds(31));
    let outcome = browser.go("/");
    assert_eq!(outcome.forwarded().header("x-team"), "forged");
    assert_eq!(world.land.counted("portero.refresh.succeeded"), 2);
}

#[test]
fn a_key_that_no_newer_key_set_has_ends_the_session() {
    let world = world();
    let browser = logged_in(&world);
    world
        .provider
        .tamper(|token| token.header["kid"] = json!("unheard-of"));
    world.pass(seconds(301));
    assert_eq!(browser.fetch("/api").code(), "login_required");
    assert_eq!(
        world.land.counted("portero.failure.id_token_key_unknown"),
        1
    );
}

#[test]
fn a_wrong_signature_ends_the_session_when_the_key_becomes_known() {
    let world = world();
    let browser = logged_in(&world);
    rotate(&world);
    world
        .provider
        .tamper(|token| token.signer = Signer::es256("second", 99));
    world.provider.break_down(Purpose::Jwks, Answer::CutOff);
    world.pass(seconds(301));
    browser.go("/").forwarded();
    world.provider.recover();
    world.pass(seconds(35));
    assert_eq!(browser.fetch("/api").code(), "login_required");
    let code = "portero.failure.id_token_signature_invalid";
    assert_eq!(world.land.counted(code), 1);
}

#[test]
fn an_unverified_token_opens_no_way_around_userinfo() {
    let world = world();
    let browser = logged_in(&world);
    rotate(&world);
    world.provider.break_down(Purpose::Jwks, Answer::CutOff);
    let userinfo = json!({"sub": format!("not {SUBJECT}")});
    world.provider.script.borrow_mut().userinfo = userinfo;
    world.pass(seconds(301));
    assert_eq!(browser.fetch("/api").code(), "login_required");
    let code = "portero.failure.userinfo_subject_mismatch";
    assert_eq!(world.land.counted(code), 1);
}

/// Anybody may send logout tokens, and none of them holds up those who log in or are logged in.
#[test]
fn strangers_with_logout_tokens_do_not_keep_newer_keys_from_anybody() {
    for answer in [None, Some(Answer::Status(503))] {
        let world = back_channel::world();
        let mut script = world.provider.script.borrow_mut();
        script.refreshes = true;
        script.token_response = vec![("expires_in", json!(300))];
        drop(script);
        let browser = logged_in(&world);
        let stranger_sends = || {
            let mut token = LogoutToken::of(&world);
            token.header["kid"] = json!("junk");
            let outcome = sends(&world.worker, &token.signed());
            is_refused(&outcome, 400, "logout_token_key_unknown");
        };
        if let Some(answer) = &answer {
            world.provider.break_down(Purpose::Jwks, answer.clone());
        }
        let before = world.provider.called(Purpose::Jwks);
        for _ in 0..60 {
            world.pass(seconds(5));
            stranger_sends();
        }
        let fetches = world.provider.called(Purpose::Jwks) - before;
        assert!((9..=11).contains(&fetches), "one per cool-down: {fetches}");
        world.provider.recover();
        world.provider.rotate(SECOND);
        world.browser().log_in();
        // And once more, for the refresh.
        for _ in 0..12 {
            world.pass(seconds(5));
            stranger_sends();
        }
        world.provider.rotate(Signer::es256("third", 11));
        browser.fetch("/api").forwarded();
        assert_eq!(world.land.counted("portero.refresh.succeeded"), 1);
        assert!(world.land.lines(LINE).is_empty());
    }
}
