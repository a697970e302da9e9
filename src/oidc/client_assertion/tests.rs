use jwt_simple::prelude::{Audiences, HS256Key, MACLike as _, NoCustomClaims, VerificationOptions};

use super::of;
use crate::error::InternalFault;
use crate::jose::{Algorithm, SigningKey};
use crate::testing::{START, TestHost};

const SECRET: &[u8] = b"correct-horse-battery-staple-0123456789";

fn key() -> SigningKey {
    SigningKey::from_secret(SECRET, Algorithm::Hs256).unwrap()
}

#[test]
fn it_says_who_whom_and_for_how_long() {
    let host = TestHost::default();
    let assertion = of("portero", "https://idp.example.com", &key(), &host).unwrap();
    let now = jwt_simple::prelude::UnixTimeStamp::from_secs(START.as_secs());
    let options = VerificationOptions {
        artificial_time: Some(now),
        ..VerificationOptions::default()
    };
    let claims = HS256Key::from_bytes(SECRET)
        .verify_token::<NoCustomClaims>(&assertion, Some(options))
        .unwrap();
    assert_eq!(claims.issuer.as_deref(), Some("portero"));
    assert_eq!(claims.subject.as_deref(), Some("portero"));
    assert_eq!(claims.issued_at, Some(now));
    let minute = jwt_simple::prelude::Duration::from_secs(60);
    assert_eq!(claims.expires_at, Some(now + minute));
    assert_eq!(claims.jwt_id.unwrap().len(), 22);
    let Some(Audiences::AsString(audience)) = claims.audiences else {
        panic!("not one text");
    };
    assert_eq!(audience, "https://idp.example.com");
}

#[test]
fn no_two_are_the_same() {
    let host = TestHost::default();
    let make = || of("portero", "https://idp.example.com", &key(), &host).unwrap();
    assert_ne!(make(), make());
}

#[test]
fn there_is_none_without_randomness() {
    let host = TestHost::default();
    host.random_fails.set(true);
    let assertion = of("portero", "https://idp.example.com", &key(), &host);
    assert_eq!(assertion, Err(InternalFault::RandomUnavailable));
}
