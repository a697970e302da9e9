//! The manifests in `deploy`: they say nothing that the published APIs do not know, and Portero's configuration in them is good.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod safety;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use portero::config::Config;
use serde::Deserialize as _;
use serde_json::{Value, json};
use serde_yaml_ng::Deserializer;

/// The fields that an API knows, in `fixtures/kubernetes/fields.json`: an object has a shape for each of its fields (`!` after the name: it must
/// be there), or one for any field (`*`). A list in brackets has elements of that shape. A text is a type, or words with `|` between.
/// `compare.py` beside it finds what differs from its sources.
const FIELDS: &str = include_str!("../fixtures/kubernetes/fields.json");

/// What patches a Deployment, so it is no object of its own.
const PATCHES: [&str; 2] = ["gateway-secrets.yaml", "gateway-module.yaml"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(root().join(folder)).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn documents(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let documents = Deserializer::from_str(&text).map(Value::deserialize);
    let documents = documents.collect::<Result<_, _>>();
    documents.unwrap_or_else(|fault| panic!("{path:?}: {fault}"))
}

/// All objects of Istio's and Envoy Gateway's manifests, with the file that they are in.
fn objects() -> Vec<(PathBuf, Value)> {
    let files = [files("deploy/istio"), files("deploy/envoy-gateway")].concat();
    let objects = files.into_iter().flat_map(|file| {
        let documents = documents(&file);
        documents.into_iter().map(move |one| (file.clone(), one))
    });
    objects.collect()
}

/// What of a value its shape does not know.
fn faults(shape: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let is_good = match (shape, value) {
        (Value::String(kind), _) if kind == "any" => true,
        (Value::String(kind), Value::String(word)) if kind.contains('|') => {
            kind.split('|').any(|known| known == word)
        }
        (Value::String(kind), Value::String(_)) => kind == "string" || kind == "scalar",
        (Value::String(kind), Value::Number(_)) => kind == "number" || kind == "scalar",
        (Value::String(kind), Value::Bool(_)) => kind == "boolean",
        (Value::Array(shapes), Value::Array(values)) => {
            for (index, value) in values.iter().enumerate() {
                faults(&shapes[0], value, &format!("{path}[{index}]"), found);
            }
            true
        }
        (Value::Object(fields), Value::Object(entries)) => {
            for (name, value) in entries {
                let path = format!("{path}.{name}");
                let needed = format!("{name}!");
                let shape = fields.get(name).or_else(|| fields.get(&needed));
                match shape.or_else(|| fields.get("*")) {
                    Some(shape) => faults(shape, value, &path, found),
                    None => found.push(format!("{path} is not known")),
                }
            }
            for needed in fields.keys().filter_map(|name| name.strip_suffix('!')) {
                if !entries.contains_key(needed) {
                    found.push(format!("{path}.{needed} is missing"));
                }
            }
            true
        }
        _ => false,
    };
    if !is_good {
        found.push(format!("{path} is {value}, and not {shape}"));
    }
}

#[test]
fn every_manifest_has_the_fields_that_its_api_knows() {
    let fields: Value = serde_json::from_str(FIELDS).unwrap();
    let mut seen = BTreeSet::new();
    for (file, object) in objects() {
        let text = |key: &str| object[key].as_str().unwrap_or_default();
        let is_patch = PATCHES.iter().any(|patch| file.ends_with(patch));
        let kind = match is_patch {
            true => "a patch of apps/v1 Deployment".to_owned(),
            false => format!("{} {}", text("apiVersion"), text("kind")),
        };
        let shape = &fields[&kind];
        assert!(shape.is_object(), "{file:?}: {kind} is not known");
        let mut found = Vec::new();
        faults(shape, &object["spec"], "spec", &mut found);
        assert!(found.is_empty(), "{file:?} {kind}: {found:#?}");
        seen.insert(kind);
        let keys: Vec<_> = object.as_object().unwrap().keys().collect();
        if is_patch {
            assert_eq!(keys, ["spec"], "{file:?}");
            continue;
        }
        assert_eq!(keys, ["apiVersion", "kind", "metadata", "spec"], "{file:?}");
        let metadata = object["metadata"].as_object().unwrap();
        assert!(metadata.keys().eq(["name", "namespace"]), "{file:?}");
    }
    let known = fields.as_object().unwrap().keys();
    let known: BTreeSet<_> = known.filter(|key| *key != "sources").cloned().collect();
    assert_eq!(seen, known);
}

#[test]
fn what_the_apis_do_not_know_is_found() {
    let fields: Value = serde_json::from_str(FIELDS).unwrap();
    let said = |spec: Value| {
        let mut found = Vec::new();
        let shape = &fields["extensions.istio.io/v1alpha1 WasmPlugin"];
        faults(shape, &spec, "spec", &mut found);
        found.join("; ")
    };
    assert_eq!(said(json!({"url": "oci://there", "phase": "AUTHN"})), "");
    assert_eq!(said(json!({})), "spec.url is missing");
    assert!(said(json!({"url": "there", "failPolicy": "x"})).contains("failPolicy is not known"));
    assert!(said(json!({"url": "there", "phase": "FIRST"})).contains("spec.phase is \"FIRST\""));
    assert!(said(json!({"url": 1})).contains("spec.url is 1"));
    let env = json!({"url": "there", "vmConfig": {"env": [{"valueFrom": "HOST"}]}});
    assert_eq!(said(env), "spec.vmConfig.env[0].name is missing");
}

/// A filter of the manifests: what configures it, and the variables that it gets to see.
struct Filter {
    file: PathBuf,
    configuration: Value,
    variables: Vec<String>,
}

impl Filter {
    fn loaded(&self) -> Config {
        let key = include_str!("../fixtures/keys/private/p256.pem").trim();
        let environment = |name: &str| {
            let is_there = self.variables.iter().any(|variable| variable == name);
            is_there.then(|| match name {
                "IDENTITY_KEY" => key.to_owned(),
                _ => format!("{name} as 32 bytes of random text or more"),
            })
        };
        let loaded = Config::load(self.configuration.to_string().as_bytes(), &environment);
        let loaded = loaded.unwrap_or_else(|faults| panic!("{:?}: {faults}", self.file));
        assert!(loaded.warnings.is_empty(), "{:?}", self.file);
        loaded.config
    }
}

fn texts(values: &Value, pointer: &str) -> Vec<String> {
    let values = values.as_array().unwrap().iter();
    let texts = values.map(|value| value.pointer(pointer).unwrap().as_str().unwrap().to_owned());
    texts.collect()
}

fn filters() -> Vec<Filter> {
    let mut filters = Vec::new();
    for (file, object) in objects() {
        let spec = &object["spec"];
        let (configuration, variables) = match object["kind"].as_str().unwrap_or_default() {
            "WasmPlugin" => {
                let env = &spec["vmConfig"]["env"];
                assert!(texts(env, "/valueFrom").iter().all(|from| from == "HOST"));
                (&spec["pluginConfig"], texts(env, "/name"))
            }
            "EnvoyExtensionPolicy" => {
                let wasm = &spec["wasm"][0];
                (&wasm["config"], texts(&wasm["env"]["hostKeys"], ""))
            }
            "EnvoyFilter" => {
                let filter = &spec["configPatches"][0]["patch"]["value"]["typed_config"]["config"];
                let keys = &filter["vm_config"]["environment_variables"]["host_env_keys"];
                (&filter["configuration"]["value"], texts(keys, ""))
            }
            _ => continue,
        };
        filters.push(Filter {
            file,
            configuration: configuration.clone(),
            variables,
        });
    }
    filters
}

#[test]
fn every_configuration_in_the_manifests_loads_with_the_variables_that_it_gets_to_see() {
    let filters = filters();
    assert_eq!(filters.len(), 3);
    for filter in filters {
        filter.loaded();
    }
}

#[test]
fn the_proxies_have_the_variables_that_the_filters_see() {
    let istio = &documents(&root().join("deploy/istio/gateway-secrets.yaml"))[0];
    let istio = &istio["spec"]["template"]["spec"]["containers"][0]["env"];
    let pointer = "/spec/provider/kubernetes/envoyDeployment/container/env";
    let objects = objects();
    let gateway = objects.iter().find_map(|(_, one)| one.pointer(pointer));
    for filter in filters() {
        let is_istio = filter.file.to_string_lossy().contains("istio");
        let there = if is_istio { istio } else { gateway.unwrap() };
        let keys = texts(there, "/valueFrom/secretKeyRef/key");
        let there = texts(there, "/name");
        let expected = there
            .iter()
            .map(|name| name.to_lowercase().replace('_', "-"));
        assert!(keys.into_iter().eq(expected), "{:?}", filter.file);
        for variable in filter.variables {
            assert!(there.contains(&variable), "{:?}: {variable}", filter.file);
        }
    }
}

fn istio(file: &str) -> Value {
    documents(&root().join("deploy/istio").join(file)).remove(0)
}

/// Whoever changes from one to the other gets the same gateway.
#[test]
fn the_two_filters_for_istio_differ_only_in_the_bodies() {
    let filters = filters();
    let of = |file: &str| {
        let of_istio = |filter: &&Filter| filter.file.ends_with(format!("istio/{file}"));
        filters.iter().find(of_istio).unwrap()
    };
    let (plugin, whole) = (of("portero.yaml"), of("allow-bodies.yaml"));
    let mut expected = plugin.configuration.clone();
    expected["allow_on_headers_stop_iteration"] = json!(true);
    assert_eq!(whole.configuration, expected);
    assert_eq!(whole.variables, plugin.variables);
}

#[test]
fn the_module_is_mounted_where_the_filter_for_istio_looks_for_it() {
    let pod = &istio("gateway-module.yaml")["spec"]["template"]["spec"];
    let (copier, proxy) = (&pod["initContainers"][0], &pod["containers"][0]);
    let secrets = &istio("gateway-secrets.yaml")["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(proxy["name"], secrets["name"]);
    for container in [copier, proxy] {
        let mount = &container["volumeMounts"][0];
        assert_eq!(mount["name"], pod["volumes"][0]["name"]);
        assert_eq!(mount["mountPath"], "/var/lib/portero");
    }
    let filter = istio("allow-bodies.yaml");
    let filter = &filter["spec"]["configPatches"][0]["patch"]["value"]["typed_config"]["config"];
    let module = &filter["vm_config"]["code"]["local"]["filename"];
    assert_eq!(module, "/var/lib/portero/portero.wasm");
    assert_eq!(&copier["command"][2], module);
}

/// Files of `deploy` with what reads them: a source below `tests`, and the call in it. A file of Istio's or Envoy Gateway's is read here.
const READ: [(&str, &str, &str); 14] = [
    ("compose/compose.yaml", COMPOSE, r#"join("compose.yaml")"#),
    (
        "compose/envoy.yaml",
        COMPOSE,
        r#""compose.yaml", "envoy.yaml"]"#,
    ),
    (
        "config.schema.json",
        "configuration.rs",
        r#"read("deploy/config.schema.json")"#,
    ),
    (
        "envoy/access-log-and-rbac.yaml",
        "envoy/tests/filter_state.rs",
        r#"example::start("access-log-and-rbac.yaml""#,
    ),
    ("envoy/certificate.yaml", FLEET, "example::replica("),
    (
        "envoy/certificate.yaml",
        EXAMPLE,
        r#"adapted("certificate.yaml""#,
    ),
    ("envoy/fleet.yaml", FLEET, "example::replica("),
    ("envoy/fleet.yaml", EXAMPLE, r#"run("fleet.yaml""#),
    (
        "envoy/rate-limit.yaml",
        "envoy/tests/rate_limit.rs",
        r#"example::start("rate-limit.yaml""#,
    ),
    (
        "grafana/portero.json",
        PROMETHEUS,
        r#"join("deploy/grafana/portero.json")"#,
    ),
    (
        "prometheus/alerts.test.yaml",
        PROMETHEUS,
        r#"["test", "rules", "alerts.test.yaml"]"#,
    ),
    (
        "prometheus/alerts.yaml",
        "envoy/src/prometheus.rs",
        r#"join("alerts.yaml")"#,
    ),
    (
        "prometheus/kubernetes.yaml",
        PROMETHEUS,
        r#"read("deploy/prometheus/kubernetes.yaml")"#,
    ),
    (
        "prometheus/prometheus.yaml",
        PROMETHEUS,
        r#"["check", "config", "prometheus.yaml"]"#,
    ),
];
const COMPOSE: &str = "envoy/tests/compose.rs";
const EXAMPLE: &str = "envoy/src/example.rs";
const FLEET: &str = "envoy/tests/deploy.rs";
const PROMETHEUS: &str = "envoy/tests/prometheus.rs";

#[test]
fn every_file_of_deploy_is_read_by_a_test() {
    let deploy = root().join("deploy");
    let mut there = BTreeSet::new();
    for path in files("deploy") {
        let inside = path.is_dir().then(|| files(path.to_str().unwrap()));
        there.extend(inside.unwrap_or_else(|| vec![path]));
    }
    let name = |path: &PathBuf| path.strip_prefix(&deploy).unwrap().display().to_string();
    let mut there: BTreeSet<_> = there.iter().map(name).collect();
    there.retain(|name| !name.starts_with("istio/") && !name.starts_with("envoy-gateway/"));
    let read: BTreeSet<_> = READ.iter().map(|row| row.0.to_owned()).collect();
    assert_eq!(there, read);
    for (file, source, call) in READ {
        let text = fs::read_to_string(root().join("tests").join(source)).unwrap();
        let mut code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        assert!(
            code.any(|line| line.contains(call)),
            "{source} does not read {file}"
        );
    }
}
