use proptest::prelude::*;
use serde_json::{Value, json};

use super::{find, headers, is_cookie, target_without};
use crate::config::Bearer;
use crate::error::RequestFault;
use crate::jose::MAX_TOKEN_BYTES;
use crate::request::Request;
use crate::session::{CookieJar, cookie};
use crate::testing::config;

const MALFORMED: Result<Option<String>, RequestFault> = Err(RequestFault::TokenMalformed);
const AMBIGUOUS: Result<Option<String>, RequestFault> = Err(RequestFault::TokenAmbiguous);

fn bearer(settings: Value) -> Bearer {
    config(|whole| whole["bearer"] = settings).bearer
}

/// Every place at once.
fn everywhere() -> Bearer {
    bearer(json!({
        "headers": [
            {"name": "authorization"},
            {"name": "authorization", "scheme": "token"},
            {"name": "x-token", "scheme": ""},
            {"name": "x-both", "scheme": ""},
            {"name": "x-both", "scheme": "Key"},
        ],
        "cookies": ["token", "other"],
        "query": ["access_token", "t"],
    }))
}

fn request(headers: &[(&str, &[u8])]) -> Request {
    let headers = headers.iter();
    Request::new(
        headers
            .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
            .collect(),
    )
}

fn found(bearer: &Bearer, sent: &[(&str, &[u8])]) -> Result<Option<String>, RequestFault> {
    let request = request(sent);
    let token = find(bearer, &request, &CookieJar::of(&request))?;
    Ok(token.map(std::borrow::Cow::into_owned))
}

fn in_query(query: &str) -> Result<Option<String>, RequestFault> {
    found(&everywhere(), &[(":path", query.as_bytes())])
}

#[allow(clippy::unnecessary_wraps)]
fn some(token: &str) -> Result<Option<String>, RequestFault> {
    Ok(Some(token.to_owned()))
}

#[test]
fn without_configuration_a_token_stands_in_the_authorization_header_and_nowhere_else() {
    let bearer = bearer(json!({}));
    for (value, expected) in [
        (&b"Bearer a.b-c_d~e+f/g=="[..], some("a.b-c_d~e+f/g==")),
        (b"bearer abc", some("abc")),
        (b"BEARER abc", some("abc")),
        (b"  Bearer   abc \t", some("abc")),
        (b"Basic YTpi", Ok(None)),
        (b"Bearerabc", Ok(None)),
        (b"token abc", Ok(None)),
        (b"abc", Ok(None)),
        (b"", Ok(None)),
        (b"\xff\xfe", Ok(None)),
        (b"Bearer", MALFORMED),
        (b"Bearer ", MALFORMED),
        (b"Bearer\tabc", MALFORMED),
        (b"Bearer \tabc", MALFORMED),
        (b"Bearer abc def", MALFORMED),
        (b"Bearer abc,Bearer def", MALFORMED),
        (b"Bearer abc, Basic YTpi", MALFORMED),
        (b"Bearer \"abc\"", MALFORMED),
        (b"Bearer =", MALFORMED),
        (b"Bearer a=b", MALFORMED),
        (b"Bearer abc%3D", MALFORMED),
        (b"Bearer abc\0", MALFORMED),
        (b"Bearer \xc3\xa9", MALFORMED),
        (b"Bearer \xff", MALFORMED),
    ] {
        let text = String::from_utf8_lossy(value).into_owned();
        assert_eq!(
            found(&bearer, &[("authorization", value)]),
            expected,
            "{text:?}"
        );
    }
    for (name, value) in [
        ("cookie", &b"token=abc; access_token=abc"[..]),
        (":path", b"/?access_token=abc"),
        ("x-token", b"Bearer abc"),
        ("proxy-authorization", b"Bearer abc"),
    ] {
        assert_eq!(found(&bearer, &[(name, value)]), Ok(None), "{name}");
    }
}

#[test]
fn a_header_may_have_several_schemes_or_none() {
    let bearer = everywhere();
    for (name, value, expected) in [
        ("authorization", "Token abc", some("abc")),
        ("authorization", "Bearer abc", some("abc")),
        ("authorization", "Key abc", Ok(None)),
        ("x-token", "abc", some("abc")),
        ("x-token", "Bearer abc", MALFORMED),
        ("x-token", "", MALFORMED),
        ("x-both", "key abc", some("abc")),
        ("x-both", "abc", some("abc")),
        // The word of a scheme is never a token.
        ("x-both", "Key", MALFORMED),
        ("x-both", "Bearer abc", MALFORMED),
    ] {
        let sent = [(name, value.as_bytes())];
        assert_eq!(found(&bearer, &sent), expected, "{name}: {value}");
    }
}

