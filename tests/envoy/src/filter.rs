//! A Wasm filter, as Envoy is told of it.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// One Wasm filter.
#[derive(Clone)]
pub struct Filter {
    name: String,
    module: PathBuf,
    pub(crate) configuration: Value,
    policy: &'static str,
    stop_iteration: bool,
}

impl Filter {
    pub fn new(name: &str, module: &Path, configuration: Value) -> Self {
        Self {
            name: name.to_owned(),
            module: module.to_owned(),
            configuration,
            policy: "FAIL_RELOAD",
            stop_iteration: false,
        }
    }

    /// FAIL_RELOAD unless said otherwise.
    #[must_use]
    pub fn failure_policy(mut self, policy: &'static str) -> Self {
        self.policy = policy;
        self
    }

    /// Lets body callbacks run while the header callback waits (`allow_on_headers_stop_iteration`).
    #[must_use]
    pub fn body_while_waiting(mut self) -> Self {
        self.stop_iteration = true;
        self
    }

    pub(crate) fn json(&self, env: &BTreeMap<String, String>) -> Value {
        let mut config = json!({
            "name": self.name,
            "failure_policy": self.policy,
            "vm_config": {
                "vm_id": self.name,
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": self.module}},
                "environment_variables": {"host_env_keys": env.keys().collect::<Vec<_>>()},
            },
            "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": self.configuration.to_string()},
        });
        if self.stop_iteration {
            config["allow_on_headers_stop_iteration"] = json!(true);
        }
        json!({"name": self.name, "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": config}})
    }
}
