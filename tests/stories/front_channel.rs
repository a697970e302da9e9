//! The provider logs a browser out in a frame of its own logout page.

use portero::request::Request;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::browser::{Browser, HOST, request};
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::ISSUER;
use crate::world::{World, minutes};

const PATH: &str = "/oauth2/frontchannel-logout";
const SID: &str = "08a5019c-17e1-4977-8f42-65a12843ea02";
const MISMATCH: &str = "frontchannel_logout_mismatch";

/// A provider that names its sessions.
fn world() -> World {
    world_with(|_| ())
}

fn world_with(change: impl FnOnce(&mut serde_json::Value)) -> World {
    let world = World::with(change);
    world.land.keep_secret(SID);
    names_sessions(&world, SID);
    world
}

fn names_sessions(world: &World, sid: &str) {
    let mut script = world.provider.script.borrow_mut();
    script.claims.insert("sid".to_owned(), json!(sid));
}

fn names_none(world: &World) {
    world.provider.script.borrow_mut().claims.remove("sid");
}

fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

/// What the provider's page loads.
pub fn target(parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    format!("{PATH}?{}", query.finish())
}

fn named() -> String {
    target(&[("iss", ISSUER), ("sid", SID)])
}

pub fn frame(browser: &Browser, target: &str, site: Site, fetch_site: &str) -> Request {
    let headers = [
        ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-site", fetch_site),
    ];
    browser.request("GET", target, site, &headers)
}

/// A frame on a page of `idp.example.com`, which is of the same site as `app.example.com`.
pub fn framed(browser: &Browser, target: &str) -> Outcome {
    browser.send(frame(browser, target, Site::SameOrigin, "same-site"))
}

/// A frame on a page of another site.
fn framed_elsewhere(browser: &Browser, target: &str) -> Outcome {
    browser.send(frame(browser, target, Site::CrossFrame, "cross-site"))
}

#[track_caller]
pub fn is_answered(outcome: &Outcome) {
    assert_eq!(outcome.status(), 200);
    assert_eq!(outcome.header("cache-control"), Some("no-store"));
    assert_eq!(outcome.header("location"), None);
}

#[track_caller]
fn is_refused(outcome: &Outcome) {
    let answer = (outcome.status(), outcome.code());
    assert_eq!(answer, (400, MISMATCH.to_owned()));
    assert!(outcome.set_cookies().is_empty());
}

fn frame_ancestors(outcome: &Outcome) -> String {
    let policy = outcome.header("content-security-policy").unwrap();
    let mut directives = policy.split("; ");
    let found = directives.find_map(|directive| directive.strip_prefix("frame-ancestors "));
    found.unwrap().to_owned()
}

#[test]
fn the_provider_ends_the_session_it_names_here_and_nothing_elsewhere() {
    let world = world();
    world.provider.script.borrow_mut().refreshes = true;
    let browser = logged_in(&world);
    let calls = world.provider.calls.borrow().len();
    is_answered(&framed(&browser, &named()));
    // The hint too, which only the logout path sees.
    assert!(browser.cookie_names("").is_empty());
    assert!(!browser.is_logged_in());
    assert_eq!(world.provider.calls.borrow().len(), calls);
    assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
    let lines = world.land.lines("audit event=logout ");
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("channel=front"), "{lines:?}");
    assert!(world.land.failures().is_empty());
}

#[test]
fn a_copy_of_the_cookie_is_worth_nothing_either() {
    let world = world();
    let browser = logged_in(&world);
    let thief = world.browser();
    *thief.cookies.borrow_mut() = browser.cookies.borrow().clone();
    is_answered(&framed(&browser, &named()));
    assert!(!thief.is_logged_in());
}

#[test]
fn every_piece_of_a_large_session_goes() {
    let world = world();
    world.provider.script.borrow_mut().userinfo["groups"] = json!("x".repeat(6000));
    world.provider.tamper(|token| {
        let padding = json!("x".repeat(3500));
        token.claims.insert("padding".to_owned(), padding);
    });
    let browser = logged_in(&world);
    assert!(browser.cookie_names("__Host-portero.").len() > 1);
    assert_eq!(browser.cookie_names("__Secure-portero-hint").len(), 2);
    is_answered(&framed(&browser, &named()));
    assert!(browser.cookie_names("").is_empty());
}

