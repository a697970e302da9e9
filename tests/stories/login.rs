//! A person logs in.

use crate::browser::{HOST, parameter};
use crate::cookies::Site;
use crate::provider::Parameters;
use crate::world::{World, minutes, seconds};
use portero::telemetry::Purpose;
use serde_json::json;

#[test]
fn the_first_login_ends_on_the_persons_own_page_with_its_query() {
    let world = World::new();
    let browser = world.browser();
    let (target, outcome) = browser.browse("/orders/7?sort=asc&next=//x");
    assert_eq!(target, "/orders/7?sort=asc&next=//x");
    let upstream = outcome.forwarded();
    assert_eq!(upstream.header(":path"), "/orders/7?sort=asc&next=//x");
    assert_eq!(upstream.userinfo()["email"], "ada@example.com");
    assert_eq!(upstream.userinfo()["sub"], "user-1");
    assert_eq!(world.land.counted("portero.login.started"), 1);
    assert_eq!(world.land.counted("portero.login.succeeded"), 1);
    assert_eq!(world.land.lines("audit event=login ").len(), 1);
    assert!(browser.cookie_names("__Host-portero-login-").is_empty());
}

#[test]
fn the_redirect_to_the_provider_is_a_303_that_no_cache_keeps() {
    let world = World::new();
    let start = world.browser().go("/");
    assert_eq!(start.status(), 303);
    assert_eq!(start.header("cache-control"), Some("no-store"));
    let location = start.location();
    assert!(location.starts_with("https://idp.example.com/authorize?"));
    assert_eq!(parameter(location, "scope"), "openid profile email");
    assert_eq!(
        parameter(location, "redirect_uri"),
        format!("https://{HOST}/oauth2/callback")
    );
}

#[test]
fn every_login_has_its_own_state_nonce_and_challenge() {
    let world = World::new();
    let (one, two) = (world.browser().go("/"), world.browser().go("/"));
    for name in ["state", "nonce", "code_challenge"] {
        let (one, two) = (
            parameter(one.location(), name),
            parameter(two.location(), name),
        );
        assert_ne!(one, two, "{name}");
        assert!(one.len() >= 22, "{name}");
    }
}

#[test]
fn extra_parameters_and_resources_are_sent_to_the_provider() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["authorization_params"] =
            json!({"audience": "https://api.example.com", "prompt": ["login", "consent"]});
        settings["providers"]["corp"]["resources"] = json!(["https://a.example/", "urn:b"]);
        settings["providers"]["corp"]["scopes"] = json!(["openid", "orders"]);
    });
    let browser = world.browser();
    let start = browser.go("/");
    let query = start.location().split_once('?').unwrap().1.to_owned();
    let given = Parameters::of(&query);
    assert_eq!(given.one("audience"), "https://api.example.com");
    assert_eq!(given.one("prompt"), "login consent");
    assert_eq!(given.one("scope"), "openid orders");
    assert_eq!(given.all("resource"), ["https://a.example/", "urn:b"]);

    browser.go(&browser.back_from_provider(start.location()));
    let calls = world.provider.calls.borrow();
    let (_, form) = calls
        .iter()
        .find(|(purpose, _)| *purpose == Purpose::Token)
        .unwrap();
    let form = Parameters::of(form);
    assert_eq!(form.all("resource"), ["https://a.example/", "urn:b"]);
}

#[test]
fn several_tabs_finish_in_any_order_each_on_its_own_page() {
    let world = World::new();
    let browser = world.browser();
    let tabs = ["/one?a=1", "/two?b=2", "/three", "/four", "/five?e=5"];
    let callbacks: Vec<String> = tabs
        .iter()
        .map(|tab| browser.login_until_callback(tab))
        .collect();
    assert_eq!(browser.cookie_names("__Host-portero-login-").len(), 5);
    for index in [2, 0, 4, 1, 3] {
        let end = browser.come_from_elsewhere(&callbacks[index]);
        assert_eq!(browser.target_of(end.location()), tabs[index]);
    }
    assert!(browser.cookie_names("__Host-portero-login-").is_empty());
    assert!(browser.is_logged_in());
    assert_eq!(world.provider.redeemed(), 5);
}

#[test]
fn a_sixth_login_ends_the_oldest() {
    let world = World::new();
    let browser = world.browser();
    let mut callbacks = Vec::new();
    for number in 0..6 {
        callbacks.push(browser.login_until_callback(&format!("/page/{number}")));
        world.pass(seconds(1));
        assert!(browser.cookie_names("__Host-portero-login-").len() <= 5);
    }
    let oldest = browser.come_from_elsewhere(&callbacks[0]);
    assert_eq!(
        (oldest.status(), oldest.code().as_str()),
        (400, "login_unknown")
    );
    for (number, callback) in callbacks.iter().enumerate().skip(1) {
        let end = browser.come_from_elsewhere(callback);
        assert_eq!(browser.target_of(end.location()), format!("/page/{number}"));
    }
}

#[test]
fn a_login_takes_ten_minutes_at_most() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    world.pass(minutes(10) - seconds(1));
    browser.come_from_elsewhere(&callback).location();

    let late = world.browser();
    let callback = late.login_until_callback("/");
    world.pass(minutes(10));
    // The browser has dropped the cookie by itself.
    assert_eq!(late.come_from_elsewhere(&callback).code(), "login_unknown");
}

