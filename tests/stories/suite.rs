//! What the OpenID Foundation's conformance suite does, test by test: a login with one thing wrong,
//! or right in an unusual way. The modules are its plans and the tests have its names.

use serde_json::Value;

use crate::browser::Browser;
use crate::outcome::Outcome;
use crate::provider::IdToken;
use crate::world::World;

/// A login that must work.
#[track_caller]
pub fn logs_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    assert!(world.land.failures().is_empty());
    assert_eq!(world.land.counted("portero.login.succeeded"), 1);
    browser
}

/// A login that must be refused with this code, once, for everybody to see.
#[track_caller]
pub fn is_refused(world: &World, code: &str) -> Outcome {
    let browser = world.browser();
    let callback = browser.login_until_callback("/page");
    let outcome = browser.come_from_elsewhere(&callback);
    assert_eq!((outcome.status(), outcome.code().as_str()), (502, code));
    assert_eq!(world.land.failures(), [(code.to_owned(), 1)].into());
    assert_eq!(world.land.counted("portero.login.succeeded"), 0);
    assert!(browser.cookie_names("").is_empty());
    assert!(!browser.is_logged_in());
    outcome
}

/// A world whose provider changes every ID token so.
pub fn tampered(change: impl Fn(&mut IdToken) + 'static) -> World {
    let world = World::new();
    world.provider.tamper(change);
    world
}

/// A world whose ID tokens have this claim, or, with `null`, do not have it.
pub fn with_claim(name: &'static str, value: Value) -> World {
    tampered(move |token| {
        match &value {
            Value::Null => token.claims.remove(name),
            value => token.claims.insert(name.to_owned(), value.clone()),
        };
    })
}

/// Changes one character of the signature.
pub fn spoil_signature(token: &mut IdToken) {
    token.after = |token| {
        let at = token.len() - 10;
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    };
}
