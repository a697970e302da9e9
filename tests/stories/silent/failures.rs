//! Renewals that fail cost nothing: the session goes on.

use portero::telemetry::Purpose;
use serde_json::json;

use super::{COOKIE, logged_in, prompts, with};
use crate::browser::Browser;
use crate::faults::ROWS;
use crate::provider::Answer;
use crate::world::{World, minutes, seconds};

/// The person gets the page they asked for, and the operator is told.
#[track_caller]
fn is_not_renewed_and_goes_on(world: &World, browser: &Browser, code: &str) {
    let line = format!("silent_renewal_failed code={code} ");
    let metric = format!("portero.failure.{code}");
    let before = (world.land.lines(&line).len(), world.land.counted(&metric));
    let (target, outcome) = browser.browse("/page");
    assert_eq!(target, "/page");
    outcome.forwarded();
    assert_eq!(world.land.lines(&line).len(), before.0 + 1, "{line}");
    assert_eq!(world.land.counted(&metric), before.1 + 1, "{metric}");
    assert!(browser.cookie_names("__Host-portero-login-").is_empty());
}

#[test]
fn every_other_error_leaves_the_session_alone_for_a_while() {
    for error in [
        "server_error",
        "temporarily_unavailable",
        "invalid_request",
        "access_denied",
    ] {
        let world = with(|_| ());
        let browser = logged_in(&world);
        world.pass(minutes(10));
        world.provider.script.borrow_mut().denial = Some(error.to_owned());
        is_not_renewed_and_goes_on(&world, &browser, &format!("authorization_{error}"));
        for _ in 0..5 {
            browser.go("/page").forwarded();
            world.pass(seconds(10));
        }
        world.pass(seconds(11));
        is_not_renewed_and_goes_on(&world, &browser, &format!("authorization_{error}"));
        assert_eq!(prompts(&world), ["", "none", "none"]);
        world.pass(minutes(60));
        assert_eq!(browser.fetch("/api").code(), "login_required");
    }
}

#[test]
fn a_code_or_a_token_that_cannot_be_used_leaves_the_session() {
    for (purpose, answer, code) in [
        (
            Purpose::Token,
            Answer::refused("invalid_grant"),
            "token_invalid_grant",
        ),
        (Purpose::Token, Answer::Status(503), "token_unreachable"),
        (Purpose::Userinfo, Answer::Status(500), "userinfo_refused"),
    ] {
        let world = with(|_| ());
        let browser = logged_in(&world);
        world.pass(minutes(10));
        world.provider.break_down(purpose, answer);
        is_not_renewed_and_goes_on(&world, &browser, code);
        browser.go("/page").forwarded();
        assert_eq!(prompts(&world), ["", "none"]);
    }
}

#[test]
fn a_token_that_proves_nothing_leaves_the_session() {
    let world = with(|_| ());
    let browser = logged_in(&world);
    world.pass(minutes(10));
    world
        .provider
        .tamper(|token| token.claims["aud"] = json!("x"));
    is_not_renewed_and_goes_on(&world, &browser, "id_token_audience_mismatch");
}

/// The callback reaches an Envoy that has just started and cannot reach the provider.
#[test]
fn a_provider_that_is_lost_on_the_way_leaves_the_session() {
    let world = with(|_| ());
    let browser = logged_in(&world);
    world.pass(minutes(10));
    let start = browser.go("/page");
    let callback = browser.back_from_provider(start.location());
    world.provider.go_down();
    browser.moves_to(&world.another_process());
    let (target, outcome) = browser.browse(&callback);
    assert_eq!(target, "/page");
    outcome.forwarded();
    let line = "silent_renewal_failed code=provider_unavailable ";
    assert_eq!(world.land.lines(line).len(), 1);
}

