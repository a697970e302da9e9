//! Logouts that several Envoys learn of by their common store.

use portero::flow::Decision;
use serde_json::{Value, json};

use crate::back_channel::{
    LogoutToken, SID, form, is_done, is_refused, names_sessions, post, sends,
};
use crate::browser::Browser;
use crate::provider::Answer;
use crate::sealed::is_absent_and_cleared;
use crate::worker::{Running, Worker};
use crate::world::{World, seconds};

fn world(change: impl FnOnce(&mut Value)) -> World {
    let world = World::with_store(|settings| {
        settings["allow_on_headers_stop_iteration"] = json!(true);
        change(settings);
    });
    names_sessions(&world, SID);
    world
}

fn use_cookies(settings: &mut Value) {
    settings["session"]["store"]["when_unavailable"] = json!("use_cookies");
}

/// Somebody who is logged in, seen by another process, and that process.
fn known_elsewhere(world: &World) -> (Browser, Worker) {
    let browser = world.browser();
    browser.log_in();
    let elsewhere = world.another_process();
    elsewhere.tick();
    browser.moves_to(&elsewhere);
    assert!(browser.is_logged_in());
    (browser, elsewhere)
}

/// The same with a session that the cookie holds, because the store could not be asked at the login.
fn in_a_cookie(world: &World) -> (Browser, Worker) {
    world.redis.break_down("*", Answer::NotSent);
    let browser = world.browser();
    browser.log_in();
    world.redis.recover();
    assert!(world.redis.keys("session").is_empty());
    let elsewhere = world.another_process();
    elsewhere.tick();
    browser.moves_to(&elsewhere);
    assert!(browser.is_logged_in());
    (browser, elsewhere)
}

#[test]
fn the_provider_tells_one_envoy_and_every_envoy_knows() {
    for change in [|_: &mut Value| (), World::speak_upstash] {
        let world = world(change);
        let (browser, _) = known_elsewhere(&world);
        is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
        // What a worker has just read it uses for a second.
        assert!(browser.is_logged_in());
        world.pass(seconds(1));
        is_absent_and_cleared(&browser, "ended by the provider");
        assert_eq!(world.redis.keys("session").len(), 1, "the new login's");
    }
}

#[test]
fn a_session_that_its_cookie_holds_ends_on_every_envoy_too() {
    let world = world(use_cookies);
    let (browser, _) = in_a_cookie(&world);
    is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
    world.pass(seconds(1));
    is_absent_and_cleared(&browser, "ended by the provider");
}

#[test]
fn a_copy_of_a_cookie_that_holds_its_session_ends_with_it_on_every_envoy() {
    let world = world(use_cookies);
    let (browser, elsewhere) = in_a_cookie(&world);
    let copy = browser.cookies.borrow().clone();
    browser.moves_to(&world.worker);
    assert_eq!(browser.go("/oauth2/logout").status(), 303);
    browser.moves_to(&elsewhere);
    *browser.cookies.borrow_mut() = copy;
    world.pass(seconds(1));
    assert_eq!(browser.fetch("/api").status(), 401);
}

/// The provider may send it again, and then it is no replay.
#[test]
fn a_logout_that_the_store_cannot_be_told_of_has_not_been_done() {
    for command in ["MGET", "SET"] {
        let world = world(|_| ());
        let (browser, _) = known_elsewhere(&world);
        let token = LogoutToken::of(&world).signed();
        world.redis.break_down(command, Answer::Status(503));
        is_refused(
            &sends(&world.worker, &token),
            503,
            "session_store_unreachable",
        );
        world.redis.recover();
        is_done(&sends(&world.worker, &token));
        world.pass(seconds(1));
        is_absent_and_cleared(&browser, command);
    }
}

#[test]
fn a_login_after_the_logout_is_no_business_of_it() {
    let world = world(|_| ());
    let (browser, _) = known_elsewhere(&world);
    is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
    world.pass(seconds(2));
    browser.log_in();
    world.pass(seconds(2));
    assert!(browser.is_logged_in());
}

/// An older logout token may come late, and takes nothing back of what a newer one has said.
#[test]
fn of_two_logouts_the_later_counts() {
    let world = world(|_| ());
    let old = LogoutToken::of(&world).with("jti", json!("old")).signed();
    world.pass(seconds(10));
    let (browser, _) = known_elsewhere(&world);
    is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
    is_done(&sends(&world.worker, &old));
    world.pass(seconds(1));
    is_absent_and_cleared(&browser, "ended by the later one");
}

/// Two Envoys note a logout of the same person at once, and the older token's note is written last.
#[test]
fn of_two_logouts_at_the_same_moment_the_later_counts() {
    for older_comes_late in [true, false] {
        let world = world(|_| ());
        let older = LogoutToken::of(&world).with("jti", json!("older")).signed();
        world.pass(seconds(10));
        let (browser, elsewhere) = known_elsewhere(&world);
        let newer = LogoutToken::of(&world).signed();
        let [first, late] = match older_comes_late {
            true => [newer, older],
            false => [older, newer],
        };
        let request = post("application/x-www-form-urlencoded");
        let mut running = elsewhere.begin(request.clone());
        running.body = form(&[("logout_token", &late)]);
        // It has read that nothing is noted.
        while !is_about_to_write(&running) {
            elsewhere.advance(&mut running);
        }
        is_done(&sends(&world.worker, &first));
        is_done(&elsewhere.finish(&request, running));
        world.pass(seconds(1));
        let third = world.another_process();
        third.tick();
        browser.moves_to(&third);
        is_absent_and_cleared(&browser, "ended by the later one");
    }
}

fn is_about_to_write(running: &Running<Decision>) -> bool {
    running
        .call()
        .is_some_and(|call| call.body.starts_with(b"SET/"))
}

/// Whoever can write into the store can end sessions by deleting them, and no more.
#[test]
fn a_note_that_is_not_ours_ends_nothing() {
    let world = world(|_| ());
    let (browser, _) = known_elsewhere(&world);
    is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
    for key in world.redis.keys("ended") {
        world.redis.put(&key, "AAAA");
    }
    world.pass(seconds(1));
    assert!(browser.is_logged_in());
}
