//! The fault matrix: every flow, every call, every way in which the call can go wrong. It ends, in
//! a code that is written here, and nobody is logged in by it.

mod refresh;
mod rows;
mod store;

use crate::access_token::{AUDIENCE, AccessToken, with_token};
use crate::browser::Browser;
use crate::host::Land;
use crate::introspection;
use crate::outcome::Outcome;
use crate::provider::Answer;
use crate::signer::Signer;
use crate::upstream_tokens;
use crate::world::{World, minutes, seconds};
use portero::telemetry::Purpose;
pub use rows::ROWS;
use serde_json::json;

/// One failure, told once to everybody whom it concerns.
#[track_caller]
fn ends_in(land: &Land, outcome: &Outcome, row: &str, status: u16, code: &str) {
    assert_eq!(outcome.status(), status, "{row}: {outcome:?}");
    assert_eq!(outcome.code(), code, "{row}");
    assert_eq!(land.failures(), [(code.to_owned(), 1)].into(), "{row}");
    assert_eq!(land.lines(&format!("code={code} ")).len(), 1, "{row}");
}

#[track_caller]
fn has_no_session(browser: &Browser) {
    let names = browser.cookie_names("");
    let session = names
        .iter()
        .any(|name| name == "__Host-portero" || name.contains("hint"));
    assert!(!session, "{names:?}");
}

#[test]
fn a_login_start_survives_every_fault_of_discovery_and_keys() {
    for purpose in [Purpose::Discovery, Purpose::Jwks] {
        for row in &ROWS {
            let world = World::new();
            world.provider.break_down(purpose, (row.answer)(purpose));
            let browser = world.browser();
            let started_at = world.land.now();
            let outcome = browser.go("/");
            let (land, name) = (&world.land, row.name);
            ends_in(land, &outcome, name, 503, "provider_unavailable");
            assert!(
                land.now().since(started_at) < seconds(5),
                "{name}: too slow"
            );
            assert!(outcome.set_cookies().is_empty(), "{name}");
            let line = format!("call={} cause={}", purpose.name(), row.cause(purpose));
            assert_eq!(land.lines(&line).len(), 1, "{name}: {line}");
            browser.go("/public").forwarded();

            world.provider.recover();
            world.pass(seconds(3));
            browser.log_in();
        }
    }
}

#[test]
fn a_refresh_of_discovery_and_keys_survives_every_fault() {
    for purpose in [Purpose::Discovery, Purpose::Jwks] {
        for row in &ROWS {
            let world = World::new();
            world.worker.tick();
            world.provider.break_down(purpose, (row.answer)(purpose));
            world.pass(minutes(61));
            world.worker.tick();
            let line = format!("call={} cause={}", purpose.name(), row.cause(purpose));
            assert_eq!(world.land.lines(&line).len(), 1, "{}: {line}", row.name);
            world.browser().log_in();
            assert!(world.land.failures().is_empty(), "{}", row.name);
        }
    }
}

#[test]
fn a_callback_survives_every_fault_of_newer_keys() {
    for row in &ROWS {
        let world = World::new();
        let browser = world.browser();
        let callback = browser.login_until_callback("/");
        world.provider.rotate(Signer::es256("second", 9));
        let answer = (row.answer)(Purpose::Jwks);
        world.provider.break_down(Purpose::Jwks, answer);
        let started_at = world.land.now();
        let outcome = browser.come_from_elsewhere(&callback);
        let (land, name) = (&world.land, row.name);
        ends_in(land, &outcome, name, 502, "id_token_key_unknown");
        assert!(
            land.now().since(started_at) < seconds(5),
            "{name}: too slow"
        );
        has_no_session(&browser);
        assert!(browser.cookie_names("__Host-portero-login-").is_empty());

        world.provider.recover();
        world.pass(seconds(60));
        browser.log_in();
    }
}

