//! The calls of a refresh, and every way in which each can go wrong: what ends the session, what
//! does not, and that the next refresh works when the provider is back.

use portero::telemetry::Purpose;
use serde_json::json;

use super::ROWS;
use crate::refresh::{logged_in, world};
use crate::signer::Signer;
use crate::world::seconds;

/// The access token lasts five minutes, and a refresh is due a minute before its end.
#[test]
fn a_session_survives_every_fault_of_the_token_call_while_its_token_is_good() {
    for row in &ROWS {
        let (world, name) = (world(), row.name);
        let browser = logged_in(&world);
        let before = browser
            .go("/")
            .forwarded()
            .header("authorization")
            .to_owned();
        let fault = (row.answer)(Purpose::Token);
        world.provider.break_down(Purpose::Token, fault);
        world.pass(seconds(260));
        let outcome = browser.go("/");
        assert_eq!(
            outcome.forwarded().header("authorization"),
            before,
            "{name}"
        );
        let code = format!("token_{}", row.call.1);
        let line = format!("refresh_failed code={code}");
        assert_eq!(world.land.lines(&line).len(), 1, "{name}");
        assert_eq!(world.land.counted("portero.refresh.failed"), 1, "{name}");
        assert_eq!(world.land.failures(), [(code, 1)].into(), "{name}");

        world.provider.recover();
        world.pass(seconds(5));
        let outcome = browser.go("/");
        assert_ne!(
            outcome.forwarded().header("authorization"),
            before,
            "{name}"
        );
        assert_eq!(world.land.counted("portero.refresh.succeeded"), 1, "{name}");
    }
}

#[test]
fn a_session_survives_every_fault_of_the_token_call_after_its_token_has_ended() {
    for row in &ROWS {
        let (world, name) = (world(), row.name);
        let browser = logged_in(&world);
        let fault = (row.answer)(Purpose::Token);
        world.provider.break_down(Purpose::Token, fault);
        world.pass(seconds(301));
        let started_at = world.land.now();
        let outcome = browser.go("/");
        let took = world.land.now().since(started_at);
        assert!(took < seconds(5), "{name}: too slow");
        let (status, fault) = row.call;
        let code = format!("token_{fault}");
        assert_eq!(outcome.status(), status, "{name}");
        assert_eq!(outcome.code(), code, "{name}");
        let line = format!("refresh_failed code={code}");
        assert_eq!(world.land.lines(&line).len(), 1, "{name}");
        assert_eq!(world.land.counted("portero.refresh.failed"), 1, "{name}");
        assert_eq!(world.land.failures().len(), 1, "{name}: one code");

        world.provider.recover();
        world.pass(seconds(3));
        browser.go("/").forwarded();
        assert_eq!(world.land.counted("portero.refresh.succeeded"), 1, "{name}");
    }
}

/// The tokens are new and are used; the claims can wait. Only a provider that refuses the new token
/// ends the session.
#[test]
fn a_refresh_survives_every_fault_of_userinfo() {
    for row in &ROWS {
        let (world, name) = (world(), row.name);
        let browser = logged_in(&world);
        let before = browser
            .go("/")
            .forwarded()
            .header("authorization")
            .to_owned();
        let fault = (row.answer)(Purpose::Userinfo);
        world.provider.break_down(Purpose::Userinfo, fault);
        world.pass(seconds(301));
        let outcome = browser.fetch("/api");
        if name == "401" {
            assert_eq!(outcome.code(), "login_required", "{name}");
            let line = "audit event=session_end code=userinfo_invalid_token";
            assert_eq!(world.land.lines(line).len(), 1, "{name}");
            world.provider.recover();
            browser.log_in();
            continue;
        }
        let forwarded = outcome.forwarded();
        assert_ne!(forwarded.header("authorization"), before, "{name}");
        assert_eq!(forwarded.userinfo()["name"], "Ada Lovelace", "{name}");
        assert!(world.land.failures().is_empty(), "{name}");
        let counted = world.land.counted("portero.provider.userinfo.failed");
        assert_eq!(counted, 1, "{name}");

        world.provider.recover();
        world.provider.script.borrow_mut().userinfo["name"] = json!("Ada King");
        world.pass(seconds(301));
        let outcome = browser.go("/");
        let userinfo = outcome.forwarded().userinfo();
        assert_eq!(userinfo["name"], "Ada King", "{name}");
        assert_eq!(world.land.counted("portero.refresh.succeeded"), 2, "{name}");
    }
}

#[test]
fn a_refresh_survives_every_fault_of_newer_keys() {
    for row in &ROWS {
        let (world, name) = (world(), row.name);
        let browser = logged_in(&world);
        let before = browser
            .go("/")
            .forwarded()
            .header("authorization")
            .to_owned();
        world.provider.rotate(Signer::es256("second", 9));
        let fault = (row.answer)(Purpose::Jwks);
        world.provider.break_down(Purpose::Jwks, fault);
        world.pass(seconds(301));
        let started_at = world.land.now();
        let outcome = browser.fetch("/api");
        let took = world.land.now().since(started_at);
        assert!(took < seconds(5), "{name}: too slow");
        let token = outcome.forwarded().header("authorization").to_owned();
        assert_ne!(token, before, "{name}");
        assert!(world.land.failures().is_empty(), "{name}");
        let lines = [
            format!("call=jwks cause={}", row.cause(Purpose::Jwks)),
            "refreshed_id_token_not_verified cause=key_unknown".to_owned(),
        ];
        for line in &lines {
            assert_eq!(world.land.lines(line).len(), 1, "{name}: {line}");
        }

        world.provider.recover();
        world.pass(seconds(31));
        let outcome = browser.go("/");
        assert_ne!(outcome.forwarded().header("authorization"), token, "{name}");
        assert_eq!(world.land.counted("portero.refresh.succeeded"), 2, "{name}");
        assert_eq!(
            world.land.counted("portero.refresh.unverified"),
            1,
            "{name}"
        );
    }
}

/// The metadata and keys that are known serve a refresh for as long as it takes.
#[test]
fn a_refresh_survives_every_fault_of_metadata_and_keys_that_are_due() {
    for purpose in [Purpose::Discovery, Purpose::Jwks] {
        for row in &ROWS {
            let (world, name) = (world(), row.name);
            let browser = logged_in(&world);
            world.provider.break_down(purpose, (row.answer)(purpose));
            for _ in 0..13 {
                world.pass(seconds(301));
                world.worker.tick();
                browser.go("/").forwarded();
            }
            let line = format!("call={} cause={}", purpose.name(), row.cause(purpose));
            assert!(!world.land.lines(&line).is_empty(), "{name}: {line}");
            assert!(world.land.failures().is_empty(), "{name}");
            assert_eq!(world.land.counted("portero.refresh.unverified"), 0);
        }
    }
}
