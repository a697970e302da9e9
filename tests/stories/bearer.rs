//! Programs call with access tokens.

use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::access_token::{AUDIENCE, AccessToken, call, with_token, world, world_with};
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::{Answer, CLIENT_ID, SUBJECT};
use crate::signer::Signer;
use crate::world::{World, minutes, seconds};

#[track_caller]
pub fn is_refused(outcome: &Outcome, code: &str) {
    assert_eq!((outcome.status(), outcome.code().as_str()), (401, code));
    assert_eq!(
        outcome.header("content-type"),
        Some("application/problem+json")
    );
    let challenge = outcome.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer"), "{challenge}");
    assert!(outcome.header("location").is_none());
}

/// The token is refused with this code.
#[track_caller]
fn refuses(code: &str, change: impl FnOnce(AccessToken, u64) -> AccessToken) {
    let world = world();
    let now = world.land.now().as_millis() / 1000;
    let token = change(AccessToken::of(&world), now).signed(&world);
    is_refused(&world.worker.serve(with_token("/orders", &token)), code);
    assert_eq!(world.land.failures(), [(code.to_owned(), 1)].into());
}

#[track_caller]
fn accepts(change: impl FnOnce(AccessToken, u64) -> AccessToken) {
    let world = world();
    let now = world.land.now().as_millis() / 1000;
    let token = change(AccessToken::of(&world), now).signed(&world);
    world
        .worker
        .serve(with_token("/orders", &token))
        .forwarded();
}

#[test]
fn a_good_token_gets_through_and_the_upstream_hears_whose_it_is() {
    let world = world_with(|settings| {
        settings["upstream"] = json!({"headers": {
            "x-userinfo": {"userinfo": "base64_json"},
            "x-client": {"claim": "client_id"},
            "x-id-token": {"id_token": "raw"},
            "x-token": {"access_token": "raw"},
        }});
    });
    let token = AccessToken::of(&world)
        .with("https://example.com/tenant", json!("acme"))
        .signed(&world);
    let forged = [
        ("authorization", format!("bearer   {token}")),
        ("x-client", "admin".to_owned()),
        ("x_client", "admin".to_owned()),
        ("x-id-token", "forged".to_owned()),
    ];
    let headers = forged
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let outcome = world.worker.serve(call("POST", "/orders", &headers));
    let forwarded = outcome.forwarded();
    assert_eq!(forwarded.header("x-client"), "orders-app");
    assert!(!forwarded.has("x_client") && !forwarded.has("x-id-token"));
    assert_eq!(forwarded.header("x-token"), token);
    let userinfo = forwarded.userinfo();
    assert_eq!(userinfo["sub"], SUBJECT);
    assert_eq!(userinfo["https://example.com/tenant"], "acme");
    assert!(userinfo.get("exp").is_none());
    assert!(forwarded.set_cookies.is_empty());
}

#[test]
fn a_token_is_verified_once_and_found_again_until_it_ends() {
    let world = world();
    let token = AccessToken::of(&world).signed(&world);
    for _ in 0..3 {
        world.worker.serve(with_token("/", &token)).forwarded();
    }
    // `exp` and the clock skew.
    world.pass(seconds(359));
    world.worker.serve(with_token("/", &token)).forwarded();
    world.pass(seconds(1));
    let late = world.worker.serve(with_token("/", &token));
    is_refused(&late, "access_token_expired");
}

#[test]
fn a_token_with_the_end_of_a_good_one_is_no_good_one() {
    let world = world();
    let token = AccessToken::of(&world).signed(&world);
    world.worker.serve(with_token("/", &token)).forwarded();
    let other = AccessToken::of(&world)
        .with("sub", json!("admin"))
        .signed(&world);
    let (input, _) = other.rsplit_once('.').unwrap();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let spliced = format!("{input}.{signature}");
    let outcome = world.worker.serve(with_token("/", &spliced));
    is_refused(&outcome, "access_token_signature_invalid");
    // Anybody can have a token refused, and it takes nothing of the good one's away.
    let before = world.land.verified.get();
    world.worker.serve(with_token("/", &token)).forwarded();
    assert_eq!(world.land.verified.get(), before);
}

#[test]
fn nobody_without_a_token_gets_in_and_hears_no_reason() {
    let world = world();
    for headers in [[("x", "y")], [("authorization", "Basic dXNlcjpwYXNz")]] {
        let outcome = world.worker.serve(call("GET", "/orders", &headers));
        is_refused(&outcome, "login_required");
        assert_eq!(outcome.header("www-authenticate"), Some("Bearer"));
    }
}

