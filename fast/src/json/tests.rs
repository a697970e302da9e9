use proptest::prelude::*;
use serde_json::Value;

use super::parse_object;

#[test]
fn objects_are_read_as_written() {
    for text in [
        "{}",
        r#" {"a":null,"b":[true,-1,18446744073709551615,1.5,"\u00e9"],"c":{"a":{}}} "#,
        r#"{"a":[{"x":1},{"x":2}],"x":3}"#,
        r#"{"a":1e300}"#,
    ] {
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            parse_object(text.as_bytes()).map(Value::Object),
            Some(expected)
        );
    }
}

#[test]
fn text_with_two_meanings_is_refused() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"\u0061":3}"#,
        r#"{"x":{"a":1,"a":2}}"#,
        r#"{"x":[[{"a":1,"a":2}]]}"#,
    ] {
        assert_eq!(parse_object(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn other_text_is_refused() {
    for text in [
        "",
        " ",
        "null",
        "1",
        "\"a\"",
        "[]",
        "[{}]",
        "{",
        "{}{}",
        "{} x",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":NaN}",
        "{\"a\":1e999}",
        "{\"a\":01}",
        "{\"a\":\"\\ud800\"}",
        "\u{feff}{}",
        "{\"a\":\"\n\"}",
    ] {
        assert_eq!(parse_object(text.as_bytes()), None, "{text}");
    }
    assert_eq!(parse_object(b"{\"a\":\"\xff\"}"), None);
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse_object(nested(100).as_bytes()).is_some());
    assert!(parse_object(nested(200).as_bytes()).is_none());
    assert!(parse_object(nested(100_000).as_bytes()).is_none());
}

proptest! {
    #[test]
    fn what_is_read_is_what_a_plain_reader_reads(text in r#"[{}\[\]",:a1 \\u06e.-]{0,40}"#) {
        if let Some(members) = parse_object(text.as_bytes()) {
            prop_assert_eq!(Value::Object(members), serde_json::from_str::<Value>(&text).unwrap());
        }
    }

    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_object(&bytes);
    }
}
