//! The configurations of Envoy in `deploy`, run as they stand: only places, addresses and ports are a test's own.
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::envoy::SESSION_KEY;
use crate::launch::launch;
use crate::process::fresh_file;
use crate::{Envoy, Provider, Upstream, artifact, port};

/// Where the fleet has its module, and where the examples that are read in the repository find it.
const INSTALLED: &str = "/etc/envoy/portero.wasm";
const BUILT: &str = "target/wasm32-wasip1/release/portero.wasm";

/// A file of `deploy/envoy` with other words in it; each must be there.
fn adapted(name: &str, words: &[(String, String)]) -> PathBuf {
    let path = artifact::root().join("deploy/envoy").join(name);
    let mut text = fs::read_to_string(&path).expect("an example");
    for (written, here) in words {
        assert!(text.contains(written), "{name} has no {written}");
        text = text.replace(written, here);
    }
    let file = fresh_file("example", "yaml");
    fs::write(&file, text).expect("a configuration file");
    file
}

fn module(written: &str) -> (String, String) {
    (
        written.to_owned(),
        artifact::portero().display().to_string(),
    )
}

fn ports<const N: usize>(ours: [(u16, u16); N]) -> [(String, String); N] {
    ours.map(|(written, here)| {
        (
            format!("port_value: {written}"),
            format!("port_value: {here}"),
        )
    })
}

fn environment(secret: &str) -> BTreeMap<String, String> {
    let other_key: String = SESSION_KEY.chars().rev().collect();
    [
        ("OIDC_CLIENT_SECRET", secret),
        ("SESSION_KEY", SESSION_KEY),
        ("SESSION_KEY_OTHER", &other_key),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn run(name: &str, words: &[(String, String)], workers: u32, provider: &Provider, at: At) -> Envoy {
    let env = environment(&provider.client().secret);
    let file = adapted(name, words);
    let process = launch(&file, workers, &env, at.admin)
        .unwrap_or_else(|log| panic!("Envoy does not start with {name}\n{log}"));
    Envoy::running(process, file, at.gateway, at.admin, at.host)
}

/// Where an example listens here.
struct At {
    gateway: SocketAddr,
    admin: SocketAddr,
    host: &'static str,
}

impl At {
    fn new(host: &'static str) -> Self {
        let [gateway, admin] = [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], port::free())));
        Self {
            gateway,
            admin,
            host,
        }
    }
}

/// Starts Envoy with a file of `deploy/envoy`, with as many workers.
pub fn start(name: &str, workers: u32, provider: &Provider, upstream: &Upstream) -> Envoy {
    let at = At::new("http://app.localhost");
    let mut words = vec![
        module(BUILT),
        (
            "http://op.localhost:9000".to_owned(),
            provider.issuer().to_owned(),
        ),
    ];
    words.extend(ports([
        (10000, at.gateway.port()),
        (9901, at.admin.port()),
        (9000, provider.address().port()),
        (9001, upstream.address().port()),
    ]));
    let envoy = run(name, &words, workers, provider, at);
    provider.register(&[envoy.origin()]);
    envoy
}

/// One Envoy of `fleet.yaml`.
pub struct Replica {
    pub envoy: Envoy,
    /// Where it shows whether it is ready, and its metrics.
    pub operations: SocketAddr,
}