#[test]
fn another_issuer_another_session_or_neither_ends_nothing() {
    let slash = format!("{ISSUER}/");
    let upper = ISSUER.to_uppercase();
    let iss = ("iss", ISSUER);
    let sid = ("sid", SID);
    for parameters in [
        &[][..],
        &[iss],
        &[sid],
        &[iss, ("sid", "")],
        &[iss, ("sid", "08a5019c")],
        &[iss, ("sid", "08A5019C-17E1-4977-8F42-65A12843EA02")],
        &[("iss", ""), sid],
        &[("iss", "https://idp.example.com"), sid],
        &[("iss", &slash), sid],
        &[("iss", &upper), sid],
        &[iss, iss, sid],
        &[iss, sid, sid],
        &[iss, sid, ("sid", "another")],
        &[("ISS", ISSUER), sid],
    ] {
        let world = world();
        let browser = logged_in(&world);
        is_refused(&framed(&browser, &target(parameters)));
        assert!(browser.is_logged_in(), "{parameters:?}");
        assert_eq!(world.land.counted("portero.logout.succeeded"), 0);
        assert_eq!(world.land.failures(), [(MISMATCH.to_owned(), 1)].into());
    }
}

#[test]
fn a_link_that_somebody_follows_ends_nothing() {
    let world = world();
    let browser = logged_in(&world);
    let calls = world.provider.calls.borrow().len();
    is_refused(&browser.come_from_elsewhere(&named()));
    for dest in [
        "document",
        "empty",
        "image",
        "embed",
        "",
        "iframe, document",
    ] {
        let headers = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", dest)];
        is_refused(&browser.send(browser.request("GET", &named(), Site::Cross, &headers)));
    }
    let twice = [("sec-fetch-dest", "iframe"), ("sec-fetch-dest", "document")];
    is_refused(&browser.send(browser.request("GET", &named(), Site::Cross, &twice)));
    assert!(browser.is_logged_in());
    assert_eq!(world.provider.calls.borrow().len(), calls);
    assert_eq!(world.land.counted("portero.logout.succeeded"), 0);
}

#[test]
fn a_frame_of_the_old_kind_and_a_browser_that_says_nothing_are_taken() {
    for headers in [
        &[("sec-fetch-dest", "frame")][..],
        &[("accept", "text/html")],
    ] {
        let world = world();
        let browser = logged_in(&world);
        is_answered(&browser.send(browser.request("GET", &named(), Site::SameOrigin, headers)));
        assert!(!browser.is_logged_in());
    }
}

fn without_iss() -> World {
    world_with(|settings| {
        let provider = &mut settings["providers"]["corp"];
        provider["insecure_frontchannel_logout_without_iss"] = json!(true);
    })
}

#[test]
fn where_the_configuration_allows_it_the_sid_of_the_session_is_enough() {
    let world = without_iss();
    let browser = logged_in(&world);
    is_answered(&framed(&browser, &target(&[("sid", SID)])));
    assert!(!browser.is_logged_in());
    // One that is gone already is a success here, too.
    is_answered(&framed(&browser, &target(&[("sid", SID)])));
    let browser = logged_in(&world);
    is_answered(&framed(&browser, &named()));
    assert!(!browser.is_logged_in());
}

