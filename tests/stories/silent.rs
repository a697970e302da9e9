//! Sessions without a refresh token that go on by way of the provider, which asks nobody.

mod failures;

use portero::telemetry::Purpose;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::browser::{Browser, HOST, parameter};
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::{Answer, SUBJECT};
use crate::world::{World, minutes, seconds};

const COOKIE: &str = "__Host-portero";

/// Access tokens last five minutes; the upstream gets them.
fn world() -> World {
    with(|settings| {
        settings["upstream"] = json!({"headers": {
            "authorization": {"access_token": "bearer"},
            "x-userinfo": {"userinfo": "base64_json"},
        }});
    })
}

fn with(change: impl FnOnce(&mut Value)) -> World {
    let world = World::with(|settings| {
        settings["session"]["prompt_none_renewal"] = json!(true);
        change(settings);
    });
    let mut script = world.provider.script.borrow_mut();
    script.tells_authentication = true;
    script.token_response = vec![("expires_in", json!(300))];
    drop(script);
    world
}

fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

/// The `prompt` of every authorization request, in order.
fn prompts(world: &World) -> Vec<String> {
    let queries = world.provider.authorizations.borrow();
    let prompt = |query: &String| {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let mut prompts = pairs.filter(|(name, _)| name == "prompt");
        let found = prompts
            .next()
            .map_or(String::new(), |(_, value)| value.into_owned());
        assert!(prompts.next().is_none(), "{query}");
        found
    };
    queries.iter().map(prompt).collect()
}

fn has_session(browser: &Browser) -> bool {
    browser.cookie_names(COOKIE).contains(&COOKIE.to_owned())
}

#[test]
fn a_page_opened_at_the_end_of_the_access_token_renews_the_session() {
    let world = world();
    let browser = logged_in(&world);
    let before = browser
        .go("/")
        .forwarded()
        .header("authorization")
        .to_owned();
    world.pass(seconds(239));
    browser.go("/").forwarded();
    world.pass(seconds(60));
    let start = browser.go("/page?x=1");
    assert_eq!(parameter(start.location(), "prompt"), "none");
    let (target, outcome) = browser.browse("/page?x=1");
    // The attempt above never came back, and is not repeated at once.
    assert_eq!(target, "/page?x=1");
    outcome.forwarded();
    assert_eq!(prompts(&world), [""]);
    let callback = browser.back_from_provider(start.location());
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!(end.location(), "https://app.example.com/page?x=1");
    let after = browser
        .go("/")
        .forwarded()
        .header("authorization")
        .to_owned();
    assert_ne!(after, before);
    world.pass(seconds(200));
    browser.go("/").forwarded();
    assert_eq!(prompts(&world), ["", "none"]);
}

#[test]
fn nothing_else_than_opening_a_page_renews() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(295));
    browser.fetch("/api").forwarded();
    browser.post("/form", Site::SameOrigin).forwarded();
    let html = ("accept", "text/html");
    let navigate = ("sec-fetch-mode", "navigate");
    let head = [html, navigate, ("sec-fetch-dest", "document")];
    browser
        .send(browser.request("HEAD", "/", Site::SameOrigin, &head))
        .forwarded();
    let frame = [html, navigate, ("sec-fetch-dest", "iframe")];
    browser
        .send(browser.request("GET", "/", Site::SameOrigin, &frame))
        .forwarded();
    assert_eq!(prompts(&world), [""]);
    // Browsers that do not say what a page is for.
    let old = [html];
    let outcome = browser.send(browser.request("GET", "/", Site::SameOrigin, &old));
    assert_eq!(parameter(outcome.location(), "prompt"), "none");
    world.pass(seconds(6));
    assert_eq!(browser.fetch("/api").code(), "login_required");
}

#[test]
fn a_renewal_goes_on_with_the_lifetime_of_the_login() {
    let world = world();
    let browser = logged_in(&world);
    let began = world.land.now();
    while world.land.now().since(began) < minutes(8 * 60 - 5) {
        world.pass(seconds(260));
        let (_, outcome) = browser.browse("/");
        outcome.forwarded();
    }
    let silent = prompts(&world);
    assert!(silent.len() > 90);
    assert!(silent[1..].iter().all(|prompt| prompt == "none"));
    while world.land.now().since(began) < minutes(8 * 60) {
        world.pass(seconds(30));
        browser.fetch("/api");
    }
    assert_eq!(browser.fetch("/api").code(), "login_required");
    let start = browser.go("/");
    assert!(!start.location().contains("prompt="));
}

