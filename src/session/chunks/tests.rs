use std::time::Duration;

use proptest::prelude::*;

use super::super::cookie::{Attributes, CookieJar};
use super::{COOKIE_LIMIT, MAX_PIECES, TooLarge, delete, is_piece, load, store};
use crate::config::SameSite;
use crate::request::Request;

const NAME: &str = "__Host-portero";
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const ATTRIBUTES: Attributes<'static> = Attributes {
    path: "/",
    secure: true,
    same_site: SameSite::None,
};

/// A value of `length` that is different at every place.
fn value(length: usize) -> String {
    (0..length)
        .map(|index| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk-_"[index * 7 / 3 % 39]))
        .collect()
}

/// What a browser makes of `Set-Cookie` values, on top of the cookies that it has.
fn after(mut cookies: Vec<(String, String)>, set_cookies: &[String]) -> Vec<(String, String)> {
    for set_cookie in set_cookies {
        let (pair, attributes) = set_cookie.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        cookies.retain(|(known, _)| known != name);
        if !attributes.contains("Max-Age=0;") {
            cookies.push((name.to_owned(), value.to_owned()));
        }
    }
    cookies
}

fn request(cookies: &[(String, String)]) -> Request {
    let pairs: Vec<String> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Request::new(vec![("cookie".to_owned(), pairs.join("; ").into_bytes())])
}

fn stored(cookies: &[(String, String)], value: &str) -> Vec<String> {
    let request = request(cookies);
    let jar = CookieJar::of(&request);
    store(NAME, value, MAX_PIECES, MAX_AGE, ATTRIBUTES, &jar).unwrap()
}

fn loaded(cookies: &[(String, String)]) -> Option<String> {
    let request = request(cookies);
    load(NAME, &CookieJar::of(&request)).map(|bytes| String::from_utf8(bytes.into_owned()).unwrap())
}

/// A browser with a value of three pieces.
fn three_pieces() -> Vec<(String, String)> {
    let cookies = after(Vec::new(), &stored(&[], &value(10_000)));
    assert_eq!(cookies.len(), 3);
    assert_eq!(loaded(&cookies), Some(value(10_000)));
    cookies
}

#[test]
fn a_set_with_a_piece_missing_is_no_value() {
    for index in 0..3 {
        let mut cookies = three_pieces();
        cookies.remove(index);
        assert_eq!(loaded(&cookies), None, "without piece {index}");
    }
}

#[test]
fn a_set_with_a_piece_twice_is_no_value() {
    for index in 0..3 {
        let mut cookies = three_pieces();
        cookies.push(cookies[index].clone());
        assert_eq!(loaded(&cookies), None, "piece {index} twice");
    }
}

#[test]
fn swapped_and_foreign_pieces_make_another_value() {
    let mut cookies = three_pieces();
    (cookies[1].0, cookies[2].0) = (cookies[2].0.clone(), cookies[1].0.clone());
    assert_ne!(loaded(&cookies), Some(value(10_000)));
    let mut cookies = three_pieces();
    cookies[2].1 = "foreign".to_owned();
    assert_ne!(loaded(&cookies), Some(value(10_000)));
}

#[test]
fn surplus_pieces_do_not_matter() {
    let mut cookies = three_pieces();
    cookies.push((format!("{NAME}.3"), "left over".to_owned()));
    cookies.push((format!("{NAME}.x"), "foreign".to_owned()));
    assert_eq!(loaded(&cookies), Some(value(10_000)));
}

#[test]
fn the_count_must_be_one_digit_within_bounds() {
    for first in [
        "", "1", "1A", "0.A", "6.A", "9.A", "x.A", "/.A", ".A", "01.A", "2.A",
    ] {
        let cookies = [(NAME.to_owned(), first.to_owned())];
        assert_eq!(loaded(&cookies), None, "{first}");
    }
    let cookies = [(NAME.to_owned(), "1.A".to_owned())];
    assert_eq!(loaded(&cookies), Some("A".to_owned()));
}

#[test]
fn what_a_longer_value_left_is_deleted() {
    let set_cookies = stored(&three_pieces(), "short");
    assert_eq!(set_cookies.len(), 3);
    assert_eq!(
        set_cookies[1],
        format!("{NAME}.1=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=None")
    );
    let cookies = after(three_pieces(), &set_cookies);
    assert_eq!(cookies, [(NAME.to_owned(), "1.short".to_owned())]);
}

#[test]
fn deleting_names_what_is_there_and_nothing_else() {
    let mut cookies = three_pieces();
    cookies.push(("foreign".to_owned(), "1".to_owned()));
    let request = request(&cookies);
    let set_cookies = delete(NAME, ATTRIBUTES, &CookieJar::of(&request));
    let left = after(cookies, &set_cookies);
    assert_eq!(left, [("foreign".to_owned(), "1".to_owned())]);
    let nothing = Request::default();
    assert!(delete(NAME, ATTRIBUTES, &CookieJar::of(&nothing)).is_empty());
}

#[test]
fn too_much_is_refused_and_so_is_nothing() {
    let request = Request::default();
    let jar = CookieJar::of(&request);
    for most in [1, 2, MAX_PIECES] {
        let store = |length| store(NAME, &value(length), most, MAX_AGE, ATTRIBUTES, &jar);
        assert_eq!(store(0), Err(TooLarge));
        assert_eq!(store(most * COOKIE_LIMIT), Err(TooLarge));
        let largest = (0..most * COOKIE_LIMIT)
            .rev()
            .find(|length| store(*length).is_ok());
        assert!(largest.unwrap() > most * 3_800);
    }
    let more = store(NAME, &value(20_500), 9, MAX_AGE, ATTRIBUTES, &jar);
    assert_eq!(more, Err(TooLarge), "such a value could not be loaded");
}

#[test]
fn pieces_are_known_by_their_names() {
    for name in ["p", "p.0", "p.1", "p.4", "p.9"] {
        assert!(is_piece("p", name.as_bytes()), "{name}");
    }
    for name in ["", "P", "pp", "p.", "p.a", "p.10", "p.1.1", "p-1", "x.p"] {
        assert!(!is_piece("p", name.as_bytes()), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_stored_is_loaded(before in 1_usize..19_500, length in 1_usize..19_500) {
        let browser = after(Vec::new(), &stored(&[], &value(before)));
        let set_cookies = stored(&browser, &value(length));
        for set_cookie in &set_cookies {
            prop_assert!(set_cookie.len() <= COOKIE_LIMIT, "{} bytes", set_cookie.len());
        }
        let browser = after(browser, &set_cookies);
        prop_assert!(browser.len() <= MAX_PIECES);
        prop_assert_eq!(loaded(&browser), Some(value(length)));
    }

    #[test]
    fn the_limit_holds_for_every_name_and_path(
        name in "[a-zA-Z_-]{1,64}",
        path in "/[a-z/]{0,1000}",
        secure: bool,
        length in 1_usize..12_000,
    ) {
        let attributes = Attributes { path: &path, secure, same_site: SameSite::None };
        let request = Request::default();
        let set_cookies =
            store(&name, &value(length), MAX_PIECES, MAX_AGE, attributes, &CookieJar::of(&request)).unwrap();
        for set_cookie in &set_cookies {
            prop_assert!(set_cookie.len() <= COOKIE_LIMIT, "{} bytes", set_cookie.len());
        }
    }

    #[test]
    fn noise_never_panics(first in "[0-9]?\\.?[A-Z]{0,4}", second in "[A-Z]{0,4}") {
        loaded(&[(NAME.to_owned(), first), (format!("{NAME}.1"), second)]);
    }
}
