//! Sessions in a store: the cookie only names them, and every Envoy knows them.

use portero::flow::CallFailure;
use portero::secret::Secret;
use portero::session::{Binding, Seal};
use serde_json::{Value, json};

use crate::browser::{Browser, HOST};
use crate::cookies::Site;
use crate::front_channel::{framed, is_answered};
use crate::provider::{Answer, ISSUER};
use crate::sealed::{COOKIE, is_absent_and_cleared};
use crate::world::{SESSION_KEY, World, minutes, seconds};

const NEW_KEY: &str = "the second session key of the tests, 48 bytes long";

fn use_cookies(settings: &mut Value) {
    settings["session"]["store"]["when_unavailable"] = json!("use_cookies");
}

fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

fn cookie(browser: &Browser) -> String {
    let cookies = browser.cookies.borrow();
    let cookie = cookies.all().iter().find(|cookie| cookie.name == COOKIE);
    cookie.unwrap().value.clone()
}

#[test]
fn a_login_on_one_envoy_is_known_on_every_other() {
    for change in [|_: &mut Value| (), World::speak_upstash] {
        let world = World::with_store(change);
        let browser = logged_in(&world);
        let elsewhere = world.another_process();
        elsewhere.tick();
        browser.moves_to(&elsewhere);
        let userinfo = browser.go("/page").forwarded().userinfo();
        assert_eq!(userinfo["name"], "Ada Lovelace");
        assert_eq!(world.provider.redeemed(), 1);
    }
}

#[test]
fn the_cookie_is_small_and_tells_nothing_that_the_store_does_not() {
    let world = World::with_store(|_| ());
    world.provider.script.borrow_mut().userinfo["groups"] = json!("x".repeat(30_000));
    let browser = logged_in(&world);
    assert!(cookie(&browser).len() < 200, "{}", cookie(&browser).len());
    assert_eq!(browser.cookie_names(COOKIE), [COOKIE]);
    let keys = world.redis.keys("session");
    assert_eq!(keys.len(), 1);
    let value = world.redis.value(&keys[0]);
    assert!(value.len() > 30_000);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    assert!(value.bytes().all(plain), "base64url");
    let groups = &browser.go("/").forwarded().userinfo()["groups"];
    assert_eq!(groups.as_str().unwrap().len(), 30_000);
}

#[test]
fn a_session_that_is_too_large_for_the_store_ends_in_a_clear_error() {
    let world = World::with_store(|_| ());
    world.provider.script.borrow_mut().userinfo["groups"] = json!("x".repeat(70_000));
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!(
        (end.status(), end.code().as_str()),
        (500, "session_too_large")
    );
    assert!(world.redis.keys("session").is_empty());
}

#[test]
fn a_worker_reads_a_session_once_for_the_reread_interval() {
    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    let before = world.redis.called("MGET");
    for _ in 0..9 {
        world.pass(seconds(1) / 10);
        browser.go("/").forwarded();
    }
    assert_eq!(world.redis.called("MGET"), before);
    world.pass(seconds(1) / 10);
    browser.go("/").forwarded();
    assert_eq!(world.redis.called("MGET"), before + 1);

    let world = World::with_store(|settings| {
        settings["session"]["store"]["reread_interval"] = json!("0s");
    });
    let browser = logged_in(&world);
    let before = world.redis.called("MGET");
    for _ in 0..5 {
        browser.go("/").forwarded();
    }
    assert_eq!(world.redis.called("MGET"), before + 5);
}

#[test]
fn a_clock_that_was_set_back_means_another_look() {
    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    let before = world.redis.called("MGET");
    world.land.set(world.land.now().before(minutes(30)));
    browser.go("/").forwarded();
    assert_eq!(world.redis.called("MGET"), before + 1);
}

#[test]
fn the_store_ends_a_session_that_nobody_uses_and_keeps_one_that_is_used() {
    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    let key = world.redis.keys("session").remove(0);
    // The login's own page view was less than a tenth of the hour ago.
    assert!(world.redis.ttl(&key) > minutes(59));
    for _ in 0..6 {
        world.pass(minutes(50));
        let outcome = browser.go("/");
        assert_eq!(outcome.set_cookies().len(), 1, "issued anew");
        browser.keep(&outcome);
        world.worker.tick();
        assert_eq!(world.redis.ttl(&key), minutes(60));
        assert!(browser.go("/").set_cookies().is_empty());
    }
    assert_eq!(world.redis.called("EXPIRE"), 6);
    world.pass(minutes(60));
    assert!(world.redis.keys("session").is_empty());
    is_absent_and_cleared(&browser, "idle for too long");
}

#[test]
fn many_requests_with_one_old_cookie_prolong_their_session_once() {
    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    world.pass(minutes(30));
    let request = browser.navigation("/", Site::Typed);
    for _ in 0..20 {
        world.redis.latency.set(seconds(0));
        let running = world.worker.begin(request.clone());
        let mut running = running;
        if let Some(call) = running.call() {
            let result = world.worker.answer(call);
            running.resume(result);
        }
        world.worker.outcome(&request, running).forwarded();
    }
    world.worker.tick();
    assert_eq!(world.redis.called("EXPIRE"), 1);
}

