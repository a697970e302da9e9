//! The token that Portero signs about the caller, as an upstream verifies it.

mod keys;

use jwt_simple::prelude::{
    Duration as Span, ECDSAP256PublicKeyLike as _, ES256PublicKey, RS256PublicKey,
    RSAPublicKeyLike as _, UnixTimeStamp, VerificationOptions,
};
use jwt_simple::token::Token;
use portero::request::Request;
use serde_json::{Value, json};
use std::collections::HashSet;

use crate::access_token::{AccessToken, call, with_token, world_with};
use crate::browser::Browser;
use crate::cookies::Site;
use crate::introspection;
use crate::outcome::Outcome;
use crate::provider::ISSUER;
use crate::signer::{Signer, encode};
use crate::world::{World, minutes, seconds};

const OWN_ISSUER: &str = "https://app.example.com";
const ORDERS: &str = "https://orders.internal";
const REPORTS: &str = "https://reports.internal";
const HEADER: &str = "x-portero-identity";
const KEYS: &str = "/oauth2/identity-keys";

/// A private key as the configuration has it.
fn private(signer: Signer, seed: u8) -> Value {
    let mut jwk = signer.jwk();
    jwk["d"] = encode([seed; 32]).into();
    json!({"key": jwk.to_string()})
}

fn new_key() -> Value {
    private(Signer::es256("2026-11", 21), 21)
}

fn old_key() -> Value {
    private(Signer::es256("2025-11", 22), 22)
}

/// A world of sessions and access tokens whose upstream verifies.
fn world_of(change: impl FnOnce(&mut Value)) -> World {
    let world = world_with(|settings| {
        settings["upstream"]["identity"] = json!({
            "issuer": OWN_ISSUER,
            "audience": ORDERS,
            "keys": [new_key()],
            "claims": {
                "email": {"claim": "email"},
                "groups": {"claim": "groups"},
                "client_id": {"access_token_claim": "client_id"},
                "scope": {"access_token_claim": "scope"},
            },
        });
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/public"}}, "access": "public"},
            {"match": {"path": {"prefix": "/reports"}}, "identity_audience": REPORTS},
            {"match": {"path": {"prefix": "/open"}}, "otherwise": "pass"},
            {"match": {"path": {"prefix": "/guests"}}, "otherwise": {"anonymous": "guest"}},
        ]);
        settings["consumers"] = json!({"guest": {}});
        settings["cors_preflight"] = json!("pass");
        change(settings);
    });
    for seed in [21, 22] {
        world.land.keep_secret(&encode([seed; 32]));
    }
    world
}

fn world() -> World {
    world_of(|_| ())
}

fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

/// The token that the upstream gets, which no log may show.
#[track_caller]
fn identity(world: &World, outcome: &Outcome) -> String {
    let token = outcome.forwarded().header(HEADER).to_owned();
    world.land.keep_secret(&token);
    token
}

/// What is published.
fn keys(world: &World) -> Vec<Value> {
    let outcome = world.worker.serve(call("GET", KEYS, &[]));
    let document: Value = serde_json::from_str(&outcome.answered().body).unwrap();
    document["keys"].as_array().unwrap().clone()
}

fn bytes(member: &Value) -> Vec<u8> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    engine.decode(member.as_str().unwrap()).unwrap()
}

/// The claims, as another hand verifies them with the keys that are published.
fn verified(world: &World, token: &str, audience: &str) -> Result<Value, String> {
    let header = Token::decode_metadata(token).unwrap();
    assert_eq!(header.signature_type(), Some("portero-identity+jwt"));
    let keys = keys(world);
    let key = keys
        .iter()
        .find(|key| key["kid"] == header.key_id().unwrap());
    let key = key.ok_or("no such key")?;
    assert_eq!(key["alg"], header.algorithm());
    let options = VerificationOptions {
        allowed_issuers: Some(HashSet::from([OWN_ISSUER.to_owned()])),
        allowed_audiences: Some(HashSet::from([audience.to_owned()])),
        artificial_time: Some(UnixTimeStamp::from_secs(now(world))),
        time_tolerance: Some(Span::from_secs(0)),
        ..VerificationOptions::default()
    };
    let claims = match header.algorithm() {
        "ES256" => {
            let point = [vec![4], bytes(&key["x"]), bytes(&key["y"])].concat();
            let key = ES256PublicKey::from_bytes(&point).unwrap();
            key.verify_token::<Value>(token, Some(options))
        }
        "RS256" => {
            let key = RS256PublicKey::from_components(&bytes(&key["n"]), &bytes(&key["e"]));
            key.unwrap().verify_token::<Value>(token, Some(options))
        }
        other => panic!("{other}"),
    };
    claims.map_err(|error| error.to_string())?;
    let payload = token.split('.').nth(1).unwrap();
    Ok(serde_json::from_slice(&bytes(&payload.into())).unwrap())
}

