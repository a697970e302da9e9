//! `oidcc-client-back-channel-logout-rp-basic`, the prefix `oidcc-client-test-` left out.

use serde_json::{Value, json};

use crate::back_channel::{
    EVENT, LogoutToken, is_done, is_refused, names_sessions, sends, world_with,
};
use crate::browser::{Browser, parameter};
use crate::signer::{Signer, encode};
use crate::suite::logs_in;
use crate::world::{World, seconds};

fn logged_in() -> (World, Browser) {
    let world = world_with(|_| ());
    names_sessions(&world, "the suite's session");
    let browser = logs_in(&world);
    world.pass(seconds(1));
    (world, browser)
}

/// The suite's good token names the subject alone.
fn good(world: &World) -> LogoutToken {
    LogoutToken::of(world).with("sid", Value::Null)
}

/// The session lives after a bad token, and no longer after a good one.
#[track_caller]
fn refuses(code: &str, token: impl FnOnce(LogoutToken) -> String) {
    let (world, browser) = logged_in();
    let bad = token(good(&world));
    is_refused(&sends(&world.worker, &bad), 400, code);
    assert!(browser.is_logged_in());
    assert_eq!(world.land.counted("portero.logout.succeeded"), 0);
    is_done(&sends(&world.worker, &good(&world).signed()));
    assert!(!browser.is_logged_in());
}

#[test]
fn rp_backchannel_rpinitlogout() {
    let (world, browser) = logged_in();
    let end = browser.go("/oauth2/logout");
    let state = parameter(end.location(), "state");
    is_done(&sends(&world.worker, &good(&world).signed()));
    let page = browser.come_from_elsewhere(&format!("/oauth2/logged-out?state={state}"));
    assert_eq!(page.status(), 200);
    assert!(page.answered().body.contains("You are signed out."));
    assert!(!browser.is_logged_in());
    assert!(world.land.failures().is_empty());
}

#[test]
fn rp_backchannel_rpinitlogout_alg_none() {
    refuses("logout_token_algorithm_refused", |token| {
        let header = json!({"alg": "none", "typ": "logout+jwt"});
        let claims = Value::Object(token.claims).to_string();
        format!("{}.{}.", encode(header.to_string()), encode(claims))
    });
}

#[test]
fn rp_backchannel_rpinitlogout_wrong_alg() {
    // The key that signs is the provider's, and there is none of it for this algorithm.
    refuses("logout_token_key_unknown", |mut token| {
        token.header["alg"] = "RS256".into();
        token.signed()
    });
    refuses("logout_token_algorithm_refused", |mut token| {
        token.header["alg"] = "HS256".into();
        token.signed()
    });
    let (world, browser) = logged_in();
    let strict = world.reconfigured(|settings| {
        settings["providers"]["corp"]["id_token"] = json!({"algorithms": ["RS256"]});
    });
    strict.tick();
    let outcome = sends(&strict, &good(&world).signed());
    is_refused(&outcome, 400, "logout_token_algorithm_refused");
    assert!(browser.is_logged_in());
}

#[test]
fn rp_backchannel_rpinitlogout_wrong_iss() {
    refuses("logout_token_issuer_mismatch", |token| {
        token.with("iss", json!("https://evil.example")).signed()
    });
}

#[test]
fn rp_backchannel_rpinitlogout_wrong_aud() {
    refuses("logout_token_audience_mismatch", |token| {
        token.with("aud", json!("another client")).signed()
    });
}

#[test]
fn rp_backchannel_rpinitlogout_no_event() {
    for events in [Value::Null, json!({})] {
        refuses("logout_token_claim_missing", |token| {
            token.with("events", events).signed()
        });
    }
}

#[test]
fn rp_backchannel_rpinitlogout_wrong_event() {
    let wrong = "http://schemas.openid.net/event/foo";
    refuses("logout_token_claim_missing", |token| {
        token.with("events", json!({wrong: {}})).signed()
    });
    for events in [
        json!([EVENT]),
        json!(EVENT),
        json!({EVENT: true}),
        json!({EVENT: null}),
    ] {
        refuses("logout_token_claim_invalid", |token| {
            token.with("events", events).signed()
        });
    }
}

#[test]
fn rp_backchannel_rpinitlogout_with_nonce() {
    for nonce in [json!("n-0S6_WzA2Mj"), json!(""), json!(7)] {
        refuses("logout_token_type_mismatch", |token| {
            token.with("nonce", nonce).signed()
        });
    }
}

#[test]
fn a_signature_by_a_key_of_somebody_else_ends_nothing() {
    refuses("logout_token_signature_invalid", |mut token| {
        token.signer = Signer::es256("first", 99);
        token.signed()
    });
}
