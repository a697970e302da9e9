//! Logging out.

use crate::browser::{Browser, HOST, parameter};
use crate::cookies::Site;
use crate::provider::CLIENT_ID;
use crate::world::{World, minutes};
use serde_json::json;

const LOGOUT: &str = "/oauth2/logout";
const LANDING: &str = "/oauth2/logged-out";

/// The landing page, after a logout at the provider or not.
#[track_caller]
fn shows(browser: &Browser, target: &str, text: &str) {
    let page = browser.come_from_elsewhere(target);
    assert_eq!(page.status(), 200);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(
        page.answered().body.contains(text),
        "{}",
        page.answered().body
    );
    assert_eq!(page.header("location"), None);
    assert_eq!(page.header("refresh"), None);
}

fn local() -> World {
    let world = World::new();
    world.provider.script.borrow_mut().metadata = vec![("end_session_endpoint", json!(null))];
    world
}

#[test]
fn a_local_logout_takes_every_cookie_and_lands_on_a_page() {
    let world = local();
    let browser = world.browser();
    world.provider.script.borrow_mut().userinfo["groups"] = json!("x".repeat(6000));
    browser.log_in();
    assert_eq!(browser.cookie_names("__Host-portero").len(), 2 + 1);
    let end = browser.post(LOGOUT, Site::SameOrigin);
    assert_eq!(browser.target_of(end.location()), LANDING);
    // The owned browser deletes only what is deleted with every attribute repeated.
    assert!(browser.cookie_names("").is_empty());
    shows(&browser, LANDING, "You are signed out.");
    assert!(!browser.is_logged_in());
    assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
}

#[test]
fn a_logout_at_the_provider_carries_hint_address_and_state() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let end = browser.go(LOGOUT);
    let address = end.location().to_owned();
    assert!(address.starts_with("https://idp.example.com/logout?"));
    assert_eq!(parameter(&address, "client_id"), CLIENT_ID);
    assert_eq!(
        parameter(&address, "post_logout_redirect_uri"),
        format!("https://{HOST}{LANDING}")
    );
    let hint = parameter(&address, "id_token_hint");
    assert_eq!(hint.split('.').count(), 3);
    let state = parameter(&address, "state");
    assert!(state.len() >= 22);
    assert_eq!(browser.cookie_names(""), ["__Host-portero-logout"]);
    shows(
        &browser,
        &format!("{LANDING}?state={state}"),
        "You are signed out.",
    );
    assert!(browser.cookie_names("").is_empty());
    assert!(world.land.lines("logout_state_mismatch").is_empty());
    assert!(!browser.is_logged_in());
}

#[test]
fn another_state_or_none_at_the_return_is_noted_and_changes_nothing() {
    for query in ["", "?state=", "?state=AAAAAAAAAAAAAAAAAAAAAA", "?x=1"] {
        let world = World::new();
        let browser = world.browser();
        browser.log_in();
        browser.go(LOGOUT).location();
        shows(
            &browser,
            &format!("{LANDING}{query}"),
            "You are signed out.",
        );
        assert_eq!(
            world.land.lines("logout_state_mismatch").len(),
            1,
            "{query}"
        );
        assert!(browser.cookie_names("").is_empty());
        assert_eq!(world.land.counted("portero.login.started"), 1);
    }
}

#[test]
fn the_landing_page_never_starts_a_login() {
    let world = World::new();
    world.provider.go_down();
    let browser = world.browser();
    shows(&browser, LANDING, "You are signed out.");
    shows(
        &browser,
        &format!("{LANDING}?state=<script>"),
        "You are signed out.",
    );
    assert!(world.provider.calls.borrow().is_empty());
    assert_eq!(world.land.counted("portero.login.started"), 0);
    world.provider.recover();
    browser.log_in();
    shows(&browser, LANDING, "You are still signed in here.");
    assert!(browser.is_logged_in());
}

#[test]
fn another_site_cannot_log_anybody_out() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let page = browser.come_from_elsewhere(LOGOUT);
    assert_eq!(page.status(), 200);
    assert!(page.set_cookies().is_empty());
    let body = &page.answered().body;
    assert!(
        body.contains("<form method=\"post\" action=\"/oauth2/logout\">"),
        "{body}"
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'"));
    let refused = browser.post(LOGOUT, Site::Cross);
    assert_eq!(
        (refused.status(), refused.code().as_str()),
        (403, "logout_cross_site")
    );
    assert!(refused.set_cookies().is_empty());
    // An image or a script of another site.
    let image = browser.request("GET", LOGOUT, Site::Cross, &[("sec-fetch-mode", "no-cors")]);
    assert!(browser.send(image).set_cookies().is_empty());
    assert!(browser.is_logged_in());
    // The person who says yes is logged out.
    let end = browser.post(LOGOUT, Site::SameOrigin);
    assert!(
        end.location()
            .starts_with("https://idp.example.com/logout?")
    );
    assert!(!browser.is_logged_in());
}