fn now(world: &World) -> u64 {
    world.land.now().as_millis() / 1000
}

/// A request that claims to be of somebody, in every spelling.
fn forged(request: Request) -> Request {
    let mut headers = request.headers().to_vec();
    for name in [HEADER, "x_portero_identity", "x-portero_identity"] {
        headers.push((name.to_owned(), b"forged".to_vec()));
        headers.push((name.to_owned(), b"again".to_vec()));
    }
    Request::new(headers)
}

#[track_caller]
fn tells_nobody(outcome: &Outcome) {
    for (name, value) in &outcome.forwarded().headers {
        assert!(
            !name.replace('_', "-").contains(HEADER),
            "{name}: {value:?}"
        );
    }
}

#[test]
fn an_upstream_can_verify_who_has_a_session() {
    let world = world();
    world.provider.script.borrow_mut().userinfo["groups"] = json!(["staff", "admin"]);
    let browser = logged_in(&world);
    let token = identity(&world, &browser.go("/orders"));
    let claims = verified(&world, &token, ORDERS).unwrap();
    let jti = claims["jti"].as_str().unwrap();
    assert_eq!(jti.len(), 22);
    assert_eq!(
        claims,
        json!({
            "iss": OWN_ISSUER,
            "sub": "user-1",
            "aud": ORDERS,
            "idp": ISSUER,
            "iat": now(&world),
            "exp": now(&world) + 60,
            "jti": jti,
            "email": "ada@example.com",
            "groups": ["staff", "admin"],
        })
    );
    assert!(verified(&world, &token, REPORTS).is_err());
    world.pass(seconds(61));
    assert!(verified(&world, &token, ORDERS).is_err());
}

#[test]
fn an_upstream_can_verify_who_has_an_access_token() {
    let world = world();
    let access_token = AccessToken::of(&world).signed(&world);
    let outcome = world.worker.serve(with_token("/orders", &access_token));
    let claims = verified(&world, &identity(&world, &outcome), ORDERS).unwrap();
    assert_eq!(claims["sub"], "user-1");
    assert_eq!(claims["idp"], ISSUER);
    assert_eq!(claims["client_id"], "orders-app");
    assert_eq!(claims["scope"], "orders.read orders.write");
    assert_eq!(claims.get("email"), None);
}

#[test]
fn a_token_without_a_subject_is_its_clients_or_nobodys() {
    let world = world_of(|settings| {
        settings["providers"]["corp"]["access_tokens"]["profile"] = json!("lenient");
    });
    for (client, subject) in [("reports-app", Some("reports-app")), ("", None)] {
        let token = AccessToken::of(&world).with("sub", Value::Null).with(
            "client_id",
            match client {
                "" => Value::Null,
                client => json!(client),
            },
        );
        let token = token.signed(&world);
        let outcome = world.worker.serve(with_token("/orders", &token));
        let claims = verified(&world, &identity(&world, &outcome), ORDERS).unwrap();
        assert_eq!(claims.get("sub").and_then(Value::as_str), subject);
    }
}

/// A token of which the provider does not say when it ends is good until it is asked about again, and
/// what is signed about it is good for long enough to arrive.
#[test]
fn what_the_provider_says_of_an_opaque_token_can_be_verified() {
    let world = world_of(|settings| {
        settings["providers"]["corp"]["access_tokens"]["introspection"] = json!({"cache": "0s"});
        settings["providers"]["corp"]["access_tokens"]["clock_skew"] = json!("0s");
    });
    let mut said = introspection::said(&world);
    let whole = world.provider.issue_opaque(said.clone());
    said.as_object_mut().unwrap().remove("exp");
    let endless = world.provider.issue_opaque(said);
    for token in [whole, endless] {
        let outcome = world.worker.serve(with_token("/orders", &token));
        let claims = verified(&world, &identity(&world, &outcome), ORDERS).unwrap();
        assert_eq!(claims["sub"], "user-1");
        assert_eq!(claims["client_id"], "orders-app");
        assert_eq!(claims["exp"], now(&world) + 60);
    }
}

