//! What comes to the address of the back-channel logout and ends nothing.

use portero::request::Request;
use portero::telemetry::Purpose;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::back_channel::{
    EVENT, LogoutToken, PATH, form, is_done, is_refused, logged_in, post, sends, world, world_with,
};
use crate::browser::{HOST, request};
use crate::faults::ROWS;
use crate::provider::CLIENT_ID;
use crate::signer::Signer;
use crate::worker::Body;
use crate::world::{minutes, seconds};

const FORM: &str = "application/x-www-form-urlencoded";

/// The session lives after each of these.
#[track_caller]
fn refuses(code: &str, change: impl FnOnce(LogoutToken, u64) -> LogoutToken) {
    let world = world();
    let browser = logged_in(&world);
    let now = world.land.now().as_millis() / 1000;
    let token = change(LogoutToken::of(&world), now).signed();
    is_refused(&sends(&world.worker, &token), 400, code);
    assert!(browser.is_logged_in());
    assert_eq!(world.land.failures(), [(code.to_owned(), 1)].into());
}

#[track_caller]
fn accepts(change: impl FnOnce(LogoutToken, u64) -> LogoutToken) {
    let world = world();
    let browser = logged_in(&world);
    let now = world.land.now().as_millis() / 1000;
    let token = change(LogoutToken::of(&world), now).signed();
    is_done(&sends(&world.worker, &token));
    assert!(!browser.is_logged_in());
}

#[test]
fn sub_and_sid_both_missing() {
    refuses("logout_token_claim_missing", |token, _| {
        token.with("sub", Value::Null).with("sid", Value::Null)
    });
}

#[test]
fn sub_or_sid_empty_or_of_another_type() {
    for sid in [json!(""), json!(7), json!(["x"]), json!("x".repeat(256))] {
        refuses("logout_token_claim_invalid", |token, _| {
            token.with("sid", sid)
        });
    }
    for sub in [json!(""), json!("x".repeat(256))] {
        refuses("logout_token_subject_invalid", |token, _| {
            token.with("sub", sub)
        });
    }
    refuses("logout_token_claim_invalid", |token, _| {
        token.with("sub", json!(7))
    });
}

#[test]
fn exp_passed_or_missing() {
    refuses("logout_token_expired", |token, now| {
        token.with("exp", json!(now - 61))
    });
    accepts(|token, now| token.with("exp", json!(now - 59)));
    refuses("logout_token_claim_missing", |token, _| {
        token.with("exp", Value::Null)
    });
    refuses("logout_token_claim_invalid", |token, _| {
        token.with("exp", json!("soon"))
    });
}

#[test]
fn where_the_configuration_allows_it_a_token_without_exp_counts_for_two_minutes() {
    for (age, exp, expected) in [
        (0, Value::Null, None),
        (179, Value::Null, None),
        (181, Value::Null, Some("logout_token_issued_too_long_ago")),
        (0, json!("soon"), Some("logout_token_claim_invalid")),
        (0, json!(1), Some("logout_token_expired")),
    ] {
        let world = world_with(|settings| {
            let provider = &mut settings["providers"]["corp"];
            provider["insecure_logout_token_without_exp"] = json!(true);
        });
        let browser = logged_in(&world);
        let now = world.land.now().as_millis() / 1000;
        // The session is older than any of these.
        world.pass(seconds(age));
        let token = LogoutToken::of(&world)
            .with("iat", json!(now))
            .with("exp", exp)
            .signed();
        let outcome = sends(&world.worker, &token);
        match expected {
            None => {
                is_done(&outcome);
                is_refused(&sends(&world.worker, &token), 400, "logout_token_replayed");
            }
            Some(code) => is_refused(&outcome, 400, code),
        }
        assert_eq!(browser.is_logged_in(), expected.is_some());
    }
}

