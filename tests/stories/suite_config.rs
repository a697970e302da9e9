//! `oidcc-client-config-certification-test-plan`, the prefix `oidcc-client-test-` left out.

use crate::browser::parameter;
use crate::signer::Signer;
use crate::suite::{is_refused, logs_in, tampered};
use crate::world::World;
use portero::telemetry::Purpose;
use serde_json::json;

const NEW: Signer = Signer::es256("second", 9);

#[test]
fn discovery_openid_config() {
    let world = World::new();
    world.provider.script.borrow_mut().metadata = vec![(
        "authorization_endpoint",
        json!("https://idp.example.com/authorize?from=discovery"),
    )];
    let start = world.browser().go("/");
    assert_eq!(parameter(start.location(), "from"), "discovery");
    assert_eq!(world.provider.called(Purpose::Discovery), 1);
}

#[test]
fn discovery_jwks_uri_keys() {
    let world = World::new();
    world.provider.script.borrow_mut().jwks = json!({"keys": [
        NEW.jwk(),
        Signer::rs256("rsa").jwk(),
        Signer::es256("first", 7).jwk(),
    ]});
    logs_in(&world);
    assert_eq!(world.provider.called(Purpose::Jwks), 1);
    assert_eq!(
        world
            .land
            .lines("provider_ready provider=corp keys=3")
            .len(),
        1
    );
}

#[test]
fn discovery_issuer_mismatch() {
    for issuer in [
        "https://evil.example",
        "https://idp.example.com/realms/acme/",
        "https://idp.example.com",
    ] {
        let world = World::new();
        world.provider.script.borrow_mut().metadata = vec![("issuer", json!(issuer))];
        let outcome = world.browser().go("/");
        assert_eq!(
            (outcome.status(), outcome.code().as_str()),
            (503, "provider_unavailable")
        );
        assert_eq!(
            world
                .land
                .lines("call=discovery cause=issuer_mismatch")
                .len(),
            1
        );
        assert_eq!(world.provider.called(Purpose::Jwks), 0);
    }
}

#[test]
fn idtoken_sig_none() {
    let world = tampered(|token| {
        token.header = json!({"alg": "none"});
        token.after = |token| format!("{}.", token.rsplit_once('.').unwrap().0);
    });
    is_refused(&world, "id_token_algorithm_refused");
}

#[test]
fn signing_key_rotation_just_before_signing() {
    let world = World::new();
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    world.provider.rotate(NEW);
    browser.come_from_elsewhere(&callback).location();
    assert!(browser.is_logged_in());
    assert_eq!(world.provider.called(Purpose::Jwks), 2);
}

#[test]
fn signing_key_rotation() {
    let world = World::new();
    logs_in(&world);
    world.provider.rotate(NEW);
    world.browser().log_in();
    assert!(world.land.failures().is_empty());
    // A token of the old key is no good any more.
    world.provider.tamper(|token| {
        let old = Signer::es256("first", 7);
        token.signer = old;
        token.header = old.header();
    });
    let browser = world.browser();
    let callback = browser.login_until_callback("/");
    let end = browser.come_from_elsewhere(&callback);
    assert_eq!(end.code(), "id_token_key_unknown");
}
