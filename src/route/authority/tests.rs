use proptest::prelude::*;

use super::Authority;
use crate::error::{Error, RequestFault};
use crate::request::Request;

const INVALID: Error = Error::Request(RequestFault::AuthorityInvalid);

fn of(values: &[&[u8]]) -> Result<Authority, Error> {
    let headers = values
        .iter()
        .map(|value| (":authority".to_owned(), value.to_vec()));
    Authority::of(&Request::new(headers.collect()))
}

#[test]
fn the_authority_is_in_lower_case_and_has_a_host_and_maybe_a_port() {
    for (given, text, host, port) in [
        (
            "app.example.com",
            "app.example.com",
            "app.example.com",
            None,
        ),
        (
            "App.Example.COM:8443",
            "app.example.com:8443",
            "app.example.com",
            Some("8443"),
        ),
        ("localhost:080", "localhost:080", "localhost", Some("080")),
        ("under_score", "under_score", "under_score", None),
        (
            "192.0.2.1:10000",
            "192.0.2.1:10000",
            "192.0.2.1",
            Some("10000"),
        ),
        ("[2001:DB8::1]", "[2001:db8::1]", "[2001:db8::1]", None),
        ("[::1]:8080", "[::1]:8080", "[::1]", Some("8080")),
    ] {
        let authority = of(&[given.as_bytes()]).unwrap();
        assert_eq!(
            (authority.as_str(), authority.host(), authority.port()),
            (text, host, port),
            "{given}"
        );
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    for given in [
        "",
        ".",
        ":",
        ":80",
        ".:80",
        "app.example.com.",
        "app.example.com.:443",
        "app.example.com..",
        "a:",
        "a:b",
        "a:-1",
        "a:+1",
        "a:123456",
        "a:80:80",
        "a b",
        "a,b",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "a@b",
        "user:pw@host",
        "a%2e",
        "a;b",
        "a\tb",
        "a\r\nb",
        "a\0",
        " a",
        "a ",
        "ü.example.com",
        "[",
        "]",
        "[]",
        "[::1",
        "::1",
        "[::1]x",
        "[::1]:",
        "[::1%eth0]",
        "[a.b]c]",
        "*",
        "*.example.com",
    ] {
        assert_eq!(of(&[given.as_bytes()]), Err(INVALID), "{given:?}");
    }
    assert_eq!(of(&[b"\xff"]), Err(INVALID));
}

#[test]
fn the_authority_must_be_there_once() {
    assert_eq!(of(&[]), Err(INVALID));
    assert_eq!(of(&[b"a", b"a"]), Err(INVALID));
}

#[test]
fn a_name_longer_than_names_are_is_refused() {
    assert!(of(&["a".repeat(261).as_bytes()]).is_ok());
    assert_eq!(of(&["a".repeat(262).as_bytes()]), Err(INVALID));
}

proptest! {
    #[test]
    fn what_is_accepted_can_stand_in_a_url(given in "[a-zA-Z0-9.:\\[\\]@/ _-]{0,20}") {
        if let Ok(authority) = of(&[given.as_bytes()]) {
            prop_assert!(!authority.host().is_empty());
            prop_assert!(authority.as_str().starts_with(authority.host()));
            prop_assert!(authority.as_str().bytes().all(
                |byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && !b"/@\\?#".contains(&byte)
            ));
            prop_assert_eq!(of(&[authority.as_str().as_bytes()]), Ok(authority.clone()));
        }
    }

    #[test]
    fn noise_never_panics(given: Vec<u8>) {
        let _ = of(&[&given]);
    }
}