#[test]
fn no_use_keeps_a_session_beyond_its_lifetime() {
    let world = World::with_store(|settings| settings["session"]["lifetime"] = json!("90m"));
    let browser = logged_in(&world);
    world.pass(minutes(45));
    browser.go("/").forwarded();
    world.worker.tick();
    let key = world.redis.keys("session").remove(0);
    assert!(world.redis.ttl(&key) <= minutes(45));
    world.pass(minutes(45));
    assert!(!browser.is_logged_in());
}

#[test]
fn a_logout_ends_the_session_on_every_envoy_and_for_every_copy_of_the_cookie() {
    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    let elsewhere = world.another_process();
    elsewhere.tick();
    let copy = world.browser();
    *copy.cookies.borrow_mut() = browser.cookies.borrow().clone();
    copy.moves_to(&elsewhere);
    copy.go("/").forwarded();
    browser.go("/oauth2/logout").location();
    assert!(world.redis.keys("session").is_empty());
    // What the other worker has read, it uses for the reread interval; and no longer.
    copy.go("/").forwarded();
    world.pass(seconds(1));
    assert_eq!(copy.fetch("/api").status(), 401);
    assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
    // Here the copy is worth nothing at once.
    let here = world.browser();
    *here.cookies.borrow_mut() = copy.cookies.borrow().clone();
    assert_eq!(here.fetch("/api").status(), 401);
}

#[test]
fn a_front_channel_logout_takes_the_session_out_of_the_store() {
    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    let target = format!("/oauth2/frontchannel-logout?iss={}", ISSUER);
    is_answered(&framed(&browser, &target));
    assert!(world.redis.keys("session").is_empty());
    assert_eq!(
        world
            .provider
            .called(portero::telemetry::Purpose::Revocation),
        0
    );
}

#[test]
fn a_store_that_was_started_empty_means_a_new_login() {
    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    world.redis.lose_everything();
    world.pass(seconds(1));
    is_absent_and_cleared(&browser, "lost");
    assert_eq!(world.redis.keys("session").len(), 1);
}

#[test]
fn a_value_is_good_under_its_own_key_only() {
    let world = World::with_store(|_| ());
    let (first, second) = (logged_in(&world), logged_in(&world));
    let keys = world.redis.keys("session");
    assert_eq!(keys.len(), 2);
    let (one, other) = (world.redis.value(&keys[0]), world.redis.value(&keys[1]));
    world.redis.put(&keys[0], &other);
    world.redis.put(&keys[1], &one);
    world.pass(seconds(1));
    for browser in [&first, &second] {
        assert_eq!(browser.fetch("/api").status(), 401);
    }
    for value in ["", "AAAA", "not base64!", &one[..one.len() - 1]] {
        world.redis.put(&keys[0], value);
        assert_eq!(
            logged_in(&world).fetch("/api").forwarded().all("x").count(),
            0
        );
    }
}

/// Only whoever has the keys can make such a cookie: the value is bound to its host all the same.
#[test]
fn a_session_in_the_store_belongs_to_its_host() {
    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    let seal = Seal::new(&[Secret::new(SESSION_KEY.into())]);
    let place = |host| Binding {
        purpose: "session",
        name: COOKIE,
        host,
        issuer: ISSUER,
    };
    let own = cookie(&browser);
    let sealed = own.strip_prefix("1.").unwrap();
    let plaintext = seal.open_text(place(HOST), sealed.as_bytes()).unwrap();
    let host = world.worker.gateway.host.as_ref();
    for (name, is_known) in [(HOST, true), ("other.example.com", false)] {
        let forged = seal.seal_text(host, place(name), &plaintext).unwrap();
        let visitor = world.browser().at("https", name);
        let line = format!("{COOKIE}=1.{forged}; Path=/; HttpOnly; Secure; SameSite=Lax");
        let mut cookies = visitor.cookies.borrow_mut();
        cookies.take(name, &line, world.land.now());
        drop(cookies);
        assert_eq!(visitor.is_logged_in(), is_known, "{name}");
        // The same cookie as it is means nothing elsewhere.
        let stolen = world.browser().at("https", "other.example.com");
        let line = format!("{COOKIE}={own}; Path=/; HttpOnly; Secure; SameSite=Lax");
        let mut cookies = stolen.cookies.borrow_mut();
        cookies.take("other.example.com", &line, world.land.now());
        drop(cookies);
        assert!(!stolen.is_logged_in());
    }
}

#[test]
fn keys_are_rotated_without_a_login() {
    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    let both = world.reconfigured(|settings| {
        settings["session"]["keys"] = json!([NEW_KEY, SESSION_KEY]);
    });
    browser.moves_to(&both);
    assert!(browser.is_logged_in());
    let new = world.reconfigured(|settings| settings["session"]["keys"] = json!([NEW_KEY]));
    browser.moves_to(&new);
    is_absent_and_cleared(&browser, "sealed with a key that is gone");
}

