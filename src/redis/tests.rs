use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::secret::Secret;

fn webdis() -> StoreProtocol {
    StoreProtocol::Webdis {
        credentials: Some(Secret::new("portero:pass word".to_owned())),
    }
}

fn upstash() -> StoreProtocol {
    StoreProtocol::Upstash {
        token: Secret::new("t0ken".to_owned()),
    }
}

fn body(protocol: &StoreProtocol, command: &impl Command) -> String {
    String::from_utf8(message(protocol, command).body).unwrap()
}

const fn set(condition: Condition) -> Set<'static> {
    Set {
        key: "p:session:AbC-_09",
        value: "v_-9",
        lifetime: Duration::from_millis(59_001),
        condition,
    }
}

const fn swap() -> Swap<'static> {
    Swap {
        key: "k",
        value: "v",
        lifetime: Duration::from_secs(60),
    }
}

const DOWN: [(u16, CallFault); 8] = [
    (503, CallFault::Unreachable),
    (504, CallFault::Timeout),
    (403, CallFault::Refused),
    (401, CallFault::Refused),
    (400, CallFault::Refused),
    (413, CallFault::Refused),
    (500, CallFault::Refused),
    (302, CallFault::Refused),
];

#[test]
fn commands_are_said_in_the_words_of_each_front_end() {
    let (webdis, upstash) = (webdis(), upstash());
    let always = set(Condition::Always);
    assert_eq!(body(&webdis, &always), "SET/p:session:AbC-_09/v_-9/EX/60");
    assert_eq!(
        body(&upstash, &always),
        r#"["SET","p:session:AbC-_09","v_-9","EX","60"]"#
    );
    assert!(body(&webdis, &set(Condition::Absent)).ends_with("/EX/60/NX"));
    assert!(body(&webdis, &set(Condition::Present)).ends_with("/EX/60/XX"));
    assert_eq!(body(&webdis, &swap()), "SET/k/v/EX/60/GET");
    assert_eq!(body(&webdis, &Mget(&["a", "b"])), "MGET/a/b");
    assert_eq!(body(&webdis, &Del("a")), "DEL/a");
    let expire = Expire {
        key: "a",
        lifetime: Duration::ZERO,
    };
    assert_eq!(body(&webdis, &expire), "EXPIRE/a/1");
    assert_eq!(body(&upstash, &expire), r#"["EXPIRE","a","1"]"#);
}

#[test]
fn credentials_go_into_the_header_and_nowhere_else() {
    let sent = message(&webdis(), &Del("a"));
    let basic = "Basic cG9ydGVybzpwYXNzIHdvcmQ=";
    assert_eq!(sent.authorization.as_deref(), Some(basic));
    assert_eq!(sent.content_type, None);
    let sent = message(&upstash(), &Del("a"));
    assert_eq!(sent.authorization.as_deref(), Some("Bearer t0ken"));
    assert_eq!(sent.content_type, Some("application/json"));
    let nobody = StoreProtocol::Webdis { credentials: None };
    assert_eq!(message(&nobody, &Del("a")).authorization, None);
}

#[test]
fn nothing_in_a_word_reaches_over_into_the_next() {
    let words = ["a/b".to_owned(), "c?d.json".to_owned(), "é %".to_owned()];
    assert_eq!(
        String::from_utf8(webdis::encode(&words)).unwrap(),
        "a%2Fb/c%3Fd%2Ejson/%C3%A9%20%25"
    );
}

/// What webdis and a server of the Upstash dialect were seen to answer.
#[test]
fn answers_are_read_as_they_were_measured() {
    let keys = ["a", "missing", "b"];
    let values = vec![Some("AbC-_09".to_owned()), None, Some("v2".to_owned())];
    let (webdis, upstash) = (webdis(), upstash());
    for (protocol, answer) in [
        (&webdis, r#"{"MGET":["AbC-_09",null,"v2"]}"#),
        (&upstash, r#"{"result":["AbC-_09",null,"v2"]}"#),
    ] {
        let read = parse(protocol, &Mget(&keys), 200, answer.as_bytes());
        assert_eq!(read, Ok(values.clone()));
    }
    for (protocol, done, not) in [
        (&webdis, r#"{"SET":[true,"OK"]}"#, r#"{"SET":null}"#),
        (&upstash, r#"{"result":"OK"}"#, r#"{"result":null}"#),
    ] {
        for condition in [Condition::Absent, Condition::Present] {
            let read = |answer: &str| parse(protocol, &set(condition), 200, answer.as_bytes());
            assert_eq!((read(done), read(not)), (Ok(true), Ok(false)));
        }
        let always = set(Condition::Always);
        let read = parse(protocol, &always, 200, not.as_bytes());
        assert_eq!(read, Err(CallFault::Malformed), "it has no condition");
    }
    for (protocol, replaced, nothing) in [
        (&webdis, r#"{"SET":"v_-9"}"#, r#"{"SET":null}"#),
        (&upstash, r#"{"result":"v_-9"}"#, r#"{"result":null}"#),
    ] {
        let read = |answer: &str| parse(protocol, &swap(), 200, answer.as_bytes());
        assert_eq!(read(replaced), Ok(Some("v_-9".to_owned())));
        assert_eq!(read(nothing), Ok(None));
    }
    let error = br#"{"SET":[false,"ERR syntax error"]}"#;
    let read = parse(&webdis, &swap(), 200, error);
    assert_eq!(read, Err(CallFault::Refused), "a Redis before 6.2");
    assert_eq!(parse(&webdis, &Del("a"), 200, b"{\"DEL\":1}"), Ok(true));
    assert_eq!(
        parse(&upstash, &Del("a"), 200, b"{\"result\":0}"),
        Ok(false)
    );
    let expire = Expire {
        key: "a",
        lifetime: Duration::from_secs(1),
    };
    assert_eq!(parse(&webdis, &expire, 200, b"{\"EXPIRE\":0}"), Ok(false));
    assert_eq!(parse(&upstash, &expire, 200, b"{\"result\":1}"), Ok(true));
}

#[test]
fn an_error_of_redis_with_a_good_status_is_a_refusal() {
    let error = |name: &str| json!({name: [false, "OOM command not allowed"]}).to_string();
    let protocol = webdis();
    let refused = |read: Result<(), CallFault>| assert_eq!(read, Err(CallFault::Refused));
    let answer = error("SET");
    refused(parse(&protocol, &set(Condition::Absent), 200, answer.as_bytes()).map(drop));
    let answer = error("MGET");
    refused(parse(&protocol, &Mget(&["a", "b"]), 200, answer.as_bytes()).map(drop));
    let answer = error("DEL");
    refused(parse(&protocol, &Del("a"), 200, answer.as_bytes()).map(drop));
}

#[test]
fn a_status_is_judged_before_the_body() {
    for (status, fault) in DOWN {
        for protocol in [webdis(), upstash()] {
            let answer = br#"{"result":1}"#;
            let read = parse(&protocol, &Del("a"), status, answer);
            assert_eq!(read, Err(fault), "{status}");
        }
    }
}

#[test]
fn what_is_not_the_whole_answer_to_the_command_is_refused() {
    let malformed = [
        "",
        "<html>",
        "null",
        "[]",
        "{}",
        r#"{"mget":["v",null]}"#,
        r#"{"SET":["v",null]}"#,
        r#"{"MGET":["v"]}"#,
        r#"{"MGET":["v",null,null]}"#,
        r#"{"MGET":[]}"#,
        r#"{"MGET":["v",1]}"#,
        r#"{"MGET":["v",true]}"#,
        r#"{"MGET":[["v"],null]}"#,
        r#"{"MGET":"v"}"#,
        r#"{"MGET":null}"#,
        r#"{"MGET":["v",null],"more":1}"#,
        r#"{"MGET":["v",null]} "#.repeat(2).leak(),
    ];
    for answer in malformed {
        let in_webdis = parse(&webdis(), &Mget(&["a", "b"]), 200, answer.as_bytes());
        assert_eq!(in_webdis, Err(CallFault::Malformed), "{answer}");
        let answer = answer.replace("MGET", "result");
        let in_upstash = parse(&upstash(), &Mget(&["a", "b"]), 200, answer.as_bytes());
        assert_eq!(in_upstash, Err(CallFault::Malformed), "{answer}");
    }
    let number = |value: Value| {
        let answer = json!({"DEL": value}).to_string();
        parse(&webdis(), &Del("a"), 200, answer.as_bytes())
    };
    for value in [json!(2), json!(-1), json!(1.5), json!("1"), json!(null)] {
        assert_eq!(number(value.clone()), Err(CallFault::Malformed), "{value}");
    }
    let mut long = br#"{"DEL":1}"#.to_vec();
    long.resize(LONGEST_ANSWER, b' ');
    assert_eq!(parse(&webdis(), &Del("a"), 200, &long), Ok(true));
    long.push(b' ');
    let read = parse(&webdis(), &Del("a"), 200, &long);
    assert_eq!(read, Err(CallFault::Malformed));
}

proptest! {
    #[test]
    fn no_answer_panics_or_has_another_number_of_values(
        status in prop_oneof![Just(200_u16), any::<u16>()],
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "\\{\"(MGET|result)\":\\[(null|\"[a-z]{0,3}\"|1|true)(,(null|\"x\"|\\[\\])){0,4}\\]\\}"
                .prop_map(String::into_bytes),
        ],
    ) {
        for protocol in [webdis(), upstash()] {
            if let Ok(values) = parse(&protocol, &Mget(&["a", "b"]), status, &body) {
                prop_assert_eq!((status, values.len()), (200, 2));
            }
            let _ = parse(&protocol, &set(Condition::Absent), status, &body);
            let _ = parse(&protocol, &Del("a"), status, &body);
        }
    }

    /// What a front end that decodes by the book makes of a command are its words.
    #[test]
    fn any_words_come_through(words in proptest::collection::vec("\\PC{0,20}", 1..5)) {
        let sent = String::from_utf8(webdis::encode(&words)).unwrap();
        let back: Vec<String> = sent.split('/').map(decoded).collect();
        prop_assert_eq!(&back, &words);
        let back: Vec<String> = serde_json::from_slice(&upstash::encode(&words)).unwrap();
        prop_assert_eq!(back, words);
    }
}

fn decoded(word: &str) -> String {
    assert!(!word.contains('+'));
    let pair = format!("{word}=");
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}
