//! Rules that ask for more than a session: a recent authentication, or one of a certain class.

use portero::telemetry::Purpose;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::browser::{Browser, parameter};
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::Answer;
use crate::world::{World, minutes, seconds};

const CODE: &str = "insufficient_user_authentication";

/// `/pay` asks for an authentication of the last five minutes, `/admin` for the class gold.
pub fn world() -> World {
    with_rules(json!([
        {"match": {"path": {"prefix": "/pay"}}, "authentication": {"max_age": "5m"}},
        {"match": {"path": {"prefix": "/admin"}}, "authentication": {"acr_values": ["gold", "platinum"]}},
    ]))
}

fn with_rules(rules: Value) -> World {
    let world = World::with(|settings| settings["rules"] = rules);
    world.provider.script.borrow_mut().tells_authentication = true;
    world
}

fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

/// How often browsers were sent to the provider.
fn logins(world: &World) -> usize {
    world.provider.authorizations.borrow().len()
}

fn session_cookie(browser: &Browser) -> String {
    let cookies = browser.cookies.borrow();
    let mut all = cookies.all().iter();
    all.find(|cookie| cookie.name == "__Host-portero")
        .unwrap()
        .value
        .clone()
}

#[test]
fn a_person_who_authenticated_long_ago_does_so_again() {
    let world = world();
    let browser = logged_in(&world);
    // Where nobody asks for it the provider does not tell when somebody authenticated; ours does.
    browser.go("/pay").forwarded();
    world.pass(minutes(5) + seconds(60 + 11));
    let old = session_cookie(&browser);
    let start = browser.go("/pay?amount=5");
    assert_eq!(parameter(start.location(), "max_age"), "300");
    let (target, outcome) = browser.browse("/pay?amount=5");
    assert_eq!(target, "/pay?amount=5");
    outcome.forwarded();
    assert_ne!(session_cookie(&browser), old, "a new session");
    browser.go("/pay").forwarded();
    assert_eq!(logins(&world), 2);
}

#[test]
fn a_person_of_the_wrong_class_authenticates_by_the_right_one() {
    let world = world();
    let browser = logged_in(&world);
    let (target, outcome) = browser.browse("/admin/users");
    assert_eq!(target, "/admin/users");
    outcome.forwarded();
    let last = world.provider.authorizations.borrow().last().cloned();
    let last = format!("/?{}", last.unwrap());
    assert_eq!(parameter(&last, "acr_values"), "gold platinum");
    assert_eq!(logins(&world), 2);
    browser.go("/admin").forwarded();
    browser.go("/").forwarded();
}

#[test]
fn somebody_without_a_session_logs_in_as_the_rule_demands_at_once() {
    let world = world();
    let browser = world.browser();
    let (target, outcome) = browser.browse("/admin");
    assert_eq!(target, "/admin");
    outcome.forwarded();
    assert_eq!(logins(&world), 1);
}

#[test]
fn a_session_that_does_not_tell_when_the_person_authenticated_is_not_enough() {
    let world = world();
    world.provider.script.borrow_mut().tells_authentication = false;
    let browser = logged_in(&world);
    assert_eq!(browser.fetch("/pay").code(), CODE);
    assert_eq!(browser.fetch("/admin").code(), CODE);
    browser.fetch("/").forwarded();
}

#[test]
fn a_program_is_told_what_it_takes() {
    let world = world();
    let browser = logged_in(&world);
    let outcome = browser.fetch("/admin");
    assert_eq!((outcome.status(), outcome.code().as_str()), (401, CODE));
    let challenge = outcome.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer error=\"insufficient_user_authentication\", error_"));
    assert!(challenge.ends_with("\", acr_values=\"gold platinum\""));
    assert!(outcome.set_cookies().is_empty());
    world.pass(minutes(10));
    let challenge = browser.fetch("/pay");
    let challenge = challenge.header("www-authenticate").unwrap();
    assert!(challenge.ends_with("\", max_age=\"300\""), "{challenge}");
    assert_eq!(world.land.counted(&format!("portero.failure.{CODE}")), 2);
    browser.fetch("/").forwarded();
    // Without a session there is nothing to step up from.
    let outcome = world.browser().fetch("/admin");
    assert_eq!(outcome.code(), "login_required");
    assert_eq!(outcome.header("www-authenticate"), Some("Bearer"));
}

