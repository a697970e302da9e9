//! A logout gives the session's tokens back to the provider (RFC 7009).

use portero::flow::CallFailure;
use portero::telemetry::{Callee, Purpose};
use serde_json::json;

use crate::browser::Browser;
use crate::cookies::Site;
use crate::provider::{Answer, CLIENT_ID, CLIENT_SECRET, Registration};
use crate::world::{World, seconds};

const LOGOUT: &str = "/oauth2/logout";
const LANDING: &str = "/oauth2/logged-out";

/// A provider that gives refresh tokens, and a session that holds an access token, too.
fn world() -> World {
    world_with(|_| ())
}

fn world_with(change: impl FnOnce(&mut serde_json::Value)) -> World {
    let world = World::with(|settings| {
        settings["upstream"] = json!({"headers": {"authorization": {"access_token": "bearer"}}});
        change(settings);
    });
    world.provider.script.borrow_mut().refreshes = true;
    world
}

fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

fn kinds(world: &World) -> Vec<String> {
    let asked = world.provider.asked_to_revoke();
    asked.into_iter().map(|(kind, _)| kind).collect()
}

/// The logout as it is whatever becomes of the tokens.
#[track_caller]
fn logs_out(world: &World, browser: &Browser, row: &str) {
    let end = browser.go(LOGOUT);
    assert_eq!(end.status(), 303, "{row}");
    let provider = "https://idp.example.com/logout?";
    assert!(end.location().starts_with(provider), "{row}: {end:?}");
    assert_eq!(browser.cookie_names(""), ["__Host-portero-logout"], "{row}");
    assert_eq!(world.land.counted("portero.logout.succeeded"), 1, "{row}");
    assert!(world.land.failures().is_empty(), "{row}");
}

#[test]
fn a_logout_revokes_the_refresh_token_and_then_the_access_token() {
    let world = world();
    let browser = logged_in(&world);
    let (refresh, access) = world.provider.good_tokens();
    assert_eq!((refresh.len(), access.len()), (1, 1));
    logs_out(&world, &browser, "");
    assert_eq!(
        world.provider.asked_to_revoke(),
        [
            ("refresh_token".to_owned(), refresh[0].clone()),
            ("access_token".to_owned(), access[0].clone()),
        ]
    );
    assert_eq!(world.provider.good_tokens(), (Vec::new(), Vec::new()));
    let counted = |end: &str| {
        let name = format!("portero.provider.revocation.{end}");
        world.land.counted(&name)
    };
    assert_eq!((counted("succeeded"), counted("failed")), (2, 0));
    assert_eq!(counted("milliseconds"), 2);
    assert!(world.land.lines("revocation_failed").is_empty());
}

#[test]
fn a_copied_cookie_lasts_no_longer_than_its_access_token() {
    let world = world();
    world.provider.script.borrow_mut().token_response = vec![("expires_in", json!(300))];
    let browser = logged_in(&world);
    let thief = world.browser();
    *thief.cookies.borrow_mut() = browser.cookies.borrow().clone();
    logs_out(&world, &browser, "");
    world.pass(seconds(301));
    assert_eq!(thief.fetch("/").code(), "login_required");
}

#[test]
fn only_the_tokens_that_a_session_holds_are_revoked() {
    for (forwards, refreshes, expected) in [
        (true, true, &["refresh_token", "access_token"][..]),
        (true, false, &["access_token"]),
        (false, true, &["refresh_token"]),
        (false, false, &[]),
    ] {
        let world = world_with(|settings| {
            if !forwards {
                settings["upstream"] = json!({});
            }
        });
        world.provider.script.borrow_mut().refreshes = refreshes;
        let browser = logged_in(&world);
        logs_out(&world, &browser, "");
        assert_eq!(kinds(&world), expected, "{forwards} {refreshes}");
    }
}

#[test]
fn the_client_authenticates_as_at_the_token_endpoint() {
    let secret = format!("{CLIENT_SECRET}, as long as a hash");
    for method in [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "none",
    ] {
        let world = world_with(|settings| {
            settings["providers"]["corp"]["client"]["authentication"] = match method {
                "none" => json!({"none": {}}),
                _ => json!({method: {"secret": secret}}),
            };
        });
        world.land.keep_secret(&secret);
        *world.provider.client.borrow_mut() = Registration {
            id: CLIENT_ID.to_owned(),
            secret: secret.clone(),
            method,
        };
        let browser = logged_in(&world);
        logs_out(&world, &browser, method);
        // The provider takes no token from a client that it does not know.
        let left = world.provider.good_tokens();
        assert_eq!(left, (Vec::new(), Vec::new()), "{method}");
    }
}

#[test]
fn a_client_that_the_provider_does_not_know_any_more_logs_out_all_the_same() {
    let world = world();
    let browser = logged_in(&world);
    world.provider.client.borrow_mut().secret = "another secret".to_owned();
    logs_out(&world, &browser, "");
    let line = "revocation_failed token=refresh_token cause=invalid_client";
    assert_eq!(world.land.lines(line).len(), 1);
}