#[test]
fn a_token_stands_in_a_cookie_by_its_exact_name() {
    let bearer = everywhere();
    for (cookies, expected) in [
        ("a=1; token=abc; b=2", some("abc")),
        ("token=abc==", some("abc==")),
        ("Token=abc; xtoken=abc; token.1=abc", Ok(None)),
        ("token", Ok(None)),
        ("token=", MALFORMED),
        ("token=\"abc\"", MALFORMED),
        ("token=a b", MALFORMED),
        ("token=abc; token=abc", some("abc")),
        ("token=abc; token=def", AMBIGUOUS),
        ("token=abc; other=def", AMBIGUOUS),
    ] {
        let sent = [("cookie", cookies.as_bytes())];
        assert_eq!(found(&bearer, &sent), expected, "{cookies}");
    }
}

/// Forms write a space as `+`, and tokens have no spaces.
#[test]
fn a_token_in_the_query_may_be_percent_encoded_and_its_plus_is_a_plus() {
    for (target, expected) in [
        ("/a?access_token=abc", some("abc")),
        ("/a?x=1&access_token=abc&y=2", some("abc")),
        ("/a?access%5ftoken=%61bc", some("abc")),
        ("/a?access_token=a+b", some("a+b")),
        ("/a?access_token=a%2Bb", some("a+b")),
        ("/a?access_token=a%2bb&t=a+b", some("a+b")),
        ("/a?access_token=abc==", some("abc==")),
        ("/a?access_token=abc%3D%3d", some("abc==")),
        ("/a?b?access_token=abc", Ok(None)),
        ("/a?Access_Token=abc", Ok(None)),
        ("/access_token=abc", Ok(None)),
        ("/a?access_token", MALFORMED),
        ("/a?access_token=", MALFORMED),
        ("/a?access_token=a%20b", MALFORMED),
        ("/a?access_token=a%zz", MALFORMED),
        ("/a?access_token=a%2", MALFORMED),
        ("/a?access_token=abc#x", MALFORMED),
        ("/a?access_token=abc;x=1", MALFORMED),
        ("/a?access_token=abc&access_token=abc", some("abc")),
        ("/a?access_token=abc&access_token=abd", AMBIGUOUS),
        ("/a?access_token=abc&access_token=", MALFORMED),
        ("", Ok(None)),
    ] {
        assert_eq!(in_query(target), expected, "{target}");
    }
}

/// RFC 6750 section 2: a client must not use more than one method.
#[test]
fn the_same_token_in_several_places_is_one_and_different_ones_are_refused() {
    let bearer = everywhere();
    let with = |second: (&'static str, &'static [u8])| {
        found(&bearer, &[("authorization", b"Bearer abc"), second])
    };
    for (place, same, other) in [
        ("authorization", &b"bearer abc"[..], &b"Bearer abd"[..]),
        ("authorization", b"token abc", b"token ab"),
        ("x-token", b"abc", b"abcd"),
        ("cookie", b"token=abc", b"token=ABC"),
        (":path", b"/?access_token=abc", b"/?access_token=abc="),
    ] {
        assert_eq!(with((place, same)), some("abc"), "{place}");
        assert_eq!(with((place, other)), AMBIGUOUS, "{place}");
    }
    // Another scheme beside it is no second token.
    assert_eq!(with(("authorization", b"Basic YTpi")), some("abc"));
    assert_eq!(with(("x-token", b"no token")), MALFORMED);
}

#[test]
fn no_token_is_longer_than_the_limit() {
    let bearer = bearer(json!({"headers": [{"name": "x-token", "scheme": ""}]}));
    let long = "a".repeat(MAX_TOKEN_BYTES);
    assert_eq!(found(&bearer, &[("x-token", long.as_bytes())]), some(&long));
    let longer = format!("{long}a");
    assert_eq!(found(&bearer, &[("x-token", longer.as_bytes())]), MALFORMED);
}

