//! A session store: Redis, and two servers through which a filter, which speaks HTTP alone, reaches it.
//!
//! Both take a command by `POST /`. Measured with Redis 7.0, webdis 0.1.9 and upstash-redis-server 1.0.0; `tests/store_harness.rs`
//! proves it:
//!
//! | | [`Webdis`] | [`Upstash`] |
//! |---|---|---|
//! | credentials | `Basic`, user and password | `Bearer`, a token |
//! | body | `SET/key/value/EX/60/NX`, each word percent-encoded | `["SET","key","value","EX","60","NX"]` |
//! | SET: done; NX: was there | `{"SET":[true,"OK"]}`; `{"SET":null}` | `{"result":"OK"}`; `{"result":null}` |
//! | SET with GET: what was there; nothing | `{"SET":"value"}`; `{"SET":null}` | `{"result":"value"}`; `{"result":null}` |
//! | MGET | `{"MGET":["value",null]}` | `{"result":["value",null]}` |
//! | DEL, EXPIRE: done; was not there | `{"DEL":1}`; `{"DEL":0}` | `{"result":1}`; `{"result":0}` |
//! | Redis refuses | **200** `{"SET":[false,"ERR …"]}` | 500 `{"error":"Failed to execute Redis command: ERR …"}` |
//! | wrong or no credentials | 403, no body | 401 `Unauthorized`, as text |
//! | Redis is gone | 503 at once, no body | no answer for ten seconds, then 500 `{"error":…}` |
//! | Redis is back | works within a second, with 503 until then | works within two seconds, also what has waited |
//!
//! Webdis repeats the command's name as it was written, and says 403 to a command that it does not let through. It leaves out values
//! that are not UTF-8, so that a list is shorter than the keys asked for. The server of the Upstash dialect asks for no token at
//! `/pipeline`, which Upstash itself does; and where Redis refuses, Upstash answers 400 with the bare message.
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::process::{Process, fresh_file};
use crate::resp::{self, Reply};
use crate::{artifact, port, wait};

const PATIENCE: Duration = Duration::from_secs(30);
const REDIS_PASSWORD: &str = "a-redis-password-for-tests-only";

/// A Redis that keeps nothing on disk; it ends on drop.
pub struct Redis {
    address: SocketAddr,
    process: Option<Process>,
}

impl Redis {
    pub fn start() -> Self {
        artifact::store();
        let mut redis = Self {
            address: SocketAddr::from(([127, 0, 0, 1], port::free())),
            process: None,
        };
        redis.restart();
        redis
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it; what it held is lost.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it at the same address, empty; one that runs is ended first. Servers in front of it take a moment to find it again.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port"])
            .arg(self.address.port().to_string())
            .args(["--save", "", "--appendonly", "no"])
            .args(["--requirepass", REDIS_PASSWORD]);
        let mut process = Process::start("redis", command);
        wait::until_within(PATIENCE, "Redis listens", || {
            assert!(process.ended().is_none(), "{}", process.tail());
            let pong = self.try_ask(&["PING"]).ok()?;
            (pong == Reply::Text(b"PONG".to_vec())).then_some(())
        });
        self.process = Some(process);
    }

    /// Any command, past the servers that speak HTTP.
    pub fn ask(&self, words: &[&str]) -> Reply {
        self.try_ask(words)
            .unwrap_or_else(|error| panic!("no answer from Redis to {words:?}: {error}"))
    }

    /// The names of all keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        let Reply::List(keys) = self.ask(&["KEYS", "*"]) else {
            panic!("no list of keys");
        };
        let mut names: Vec<_> = keys
            .into_iter()
            .map(|key| match key {
                Reply::Text(name) => String::from_utf8(name).expect("a name in UTF-8"),
                other => panic!("{other:?} is no key"),
            })
            .collect();
        names.sort();
        names
    }

    /// The value of a key, if it is there.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        match self.ask(&["GET", key]) {
            Reply::Text(value) => Some(value),
            Reply::Nothing => None,
            other => panic!("{key}: {other:?}"),
        }
    }

    /// How long a key will last; none where it is not there, or lasts for ever.
    pub fn ttl(&self, key: &str) -> Option<Duration> {
        match self.ask(&["PTTL", key]) {
            Reply::Number(milliseconds) => {
                u64::try_from(milliseconds).ok().map(Duration::from_millis)
            }
            other => panic!("{key}: {other:?}"),
        }
    }

    fn try_ask(&self, words: &[&str]) -> std::io::Result<Reply> {
        let mut replies = resp::ask(self.address, &[&["AUTH", REDIS_PASSWORD], words])?;
        Ok(replies.pop().expect("two answers"))
    }
}

