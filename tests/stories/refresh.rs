//! A working day without a second login: tokens are refreshed once, whoever asks.

use portero::flow::CallFailure;
use portero::telemetry::Purpose;
use serde_json::json;

use crate::browser::Browser;
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::Answer;
use crate::suite_refresh::is_refused;
use crate::world::{World, minutes, seconds};

const COOKIE: &str = "__Host-portero";

/// A provider whose refresh tokens are good once, and whose access tokens last five minutes.
pub fn world() -> World {
    let world = World::with(|settings| {
        settings["upstream"] = json!({"headers": {
            "authorization": {"access_token": "bearer"},
            "x-userinfo": {"userinfo": "base64_json"},
        }});
    });
    let mut script = world.provider.script.borrow_mut();
    script.refreshes = true;
    script.token_response = vec![("expires_in", json!(300))];
    drop(script);
    world
}

pub fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

/// Somebody whose session is due to be refreshed, which the provider will refuse for good.
pub fn refused() -> (World, Browser) {
    let world = world();
    let browser = logged_in(&world);
    world
        .provider
        .break_down(Purpose::Token, Answer::refused("invalid_grant"));
    world.pass(seconds(301));
    (world, browser)
}

/// How many token calls came after the login's.
fn refreshes(world: &World) -> usize {
    world.provider.called(Purpose::Token) - 1
}

fn access_token(outcome: &Outcome) -> String {
    outcome.forwarded().header("authorization").to_owned()
}

#[test]
fn a_day_of_a_session_needs_one_login() {
    let world = world();
    let browser = logged_in(&world);
    for _ in 0..95 {
        world.pass(minutes(5));
        browser.go("/").forwarded();
    }
    assert_eq!(world.provider.redeemed(), 1);
    assert!(refreshes(&world) >= 90, "{}", refreshes(&world));
    world.pass(minutes(10));
    assert!(browser.go("/").location().starts_with("https://idp."));
}

