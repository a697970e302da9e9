//! The provider logs people out by itself: what ends, and what does not.

use portero::request::Request;
use portero::telemetry::{Callee, Purpose};
use serde_json::{Map, Value, json};

use crate::browser::{Browser, HOST, request};
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::{CLIENT_ID, ISSUER, SUBJECT};
use crate::signer::Signer;
use crate::worker::{Body, Worker};
use crate::world::{World, minutes, seconds};

pub const PATH: &str = "/oauth2/backchannel-logout";
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
pub const SID: &str = "08a5019c-17e1-4977-8f42-65a12843ea02";

/// A provider that names its sessions, and an Envoy that shows bodies.
pub fn world() -> World {
    world_with(|_| ())
}

pub fn world_with(change: impl FnOnce(&mut Value)) -> World {
    let world = World::with(|settings| {
        settings["allow_on_headers_stop_iteration"] = json!(true);
        change(settings);
    });
    world.land.keep_secret(SID);
    names_sessions(&world, SID);
    world
}

pub fn names_sessions(world: &World, sid: &str) {
    let mut script = world.provider.script.borrow_mut();
    script.claims.insert("sid".to_owned(), json!(sid));
}

pub fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    // A second later, as everything is in life: a session of the same second has ended, too.
    world.pass(seconds(1));
    browser
}

/// A logout token before it is signed.
pub struct LogoutToken {
    pub header: Value,
    pub claims: Map<String, Value>,
    pub signer: Signer,
}

impl LogoutToken {
    /// As the conformance suite sends it, about the session [`SID`].
    pub fn of(world: &World) -> Self {
        let now = world.land.now().as_millis() / 1000;
        let signer = world.provider.script.borrow().signer;
        let mut header = signer.header();
        header["typ"] = "logout+jwt".into();
        let claims = json!({
            "iss": ISSUER,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "jti": format!("jti of {}", world.land.now().as_millis()),
            "sub": SUBJECT,
            "sid": SID,
            "events": {EVENT: {}},
            "something": {"else": [1, 2]},
        });
        let claims = claims.as_object().unwrap().clone();
        Self {
            header,
            claims,
            signer,
        }
    }

    /// With another value of a claim, or with `null` without it.
    pub fn with(mut self, name: &str, value: Value) -> Self {
        match value {
            Value::Null => self.claims.remove(name),
            value => self.claims.insert(name.to_owned(), value),
        };
        self
    }

    pub fn signed(self) -> String {
        let claims = Value::Object(self.claims).to_string();
        self.signer.sign(&self.header, &claims)
    }
}

pub fn post(content_type: &str) -> Request {
    request(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", PATH),
        ("content-type", content_type),
    ])
}

pub fn form(parameters: &[(&str, &str)]) -> Body {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(parameters);
    Body::Bytes(form.finish().into_bytes())
}

/// What the provider does.
pub fn sends(worker: &Worker, token: &str) -> Outcome {
    let body = form(&[("logout_token", token)]);
    worker.serve_with(post("application/x-www-form-urlencoded"), body)
}

#[track_caller]
pub fn is_done(outcome: &Outcome) {
    let answer = outcome.answered();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.headers,
        [("cache-control", "no-store".to_owned())],
        "and no cookie"
    );
    assert_eq!(answer.body, "");
}

#[track_caller]
pub fn is_refused(outcome: &Outcome, status: u16, code: &str) {
    assert_eq!((outcome.status(), outcome.code().as_str()), (status, code));
    assert_eq!(outcome.header("content-type"), Some("application/json"));
    assert!(outcome.set_cookies().is_empty());
    let body: Value = serde_json::from_str(&outcome.answered().body).unwrap();
    let error = match status {
        503 => "temporarily_unavailable",
        _ => "invalid_request",
    };
    assert_eq!(body["error"], error);
    assert!(body["error_description"].as_str().unwrap().ends_with('.'));
}