#[test]
fn somebody_else_at_the_provider_gets_a_session_of_their_own() {
    let world = world();
    let browser = logged_in(&world);
    let began = world.land.now();
    world.pass(minutes(4) + seconds(30));
    world
        .provider
        .tamper(|token| token.claims["sub"] = json!("user-2"));
    world.provider.script.borrow_mut().userinfo = json!({"sub": "user-2"});
    let (_, outcome) = browser.browse("/");
    assert_eq!(outcome.forwarded().userinfo()["sub"], "user-2");
    while world.land.now().since(began) < minutes(8 * 60) {
        world.pass(minutes(4) + seconds(20));
        browser.browse("/").1.forwarded();
    }
    let prompts = prompts(&world);
    assert!(
        prompts[1..].iter().all(|prompt| prompt == "none"),
        "{prompts:?}"
    );
}

/// The session is over; the person logs in at once, where they wanted to be.
#[test]
fn a_provider_that_has_to_ask_ends_the_session() {
    let world = world();
    let browser = logged_in(&world);
    world.provider.script.borrow_mut().authenticated = None;
    world.pass(seconds(295));
    let start = browser.go("/page");
    let callback = browser.back_from_provider(start.location());
    assert_eq!(parameter(&callback, "error"), "login_required");
    let login = browser.come_from_elsewhere(&callback);
    assert!(
        login
            .location()
            .starts_with("https://idp.example.com/authorize?")
    );
    assert!(!login.location().contains("prompt="));
    assert!(!has_session(&browser));
    assert_eq!(browser.fetch("/api").code(), "login_required");
    let callback = browser.back_from_provider(login.location());
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!(end.location(), "https://app.example.com/page");
    browser.go("/page").forwarded();
    assert_eq!(prompts(&world), ["", "none", ""]);
    assert!(browser.cookie_names("__Host-portero-login-").is_empty());
}

#[test]
fn every_way_to_say_so_ends_the_session_and_asks_once() {
    for error in [
        "login_required",
        "interaction_required",
        "consent_required",
        "account_selection_required",
    ] {
        let world = world();
        let browser = logged_in(&world);
        world.pass(seconds(295));
        // It says so to the login too: that is an error, and no reason to begin again.
        world.provider.script.borrow_mut().denial = Some(error.to_owned());
        let (_, outcome) = browser.browse("/page");
        assert_eq!(outcome.code(), format!("authorization_{error}"));
        assert_eq!(prompts(&world), ["", "none", ""]);
        assert!(!has_session(&browser), "{error}");
        let line = format!("audit event=session_end code=authorization_{error} ");
        let told = world.land.lines(&line);
        assert!(told.len() == 1 && told[0].contains(" sub=user-1 session="));
    }
}

#[test]
fn a_provider_that_nobody_knows_keeps_nobody_from_their_pages() {
    let world = with(|_| ());
    let browser = logged_in(&world);
    world.provider.go_down();
    let fresh = world.another_process();
    browser.moves_to(&fresh);
    world.pass(minutes(10));
    browser.go("/").forwarded();
    fresh.tick();
    browser.go("/").forwarded();
    assert_eq!(prompts(&world), [""]);
    world.provider.recover();
    world.pass(seconds(5));
    fresh.tick();
    browser.browse("/").1.forwarded();
    assert_eq!(prompts(&world), ["", "none"]);
}

/// A browser that keeps the session and loses the login: not once around and around.
#[test]
fn a_login_cookie_that_is_lost_makes_no_loop() {
    let world = with(|_| ());
    let browser = logged_in(&world);
    world.pass(minutes(10));
    let start = browser.go("/page");
    let callback = browser.back_from_provider(start.location());
    let is_login = |name: &str| name.contains("-login-");
    let mut cookies = browser.cookies.borrow_mut();
    cookies.tamper().retain(|cookie| !is_login(&cookie.name));
    drop(cookies);
    let (target, outcome) = browser.browse(&callback);
    assert_eq!(target, "/");
    outcome.forwarded();
    assert_eq!(prompts(&world), ["", "none"]);
}

#[test]
fn no_session_is_renewed_sooner_than_after_a_minute() {
    let world = with(|_| ());
    world.provider.script.borrow_mut().token_response = vec![("expires_in", json!(5))];
    let browser = logged_in(&world);
    let mut renewals = 0;
    for _ in 0..120 {
        world.pass(seconds(5));
        browser.browse("/").1.forwarded();
        renewals = prompts(&world).len() - 1;
    }
    assert!((9..=10).contains(&renewals), "{renewals}");
}

#[test]
fn what_the_configuration_asks_of_all_prompts_is_asked_of_logins_only() {
    let world = with(|settings| {
        settings["providers"]["corp"]["authorization_params"] = json!({"prompt": "login"});
    });
    let browser = logged_in(&world);
    world.pass(minutes(10));
    browser.browse("/").1.forwarded();
    assert_eq!(prompts(&world), ["login", "none"]);
}