#[test]
fn iat_older_than_two_minutes_in_the_future_or_missing() {
    refuses("logout_token_issued_too_long_ago", |token, now| {
        token
            .with("iat", json!(now - 181))
            .with("exp", json!(now + 600))
    });
    refuses("logout_token_issued_in_future", |token, now| {
        token.with("iat", json!(now + 61))
    });
    refuses("logout_token_claim_missing", |token, _| {
        token.with("iat", Value::Null)
    });
    accepts(|token, now| token.with("iat", json!(now + 59)));
}

#[test]
fn not_valid_yet() {
    refuses("logout_token_not_yet_valid", |token, now| {
        token.with("nbf", json!(now + 61))
    });
}

#[test]
fn jti_missing_or_empty() {
    refuses("logout_token_claim_missing", |token, _| {
        token.with("jti", Value::Null)
    });
    for jti in [json!(""), json!(1), json!("x".repeat(256))] {
        refuses("logout_token_claim_invalid", |token, _| {
            token.with("jti", jti)
        });
    }
}

#[test]
fn jti_replayed_on_any_worker() {
    let world = world();
    let browser = logged_in(&world);
    let other = world.another_worker();
    other.tick();
    let token = LogoutToken::of(&world).signed();
    is_done(&sends(&world.worker, &token));
    world.pass(seconds(1));
    browser.log_in();
    for worker in [&world.worker, &other] {
        is_refused(&sends(worker, &token), 400, "logout_token_replayed");
    }
    assert!(browser.is_logged_in(), "what came after it is untouched");
    assert_eq!(world.land.counted("portero.logout.succeeded"), 1);
    world.pass(minutes(2));
    is_refused(&sends(&other, &token), 400, "logout_token_replayed");
    world.pass(minutes(2));
    is_refused(&sends(&other, &token), 400, "logout_token_expired");
}

#[test]
fn typ_other_than_logout_jwt() {
    for typ in [
        "at+jwt",
        "secevent+jwt",
        "logout+jwt ",
        "id_token",
        "application/at+jwt",
        "",
    ] {
        refuses("logout_token_type_mismatch", |mut token, _| {
            token.header["typ"] = typ.into();
            token
        });
    }
    // Older releases of widespread providers send `JWT`.
    for typ in [
        "logout+jwt",
        "LOGOUT+JWT",
        "application/logout+jwt",
        "JWT",
        "jwt",
    ] {
        accepts(|mut token, _| {
            token.header["typ"] = typ.into();
            token
        });
    }
    accepts(|mut token, _| {
        token.header.as_object_mut().unwrap().remove("typ");
        token
    });
    refuses("logout_token_header_invalid", |mut token, _| {
        token.header["typ"] = json!(["logout+jwt"]);
        token
    });
}

#[test]
fn several_audiences_are_fine_where_all_are_trusted() {
    refuses("logout_token_audience_untrusted", |token, _| {
        token.with("aud", json!([CLIENT_ID, "another"]))
    });
    accepts(|token, _| token.with("aud", json!([CLIENT_ID])));
}

#[test]
fn sid_of_another_issuer() {
    refuses("logout_token_issuer_mismatch", |token, _| {
        token.with("iss", json!("https://idp.example.com/realms/other"))
    });
}

#[test]
fn a_token_given_twice_or_not_at_all() {
    let world = world();
    let browser = logged_in(&world);
    let token = LogoutToken::of(&world).signed();
    let twice = form(&[("logout_token", &token), ("logout_token", &token)]);
    let other = form(&[("logout_token", &token), ("logout_token", "")]);
    let misnamed = form(&[("Logout_token", &token)]);
    for body in [
        twice,
        other,
        misnamed,
        Body::Empty,
        Body::Bytes(vec![0xff; 64]),
    ] {
        let outcome = world.worker.serve_with(post(FORM), body);
        is_refused(&outcome, 400, "backchannel_logout_malformed");
    }
    assert!(browser.is_logged_in());
    let beside = form(&[("state", "x"), ("logout_token", &token), ("x", "")]);
    is_done(
        &world
            .worker
            .serve_with(post(&format!("{FORM}; charset=utf-8")), beside),
    );
    assert!(!browser.is_logged_in());
}