/// A link on a page of this site may be fetched without anybody following it.
#[test]
fn a_get_that_is_no_navigation_logs_nobody_out() {
    const HTML: (&str, &str) = ("accept", "text/html,*/*;q=0.8");
    const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    for headers in [
        &[HTML, NAVIGATE, ("sec-purpose", "prefetch")][..],
        &[HTML, NAVIGATE, ("sec-purpose", "prefetch;prerender")],
        &[HTML, NAVIGATE, ("purpose", "prefetch")],
        &[("accept", "image/*"), ("sec-fetch-mode", "no-cors")],
        &[("accept", "*/*"), ("sec-fetch-mode", "cors")],
        &[HTML, ("sec-fetch-mode", "same-origin")],
    ] {
        let sent = browser.request("GET", LOGOUT, Site::SameOrigin, headers);
        let page = browser.send(sent);
        assert_eq!(page.status(), 200, "{headers:?}");
        assert!(page.set_cookies().is_empty(), "{headers:?}");
        let body = &page.answered().body;
        assert!(body.contains("<form method=\"post\""), "{body}");
    }
    assert!(browser.is_logged_in());
    // A script that means it.
    let sent = browser.request(
        "POST",
        LOGOUT,
        Site::SameOrigin,
        &[("sec-fetch-mode", "cors")],
    );
    assert_eq!(browser.send(sent).status(), 303);
    assert!(!browser.is_logged_in());
}

/// Browsers without `Sec-Fetch-Site` are told apart by `Origin` and `Referer`.
#[test]
fn without_fetch_metadata_the_origin_decides() {
    let own = format!("https://{HOST}");
    let own_page = format!("{own}/page");
    let evil = format!("{own}.evil.example/");
    for (method, header, value, ends) in [
        ("POST", "origin", own.as_str(), true),
        ("POST", "origin", "https://evil.example", false),
        ("POST", "origin", "null", false),
        ("POST", "x-nothing", "", false),
        ("GET", "referer", own_page.as_str(), true),
        ("GET", "referer", own.as_str(), true),
        ("GET", "referer", evil.as_str(), false),
        ("GET", "x-nothing", "", false),
    ] {
        let world = local();
        let browser = world.browser();
        browser.log_in();
        let accept = ("accept", "text/html");
        let sent = browser.request(method, LOGOUT, Site::Typed, &[accept, (header, value)]);
        let mut headers = sent.headers().to_vec();
        headers.retain(|(name, _)| name != "sec-fetch-site");
        let outcome = browser.send(portero::request::Request::new(headers));
        assert_eq!(
            outcome.answered().status == 303,
            ends,
            "{method} {header}: {value}"
        );
        assert_eq!(browser.is_logged_in(), !ends, "{method} {header}: {value}");
    }
}

#[test]
fn a_sibling_host_is_another_origin() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let sent = browser.request(
        "POST",
        LOGOUT,
        Site::SameOrigin,
        &[("sec-fetch-site", "same-site")],
    );
    assert_eq!(browser.send(sent).code(), "logout_cross_site");
    assert!(browser.is_logged_in());
}

#[test]
fn a_logout_works_while_the_provider_is_down_and_nothing_is_known_of_it() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    world.provider.go_down();
    browser.moves_to(&world.another_process());
    let end = browser.go(LOGOUT);
    assert_eq!(browser.target_of(end.location()), LANDING);
    assert!(browser.cookie_names("").is_empty());
}

#[test]
fn a_logout_without_session_lands_on_the_page_too() {
    let world = World::new();
    world.worker.tick();
    let browser = world.browser();
    let end = browser.go(LOGOUT);
    assert_eq!(browser.target_of(end.location()), LANDING);
    assert_eq!(world.land.counted("portero.logout.succeeded"), 0);
}

#[test]
fn a_session_that_has_ended_here_is_still_ended_at_the_provider() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    world.pass(minutes(61));
    let end = browser.go(LOGOUT);
    let hint = parameter(end.location(), "id_token_hint");
    assert_eq!(hint.split('.').count(), 3);
}