#[test]
fn every_status_but_200_is_a_failure_and_none_changes_the_logout() {
    for status in (100..600).filter(|status| *status != 200) {
        let world = world();
        let browser = logged_in(&world);
        let answer = Answer::Body(status, br#"{"error": "x"}"#.to_vec());
        world.provider.break_down(Purpose::Revocation, answer);
        logs_out(&world, &browser, &status.to_string());
        let failed = world.land.counted("portero.provider.revocation.failed");
        assert_eq!(failed, 2, "{status}");
        assert_eq!(world.land.lines("revocation_failed ").len(), 2, "{status}");
    }
}

#[test]
fn the_answer_waits_for_one_call_after_the_other_each_within_the_time_limit() {
    let world = world_with(|settings| {
        settings["providers"]["corp"]["timeout"] = json!("3s");
    });
    let browser = logged_in(&world);
    let request = browser.navigation(LOGOUT, Site::SameOrigin);
    let waiting = world.worker.begin(request.clone());
    assert!(waiting.waits());
    let mut running = world.worker.begin_jobs().remove(0);
    for kind in ["refresh_token", "access_token"] {
        let call = running.call().unwrap();
        assert_eq!(call.callee, Callee::Provider(Purpose::Revocation));
        assert_eq!(call.timeout, seconds(3));
        let form = String::from_utf8(call.body.clone()).unwrap();
        assert!(form.ends_with(&format!("&token_type_hint={kind}")));
        running.resume(Err(CallFailure::NoAnswer));
    }
    let end = world.worker.finish(&request, waiting);
    assert!(
        end.location()
            .starts_with("https://idp.example.com/logout?")
    );
    assert_eq!(world.land.lines("cause=unreachable").len(), 2);
}

/// A page of the same browser has had the session refreshed, and the logout still comes with the
/// cookie from before.
#[test]
fn the_latest_tokens_are_revoked_whatever_cookie_asks() {
    for refreshes in 0..4 {
        let world = world();
        world.provider.script.borrow_mut().token_response = vec![("expires_in", json!(10))];
        let browser = logged_in(&world);
        let other = world.another_worker();
        other.tick();
        let late = browser.navigation(LOGOUT, Site::SameOrigin);
        for _ in 0..refreshes {
            world.pass(seconds(11));
            browser.go("/").forwarded();
        }
        let (good, access) = world.provider.good_tokens();
        assert_eq!((good.len(), access.len()), (1, 1 + refreshes));
        let end = other.serve(late);
        assert!(end.location().starts_with("https://idp."), "{refreshes}");
        let latest = access.last().unwrap().clone();
        assert_eq!(
            world.provider.asked_to_revoke(),
            [
                ("refresh_token".to_owned(), good[0].clone()),
                ("access_token".to_owned(), latest),
            ],
            "{refreshes}"
        );
    }
}

#[test]
fn an_endpoint_written_by_hand_is_called_instead_of_the_discovered_one() {
    for discovered in [json!(null), json!("https://idp.example.com/elsewhere")] {
        let world = world_with(|settings| {
            settings["providers"]["corp"]["endpoints"] =
                json!({"revocation": "https://idp.example.com/revoke"});
        });
        world.provider.script.borrow_mut().metadata = vec![("revocation_endpoint", discovered)];
        let browser = logged_in(&world);
        // The provider looks at the path.
        logs_out(&world, &browser, "");
        assert_eq!(kinds(&world), ["refresh_token", "access_token"]);
    }
}

#[test]
fn a_provider_without_the_endpoint_is_not_asked_and_nothing_is_said() {
    let world = world();
    world.provider.script.borrow_mut().metadata = vec![("revocation_endpoint", json!(null))];
    let browser = logged_in(&world);
    logs_out(&world, &browser, "");
    assert!(kinds(&world).is_empty());
    assert!(world.land.lines("revocation_failed").is_empty());
}

#[test]
fn where_nobody_is_logged_out_nothing_is_revoked() {
    let world = world();
    world.worker.tick();
    let stranger = world.browser();
    assert_eq!(stranger.target_of(stranger.go(LOGOUT).location()), LANDING);
    let browser = logged_in(&world);
    browser.come_from_elsewhere(LOGOUT);
    browser.post(LOGOUT, Site::Cross);
    browser.go(LANDING);
    browser.go("/").forwarded();
    assert!(kinds(&world).is_empty());
    // A second logout has nothing left to revoke.
    browser.go(LOGOUT).location();
    browser.go(LOGOUT).location();
    assert_eq!(kinds(&world), ["refresh_token", "access_token"]);
}

#[test]
fn a_provider_that_is_not_known_keeps_no_logout_waiting() {
    let world = world();
    let browser = logged_in(&world);
    world.provider.go_down();
    let elsewhere = world.another_process();
    let request = browser.navigation(LOGOUT, Site::SameOrigin);
    let began = world.land.now();
    let end = elsewhere.serve(request);
    assert!(world.land.now().since(began) < seconds(1));
    browser.keep(&end);
    assert_eq!(browser.target_of(end.location()), LANDING);
    assert!(browser.cookie_names("").is_empty());
    assert!(kinds(&world).is_empty());
    for token in ["refresh_token", "access_token"] {
        let line = format!("revocation_failed token={token} cause=metadata_unknown");
        assert_eq!(world.land.lines(&line).len(), 1);
    }
}