/// Webdis in front of a Redis, for one user with the commands that a session store needs; it ends on drop.
pub struct Webdis {
    address: SocketAddr,
    _process: Process,
}

impl Webdis {
    pub const USER: &str = "portero";
    pub const PASSWORD: &str = "a-webdis-password-for-tests-only";
    const COMMANDS: [&str; 6] = ["MGET", "GET", "SET", "DEL", "EXPIRE", "PEXPIRE"];

    pub fn start(redis: &Redis) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port::free()));
        let user = format!("{}:{}", Self::USER, Self::PASSWORD);
        let settings = json!({
            "redis_host": redis.address().ip().to_string(),
            "redis_port": redis.address().port(),
            // Webdis 0.1.9 knows no user names of Redis'.
            "redis_auth": REDIS_PASSWORD,
            "http_host": address.ip().to_string(),
            "http_port": address.port(),
            "threads": 2,
            "pool_size": 4,
            "daemonize": false,
            "websockets": false,
            "database": 0,
            "acl": [
                {"disabled": ["*"]},
                {"http_basic_auth": user, "enabled": Self::COMMANDS},
            ],
            "verbosity": 4,
            "logfile": "/dev/stderr",
        });
        let file = fresh_file("webdis", "json");
        fs::write(&file, settings.to_string()).expect("a configuration file");
        let mut command = Command::new("webdis");
        command.arg(&file);
        let webdis = Self {
            address,
            _process: Process::start("webdis", command),
        };
        let probe = webdis.request("MGET/probe");
        serves(address, &probe, "webdis serves");
        webdis
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A command as webdis takes it: words joined with `/`, each percent-encoded where it must be.
    pub fn request(&self, command: &str) -> Request {
        let credentials = STANDARD.encode(format!("{}:{}", Self::USER, Self::PASSWORD));
        Request::post("/", command).header("authorization", format!("Basic {credentials}"))
    }

    /// Sends a command; no answer fails the test.
    pub fn ask(&self, command: &str) -> Response {
        send(&self.request(command), self.address)
    }
}

/// A server of Upstash's REST dialect in front of a Redis; it ends on drop.
pub struct Upstash {
    address: SocketAddr,
    _process: Process,
}

impl Upstash {
    pub const TOKEN: &str = "an-upstash-token-for-tests-only";

    pub fn start(redis: &Redis) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port::free()));
        let mut command = Command::new("node");
        command
            .arg(artifact::store())
            .env("TOKEN", Self::TOKEN)
            .env("PORT", address.port().to_string())
            .env(
                "REDIS_URL",
                format!("redis://:{REDIS_PASSWORD}@{}", redis.address()),
            );
        let upstash = Self {
            address,
            _process: Process::start("upstash", command),
        };
        let probe = upstash.request(&json!(["MGET", "probe"]));
        serves(address, &probe, "the server of the Upstash dialect serves");
        upstash
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A command as Upstash takes it: a list of words.
    pub fn request(&self, command: &Value) -> Request {
        Request::post("/", command.to_string())
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", Self::TOKEN))
    }

    /// Sends a command; no answer fails the test.
    pub fn ask(&self, command: &Value) -> Response {
        send(&self.request(command), self.address)
    }
}

fn serves(address: SocketAddr, probe: &Request, what: &str) {
    wait::until_within(PATIENCE, what, || {
        let response = probe.send(address).ok()?;
        (response.status == 200).then_some(())
    });
}

fn send(request: &Request, to: SocketAddr) -> Response {
    request
        .send(to)
        .unwrap_or_else(|error| panic!("no answer from the store: {error}"))
}