/// In this Envoy: there is no memory that processes share.
#[test]
fn a_cookie_that_was_copied_before_the_logout_is_worth_nothing() {
    let world = World::new();
    let [other_worker, elsewhere] = [world.another_worker(), world.another_process()];
    let browser = world.browser();
    browser.log_in();
    let thief = world.browser();
    *thief.cookies.borrow_mut() = browser.cookies.borrow().clone();
    thief.moves_to(&other_worker);
    assert!(thief.is_logged_in());
    // Somebody else is not concerned.
    let somebody = world.browser();
    somebody.log_in();
    browser.go(LOGOUT).location();
    for worker in [&world.worker, &other_worker] {
        thief.moves_to(worker);
        assert_eq!(thief.fetch("/public").forwarded().set_cookies.len(), 0);
        assert!(!thief.is_logged_in());
    }
    assert!(somebody.is_logged_in());
    let thief = world.browser();
    *thief.cookies.borrow_mut() = somebody.cookies.borrow().clone();
    somebody.go(LOGOUT).location();
    thief.moves_to(&elsewhere);
    elsewhere.tick();
    assert!(thief.is_logged_in());
}

/// The person is logged out, whatever cannot be noted.
#[test]
fn a_logout_that_cannot_be_noted_takes_the_cookies_all_the_same() {
    let world = local();
    let browser = world.browser();
    browser.log_in();
    world.land.random_fails.set(true);
    browser.go(LOGOUT).location();
    world.land.random_fails.set(false);
    assert!(browser.cookie_names("").is_empty());
    assert_eq!(world.land.lines("logout_not_recorded ").len(), 1);
}

#[test]
fn the_logout_paths_take_only_their_methods() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    for (method, path) in [
        ("PUT", LOGOUT),
        ("DELETE", LOGOUT),
        ("HEAD", LOGOUT),
        ("POST", LANDING),
    ] {
        let sent = browser.request(
            method,
            path,
            Site::SameOrigin,
            &[("sec-fetch-mode", "cors")],
        );
        let outcome = browser.send(sent);
        assert_eq!(
            (outcome.status(), outcome.code().as_str()),
            (405, "method_not_allowed")
        );
        let allowed = if path == LOGOUT { "GET, POST" } else { "GET" };
        assert_eq!(outcome.header("allow"), Some(allowed), "{method} {path}");
    }
    assert!(browser.is_logged_in());
}

#[test]
fn the_id_token_is_sent_to_no_path_but_the_logout() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    let is_sent_to = |target: &str| {
        let sent = browser.navigation(target, Site::Typed);
        let cookies = sent.text("cookie").unwrap_or_default().to_owned();
        cookies.contains("__Secure-portero-hint=")
    };
    assert!(is_sent_to(LOGOUT));
    for target in ["/", "/orders", LANDING, "/oauth2/callback"] {
        assert!(!is_sent_to(target), "{target}");
    }
}

/// Logs in with an ID token that is longer by this than usual.
fn logged_in_with_id_token(world: &World, browser: &Browser, padding: usize) {
    world.provider.tamper(move |token| {
        let padding = json!("x".repeat(padding));
        token.claims.insert("padding".to_owned(), padding);
    });
    browser.log_in();
}

#[test]
fn an_id_token_takes_two_cookies_at_most_and_keeps_the_logout_address_short() {
    let world = World::new();
    let mut longest = 0;
    for padding in (0..9000).step_by(300) {
        let browser = world.browser();
        logged_in_with_id_token(&world, &browser, padding);
        let cookies = browser.cookie_names("__Secure-portero-hint").len();
        assert!(cookies <= 2, "{cookies} cookies");
        let address = browser.go(LOGOUT).location().to_owned();
        assert_eq!(address.contains("id_token_hint="), cookies > 0);
        longest = longest.max(address.len());
    }
    assert!((5000..7000).contains(&longest), "{longest} bytes");
}

#[test]
fn an_id_token_that_is_too_large_takes_the_place_of_an_earlier_one() {
    for before in [0, 3500] {
        let world = World::new();
        let browser = world.browser();
        logged_in_with_id_token(&world, &browser, before);
        let is_session = |name: &str| name == "__Host-portero";
        let mut cookies = browser.cookies.borrow().clone();
        assert!(cookies.all().len() > 1);
        cookies.tamper().retain(|cookie| !is_session(&cookie.name));
        *browser.cookies.borrow_mut() = cookies;
        logged_in_with_id_token(&world, &browser, 9000);
        assert!(browser.cookie_names("__Secure-portero-hint").is_empty());
        let end = browser.go(LOGOUT);
        assert!(!end.location().contains("id_token_hint"));
    }
}
