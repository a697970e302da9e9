//! What the servers in front of Redis answer, on which the session store's tests rely.
use std::time::{Duration, Instant};

use portero_envoy_tests::http::Connection;
use portero_envoy_tests::{Redis, Request, Response, Upstash, Webdis, wait};
use serde_json::{Value, json};

/// The words of a command, then what webdis and the server of the Upstash dialect answer.
type Exchange<'a> = (&'a [&'a str], &'a str, &'a str);

const COMMANDS: [Exchange<'_>; 17] = [
    (
        &["SET", "a", "AbC-_09", "EX", "60", "NX"],
        r#"{"SET":[true,"OK"]}"#,
        r#"{"result":"OK"}"#,
    ),
    (
        &["SET", "a", "other", "EX", "60", "NX"],
        r#"{"SET":null}"#,
        r#"{"result":null}"#,
    ),
    (
        &["SET", "b", "second", "EX", "60"],
        r#"{"SET":[true,"OK"]}"#,
        r#"{"result":"OK"}"#,
    ),
    (
        &["MGET", "a", "missing", "b"],
        r#"{"MGET":["AbC-_09",null,"second"]}"#,
        r#"{"result":["AbC-_09",null,"second"]}"#,
    ),
    (
        &["MGET", "missing"],
        r#"{"MGET":[null]}"#,
        r#"{"result":[null]}"#,
    ),
    (
        &["GET", "a"],
        r#"{"GET":"AbC-_09"}"#,
        r#"{"result":"AbC-_09"}"#,
    ),
    (&["GET", "missing"], r#"{"GET":null}"#, r#"{"result":null}"#),
    (
        &["SET", "swapped", "one", "EX", "60", "GET"],
        r#"{"SET":null}"#,
        r#"{"result":null}"#,
    ),
    (
        &["SET", "swapped", "two", "EX", "60", "GET"],
        r#"{"SET":"one"}"#,
        r#"{"result":"one"}"#,
    ),
    (&["DEL", "swapped"], r#"{"DEL":1}"#, r#"{"result":1}"#),
    (
        &["EXPIRE", "a", "600"],
        r#"{"EXPIRE":1}"#,
        r#"{"result":1}"#,
    ),
    (
        &["EXPIRE", "missing", "600"],
        r#"{"EXPIRE":0}"#,
        r#"{"result":0}"#,
    ),
    (
        &["PEXPIRE", "b", "6000000"],
        r#"{"PEXPIRE":1}"#,
        r#"{"result":1}"#,
    ),
    (&["DEL", "b"], r#"{"DEL":1}"#, r#"{"result":1}"#),
    (&["DEL", "b"], r#"{"DEL":0}"#, r#"{"result":0}"#),
    (
        &["SET", "c", "third", "EX", "60", "XX"],
        r#"{"SET":null}"#,
        r#"{"result":null}"#,
    ),
    (&["DEL", "a", "missing"], r#"{"DEL":1}"#, r#"{"result":1}"#),
];

fn answer(response: &Response) -> (u16, String) {
    (response.status, response.text())
}

fn ok(body: &str) -> (u16, String) {
    (200, body.to_owned())
}

#[test]
fn webdis_takes_every_command_of_a_session_store() {
    let redis = Redis::start();
    let webdis = Webdis::start(&redis);
    for (words, body, _) in COMMANDS {
        assert_eq!(answer(&webdis.ask(&words.join("/"))), ok(body), "{words:?}");
    }
    assert!(redis.keys().is_empty());
}

#[test]
fn the_upstash_dialect_takes_every_command_of_a_session_store() {
    let redis = Redis::start();
    let upstash = Upstash::start(&redis);
    for (words, _, body) in COMMANDS {
        assert_eq!(answer(&upstash.ask(&json!(words))), ok(body), "{words:?}");
    }
    // Numbers may be numbers.
    let response = upstash.ask(&json!(["SET", "a", "v", "EX", 60, "NX"]));
    assert_eq!(answer(&response), ok(r#"{"result":"OK"}"#));
    assert_eq!(redis.keys(), ["a"]);
}

#[test]
fn a_look_into_redis_shows_what_the_servers_have_stored() {
    let redis = Redis::start();
    let (webdis, upstash) = (Webdis::start(&redis), Upstash::start(&redis));
    webdis.ask("SET/session:v1:one/1/EX/60/NX");
    upstash.ask(&json!(["SET", "two", "2", "EX", "600"]));
    upstash.ask(&json!(["SET", "for-ever", "3"]));
    assert_eq!(redis.keys(), ["for-ever", "session:v1:one", "two"]);
    assert_eq!(redis.get("session:v1:one").as_deref(), Some(&b"1"[..]));
    assert_eq!(redis.get("missing"), None);
    let seconds = |key: &str| redis.ttl(key).map(|ttl| ttl.as_secs_f64().ceil());
    assert_eq!(seconds("session:v1:one"), Some(60.0));
    assert_eq!(seconds("two"), Some(600.0));
    assert_eq!((seconds("for-ever"), seconds("missing")), (None, None));
    webdis.ask("PEXPIRE/two/1");
    wait::until("the key expires", || {
        redis.get("two").is_none().then_some(())
    });
}

#[test]
fn long_values_in_base64url_come_back_as_they_were() {
    let redis = Redis::start();
    let (webdis, upstash) = (Webdis::start(&redis), Upstash::start(&redis));
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for times in [1, 64, 1024] {
        let value = alphabet.repeat(times);
        webdis.ask(&format!("SET/w/{value}/EX/60"));
        upstash.ask(&json!(["SET", "u", value, "EX", "60"]));
        for key in ["w", "u"] {
            assert_eq!(redis.get(key).as_deref(), Some(value.as_bytes()));
        }
        assert_eq!(webdis.ask("MGET/w/u").json()["MGET"], json!([value, value]));
        let response = upstash.ask(&json!(["MGET", "w", "u"]));
        assert_eq!(response.json()["result"], json!([value, value]));
    }
}

#[test]
fn webdis_reads_percent_encoding_and_escapes_what_json_cannot_hold() {
    let redis = Redis::start();
    let webdis = Webdis::start(&redis);
    webdis.ask("SET/a%2Fb/50%25%20%22%C3%A9%22%5C/EX/60");
    assert_eq!(redis.get("a/b"), Some("50% \"é\"\\".into()));
    let response = webdis.ask("MGET/a%2Fb");
    assert_eq!(answer(&response), ok(r#"{"MGET":["50% \"é\"\\"]}"#));
    // What is not UTF-8 is left out, and the list is shorter than what was asked for.
    webdis.ask("SET/bytes/%FF%FE/EX/60");
    assert_eq!(redis.get("bytes").as_deref(), Some(&b"\xff\xfe"[..]));
    assert_eq!(answer(&webdis.ask("MGET/bytes")), ok(r#"{"MGET":[]}"#));
    assert_eq!(answer(&webdis.ask("GET/bytes")), ok("{}"));
}

#[test]
fn wrong_credentials_are_refused_and_change_nothing() {
    let redis = Redis::start();
    let (webdis, upstash) = (Webdis::start(&redis), Upstash::start(&redis));
    // The right user with the password "wrong", and nobody at all.
    for credentials in [Some("Basic cG9ydGVybzp3cm9uZw=="), None] {
        let mut request = Request::post("/", "SET/a/1/EX/60");
        if let Some(value) = credentials {
            request = request.header("authorization", value);
        }
        let response = request.send(webdis.address()).unwrap();
        assert_eq!(answer(&response), (403, String::new()), "{credentials:?}");
    }
    for credentials in [Some("Bearer wrong"), None] {
        let mut request = Request::post("/", r#"["SET","a","1"]"#);
        if let Some(value) = credentials {
            request = request.header("authorization", value);
        }
        let response = request.send(upstash.address()).unwrap();
        let refused = (401, "Unauthorized".to_owned());
        assert_eq!(answer(&response), refused, "{credentials:?}");
    }
    assert!(redis.keys().is_empty());
}

#[test]
fn webdis_lets_no_other_command_through() {
    let redis = Redis::start();
    let webdis = Webdis::start(&redis);
    webdis.ask("SET/a/1/EX/60");
    for command in [
        "FLUSHALL",
        "KEYS/*",
        "EVAL/return%201/0",
        "CONFIG/GET/*",
        "",
    ] {
        let response = webdis.ask(command);
        assert_eq!(answer(&response), (403, String::new()), "{command:?}");
    }
    assert_eq!(redis.keys(), ["a"]);
}

#[test]
fn what_redis_refuses_comes_as_a_success_from_webdis_and_as_an_error_from_the_other() {
    let redis = Redis::start();
    let (webdis, upstash) = (Webdis::start(&redis), Upstash::start(&redis));
    let full = "OOM command not allowed when used memory > 'maxmemory'.";
    let refused = |words: &[&str], message: &str| {
        let (name, command) = (words[0], words.join("/"));
        let body = json!({name: [false, message]});
        let response = webdis.ask(&command);
        assert_eq!((response.status, response.json()), (200, body));
        let error = format!("Failed to execute Redis command: {message}");
        let response = upstash.ask(&json!(words));
        let body: Value = json!({"error": error});
        assert_eq!((response.status, response.json()), (500, body));
    };
    refused(
        &["SET", "a"],
        "ERR wrong number of arguments for 'set' command",
    );
    refused(
        &["SET", "a", "1", "EX", "0"],
        "ERR invalid expire time in 'set' command",
    );
    redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    refused(&["SET", "a", "1", "EX", "60", "NX"], full);
}

#[test]
fn without_redis_webdis_says_503_at_once_and_works_again_soon_after_it_is_back() {
    let mut redis = Redis::start();
    let webdis = Webdis::start(&redis);
    webdis.ask("SET/a/1/EX/60");
    redis.kill();
    for command in ["MGET/a", "SET/a/1/EX/60/NX", "DEL/a"] {
        let asked = Instant::now();
        let response = webdis.ask(command);
        assert_eq!(answer(&response), (503, String::new()), "{command}");
        assert!(asked.elapsed() < Duration::from_secs(2), "{command}");
    }
    redis.restart();
    wait::until("webdis has found Redis again", || {
        let found = answer(&webdis.ask("MGET/a"));
        let is_late = found == (503, String::new());
        assert!(is_late || found == ok(r#"{"MGET":[null]}"#), "{found:?}");
        (!is_late).then_some(())
    });
}

#[test]
fn without_redis_the_upstash_dialect_lets_wait_and_answers_when_it_is_back() {
    let mut redis = Redis::start();
    let upstash = Upstash::start(&redis);
    redis.kill();
    let mut waiting = Connection::open(upstash.address()).unwrap();
    let request = upstash.request(&json!(["MGET", "a"]));
    waiting.write(&request.bytes()).unwrap();
    // Who does not wait so long is told nothing; who does, that it was in vain.
    let response = upstash.ask(&json!(["SET", "a", "1", "EX", "60", "NX"]));
    let error = "Failed to execute Redis command: Reached the max retries per request limit (which is 20). \
                 Refer to \"maxRetriesPerRequest\" option for details.";
    let body = json!({"error": error});
    assert_eq!((response.status, response.json()), (500, body.clone()));
    let response = waiting.response(b"POST").unwrap();
    assert_eq!((response.status, response.json()), (500, body));

    waiting.write(&request.bytes()).unwrap();
    redis.restart();
    let response = waiting.response(b"POST").unwrap();
    assert_eq!(answer(&response), ok(r#"{"result":[null]}"#));
}
