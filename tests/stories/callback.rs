//! The provider sends the browser back.

use crate::browser::{HOST, parameter};
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::ISSUER;
use crate::world::World;
use portero::telemetry::Purpose;
use serde_json::json;

#[track_caller]
fn ends_in(outcome: &Outcome, status: u16, code: &str) {
    assert_eq!((outcome.status(), outcome.code().as_str()), (status, code));
}

#[test]
fn a_state_that_nobody_gave_out_is_refused() {
    let world = World::new();
    let browser = world.browser();
    browser.login_until_callback("/");
    for state in [
        "",
        "x",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "../../..",
        "a=b; c",
        "%FF",
    ] {
        let end = browser.come_from_elsewhere(&format!("/oauth2/callback?code=x&state={state}"));
        ends_in(&end, 400, "login_unknown");
    }
    assert_eq!(world.provider.called(Purpose::Token), 0);
    assert_eq!(browser.cookie_names("__Host-portero-login-").len(), 1);
}

#[test]
fn another_browsers_state_is_refused() {
    let world = World::new();
    let (attacker, victim) = (world.browser(), world.browser());
    let callback = attacker.login_until_callback("/");
    victim.go("/");
    ends_in(&victim.come_from_elsewhere(&callback), 400, "login_unknown");
    assert_eq!(world.provider.called(Purpose::Token), 0);
    assert!(!victim.is_logged_in());
}

#[test]
fn the_cookie_of_another_login_does_not_fit() {
    let world = World::new();
    let browser = world.browser();
    let one = browser.login_until_callback("/one");
    let two = browser.login_until_callback("/two");
    {
        let mut cookies = browser.cookies.borrow_mut();
        let all = cookies.tamper();
        let value = all[0].value.clone();
        all[0].value = all[1].value.clone();
        all[1].value = value;
    }
    ends_in(&browser.come_from_elsewhere(&one), 400, "login_unknown");
    ends_in(&browser.come_from_elsewhere(&two), 400, "login_unknown");
}

#[test]
fn a_callback_with_missing_or_double_parameters_is_refused() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    let (state, code) = (parameter(&callback, "state"), parameter(&callback, "code"));
    for query in [
        String::new(),
        "?".to_owned(),
        format!("?state={state}"),
        format!("?code={code}"),
        format!("?state={state}&code="),
        format!("?state={state}&state={state}&code={code}"),
        format!("?state={state}&code={code}&code={code}"),
        format!("?state={state}&code={code}&error=access_denied"),
        format!("?state={state}&error=access_denied&error=x"),
        format!("?state={state}&code={code}&iss=a&iss=a"),
        format!("?state={state}&code={}", "x".repeat(9000)),
    ] {
        let end = browser.come_from_elsewhere(&format!("/oauth2/callback{query}"));
        ends_in(&end, 400, "callback_malformed");
    }
    // None of it disturbed the login.
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!(end.location(), format!("https://{HOST}/"));
}

#[test]
fn only_the_exact_path_is_the_callback() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    let query = callback.split_once('?').unwrap().1;
    for path in ["/oauth2/callback/", "/oauth2/callbackx", "/oauth2/Callback"] {
        let outcome = world.browser().go(&format!("{path}?{query}"));
        assert!(outcome.location().starts_with("https://idp.example.com/"));
    }
    // Readings that differ are refused.
    for path in [
        "/oauth2//callback",
        "/oauth2/callback;x=1",
        "/oauth2%2Fcallback",
    ] {
        let outcome = browser.go(&format!("{path}?{query}"));
        ends_in(&outcome, 400, "path_ambiguous");
    }
    assert_eq!(world.provider.called(Purpose::Token), 0);
}

#[test]
fn the_callback_takes_only_get() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    for method in ["POST", "HEAD", "PUT", "OPTIONS"] {
        let request = browser.request(method, &callback, Site::Cross, &[("accept", "text/html")]);
        let outcome = browser.send(request);
        ends_in(&outcome, 405, "method_not_allowed");
        assert_eq!(outcome.header("allow"), Some("GET"), "{method}");
    }
}

