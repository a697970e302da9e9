use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Claims, MAX_NUMERIC_DATE, base64url};
use crate::error::TokenFault;
use crate::jose::testing::values_of_every_type;
use crate::time::Timestamp;

fn claims(value: &Value) -> Claims {
    Claims::parse(value.to_string().as_bytes()).unwrap()
}

#[test]
fn only_an_object_with_distinct_names_is_claims() {
    assert!(Claims::parse(b"{}").unwrap().as_object().is_empty());
    for text in [
        "",
        "null",
        "[]",
        "\"a\"",
        "1",
        r#"{"a":1,"a":1}"#,
        r#"{"a":{"b":1,"b":2}}"#,
    ] {
        assert_eq!(
            Claims::parse(text.as_bytes()),
            Err(TokenFault::ClaimsMalformed),
            "{text}"
        );
    }
}

#[test]
fn a_string_is_a_string() {
    for value in values_of_every_type() {
        let claims = claims(&json!({ "x": value }));
        match value.as_str() {
            Some(text) => assert_eq!(claims.string("x"), Ok(Some(text))),
            None => assert_eq!(
                claims.string("x"),
                Err(TokenFault::ClaimInvalid { claim: "x" })
            ),
        }
        assert_eq!(claims.string("y"), Ok(None));
    }
}

#[test]
fn a_numeric_date_is_a_number_of_seconds_until_the_year_9999() {
    for (text, seconds) in [
        ("0", 0),
        ("-0", 0),
        ("-0.0", 0),
        ("0.9", 0),
        ("1", 1),
        ("1.999", 1),
        ("1.7e9", 1_700_000_000),
        ("1700000000.5", 1_700_000_000),
        ("253402300799", MAX_NUMERIC_DATE),
        ("253402300799.9", MAX_NUMERIC_DATE),
    ] {
        let claims = Claims::parse(format!("{{\"exp\":{text}}}").as_bytes()).unwrap();
        let expected = Timestamp::from_secs(seconds);
        assert_eq!(claims.numeric_date("exp"), Ok(Some(expected)), "{text}");
        assert_eq!(claims.numeric_date("iat"), Ok(None));
    }
    for text in [
        "-1",
        "-0.1",
        "253402300800",
        "253402300800.0",
        "1e300",
        "-1e300",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "null",
        "true",
        "\"1700000000\"",
        "[1700000000]",
        "{}",
    ] {
        let claims = Claims::parse(format!("{{\"exp\":{text}}}").as_bytes()).unwrap();
        let invalid = TokenFault::ClaimInvalid { claim: "exp" };
        assert_eq!(claims.numeric_date("exp"), Err(invalid), "{text}");
    }
}

#[test]
fn audiences_are_one_string_or_at_least_one() {
    let missing = TokenFault::ClaimMissing { claim: "aud" };
    let invalid = TokenFault::ClaimInvalid { claim: "aud" };
    assert_eq!(claims(&json!({})).audiences(), Err(missing));
    for (value, expected) in [
        (json!("a"), vec!["a"]),
        (json!(["a"]), vec!["a"]),
        (json!(["a", "b", "a"]), vec!["a", "b", "a"]),
        (json!(""), vec![""]),
    ] {
        assert_eq!(claims(&json!({ "aud": value })).audiences(), Ok(expected));
    }
    for value in [
        json!(null),
        json!(1),
        json!(true),
        json!({}),
        json!({"a": "a"}),
        json!([]),
        json!([1]),
        json!(["a", null]),
        json!(["a", ["b"]]),
    ] {
        assert_eq!(
            claims(&json!({ "aud": value })).audiences(),
            Err(invalid),
            "{value}"
        );
    }
}

#[test]
fn debug_shows_no_claim() {
    let text = format!("{:?}", claims(&json!({"email": "alice@example.com"})));
    assert!(!text.contains("alice") && !text.contains("email"), "{text}");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Claims::parse(&bytes);
    }

    #[test]
    fn any_number_is_a_date_in_range_or_none(number: f64) {
        prop_assume!(number.is_finite());
        let claims = claims(&json!({ "exp": number }));
        match claims.numeric_date("exp") {
            Ok(Some(time)) => {
                let seconds = time.as_millis() / 1000;
                prop_assert!(seconds <= MAX_NUMERIC_DATE);
                prop_assert!((number - seconds as f64).abs() < 1.0);
            }
            other => {
                prop_assert_eq!(other, Err(TokenFault::ClaimInvalid { claim: "exp" }));
                prop_assert!(!(0.0..=MAX_NUMERIC_DATE as f64).contains(&number));
            }
        }
    }
}

#[test]
fn a_token_that_nobody_has_verified_can_be_looked_into() {
    let unverified = |payload: &str, tail: &str| {
        let payload = base64url::encode(payload);
        Claims::unverified(&format!("x.{payload}{tail}"))
    };
    let claims = unverified(r#"{"aud":"a"}"#, ".").unwrap().unwrap();
    assert_eq!(claims.string("aud"), Ok(Some("a")));
    for (payload, tail) in [
        ("{}", ""),
        ("{}", ".a.b"),
        ("[]", "."),
        ("", "."),
        ("{}", "=.s"),
    ] {
        assert!(unverified(payload, tail).is_none(), "{payload} {tail}");
    }
    for payload in [r#"{"a":1,"a":2}"#, "{", "{}{}"] {
        let found = unverified(payload, ".s");
        assert_eq!(found, Some(Err(TokenFault::ClaimsMalformed)), "{payload}");
    }
}
