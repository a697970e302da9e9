//! A configuration as a serialized `google.protobuf.Struct`.

use proptest::prelude::*;

use super::super::tree;
use super::*;

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number % 0x80) as u8 | 0x80);
        number /= 0x80;
    }
    bytes.push(number as u8);
    bytes
}

/// A field of bytes: text, or a message.
fn field(number: usize, content: &[u8]) -> Vec<u8> {
    [&varint(number << 3 | 2), &varint(content.len()), content].concat()
}

fn entry(name: &str, value: &[u8]) -> Vec<u8> {
    field(1, &[field(1, name.as_bytes()), field(2, value)].concat())
}

/// A `Struct` with these entries.
fn object(entries: &serde_json::Map<String, Value>) -> Vec<u8> {
    let entries = entries.iter();
    entries
        .flat_map(|(name, inner)| entry(name, &message(inner)))
        .collect()
}

/// A `Value`.
fn message(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => vec![0x08, 0],
        Value::Number(number) => {
            [&[0x11], number.as_f64().unwrap().to_le_bytes().as_slice()].concat()
        }
        Value::String(text) => field(3, text.as_bytes()),
        Value::Bool(bit) => vec![0x20, u8::from(*bit)],
        Value::Object(entries) => field(5, &object(entries)),
        Value::Array(items) => {
            let items = items.iter();
            let items: Vec<u8> = items.flat_map(|item| field(1, &message(item))).collect();
            field(6, &items)
        }
    }
}

fn encode(value: &Value) -> Vec<u8> {
    object(value.as_object().unwrap())
}

fn told(bytes: &[u8]) -> String {
    Config::load(bytes, &environment).unwrap_err().to_string()
}

/// `value` with every number as the double that a `Struct` makes of it.
fn doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().unwrap().into(),
        Value::Array(items) => items.into_iter().map(doubles).collect(),
        Value::Object(entries) => {
            let entries = entries.into_iter();
            entries
                .map(|(name, inner)| (name, doubles(inner)))
                .collect()
        }
        other => other,
    }
}

#[test]
fn both_forms_of_a_configuration_are_the_same() {
    for json in [MINIMAL, FULL] {
        let text = Config::load(json.as_bytes(), &environment).unwrap();
        let message = Config::load(&encode(&parsed(json)), &environment).unwrap();
        assert_eq!(format!("{text:#?}"), format!("{message:#?}"));
    }
    let whole = encode(&with("/session/cache_bytes", json!(1_000_000)));
    let config = Config::load(&whole, &environment).unwrap().config;
    assert_eq!(config.session.cache_bytes, 1_000_000);
}

#[test]
fn both_forms_are_told_the_same_faults() {
    for whole in [
        json!({"session": 5}),
        with("/rules", json!(null)),
        with("/session/keys", json!([null, 12, {"env": "ABSENT"}])),
        with("/session/cache_bytes", json!(1.5)),
        with("/providers/corp/cluster", json!(["idp"])),
    ] {
        assert_eq!(told(&encode(&whole)), told(whole.to_string().as_bytes()));
    }
}

#[test]
fn a_key_twice_is_a_fault() {
    let mut bytes = encode(&parsed(MINIMAL));
    bytes.extend(entry("paths", &message(&json!({}))));
    bytes.extend(entry("paths", &message(&json!({}))));
    assert_eq!(
        told(&bytes),
        "paths: is written twice; accepted: each key once"
    );
    bytes.extend(entry("rules", &[]));
    bytes.extend(entry("rules", &message(&json!([]))));
    assert!(told(&bytes).contains("rules: is null; "));
}

#[test]
fn unknown_fields_are_skipped() {
    let unknown = [
        &[
            0x78, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ][..],
        &[0x79, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0x7a, 2, 0xff, 0xff],
        &[0x7d, 1, 2, 3, 4],
    ]
    .concat();
    let value = [&unknown[..], &message(&json!({}))].concat();
    let paths = [&unknown[..], &field(2, &value), &field(1, b"paths")].concat();
    let bytes = [encode(&parsed(MINIMAL)), field(1, &paths), unknown].concat();
    Config::load(&bytes, &environment).unwrap();
}

