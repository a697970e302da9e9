//! What tests run: the modules, and Envoy's binary. Each is made ready once per test program; `scripts/test` names them beforehand.
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The project's folder.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .expect("the crate lies two folders down")
            .to_owned()
    })
}

/// A file of `tests/envoy/certificate`: `certificate.pem` has signed itself and the others, and all have the key `key.pem`.
pub fn certificate(name: &str) -> PathBuf {
    root().join("tests/envoy/certificate").join(name)
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |named| root().join(named))
}

/// Portero as it is released, or what `PORTERO_WASM` names.
pub fn portero() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        std::env::var_os("PORTERO_WASM").map_or_else(
            || {
                build(
                    &["--release", "--lib", "--package", "portero"],
                    "release/portero.wasm",
                )
            },
            PathBuf::from,
        )
    })
}

/// The probe, a filter that shows how Envoy itself behaves.
pub fn probe() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        build(
            &["--package", "portero-envoy-probe"],
            "debug/portero_envoy_probe.wasm",
        )
    })
}

/// A filter on the Rust SDK that lets everything pass.
pub fn empty() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        build(
            &["--release", "--package", "portero-bench-empty"],
            "release/portero_bench_empty.wasm",
        )
    })
}

/// Envoy, found or fetched by `scripts/lib/envoy.sh`.
pub fn envoy() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| PathBuf::from(script("scripts/lib/envoy.sh").trim()))
}

/// The provider's packages, installed.
pub fn provider() -> PathBuf {
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| {
        script("scripts/lib/node.sh");
    });
    root().join("tests/provider/provider.mjs")
}

/// What the tests of stores run, installed: Redis, webdis, and this server that speaks Upstash's dialect.
pub fn store() -> PathBuf {
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| {
        script("scripts/lib/store.sh");
    });
    root().join("tests/store/upstash.mjs")
}

/// Prometheus and promtool are there.
pub fn prometheus() {
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| {
        script("scripts/lib/prometheus.sh");
    });
}

fn build(arguments: &[&str], file: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--locked", "--target", "wasm32-wasip1"])
        .args(arguments)
        .current_dir(root())
        .status()
        .expect("cargo runs");
    assert!(status.success(), "{file} could not be built");
    target().join("wasm32-wasip1").join(file)
}

fn script(path: &str) -> String {
    let output = Command::new("bash")
        .arg(root().join(path))
        .stderr(Stdio::inherit())
        .output()
        .expect("bash runs");
    assert!(
        output.status.success(),
        "{path} failed; what it said stands above"
    );
    String::from_utf8(output.stdout).expect("a path")
}