#[test]
fn a_form_is_not_redirected_and_its_person_gets_a_way_to_sign_in() {
    let world = world();
    let browser = logged_in(&world);
    let outcome = browser.post("/admin", Site::SameOrigin);
    assert_eq!((outcome.status(), outcome.code().as_str()), (401, CODE));
    assert!(outcome.answered().body.contains("href=\"/admin\""));
    assert!(outcome.header("www-authenticate").unwrap().contains("gold"));
}

/// A login that does not prove what it should is an error, told once; nothing is lost by it.
#[track_caller]
fn is_refused_and_the_session_stays(world: &World, target: &str, code: &str) {
    let browser = logged_in(world);
    world.pass(minutes(10));
    let old = session_cookie(&browser);
    for attempt in 1..=2 {
        let (_, outcome) = browser.browse(target);
        assert_eq!((outcome.status(), outcome.code().as_str()), (502, code));
        assert_eq!(logins(world), 1 + attempt, "one attempt for each click");
    }
    assert_eq!(session_cookie(&browser), old);
    assert!(browser.cookie_names("__Host-portero-login-").is_empty());
    browser.go("/").forwarded();
}

#[test]
fn a_provider_that_does_not_authenticate_as_asked_is_refused() {
    let world = world();
    world
        .provider
        .tamper(|token| token.claims["acr"] = json!("bronze"));
    is_refused_and_the_session_stays(&world, "/admin", "id_token_acr_mismatch");

    let world = self::world();
    let long_ago = world.land.now().as_millis() / 1000;
    let keep = move |token: &mut crate::provider::IdToken| {
        token.claims["auth_time"] = json!(long_ago);
    };
    world.provider.tamper(keep);
    is_refused_and_the_session_stays(&world, "/pay", "id_token_authentication_too_old");

    let world = self::world();
    world.provider.tamper(|token| {
        token.claims.remove("auth_time");
    });
    is_refused_and_the_session_stays(&world, "/pay", "id_token_claim_missing");
}

#[test]
fn a_provider_that_says_no_leaves_the_session() {
    let world = world();
    let browser = logged_in(&world);
    world.provider.script.borrow_mut().denial = Some("access_denied".to_owned());
    let (_, outcome) = browser.browse("/admin");
    assert_eq!(outcome.code(), "authorization_access_denied");
    browser.go("/").forwarded();
}

/// The old session is no reason to go on to where it is not enough.
#[test]
fn a_code_that_is_refused_does_not_send_the_person_in_circles() {
    let world = world();
    let browser = logged_in(&world);
    world
        .provider
        .break_down(Purpose::Token, Answer::refused("invalid_grant"));
    let (_, outcome) = browser.browse("/admin");
    assert_eq!(outcome.code(), "token_invalid_grant");
    assert_eq!(logins(&world), 2);
    browser.go("/").forwarded();
}

#[test]
fn a_double_click_at_the_end_of_a_step_up_ends_at_the_target() {
    let world = world();
    let browser = logged_in(&world);
    let start = browser.go("/admin");
    let callback = browser.back_from_provider(start.location());
    let twin = browser.navigation(&callback, Site::Cross);
    browser.come_from_elsewhere(&callback).location();
    // With the cookies from before the first click was answered.
    let second = world.worker.serve(twin);
    browser.keep(&second);
    let callback = browser.back_from_provider(second.location());
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!(end.location(), "https://app.example.com/admin");
    browser.go("/admin").forwarded();
    // With the cookies from after it.
    let late = browser.navigation(&callback, Site::Cross);
    let end = world.worker.serve(late);
    assert_eq!(end.location(), "https://app.example.com/");
}