/// Starts `fleet.yaml`, with the provider's TLS at this port of this machine. The names in it stay: that of the certificate that the
/// provider must have, too.
pub fn replica(provider: &Provider, provider_port: u16, upstream: &Upstream) -> Replica {
    let at = At::new("https://app.example.com");
    let operations = SocketAddr::from(([127, 0, 0, 1], port::free()));
    let here = |name: &str| artifact::certificate(name).display().to_string();
    let certificate = [
        (
            "/etc/envoy/tls/tls.crt".to_owned(),
            here("app.example.com.pem"),
        ),
        ("/etc/envoy/tls/tls.key".to_owned(), here("key.pem")),
        ("/etc/envoy/tls".to_owned(), here("")),
    ];
    let certificate = adapted("certificate.yaml", &certificate);
    let in_file = |text: &str| text.to_owned();
    let mut words = vec![
        module(INSTALLED),
        (
            in_file("https://idp.example.com"),
            provider.issuer().to_owned(),
        ),
        (
            in_file("address: idp.example.com, port_value: 443}"),
            format!("address: 127.0.0.1, port_value: {provider_port}}}"),
        ),
        (
            in_file("address: application.internal, port_value: 8080}"),
            format!(
                "address: 127.0.0.1, port_value: {}}}",
                upstream.address().port()
            ),
        ),
        (
            in_file("/etc/ssl/certs/ca-certificates.crt"),
            here("certificate.pem"),
        ),
        (
            in_file("/etc/envoy/certificate.yaml"),
            certificate.display().to_string(),
        ),
    ];
    words.extend(ports([
        (8443, at.gateway.port()),
        (9901, at.admin.port()),
        (9902, operations.port()),
    ]));
    let envoy = run("fleet.yaml", &words, 2, provider, at);
    Replica { envoy, operations }
}

fn manifest(name: &str) -> String {
    let path = artifact::root().join("deploy").join(name);
    fs::read_to_string(&path).expect("a manifest")
}

/// What a manifest of `deploy` gives to Envoy as the value of a patch, the first below a line that starts so; as YAML with this margin.
pub fn patch(name: &str, below: &str, margin: usize) -> String {
    block(name, below, "value:", margin)
}

/// What stands under a key of a manifest, the first below a line that starts so; as YAML with this margin.
pub fn block(name: &str, below: &str, key: &str, margin: usize) -> String {
    let text = manifest(name);
    let blanks = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text
        .lines()
        .skip_while(|line| !line.trim_start().starts_with(below))
        .skip_while(|line| line.trim() != key);
    let depth = blanks(lines.next().expect("a patch"));
    let value: Vec<_> = lines.take_while(|line| blanks(line) > depth).collect();
    let first = blanks(value.first().expect("a value"));
    let indented = value
        .iter()
        .map(|line| format!("{}{}\n", " ".repeat(margin), &line[first..]));
    indented.collect()
}

/// The field that the last patch of a manifest for Envoy Gateway adds, as YAML.
pub fn added(name: &str) -> String {
    let text = manifest(name);
    let last = |start: &str| {
        let mut lines = text.lines().rev().map(str::trim);
        let word = lines.find_map(|line| line.strip_prefix(start));
        word.expect("a patch").to_owned()
    };
    format!("{}: {}", last("path: /"), last("value: "))
}

/// The argument that Envoy Gateway starts Envoy with because its manifest says so.
fn argument() -> String {
    let text = manifest("envoy-gateway/portero.yaml");
    let mut lines = text.lines().map(str::trim);
    let argument = lines.find_map(|line| line.strip_prefix("extraArgs: [\"")?.strip_suffix("\"]"));
    argument.expect("an argument").to_owned()
}

/// What Envoy has against a configuration with parts of manifests; nothing, if it is good.
pub fn fault(configuration: &str) -> Option<String> {
    let here = [
        (
            "/var/lib/portero/portero.wasm",
            artifact::portero().display().to_string(),
        ),
        (
            "/etc/ssl/certs/ca-certificates.crt",
            artifact::certificate("certificate.pem")
                .display()
                .to_string(),
        ),
    ];
    let mut text = configuration.to_owned();
    for (written, here) in here {
        text = text.replace(written, &here);
    }
    let key = artifact::root().join("tests/fixtures/keys/private/p256.pem");
    let file = fresh_file("manifest", "yaml");
    fs::write(&file, text).expect("a configuration file");
    let output = Command::new(artifact::envoy())
        .args(["--mode", "validate", "--use-dynamic-base-id"])
        .args(["--log-level", "warning", &argument(), "--config-path"])
        .arg(&file)
        .envs(environment("a-secret"))
        .env("IDENTITY_KEY", fs::read_to_string(key).expect("a key"))
        .output()
        .expect("Envoy runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success() || said.contains("eprecated")).then_some(said)
}