#[test]
fn the_provider_ends_a_cookie_session_on_all_workers() {
    let world = world();
    let other = world.another_worker();
    let browser = logged_in(&world);
    // Both have it in their caches.
    for worker in [&other, &world.worker] {
        browser.moves_to(worker);
        assert!(browser.is_logged_in());
    }
    is_done(&sends(&other, &LogoutToken::of(&world).signed()));
    for worker in [&world.worker, &other] {
        browser.moves_to(worker);
        let outcome = browser.go("/");
        assert!(outcome.location().starts_with("https://idp.example.com/"));
    }
    assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
    let lines = world.land.lines("audit event=logout ");
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("channel=back"), "{lines:?}");
    assert!(world.land.failures().is_empty());
}

#[test]
fn its_cookie_is_deleted_when_it_comes_again_and_a_program_gets_401() {
    let world = world();
    let browser = logged_in(&world);
    is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
    let fetched = browser.fetch("/");
    assert_eq!(
        (fetched.status(), fetched.code().as_str()),
        (401, "login_required")
    );
    assert!(browser.cookie_names("__Host-portero").is_empty());
}

/// There is no memory that processes share.
#[test]
fn another_process_does_not_hear_of_it() {
    let world = world();
    let browser = logged_in(&world);
    is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
    assert!(!browser.is_logged_in());
    let world = self::world();
    let browser = logged_in(&world);
    let elsewhere = world.another_process();
    elsewhere.tick();
    is_done(&sends(&elsewhere, &LogoutToken::of(&world).signed()));
    assert!(browser.is_logged_in());
}

#[test]
fn what_is_named_ends_and_nothing_else() {
    for (name, change, ends) in [
        ("sid and sub", vec![], [true, false, false]),
        ("sid", vec![("sub", Value::Null)], [true, false, false]),
        ("sub", vec![("sid", Value::Null)], [true, true, false]),
        (
            "sid of somebody else",
            vec![("sub", json!("user-2"))],
            [false; 3],
        ),
        ("unknown sid", vec![("sid", json!("x"))], [false; 3]),
        (
            "unknown sub",
            vec![("sid", Value::Null), ("sub", json!("x"))],
            [false; 3],
        ),
    ] {
        let world = world();
        let first = logged_in(&world);
        names_sessions(&world, "another session of hers");
        let second = logged_in(&world);
        let mut claims = world.provider.script.borrow().claims.clone();
        claims.insert("sub".to_owned(), json!("user-3"));
        claims.insert("sid".to_owned(), json!("a session of his"));
        world.provider.script.borrow_mut().claims = claims;
        world.provider.script.borrow_mut().userinfo["sub"] = json!("user-3");
        let somebody = logged_in(&world);
        let mut token = LogoutToken::of(&world);
        for (claim, value) in change {
            token = token.with(claim, value);
        }
        is_done(&sends(&world.worker, &token.signed()));
        let alive = [first, second, somebody].map(|browser| browser.is_logged_in());
        assert_eq!(alive, ends.map(|ended| !ended), "{name}");
    }
}

/// Then only the subject tells: better one session too many.
#[test]
fn a_session_for_which_the_provider_gave_no_name_ends_with_any_of_its_subject() {
    let world = world();
    world.provider.script.borrow_mut().claims.clear();
    let browser = logged_in(&world);
    let token = |sub: Value| LogoutToken::of(&world).with("sub", sub).signed();
    is_done(&sends(&world.worker, &token(json!("user-2"))));
    assert!(browser.is_logged_in());
    world.pass(seconds(1));
    is_done(&sends(&world.worker, &token(json!(SUBJECT))));
    assert!(!browser.is_logged_in());
}

#[test]
fn a_login_after_the_logout_lives() {
    for without in ["sid", "sub"] {
        let world = world();
        let browser = logged_in(&world);
        let token = LogoutToken::of(&world).with(without, Value::Null);
        is_done(&sends(&world.worker, &token.signed()));
        assert!(!browser.is_logged_in());
        world.pass(seconds(1));
        // Even where the provider takes the same name again.
        browser.log_in();
        world.pass(minutes(50));
        assert!(browser.is_logged_in());
    }
}

