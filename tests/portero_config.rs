//! The program `portero-config`, as people and pipelines run it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Runs it without any of the variables that configurations name.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portero-config"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("SESSION_KEY")
        .env_remove("OIDC_CLIENT_SECRET")
        .envs(variables.iter().copied());
    command.output().unwrap()
}

/// Its exit status and what it says.
fn says(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let output = run(arguments, variables);
    let status = output.status.code().unwrap();
    (status, String::from_utf8(output.stderr).unwrap())
}

fn written(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

/// What `check` says of this text.
#[track_caller]
fn check(name: &str, text: &str, variables: &[(&str, &str)]) -> (i32, String) {
    let path = written(name, text);
    says(&["check", path.to_str().unwrap()], variables)
}

const KEYS: [(&str, &str); 2] = [
    ("SESSION_KEY", "a session key of thirty-two bytes and more"),
    ("OIDC_CLIENT_SECRET", "a client secret"),
];

const YAML: &str = "\
providers:
  corp:
    issuer: https://idp.example.com
    cluster: idp
    client: {id: portero, authentication: {client_secret_basic: {secret: {env: OIDC_CLIENT_SECRET}}}}
session: {keys: [{env: SESSION_KEY}]}
";

#[test]
fn a_good_configuration_is_good_as_yaml_and_as_json() {
    assert_eq!(check("good.yaml", YAML, &KEYS), (0, String::new()));
    let (status, told) = says(&["check", "tests/fixtures/minimal.json"], &KEYS);
    assert_eq!((status, told.as_str()), (0, ""));
}

#[test]
fn every_fault_is_told_at_once_with_its_place() {
    let text = YAML
        .replace(
            "cluster: idp",
            "cluster: idp\n    unheard_of: 1\n    timeout: 5",
        )
        .replace("https://idp", "http://idp");
    let (status, told) = check("faults.yaml", &text, &KEYS);
    assert_eq!(status, 1);
    for place in [
        "providers.corp.issuer:",
        "providers.corp.unheard_of:",
        "providers.corp.timeout:",
    ] {
        assert!(told.contains(place), "{place} is not in\n{told}");
    }
}

#[test]
fn a_key_twice_and_a_null_are_faults_in_both_forms() {
    let (status, told) = check("twice.json", r#"{"session": {}, "session": null}"#, &KEYS);
    assert_eq!(status, 1, "{told}");
    let (status, told) = check("twice.yaml", &format!("{YAML}session: {{}}\n"), &KEYS);
    assert_eq!(status, 2, "{told}");
    assert!(told.contains("session"), "{told}");
    let (status, told) = check("null.yaml", &format!("{YAML}rules:\n"), &KEYS);
    assert_eq!(status, 1, "{told}");
    assert!(told.contains("rules"), "{told}");
}

#[test]
fn variables_that_are_not_set_are_named() {
    let (status, told) = check("unset.yaml", YAML, &[]);
    assert_eq!(status, 1);
    for name in [
        "`OIDC_CLIENT_SECRET` is not set",
        "`SESSION_KEY` is not set",
    ] {
        assert!(told.contains(name), "{told}");
    }
    let (status, told) = check("empty.yaml", YAML, &[KEYS[0], ("OIDC_CLIENT_SECRET", "")]);
    assert_eq!(status, 1);
    assert!(told.contains("`OIDC_CLIENT_SECRET` is empty"), "{told}");
}

#[test]
fn without_the_environment_everything_else_is_checked() {
    let path = written("ci.yaml", YAML);
    let without = |path: &str| says(&["check", "--without-environment", path], &[]);
    let (status, told) = without(path.to_str().unwrap());
    assert_eq!(status, 0, "{told}");
    assert!(told.contains("OIDC_CLIENT_SECRET, SESSION_KEY"), "{told}");
    // Secrets that are keys, base64 or long have stand-ins that are.
    let mut full: Value =
        serde_json::from_str(&fs::read_to_string("tests/fixtures/full.json").unwrap()).unwrap();
    let mut count = 0;
    variables(&mut full, "", &mut count);
    assert!(count > 8, "{count}");
    let path = written("full.json", &full.to_string());
    let (status, told) = without(path.to_str().unwrap());
    assert_eq!(status, 0, "{told}");
    let path = written("ci-faulty.yaml", &YAML.replace("cluster", "clutser"));
    let (status, told) = without(path.to_str().unwrap());
    assert_eq!(status, 1);
    assert!(told.contains("providers.corp.clutser"), "{told}");
}

/// Makes every secret of a configuration a variable.
fn variables(value: &mut Value, key: &str, count: &mut usize) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object.iter_mut() {
                variables(inner, key, count);
            }
        }
        Value::Array(items) => {
            for inner in items {
                variables(inner, key, count);
            }
        }
        Value::String(text) => {
            let is_secret = text.starts_with("a literal")
                || key == "key" && text.starts_with('{')
                || text.starts_with("MDEy");
            if is_secret {
                *count += 1;
                *value = json!({"env": format!("SECRET_{count}")});
            }
        }
        _ => {}
    }
}

