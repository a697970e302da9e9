//! Prometheus, with the configuration and the alerts of `deploy/prometheus`; only the Envoy that it asks and how often are a test's own.
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::http::Request;
use crate::process::{Process, fresh_file};
use crate::{artifact, port, wait};

const PATIENCE: Duration = Duration::from_secs(30);

/// A Prometheus that asks one Envoy every second; it ends on drop.
pub struct Prometheus {
    address: SocketAddr,
    data: PathBuf,
    process: Option<Process>,
}

impl Prometheus {
    pub fn start(envoy: SocketAddr) -> Self {
        artifact::prometheus();
        let written = artifact::root().join("deploy/prometheus");
        let alerts = written.join("alerts.yaml");
        let mut text = fs::read_to_string(written.join("prometheus.yaml")).expect("a file");
        for (there, here) in [
            (
                "\"gateway-1.internal:9902\", \"gateway-2.internal:9902\"",
                format!("\"{envoy}\""),
            ),
            ("[alerts.yaml]", format!("[\"{}\"]", alerts.display())),
            ("interval: 15s", "interval: 1s".to_owned()),
        ] {
            assert!(text.contains(there), "prometheus.yaml has no {there}");
            text = text.replace(there, &here);
        }
        let file = fresh_file("prometheus", "yaml");
        fs::write(&file, text).expect("a configuration file");
        let address = SocketAddr::from(([127, 0, 0, 1], port::free()));
        let data = fresh_file("prometheus", "data");
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"));
        let mut process = Process::start("prometheus", command);
        wait::until_within(PATIENCE, "Prometheus serves", || {
            assert!(process.ended().is_none(), "{}", process.tail());
            let answer = Request::get("/-/ready").send(address).ok()?;
            (answer.status == 200).then_some(())
        });
        Self {
            address,
            data,
            process: Some(process),
        }
    }

    /// What the HTTP API has at a path.
    pub fn ask(&self, path: &str) -> Value {
        let answer = Request::get(path).send(self.address);
        answer.expect("an answer from Prometheus").json()["data"].take()
    }

    /// The samples of an expression now; one that is none fails the test.
    pub fn query(&self, expression: &str) -> Vec<Value> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("query", expression)
            .finish();
        let answer = Request::post("/api/v1/query", form)
            .header("content-type", "application/x-www-form-urlencoded")
            .send(self.address)
            .expect("an answer from Prometheus");
        assert_eq!(answer.status, 200, "{expression}: {}", answer.text());
        let mut data = answer.json()["data"].take();
        match data["result"].take() {
            Value::Array(samples) => samples,
            other => panic!("{expression}: {other}"),
        }
    }

    /// The value of an expression that has one sample.
    pub fn value(&self, expression: &str) -> Option<f64> {
        match self.query(expression).as_slice() {
            [sample] => sample["value"][1].as_str()?.parse().ok(),
            _ => None,
        }
    }

    /// The state of an alert: `inactive`, `pending` or `firing`.
    pub fn alert(&self, name: &str) -> String {
        let groups = self.ask("/api/v1/rules");
        let rules = groups["groups"][0]["rules"].as_array().expect("rules");
        let rule = rules.iter().find(|rule| rule["name"] == name);
        rule.and_then(|rule| rule["state"].as_str())
            .unwrap_or_else(|| panic!("no alert {name}"))
            .to_owned()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.process = None;
        let _ = fs::remove_dir_all(&self.data);
    }
}