#[test]
fn what_a_rule_demands_goes_before_what_the_provider_is_asked_of_all() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["authorization_params"] =
            json!({"acr_values": "bronze", "max_age": "3600"});
        settings["rules"] = json!([{
            "match": {"path": {"prefix": "/admin"}},
            "authentication": {"acr_values": ["gold"]},
        }]);
    });
    world.provider.script.borrow_mut().tells_authentication = true;
    let browser = logged_in(&world);
    let (_, outcome) = browser.browse("/admin");
    outcome.forwarded();
    // What is asked of all is asked at the login, and not of the session afterwards.
    world.pass(minutes(59));
    browser.go("/").forwarded();
    let asked = world.provider.authorizations.borrow();
    let asked: Vec<_> = asked
        .iter()
        .map(|query| {
            let query = format!("/?{query}");
            (
                parameter(&query, "acr_values"),
                parameter(&query, "max_age"),
            )
        })
        .collect();
    let pair = |acr: &str| (acr.to_owned(), "3600".to_owned());
    assert_eq!(asked, [pair("bronze"), pair("gold")]);
}

#[test]
fn a_step_up_does_not_wait_for_a_refresh() {
    let world = world();
    let mut script = world.provider.script.borrow_mut();
    script.refreshes = true;
    script.token_response = vec![("expires_in", json!(300))];
    drop(script);
    let browser = logged_in(&world);
    world.provider.go_down();
    world.pass(minutes(10));
    assert_eq!(browser.fetch("/pay").code(), CODE);
}

/// The token is judged before userinfo is asked, which takes its time.
#[test]
fn an_authentication_that_was_recent_enough_at_the_login_is_so_at_the_target() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["id_token"] = json!({"clock_skew": "0s"});
        settings["rules"] = json!([{"authentication": {"max_age": "3s"}}]);
    });
    world.provider.script.borrow_mut().tells_authentication = true;
    world.provider.latency.set(seconds(2));
    let browser = world.browser();
    let (_, outcome) = browser.browse("/");
    outcome.forwarded();
    assert_eq!(logins(&world), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a rule demands, whatever the session is, and whatever the provider says about the
    /// login: a click sends the person to the provider once at most, and gets an answer.
    #[test]
    fn no_demand_and_no_session_send_a_person_in_circles(
        max_age in prop::option::of(prop_oneof![0_u64..6, 0_u64..200]),
        classes in prop::collection::vec("gold|silver|bronze", 0..3),
        skew in 0_u64..2,
        waited in 0_u64..400,
        latency in 0_u64..4,
        honest in any::<bool>(),
        told_acr in prop::option::of("gold|silver|bronze"),
        told_age in prop::option::of(0_u64..200),
    ) {
        let mut demand = json!({});
        if let Some(age) = max_age {
            demand["max_age"] = json!(format!("{age}s"));
        }
        let mut distinct = classes;
        distinct.sort();
        distinct.dedup();
        if !distinct.is_empty() {
            demand["acr_values"] = json!(distinct);
        }
        let mut rule = json!({"match": {"path": {"prefix": "/x"}}});
        if demand != json!({}) {
            rule["authentication"] = demand;
        }
        let world = World::with(|settings| {
            settings["rules"] = json!([rule]);
            settings["providers"]["corp"]["id_token"] = json!({"clock_skew": format!("{skew}s")});
        });
        world.provider.script.borrow_mut().tells_authentication = true;
        world.provider.latency.set(seconds(latency));
        let browser = world.browser();
        browser.browse("/");
        world.pass(seconds(waited));
        let now = world.land.now().as_millis() / 1000;
        if !honest {
            world.provider.tamper(move |token| {
                token.claims.remove("acr");
                token.claims.remove("auth_time");
                if let Some(acr) = &told_acr {
                    token.claims.insert("acr".to_owned(), json!(acr));
                }
                if let Some(age) = told_age {
                    token.claims.insert("auth_time".to_owned(), json!(now - age));
                }
            });
        }
        for click in 1..=2 {
            let before = logins(&world);
            let (_, outcome) = browser.browse("/x");
            prop_assert!(logins(&world) <= before + 1, "click {click}");
            if let Outcome::Answered(response) = outcome {
                prop_assert_eq!(response.status, 502);
            }
        }
    }
}