#[test]
fn the_part_of_portero_is_found_inside_the_files_of_the_proxies() {
    let (status, told) = says(&["check", "envoy.yaml"], &KEYS);
    assert_eq!(status, 0, "{told}");
    let (status, told) = says(&["check", "envoy.yaml"], &[]);
    assert_eq!(status, 1, "{told}");
    let indented = YAML.replace('\n', "\n    ");
    let istio = format!(
        "kind: Gateway\napiVersion: x\n---\napiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nspec:\n  pluginConfig:\n    {indented}\n"
    );
    assert_eq!(check("istio.yaml", &istio, &KEYS).0, 0);
    let (status, told) = check(
        "istio-faulty.yaml",
        &istio.replace("cluster", "clutser"),
        &KEYS,
    );
    assert_eq!(status, 1);
    assert!(
        told.contains("document[1].spec.pluginConfig:\nproviders.corp"),
        "{told}"
    );
    let text =
        "static_resources: {x: {configuration: {\"@type\": a, value: '{\"providers\": {}'}}}";
    assert_eq!(check("broken.yaml", text, &KEYS).0, 1);
    let (status, told) = check("nothing.yaml", "static_resources: {}", &KEYS);
    assert_eq!(status, 2);
    assert!(told.contains("no configuration of Portero's"), "{told}");
}

/// An Envoy with these Wasm filters: name, module, configuration.
fn envoy(filters: &[(&str, &str, Value)]) -> String {
    let filters: Vec<Value> = filters
        .iter()
        .map(|(name, module, configuration)| {
            let text = json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration.to_string()});
            let machine = json!({"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}});
            json!({"name": name, "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "config": {"vm_config": machine, "configuration": text},
            }})
        })
        .collect();
    json!({"static_resources": {"http_filters": filters}}).to_string()
}

