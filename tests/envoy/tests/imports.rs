//! The check of the module's imports finds what it is there to find.
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use portero_envoy_tests::artifact;

fn check(module: &Path) -> Output {
    Command::new("python3")
        .arg(artifact::root().join("scripts/check-imports"))
        .arg(module)
        .output()
        .expect("python3 runs")
}

/// A module that imports this one thing: `kind` 0 is a function, 2 a memory.
fn module_importing(module: &str, name: &str, kind: u8) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let section = |id: u8, content: Vec<u8>| {
        [vec![id, u8::try_from(content.len()).unwrap()], content].concat()
    };
    let import = [
        vec![1],
        text(module),
        text(name),
        vec![kind, 0],
        if kind == 2 { vec![1] } else { vec![] },
    ]
    .concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, vec![1, 0x60, 0, 0]),
        section(2, import),
    ]
    .concat()
}

fn verdict(name: &str, module: &[u8]) -> Output {
    let path = artifact::target().join(format!("envoy-tests-{name}.wasm"));
    fs::write(&path, module).unwrap();
    let output = check(&path);
    fs::remove_file(&path).unwrap();
    output
}

#[test]
fn a_module_that_imports_what_every_envoy_offers_passes() {
    for (module, name) in [
        ("env", "proxy_http_call"),
        ("wasi_snapshot_preview1", "random_get"),
    ] {
        let output = verdict(
            &format!("portable-{name}"),
            &module_importing(module, name, 0),
        );
        assert!(output.status.success(), "{module}.{name}: {output:?}");
        assert!(
            String::from_utf8_lossy(&output.stdout).contains(name),
            "{output:?}"
        );
    }
}

#[test]
fn a_module_that_imports_anything_else_is_refused_by_name() {
    let foreign = [
        ("env", "proxy_open_the_door", 0),
        ("wasi_snapshot_preview1", "sched_yield", 0),
        ("env", "memory", 2),
        ("wbindgen", "proxy_log", 0),
    ];
    for (module, name, kind) in foreign {
        let output = verdict(
            &format!("foreign-{module}-{name}"),
            &module_importing(module, name, kind),
        );
        assert!(!output.status.success(), "{module}.{name} passed");
        assert!(
            String::from_utf8_lossy(&output.stdout).contains(&format!("! {module}.{name}")),
            "{output:?}"
        );
    }
}

#[test]
fn what_is_not_a_module_is_refused() {
    assert!(!verdict("text", b"hello, world").status.success());
    assert!(
        !verdict(
            "cut",
            module_importing("env", "proxy_log", 0)
                .split_last()
                .unwrap()
                .1
        )
        .status
        .success()
    );
    assert!(!check(Path::new("/nonexistent")).status.success());
}

#[test]
fn the_probe_passes_because_what_envoy_loads_must_pass() {
    let output = check(artifact::probe());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
