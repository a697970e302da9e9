//! Logins whose access token says what the ID token does not, as Keycloak's do.

use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::access_token::{AUDIENCE, world_with};
use crate::provider::Answer;
use crate::signer::Signer;
use crate::world::{World, seconds};

/// A world where only the access token has roles.
fn world(said: Value) -> World {
    let world = world_with(|settings| {
        settings["providers"]["corp"]["access_token_claims"] = json!(true);
        settings["upstream"] = json!({"headers": {
            "x-userinfo": {"userinfo": "base64_json"},
            "x-roles": {"claim": ["realm_access", "roles"]},
            "x-party": {"access_token_claim": "azp"},
        }});
        settings["rules"] = json!([{
            "match": {"path": {"prefix": "/admin"}},
            "require": {"realm_roles": {"any_of": ["admin"]}},
            "forbid": {"claims": [{"claim": "suspended", "equals": true}]},
        }]);
    });
    says(&world, said);
    world
}

fn says(world: &World, mut said: Value) {
    said["aud"] = json!(AUDIENCE);
    world.provider.script.borrow_mut().access_token = Some(said);
}

fn roles(roles: &[&str]) -> Value {
    json!({"realm_access": {"roles": roles}, "azp": "portero", "name": "Nobody", "sub": "user-1"})
}

#[test]
fn rules_and_headers_see_what_the_access_token_says() {
    let world = world(roles(&["admin", "auditor"]));
    let browser = world.browser();
    browser.log_in();
    let outcome = browser.go("/admin");
    let forwarded = outcome.forwarded();
    assert_eq!(forwarded.header("x-roles"), "admin,auditor");
    assert_eq!(forwarded.header("x-party"), "portero");
    // The ID token and userinfo know better who somebody is, and `userinfo` is theirs alone.
    let userinfo = forwarded.userinfo();
    assert_eq!(userinfo["name"], "Ada Lovelace");
    assert!(userinfo.get("client_id").is_none());
}

#[test]
fn who_lacks_the_role_or_is_suspended_is_refused() {
    let mut suspended = roles(&["admin"]);
    suspended["suspended"] = json!(true);
    for said in [
        roles(&["auditor"]),
        json!({"realm_access": "admin"}),
        suspended,
    ] {
        let world = world(said);
        let browser = world.browser();
        browser.log_in();
        assert_eq!(browser.go("/admin").code(), "access_forbidden");
    }
}

#[test]
fn an_access_token_that_cannot_be_read_is_no_login() {
    let opaque = world(roles(&["admin"]));
    opaque.provider.script.borrow_mut().access_token = None;
    let elsewhere = world(json!({}));
    elsewhere.provider.script.borrow_mut().access_token = Some(json!({"aud": "elsewhere"}));
    for (world, cause) in [(opaque, "malformed"), (elsewhere, "audience_mismatch")] {
        let browser = world.browser();
        let page = browser.browse("/").1;
        assert_eq!(
            (page.status(), page.code().as_str()),
            (502, "token_malformed")
        );
        assert!(
            !world
                .land
                .lines(&format!("access_token_not_read cause={cause}"))
                .is_empty()
        );
    }
}

#[test]
fn a_refresh_brings_what_the_new_access_token_says() {
    let world = world(roles(&["admin"]));
    world.provider.script.borrow_mut().refreshes = true;
    let browser = world.browser();
    browser.log_in();
    browser.go("/admin").forwarded();
    says(&world, roles(&["auditor"]));
    world.pass(seconds(59 * 60 + 30));
    browser.go("/");
    let outcome = browser.go("/");
    assert_eq!(outcome.forwarded().header("x-roles"), "auditor");
    assert_eq!(browser.go("/admin").code(), "access_forbidden");
}

/// New tokens are not lost because nobody can say what they say.
#[test]
fn a_refresh_while_the_keys_cannot_be_had_leaves_what_was_known() {
    let world = world(roles(&["admin"]));
    world.provider.script.borrow_mut().refreshes = true;
    let browser = world.browser();
    browser.log_in();
    world.provider.rotate(Signer::es256("next", 3));
    world
        .provider
        .break_down(Purpose::Jwks, Answer::Status(503));
    world.pass(seconds(59 * 60 + 30));
    browser.go("/");
    browser.go("/admin").forwarded();
    assert!(
        !world
            .land
            .lines("access_token_not_read cause=key_unknown")
            .is_empty()
    );
}
