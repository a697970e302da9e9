//! The session store's calls: every flow that makes one, and every way in which it can go wrong.

use portero::telemetry::Purpose;
use serde_json::json;

use super::rows::ROWS;
use super::{ends_in, has_no_session};
use crate::browser::Browser;
use crate::provider::Answer;
use crate::world::{World, minutes, seconds};

/// With tokens that are refreshed.
fn world() -> World {
    let world = World::with_store(|_| ());
    let mut script = world.provider.script.borrow_mut();
    script.refreshes = true;
    script.token_response = vec![("expires_in", json!(300))];
    drop(script);
    world
}

fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

/// Each way in which a call fails, with the status and the code in which it ends. What is believed of
/// a token endpoint's endless answer is not of a store's, so the words are the same for both.
fn every_fault(test: impl Fn(&str, Answer, u16, &str)) {
    for row in &ROWS {
        let (status, fault) = row.call;
        let code = format!("session_store_{fault}");
        test(row.name, (row.answer)(Purpose::Token), status, &code);
    }
}

/// Webdis says it with a good status.
#[test]
fn an_error_of_redis_is_a_refusal() {
    for (command, body) in [
        ("SET", r#"{"SET":[false,"OOM command not allowed"]}"#),
        (
            "MGET",
            r#"{"MGET":[false,"NOAUTH Authentication required."]}"#,
        ),
    ] {
        let world = world();
        let browser = world.browser();
        let callback = browser.login_until_callback("/");
        let answer = Answer::Body(200, body.as_bytes().to_vec());
        world.redis.break_down(command, answer);
        let end = browser.come_from_elsewhere(&callback);
        let refused = match command {
            "SET" => end,
            _ => browser.go("/"),
        };
        ends_in(&world.land, &refused, command, 502, "session_store_refused");
    }
}

#[test]
fn a_login_survives_every_fault_of_keeping_its_session() {
    every_fault(|name, answer, status, code| {
        let world = world();
        world.redis.break_down("SET", answer);
        let browser = world.browser();
        let callback = browser.login_until_callback("/page");
        let outcome = browser.come_from_elsewhere(&callback);
        ends_in(&world.land, &outcome, name, status, code);
        has_no_session(&browser);
        assert_eq!(world.land.counted("portero.login.succeeded"), 0);
        world.redis.recover();
        browser.browse("/page").1.forwarded();
    });
}

#[test]
fn a_login_goes_on_in_the_cookie_where_that_is_configured() {
    every_fault(|name, answer, _, code| {
        let world = World::with_store(|settings| {
            settings["session"]["store"]["when_unavailable"] = json!("use_cookies");
        });
        world.redis.break_down("*", answer);
        let browser = logged_in(&world);
        let line = format!("session_kept_in_cookie code={code} ");
        assert_eq!(world.land.lines(&line).len(), 1, "{name}");
        assert!(world.land.failures().is_empty(), "{name}");
        world.pass(seconds(5));
        browser.go("/").forwarded();
    });
}

#[test]
fn a_request_survives_every_fault_of_reading_its_session() {
    every_fault(|name, answer, status, code| {
        let world = world();
        let browser = logged_in(&world);
        world.pass(seconds(1));
        world.redis.break_down("MGET", answer);
        let outcome = browser.go("/");
        ends_in(&world.land, &outcome, name, status, code);
        assert!(outcome.set_cookies().is_empty(), "{name}");
        assert_eq!(browser.fetch("/api").code(), code, "{name}");
        browser.go("/public").forwarded();
        world.redis.recover();
        browser.go("/").forwarded();
    });
}

#[test]
fn a_refresh_survives_every_fault_of_its_lease_without_a_token_call() {
    every_fault(|name, answer, status, code| {
        let world = world();
        let browser = logged_in(&world);
        world.pass(seconds(301));
        world.redis.break_down("SET", answer);
        let outcome = browser.go("/");
        assert_eq!(outcome.status(), status, "{name}");
        assert_eq!(outcome.code(), code, "{name}");
        let line = format!("refresh_failed code={code}");
        assert_eq!(world.land.lines(&line).len(), 1, "{name}");
        assert_eq!(world.provider.called(Purpose::Token), 1, "{name}");
        world.redis.recover();
        world.pass(minutes(1));
        browser.go("/").forwarded();
    });
}

#[test]
fn a_refresh_survives_every_fault_of_writing_its_result() {
    every_fault(|name, answer, _, code| {
        let world = world();
        let browser = logged_in(&world);
        world.pass(seconds(301));
        let request = browser.navigation("/", crate::cookies::Site::Typed);
        let mut waiting = world.worker.begin(request.clone());
        let read = world.worker.answer(waiting.call().unwrap());
        waiting.resume(read);
        let mut job = world.worker.begin_jobs().remove(0);
        while world.provider.called(Purpose::Token) < 2 {
            let answer = world.worker.answer(job.call().unwrap());
            job.resume(answer);
        }
        world.redis.break_down("*", answer);
        world.worker.carry_through(job);
        let line = format!("refreshed_session_not_stored code={code}");
        assert_eq!(world.land.lines(&line).len(), 1, "{name}");
        world.worker.finish(&request, waiting).forwarded();
        world.redis.recover();
        browser.go("/").forwarded();
        assert_eq!(world.provider.called(Purpose::Token), 2, "{name}");
    });
}

#[test]
fn a_logout_survives_every_fault_of_deleting_its_session() {
    every_fault(|name, answer, _, code| {
        let world = world();
        let browser = logged_in(&world);
        world.redis.break_down("DEL", answer);
        let end = browser.go("/oauth2/logout");
        let to = end.location();
        assert!(to.starts_with("https://idp.example.com/logout?"), "{name}");
        has_no_session(&browser);
        let line = format!("session_not_deleted code={code}");
        assert_eq!(world.land.lines(&line).len(), 1, "{name}");
        assert_eq!(world.land.counted("portero.logout.incomplete"), 1, "{name}");
        assert_eq!(world.land.counted("portero.logout.succeeded"), 1, "{name}");
        assert!(world.land.failures().is_empty(), "{name}");
    });
}

#[test]
fn a_logout_survives_every_fault_of_the_whole_store() {
    every_fault(|name, answer, _, _| {
        let world = world();
        let browser = logged_in(&world);
        world.pass(seconds(1));
        world.redis.break_down("*", answer);
        let end = browser.go("/oauth2/logout");
        let to = end.location();
        assert!(to.starts_with("https://idp.example.com/logout?"), "{name}");
        has_no_session(&browser);
        let page = browser.go("/oauth2/logged-out");
        assert_eq!(page.status(), 200, "{name}");
    });
}

#[test]
fn a_session_survives_every_fault_of_prolonging_it() {
    every_fault(|name, answer, _, code| {
        let world = World::with_store(|_| ());
        let browser = logged_in(&world);
        world.pass(minutes(30));
        world.redis.break_down("EXPIRE", answer);
        browser.go("/").forwarded();
        world.worker.tick();
        let line = format!("session_not_prolonged code={code}");
        assert_eq!(world.land.lines(&line).len(), 1, "{name}");
        assert!(world.land.failures().is_empty(), "{name}");
        world.redis.recover();
        // The cookie is as old as the answer now, so it is a tenth of the time until the next.
        world.pass(minutes(6));
        browser.go("/").forwarded();
        world.worker.tick();
        let key = world.redis.keys("session").remove(0);
        assert_eq!(world.redis.ttl(&key), minutes(60), "{name}");
    });
}