#[test]
fn no_configuration_allows_a_wrong_iss_another_sid_or_neither() {
    let sid = ("sid", SID);
    for parameters in [
        &[][..],
        &[("sid", "")],
        &[("sid", "another")],
        &[sid, sid],
        &[("iss", ""), sid],
        &[("iss", "https://evil.example"), sid],
        &[("iss", ISSUER)],
    ] {
        let world = without_iss();
        let browser = logged_in(&world);
        is_refused(&framed(&browser, &target(parameters)));
        is_refused(&browser.come_from_elsewhere(&target(&[sid])));
        assert!(browser.is_logged_in(), "{parameters:?}");
    }
    // A session without a name is nobody's `sid`.
    let world = without_iss();
    names_none(&world);
    let browser = logged_in(&world);
    is_refused(&framed(&browser, &target(&[sid])));
    assert!(browser.is_logged_in());
    is_answered(&framed(&browser, &target(&[("iss", ISSUER)])));
    assert!(!browser.is_logged_in());
}

#[test]
fn an_address_that_was_registered_with_parameters_of_its_own_works() {
    let world = world();
    let browser = logged_in(&world);
    let target = target(&[("tenant", "a"), ("iss", ISSUER), ("sid", SID), ("x", "")]);
    is_answered(&framed(&browser, &target));
    assert!(!browser.is_logged_in());
}

#[test]
fn a_session_that_the_provider_gave_no_name_is_ended_by_its_issuer() {
    for parameters in [
        &[("iss", ISSUER)][..],
        &[("iss", ISSUER), ("sid", "of another client's token")],
    ] {
        let world = World::new();
        let browser = logged_in(&world);
        is_refused(&framed(
            &browser,
            &target(&[("iss", "https://evil.example")]),
        ));
        is_refused(&framed(&browser, &target(&[("sid", SID)])));
        assert!(browser.is_logged_in());
        is_answered(&framed(&browser, &target(parameters)));
        assert!(browser.cookie_names("").is_empty());
    }
}

#[test]
fn a_browser_without_a_session_gets_the_same_answer() {
    let world = world();
    let browser = logged_in(&world);
    let first = framed(&browser, &named());
    for other in [&browser, &world.browser()] {
        let again = framed(other, &named());
        is_answered(&again);
        assert!(again.set_cookies().is_empty());
        assert_eq!(again.answered().body, first.answered().body);
    }
    assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
    // What names another provider is refused, whoever asks.
    is_refused(&framed(&world.browser(), &target(&[("sid", SID)])));
}

#[test]
fn a_session_that_has_ended_by_itself_is_no_session() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(minutes(61));
    is_answered(&framed(&browser, &named()));
    assert_eq!(world.land.counted("portero.logout.succeeded"), 0);
}

#[test]
fn a_frame_on_another_site_ends_only_sessions_whose_cookies_it_brings() {
    let lax = world();
    let none = world_with(|settings| {
        settings["session"]["cookie"] = json!({"same_site": "none"});
    });
    for (world, is_ended) in [(lax, false), (none, true)] {
        let browser = logged_in(&world);
        let outcome = framed_elsewhere(&browser, &named());
        is_answered(&outcome);
        assert_eq!(!outcome.set_cookies().is_empty(), is_ended);
        assert_eq!(browser.is_logged_in(), !is_ended);
    }
}

