//! What other filters and access logs in Envoy are told about the caller.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::world::{World, minutes};

fn telling(states: Value) -> World {
    World::with(|settings| {
        settings["filter_state"] = states;
        // Nobody else is told anything.
        settings["upstream"] = json!({"headers": {}});
    })
}

#[track_caller]
fn tells_nothing(outcome: &Outcome) {
    assert_eq!(outcome.forwarded().filter_state, []);
}

/// What the first page after the login of somebody with this claim tells of it.
fn told(claim: &Value) -> Option<String> {
    let world = telling(json!({"portero.claim": {"claim": "c"}}));
    world.provider.script.borrow_mut().userinfo["c"] = claim.clone();
    let browser = world.browser();
    browser.log_in();
    let outcome = browser.go("/");
    outcome
        .forwarded()
        .state("portero.claim")
        .map(str::to_owned)
}

#[test]
fn every_source_of_a_header_but_tokens_can_be_told() {
    let world = telling(json!({
        "portero.subject": {"claim": "sub"},
        "portero.email": {"claim": "email"},
        "portero_userinfo": {"userinfo": "base64_json"},
        "portero-id": {"id_token": "claims_base64_json"},
        "portero.client": {"access_token_claim": "azp"},
    }));
    let browser = world.browser();
    browser.log_in();
    let outcome = browser.go("/");
    let forwarded = outcome.forwarded();
    assert_eq!(forwarded.state("portero.subject"), Some("user-1"));
    assert_eq!(forwarded.state("portero.email"), Some("ada@example.com"));
    let json = |name: &str| -> Value {
        let bytes = STANDARD.decode(forwarded.state(name).unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    assert_eq!(json("portero_userinfo")["name"], "Ada Lovelace");
    assert_eq!(json("portero-id")["aud"], "portero");
    // A session has no claims of an access token.
    assert_eq!(forwarded.filter_state.len(), 4);
}

#[test]
fn requests_without_identity_tell_nothing_whoever_sends_them() {
    let world = World::with(|settings| {
        settings["filter_state"] = json!({"portero.subject": {"claim": "sub"}});
        settings["cors_preflight"] = json!("pass");
    });
    let browser = world.browser();
    tells_nothing(&browser.go("/public"));
    let preflight = browser.request(
        "OPTIONS",
        "/orders",
        Site::Cross,
        &[
            ("origin", "https://other.example.com"),
            ("access-control-request-method", "GET"),
        ],
    );
    tells_nothing(&browser.send(preflight));
    browser.log_in();
    tells_nothing(&browser.go("/public"));
    let outcome = browser.go("/orders");
    assert_eq!(outcome.forwarded().state("portero.subject"), Some("user-1"));
}

#[test]
fn texts_stand_as_they_are_and_begin_no_line() {
    let cases = [
        (json!("Zoë, 100 %"), "Zoë, 100 %"),
        (json!(" padded "), " padded "),
        (
            json!("a\r\nb\tc\0d\u{7f}\u{85}"),
            "a\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}\u{fffd}",
        ),
        (json!("a\u{2028}b\u{2029}c"), "a\u{fffd}b\u{fffd}c"),
        (json!(""), ""),
        (json!(true), "true"),
        (json!(-1.5), "-1.5"),
        (json!(["a,b", "c\"d", 1]), r#"["a,b","c\"d",1]"#),
        (
            json!({"a": "b\nc", "u": "\u{2028}"}),
            "{\"a\":\"b\\nc\",\"u\":\"\u{fffd}\"}",
        ),
    ];
    for (claim, expected) in cases {
        assert_eq!(told(&claim).as_deref(), Some(expected), "{claim}");
    }
    assert_eq!(told(&Value::Null), None);
}

/// Two people whose names differ in what cannot be told are not taken for somebody without it.
#[test]
fn what_cannot_be_told_makes_nobody_look_like_somebody_else() {
    for forged in ["user-1\n", "\0user-1", "user\u{200}-1", "user\u{2028}-1"] {
        assert_ne!(told(&json!(forged)).as_deref(), Some("user-1"));
    }
}

#[test]
fn a_refresh_tells_the_new_claims() {
    let world = telling(json!({"portero.email": {"claim": "email"}}));
    {
        let mut script = world.provider.script.borrow_mut();
        script.refreshes = true;
        script.token_response = vec![("expires_in", json!(300))];
    }
    let browser = world.browser();
    browser.log_in();
    world.provider.script.borrow_mut().userinfo["email"] = json!("new@example.com");
    world.pass(minutes(6));
    let outcome = browser.go("/");
    assert_eq!(
        outcome.forwarded().state("portero.email"),
        Some("new@example.com")
    );
}
