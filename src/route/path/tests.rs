use proptest::prelude::*;

use super::CanonicalPath;

fn readings(target: &str) -> Vec<String> {
    CanonicalPath::parse(target.as_bytes()).map_or_else(
        |_| Vec::new(),
        |path| path.readings().map(ToOwned::to_owned).collect(),
    )
}

#[track_caller]
fn assert_readings(target: &str, expected: &[&str]) {
    assert_eq!(readings(target), expected, "{target}");
}

#[test]
fn a_plain_path_has_one_reading() {
    for path in [
        "/",
        "/a",
        "/a/",
        "/a/b.c/~d/-_",
        "/a.b",
        "/...",
        "/.well-known/x",
        "/a!$&'()*+,=:@",
    ] {
        assert_readings(path, &[path]);
    }
}

#[test]
fn the_query_is_not_part_of_the_path() {
    assert_readings("/a?b", &["/a"]);
    assert_readings("/a?/../%zz\\;//#", &["/a"]);
    assert_readings("/?", &["/"]);
}

#[test]
fn encoding_that_makes_no_difference_is_undone() {
    assert_readings("/%61%2D%2e%5F%7E%41%30", &["/a-._~A0"]);
    assert_readings("/users/%40me", &["/users/@me"]);
    assert_readings("/%21%24%26%27%28%29%2A%2B%2C%3D%3A", &["/!$&'()*+,=:"]);
    assert_readings("/%22%3c%3E%5b%5D%5E%60%7b%7C%7D", &["/\"<>[]^`{|}"]);
}

#[test]
fn encoding_that_makes_a_difference_stays_in_upper_case() {
    assert_readings("/%c3%bc%20%3f%23%25", &["/%C3%BC%20%3F%23%25"]);
}

#[test]
fn encoded_slashes_are_read_both_ways() {
    assert_readings("/a%2fb", &["/a%2Fb", "/a/b"]);
    assert_readings("/a%5Cb", &["/a%5Cb", "/a/b"]);
    assert_readings("/a%2F", &["/a%2F", "/a/"]);
    assert_readings("/%2F%2fa", &["/%2F%2Fa", "/a"]);
}

#[test]
fn parameters_are_read_both_ways() {
    assert_readings("/a;x=1", &["/a;x=1", "/a"]);
    assert_readings("/a;x/b;y;z", &["/a;x/b;y;z", "/a/b"]);
    assert_readings("/;x", &["/;x", "/"]);
    assert_readings("/a/;x", &["/a/;x", "/a/"]);
    assert_readings("/;x/a", &["/;x/a", "/a"]);
    assert_readings("/a%3bx", &["/a%3Bx", "/a"]);
}

/// Tomcat drops parameters from the path as it came, and decodes then.
#[test]
fn parameters_are_dropped_before_decoding_and_after() {
    assert_readings("/;%2Fa/b", &["/;%2Fa/b", "/b", "/a/b"]);
    assert_readings("/;%5ca/b", &["/;%5Ca/b", "/b", "/a/b"]);
    assert_readings("/x;%2Fa/b", &["/x;%2Fa/b", "/x/b", "/x/a/b"]);
    assert_readings("/a;x%2f", &["/a;x%2F", "/a", "/a/"]);
    assert_readings("/;%2Fx/a%3by", &["/;%2Fx/a%3By", "/a%3By", "/a", "/x/a"]);
    // Encoded alone, it begins a parameter or is part of a name.
    assert_readings("/a%3Bx%2Fb", &["/a%3Bx%2Fb", "/a%3Bx/b", "/a/b"]);
}

#[test]
fn doubled_slashes_are_read_both_ways() {
    assert_readings("//a", &["//a", "/a"]);
    assert_readings("/a//b///", &["/a//b///", "/a/b/"]);
    assert_readings("//", &["//", "/"]);
}

#[test]
fn dot_segments_are_refused_in_every_disguise() {
    for path in [
        "/.",
        "/..",
        "/a/.",
        "/a/..",
        "/./a",
        "/../a",
        "/a/../b",
        "/%2e%2E/a",
        "/.%2e/a",
        "/a%2f..",
        "/a%2F..%2Fb",
        "/..%5Cb",
        "/a%5c%2e%2e",
        "/..;x/a",
        "/.;/a",
        "/a;x/..;y/b",
        "/..%3B/a",
        "/..%3bx/a",
        "/a;x=%2F..%2Fb",
        "/;%2F../a",
        "/%2e%2e;%2Fa",
        "/;%2Fa/..",
    ] {
        assert_readings(path, &[]);
    }
}

#[test]
fn what_is_encoded_twice_is_refused_in_every_disguise() {
    for path in [
        "/%252e",
        "/%252E%252e/a",
        "/%252f",
        "/%255c",
        "/%253b",
        "/%2525",
        "/%2500",
        "/%250d",
        "/%257F",
        // The digits of the inner encoding are encoded themselves.
        "/%25%32%65",
        "/%252%65",
        "/%25%32e",
        "/%25%32%66",
        "/%25%35%63",
    ] {
        assert_readings(path, &[]);
    }
    assert_readings("/100%25", &["/100%25"]);
    assert_readings("/100%25%20", &["/100%25%20"]);
    assert_readings("/%25zz", &["/%25zz"]);
}

#[test]
fn what_no_path_holds_is_refused() {
    for path in [
        "",
        "a",
        "*",
        "?",
        "%2Fa",
        "http://app.example.com/a",
        "app.example.com:443",
        "/%",
        "/%4",
        "/%zz",
        "/%+1",
        "/% 1",
        "/a\\b",
        "/a#b",
        "/a b",
        "/a\tb",
        "/a\r\nb",
        "/a\0",
        "/\u{7f}",
        "/%00",
        "/%0a",
        "/%1F",
        "/%7f",
        "/ü",
    ] {
        assert_readings(path, &[]);
    }
    assert!(CanonicalPath::parse(b"/\xff").is_err());
}

