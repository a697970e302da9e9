//! What the upstream knows of a person follows the provider, as often as somebody asks for it.

use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::provider::{Answer, SUBJECT};
use crate::world::{World, minutes, seconds};

const COOKIE: &str = "__Host-portero";

/// Claims are read again every ten minutes; access tokens last an hour.
fn world() -> World {
    World::with(|settings| settings["session"]["reread_claims"] = json!("10m"))
}

fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

/// How many userinfo calls came after the login's.
fn readings(world: &World) -> usize {
    world.provider.called(Purpose::Userinfo) - 1
}

fn says(world: &World, userinfo: Value) {
    world.provider.script.borrow_mut().userinfo = userinfo;
}

#[test]
fn claims_follow_the_provider_without_a_refresh_token() {
    let world = world();
    let claims = json!({"department": "wood", "role": "old"});
    world.provider.script.borrow_mut().claims = claims.as_object().unwrap().clone();
    says(
        &world,
        json!({"sub": SUBJECT, "name": "Ada", "groups": ["a"], "role": "x"}),
    );
    let browser = logged_in(&world);
    let first = browser.go("/").forwarded().userinfo();
    assert_eq!(
        (&first["groups"], &first["role"]),
        (&json!(["a"]), &json!("x"))
    );
    says(&world, json!({"sub": SUBJECT, "name": "Ada King"}));
    world.pass(minutes(7));
    browser.go("/").forwarded();
    assert_eq!(readings(&world), 0, "not before three quarters of the time");
    world.pass(minutes(3));
    let userinfo = browser.go("/").forwarded().userinfo();
    assert_eq!(
        userinfo,
        json!({"sub": SUBJECT, "name": "Ada King", "department": "wood"}),
        "what userinfo gave and gives no longer is gone, and what the ID token gave stays"
    );
    assert_eq!(readings(&world), 1);
    assert_eq!(browser.go("/").forwarded().userinfo(), userinfo);
    assert_eq!(readings(&world), 1);
    assert_eq!(world.provider.called(Purpose::Token), 1);
    says(&world, json!({"sub": SUBJECT, "groups": ["b"]}));
    world.pass(minutes(10));
    let userinfo = browser.go("/").forwarded().userinfo();
    assert_eq!(userinfo["groups"], json!(["b"]));
    assert_eq!(userinfo.get("name"), None);
}

#[test]
fn the_token_that_is_kept_for_it_is_not_forwarded() {
    let world = world();
    let browser = logged_in(&world);
    let request = browser.go("/");
    let (_, tokens) = world.provider.good_tokens();
    for (name, value) in &request.forwarded().headers {
        let value = String::from_utf8_lossy(value);
        assert!(!value.contains(&tokens[0]), "{name}");
    }
    assert!(!request.forwarded().has("authorization"));
}

#[test]
fn the_token_that_is_kept_for_it_is_revoked_at_the_logout() {
    let world = world();
    let browser = logged_in(&world);
    browser.go("/oauth2/logout").location();
    let revoked = world.provider.asked_to_revoke();
    let kinds: Vec<&str> = revoked.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["access_token"]);
}

#[test]
fn many_requests_on_two_workers_read_once() {
    let world = world();
    let browser = logged_in(&world);
    let other = world.another_worker();
    other.tick();
    world.pass(minutes(11));
    let request = browser.navigation("/", crate::cookies::Site::Typed);
    let first = world.worker.begin(request.clone());
    assert!(first.waits(), "its answer brings the new cookie");
    for worker in [&world.worker, &other] {
        for _ in 0..20 {
            let running = worker.begin(request.clone());
            assert!(!running.waits());
            worker.outcome(&request, running).forwarded();
        }
    }
    let first = world.worker.finish(&request, first);
    assert_eq!(first.set_cookies().len(), 1);
    assert_eq!(readings(&world), 1);
}

/// For programs and people, and never in a loop.
#[test]
fn a_userinfo_endpoint_that_refuses_the_token_ends_the_session() {
    for status in [401, 403] {
        let world = world();
        let browser = logged_in(&world);
        let answer = Answer::Status(status);
        world.provider.break_down(Purpose::Userinfo, answer);
        world.pass(minutes(11));
        assert_eq!(browser.fetch("/api").code(), "login_required");
        assert_eq!(browser.fetch("/api").code(), "login_required");
        // Once more, in case another process has read first; then the login.
        assert_eq!(browser.go("/x").location(), "https://app.example.com/x");
        assert!(browser.go("/x").location().starts_with("https://idp."));
        assert!(!browser.cookie_names(COOKIE).contains(&COOKIE.to_owned()));
        assert_eq!(readings(&world), 1);
        let counted = world.land.counted("portero.failure.userinfo_invalid_token");
        assert_eq!(counted, 1);
    }
}

