//! How long a session lasts, and what is in it.

use crate::browser::{Browser, HOST};
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::ISSUER;
use crate::sealed::{COOKIE, filler, is_absent_and_cleared};
use crate::world::{SESSION_KEY, World, minutes, seconds};
use portero::flow::AnswerHeaders;
use portero::request::Request;
use portero::secret::Secret;
use portero::session::{Binding, Seal, Session, SessionCookie};
use serde_json::json;
use std::time::Duration;

/// The session that a browser's cookie holds, opened as Portero opens it.
fn opened(browser: &Browser) -> Session {
    let cookies = browser.cookies.borrow();
    let cookie = cookies.all().iter().find(|cookie| cookie.name == COOKIE);
    let sealed = cookie.unwrap().value.strip_prefix("1.").unwrap().to_owned();
    let seal = Seal::new(&[Secret::new(SESSION_KEY.into())]);
    let binding = Binding {
        purpose: "session",
        name: COOKIE,
        host: HOST,
        issuer: ISSUER,
    };
    let plaintext = seal.open_text(binding, sealed.as_bytes()).unwrap();
    match postcard::from_bytes(&plaintext).unwrap() {
        SessionCookie::Whole(session) => session.into_owned(),
        SessionCookie::Reference(reference) => panic!("elsewhere: {reference:?}"),
    }
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

/// Else a shared cache that the upstream allows to keep its answer hands the cookie to others.
#[test]
fn no_cache_may_keep_an_upstreams_answer_with_somebodys_cookie() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let untouched = AnswerHeaders::default();
    assert_eq!(browser.go("/").forwarded().answer, untouched);
    world.pass(minutes(6));
    let outcome = browser.go("/");
    let renewed = outcome.forwarded();
    assert_eq!(renewed.set_cookies.len(), 1);
    let cookie = renewed.set_cookies[0].clone();
    assert_eq!(
        renewed.answer,
        AnswerHeaders {
            replace: vec![("cache-control", "private, no-store".to_owned())],
            add: vec![("set-cookie", cookie)],
        }
    );
    assert_eq!(browser.go("/").forwarded().answer, untouched);
    assert_eq!(browser.go("/public/page").forwarded().answer, untouched);
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

/// HTTP/2 may send every cookie in a header of its own (RFC 9113 section 8.2.3).
#[test]
fn a_cookie_header_in_pieces_is_one_cookie_header() {
    let world = World::new();
    let browser = world.browser();
    world.provider.script.borrow_mut().userinfo["groups"] = json!(filler(7000, 1));
    browser.log_in();
    let whole = browser.navigation("/", Site::Typed);
    let mut headers = Vec::new();
    for (name, value) in whole.headers().to_vec() {
        match name.as_str() {
            "cookie" => {
                let text = std::str::from_utf8(&value).unwrap();
                let pieces = text.split(';').rev().map(str::trim);
                headers.extend(pieces.map(|piece| (name.clone(), piece.as_bytes().to_vec())));
            }
            _ => headers.push((name.clone(), value.clone())),
        }
    }
    let outcome = world.worker.serve(Request::new(headers));
    assert_eq!(outcome.forwarded().userinfo()["sub"], "user-1");
    assert!(!outcome.forwarded().has("cookie"));
}
