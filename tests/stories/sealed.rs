//! What a cookie must be to be a session.

use crate::browser::Browser;
use crate::cookies::Site;
use crate::signer::encode;
use crate::world::{SESSION_KEY, World, minutes, seconds};
use serde_json::json;

pub const COOKIE: &str = "__Host-portero";
const NEW_KEY: &str = "the second session key of the tests, 48 bytes long";

type Change = fn(&mut String);

fn change_value(browser: &Browser, name: &str, change: impl FnOnce(&mut String)) {
    let mut cookies = browser.cookies.borrow_mut();
    let mut all = cookies.tamper().iter_mut();
    change(&mut all.find(|cookie| cookie.name == name).unwrap().value);
}

/// The session is absent: the browser is sent to log in, what it had is deleted, and the login that
/// follows ends where it should.
#[track_caller]
pub fn is_absent_and_cleared(browser: &Browser, what: &str) {
    let start = browser.go("/page");
    assert!(
        start.location().starts_with("https://idp.example.com/"),
        "{what}"
    );
    let names = browser.cookie_names(COOKIE);
    assert!(
        names.len() == 1 && names[0].contains("-login-"),
        "{what}: {names:?}"
    );
    assert!(browser.fetch("/api").status() == 401, "{what}");
    let (target, outcome) = browser.browse("/page");
    assert_eq!(target, "/page", "{what}");
    outcome.forwarded();
}

#[test]
fn a_new_key_seals_and_the_old_one_still_opens() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let both = world.reconfigured(|settings| {
        settings["session"]["keys"] = json!([NEW_KEY, SESSION_KEY]);
    });
    let new = world.reconfigured(|settings| settings["session"]["keys"] = json!([NEW_KEY]));
    browser.moves_to(&both);
    assert!(browser.is_logged_in());
    world.pass(minutes(6));
    assert_eq!(browser.go("/").forwarded().set_cookies.len(), 1);
    browser.moves_to(&new);
    assert!(browser.is_logged_in());
}

/// What the workers share outlives the rotation, too: nobody refreshes twice, and nothing is fetched.
#[test]
fn a_late_request_gets_the_new_session_while_keys_are_rotated() {
    let world = World::new();
    let mut script = world.provider.script.borrow_mut();
    script.refreshes = true;
    script.token_response = vec![("expires_in", json!(300))];
    drop(script);
    let browser = world.browser();
    browser.log_in();
    world.pass(seconds(301));
    let late = browser.navigation("/", Site::Typed);
    browser.go("/").forwarded();
    let calls = world.provider.calls.borrow().len();
    let rotated = world.reloaded(|settings| {
        settings["session"]["keys"] = json!([NEW_KEY, SESSION_KEY]);
    });
    rotated.serve(late).forwarded();
    assert_eq!(world.provider.calls.borrow().len(), calls);
}

#[test]
fn without_the_key_that_sealed_it_a_session_is_absent() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let new = world.reconfigured(|settings| settings["session"]["keys"] = json!([NEW_KEY]));
    browser.moves_to(&new);
    is_absent_and_cleared(&browser, "key removed");
}

#[test]
fn a_cookie_that_was_tampered_with_is_absent() {
    let world = World::new();
    let changes: [(&str, Change); 12] = [
        ("empty", String::clear),
        ("shorter", |value| value.truncate(value.len() - 1)),
        ("half", |value| value.truncate(value.len() / 2)),
        ("longer", |value| value.push('A')),
        ("no count", |value| value.replace_range(..2, "")),
        ("count 0", |value| value.replace_range(..1, "0")),
        ("count 2", |value| value.replace_range(..1, "2")),
        ("count 9", |value| value.replace_range(..1, "9")),
        ("not base64", |value| value.replace_range(5..6, "!")),
        ("only a count", |value| value.truncate(2)),
        ("another version", |value| value.replace_range(2..4, "Ag")),
        ("zeroes", |value| *value = format!("1.{}", "A".repeat(200))),
    ];
    for (what, change) in changes {
        let browser = world.browser();
        browser.log_in();
        change_value(&browser, COOKIE, change);
        is_absent_and_cleared(&browser, what);
    }
    // Every single character counts, also while the real cookie is in the cache.
    let browser = world.browser();
    browser.log_in();
    let real = browser.cookies.borrow().clone();
    let length = real
        .all()
        .iter()
        .find(|cookie| cookie.name == COOKIE)
        .unwrap()
        .value
        .len();
    for position in 2..length {
        change_value(&browser, COOKIE, |value| {
            let other = if &value[position..=position] == "A" {
                "E"
            } else {
                "A"
            };
            value.replace_range(position..=position, other);
        });
        assert_eq!(browser.fetch("/").status(), 401, "{position}");
        *browser.cookies.borrow_mut() = real.clone();
    }
    assert!(browser.is_logged_in());
}

#[test]
fn a_cookie_that_comes_twice_is_absent() {
    let world = World::new();
    for first in [true, false] {
        let browser = world.browser();
        browser.log_in();
        {
            let mut cookies = browser.cookies.borrow_mut();
            let mut planted = cookies.tamper()[0].clone();
            planted.name = COOKIE.to_owned();
            planted.value = "1.AAAA".to_owned();
            planted.path = "/page".to_owned();
            let at = if first { 0 } else { cookies.tamper().len() };
            cookies.tamper().insert(at, planted);
        }
        let start = browser.go("/page");
        assert!(start.location().starts_with("https://idp.example.com/"));
        assert!(
            start
                .set_cookies()
                .iter()
                .any(|line| line.starts_with("__Host-portero=;"))
        );
    }
}