#[test]
fn a_refresh_ahead_of_expiry_keeps_one_request_waiting_and_no_other() {
    let world = world();
    let browser = logged_in(&world);
    let before = access_token(&browser.go("/"));
    world.pass(seconds(290));
    let worker = world.worker.clone();
    let request = browser.navigation("/", Site::Typed);
    let first = worker.begin(request.clone());
    assert!(first.waits());
    // Done at its first step, with the token that is still good.
    let second = worker.begin(request.clone());
    let refreshing = worker.begin_jobs();
    let second = worker.outcome(&request, second);
    assert_eq!(access_token(&second), before);
    for refresh in refreshing {
        worker.carry_through(refresh);
    }
    let first = worker.finish(&request, first);
    assert_ne!(access_token(&first), before);
    assert_eq!(first.set_cookies().len(), 1, "the new session");
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_person_who_reads_for_a_while_after_a_refresh_goes_on() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(290));
    browser.go("/").forwarded();
    world.pass(seconds(90));
    browser.go("/").forwarded();
    assert!(browser.go("/").set_cookies().is_empty());
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn an_ended_session_stays_ended_while_its_token_would_last() {
    let world = World::with(|settings| {
        settings["session"]["refresh"] = json!({"leeway": "1h"});
    });
    let mut script = world.provider.script.borrow_mut();
    script.refreshes = true;
    script.token_response = vec![("expires_in", json!(7200))];
    drop(script);
    let browser = logged_in(&world);
    let body = br#"{"error":"invalid_grant"}"#.to_vec();
    world
        .provider
        .break_down(Purpose::Token, Answer::Body(403, body));
    for _ in 0..11 {
        world.pass(minutes(10));
        browser.fetch("/api");
    }
    for _ in 0..9 {
        assert_eq!(browser.fetch("/api").status(), 401);
        world.pass(seconds(20));
    }
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_userinfo_endpoint_that_cannot_be_had_keeps_the_claims_and_the_session() {
    for status in [500, 429, 302, 503] {
        let world = world();
        let browser = logged_in(&world);
        world
            .provider
            .break_down(Purpose::Userinfo, Answer::Status(status));
        world.pass(seconds(301));
        let userinfo = browser.go("/").forwarded().userinfo();
        assert_eq!(userinfo["name"], "Ada Lovelace", "{status}");
        assert_eq!(refreshes(&world), 1);
    }
}

#[test]
fn an_expired_session_waits_for_its_refresh() {
    let world = world();
    let browser = logged_in(&world);
    let before = access_token(&browser.go("/"));
    world.pass(seconds(301));
    let after = browser.go("/");
    assert_ne!(access_token(&after), before);
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn many_requests_on_two_workers_make_one_refresh() {
    let world = world();
    let browser = logged_in(&world);
    let other = world.another_worker();
    other.tick();
    world.pass(seconds(301));
    let requests: Vec<_> = (0..200)
        .map(|_| browser.navigation("/", Site::Typed))
        .collect();
    let running: Vec<_> = requests
        .iter()
        .enumerate()
        .map(|(index, request)| {
            let worker = if index % 2 == 0 {
                &world.worker
            } else {
                &other
            };
            worker.begin(request.clone())
        })
        .collect();
    assert!(running.iter().all(crate::worker::Running::waits));
    for (index, (request, running)) in requests.iter().zip(running).enumerate() {
        let worker = if index % 2 == 0 {
            &world.worker
        } else {
            &other
        };
        worker.finish(request, running).forwarded();
    }
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_late_request_with_the_old_cookie_gets_the_new_session() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(301));
    let late = browser.navigation("/", Site::Typed);
    let first = browser.go("/");
    world.pass(seconds(40));
    let outcome = world.worker.serve(late);
    assert_eq!(access_token(&outcome), access_token(&first));
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_slow_answer_does_not_bring_the_old_cookie_back() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(295));
    let request = browser.navigation("/slow", Site::Typed);
    let first = world.worker.begin(request.clone());
    let slow = world.worker.begin(request.clone());
    world.worker.tick();
    let first = world.worker.finish(&request, first);
    assert!(!first.set_cookies().is_empty());
    browser.keep(&first);
    let token = access_token(&browser.go("/"));
    let slow = world.worker.outcome(&request, slow);
    browser.keep(&slow);
    assert_eq!(access_token(&browser.go("/")), token);
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_refused_refresh_ends_the_session_after_one_more_look() {
    let (world, browser) = refused();
    let again = browser.go("/page?x=1");
    assert_eq!(again.location(), "https://app.example.com/page?x=1");
    assert!(
        browser
            .cookie_names(COOKIE)
            .iter()
            .any(|name| name == COOKIE)
    );
    let login = browser.go("/page?x=1");
    assert!(login.location().starts_with("https://idp."), "never a loop");
    assert!(
        !browser
            .cookie_names(COOKIE)
            .iter()
            .any(|name| name == COOKIE)
    );
    assert_eq!(browser.fetch("/api").status(), 401);
    assert_eq!(refreshes(&world), 1, "a refused token is not sent again");
    assert_eq!(world.land.counted("portero.failure.token_invalid_grant"), 1);
}

#[test]
fn a_program_of_an_ended_session_gets_401() {
    let (_world, browser) = refused();
    let outcome = browser.fetch("/api");
    assert_eq!(
        (outcome.status(), outcome.code().as_str()),
        (401, "login_required")
    );
    assert!(
        outcome.set_cookies().is_empty(),
        "the browser may hold a newer one by now"
    );
}

/// Two processes share no lease: the second finds its refresh token used, and the browser has the
/// new cookie when it comes back.
#[test]
fn a_refresh_that_another_process_won_is_found_in_the_browser() {
    let world = world();
    let browser = logged_in(&world);
    let elsewhere = world.another_process();
    elsewhere.tick();
    world.pass(seconds(301));
    let old = browser.navigation("/page", Site::Typed);
    browser.go("/page").forwarded();
    let outcome = elsewhere.serve(old);
    assert_eq!(outcome.location(), "https://app.example.com/page");
    browser.keep(&outcome);
    browser.moves_to(&elsewhere);
    browser.go("/page").forwarded();
}

#[test]
fn a_provider_that_is_down_ends_nothing_while_the_token_is_good() {
    for answer in [
        Answer::NotSent,
        Answer::CutOff,
        Answer::Status(503),
        Answer::Status(504),
        Answer::Status(500),
    ] {
        let world = world();
        let browser = logged_in(&world);
        world.provider.break_down(Purpose::Token, answer);
        world.pass(seconds(290));
        browser.go("/").forwarded();
        world.worker.tick();
        browser.go("/").forwarded();
        world.pass(seconds(20));
        let outcome = browser.go("/");
        assert!(outcome.status() >= 502, "{outcome:?}");
        assert!(
            browser
                .cookie_names(COOKIE)
                .iter()
                .any(|name| name == COOKIE)
        );
        world.provider.recover();
        world.pass(seconds(3));
        browser.go("/").forwarded();
    }
}

#[test]
fn a_client_that_goes_away_loses_no_rotated_token() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(301));
    let gone = world.worker.begin(browser.navigation("/", Site::Typed));
    assert!(gone.waits());
    drop(gone);
    world.worker.tick();
    browser.go("/").forwarded();
    assert_eq!(refreshes(&world), 1);
}