#[test]
fn what_holds_a_token_is_known_by_name() {
    let bearer = everywhere();
    let request = request(&[
        ("authorization", b"Basic YTpi"),
        ("authorization", b"Bearer abc"),
        ("x-token", b"abc"),
    ]);
    let names = headers(&bearer, &request).map(|name| std::str::from_utf8(name).unwrap());
    let names: Vec<&str> = names.collect();
    assert_eq!(names, ["authorization", "x-token"]);
    assert!(is_cookie(&bearer, b"token") && !is_cookie(&bearer, b"Token"));
    let basic = self::request(&[("authorization", b"Basic YTpi")]);
    assert_eq!(headers(&bearer, &basic).count(), 0);
}

#[test]
fn a_token_is_taken_out_of_the_query_and_the_rest_stays_as_it_was() {
    let bearer = everywhere();
    for (target, expected) in [
        ("/a?access_token=x", "/a"),
        ("/a?access_token=x&b=%20+", "/a?b=%20+"),
        ("/a?b=2&access_token=x", "/a?b=2"),
        ("/a?b=2&t=x&c=3&t=x", "/a?b=2&c=3"),
        ("/a?access%5Ftoken=x&b", "/a?b"),
        ("/a?access_token=x&", "/a"),
        ("/a?&access_token=x&&", "/a"),
        ("/a?b&&access_token=x", "/a?b&"),
        ("/a?b=?access_token=x&t=x", "/a?b=?access_token=x"),
    ] {
        let rest = target_without(&bearer, target.as_bytes());
        assert_eq!(rest.as_deref(), Some(expected.as_bytes()), "{target}");
    }
    for target in [
        "",
        "/",
        "/?",
        "/a?b=access_token",
        "/a?access_tokens=x",
        "/t=x",
    ] {
        assert_eq!(target_without(&bearer, target.as_bytes()), None, "{target}");
    }
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "(access_token|t|a|access%5ftoken)=[a+%2Bb=]{0,6}",
        "[ -~]{0,8}".prop_filter("one parameter", |text| !text.contains(['&', '?'])),
    ]
}

proptest! {
    #[test]
    fn finding_survives_any_bytes(
        path in prop::collection::vec(any::<u8>(), 0..64),
        header in prop::collection::vec(any::<u8>(), 0..64),
        cookies in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut authorization = b"Bearer ".to_vec();
        authorization.extend(&header);
        let sent = [
            (":path", path.as_slice()),
            ("authorization", header.as_slice()),
            ("authorization", authorization.as_slice()),
            ("x-token", header.as_slice()),
            ("cookie", cookies.as_slice()),
        ];
        for count in 0..=sent.len() {
            if let Ok(Some(token)) = found(&everywhere(), &sent[..count]) {
                prop_assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
        let rest = target_without(&everywhere(), &path);
        prop_assert!(rest.is_none_or(|rest| rest.len() < path.len()));
    }

    /// What is found is exactly what is hidden: afterwards there is nothing to find, and every other
    /// parameter is where it was.
    #[test]
    fn the_query_loses_its_tokens_and_nothing_else(pieces in prop::collection::vec(piece(), 0..6)) {
        let bearer = everywhere();
        let target = format!("/a?{}", pieces.join("&"));
        let is_token = |piece: &String| {
            let alone = format!("/a?{piece}");
            in_query(&alone) != Ok(None)
        };
        let others: Vec<&str> = pieces.iter().filter(|piece| !is_token(piece)).map(String::as_str).collect();
        match target_without(&bearer, target.as_bytes()) {
            None => prop_assert_eq!(others.len(), pieces.len()),
            Some(rest) => {
                let rest = String::from_utf8(rest).unwrap();
                prop_assert!(others.len() < pieces.len());
                prop_assert_eq!(in_query(&rest), Ok(None));
                match others.iter().all(|other| other.is_empty()) {
                    true => prop_assert_eq!(rest, "/a"),
                    false => prop_assert_eq!(rest, format!("/a?{}", others.join("&"))),
                }
            }
        }
    }

    #[test]
    fn what_is_found_in_cookies_is_what_their_names_hide(header in "[a-z=; \"]{0,32}|(token=[a-c]{0,2}; ?|other=x;|a=b; ){0,5}") {
        let bearer = everywhere();
        let mut kept = Vec::new();
        cookie::keep(header.as_bytes(), &|name| is_cookie(&bearer, name), &mut kept);
        let kept = kept.join(&b"; "[..]);
        prop_assert_eq!(found(&bearer, &[("cookie", &kept)]), Ok(None));
    }
}
