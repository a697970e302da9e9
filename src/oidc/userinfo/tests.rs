use proptest::prelude::*;

use super::{MAX_RESPONSE, parse_userinfo};
use crate::error::{CallFault, Error};
use crate::telemetry::Purpose;

const MALFORMED: Error = Error::Provider(Purpose::Userinfo, CallFault::Malformed);

fn fault(body: &str) -> Option<Error> {
    parse_userinfo(body.as_bytes(), "alice").err()
}

#[test]
fn claims_about_the_subject_are_read() {
    let claims = parse_userinfo(br#"{"sub":"alice","email":"a@b.example"}"#, "alice").unwrap();
    assert_eq!(claims.string("email"), Ok(Some("a@b.example")));
}

#[test]
fn claims_about_anybody_else_are_refused() {
    for sub in ["bob", "Alice", "alice ", ""] {
        let body = format!(r#"{{"sub":"{sub}","email":"a@b.example"}}"#);
        assert_eq!(fault(&body), Some(Error::UserinfoSubject), "{sub}");
    }
}

#[test]
fn what_does_not_say_who_is_malformed() {
    for body in [
        "",
        "{}",
        "null",
        "[]",
        r#""alice""#,
        r#"{"sub":null}"#,
        r#"{"sub":1}"#,
        r#"{"sub":["alice"]}"#,
        r#"{"sub":"alice","sub":"alice"}"#,
        r#"{"sub":"alice","a":{"b":1,"b":2}}"#,
        r#"{"sub":"alice"}x"#,
        "eyJhbGciOiJSUzI1NiJ9.e30.AA",
    ] {
        assert_eq!(fault(body), Some(MALFORMED), "{body}");
    }
}

#[test]
fn too_much_is_not_read() {
    let padded = |length: usize| {
        let body = r#"{"sub":"alice"}"#;
        let blanks = " ".repeat(length - body.len());
        format!("{body}{blanks}")
    };
    assert_eq!(fault(&padded(MAX_RESPONSE)), None);
    assert_eq!(fault(&padded(MAX_RESPONSE + 1)), Some(MALFORMED));
}

proptest! {
    #[test]
    fn noise_never_panics(noise: Vec<u8>) {
        prop_assert!(parse_userinfo(&noise, "alice").is_err());
    }
}