#[test]
fn only_the_provider_may_frame_the_answer_and_the_answer_loads_nothing() {
    let world = world();
    let outcome = framed(&logged_in(&world), &named());
    assert_eq!(frame_ancestors(&outcome), "https://idp.example.com");
    let policy = outcome.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; form-action 'none'; "));
    assert!(policy.contains("base-uri 'none'"));
    assert_eq!(outcome.header("x-frame-options"), None);
    assert_eq!(outcome.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(outcome.header("referrer-policy"), Some("no-referrer"));
    assert!(!outcome.answered().body.contains("src="));
    // A refusal is a page like every other.
    let refused = framed(&world.browser(), PATH);
    assert_eq!(frame_ancestors(&refused), "'none'");
    assert_eq!(refused.header("x-frame-options"), Some("DENY"));
}

#[test]
fn a_provider_with_its_pages_on_another_origin_may_frame_the_answer_there() {
    let world = world();
    let logout = json!("https://login.example.net:8443/logout");
    world.provider.script.borrow_mut().metadata = vec![("end_session_endpoint", logout)];
    let browser = logged_in(&world);
    assert_eq!(
        frame_ancestors(&framed(&browser, &named())),
        "https://idp.example.com https://login.example.net:8443"
    );
}

#[test]
fn while_the_provider_is_unknown_its_issuer_and_what_is_written_by_hand_may_frame() {
    let world = world();
    let browser = logged_in(&world);
    world.provider.go_down();
    browser.moves_to(&world.reconfigured(|settings| {
        settings["providers"]["corp"]["endpoints"] =
            json!({"end_session": "https://login.example.net/logout"});
    }));
    let outcome = framed(&browser, &named());
    is_answered(&outcome);
    assert_eq!(
        frame_ancestors(&outcome),
        "https://idp.example.com https://login.example.net"
    );
    assert!(!browser.is_logged_in());
}

#[test]
fn only_get_is_taken() {
    let world = world();
    let browser = logged_in(&world);
    for method in ["POST", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let sent = browser.request(method, &named(), Site::SameOrigin, &[]);
        let outcome = browser.send(sent);
        assert_eq!(
            (outcome.status(), outcome.code().as_str()),
            (405, "method_not_allowed")
        );
        assert_eq!(outcome.header("allow"), Some("GET"), "{method}");
    }
    assert!(browser.is_logged_in());
}

#[test]
fn a_refreshed_session_has_the_name_that_the_provider_gave_last() {
    const LATER: &str = "a later name";
    for later in [None, Some(LATER)] {
        let world = world();
        world.provider.script.borrow_mut().refreshes = true;
        let browser = logged_in(&world);
        // OpenID Connect Core 12.2 does not demand a `sid` of a refreshed token.
        match later {
            Some(later) => names_sessions(&world, later),
            None => names_none(&world),
        }
        world.pass(minutes(50));
        browser.go("/").forwarded();
        world.pass(minutes(11));
        browser.go("/").forwarded();
        assert!(world.land.counted("portero.refresh.succeeded") > 0);
        let kept = later.unwrap_or(SID);
        is_refused(&framed(&browser, &target(&[("iss", ISSUER), ("sid", "x")])));
        is_answered(&framed(
            &browser,
            &target(&[("iss", ISSUER), ("sid", kept)]),
        ));
        assert!(!browser.is_logged_in());
    }
}

#[test]
fn the_path_is_configurable_and_comes_before_every_rule() {
    let world = world_with(|settings| {
        settings["paths"] = json!({"frontchannel_logout": "/bye"});
        settings["rules"] = json!([{"access": "public"}]);
    });
    let browser = world.browser();
    browser.go(PATH).forwarded();
    is_answered(&framed(&browser, &named().replace(PATH, "/bye")));
}

/// Whatever a stranger writes: an answer, and nobody logged out.
#[test]
fn no_query_ends_a_session_by_chance() {
    let world = world();
    let browser = logged_in(&world);
    let sent = frame(&browser, PATH, Site::SameOrigin, "same-site");
    let part = prop_oneof![
        vec(any::<u8>(), 0..20),
        Just(b"iss=".to_vec()),
        Just(b"&sid=".to_vec()),
        Just(b"%".to_vec()),
        Just(ISSUER.into()),
    ];
    proptest!(|(parts in vec(part, 0..8))| {
        let target = [PATH.as_bytes(), b"?", &parts.concat()].concat();
        let mut headers = sent.headers().to_vec();
        headers.retain(|(name, _)| name != ":path");
        headers.push((":path".to_owned(), target));
        let outcome = world.worker.serve(Request::new(headers));
        prop_assert_eq!(outcome.status(), 400);
        prop_assert!(outcome.set_cookies().is_empty());
    });
    assert!(browser.is_logged_in());
}

#[test]
fn a_program_gets_a_problem_document() {
    let world = world();
    let outcome = world.worker.serve(request(&[
        (":method", "GET"),
        (":authority", HOST),
        (":path", PATH),
    ]));
    is_refused(&outcome);
    assert_eq!(
        outcome.header("content-type"),
        Some("application/problem+json")
    );
}
