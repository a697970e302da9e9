//! Forms that are posted when the session is over.

use crate::browser::{Browser, parameter};
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::Answer;
use crate::worker::Body;
use crate::world::{World, minutes};
use portero::request::Request;
use portero::telemetry::Purpose;
use proptest::prelude::*;
use serde_json::{Value, json};
use url::form_urlencoded;

const FORM: &str = "name=Ada+Lovelace&text=%22a%22+%3Cb%3E%0D%0A%C3%A9&submit=1&name=again";
const TYPE: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn keep_forms(settings: &mut Value) {
    settings["allow_on_headers_stop_iteration"] = true.into();
    settings["session"]["preserved_post_bytes"] = 12_000.into();
}

fn world() -> World {
    World::with(keep_forms)
}

/// Somebody whose session is over.
fn late(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    world.pass(minutes(61));
    browser
}

fn post(browser: &Browser, target: &str, form: &[u8]) -> Outcome {
    post_with(browser, target, Body::Bytes(form.to_vec()), &[TYPE])
}

fn post_with(browser: &Browser, target: &str, body: Body, more: &[(&str, &str)]) -> Outcome {
    let mut headers = vec![("accept", "text/html"), ("sec-fetch-mode", "navigate")];
    headers.extend_from_slice(more);
    let request = browser.request("POST", target, Site::SameOrigin, &headers);
    browser.send_with(request, body)
}

/// The callback that a login's first answer leads to.
#[track_caller]
fn come_back(browser: &Browser, start: &Outcome) -> Outcome {
    let callback = browser.back_from_provider(start.location());
    browser.come_from_elsewhere(&callback)
}

/// What the form of a page sends, as a browser that runs its script does.
#[track_caller]
fn sent(page: &Outcome) -> (String, Vec<(String, String)>) {
    assert_eq!(page.status(), 200);
    let html = &page.answered().body;
    let attribute = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("{name}=\"")).unwrap();
        let (value, _) = rest.split_once('"').unwrap();
        unescape(value)
    };
    let (_, form) = html.split_once("<form method=\"post\" ").unwrap();
    let fields = form.split("<input type=\"hidden\" ").skip(1);
    let fields = fields.map(|input| (attribute(input, "name"), attribute(input, "value")));
    (attribute(form, "action"), fields.collect())
}

/// Whether a page sends its form without anybody pressing the button.
#[track_caller]
fn sends_by_itself(page: &Outcome) -> bool {
    let has_script = page.answered().body.contains("<script");
    let policy = page.header("content-security-policy").unwrap();
    assert_eq!(has_script, policy.contains("script-src"), "{policy}");
    has_script
}

/// The person at the provider is somebody else from now on.
fn somebody_else_comes(world: &World) {
    world
        .provider
        .tamper(|token| token.claims["sub"] = json!("user-2"));
    world.provider.script.borrow_mut().userinfo = json!({"sub": "user-2"});
}

fn unescape(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#13;", "\r"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn fields(form: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(form).into_owned().collect()
}

#[test]
fn a_form_that_met_an_expired_session_is_sent_after_the_login() {
    let world = world();
    let browser = late(&world);
    let start = post(&browser, "/orders?draft=1", FORM.as_bytes());
    assert_eq!(start.status(), 303);
    let page = come_back(&browser, &start);
    let target = format!("{}/orders?draft=1", browser.origin());
    assert_eq!(sent(&page), (target, fields(FORM.as_bytes())));
    assert!(sends_by_itself(&page));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("form-action"), "{policy}");
    assert!(browser.cookie_names("__Secure-portero-form").is_empty());
    let again = post(&browser, "/orders?draft=1", FORM.as_bytes());
    assert!(again.forwarded().has("x-userinfo"));
}

#[test]
fn a_form_of_somebody_else_waits_for_a_button() {
    let world = world();
    let browser = late(&world);
    let start = post(&browser, "/orders", FORM.as_bytes());
    somebody_else_comes(&world);
    let page = come_back(&browser, &start);
    assert_eq!(sent(&page).1, fields(FORM.as_bytes()));
    assert!(!sends_by_itself(&page));
    let body = &page.answered().body;
    assert!(body.contains("by somebody else"), "{body}");
    assert!(browser.cookie_names("__Secure-portero-form").is_empty());
    let pressed = post(&browser, "/orders", FORM.as_bytes());
    assert_eq!(pressed.forwarded().userinfo()["sub"], "user-2");
}