#[test]
fn a_rules_upstream_has_its_own_audience() {
    let world = world();
    let browser = logged_in(&world);
    let token = identity(&world, &browser.go("/reports"));
    assert_eq!(verified(&world, &token, REPORTS).unwrap()["aud"], REPORTS);
    assert!(verified(&world, &token, ORDERS).is_err());
    let orders = identity(&world, &browser.go("/orders"));
    verified(&world, &orders, ORDERS).unwrap();
    // Each is kept.
    assert_eq!(identity(&world, &browser.go("/reports")), token);
    assert_eq!(identity(&world, &browser.go("/orders")), orders);

    let access_token = AccessToken::of(&world).signed(&world);
    let outcome = world.worker.serve(with_token("/reports", &access_token));
    verified(&world, &identity(&world, &outcome), REPORTS).unwrap();
}

#[test]
fn one_signature_is_for_half_a_lifetime_of_one_caller() {
    let world = world();
    let browser = logged_in(&world);
    let first = identity(&world, &browser.go("/orders"));
    world.pass(seconds(29));
    assert_eq!(identity(&world, &browser.go("/orders")), first);
    world.pass(seconds(2));
    let second = identity(&world, &browser.go("/orders"));
    assert_ne!(second, first);
    let claims = verified(&world, &second, ORDERS).unwrap();
    assert_eq!(claims["exp"], now(&world) + 60);

    let access_token = AccessToken::of(&world).signed(&world);
    let other_token = AccessToken::of(&world)
        .with("jti", json!("2"))
        .signed(&world);
    let of = |token: &str| identity(&world, &world.worker.serve(with_token("/orders", token)));
    let of_program = of(&access_token);
    assert_eq!(of(&access_token), of_program);
    assert_ne!(of(&other_token), of_program);
    let somebody_else = logged_in(&world);
    let of_somebody_else = identity(&world, &somebody_else.go("/orders"));
    assert_ne!(of_somebody_else, second);
    world.pass(seconds(31));
    assert_ne!(of(&access_token), of_program);
}

#[test]
fn a_refresh_that_changes_a_claim_changes_the_token() {
    let world = world();
    {
        let mut script = world.provider.script.borrow_mut();
        script.refreshes = true;
        script.token_response = vec![("expires_in", json!(300))];
    }
    let browser = logged_in(&world);
    world.pass(minutes(3));
    let before = identity(&world, &browser.go("/orders"));
    world.provider.script.borrow_mut().userinfo["email"] = json!("new@example.com");
    world.pass(seconds(25));
    assert_eq!(identity(&world, &browser.go("/orders")), before);
    world.pass(minutes(2));
    let after = identity(&world, &browser.go("/orders"));
    let claims = verified(&world, &after, ORDERS).unwrap();
    assert_eq!(claims["email"], "new@example.com");
}

/// The token of a refreshed session is a new one at once, however young the one before is.
#[test]
fn what_was_signed_before_a_refresh_is_not_used_after_it() {
    let world = world_of(|settings| {
        settings["upstream"]["identity"]["lifetime"] = json!("1h");
    });
    {
        let mut script = world.provider.script.borrow_mut();
        script.refreshes = true;
        script.token_response = vec![("expires_in", json!(300))];
    }
    let browser = logged_in(&world);
    identity(&world, &browser.go("/orders"));
    world.provider.script.borrow_mut().userinfo["email"] = json!("new@example.com");
    world.pass(minutes(6));
    let after = identity(&world, &browser.go("/orders"));
    let claims = verified(&world, &after, ORDERS).unwrap();
    assert_eq!(claims["email"], "new@example.com");
}