/// Bytes that mean something in a path, in some of their disguises.
fn tricky() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[/.;%\\\\ab?# ]",
        "%[0-9a-fA-F]{2}",
        prop::sample::select(vec![
            "..", "%2e", "%2F", "%25", "2e", "%32", "%3b", "//", ";x"
        ])
        .prop_map(ToOwned::to_owned),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// What a server does that decodes, drops parameters and then walks the segments.
fn walk(path: &str) -> Vec<String> {
    let bytes: Vec<u8> = percent(path);
    let text = String::from_utf8_lossy(&bytes).replace('\\', "/");
    text.split('/')
        .map(|segment| segment.split(';').next().unwrap().to_owned())
        .collect()
}

/// What a server does that drops parameters, decodes and then walks the segments.
fn walk_bare(path: &str) -> Vec<String> {
    let bare: Vec<&str> = path
        .split('/')
        .map(|segment| segment.split(';').next().unwrap())
        .collect();
    let text = String::from_utf8_lossy(&percent(&bare.join("/"))).replace('\\', "/");
    text.split('/').map(ToOwned::to_owned).collect()
}

fn percent(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let mut decoded = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        let value = path
            .get(index + 1..index + 3)
            .filter(|_| bytes[index] == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(value.unwrap_or(bytes[index]));
        index += if value.is_some() { 3 } else { 1 };
    }
    decoded
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn noise_never_panics(target: Vec<u8>) {
        if let Ok(path) = CanonicalPath::parse(&target) {
            prop_assert!(path.readings().all(|reading| reading.starts_with('/')));
        }
    }

    #[test]
    fn a_plain_path_is_read_as_every_other_path_is(target in "(/|/[a-z.~@%;,?#]{0,3}|[/.a-z]{0,2}){0,5}") {
        let (path, _) = target.split_once('?').unwrap_or((&target, ""));
        let long = CanonicalPath::parse_path(path.as_bytes());
        prop_assert_eq!(CanonicalPath::parse(target.as_bytes()), long);
    }

    #[test]
    fn bytes_of_every_kind_are_read_as_every_other_path_is(path: Vec<u8>) {
        let path = [b"/", &*path].concat();
        if !path.contains(&b'?') {
            let long = CanonicalPath::parse_path(&path);
            prop_assert_eq!(CanonicalPath::parse(&path), long);
        }
    }

    #[test]
    fn no_reading_has_a_dot_segment(path in tricky()) {
        for reading in readings(&path) {
            prop_assert!(reading.starts_with('/'));
            prop_assert!(reading.bytes().all(|byte| byte.is_ascii_graphic()));
            // However often an upstream decodes.
            let twice = String::from_utf8_lossy(&percent(&reading)).into_owned();
            for text in [&reading, &twice] {
                prop_assert!(walk(text).iter().all(|name| name != "." && name != ".."), "{}", text);
            }
        }
    }

    #[test]
    fn what_other_servers_walk_is_among_the_readings(path in tricky()) {
        let readings = readings(&path);
        if !readings.is_empty() {
            let bare = path.split('?').next().unwrap();
            for walked in [walk(bare), walk_bare(bare)] {
                let names: Vec<&str> = walked.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
                prop_assert!(!names.iter().any(|name| matches!(*name, "." | "..")));
                let found = readings.iter().any(|reading| {
                    let decoded = String::from_utf8_lossy(&percent(reading)).into_owned();
                    decoded.split('/').filter(|name| !name.is_empty()).eq(names.iter().copied())
                });
                prop_assert!(found, "{:?} is not in {:?}", walked, readings);
            }
        }
    }

    #[test]
    fn a_reading_reads_as_itself(path in tricky()) {
        let readings_of_it = readings(&path);
        if let Some(first) = readings_of_it.first() {
            prop_assert_eq!(&readings(first), &readings_of_it);
        }
        if let Some(last) = readings_of_it.last() {
            prop_assert_eq!(&readings(last), std::slice::from_ref(last));
        }
    }

    #[test]
    fn no_disguise_makes_another_path(path in "/[a-z@!:+.|-]{1,6}", disguised: u8) {
        let hidden: String = path
            .char_indices()
            .map(|(index, character)| match index > 0 && disguised >> (index % 8) & 1 == 1 {
                true => format!("%{:02x}", u32::from(character)),
                false => character.to_string(),
            })
            .collect();
        prop_assert_eq!(readings(&hidden), readings(&path));
    }
}

/// A rule that no request can meet would protect nothing, or a path of another name.
#[test]
fn a_path_that_the_configuration_accepts_is_read_as_it_is_written() {
    for byte in 0..=255_u8 {
        let mut spellings = vec![format!("/a%{byte:02X}b")];
        if byte.is_ascii() {
            spellings.push(format!("/a{}b", char::from(byte)));
        }
        for path in spellings {
            let mut whole: serde_json::Value =
                serde_json::from_str(include_str!("../../../tests/fixtures/minimal.json")).unwrap();
            whole["rules"] = serde_json::json!([{"match": {"path": {"exact": path}}}]);
            let environment = |name: &str| Some(format!("{name} of the tests, 32 bytes and more"));
            if crate::config::Config::load(whole.to_string().as_bytes(), &environment).is_ok() {
                assert_readings(&path, &[&path]);
            }
        }
    }
}
