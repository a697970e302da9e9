//! A Redis behind a front end that speaks HTTP, in one of the two dialects: as strict as a real one,
//! until a story tells it otherwise. Its keys end by the story's clock.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use portero::flow::{Call, CallFailure, CallResult, Reply};
use portero::telemetry::Callee;
use portero::time::Timestamp;
use serde_json::{Value, json};

use crate::host::Land;
use crate::provider::Answer;

pub const PASSWORD: &str = "a store password of the tests";
pub const TOKEN: &str = "a-store-token-of-the-tests";
/// `Basic` with the user `portero` and [`PASSWORD`].
const BASIC: &str = "Basic cG9ydGVybzphIHN0b3JlIHBhc3N3b3JkIG9mIHRoZSB0ZXN0cw==";

pub struct Redis {
    land: Rc<Land>,
    values: RefCell<BTreeMap<String, (String, Timestamp)>>,
    /// Faults by the name of a command; `*` is every command.
    faults: RefCell<Vec<(&'static str, Answer)>>,
    /// The commands that came, in order, those included that were answered with a fault.
    commands: RefCell<Vec<Vec<String>>>,
    /// How long an answer takes.
    pub latency: Cell<Duration>,
}

impl Redis {
    pub fn new(land: &Rc<Land>) -> Rc<Self> {
        land.keep_secret(PASSWORD);
        land.keep_secret(TOKEN);
        Rc::new(Self {
            land: Rc::clone(land),
            values: RefCell::default(),
            faults: RefCell::default(),
            commands: RefCell::default(),
            latency: Cell::new(Duration::from_millis(1)),
        })
    }

    /// Answers a command in this way until [`Redis::recover`]; `*` is every command.
    pub fn break_down(&self, command: &'static str, answer: Answer) {
        self.faults.borrow_mut().push((command, answer));
    }

    pub fn recover(&self) {
        self.faults.borrow_mut().clear();
    }

    /// It was started anew, and nothing was kept.
    pub fn lose_everything(&self) {
        self.values.borrow_mut().clear();
    }

    /// The keys that are there, of one kind.
    pub fn keys(&self, kind: &str) -> Vec<String> {
        self.sweep();
        let prefix = format!("portero:{kind}:");
        let values = self.values.borrow();
        let keys = values.keys().filter(|key| key.starts_with(&prefix));
        keys.cloned().collect()
    }

    pub fn value(&self, key: &str) -> String {
        self.values.borrow()[key].0.clone()
    }

    /// Somebody who can write to Redis does.
    pub fn put(&self, key: &str, value: &str) {
        let end = self.land.now().after(Duration::from_secs(600));
        let entry = (value.to_owned(), end);
        self.values.borrow_mut().insert(key.to_owned(), entry);
    }

    /// How long a key will last.
    pub fn ttl(&self, key: &str) -> Duration {
        self.values.borrow()[key].1.since(self.land.now())
    }

    /// The commands of a name that came.
    pub fn called(&self, name: &str) -> usize {
        let commands = self.commands.borrow();
        commands.iter().filter(|words| words[0] == name).count()
    }

    pub fn answer(&self, call: &Call) -> CallResult {
        self.land.pass(self.latency.get());
        assert_eq!(call.callee, Callee::SessionStore);
        assert_eq!(call.cluster, "redis");
        assert_eq!((call.method, call.scheme.as_str()), ("POST", "https"));
        assert_eq!(call.authority, "redis.internal:7380");
        assert_eq!(call.path, "/redis");
        let header = |name: &str| {
            let mut headers = call.headers.iter().filter(|(other, _)| *other == name);
            headers.next().map(|(_, value)| value.as_str())
        };
        let body = std::str::from_utf8(&call.body).unwrap();
        let is_upstash = body.starts_with('[');
        let words: Vec<String> = if is_upstash {
            assert_eq!(header("content-type"), Some("application/json"));
            let bearer = format!("Bearer {TOKEN}");
            assert_eq!(header("authorization"), Some(bearer.as_str()));
            serde_json::from_str(body).unwrap()
        } else {
            assert_eq!(header("authorization"), Some(BASIC));
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-:".contains(&byte);
            assert!(body.bytes().all(plain), "to be encoded: {body}");
            body.split('/').map(str::to_owned).collect()
        };
        self.commands.borrow_mut().push(words.clone());
        match self.fault(&words[0]) {
            Some(Answer::NotSent) => return Err(CallFailure::NotSent),
            Some(Answer::CutOff) => return Err(CallFailure::NoAnswer),
            Some(Answer::Status(status)) => {
                let body = b"<html>no</html>".to_vec();
                return Ok(Reply { status, body });
            }
            Some(Answer::Body(status, body)) => return Ok(Reply { status, body }),
            None => {}
        }
        let result = self.carry_out(&words);
        let answer = match (is_upstash, &result) {
            (true, _) => json!({ "result": result }),
            (false, Value::String(word)) if word == "OK" => json!({&words[0]: [true, word]}),
            (false, _) => json!({&words[0]: result}),
        };
        Ok(Reply {
            status: 200,
            body: answer.to_string().into_bytes(),
        })
    }

    fn fault(&self, command: &str) -> Option<Answer> {
        let faults = self.faults.borrow();
        let mut faults = faults.iter();
        let found = faults.find(|(name, _)| *name == command || *name == "*");
        found.map(|(_, answer)| answer.clone())
    }

    fn carry_out(&self, words: &[String]) -> Value {
        self.sweep();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut values = self.values.borrow_mut();
        match words.as_slice() {
            ["MGET", keys @ ..] => {
                assert!(!keys.is_empty());
                let value = |key: &&str| values.get(*key).map(|(value, _)| value.clone());
                json!(keys.iter().map(value).collect::<Vec<_>>())
            }
            ["SET", key, value, "EX", seconds, "GET"] => {
                let entry = ((*value).to_owned(), self.end(seconds));
                let replaced = values.insert((*key).to_owned(), entry);
                json!(replaced.map(|(value, _)| value))
            }
            ["SET", key, value, "EX", seconds, condition @ ..] => {
                let may = match condition {
                    [] => true,
                    ["NX"] => !values.contains_key(*key),
                    ["XX"] => values.contains_key(*key),
                    other => panic!("SET does not know {other:?}"),
                };
                if !may {
                    return Value::Null;
                }
                let end = self.end(seconds);
                values.insert((*key).to_owned(), ((*value).to_owned(), end));
                json!("OK")
            }
            ["DEL", key] => json!(u8::from(values.remove(*key).is_some())),
            ["EXPIRE", key, seconds] => match values.get_mut(*key) {
                Some((_, end)) => {
                    *end = self.end(seconds);
                    json!(1)
                }
                None => json!(0),
            },
            other => panic!("no command of a store: {other:?}"),
        }
    }

    fn end(&self, seconds: &str) -> Timestamp {
        let seconds: u64 = seconds.parse().unwrap();
        assert!(seconds > 0, "Redis refuses that");
        self.land.now().after(Duration::from_secs(seconds))
    }

    fn sweep(&self) {
        let now = self.land.now();
        self.values.borrow_mut().retain(|_, (_, end)| *end > now);
    }
}
