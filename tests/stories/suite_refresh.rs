//! `oidcc-client-refreshtoken-test-plan`, the prefix `oidcc-client-test-` left out.

use portero::telemetry::Purpose;
use serde_json::json;

use crate::browser::parameter;
use crate::provider::IdToken;
use crate::refresh::{logged_in, world};
use crate::world::seconds;

#[test]
fn refresh_token() {
    let world = world();
    let browser = logged_in(&world);
    world.pass(seconds(301));
    browser.go("/").forwarded();
    let calls = world.provider.calls.borrow();
    let (_, form) = calls
        .iter()
        .rfind(|(purpose, _)| *purpose == Purpose::Token)
        .unwrap();
    let form = format!("/?{form}");
    assert_eq!(parameter(&form, "grant_type"), "refresh_token");
    assert!(parameter(&form, "refresh_token").starts_with("refresh~"));
}

/// A refreshed ID token that proves something else ends the session: no way back to old claims.
#[track_caller]
pub fn is_refused(change: impl Fn(&mut IdToken) + 'static, code: &str) {
    let world = world();
    let browser = logged_in(&world);
    world.provider.tamper(change);
    world.pass(seconds(301));
    assert_eq!(browser.fetch("/api").code(), "login_required");
    assert_eq!(
        world.land.counted(&format!("portero.failure.{code}")),
        1,
        "{:?}",
        world.land.failures()
    );
}

#[test]
fn refresh_token_invalid_issuer() {
    is_refused(
        |token| token.claims["iss"] = json!("https://evil.example.com"),
        "id_token_issuer_mismatch",
    );
}

#[test]
fn refresh_token_invalid_sub() {
    is_refused(
        |token| token.claims["sub"] = json!("somebody-else"),
        "id_token_subject_changed",
    );
}