#[test]
fn a_callback_survives_every_fault_of_the_token_and_the_userinfo_call() {
    for purpose in [Purpose::Token, Purpose::Userinfo] {
        for row in &ROWS {
            let world = World::new();
            world.provider.break_down(purpose, (row.answer)(purpose));
            let browser = world.browser();
            let callback = browser.login_until_callback("/page");
            let outcome = browser.come_from_elsewhere(&callback);
            let (status, fault) = row.call;
            let fault = match (purpose, row.name) {
                // Userinfo refuses the token, which says more than any other no.
                (Purpose::Userinfo, "401") => "invalid_token",
                _ => fault,
            };
            let code = format!("{}_{fault}", purpose.name());
            ends_in(&world.land, &outcome, row.name, status, &code);
            has_no_session(&browser);
            assert!(browser.cookie_names("__Host-portero-login-").is_empty());
            assert_eq!(world.land.counted("portero.login.succeeded"), 0);

            world.provider.recover();
            let (target, end) = browser.browse("/page");
            assert_eq!(target, "/page");
            end.forwarded();
        }
    }
}

/// What cannot be read again stays as it was; only a provider that says no ends the session.
#[test]
fn a_session_survives_every_fault_of_reading_its_claims_again() {
    for row in &ROWS {
        let world = World::with(|settings| settings["session"]["reread_claims"] = json!("10m"));
        let browser = world.browser();
        browser.log_in();
        let purpose = Purpose::Userinfo;
        world.provider.break_down(purpose, (row.answer)(purpose));
        world.pass(minutes(11));
        let outcome = browser.fetch("/api");
        let (land, name) = (&world.land, row.name);
        let (_, fault) = row.call;
        let is_refusal = name == "401";
        let fault = if is_refusal { "invalid_token" } else { fault };
        let event = match is_refusal {
            true => "audit event=session_end",
            false => "refresh_failed",
        };
        let line = format!("{event} code=userinfo_{fault}");
        assert_eq!(land.lines(&line).len(), 1, "{name}: {line}");
        if is_refusal {
            assert_eq!(outcome.code(), "login_required", "{name}");
            continue;
        }
        let userinfo = outcome.forwarded().userinfo();
        assert_eq!(userinfo["name"], "Ada Lovelace", "{name}");
        assert_eq!(land.failures().len(), 1, "{name}");
        browser.go("/").forwarded();

        world.provider.recover();
        world.pass(seconds(31));
        browser.go("/").forwarded();
        assert_eq!(land.counted("portero.refresh.succeeded"), 1, "{name}");
    }
}

/// The tokens are given back as far as that goes; the logout is the same in every case.
#[test]
fn a_logout_survives_every_fault_of_the_revocation() {
    for row in &ROWS {
        let world = World::new();
        world.provider.script.borrow_mut().refreshes = true;
        let purpose = Purpose::Revocation;
        world.provider.break_down(purpose, (row.answer)(purpose));
        let browser = world.browser();
        browser.log_in();
        let (land, name) = (&world.land, row.name);
        let end = browser.go("/oauth2/logout");
        let to = end.location();
        assert!(to.starts_with("https://idp.example.com/logout?"), "{name}");
        has_no_session(&browser);
        assert_eq!(land.counted("portero.logout.succeeded"), 1, "{name}");
        assert!(land.failures().is_empty(), "{name}");
        // No body is wrong (RFC 7009 section 2.2).
        let (_, fault) = row.call;
        let failed = u64::from(fault != "malformed");
        let counted = land.counted("portero.provider.revocation.failed");
        assert_eq!(counted, failed, "{name}");
        let lines = land.lines("revocation_failed ");
        let line = format!("revocation_failed token=refresh_token cause={fault}");
        let expected = if failed == 1 { vec![line] } else { vec![] };
        assert_eq!(lines, expected, "{name}");
    }
}