#[test]
fn a_form_of_nobody_knows_whom_waits_for_a_button() {
    let world = world();
    let without_cookie = late(&world);
    without_cookie.cookies.borrow_mut().tamper().clear();
    let stranger = world.browser();
    for browser in [without_cookie, stranger] {
        let start = post(&browser, "/orders", FORM.as_bytes());
        let page = come_back(&browser, &start);
        assert_eq!(sent(&page).1, fields(FORM.as_bytes()));
        assert!(!sends_by_itself(&page));
        let body = &page.answered().body;
        assert!(body.contains("before this sign-in"), "{body}");
    }
}

/// The cookie only names the session, and the store has dropped it.
#[test]
fn whose_a_form_was_is_not_known_where_the_store_has_lost_the_session() {
    let world = World::with_store(keep_forms);
    let browser = world.browser();
    browser.log_in();
    world.redis.lose_everything();
    world.pass(minutes(1));
    let start = post(&browser, "/orders", FORM.as_bytes());
    let page = come_back(&browser, &start);
    assert_eq!(sent(&page).1, fields(FORM.as_bytes()));
    assert!(!sends_by_itself(&page));
}

#[test]
fn a_form_that_takes_a_fresher_login_is_sent_after_it() {
    let demanding = |settings: &mut Value| {
        keep_forms(settings);
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/pay"}}, "authentication": {"max_age": "5m"}},
        ]);
    };
    for world in [World::with(demanding), World::with_store(demanding)] {
        world.provider.script.borrow_mut().tells_authentication = true;
        let browser = world.browser();
        browser.log_in();
        world.pass(minutes(10));
        let start = post(&browser, "/pay?x=1", FORM.as_bytes());
        assert_eq!(parameter(start.location(), "max_age"), "300");
        let page = come_back(&browser, &start);
        let target = format!("{}/pay?x=1", browser.origin());
        assert_eq!(sent(&page), (target, fields(FORM.as_bytes())));
        assert!(sends_by_itself(&page));
        post(&browser, "/pay?x=1", FORM.as_bytes()).forwarded();

        world.pass(minutes(10));
        let start = post(&browser, "/pay", FORM.as_bytes());
        somebody_else_comes(&world);
        assert!(!sends_by_itself(&come_back(&browser, &start)));

        world.pass(minutes(10));
        let cors = ("sec-fetch-mode", "cors");
        let script = browser.request("POST", "/pay", Site::SameOrigin, &[TYPE, cors]);
        let refused = browser.send_with(script, Body::Bytes(FORM.into()));
        assert_eq!(refused.code(), "insufficient_user_authentication");
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(challenge.ends_with("max_age=\"300\""), "{challenge}");
        let large = post(&browser, "/pay", &[b'x'; 12_001]);
        assert_eq!(large.code(), "insufficient_user_authentication");
    }
}

#[test]
fn only_a_page_of_this_site_can_have_its_form_kept() {
    const OWN: &str = "https://app.example.com";
    let world = world();
    let browser = late(&world);
    let site = |value| ("sec-fetch-site", value);
    let origin = |value| ("origin", value);
    for (headers, is_kept) in [
        (vec![site("same-origin")], true),
        (vec![site("same-origin"), origin(OWN)], true),
        (vec![origin(OWN)], true),
        (vec![site("none")], false),
        (vec![site("none"), origin(OWN)], false),
        (vec![site("same-origin"), origin("null")], false),
        (
            vec![site("same-origin"), origin("https://app.example.com:8443")],
            false,
        ),
        (
            vec![site("same-origin"), origin(OWN), origin("null")],
            false,
        ),
        (vec![site("same-site"), origin(OWN)], false),
        (vec![("referer", "https://app.example.com/form")], false),
        (vec![], false),
    ] {
        let mut all = vec![TYPE, ("accept", "text/html"), ("sec-fetch-site", "")];
        all.extend_from_slice(&headers);
        let request = browser.request("POST", "/orders", Site::SameOrigin, &all);
        let mut said = request.headers().to_vec();
        said.retain(|(_, value)| !value.is_empty());
        let request = Request::new(said);
        let outcome = browser.send_with(request, Body::Bytes(FORM.into()));
        match is_kept {
            true => assert_eq!(outcome.status(), 303, "{headers:?}"),
            false => assert_eq!(outcome.code(), "login_required", "{headers:?}"),
        }
        browser.cookies.borrow_mut().tamper().clear();
    }
}