#[test]
fn a_token_that_is_for_others_from_others_or_for_another_time() {
    refuses("access_token_audience_mismatch", |token, _| {
        token.with("aud", json!("https://other.example.com"))
    });
    refuses("access_token_audience_mismatch", |token, _| {
        token.with("aud", json!(format!("{AUDIENCE}/")))
    });
    refuses("access_token_issuer_mismatch", |token, _| {
        token.with("iss", json!("https://idp.example.com/realms/acme/"))
    });
    refuses("access_token_expired", |token, now| {
        token.with("exp", json!(now - 60))
    });
    refuses("access_token_not_yet_valid", |token, now| {
        token.with("nbf", json!(now + 61))
    });
    refuses("access_token_issued_in_future", |token, now| {
        token.with("iat", json!(now + 61))
    });
    accepts(|token, _| token.with("aud", json!(["other", AUDIENCE])));
    accepts(|token, now| token.with("nbf", json!(now + 60)));
}

#[test]
fn each_claim_as_anything_else_than_what_it_is() {
    let others = |own: &'static str| {
        [
            ("number", json!(7)),
            ("array", json!([1])),
            ("object", json!({"a": 1})),
            ("boolean", json!(true)),
            ("huge", json!(1e300)),
            ("text", json!("x")),
        ]
        .into_iter()
        .filter(move |(kind, _)| *kind != own)
        .map(|(_, value)| value)
    };
    for claim in ["iss", "sub", "client_id", "jti", "scope"] {
        for value in others("text") {
            refuses("access_token_claim_invalid", |token, _| {
                token.with(claim, value)
            });
        }
    }
    for claim in ["exp", "iat", "nbf", "auth_time"] {
        for value in others("number") {
            refuses("access_token_claim_invalid", |token, _| {
                token.with(claim, value)
            });
        }
    }
    for value in others("text") {
        refuses("access_token_claim_invalid", |token, _| {
            token.with("aud", value)
        });
    }
    for claim in ["iss", "sub", "aud", "client_id", "jti", "iat", "exp"] {
        refuses("access_token_claim_missing", |token, _| {
            token.with(claim, Value::Null)
        });
    }
    for claim in ["sub", "iss", "client_id"] {
        let code = match claim {
            "sub" => "access_token_subject_invalid",
            "iss" => "access_token_issuer_mismatch",
            _ => "access_token_claim_invalid",
        };
        refuses(code, |token, _| token.with(claim, json!("")));
    }
    refuses("access_token_subject_invalid", |token, _| {
        token.with("sub", json!("x".repeat(256)))
    });
}

#[test]
fn an_id_token_is_no_access_token_whatever_the_profile() {
    for profile in ["rfc9068", "lenient"] {
        let world = world_with(|settings| {
            let policy = &mut settings["providers"]["corp"]["access_tokens"];
            policy["profile"] = json!(profile);
            policy["audiences"] = json!([AUDIENCE, CLIENT_ID]);
        });
        for change in [
            |token: AccessToken| token.typed("JWT").with("aud", json!(CLIENT_ID)),
            |token: AccessToken| token.typed("JWT").with("nonce", json!("n")),
            |token: AccessToken| token.with("at_hash", json!("h")),
            |token: AccessToken| token.typed("logout+jwt"),
        ] {
            let token = change(AccessToken::of(&world)).signed(&world);
            let outcome = world.worker.serve(with_token("/", &token));
            is_refused(&outcome, "access_token_type_mismatch");
        }
        let plain = AccessToken::of(&world).typed("JWT").signed(&world);
        let outcome = world.worker.serve(with_token("/", &plain));
        match profile {
            "lenient" => {
                outcome.forwarded();
            }
            _ => is_refused(&outcome, "access_token_type_mismatch"),
        }
    }
}

#[test]
fn what_is_no_token_at_all() {
    let world = world();
    for token in ["opaque", "a.b"] {
        let outcome = world.worker.serve(with_token("/", token));
        is_refused(&outcome, "access_token_malformed");
    }
}

#[test]
fn a_token_of_an_unknown_issuer_is_bad_even_beside_a_session() {
    let world = world();
    let browser = world.browser();
    browser.log_in();
    let token = AccessToken::of(&world)
        .with("iss", json!("https://evil.example.com"))
        .signed(&world);
    let header = format!("Bearer {token}");
    let request = browser.request("GET", "/", Site::SameOrigin, &[("authorization", &header)]);
    is_refused(&browser.send(request), "access_token_issuer_mismatch");
    assert!(browser.is_logged_in());
}

/// A second provider that is never asked for anything.
fn with_machines(settings: &mut Value) {
    settings["providers"]["machines"] = json!({
        "issuer": "https://machines.example.com/",
        "access_tokens": {
            "audiences": ["orders"],
            "keys": [{"jwk": MACHINES.jwk()}],
            "max_lifetime": "10m",
        },
    });
}

const MACHINES: Signer = Signer::es256("machines", 9);

fn of_machines(world: &World) -> AccessToken {
    let mut token = AccessToken::of(world)
        .with("iss", json!("https://machines.example.com/"))
        .with("aud", json!("orders"));
    token.signer = MACHINES;
    token.header = MACHINES.header();
    token.typed("at+jwt")
}

