//! `oidcc-client-front-channel-logout-rp-basic`, the prefix `oidcc-client-test-` left out.

use serde_json::json;

use crate::browser::{Browser, parameter};
use crate::front_channel::{framed, is_answered, target};
use crate::provider::ISSUER;
use crate::suite::logs_in;
use crate::world::World;

const SID: &str = "the suite's session";

fn logged_in() -> (World, Browser) {
    let world = World::new();
    let sid = ("sid".to_owned(), json!(SID));
    world.provider.script.borrow_mut().claims.extend([sid]);
    let browser = logs_in(&world);
    (world, browser)
}

/// The provider's logout page.
#[track_caller]
fn loads_the_frame(browser: &Browser) {
    is_answered(&framed(browser, &target(&[("iss", ISSUER), ("sid", SID)])));
}

#[test]
fn rp_frontchannel_rpinitlogout() {
    let (world, browser) = logged_in();
    let end = browser.go("/oauth2/logout");
    let state = parameter(end.location(), "state");
    loads_the_frame(&browser);
    let page = browser.come_from_elsewhere(&format!("/oauth2/logged-out?state={state}"));
    assert_eq!(page.status(), 200);
    assert!(page.answered().body.contains("You are signed out."));
    assert!(world.land.lines("logout_state_mismatch").is_empty());
    assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
    assert!(browser.cookie_names("").is_empty());
    assert!(!browser.is_logged_in());
}

#[test]
fn rp_frontchannel_opinitlogout() {
    let (world, browser) = logged_in();
    loads_the_frame(&browser);
    assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
    assert!(browser.cookie_names("").is_empty());
    assert!(!browser.is_logged_in());
}