#[test]
fn every_error_of_the_provider_has_a_page_and_a_code() {
    for (error, status, code) in [
        ("access_denied", 403, "authorization_access_denied"),
        ("login_required", 403, "authorization_login_required"),
        (
            "interaction_required",
            403,
            "authorization_interaction_required",
        ),
        ("consent_required", 403, "authorization_consent_required"),
        (
            "account_selection_required",
            403,
            "authorization_account_selection_required",
        ),
        ("invalid_request", 502, "authorization_invalid_request"),
        ("invalid_scope", 502, "authorization_invalid_scope"),
        (
            "unauthorized_client",
            502,
            "authorization_unauthorized_client",
        ),
        (
            "unsupported_response_type",
            502,
            "authorization_unsupported_response_type",
        ),
        ("server_error", 502, "authorization_server_error"),
        (
            "temporarily_unavailable",
            503,
            "authorization_temporarily_unavailable",
        ),
        ("<script>alert(1)</script>", 502, "authorization_error"),
        ("", 502, "authorization_error"),
    ] {
        let world = World::new();
        world.provider.script.borrow_mut().denial = Some(error.to_owned());
        let browser = world.browser();
        let callback = browser.login_until_callback("/orders");
        let end = browser.come_from_elsewhere(&callback);
        ends_in(&end, status, code);
        let body = &end.answered().body;
        assert!(!body.contains("what the provider says"));
        assert!(!body.contains("<script"));
        assert!(body.contains("/orders\""), "nowhere to start over");
        assert_eq!(world.land.counted(&format!("portero.failure.{code}")), 1);
        assert_eq!(world.land.lines(&format!("code={code} ")).len(), 1);
        assert!(browser.cookie_names("__Host-portero").is_empty());
        assert_eq!(world.provider.called(Purpose::Token), 0);
    }
}

fn announces(world: &World) {
    world.provider.script.borrow_mut().metadata = vec![(
        "authorization_response_iss_parameter_supported",
        json!(true),
    )];
}

#[test]
fn the_iss_parameter_must_be_the_provider_whether_announced_or_not() {
    for announced in [true, false] {
        for (iss, accepted) in [
            (ISSUER.to_owned(), true),
            (format!("{ISSUER}/"), false),
            (ISSUER.to_uppercase(), false),
            ("https://evil.example".to_owned(), false),
            (String::new(), false),
        ] {
            let world = World::new();
            if announced {
                announces(&world);
            }
            world.provider.script.borrow_mut().iss_parameter = Some(iss);
            let browser = world.browser();
            let callback = browser.login_until_callback("/");
            let end = browser.come_from_elsewhere(&callback);
            if accepted {
                end.location();
            } else {
                ends_in(&end, 400, "authorization_issuer_mismatch");
                assert_eq!(world.provider.called(Purpose::Token), 0);
                assert!(browser.cookie_names("__Host-portero").is_empty());
            }
        }
    }
}

#[test]
fn an_announced_iss_parameter_must_be_there() {
    let world = World::new();
    announces(&world);
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    let end = browser.come_from_elsewhere(&callback);
    ends_in(&end, 400, "authorization_issuer_missing");
    assert_eq!(world.provider.called(Purpose::Token), 0);

    // On errors too (RFC 9207 section 2.4).
    world.provider.script.borrow_mut().denial = Some("access_denied".to_owned());
    let callback = browser.login_until_callback("/");
    let end = browser.come_from_elsewhere(&callback);
    ends_in(&end, 400, "authorization_issuer_missing");
}

#[test]
fn reserved_characters_of_id_and_secret_are_form_encoded_for_basic_and_sent_as_they_are_otherwise()
{
    let (id, secret) = ("cli:ent+id &ä", "s:e c+r%e&t=ü/secret, as long as a hash");
    for method in [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "none",
    ] {
        let world = World::with(|settings| {
            let client = &mut settings["providers"]["corp"]["client"];
            client["id"] = json!(id);
            client["authentication"] = match method {
                "none" => json!({"none": {}}),
                _ => json!({method: {"secret": secret}}),
            };
        });
        *world.provider.client.borrow_mut() = crate::provider::Registration {
            id: id.to_owned(),
            secret: secret.to_owned(),
            method,
        };
        world.land.keep_secret(secret);
        world.browser().log_in();
    }
}

#[test]
fn a_client_that_the_provider_does_not_know_is_told_apart() {
    let world = World::new();
    world.provider.client.borrow_mut().secret = "another secret".to_owned();
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    let end = browser.come_from_elsewhere(&callback);
    ends_in(&end, 502, "token_invalid_client");
}

#[test]
fn a_code_that_the_provider_does_not_know_is_told_apart() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    let forged = callback.replace("code=", "code=forged");
    ends_in(
        &browser.come_from_elsewhere(&forged),
        502,
        "token_invalid_grant",
    );
    assert!(browser.cookie_names("__Host-portero").is_empty());
}

#[test]
fn an_answer_that_comes_while_nothing_is_known_of_the_provider_can_be_tried_again() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/page");
    let elsewhere = world.another_process();
    world.provider.go_down();
    browser.moves_to(&elsewhere);
    let end = browser.come_from_elsewhere(&callback);
    ends_in(&end, 503, "provider_unavailable");
    assert_eq!(end.header("retry-after"), Some("5"));
    world.provider.recover();
    world.pass(crate::world::seconds(5));
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!(end.location(), format!("https://{HOST}/page"));
}