#[test]
fn sessions_in_cookies_go_on_when_a_store_comes() {
    let world = World::with_store(|_| ());
    let before = world.reconfigured(|settings| {
        settings["session"].as_object_mut().unwrap().remove("store");
    });
    before.tick();
    let browser = world.browser();
    browser.moves_to(&before);
    browser.log_in();
    assert_eq!(world.redis.called("SET"), 0);
    browser.moves_to(&world.worker);
    world.worker.tick();
    assert!(browser.is_logged_in());
    // The way back: what only the store knows is gone.
    let stored = logged_in(&world);
    stored.moves_to(&before);
    is_absent_and_cleared(&stored, "no store");
}

#[test]
fn a_store_that_is_down_refuses_and_forgets_nobody() {
    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    world.pass(seconds(1));
    world.redis.break_down("*", Answer::Status(503));
    let kept = cookie(&browser);
    for outcome in [browser.go("/"), browser.fetch("/api")] {
        assert_eq!(outcome.status(), 503);
        assert_eq!(outcome.code(), "session_store_unreachable");
        assert!(outcome.set_cookies().is_empty());
    }
    browser.go("/public").forwarded();
    assert_eq!(cookie(&browser), kept);
    let page = browser.go("/oauth2/logged-out");
    assert_eq!(page.status(), 200);
    let callback = world.browser().login_until_callback("/");
    drop(callback);
    world.redis.recover();
    browser.go("/").forwarded();
    assert_eq!(world.provider.redeemed(), 1);
}

#[test]
fn with_use_cookies_a_worker_goes_on_with_what_it_has_read() {
    let world = World::with_store(use_cookies);
    let browser = logged_in(&world);
    world.redis.break_down("*", Answer::Status(503));
    for _ in 0..5 {
        world.pass(minutes(11));
        browser.go("/").forwarded();
    }
    // As long as somebody who is not seen by the store may be idle, and no longer.
    world.pass(minutes(11));
    assert!(browser.go("/").location().starts_with("https://idp."));
    assert_eq!(world.provider.redeemed(), 1);
}

#[test]
fn with_use_cookies_a_session_that_was_seen_to_be_gone_does_not_come_back() {
    let world = World::with_store(use_cookies);
    let browser = logged_in(&world);
    let kept = browser.cookies.borrow().clone();
    world.redis.lose_everything();
    world.pass(seconds(1));
    assert_eq!(browser.fetch("/api").status(), 401);
    world.redis.break_down("*", Answer::Status(503));
    *browser.cookies.borrow_mut() = kept;
    assert_eq!(browser.fetch("/api").status(), 401);
}

#[test]
fn with_use_cookies_another_worker_logs_in_again_and_keeps_the_session_in_the_cookie() {
    let world = World::with_store(use_cookies);
    let browser = logged_in(&world);
    let elsewhere = world.another_process();
    elsewhere.tick();
    browser.moves_to(&elsewhere);
    world.redis.break_down("*", Answer::NotSent);
    let refused = browser.fetch("/api");
    assert_eq!(refused.code(), "login_required");
    assert!(
        refused.set_cookies().is_empty(),
        "the session may be there again"
    );
    let (target, outcome) = browser.browse("/page");
    assert_eq!(target, "/page");
    outcome.forwarded();
    assert!(cookie(&browser).len() > 200, "a whole session");
    assert_eq!(world.land.counted("portero.session_store.bypassed"), 1);
    assert_eq!(
        world
            .land
            .lines("session_kept_in_cookie code=session_store_unreachable ")
            .len(),
        1
    );
    // It goes on in its cookie when the store is back, which is asked only whether it has been ended.
    world.redis.recover();
    let asked = world.redis.called("MGET");
    world.pass(minutes(10));
    browser.go("/").forwarded();
    assert_eq!(world.redis.called("MGET"), asked + 1);
    assert!(world.redis.keys("session").len() <= 1);
}

#[test]
fn a_client_that_goes_away_while_its_session_is_read_leaves_nothing_behind() {
    let world = World::with_store(|_| ());
    let browser = logged_in(&world);
    world.pass(seconds(1));
    let mut gone = world.worker.begin(browser.navigation("/", Site::Typed));
    assert!(gone.call().is_some());
    gone.resume(Err(CallFailure::NoAnswer));
    drop(gone);
    browser.go("/").forwarded();
}

#[test]
fn calls_to_the_store_are_counted_apart_from_the_providers() {
    let world = World::with_store(|_| ());
    logged_in(&world);
    let counted = |end: &str| world.land.counted(&format!("portero.session_store.{end}"));
    // Kept, read, and looked for among those that have been ended.
    assert_eq!((counted("succeeded"), counted("failed")), (3, 0));
    assert_eq!(counted("milliseconds"), 3);
    world.redis.break_down("SET", Answer::Status(500));
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    browser.come_from_elsewhere(&callback);
    assert_eq!((counted("succeeded"), counted("failed")), (3, 1));
}