#[test]
fn each_issuer_is_believed_for_its_own_tokens_alone() {
    let world = world_with(with_machines);
    let mine = of_machines(&world).signed(&world);
    world.worker.serve(with_token("/", &mine)).forwarded();
    let corps = AccessToken::of(&world).signed(&world);
    world.worker.serve(with_token("/", &corps)).forwarded();

    let mut crossed = of_machines(&world);
    crossed.claims["iss"] = AccessToken::of(&world).claims["iss"].clone();
    crossed.claims["aud"] = json!(AUDIENCE);
    let crossed = crossed.signed(&world);
    is_refused(
        &world.worker.serve(with_token("/", &crossed)),
        "access_token_key_unknown",
    );
    let elsewhere = of_machines(&world)
        .with("aud", json!(AUDIENCE))
        .signed(&world);
    is_refused(
        &world.worker.serve(with_token("/", &elsewhere)),
        "access_token_audience_mismatch",
    );
    let now = world.land.now().as_millis() / 1000;
    let long = of_machines(&world)
        .with("exp", json!(now + 601))
        .signed(&world);
    is_refused(
        &world.worker.serve(with_token("/", &long)),
        "access_token_lifetime_too_long",
    );
}

#[test]
fn without_a_client_there_is_no_login_and_no_path_of_its_own() {
    let world = World::with(|settings| {
        with_machines(settings);
        settings["providers"]
            .as_object_mut()
            .unwrap()
            .remove("corp");
    });
    world.worker.tick();
    assert!(world.provider.calls.borrow().is_empty());
    let browser = world.browser();
    for target in [
        "/",
        "/oauth2/callback?code=a&state=b",
        "/oauth2/logout",
        "/oauth2/logged-out",
    ] {
        let page = browser.go(target);
        assert_eq!(
            (page.status(), page.code().as_str()),
            (401, "token_required"),
            "{target}"
        );
    }
    let token = of_machines(&world).signed(&world);
    world
        .worker
        .serve(with_token("/oauth2/logout", &token))
        .forwarded();
    world.worker.serve(call("GET", "/public", &[])).forwarded();
}

#[test]
fn a_thousand_unknown_keys_cause_one_fetch() {
    let world = world();
    world.worker.tick();
    for number in 0..1000 {
        let mut token = AccessToken::of(&world);
        token.header["kid"] = json!(format!("unknown-{number}"));
        let token = token.signed(&world);
        is_refused(
            &world.worker.serve(with_token("/", &token)),
            "access_token_key_unknown",
        );
    }
    assert_eq!(world.provider.called(Purpose::Jwks), 2);
}

#[test]
fn after_a_rotation_the_new_key_is_fetched_and_the_old_ones_tokens_are_gone() {
    let world = world();
    let old = AccessToken::of(&world).signed(&world);
    world.worker.serve(with_token("/", &old)).forwarded();
    world.provider.rotate(Signer::es256("next", 3));
    world.worker.serve(with_token("/", &old)).forwarded();
    let new = AccessToken::of(&world).signed(&world);
    world.worker.serve(with_token("/", &new)).forwarded();
    world.pass(minutes(1));
    is_refused(
        &world.worker.serve(with_token("/", &old)),
        "access_token_key_unknown",
    );
}

#[test]
fn while_the_provider_is_down_known_keys_serve_and_unknown_providers_fail_closed() {
    let world = world();
    world.provider.go_down();
    let token = AccessToken::of(&world).signed(&world);
    let outcome = world.worker.serve(with_token("/", &token));
    assert_eq!(
        (outcome.status(), outcome.code().as_str()),
        (503, "provider_unavailable")
    );
    world.provider.recover();
    world.pass(seconds(5));
    world.worker.serve(with_token("/", &token)).forwarded();
    world
        .provider
        .break_down(Purpose::Jwks, Answer::Status(503));
    world.pass(seconds(61));
    world.worker.serve(with_token("/", &token)).forwarded();
}

#[test]
fn an_answer_to_a_token_that_caches_know_nothing_of_is_the_callers_alone() {
    let world = world_with(|settings| {
        settings["bearer"] =
            json!({"headers": [{"name": "authorization"}, {"name": "x-api-token", "scheme": ""}]});
    });
    let token = AccessToken::of(&world).signed(&world);
    let outcome = world.worker.serve(with_token("/", &token));
    assert!(!outcome.forwarded().is_private);
    for name in ["x-api-token", "x_api_token"] {
        let outcome = world.worker.serve(call("GET", "/", &[(name, &token)]));
        assert!(outcome.forwarded().is_private);
        assert!(!outcome.forwarded().has(name), "{name} is hidden");
    }
    // To some upstreams these are one header.
    let twice = [("x-api-token", token.as_str()), ("x_api_token", "another")];
    let outcome = world.worker.serve(call("GET", "/", &twice));
    assert_eq!(outcome.code(), "bearer_token_ambiguous");
}
