use super::{audience, can_log_in, is_from_own_page, is_preflight, is_same_origin, request_id};
use crate::answer::Audience::{self, Browser, Program};
use crate::request::Request;

fn request(headers: &[(&str, &str)]) -> Request {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    Request::new(headers.collect())
}

#[track_caller]
fn assert_audience(headers: &[(&str, &str)], expected: Audience) {
    assert_eq!(audience(&request(headers)), expected, "{headers:?}");
}

#[test]
fn a_navigation_is_a_persons_and_everything_else_a_programs() {
    const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    assert_audience(&[("sec-fetch-mode", "navigate")], Browser);
    assert_audience(&[("sec-fetch-mode", "cors"), HTML], Program);
    assert_audience(&[("sec-fetch-mode", "no-cors"), HTML], Program);
    assert_audience(&[HTML], Browser);
    assert_audience(&[("accept", "application/json, TEXT/HTML ;q=1")], Browser);
    assert_audience(&[("accept", "*/*")], Program);
    assert_audience(&[("accept", "text/htmlx")], Program);
    assert_audience(&[], Program);
    assert_audience(&[HTML, ("x-requested-with", "XmlHttpRequest")], Program);
    for (name, value) in [
        ("upgrade", "websocket"),
        (":protocol", "websocket"),
        ("content-type", "application/grpc-web"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
    ] {
        assert_audience(
            &[("sec-fetch-mode", "navigate"), HTML, (name, value)],
            Program,
        );
    }
}

#[test]
fn only_what_loses_nothing_by_a_redirect_is_sent_to_log_in() {
    for (method, expected) in [
        ("GET", true),
        ("HEAD", true),
        ("POST", false),
        ("get", false),
    ] {
        let request = request(&[(":method", method)]);
        assert_eq!(can_log_in(&request, Browser), expected, "{method}");
        assert!(!can_log_in(&request, Program), "{method}");
    }
}

#[test]
fn a_preflight_asks_for_a_method() {
    let whole = [
        (":method", "OPTIONS"),
        ("origin", "https://other.example"),
        ("access-control-request-method", "POST"),
    ];
    assert!(is_preflight(&request(&whole)));
    for left_out in 0..3 {
        let mut part = whole.to_vec();
        part.remove(left_out);
        assert!(!is_preflight(&request(&part)), "{part:?}");
    }
}

#[test]
fn the_sender_is_who_the_browser_says_it_is() {
    const ORIGIN: &str = "https://app.example.com";
    for (headers, expected) in [
        (vec![("sec-fetch-site", "same-origin")], true),
        (vec![("sec-fetch-site", "none")], true),
        (vec![("sec-fetch-site", "same-site")], false),
        (
            vec![("sec-fetch-site", "cross-site"), ("origin", ORIGIN)],
            false,
        ),
        (vec![("origin", ORIGIN)], true),
        (vec![("origin", "null"), ("referer", ORIGIN)], false),
        (
            vec![("origin", "https://app.example.com.evil.example")],
            false,
        ),
        (vec![("referer", ORIGIN)], true),
        (vec![("referer", "https://app.example.com/a")], true),
        (
            vec![("referer", "https://app.example.com.evil.example/")],
            false,
        ),
        (vec![("referer", "https://app.example.com:8443/")], false),
        (vec![], false),
    ] {
        assert_eq!(
            is_same_origin(&request(&headers), ORIGIN),
            expected,
            "{headers:?}"
        );
    }
}

#[test]
fn only_what_looks_like_a_request_id_is_shown() {
    let shown = |id: &str| request_id(&request(&[("x-request-id", id)])).to_owned();
    assert_eq!(shown("0b6f8d4e-1c2d"), "0b6f8d4e-1c2d");
    for other in ["<b>", "a b", "a\r\n", "ü", &"a".repeat(65)] {
        assert_eq!(shown(other), "unknown", "{other:?}");
    }
    assert_eq!(request_id(&Request::default()), "unknown");
}

#[test]
fn a_page_of_this_origin_is_known_by_what_the_browser_says_and_by_nothing_else() {
    const ORIGIN: &str = "https://app.example.com";
    const OWN: (&str, &str) = ("origin", ORIGIN);
    const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");
    for (headers, expected) in [
        (vec![SAME], true),
        (vec![OWN], true),
        (vec![SAME, OWN], true),
        (vec![("sec-fetch-site", "none")], false),
        (vec![("sec-fetch-site", "none"), OWN], false),
        (vec![SAME, ("origin", "null")], false),
        (vec![OWN, ("origin", "https://evil.example")], false),
        (vec![SAME, ("sec-fetch-site", "cross-site")], false),
        (vec![("referer", "https://app.example.com/a")], false),
        (vec![], false),
    ] {
        assert_eq!(
            is_from_own_page(&request(&headers), ORIGIN),
            expected,
            "{headers:?}"
        );
    }
}
