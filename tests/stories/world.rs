//! A story's world: one provider, one configuration, processes with workers, and a clock.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::host::{Land, SharedData};
use crate::provider::{CLIENT_ID, CLIENT_SECRET, ISSUER, Provider};
use crate::redis::{PASSWORD, Redis, TOKEN};
use crate::worker::Worker;

pub const SESSION_KEY: &str = "the first session key of the tests, 48 bytes long";

pub struct World {
    pub land: Rc<Land>,
    pub provider: Rc<Provider>,
    pub redis: Rc<Redis>,
    pub worker: Worker,
    pub settings: Value,
}

/// The configuration of most stories.
pub fn settings() -> Value {
    json!({
        "providers": {"corp": {
            "issuer": ISSUER,
            "cluster": "idp",
            "client": {
                "id": CLIENT_ID,
                "authentication": {"client_secret_basic": {"secret": CLIENT_SECRET}},
            },
        }},
        "session": {"keys": [SESSION_KEY]},
        "rules": [{"match": {"path": {"prefix": "/public"}}, "access": "public"}],
    })
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    /// With changes to the usual configuration.
    pub fn with(change: impl FnOnce(&mut Value)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let land = Land::new();
        for key in settings["session"]["keys"].as_array().unwrap() {
            land.keep_secret(key.as_str().unwrap());
        }
        let provider = Provider::new(&land);
        let redis = Redis::new(&land);
        let worker = Worker::new(&settings, &land, &Rc::default(), &provider, &redis);
        Self {
            land,
            provider,
            redis,
            worker,
            settings,
        }
    }

    /// With sessions in a store, and more changes to the usual configuration.
    pub fn with_store(change: impl FnOnce(&mut Value)) -> Self {
        Self::with(|settings| {
            settings["session"]["store"] = json!({
                "cluster": "redis",
                "url": "https://redis.internal:7380/redis",
                "protocol": {"webdis": {"username": "portero", "password": PASSWORD}},
            });
            change(settings);
        })
    }

    /// One more worker of the same process.
    pub fn another_worker(&self) -> Worker {
        self.worker_in(&self.worker.shared, &self.settings)
    }

    /// A worker of another process.
    pub fn another_process(&self) -> Worker {
        self.worker_in(&Rc::default(), &self.settings)
    }

    /// A worker of another process, with changes to the configuration.
    pub fn reconfigured(&self, change: impl FnOnce(&mut Value)) -> Worker {
        let mut settings = self.settings.clone();
        change(&mut settings);
        self.worker_in(&Rc::default(), &settings)
    }

    /// A worker of the same process, after its configuration has been changed while it serves.
    pub fn reloaded(&self, change: impl FnOnce(&mut Value)) -> Worker {
        let mut settings = self.settings.clone();
        change(&mut settings);
        self.worker_in(&self.worker.shared, &settings)
    }

    /// The store's front end speaks the other dialect.
    pub fn speak_upstash(settings: &mut Value) {
        settings["session"]["store"]["protocol"] = json!({"upstash": {"token": TOKEN}});
    }

    fn worker_in(&self, shared: &Rc<SharedData>, settings: &Value) -> Worker {
        Worker::new(settings, &self.land, shared, &self.provider, &self.redis)
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.worker.clone(), &self.land, &self.provider)
    }

    pub fn pass(&self, span: Duration) {
        self.land.pass(span);
    }
}

pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}
