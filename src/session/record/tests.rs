use super::{LONGEST, Record};
use crate::error::{Error, InternalFault};
use crate::secret::Secret;
use crate::session::{Seal, Session};
use crate::testing::{TestHost, session};

const KEY: &[u8] = b"a key for the tests of records, long enough";

#[test]
fn a_value_opens_in_its_own_place_only() {
    let host = TestHost::default();
    let (seal, other) = (Secret::new(KEY.to_vec()), Secret::new(KEY.repeat(2)));
    let (seal, other) = (Seal::new(&[seal]), Seal::new(&[other]));
    let own = Record {
        seal: &seal,
        kind: "session",
        key: "portero:session:a",
        authority: "app.example.com",
        issuer: "https://idp.example.com",
    };
    let value = own.seal(&host, &session()).unwrap();
    assert!(own.open(&value) == Some(session()));
    for place in [
        Record {
            key: "portero:session:b",
            ..own
        },
        Record {
            authority: "app.example.com:8443",
            ..own
        },
        Record {
            issuer: "https://idp.example.com/",
            ..own
        },
        Record {
            seal: &other,
            ..own
        },
    ] {
        assert!(place.open::<Session>(&value).is_none(), "{}", place.key);
    }
    assert!(own.open::<Session>("").is_none());
    assert!(own.open::<Session>(value.get(1..).unwrap()).is_none());
    assert!(own.open::<Session>("not base64!").is_none());
}

#[test]
fn a_session_that_is_too_large_is_not_sealed() {
    let host = TestHost::default();
    let seal = Seal::new(&[Secret::new(KEY.to_vec())]);
    let place = Record {
        seal: &seal,
        kind: "session",
        key: "k",
        authority: "h",
        issuer: "i",
    };
    let large = Session {
        claims: "x".repeat(LONGEST),
        ..session()
    };
    let refused = place.seal(&host, &large).unwrap_err();
    assert_eq!(refused, Error::Internal(InternalFault::SessionTooLarge));
    host.random_fails.set(true);
    let refused = place.seal(&host, &session()).unwrap_err();
    assert_eq!(refused, Error::Internal(InternalFault::RandomUnavailable));
}