/// The session has shown what the rule demands, and the provider would have to ask the person for it.
#[test]
fn a_renewal_does_not_ask_for_what_the_session_has_shown() {
    let world = with(|settings| {
        settings["rules"] = json!([
            {"authentication": {"max_age": "5m", "acr_values": ["gold"]}},
        ]);
    });
    let browser = logged_in(&world);
    // Longer ago than the provider would take, and recent enough with the skew of clocks.
    world.pass(minutes(5) + seconds(30));
    browser.browse("/").1.forwarded();
    assert_eq!(prompts(&world), ["", "none"]);
    let last = world.provider.authorizations.borrow().last().cloned();
    let last = last.unwrap();
    assert!(
        !last.contains("max_age") && !last.contains("acr_values"),
        "{last}"
    );
    world.pass(minutes(1));
    let start = browser.go("/");
    assert_eq!(parameter(start.location(), "max_age"), "300");
    assert_eq!(parameter(start.location(), "acr_values"), "gold");
}

#[test]
fn a_session_with_a_refresh_token_and_one_where_nobody_asks_for_it_stay_here() {
    let refreshing = with(|_| ());
    refreshing.provider.script.borrow_mut().refreshes = true;
    let unasked = with(|settings| settings["session"]["prompt_none_renewal"] = json!(false));
    for world in [refreshing, unasked] {
        let browser = logged_in(&world);
        for _ in 0..10 {
            world.pass(minutes(10));
            browser.go("/").forwarded();
        }
        assert_eq!(prompts(&world), [""]);
    }
}

#[test]
fn claims_are_read_again_between_renewals() {
    let world = with(|settings| settings["session"]["reread_claims"] = json!("1m"));
    let browser = logged_in(&world);
    world.provider.script.borrow_mut().userinfo = json!({"sub": SUBJECT, "name": "Ada King"});
    world.pass(seconds(61));
    assert_eq!(browser.go("/").forwarded().userinfo()["name"], "Ada King");
    world.pass(seconds(235));
    browser.browse("/").1.forwarded();
    assert_eq!(prompts(&world), ["", "none"]);
    world.pass(seconds(200));
    browser.go("/").forwarded();
}

#[test]
fn two_tabs_renew_in_any_order() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(295));
    let requests = ["/one", "/two"].map(|target| browser.navigation(target, Site::Typed));
    let starts = requests.map(|request| world.worker.serve(request));
    for start in &starts {
        browser.keep(start);
    }
    let callbacks = starts.map(|start| browser.back_from_provider(start.location()));
    for (callback, target) in callbacks.iter().zip(["/one", "/two"]).rev() {
        let end = browser.come_from_elsewhere(callback);
        assert_eq!(end.location(), format!("https://{HOST}{target}"));
        browser.go(target).forwarded();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever tokens live, and whatever the provider answers: a click goes to the provider twice at
    /// most, once silently, and ends.
    #[test]
    fn no_provider_and_no_token_send_a_person_in_circles(
        expires_in in prop::option::of(1_u64..400),
        forwards in any::<bool>(),
        waits in prop::collection::vec(0_u64..400, 1..6),
        answers in prop::collection::vec(0_usize..7, 6),
        reread in any::<bool>(),
    ) {
        let world = with(|settings| {
            if forwards {
                settings["upstream"] = json!({"headers": {"x-token": {"access_token": "raw"}}});
            }
            if reread {
                settings["session"]["reread_claims"] = json!("30s");
            }
        });
        world.provider.script.borrow_mut().token_response = vec![("expires_in", json!(expires_in))];
        let browser = world.browser();
        browser.browse("/");
        for (wait, answer) in waits.into_iter().zip(answers) {
            world.pass(seconds(wait));
            let mut script = world.provider.script.borrow_mut();
            script.faults.clear();
            script.denial = None;
            script.id_token = None;
            match answer {
                0 => script.authenticated = None,
                1 => script.denial = Some("login_required".to_owned()),
                2 => script.denial = Some("server_error".to_owned()),
                3 => script.faults.push((Purpose::Token, Answer::refused("invalid_grant"))),
                4 => script.faults.push((Purpose::Userinfo, Answer::Status(401))),
                5 => script.id_token = Some(Box::new(|token| token.claims["sub"] = json!("user-2"))),
                _ => {}
            }
            drop(script);
            let before = prompts(&world).len();
            let (_, outcome) = browser.browse("/x");
            let asked = prompts(&world).split_off(before);
            prop_assert!(asked.len() <= 2, "{asked:?}");
            prop_assert!(asked.iter().filter(|prompt| *prompt == "none").count() <= 1);
            if let Outcome::Answered(response) = outcome {
                prop_assert!(response.status >= 400);
            }
        }
    }
}