#[test]
fn userinfo_about_somebody_else_ends_the_session() {
    let world = world();
    let browser = logged_in(&world);
    says(&world, json!({"sub": "somebody-else"}));
    world.pass(minutes(11));
    assert_eq!(browser.fetch("/api").code(), "login_required");
    let counted = world
        .land
        .counted("portero.failure.userinfo_subject_mismatch");
    assert_eq!(counted, 1);
}

/// An end is remembered for two hours, and then the provider says it again.
#[test]
fn an_ended_session_stays_ended_while_its_token_would_last() {
    let world = world();
    world.provider.script.borrow_mut().token_response = vec![("expires_in", json!(7 * 3600))];
    let browser = logged_in(&world);
    world
        .provider
        .break_down(Purpose::Userinfo, Answer::Status(401));
    world.pass(minutes(11));
    for _ in 0..50 {
        assert_eq!(browser.fetch("/api").code(), "login_required");
        world.pass(minutes(1));
    }
    assert_eq!(readings(&world), 1);
}

#[test]
fn a_provider_that_is_down_ends_nothing_until_the_access_token_ends() {
    let world = world();
    let browser = logged_in(&world);
    world.provider.go_down();
    for _ in 0..59 {
        browser.go("/").forwarded();
        world.pass(minutes(1));
    }
    let tried = readings(&world);
    assert!((10..=51).contains(&tried), "{tried}");
    world.pass(seconds(61));
    assert!(browser.fetch("/api").code() == "login_required");
    world.provider.recover();
    let (_, outcome) = browser.browse("/");
    outcome.forwarded();
}

#[test]
fn a_token_of_unknown_life_ends_no_session() {
    let world = world();
    world.provider.script.borrow_mut().token_response = vec![("expires_in", Value::Null)];
    let browser = logged_in(&world);
    for _ in 0..47 {
        world.pass(minutes(10));
        browser.go("/").forwarded();
    }
    assert!(readings(&world) >= 40);
    assert_eq!(world.provider.redeemed(), 1);
}

#[test]
fn a_session_with_a_refresh_token_is_refreshed_as_often() {
    let world = world();
    world.provider.script.borrow_mut().refreshes = true;
    let browser = logged_in(&world);
    says(&world, json!({"sub": SUBJECT, "name": "Ada King"}));
    world.pass(minutes(10));
    let userinfo = browser.go("/").forwarded().userinfo();
    assert_eq!(userinfo["name"], "Ada King");
    assert_eq!(world.provider.called(Purpose::Token), 2);
    world
        .provider
        .break_down(Purpose::Token, Answer::refused("invalid_grant"));
    world.pass(minutes(10));
    assert_eq!(browser.fetch("/api").code(), "login_required");
}

#[test]
fn claims_are_not_read_again_where_nobody_asks_for_it() {
    let world = World::new();
    let browser = logged_in(&world);
    for _ in 0..7 {
        world.pass(minutes(50));
        browser.go("/").forwarded();
    }
    assert_eq!(readings(&world), 0);
    assert!(world.land.lines("claims_not_reread").is_empty());
}

#[test]
fn a_provider_that_has_nothing_to_read_again_is_told_in_the_log() {
    for change in [
        |world: &World| {
            let none = ("userinfo_endpoint", Value::Null);
            world.provider.script.borrow_mut().metadata = vec![none];
        },
        |world: &World| world.provider.script.borrow_mut().refreshes = true,
    ] {
        let world = World::with(|settings| {
            settings["session"]["reread_claims"] = json!("10m");
            settings["session"]["refresh"] = json!({"enabled": false});
        });
        change(&world);
        let has_userinfo = world.provider.script.borrow().metadata.is_empty();
        let browser = logged_in(&world);
        let lines = world.land.lines("claims_not_reread cause=").len();
        assert_eq!(lines, usize::from(!has_userinfo));
        world.pass(minutes(11));
        browser.go("/").forwarded();
        let read = world.provider.called(Purpose::Userinfo);
        assert_eq!(read, if has_userinfo { 2 } else { 0 });
    }
}

/// Metadata are older or newer than the session.
#[test]
fn an_endpoint_that_has_gone_leaves_the_claims() {
    let world = world();
    let browser = logged_in(&world);
    let none = ("userinfo_endpoint", Value::Null);
    world.provider.script.borrow_mut().metadata = vec![none];
    let elsewhere = world.another_process();
    elsewhere.tick();
    browser.moves_to(&elsewhere);
    world.pass(minutes(11));
    let userinfo = browser.go("/").forwarded().userinfo();
    assert_eq!(userinfo["name"], "Ada Lovelace");
    assert_eq!(readings(&world), 0);
}
