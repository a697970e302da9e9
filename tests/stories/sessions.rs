//! How long a session lasts, and what a cookie must be to be one.

use crate::browser::{Browser, HOST};
use crate::outcome::Outcome;
use crate::provider::ISSUER;
use crate::signer::encode;
use crate::world::{SESSION_KEY, World, minutes, seconds};
use portero::secret::Secret;
use portero::session::{Binding, Seal, Session};
use serde_json::json;
use std::time::Duration;

const COOKIE: &str = "__Host-portero";
const NEW_KEY: &str = "the second session key of the tests, 48 bytes long";

/// The session that a browser's cookie holds, opened as Portero opens it.
fn opened(browser: &Browser) -> Session {
    let cookies = browser.cookies.borrow();
    let cookie = cookies.all().iter().find(|cookie| cookie.name == COOKIE);
    let sealed = cookie.unwrap().value.strip_prefix("1.").unwrap().to_owned();
    let seal = Seal::new(&[SESSION_KEY, NEW_KEY].map(|key| Secret::new(key.into())));
    let binding = Binding {
        purpose: "session",
        name: COOKIE,
        host: HOST,
        issuer: ISSUER,
    };
    let plaintext = seal.open_text(binding, sealed.as_bytes()).unwrap();
    postcard::from_bytes(&plaintext).unwrap()
}

fn change_value(browser: &Browser, name: &str, change: impl FnOnce(&mut String)) {
    let mut cookies = browser.cookies.borrow_mut();
    let mut all = cookies.tamper().iter_mut();
    change(&mut all.find(|cookie| cookie.name == name).unwrap().value);
}

/// The session is absent: the browser is sent to log in, what it had is deleted, and the login that
/// follows ends where it should.
#[track_caller]
fn is_absent_and_cleared(browser: &Browser, what: &str) {
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
fn a_session_ends_when_nobody_uses_it_for_the_idle_timeout() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    world.pass(minutes(60) - seconds(1));
    assert!(browser.is_logged_in());
    world.pass(minutes(60));
    assert!(!browser.is_logged_in());
    assert_eq!(browser.fetch("/").status(), 401);
}

#[test]
fn a_session_ends_after_its_lifetime_however_much_it_is_used() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let began = world.land.now();
    while browser.is_logged_in() {
        world.pass(minutes(5));
    }
    assert_eq!(world.land.now().since(began), minutes(8 * 60));
}

#[test]
fn a_cookie_kept_beyond_its_end_is_no_session() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    for cookie in browser.cookies.borrow_mut().tamper() {
        cookie.ends_at = None;
    }
    world.pass(minutes(8 * 60));
    is_absent_and_cleared(&browser, "too old");
}

#[test]
fn a_cookie_is_issued_anew_at_most_once_per_tenth_of_the_idle_timeout() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let first = opened(&browser);
    let mut issued = 0;
    for _ in 0..600 {
        world.pass(seconds(6));
        issued += browser.go("/").forwarded().set_cookies.len();
    }
    assert_eq!(issued, 10);
    let last = opened(&browser);
    assert_eq!((first.id, first.ends_at), (last.id, last.ends_at));
    assert!(last.seen_at > first.seen_at);
}

#[test]
fn every_login_gives_a_new_session_id() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let first = opened(&browser);
    let callback = browser.login_until_callback_again("/");
    browser.come_from_elsewhere(&callback).location();
    assert_ne!(first.id, opened(&browser).id);
}

#[test]
fn the_session_cookie_holds_what_is_forwarded_and_no_token() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let session = opened(&browser);
    assert_eq!((session.id_token, session.access_token), (None, None));
    for protocol in ["nonce", "at_hash", "aud", "exp"] {
        assert!(!session.claims.contains(protocol), "{}", session.claims);
    }
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
    let changes: [(&str, fn(&mut String)); 12] = [
        ("empty", String::clear),
        ("shorter", |value| drop(value.pop())),
        ("half", |value| value.truncate(value.len() / 2)),
        ("longer", |value| value.push('A')),
        ("no count", |value| drop(value.drain(..2))),
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
    for host in [
        "other.example.com",
        "app.example.com:8443",
        "app.example.com.",
    ] {
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
fn filler(length: usize, seed: u8) -> String {
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

#[test]
fn a_session_whose_access_token_is_forwarded_ends_with_that_token() {
    let world = World::with(|settings| {
        settings["upstream"] = json!({"headers": {"authorization": {"access_token": "bearer"}}});
    });
    world.provider.script.borrow_mut().token_response = vec![("expires_in", json!(90))];
    let browser = world.browser();
    browser.log_in();
    let is_forwarded = |browser: &Browser| matches!(browser.go("/"), Outcome::Forwarded(_));
    world.pass(seconds(90) - Duration::from_millis(100));
    assert!(is_forwarded(&browser));
    world.pass(Duration::from_millis(100));
    assert!(!is_forwarded(&browser));
}