/// Nobody gets in by an answer that is none, and it is asked for again with the next request.
#[test]
fn an_opaque_token_survives_every_fault_of_its_introspection() {
    for row in &ROWS {
        let world = introspection::world_with(|_| ());
        let token = world.provider.issue_opaque(introspection::said(&world));
        let purpose = Purpose::Introspection;
        world.provider.break_down(purpose, (row.answer)(purpose));
        let outcome = world.worker.serve(with_token("/", &token));
        let (status, fault) = row.where_401_is_the_client();
        let code = format!("introspection_{fault}");
        ends_in(&world.land, &outcome, row.name, status, &code);
        let counted = world.land.counted("portero.provider.introspection.failed");
        assert_eq!(counted, 1, "{}", row.name);

        world.provider.recover();
        world.worker.serve(with_token("/", &token)).forwarded();
    }
}

/// A request that may go does not go without its token, and the next one asks again after a pause.
#[test]
fn a_request_survives_every_fault_of_the_call_for_a_token_of_its_upstream() {
    for client in ["client_secret_basic", "client_secret_automatic"] {
        for row in &ROWS {
            let world = upstream_tokens::world_with(|token| {
                token["client"] = upstream_tokens::client(client);
            });
            let purpose = Purpose::UpstreamToken;
            world.provider.break_down(purpose, (row.answer)(purpose));
            let started_at = world.land.now();
            let outcome = upstream_tokens::get(&world, "/orders");
            let (status, fault) = row.where_401_is_the_client();
            let code = format!("upstream_token_{fault}");
            ends_in(&world.land, &outcome, row.name, status, &code);
            assert!(world.land.now().since(started_at) < seconds(5));
            let line = format!("upstream_token_failed token=orders cause={fault}");
            assert_eq!(world.land.lines(&line).len(), 1, "{}", row.name);

            world.provider.recover();
            world.pass(seconds(1));
            upstream_tokens::gets(&world, "/orders");
        }
    }
}

/// The same for what is made of the caller's token, and for the actor's token before it.
#[test]
fn a_request_survives_every_fault_of_an_exchange_and_of_its_actor() {
    for actor in [json!(null), json!({"upstream_token": "gateway"})] {
        for row in &ROWS {
            let world = World::with(|settings| {
                let client = upstream_tokens::client("client_secret_basic");
                let mut exchange = json!({"audience": "orders"});
                if !actor.is_null() {
                    exchange["actor"] = actor.clone();
                    settings["upstream_tokens"]["gateway"] = json!({"client": client});
                }
                settings["upstream_tokens"]["orders"] =
                    json!({"client": client, "grant": {"token_exchange": exchange}});
                settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
                settings["upstream"] = json!({"tokens": ["orders"]});
            });
            let token = AccessToken::of(&world).signed(&world);
            let purpose = Purpose::UpstreamToken;
            world.provider.break_down(purpose, (row.answer)(purpose));
            let outcome = world.worker.serve(with_token("/", &token));
            let (status, fault) = row.where_401_is_the_client();
            let code = format!("upstream_token_{fault}");
            ends_in(&world.land, &outcome, row.name, status, &code);
            world.provider.recover();
            world.pass(seconds(2));
            upstream_tokens::provider_answers(&world, upstream_tokens::exchanged);
            world.worker.serve(with_token("/", &token)).forwarded();
        }
    }
}

#[test]
fn a_good_token_of_an_upstream_survives_every_fault_of_its_renewal() {
    for row in &ROWS {
        let world = upstream_tokens::world_with(|_| ());
        let first = upstream_tokens::gets(&world, "/orders");
        let purpose = Purpose::UpstreamToken;
        world.provider.break_down(purpose, (row.answer)(purpose));
        world.pass(seconds(290));
        world.worker.tick();
        assert_eq!(upstream_tokens::gets(&world, "/orders"), first);
        assert_eq!(world.land.lines("upstream_token_failed").len(), 1);
        assert!(world.land.failures().is_empty(), "{}", row.name);
    }
}