#[test]
fn no_token_outlasts_the_session_or_the_access_token() {
    let world = world_of(|settings| {
        settings["upstream"]["identity"]["lifetime"] = json!("1h");
        settings["session"]["lifetime"] = json!("10m");
        settings["providers"]["corp"]["access_tokens"]["clock_skew"] = json!("0s");
    });
    let browser = logged_in(&world);
    let end = now(&world) + 600;
    world.pass(minutes(4));
    let token = identity(&world, &browser.go("/orders"));
    assert_eq!(verified(&world, &token, ORDERS).unwrap()["exp"], end);
    let access_token = AccessToken::of(&world);
    let end = access_token.claims["exp"].clone();
    let access_token = access_token.signed(&world);
    let outcome = world.worker.serve(with_token("/orders", &access_token));
    let token = identity(&world, &outcome);
    assert_eq!(verified(&world, &token, ORDERS).unwrap()["exp"], end);
}

#[test]
fn who_is_not_known_has_none_and_can_forge_none() {
    let world = world();
    let browser = world.browser();
    let preflight = |browser: &Browser| {
        browser.request(
            "OPTIONS",
            "/orders",
            Site::Cross,
            &[
                ("origin", "https://other.example.com"),
                ("access-control-request-method", "GET"),
            ],
        )
    };
    for target in ["/public", "/open", "/guests"] {
        tells_nobody(&world.worker.serve(forged(call("GET", target, &[]))));
    }
    tells_nobody(&browser.send(forged(preflight(&browser))));
    browser.log_in();
    // Whoever is logged in is nobody on a public path.
    let page = browser.navigation("/public", Site::Typed);
    tells_nobody(&browser.send(forged(page)));
    let session = forged(browser.navigation("/orders", Site::Typed));
    let outcome = browser.send(session);
    let token = identity(&world, &outcome);
    verified(&world, &token, ORDERS).unwrap();
    let spellings = outcome.forwarded().headers.iter();
    let spellings = spellings.filter(|(name, _)| name.contains("portero"));
    assert_eq!(spellings.count(), 1);
    // Where somebody known goes through a rule that lets others pass, they are told of.
    identity(&world, &browser.go("/open"));
}

#[test]
fn where_both_are_needed_the_first_is_told_of() {
    for (methods, client) in [
        (["session", "bearer"], Value::Null),
        (["bearer", "session"], json!("orders-app")),
    ] {
        let world = world_of(|settings| {
            settings["rules"] = json!([{
                "match": {"path": {"prefix": "/both"}},
                "authenticate": {"all_of": methods},
                "identity_audience": REPORTS,
            }]);
        });
        let browser = logged_in(&world);
        let bearer = format!("Bearer {}", AccessToken::of(&world).signed(&world));
        let headers = [("authorization", bearer.as_str())];
        let both = browser.request("GET", "/both", Site::SameOrigin, &headers);
        let token = identity(&world, &browser.send(both));
        let claims = verified(&world, &token, REPORTS).unwrap();
        assert_eq!(claims["client_id"], client);
    }
}

#[test]
fn where_nothing_can_be_signed_nothing_goes_to_the_upstream() {
    let world = world();
    let browser = logged_in(&world);
    let access_token = AccessToken::of(&world).signed(&world);
    identity(&world, &browser.go("/orders"));
    let program = || world.worker.serve(with_token("/orders", &access_token));
    identity(&world, &program());
    world.pass(seconds(31));
    world.land.random_fails.set(true);
    for outcome in [browser.go("/orders"), program()] {
        assert_eq!(
            (outcome.status(), outcome.code().as_str()),
            (500, "random_unavailable")
        );
    }
}

/// What the cookie does not hold costs nothing: neither tokens nor claims that nobody asks for.
#[test]
fn the_cookie_holds_no_token() {
    let world = world_of(|settings| {
        settings["upstream"]["headers"] = json!({});
        settings["upstream"]["identity"]["claims"] = json!({});
    });
    let browser = logged_in(&world);
    let before = browser.cookies.borrow().all()[0].value.len();
    identity(&world, &browser.go("/orders"));
    identity(&world, &browser.go("/reports"));
    assert_eq!(browser.cookies.borrow().all()[0].value.len(), before);
    let asked = world.reconfigured(|settings| {
        settings["upstream"]["identity"]["claims"] = json!({"mail": {"claim": "email"}});
    });
    let browser = world.browser();
    browser.moves_to(&asked);
    browser.log_in();
    let token = identity(&world, &browser.go("/orders"));
    let claims = verified(&world, &token, ORDERS).unwrap();
    assert_eq!(claims["mail"], "ada@example.com");
    assert!(browser.cookies.borrow().all()[0].value.len() > before);
}
