//! Each way in which a session is replaced, and each way in which it ends: no earlier cookie survives.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portero::request::Request;
use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::browser::{Browser, HOST};
use crate::cookies::Site;
use crate::provider::Answer;
use crate::world::{World, minutes};

const LOGOUT: &str = "/oauth2/logout";

/// With sessions in cookies and in the store, which is asked every time.
fn worlds() -> [World; 2] {
    [World::with, World::with_store].map(|world| {
        let world = world(settings);
        let mut script = world.provider.script.borrow_mut();
        script.tells_authentication = true;
        script.token_response = vec![("expires_in", json!(300))];
        drop(script);
        world
    })
}

fn settings(settings: &mut Value) {
    settings["rules"] = json!([
        {"match": {"path": {"prefix": "/vault"}}, "authentication": {"acr_values": ["gold"]}},
    ]);
    settings["session"]["prompt_none_renewal"] = json!(true);
    if let Some(store) = settings["session"].get_mut("store") {
        store["reread_interval"] = json!("0s");
    }
}

fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

/// A thief's browser.
fn copy_of(world: &World, browser: &Browser) -> Browser {
    let copy = world.browser();
    copy.cookies
        .borrow_mut()
        .clone_from(&browser.cookies.borrow());
    copy
}

fn is_let_in(browser: &Browser) -> bool {
    let request = browser.request("GET", "/api", Site::Typed, &[("sec-fetch-mode", "cors")]);
    matches!(browser.send(request), crate::outcome::Outcome::Forwarded(_))
}

#[test]
fn a_logout_ends_what_a_stronger_login_has_replaced() {
    for world in worlds() {
        let browser = logged_in(&world);
        let copy = copy_of(&world, &browser);
        browser.browse("/vault").1.forwarded();
        assert!(is_let_in(&copy), "tabs do not disturb each other");
        assert_eq!(browser.go(LOGOUT).status(), 303);
        assert!(!is_let_in(&copy));
    }
}

#[test]
fn a_logout_ends_what_a_silent_renewal_has_replaced() {
    for world in worlds() {
        let browser = logged_in(&world);
        let copy = copy_of(&world, &browser);
        world.pass(minutes(5));
        browser.browse("/page").1.forwarded();
        assert!(is_let_in(&copy));
        assert_eq!(browser.go(LOGOUT).status(), 303);
        assert!(!is_let_in(&copy));
    }
}

#[test]
fn a_session_that_the_provider_does_not_renew_is_over_for_every_copy() {
    for world in worlds() {
        let browser = logged_in(&world);
        let copy = copy_of(&world, &browser);
        world.pass(minutes(5));
        world.provider.script.borrow_mut().denial = Some("login_required".to_owned());
        browser.browse("/page");
        assert!(!is_let_in(&copy));
        assert!(world.redis.keys("session").is_empty());
    }
}

#[test]
fn another_persons_login_in_the_same_browser_is_no_family() {
    for world in worlds() {
        let browser = logged_in(&world);
        let copy = copy_of(&world, &browser);
        world.provider.tamper(|token| {
            token.claims.insert("sub".to_owned(), json!("user-2"));
        });
        world.provider.script.borrow_mut().userinfo = json!({"sub": "user-2"});
        browser.browse("/vault").1.forwarded();
        assert_eq!(browser.go(LOGOUT).status(), 303);
        assert!(is_let_in(&copy), "it was somebody else's logout");
    }
}

#[test]
fn a_logout_while_the_store_is_down_ends_the_session_here_and_soon_everywhere() {
    let [_, world] = worlds();
    let browser = logged_in(&world);
    let copy = copy_of(&world, &browser);
    let elsewhere = world.another_process();
    elsewhere.tick();
    world.redis.break_down("*", Answer::Status(503));
    let request = browser.navigation(LOGOUT, Site::SameOrigin);
    let waiting = world.worker.begin(request.clone());
    let mut job = world.worker.begin_jobs().remove(0);
    let refusal = world.worker.answer(job.call().unwrap());
    job.resume(refusal);
    assert_eq!(world.worker.finish(&request, waiting).status(), 303);
    world.redis.recover();
    assert!(!is_let_in(&copy), "noted in this Envoy");
    // The work goes on after the answer.
    world.worker.carry_through(job);
    copy.moves_to(&elsewhere);
    assert!(!is_let_in(&copy));
    assert!(world.redis.keys("session").is_empty());
}

#[test]
fn a_logout_that_nobody_waits_for_is_done_all_the_same() {
    for world in worlds() {
        world.provider.script.borrow_mut().refreshes = true;
        let browser = logged_in(&world);
        let copy = copy_of(&world, &browser);
        let request = browser.navigation(LOGOUT, Site::SameOrigin);
        drop(world.worker.begin(request.clone()));
        assert!(!is_let_in(&copy), "at once");
        // The second click of a double click.
        assert_eq!(world.worker.serve(request).status(), 303);
        world.worker.tick();
        assert_eq!(world.provider.called(Purpose::Revocation), 1);
        assert!(world.redis.keys("session").is_empty());
    }
}

/// Ids are names of keys in the store, and many people see those.
#[test]
fn an_id_of_a_stored_session_is_no_cookie() {
    let [_, world] = worlds();
    logged_in(&world);
    let keys = world.redis.keys("session");
    let id = keys[0].rsplit(':').next().unwrap();
    for value in [URL_SAFE_NO_PAD.decode(id).unwrap(), id.as_bytes().to_vec()] {
        let mut headers = Vec::new();
        for (name, value) in [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", HOST),
            (":path", "/api"),
        ] {
            headers.push((name.to_owned(), value.into()));
        }
        let cookie = [&b"__Host-portero=1."[..], &value].concat();
        headers.push(("cookie".to_owned(), cookie));
        let outcome = world.worker.serve(Request::new(headers));
        assert_eq!(outcome.code(), "login_required");
    }
}