#[test]
fn what_is_no_struct_is_told_to_be_no_json() {
    let good = encode(&parsed(MINIMAL));
    for wrong in [
        &[0x0b_u8, 0x0c][..],            // a group
        &[0x0a],                         // without a length
        &[0x0a, 0xff, 0xff, 0xff, 0xff], // a length without end
        &[
            0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02,
        ], // beyond 64 bits
        &[0x08, 0x01],                   // entries that are a number
        &[0x02, 0x00],                   // field 0
        &[0x0a, 0x03, 0x0a, 0x01, 0xff], // a key that is not UTF-8
        &[0x0a, 0x04, 0x0a, 0x00, 0x0a, 0x00], // two keys of one entry
        &[0x0a, 0x06, 0x12, 0x04, 0x20, 0x01, 0x20, 0x01], // two values
        &[0x0a, 0x04, 0x12, 0x02, 0x10, 0x01], // a number that is not a double
        &entry("n", &[&[0x11][..], &f64::NAN.to_le_bytes()].concat()),
    ] {
        let bytes = [&good, wrong].concat();
        assert!(tree::read(&bytes).is_err(), "{wrong:x?}");
        assert!(told(&bytes).starts_with("(root): is not "), "{wrong:x?}");
    }
    for length in 1..good.len() {
        assert!(Config::load(&good[..length], &environment).is_err());
    }
    assert!(told(b"").starts_with("(root): is empty; accepted: an object with `providers`"));
}

#[test]
fn both_forms_nest_equally_deep() {
    for (levels, good) in [(126, true), (127, false)] {
        let mut value = json!(true);
        for level in 0..levels {
            value = if level % 2 == 0 {
                json!([value])
            } else {
                json!({"a": value})
            };
        }
        let value = json!({ "a": value });
        assert_eq!(tree::read(value.to_string().as_bytes()).is_ok(), good);
        assert_eq!(tree::read(&encode(&value)).is_ok(), good);
    }
    let mut bytes = Vec::new();
    for _ in 0..10_000 {
        bytes = field(1, &field(2, &field(5, &bytes)));
    }
    assert!(tree::read(&bytes).is_err());
}

/// A line feed and a brace begin JSON text, and a `Struct` whose first entry has 123 bytes.
#[test]
fn a_first_entry_of_any_length_is_not_taken_for_json() {
    for length in 0..300 {
        for name in ["a", "\"a\":1}", "       \"a\":1} ", &"\"".repeat(34)] {
            let whole = json!({ name: "x".repeat(length) });
            let (value, _) = tree::read(&encode(&whole)).ok().unwrap();
            assert_eq!(value, whole);
        }
    }
    let whole = json!({"a": "x".repeat(116)});
    assert_eq!(encode(&whole)[..2], *b"\n{");
}

#[test]
fn json_may_begin_with_blanks() {
    for blanks in ["\n", "\n\n\n", "\r\n\t ", "\n\n{\n\n"] {
        let json = match blanks.split_once('{') {
            None => format!("{blanks}{MINIMAL}"),
            Some((before, after)) => MINIMAL.replacen('{', &format!("{before}{{{after}"), 1),
        };
        Config::load(json.as_bytes(), &environment).unwrap();
    }
    let (value, _) = tree::read(b"\n{}").ok().unwrap();
    assert_eq!(value, json!({}));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_object_survives_the_way(value in super::random::any_json()) {
        let text = json!({ "it": value }).to_string();
        let read = |bytes: &[u8]| {
            let (value, ledger) = tree::read(bytes).ok().unwrap();
            (value, ledger.settle())
        };
        let (value, faults) = read(text.as_bytes());
        // Parsed from the same text, since `serde_json` does not read every double as it wrote it.
        prop_assert_eq!(read(&encode(&parsed(&text))), (doubles(value), faults));
    }

    #[test]
    fn any_bytes_after_a_line_feed_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        super::random::is_told_well(&[b"\n", bytes.as_slice()].concat());
    }

    #[test]
    fn any_change_of_a_byte_is_survived(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&parsed(FULL));
        let at = at.index(bytes.len());
        bytes[at] = byte;
        super::random::is_told_well(&bytes);
    }
}