#[test]
fn a_provider_that_is_cut_off_in_the_middle_is_asked_again() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(301));
    let request = browser.navigation("/", Site::Typed);
    let waiting = world.worker.begin(request.clone());
    for mut refresh in world.worker.begin_jobs() {
        assert!(refresh.call().is_some());
        refresh.resume(Err(CallFailure::NoAnswer));
    }
    let outcome = world.worker.finish(&request, waiting);
    assert_eq!(outcome.code(), "token_unreachable");
    world.pass(seconds(3));
    browser.go("/").forwarded();
}

#[test]
fn claims_follow_the_provider() {
    let world = world();
    let browser = logged_in(&world);
    assert_eq!(
        browser.go("/").forwarded().userinfo()["name"],
        "Ada Lovelace"
    );
    world.provider.script.borrow_mut().userinfo =
        json!({"sub": crate::provider::SUBJECT, "name": "Ada King"});
    world.pass(seconds(301));
    let userinfo = browser.go("/").forwarded().userinfo();
    assert_eq!(userinfo["name"], "Ada King");
    assert_eq!(
        userinfo.get("email"),
        None,
        "what the provider no longer says is gone"
    );
}

#[test]
fn a_userinfo_endpoint_that_refuses_ends_the_session() {
    let world = world();
    let browser = logged_in(&world);
    world
        .provider
        .break_down(Purpose::Userinfo, Answer::Status(401));
    world.pass(seconds(301));
    assert_eq!(browser.fetch("/api").status(), 401);
}

#[test]
fn a_refreshed_token_of_another_login_is_refused() {
    is_refused(
        |token| token.claims["nonce"] = json!("another"),
        "id_token_nonce_mismatch",
    );
    is_refused(
        |token| token.claims["aud"] = json!("another"),
        "id_token_audience_mismatch",
    );
}

#[test]
fn a_refreshed_token_may_come_without_nonce_or_not_at_all() {
    let world = world();
    let browser = logged_in(&world);
    world.provider.tamper(|token| {
        token.claims.remove("nonce");
    });
    world.pass(seconds(301));
    browser.go("/").forwarded();
    world
        .provider
        .script
        .borrow_mut()
        .token_response
        .push(("id_token", json!(null)));
    world.pass(seconds(301));
    browser.go("/").forwarded();
    assert_eq!(refreshes(&world), 2);
}

#[test]
fn a_session_is_not_refreshed_where_that_is_switched_off() {
    let world = World::with(|settings| {
        settings["session"]["refresh"] = json!({"enabled": false});
    });
    world.provider.script.borrow_mut().refreshes = true;
    let browser = logged_in(&world);
    world.pass(minutes(59));
    browser.go("/").forwarded();
    world.pass(minutes(59));
    browser.go("/").forwarded();
    assert_eq!(refreshes(&world), 0);
}

/// Shared data is never deleted; what is of no use any more is written over.
#[test]
fn a_process_does_not_keep_a_refreshed_session_for_ever() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(minutes(5));
    browser.go("/").forwarded();
    assert_eq!(world.land.counted("portero.refresh.succeeded"), 1);
    let shared = &world.worker.shared;
    let sizes = || {
        let slots = shared.slots().into_iter();
        let refreshes = slots.filter(|slot| slot.contains("/refresh/"));
        let sizes = refreshes.map(|slot| shared.get(&slot).unwrap().0.len());
        sizes.collect::<Vec<_>>()
    };
    assert!(sizes()[0] > 200, "{:?}", sizes());
    for _ in 0..600 {
        world.pass(seconds(1));
        world.worker.tick();
    }
    assert_eq!(sizes().len(), 1);
    assert!(sizes()[0] < 100, "{:?}", sizes());
}