#[test]
fn every_wrong_member_of_what_is_said_of_a_token_keeps_it_out() {
    for (name, value) in [
        ("active", json!("true")),
        ("active", json!(1)),
        ("active", json!(null)),
        ("exp", json!("soon")),
        ("exp", json!(1e300)),
        ("iat", json!([])),
        ("nbf", json!(-1)),
        ("iss", json!(7)),
        ("aud", json!({})),
        ("aud", json!([AUDIENCE, 7])),
        ("scope", json!(["orders.read"])),
        ("sub", json!(null)),
        ("client_id", json!("")),
        ("token_type", json!(true)),
    ] {
        let world = introspection::world_with(|_| ());
        let mut said = introspection::said(&world);
        said["active"] = json!(true);
        said[name] = value.clone();
        let answer = Answer::json(&said);
        world.provider.break_down(Purpose::Introspection, answer);
        let outcome = world.worker.serve(with_token("/", "opaque"));
        let row = format!("{name}: {value}");
        ends_in(&world.land, &outcome, &row, 502, "introspection_malformed");
    }
}

/// Whole documents with one wrong member each.
#[test]
fn every_wrong_member_of_a_token_response_ends_the_login() {
    for (name, value) in [
        ("access_token", json!(null)),
        ("access_token", json!("")),
        ("access_token", json!("line\r\nbreak: x")),
        ("access_token", json!("tökën")),
        ("token_type", json!(null)),
        ("token_type", json!("mac")),
        ("token_type", json!("DPoP")),
        ("id_token", json!(null)),
        ("id_token", json!(["a.b.c"])),
        ("expires_in", json!(0)),
        ("expires_in", json!("0")),
        ("expires_in", json!(-1)),
        ("expires_in", json!(1.5)),
        ("expires_in", json!("soon")),
        ("expires_in", json!([])),
    ] {
        let world = World::new();
        world.provider.script.borrow_mut().token_response = vec![(name, value.clone())];
        let browser = world.browser();
        let callback = browser.login_until_callback("/");
        let outcome = browser.come_from_elsewhere(&callback);
        let row = format!("{name}: {value}");
        ends_in(&world.land, &outcome, &row, 502, "token_malformed");
        has_no_session(&browser);
    }
}

#[test]
fn every_endpoint_that_discovery_must_not_name_keeps_the_provider_unknown() {
    for (name, value) in [
        ("issuer", json!("https://idp.example.com/realms/acme/")),
        ("issuer", json!("https://evil.example")),
        (
            "authorization_endpoint",
            json!("http://idp.example.com/authorize"),
        ),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("authorization_endpoint", json!("/authorize")),
        (
            "authorization_endpoint",
            json!("https://user@idp.example.com/"),
        ),
        ("authorization_endpoint", json!(null)),
        ("token_endpoint", json!("http://idp.example.com/token")),
        ("token_endpoint", json!("")),
        ("token_endpoint", json!(null)),
        ("jwks_uri", json!("http://idp.example.com/keys")),
        ("jwks_uri", json!(null)),
        ("userinfo_endpoint", json!("ftp://idp.example.com/")),
        ("end_session_endpoint", json!("data:text/html,x")),
        (
            "revocation_endpoint",
            json!("http://idp.example.com/revoke"),
        ),
    ] {
        let world = World::new();
        world.provider.script.borrow_mut().metadata = vec![(name, value.clone())];
        let outcome = world.browser().go("/");
        let row = format!("{name}: {value}");
        ends_in(&world.land, &outcome, &row, 503, "provider_unavailable");
        assert_eq!(world.provider.called(Purpose::Jwks), 0, "{row}");
    }
}

#[test]
fn every_status_of_the_token_endpoint_ends_in_a_documented_code() {
    for status in (100..600).filter(|status| *status != 200) {
        let world = World::new();
        let answer = Answer::Body(status, br#"{"error": "x"}"#.to_vec());
        world.provider.break_down(Purpose::Token, answer);
        let browser = world.browser();
        let callback = browser.login_until_callback("/");
        let outcome = browser.come_from_elsewhere(&callback);
        let (answered, code) = match status {
            503 => (503, "token_unreachable"),
            504 => (504, "token_timeout"),
            _ => (502, "token_refused"),
        };
        ends_in(&world.land, &outcome, &status.to_string(), answered, code);
    }
}