#[test]
fn every_configuration_in_a_file_is_checked() {
    let good: Value = serde_json::from_str(r#"{"providers": {"corp": {"issuer": "https://idp.example.com", "cluster": "idp", "client": {"id": "portero", "authentication": {"client_secret_basic": {"secret": {"env": "OIDC_CLIENT_SECRET"}}}}}}, "session": {"keys": [{"env": "SESSION_KEY"}]}}"#).unwrap();
    let bad = json!({"provider": good["providers"], "sesion": good["session"]});
    let empty = json!({});
    let one = ("a", "/lib/a.wasm", good.clone());
    for (status, second) in [
        (0, ("b", "/lib/b.wasm", good)),
        // By a letter, by the filter's name, by the module's, and by the same module.
        (1, ("b", "/lib/b.wasm", bad)),
        (1, ("portero-admin", "/lib/b.wasm", empty.clone())),
        (1, ("b", "/lib/Portero.wasm", empty.clone())),
        (1, ("b", "/lib/a.wasm", empty.clone())),
    ] {
        for filters in [[one.clone(), second.clone()], [second.clone(), one.clone()]] {
            let (found, told) = check("several.json", &envoy(&filters), &KEYS);
            assert_eq!(found, status, "{second:?}\n{told}");
            assert!(!told.contains("not checked"), "{told}");
        }
    }
    // Others' are named, and are no faults.
    for configuration in [
        empty,
        json!({"rules": [], "version": {}}),
        json!("text"),
        json!(1),
    ] {
        let other = ("waf", "/lib/waf.wasm", configuration);
        let (status, told) = check("others.json", &envoy(&[one.clone(), other]), &KEYS);
        assert_eq!(status, 0, "{told}");
        let place =
            "static_resources.http_filters[1].typed_config.config.configuration: not checked";
        assert!(told.contains(place), "{told}");
    }
    let waf = ("waf", "/lib/waf.wasm", json!({}));
    assert_eq!(check("other.json", &envoy(&[waf]), &KEYS).0, 2);
}

#[test]
fn plugins_of_istio_and_envoy_gateway_are_known_by_their_names() {
    let istio = |url: &str, config: &str| {
        let meta =
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: login}\n";
        check(
            "istio-named.yaml",
            &format!("{meta}spec: {{url: 'oci://{url}'{config}}}\n"),
            &KEYS,
        )
    };
    let (status, told) = istio("example.com/portero:1", ", pluginConfig: {rules: []}");
    assert!(
        status == 1 && told.contains("spec.pluginConfig:\n"),
        "{told}"
    );
    let (status, told) = istio("example.com/portero:1", "");
    assert!(
        status == 2 && told.contains("spec.pluginConfig: not checked"),
        "{told}"
    );
    assert_eq!(
        istio("example.com/waf:1", ", pluginConfig: {rules: []}").0,
        2
    );
    let gateway = "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nspec:\n  wasm:\n  - {name: portero, code: {type: Image}, config: {rules: []}}\n";
    let (status, told) = check("gateway-named.yaml", gateway, &KEYS);
    assert!(
        status == 1 && told.contains("spec.wasm[0].config:\n"),
        "{told}"
    );
}

#[test]
fn what_cannot_be_read_is_another_status_than_faults() {
    assert_eq!(says(&["check", "tests/no-such-file"], &KEYS).0, 2);
    assert_eq!(check("bad.yaml", "a: [", &KEYS).0, 2);
    assert_eq!(check("empty.yaml.txt", "", &KEYS).0, 2);
    assert_eq!(check("bad.json", "{\"providers\": ", &KEYS).0, 1);
    for arguments in [
        &[][..],
        &["check"],
        &["check", "--unheard-of"],
        &["convert"],
        &["convert", "nginx", "x"],
        &["convert", "kusk"],
        &["convert", "kusk", "--only"],
    ] {
        let (status, told) = says(arguments, &[]);
        assert_eq!(status, 2, "{arguments:?}");
        assert!(told.starts_with("usage:"), "{told}");
    }
    assert_eq!(run(&["help"], &[]).status.code(), Some(0));
}

#[test]
fn a_conversion_prints_what_check_takes() {
    let file = |name: &str| format!("tests/fixtures/moving/{name}");
    let output = run(&["convert", "kusk", "--any-query", &file("kusk.yaml")], &[]);
    assert_eq!(output.status.code(), Some(0));
    let result = String::from_utf8(output.stdout).unwrap();
    assert_eq!(check("converted.json", &result, &KEYS).0, 0);
    let told = String::from_utf8(output.stderr).unwrap();
    for title in [
        "Has no counterpart:",
        "Is stricter here:",
        "Is yours to do:",
        "it loads",
    ] {
        assert!(told.contains(title), "{told}");
    }
    assert!(!told.contains("Needs your decision"), "{told}");
    let (status, told) = says(&["convert", "kusk", &file("kusk.yaml")], &[]);
    assert_eq!(status, 1);
    assert!(
        told.contains("Needs your decision:\n  - x-kusk.auth.oauth2.pass_through_matcher[0]:"),
        "{told}"
    );
    assert_eq!(says(&["convert", "krakend", &file("kusk.yaml")], &[]).0, 2);
    assert_eq!(says(&["convert", "kusk", "tests/no-such-file"], &[]).0, 2);
    // A result that does not load is no success.
    let odd = fs::read_to_string(file("kusk.yaml"))
        .unwrap()
        .replace("/oauth2/signout", "/a//b");
    let odd = written("odd.yaml", &odd);
    let (status, told) = says(
        &["convert", "kusk", "--any-query", odd.to_str().unwrap()],
        &[],
    );
    assert_eq!(status, 1);
    assert!(
        told.contains("paths.logout") && told.contains("does not load"),
        "{told}"
    );
}