#[test]
fn another_content_type() {
    let world = world();
    let browser = logged_in(&world);
    let token = LogoutToken::of(&world).signed();
    for content_type in ["", "text/plain", "application/json", "multipart/form-data"] {
        let body = form(&[("logout_token", &token)]);
        let outcome = world.worker.serve_with(post(content_type), body);
        is_refused(&outcome, 400, "backchannel_logout_malformed");
    }
    assert!(browser.is_logged_in());
}

#[test]
fn get_instead_of_post() {
    let world = world();
    let browser = logged_in(&world);
    let token = LogoutToken::of(&world).signed();
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let target = format!("{PATH}?logout_token={token}");
        let sent = request(&[
            (":method", method),
            (":authority", HOST),
            (":path", &target),
            ("content-type", FORM),
            ("accept", "text/html"),
        ]);
        let outcome = world.worker.serve(sent);
        is_refused(&outcome, 405, "method_not_allowed");
        assert_eq!(outcome.header("allow"), Some("POST"));
    }
    // Nor is a token in the query of a POST.
    let mut headers = post(FORM).headers().to_vec();
    headers[3].1 = format!("{PATH}?logout_token={token}").into_bytes();
    let outcome = world.worker.serve(Request::new(headers));
    is_refused(&outcome, 400, "backchannel_logout_malformed");
    assert!(browser.is_logged_in());
}

#[test]
fn a_body_that_is_too_large_or_does_not_come() {
    let world = world();
    let browser = logged_in(&world);
    let mut large = format!("logout_token={}&x=", LogoutToken::of(&world).signed()).into_bytes();
    large.resize(2 * 1024 * 1024, b'x');
    let outcome = world.worker.serve_with(post(FORM), Body::Bytes(large));
    is_refused(&outcome, 413, "body_too_large");
    let outcome = world.worker.serve_with(post(FORM), Body::Hidden);
    is_refused(&outcome, 408, "body_not_delivered");
    assert!(browser.is_logged_in());
}

#[test]
fn an_encrypted_token() {
    let world = world();
    let browser = logged_in(&world);
    let outcome = sends(&world.worker, "eyJhbGciOiJSU0EtT0FFUCJ9.YQ.YQ.YQ.YQ");
    is_refused(&outcome, 400, "logout_token_encrypted");
    assert!(browser.is_logged_in());
}

#[test]
fn an_id_token_is_no_logout_token() {
    let world = world();
    let browser = logged_in(&world);
    let now = world.land.now().as_millis() / 1000;
    // It has no events; and if it had, its nonce would tell.
    for (events, code) in [
        (Value::Null, "logout_token_claim_missing"),
        (json!({EVENT: {}}), "logout_token_type_mismatch"),
    ] {
        let mut token = LogoutToken::of(&world)
            .with("events", events)
            .with("nonce", json!("n-0S6_WzA2Mj"))
            .with("exp", json!(now + 300));
        token.header["typ"] = "JWT".into();
        is_refused(&sends(&world.worker, &token.signed()), 400, code);
    }
    assert!(browser.is_logged_in());
}

#[test]
fn a_logout_token_is_no_id_token() {
    type Change = fn(&mut crate::provider::IdToken);
    let changes: [Change; 4] = [
        |token| token.header["typ"] = "logout+jwt".into(),
        |token| token.header["typ"] = "Application/Logout+JWT".into(),
        |token| drop(token.claims.insert("events".to_owned(), json!({EVENT: {}}))),
        |token| {
            drop(
                token
                    .claims
                    .insert("events".to_owned(), json!({EVENT: null})),
            )
        },
    ];
    for change in changes {
        let world = world();
        world.provider.tamper(change);
        let browser = world.browser();
        let callback = browser.login_until_callback("/");
        let outcome = browser.come_from_elsewhere(&callback);
        assert_eq!(outcome.code(), "id_token_type_mismatch");
        assert!(!browser.is_logged_in());
    }
    // Other events of a provider's are its own affair.
    let world = world();
    world.provider.tamper(|token| {
        token.claims.insert("events".to_owned(), json!(["login"]));
    });
    world.browser().log_in();
}