#[test]
fn a_browser_that_keeps_login_cookies_for_ever_gains_nothing() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/page");
    for cookie in browser.cookies.borrow_mut().tamper() {
        cookie.ends_at = None;
    }
    world.pass(minutes(10));
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!((end.status(), end.code().as_str()), (400, "login_expired"));
    assert_eq!(world.provider.called(Purpose::Token), 0);
    assert!(browser.cookie_names("__Host-portero").is_empty());
}

#[test]
fn abandoned_logins_are_cleared_away_by_the_next() {
    let world = World::new();
    let browser = world.browser();
    browser.go("/old");
    for cookie in browser.cookies.borrow_mut().tamper() {
        cookie.ends_at = None;
        let end = cookie.name.len() - 22;
        let foreign = format!("{}{}", &cookie.name[..end], "A".repeat(22));
        cookie.name = foreign;
    }
    browser.go("/new");
    assert_eq!(browser.cookie_names("__Host-portero-login-").len(), 1);
}

#[test]
fn a_login_works_without_userinfo_endpoint() {
    let world = World::new();
    world.provider.script.borrow_mut().metadata = vec![("userinfo_endpoint", json!(null))];
    let (_, outcome) = world.browser().browse("/");
    assert_eq!(outcome.forwarded().userinfo(), json!({"sub": "user-1"}));
    assert_eq!(world.provider.called(Purpose::Userinfo), 0);
}

#[test]
fn endpoints_written_by_hand_need_no_discovery() {
    let world = World::with(|settings| {
        settings["providers"]["corp"]["endpoints"] = json!({
            "authorization": "https://idp.example.com/authorize?tenant=acme",
            "token": "https://idp.example.com/token",
            "jwks": "https://idp.example.com/keys",
            "userinfo": "https://idp.example.com/userinfo",
        });
    });
    let browser = world.browser();
    let start = browser.go("/");
    assert_eq!(parameter(start.location(), "tenant"), "acme");
    browser.log_in();
    assert_eq!(world.provider.called(Purpose::Discovery), 0);
}

#[test]
fn over_plain_http_a_login_works_only_with_the_switch_for_it() {
    let world = World::with(|settings| {
        settings["session"]["cookie"] = json!({"insecure_allow_http": true});
    });
    let browser = world.browser().at("http", "localhost:10000");
    browser.log_in();
    assert_eq!(browser.cookie_names("portero"), ["portero", "portero-hint"]);

    // Without it the proxy may see http behind somebody else's TLS: the browser sees https.
    let world = World::new();
    let start = world.browser().at("http", HOST).go("/");
    assert_eq!(
        parameter(start.location(), "redirect_uri"),
        format!("https://{HOST}/oauth2/callback")
    );
}

#[test]
fn without_randomness_nobody_is_logged_in() {
    let world = World::new();
    world.worker.tick();
    world.land.random_fails.set(true);
    let end = world.browser().go("/");
    assert_eq!(
        (end.status(), end.code().as_str()),
        (500, "random_unavailable")
    );
    assert!(end.set_cookies().is_empty());
}

#[test]
fn without_randomness_at_the_callback_nobody_is_logged_in_either() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    world.land.random_fails.set(true);
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!(
        (end.status(), end.code().as_str()),
        (500, "random_unavailable")
    );
    assert!(browser.cookie_names("").is_empty());
    world.land.random_fails.set(false);
    browser.log_in();
}

#[test]
fn when_randomness_fails_a_session_goes_on_with_the_cookie_it_has() {
    let world = World::new();
    let browser = world.browser();
    browser.log_in();
    world.land.random_fails.set(true);
    assert!(browser.is_logged_in());
    world.pass(minutes(6));
    let outcome = browser.go("/");
    outcome.forwarded();
    assert!(outcome.set_cookies().is_empty());
    assert_eq!(world.land.counted("portero.failure.random_unavailable"), 1);
    world.land.random_fails.set(false);
    assert!(browser.is_logged_in());
}

/// A browser that restores its tabs sends all of them before any is answered, and gets a login
/// cookie from each. The next request carries them all, beside the largest session there is.
#[test]
fn many_tabs_at_once_stay_below_the_headers_that_envoy_takes() {
    const ENVOY: usize = 60 * 1024;
    const SESSION: usize = 5 * 4096;
    let world = World::new();
    let browser = world.browser();
    let target = |tab: usize| format!("/orders?tab={tab:04}&q={}", "x".repeat(1000));
    let tabs: Vec<_> = (0..20)
        .map(|tab| browser.navigation(&target(tab), Site::Typed))
        .collect();
    for tab in tabs {
        browser.send(tab).location();
    }
    // Targets of any length.
    for length in [900, 1500, 2020, 4000] {
        let other = world.browser();
        let start = other.go(&format!("/orders?q={}", "x".repeat(length)));
        assert!(start.set_cookies()[0].len() < 1700, "{length}");
    }
    assert_eq!(browser.cookie_names("__Host-portero-login-").len(), 20);
    let next = browser.navigation(&target(20), Site::Typed);
    let size: usize = next
        .headers()
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(size + SESSION < ENVOY, "{size} bytes");
    browser.send(next).location();
    assert!(browser.cookie_names("__Host-portero-login-").len() <= 5);
}
