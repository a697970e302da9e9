use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Attributes, CookieJar, keep};
use crate::config::SameSite;
use crate::request::Request;

fn request(headers: &[&[u8]]) -> Request {
    let headers = headers
        .iter()
        .map(|value| ("cookie".to_owned(), value.to_vec()));
    Request::new(headers.collect())
}

#[track_caller]
fn assert_single(header: &str, name: &str, expected: Option<&str>) {
    let request = request(&[header.as_bytes()]);
    let found = CookieJar::of(&request).single(name.as_bytes());
    assert_eq!(found, expected.map(str::as_bytes), "{header}");
}

#[test]
fn a_cookie_is_found_by_its_exact_name() {
    assert_single("a=1; b=2", "b", Some("2"));
    assert_single("a=1;b=2", "b", Some("2"));
    assert_single(" a = 1 ;\tb = 2\t", "b", Some("2"));
    assert_single("a=1; b=2=3", "b", Some("2=3"));
    assert_single("a=", "a", Some(""));
    assert_single("b=\"2\"", "b", Some("\"2\""));
    assert_single("bb=1; B=2; b.1=3", "b", None);
    assert_single("__hOsT-b=1", "__Host-b", None);
}

#[test]
fn text_without_an_equals_sign_is_not_a_cookie() {
    assert_single("b", "b", None);
    assert_single("b; b=2", "b", Some("2"));
    assert_single("; ;;", "", None);
}

#[test]
fn a_name_that_comes_twice_has_no_value() {
    assert_single("b=1; b=2", "b", None);
    assert_single("b=1; b=1", "b", None);
    assert_single("b=1; b =", "b", None);
    let crumbs = request(&[b"b=1", b"b=2; c=3"]);
    assert_eq!(CookieJar::of(&crumbs).single(b"b"), None);
    assert_eq!(CookieJar::of(&crumbs).single(b"c"), Some(&b"3"[..]));
}

/// The header that is left; nothing where nothing is left.
fn without(header: &[u8], ours: &dyn Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let dropped = keep(header, ours, &mut kept);
    assert_eq!(dropped, names(header).any(ours));
    (!kept.is_empty()).then(|| kept.join(&b"; "[..]))
}

/// As simple readers find them.
fn names(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let pieces = header.split(|byte| *byte == b';');
    pieces.map(|piece| {
        let name = piece.split(|byte| *byte == b'=').next();
        name.unwrap_or_default().trim_ascii()
    })
}

#[test]
fn only_ours_are_taken_out() {
    let ours = |name: &[u8]| name.starts_with(b"p");
    let kept = |header: &str| {
        let kept = without(header.as_bytes(), &ours);
        kept.map(|kept| String::from_utf8(kept).unwrap())
    };
    assert_eq!(
        kept("a=1; p=2; b=\" 3 \""),
        Some("a=1; b=\" 3 \"".to_owned())
    );
    assert_eq!(kept("p=2; a=1"), Some("a=1".to_owned()));
    assert_eq!(kept("a=1; p.1=2"), Some("a=1".to_owned()));
    assert_eq!(kept("p=2;p"), None);
    assert_eq!(kept("a;p;b"), Some("a; b".to_owned()));
    assert_eq!(kept("a= p=2; p\t=3"), Some("a= p=2".to_owned()));
    assert_eq!(kept(""), None);
}

const ATTRIBUTES: Attributes<'static> = Attributes {
    path: "/",
    secure: true,
    same_site: SameSite::Lax,
};

#[test]
fn every_attribute_is_said_when_setting_and_when_deleting() {
    assert_eq!(
        ATTRIBUTES.set("n", "v", Duration::from_millis(90_999)),
        "n=v; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax"
    );
    assert_eq!(
        ATTRIBUTES.delete("n"),
        "n=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
    );
    let other = Attributes {
        path: "/oauth2/logout",
        secure: false,
        same_site: SameSite::None,
    };
    assert_eq!(
        other.delete("n"),
        "n=; Path=/oauth2/logout; Max-Age=0; HttpOnly; SameSite=None"
    );
    let none = Attributes {
        same_site: SameSite::None,
        ..ATTRIBUTES
    };
    assert!(none.delete("n").ends_with("; Secure; SameSite=None"));
}

#[test]
fn the_overhead_is_enough_for_every_lifetime_a_browser_keeps() {
    let longest = Duration::from_secs(400 * 24 * 60 * 60);
    assert!(ATTRIBUTES.set("n", "v", longest).len() < ATTRIBUTES.overhead() + 2);
}

/// Cookies as browsers send them.
fn cookies() -> impl Strategy<Value = Vec<(String, String)>> {
    vec(("[a-zA-Z0-9_.-]{1,6}", "[!-:<-~]{0,8}"), 0..8)
}

fn header(cookies: &[(String, String)]) -> String {
    let cookies: Vec<String> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    cookies.join("; ")
}

proptest! {
    #[test]
    fn noise_never_panics(headers in vec(vec(any::<u8>(), 0..80), 0..4)) {
        let headers: Vec<&[u8]> = headers.iter().map(Vec::as_slice).collect();
        let request = request(&headers);
        let jar = CookieJar::of(&request);
        for name in jar.names() {
            if let Some(value) = jar.single(name) {
                prop_assert!(!value.contains(&b';'));
            }
            prop_assert!(!name.contains(&b'='));
        }
    }

    /// Whatever this reads as one of ours, the upstream does not get.
    #[test]
    fn nothing_of_ours_is_left(header in "[ab=; \t\"]{0,30}") {
        let ours = |name: &[u8]| name == b"a";
        let kept = without(header.as_bytes(), &ours).unwrap_or_default();
        prop_assert!(!names(&kept).any(ours), "{:?}", kept);
        prop_assert_eq!(without(&kept, &ours).unwrap_or_default(), kept);
    }

    #[test]
    fn foreign_cookies_stay_byte_for_byte(cookies in cookies(), mine in "[a-zA-Z0-9_.-]{1,6}") {
        let foreign: Vec<_> = cookies
            .iter()
            .filter(|(name, _)| *name != mine)
            .cloned()
            .collect();
        let kept = without(header(&cookies).as_bytes(), &|name| name == mine.as_bytes());
        prop_assert_eq!(kept.unwrap_or_default(), header(&foreign).into_bytes());
    }

    #[test]
    fn what_came_once_is_found(cookies in cookies()) {
        let request = request(&[header(&cookies).as_bytes()]);
        let jar = CookieJar::of(&request);
        for (name, value) in &cookies {
            let count = cookies.iter().filter(|(other, _)| other == name).count();
            let expected = (count == 1).then_some(value.as_bytes());
            prop_assert_eq!(jar.single(name.as_bytes()), expected);
        }
    }
}