#[test]
fn new_keys_are_fetched_for_it() {
    let world = world();
    let browser = logged_in(&world);
    world.provider.rotate(Signer::es256("second", 9));
    is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
    assert!(!browser.is_logged_in());
    assert_eq!(world.provider.called(Purpose::Jwks), 2);
    // And not for every token of a stranger's.
    for _ in 0..5 {
        let mut token = LogoutToken::of(&world);
        token.header["kid"] = "third".into();
        let outcome = sends(&world.worker, &token.signed());
        is_refused(&outcome, 400, "logout_token_key_unknown");
    }
    assert_eq!(world.provider.called(Purpose::Jwks), 2);
}

/// The provider is told whether it may try again, and tries again with success.
#[test]
fn every_fault_of_the_keys() {
    for row in &ROWS {
        let world = world();
        let browser = logged_in(&world);
        world.provider.rotate(Signer::es256("second", 9));
        world
            .provider
            .break_down(Purpose::Jwks, (row.answer)(Purpose::Jwks));
        let started_at = world.land.now();
        let outcome = sends(&world.worker, &LogoutToken::of(&world).signed());
        is_refused(&outcome, 400, "logout_token_key_unknown");
        assert!(
            world.land.now().since(started_at) < seconds(6),
            "{}",
            row.name
        );
        assert!(browser.is_logged_in(), "{}", row.name);
        world.provider.recover();
        world.pass(minutes(1));
        is_done(&sends(&world.worker, &LogoutToken::of(&world).signed()));
        assert!(!browser.is_logged_in(), "{}", row.name);
    }
}

/// In an Envoy that knows nothing of the provider yet.
#[test]
fn every_fault_of_metadata_and_keys() {
    for purpose in [Purpose::Discovery, Purpose::Jwks] {
        for row in &ROWS {
            let world = world();
            let browser = logged_in(&world);
            let fresh = world.another_process();
            world.provider.break_down(purpose, (row.answer)(purpose));
            let token = LogoutToken::of(&world).signed();
            let outcome = sends(&fresh, &token);
            is_refused(&outcome, 503, "provider_unavailable");
            browser.moves_to(&fresh);
            assert!(browser.is_logged_in(), "{}", row.name);
            world.provider.recover();
            world.pass(seconds(3));
            // The same token: it has not been used.
            is_done(&sends(&fresh, &token));
            assert!(!browser.is_logged_in(), "{}", row.name);
        }
    }
}

#[test]
fn what_cannot_be_noted_is_not_promised_and_may_come_again() {
    let world = world();
    let browser = logged_in(&world);
    let token = LogoutToken::of(&world).signed();
    world.land.random_fails.set(true);
    let outcome = sends(&world.worker, &token);
    is_refused(&outcome, 503, "logout_not_recorded");
    assert_eq!(outcome.header("retry-after"), Some("5"));
    world.land.random_fails.set(false);
    assert!(browser.is_logged_in());
    is_done(&sends(&world.worker, &token));
    assert!(!browser.is_logged_in());
}

/// Whatever a stranger writes: an answer, and nobody logged out.
#[test]
fn no_body_ends_a_session_by_chance() {
    let world = world();
    let browser = logged_in(&world);
    let part = prop_oneof![
        vec(any::<u8>(), 0..40),
        Just(b"logout_token=".to_vec()),
        Just(b"&".to_vec()),
        Just(b"%".to_vec()),
        Just(b".".to_vec()),
        Just(LogoutToken::of(&world).signed().into_bytes()[..80].to_vec()),
    ];
    proptest!(|(parts in vec(part, 0..8))| {
        let outcome = world.worker.serve_with(post(FORM), Body::Bytes(parts.concat()));
        prop_assert_eq!(outcome.status(), 400);
        prop_assert!(outcome.set_cookies().is_empty());
    });
    assert!(browser.is_logged_in());
}