#[test]
fn a_renewal_that_fails_after_the_session_is_over_is_an_error() {
    let world = with(|_| ());
    let browser = logged_in(&world);
    world.pass(minutes(10));
    world.provider.script.borrow_mut().denial = Some("server_error".to_owned());
    let start = browser.go("/page");
    let callback = browser.back_from_provider(start.location());
    let is_session = |name: &str| name == COOKIE;
    let mut cookies = browser.cookies.borrow_mut();
    cookies.tamper().retain(|cookie| !is_session(&cookie.name));
    drop(cookies);
    let outcome = browser.come_from_elsewhere(&callback);
    assert_eq!(outcome.code(), "authorization_server_error");
    assert!(world.land.lines("silent_renewal_failed").is_empty());
}

/// Each attempt takes longer than the pause between two.
#[test]
fn a_provider_that_fails_slowly_makes_no_loop() {
    let world = with(|_| ());
    let browser = logged_in(&world);
    world.pass(minutes(10));
    world.provider.script.borrow_mut().denial = Some("server_error".to_owned());
    let start = browser.go("/page");
    let callback = browser.back_from_provider(start.location());
    world.pass(seconds(90));
    let (target, outcome) = browser.browse(&callback);
    assert_eq!(target, "/page");
    outcome.forwarded();
    assert_eq!(prompts(&world), ["", "none"]);
}

/// Whose session it was cannot be read, so the new one lasts no longer than that would have.
#[test]
fn a_store_that_is_down_keeps_no_renewal_from_its_end() {
    let world = World::with_store(|settings| {
        settings["session"]["prompt_none_renewal"] = json!(true);
        settings["session"]["store"]["when_unavailable"] = json!("use_cookies");
    });
    let mut script = world.provider.script.borrow_mut();
    script.tells_authentication = true;
    script.token_response = vec![("expires_in", json!(300))];
    drop(script);
    let browser = logged_in(&world);
    let began = world.land.now();
    world.pass(minutes(10));
    let start = browser.go("/page");
    let callback = browser.back_from_provider(start.location());
    for command in ["MGET", "SET", "DEL", "EXPIRE"] {
        world.redis.break_down(command, Answer::Status(503));
    }
    let fresh = world.another_process();
    fresh.tick();
    browser.moves_to(&fresh);
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!(end.location(), "https://app.example.com/page");
    browser.go("/page").forwarded();
    while world.land.now().since(began) < minutes(8 * 60) {
        browser.fetch("/api").forwarded();
        world.pass(minutes(5));
    }
    assert_eq!(browser.fetch("/api").code(), "login_required");
}

#[test]
fn a_renewal_that_shows_less_than_the_session_leaves_the_session() {
    for claim in ["auth_time", "acr"] {
        let world = with(|settings| {
            settings["rules"] = json!([
                {"authentication": {"max_age": "30m", "acr_values": ["gold"]}},
            ]);
        });
        let browser = logged_in(&world);
        world.pass(minutes(10));
        world.provider.tamper(move |token| {
            token.claims.remove(claim);
        });
        is_not_renewed_and_goes_on(&world, &browser, "id_token_claim_missing");
        assert_eq!(prompts(&world), ["", "none"]);
    }
}

#[test]
fn a_session_survives_every_fault_of_its_renewal() {
    for purpose in [Purpose::Token, Purpose::Userinfo] {
        for row in &ROWS {
            let world = with(|_| ());
            let browser = logged_in(&world);
            world.pass(minutes(10));
            world.provider.break_down(purpose, (row.answer)(purpose));
            let (_, fault) = row.call;
            let fault = match (purpose, row.name) {
                (Purpose::Userinfo, "401") => "invalid_token",
                _ => fault,
            };
            let code = format!("{}_{fault}", purpose.name());
            is_not_renewed_and_goes_on(&world, &browser, &code);
            assert_eq!(world.land.failures(), [(code, 1)].into(), "{}", row.name);
            world.provider.recover();
            world.pass(seconds(61));
            browser.browse("/").1.forwarded();
            assert_eq!(prompts(&world), ["", "none", "none"]);
        }
    }
}