#[test]
fn the_twin_of_a_cookie_name_is_not_read() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    for cookie in browser.cookies.borrow_mut().tamper() {
        cookie.name = cookie.name.replace("__Host-", "__hOsT-");
    }
    assert_eq!(browser.fetch("/").status(), 401);
}

#[test]
fn a_session_belongs_to_its_host() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    for host in ["other.example.com", "app.example.com:8443"] {
        let other = world.browser().at("https", host);
        *other.cookies.borrow_mut() = browser.cookies.borrow().clone();
        for cookie in other.cookies.borrow_mut().tamper() {
            cookie.host = host.to_owned();
        }
        assert_eq!(other.fetch("/").status(), 401, "{host}");
    }
    // The same host in other letters is the same host.
    let same = world.browser().at("https", "APP.example.com");
    *same.cookies.borrow_mut() = browser.cookies.borrow().clone();
    for cookie in same.cookies.borrow_mut().tamper() {
        cookie.host = "APP.example.com".to_owned();
    }
    same.fetch("/").forwarded();
}

#[test]
fn a_session_of_another_issuer_is_absent() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let other = world.reconfigured(|settings| {
        settings["providers"]["corp"]["issuer"] = json!("https://idp.example.com/realms/other");
    });
    browser.moves_to(&other);
    assert_eq!(browser.fetch("/").status(), 401);
}

/// Text that does not compress and differs from the next.
pub fn filler(length: usize, seed: u8) -> String {
    let bytes: Vec<u8> = (0..length)
        .map(|index| (index as u8).wrapping_mul(31) ^ seed)
        .collect();
    encode(bytes)[..length].to_owned()
}

#[test]
fn a_session_with_large_claims_is_cut_into_cookies_that_are_all_needed() {
    let world = World::new();
    let browser = world.browser();
    let small = world.provider.script.borrow().userinfo.clone();
    world.provider.script.borrow_mut().userinfo["groups"] = json!(filler(7000, 1));
    browser.log_in();
    let pieces = ["__Host-portero", "__Host-portero.1", "__Host-portero.2"];
    assert_eq!(browser.cookie_names(COOKIE), pieces);
    let claims = browser.go("/").forwarded().userinfo();
    assert_eq!(claims["groups"], filler(7000, 1));
    for missing in pieces {
        let whole = browser.cookies.borrow().clone();
        browser
            .cookies
            .borrow_mut()
            .tamper()
            .retain(|cookie| cookie.name != missing);
        let start = browser.go("/");
        assert!(
            start.location().starts_with("https://idp.example.com/"),
            "{missing}"
        );
        let names = browser.cookie_names(COOKIE);
        assert!(
            names.iter().all(|name| name.contains("-login-")),
            "{names:?}"
        );
        *browser.cookies.borrow_mut() = whole;
    }
    // Pieces of two sessions do not fit together.
    let other = world.browser();
    other.log_in();
    let piece = other
        .cookies
        .borrow()
        .all()
        .iter()
        .find(|cookie| cookie.name == pieces[1])
        .unwrap()
        .value
        .clone();
    let whole = browser.cookies.borrow().clone();
    change_value(&browser, pieces[1], |value| *value = piece);
    assert_eq!(browser.fetch("/").status(), 401);
    *browser.cookies.borrow_mut() = whole;
    // A smaller session leaves nothing of the larger behind.
    world.provider.script.borrow_mut().userinfo = small;
    let callback = browser.login_until_callback_again("/");
    browser.come_from_elsewhere(&callback).location();
    assert_eq!(browser.cookie_names(COOKIE), ["__Host-portero"]);
    assert!(browser.is_logged_in());
}

#[test]
fn a_session_that_does_not_fit_ends_in_a_clear_error() {
    let world = World::new();
    world.provider.script.borrow_mut().userinfo["groups"] = json!(filler(16_000, 1));
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!(
        (end.status(), end.code().as_str()),
        (500, "session_too_large")
    );
    assert!(browser.cookie_names("__").is_empty());
}

#[test]
fn a_session_is_the_same_with_and_without_cache() {
    let browse = |cache: u64| -> Vec<Vec<(String, Vec<u8>)>> {
        let world = World::with(|settings| settings["session"]["cache_bytes"] = json!(cache));
        let browsers: Vec<Browser> = (0..3).map(|_| world.browser()).collect();
        browsers.iter().for_each(Browser::log_in);
        let mut seen = Vec::new();
        for _ in 0..3 {
            for browser in &browsers {
                let mut headers = browser.go("/page").forwarded().headers.clone();
                headers.retain(|(name, _)| name != "cookie");
                seen.push(headers);
            }
        }
        world.pass(minutes(60));
        assert!(browsers.iter().all(|browser| !browser.is_logged_in()));
        seen
    };
    let without = browse(0);
    assert_eq!(browse(16 << 20), without);
    // Room for one entry.
    assert_eq!(browse(1200), without);
}