#[test]
fn a_form_as_large_as_allowed_is_kept_and_a_larger_one_is_not() {
    let world = world();
    let browser = late(&world);
    let form = format!("text={}", "x".repeat(12_000 - 5));
    let start = post(&browser, "/orders", form.as_bytes());
    let page = come_back(&browser, &start);
    assert_eq!(sent(&page).1, fields(form.as_bytes()));
    world.pass(minutes(61));
    let refused = post(&browser, "/orders", format!("{form}x").as_bytes());
    assert_eq!(refused.code(), "login_required");
}

#[test]
fn what_is_no_form_of_this_site_is_refused() {
    let world = world();
    let browser = late(&world);
    let form = || Body::Bytes(FORM.into());
    for (name, headers) in [
        (
            "a file",
            vec![("content-type", "multipart/form-data; boundary=x")],
        ),
        ("no type", vec![]),
        ("another site", vec![TYPE, ("sec-fetch-site", "cross-site")]),
        (
            "another host of the site",
            vec![TYPE, ("sec-fetch-site", "same-site")],
        ),
        ("a websocket", vec![TYPE, ("upgrade", "websocket")]),
    ] {
        let outcome = post_with(&browser, "/orders", form(), &headers);
        assert_eq!(outcome.code(), "login_required", "{name}");
    }
    let script = browser.request(
        "POST",
        "/orders",
        Site::SameOrigin,
        &[TYPE, ("sec-fetch-mode", "cors")],
    );
    assert_eq!(browser.send_with(script, form()).code(), "login_required");
    for (name, form) in [("not text", "a=%ff"), ("a NUL", "a=%00")] {
        let outcome = post(&browser, "/orders", form.as_bytes());
        assert_eq!(outcome.code(), "login_required", "{name}");
    }
    let long = format!("/orders?{}", "x".repeat(1024));
    let outcome = post(&browser, &long, FORM.as_bytes());
    assert_eq!(outcome.code(), "login_required", "a target that is cut");
}

#[test]
fn without_the_setting_no_form_is_kept() {
    let world = World::new();
    let browser = late(&world);
    let outcome = post(&browser, "/orders", FORM.as_bytes());
    assert_eq!(outcome.code(), "login_required");
}

#[test]
fn a_form_that_the_proxy_does_not_show_is_an_error_that_says_so() {
    let world = world();
    let browser = late(&world);
    let outcome = post_with(&browser, "/orders", Body::Hidden, &[TYPE]);
    assert_eq!(
        (outcome.status(), outcome.code().as_str()),
        (408, "body_not_delivered")
    );
}

/// The browser keeps one form; the other tab is told that its own is gone.
#[test]
fn of_two_tabs_the_later_form_is_kept_and_the_earlier_is_told() {
    let world = world();
    let browser = late(&world);
    let first = post(&browser, "/first", b"tab=1");
    let second = post(&browser, "/second", b"tab=2");
    let page = come_back(&browser, &first);
    let body = &page.answered().body;
    assert!(body.contains("could not be kept"), "{body}");
    assert!(body.contains("/first"), "{body}");
    let page = come_back(&browser, &second);
    assert_eq!(sent(&page).1, fields(b"tab=2"));
}

#[test]
fn a_login_that_fails_sends_nothing_and_keeps_nothing() {
    let world = world();
    let browser = late(&world);
    let start = post(&browser, "/orders", FORM.as_bytes());
    world
        .provider
        .break_down(Purpose::Token, Answer::Status(500));
    let page = come_back(&browser, &start);
    assert_eq!(page.code(), "token_refused");
    assert!(browser.cookie_names("__Secure-portero-form").is_empty());
}

#[test]
fn a_form_never_reaches_the_upstream_as_a_cookie() {
    let world = world();
    let browser = late(&world);
    post(&browser, "/orders", FORM.as_bytes());
    let request = browser.request("GET", "/oauth2/callback/public", Site::Typed, &[]);
    let sent = request.all("cookie").collect::<Vec<_>>().concat();
    assert!(String::from_utf8(sent).unwrap().contains("portero-form"));
    let request = browser.request("GET", "/orders", Site::Typed, &[]);
    let sent = request.all("cookie").collect::<Vec<_>>().concat();
    assert!(!String::from_utf8(sent).unwrap().contains("portero-form"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_form_of_text_is_sent_as_it_was_filled_in(
        pairs in proptest::collection::vec(("[^\0\u{fffd}]{0,12}", "[^\0\u{fffd}]{0,40}"), 0..8)
    ) {
        let world = world();
        let browser = late(&world);
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let start = post(&browser, "/orders", form.as_bytes());
        let page = come_back(&browser, &start);
        prop_assert_eq!(sent(&page).1, pairs);
    }
}
