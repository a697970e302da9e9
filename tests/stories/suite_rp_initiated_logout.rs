//! `oidcc-client-rp-initiated-logout-rp-basic`, the prefix `oidcc-client-test-` left out.

use crate::browser::{Browser, HOST, parameter};
use crate::suite::logs_in;
use crate::world::World;

/// Logs in and out; the state that the provider got.
#[track_caller]
fn log_out(world: &World) -> (Browser, String) {
    let browser = logs_in(world);
    let end = browser.go("/oauth2/logout");
    let address = end.location();
    assert_eq!(
        parameter(address, "post_logout_redirect_uri"),
        format!("https://{HOST}/oauth2/logged-out")
    );
    assert_eq!(parameter(address, "id_token_hint").split('.').count(), 3);
    let state = parameter(address, "state");
    (browser, state)
}

#[track_caller]
fn is_signed_out(world: &World, browser: &Browser, query: &str) {
    let page = browser.come_from_elsewhere(&format!("/oauth2/logged-out{query}"));
    assert_eq!(page.status(), 200);
    assert!(page.answered().body.contains("You are signed out."));
    assert_eq!(world.land.counted("portero.login.started"), 1);
    assert!(browser.cookie_names("").is_empty());
    assert!(!browser.is_logged_in());
}

#[test]
fn rp_init_logout() {
    let world = World::new();
    let (browser, state) = log_out(&world);
    is_signed_out(&world, &browser, &format!("?state={state}"));
    assert!(world.land.lines("logout_state_mismatch").is_empty());
}

#[test]
fn rp_init_logout_other_state() {
    let world = World::new();
    let (browser, state) = log_out(&world);
    is_signed_out(&world, &browser, &format!("?state=x{state}"));
    assert_eq!(world.land.lines("logout_state_mismatch").len(), 1);
}

#[test]
fn rp_init_logout_no_state() {
    let world = World::new();
    let (browser, _) = log_out(&world);
    is_signed_out(&world, &browser, "");
    assert_eq!(world.land.lines("logout_state_mismatch").len(), 1);
}