#[test]
fn it_is_remembered_for_as_long_as_the_session_could_live() {
    let world = world_with(|settings| settings["session"]["lifetime"] = json!("2h"));
    let browser = logged_in(&world);
    let kept = browser.cookies.borrow().clone();
    world.pass(minutes(50));
    let mut alive = 0;
    let late = world.browser();
    is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
    for _ in 0..20 {
        *late.cookies.borrow_mut() = kept.clone();
        alive += usize::from(late.is_logged_in());
        world.pass(minutes(9));
    }
    assert_eq!(alive, 0);
}

#[test]
fn a_login_that_is_under_way_ends_too() {
    let world = world();
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    let click = browser.navigation(&callback, Site::Cross);
    let mut running = world.worker.begin(click.clone());
    assert_eq!(
        running.call().unwrap().callee,
        Callee::Provider(Purpose::Token)
    );
    let reply = world.provider.answer(running.call().unwrap());
    running.resume(reply);
    assert_eq!(
        running.call().unwrap().callee,
        Callee::Provider(Purpose::Userinfo)
    );
    world.pass(seconds(1));
    is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
    let outcome = world.worker.finish(&click, running);
    browser.keep(&outcome);
    assert!(!browser.is_logged_in());
}

#[test]
fn a_refresh_that_is_under_way_brings_nothing_back() {
    let world = world();
    let mut script = world.provider.script.borrow_mut();
    script.refreshes = true;
    script.token_response = vec![("expires_in", json!(300))];
    drop(script);
    let browser = logged_in(&world);
    world.pass(seconds(290));
    let page = browser.navigation("/", Site::Typed);
    let waiting = world.worker.begin(page.clone());
    assert!(waiting.waits());
    let refreshing = world.worker.begin_jobs();
    is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
    for refresh in refreshing {
        world.worker.carry_through(refresh);
    }
    assert_eq!(world.land.counted("portero.refresh.succeeded"), 1);
    let outcome = world.worker.finish(&page, waiting);
    // Sent round once, because another Envoy might have refreshed it, and then to the provider.
    assert_eq!(outcome.location(), format!("https://{HOST}/"));
    browser.keep(&outcome);
    assert!(browser.go("/").location().starts_with("https://idp."));
    assert!(!browser.is_logged_in());
}

#[test]
fn an_answer_that_is_under_way_brings_no_cookie_back() {
    for by_provider in [true, false] {
        let world = world();
        let browser = logged_in(&world);
        // The cookie is due to be issued anew.
        world.pass(minutes(10));
        let page = browser.navigation("/", Site::Typed);
        let running = world.worker.begin(page.clone());
        match by_provider {
            true => is_done(&sends(&world.worker, &LogoutToken::of(&world).signed())),
            false => drop(browser.go("/oauth2/logout").location().to_owned()),
        }
        let outcome = world.worker.outcome(&page, running);
        outcome.forwarded();
        assert!(outcome.set_cookies().is_empty());
        assert!(!browser.is_logged_in());
    }
    // Otherwise it would bring one.
    let world = world();
    let browser = logged_in(&world);
    world.pass(minutes(10));
    assert_eq!(browser.go("/").set_cookies().len(), 1);
}

#[test]
fn the_path_is_configurable_comes_before_every_rule_and_needs_bodies() {
    let world = world_with(|settings| {
        settings["paths"] = json!({"backchannel_logout": "/bye"});
        settings["rules"] = json!([{"access": "public"}]);
    });
    let browser = logged_in(&world);
    let token = LogoutToken::of(&world).signed();
    sends(&world.worker, &token).forwarded();
    let mut headers = post("application/x-www-form-urlencoded").headers().to_vec();
    headers[3].1 = b"/bye".to_vec();
    let sent = Request::new(headers);
    let body = form(&[("logout_token", &token)]);
    is_done(&world.worker.serve_with(sent, body));
    assert!(!browser.fetch("/").forwarded().has("x-userinfo"));

    let world = World::new();
    let outcome = sends(&world.worker, &LogoutToken::of(&world).signed());
    assert_eq!(outcome.code(), "login_required", "a path like any other");
}
