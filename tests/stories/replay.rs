//! The same callback, seen more than once.

use crate::browser::HOST;
use crate::cookies::Site;
use crate::world::World;
use portero::telemetry::{Callee, Purpose};

#[test]
fn a_callback_seen_again_leaves_a_logged_in_browser_logged_in() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/orders");
    browser.come_from_elsewhere(&callback).location();
    for _ in 0..3 {
        let again = browser.come_from_elsewhere(&callback);
        assert_eq!(again.location(), format!("https://{HOST}/"));
        assert!(again.set_cookies().is_empty());
    }
    assert!(browser.is_logged_in());
    assert_eq!(world.provider.called(Purpose::Token), 1);
    assert!(world.land.failures().is_empty());
}

#[test]
fn a_double_click_while_the_code_is_being_redeemed_redeems_it_once() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/orders");
    let click = browser.navigation(&callback, Site::Cross);
    let first = world.worker.begin(click.clone());
    assert_eq!(
        first.call().unwrap().callee,
        Callee::Provider(Purpose::Token)
    );
    // The second click has the same cookies, and no session yet: it goes round once more.
    let second = world.worker.serve(click.clone());
    browser.keep(&second);
    let again = browser.back_from_provider(second.location());
    let first = world.worker.finish(&click, first);
    browser.keep(&first);
    assert_eq!(first.location(), format!("https://{HOST}/orders"));
    let end = browser.come_from_elsewhere(&again);
    assert_eq!(end.location(), format!("https://{HOST}/orders"));
    assert!(browser.is_logged_in());
    assert!(world.land.failures().is_empty());
    assert_eq!(world.provider.called(Purpose::Token), 2);
    assert_eq!(world.provider.redeemed(), 2);
}

#[test]
fn a_double_click_on_two_workers_redeems_the_code_once() {
    let world = World::new();
    let other = world.another_worker();
    let browser = world.browser();
    let callback = browser.login_until_callback("/orders");
    let click = browser.navigation(&callback, Site::Cross);
    other.tick();
    let first = world.worker.begin(click.clone());
    let second = other.serve(click.clone());
    assert!(second.location().starts_with("https://idp.example.com/"));
    world.worker.finish(&click, first).location();
    assert_eq!(world.provider.called(Purpose::Token), 1);
}

#[test]
fn a_double_click_after_which_the_session_came_ends_where_the_person_wanted() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/orders");
    let kept = browser.cookies.borrow().clone();
    browser.come_from_elsewhere(&callback).location();
    // The second click was under way with the login's cookie beside the session's.
    let login = kept.all()[0].clone();
    browser.cookies.borrow_mut().tamper().push(login);
    let again = browser.come_from_elsewhere(&callback);
    assert_eq!(again.location(), format!("https://{HOST}/orders"));
    assert!(browser.is_logged_in());
    assert_eq!(world.provider.called(Purpose::Token), 1);
}

/// What has been redeemed is known within one process; the other replica asks the provider.
#[test]
fn a_double_click_answered_by_another_replica_ends_where_the_person_wanted() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/orders");
    let kept = browser.cookies.borrow().clone();
    browser.come_from_elsewhere(&callback).location();
    let login = kept.all()[0].clone();
    browser.cookies.borrow_mut().tamper().push(login);
    browser.moves_to(&world.another_process());
    let again = browser.come_from_elsewhere(&callback);
    assert_eq!(again.location(), format!("https://{HOST}/orders"));
    assert_eq!(world.provider.called(Purpose::Token), 2);
    assert_eq!(world.provider.redeemed(), 1);
    assert!(world.land.failures().is_empty());
    assert!(browser.cookie_names("__Host-portero-login").is_empty());
    assert!(browser.is_logged_in());

    // Without a session it is what it is.
    *browser.cookies.borrow_mut() = kept;
    browser.moves_to(&world.another_process());
    let alone = browser.come_from_elsewhere(&callback);
    assert_eq!(alone.code(), "token_invalid_grant");
}

#[test]
fn a_replayed_code_goes_round_once_and_then_stops() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/orders");
    let before = browser.cookies.borrow().clone();
    browser.come_from_elsewhere(&callback).location();
    *browser.cookies.borrow_mut() = before;
    let second = browser.come_from_elsewhere(&callback);
    let round = browser.back_from_provider(second.location());
    let before = browser.cookies.borrow().clone();
    browser.come_from_elsewhere(&round).location();
    *browser.cookies.borrow_mut() = before;
    let end = browser.come_from_elsewhere(&round);
    assert_eq!((end.status(), end.code().as_str()), (400, "login_replayed"));
    assert!(browser.cookie_names("__Host-portero-login").is_empty());
    assert_eq!(world.provider.called(Purpose::Token), 2);
}

#[test]
fn a_stranger_without_session_gains_nothing_from_a_used_callback() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/orders");
    browser.come_from_elsewhere(&callback).location();
    let stranger = world.browser().come_from_elsewhere(&callback);
    assert_eq!(stranger.code(), "login_unknown");
    assert_eq!(world.provider.called(Purpose::Token), 1);
}
