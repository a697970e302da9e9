//! The layer rule, and what else every file keeps.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every room of the crate, from the top down, with the rooms that it may name: only rooms below it.
const ROOMS: [(&str, &[&str]); 24] = [
    (
        "adapter",
        &[
            "answer",
            "config",
            "flow",
            "foreign",
            "header_list",
            "host",
            "jose",
            "request",
            "telemetry",
            "time",
        ],
    ),
    (
        "flow",
        &[
            "answer",
            "authz",
            "config",
            "bearer_token",
            "consumer",
            "endpoint",
            "error",
            "header_list",
            "host",
            "jose",
            "oidc",
            "provider",
            "redis",
            "request",
            "route",
            "secret",
            "session",
            "telemetry",
            "time",
            "upstream",
            "upstream_token",
        ],
    ),
    (
        "provider",
        &["config", "host", "jose", "oidc", "session", "time"],
    ),
    ("upstream_token", &["error", "host", "session", "time"]),
    ("consumer", &["config", "jose", "upstream"]),
    ("upstream", &["config", "jose", "session"]),
    ("authz", &["config", "jose"]),
    (
        "bearer_token",
        &[
            "config",
            "error",
            "header_list",
            "jose",
            "request",
            "session",
        ],
    ),
    (
        "oidc",
        &[
            "config",
            "endpoint",
            "error",
            "host",
            "jose",
            "secret",
            "telemetry",
            "time",
        ],
    ),
    (
        "session",
        &["config", "error", "host", "request", "secret", "time"],
    ),
    ("redis", &["config", "error"]),
    ("route", &["config", "error", "request"]),
    ("answer", &["error"]),
    ("config", &["endpoint", "header_list", "jose", "secret"]),
    ("jose", &["error", "host", "secret", "time"]),
    // Each error says what it came from.
    ("error", &["host", "telemetry"]),
    ("foreign", &["host"]),
    ("host", &["telemetry", "time"]),
    ("telemetry", &[]),
    ("time", &[]),
    ("endpoint", &[]),
    ("secret", &[]),
    ("request", &["header_list"]),
    ("header_list", &[]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` with one of the extensions, as a path from the root.
fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("target") {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|known| extensions.iter().any(|it| known == *it))
            {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    assert!(!found.is_empty());
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The modules that lead to a file of `src`, the room first; `src/lib.rs` is in none.
fn modules(path: &Path) -> Vec<String> {
    let inside = path.strip_prefix("src").unwrap().with_extension("");
    let names = inside.iter().map(|name| name.to_str().unwrap().to_owned());
    names
        .filter(|name| name != "mod" && name != "lib")
        .collect()
}

fn is_test(modules: &[String]) -> bool {
    modules
        .iter()
        .any(|name| name == "tests" || name == "testing")
}

/// Code without comments and without what only tests see.
fn code(text: &str) -> String {
    let text = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_room(name: &str) -> bool {
    let src = root().join("src");
    src.join(name).is_dir() && !name.is_empty() || src.join(format!("{name}.rs")).is_file()
}

/// The rooms that code in `modules` names, by whatever way it reaches the root.
fn named(modules: &[String], text: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    let up = "super::".repeat(modules.len());
    for root in ["crate::", up.as_str()] {
        let code = code(text);
        for (at, _) in code.match_indices(root) {
            let (before, rest) = code.split_at(at);
            if before.ends_with("super::") {
                continue;
            }
            let rest = rest.get(root.len()..).unwrap_or_default();
            let group = rest
                .strip_prefix('{')
                .and_then(|rest| rest.split("};").next());
            let parts = match group {
                Some(group) => group.split(',').map(str::trim).collect(),
                None => vec![rest],
            };
            for part in parts {
                let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '_');
                rooms.insert(
                    part.get(..end.unwrap_or(part.len()))
                        .unwrap_or_default()
                        .to_owned(),
                );
            }
        }
    }
    rooms.retain(|room| is_room(room));
    rooms
}

/// What a file of `src` must not name.
fn offences(path: &Path, text: &str) -> Vec<String> {
    let modules = modules(path);
    let mut offences = Vec::new();
    let Some(room) = modules.first().filter(|room| *room != "bin") else {
        return offences;
    };
    if room != "adapter" && code(text).contains("proxy_wasm") {
        offences.push(format!("{} names proxy_wasm", path.display()));
    }
    let may = ROOMS.iter().find(|(known, _)| known == room);
    let may = may.map_or(&[][..], |(_, may)| may);
    for other in named(&modules, text) {
        if other != *room && !may.contains(&other.as_str()) {
            offences.push(format!("{} names {other}", path.display()));
        }
    }
    offences
}

#[test]
fn arrows_point_down() {
    for (index, (room, may)) in ROOMS.iter().enumerate() {
        for other in *may {
            let below = ROOMS.iter().skip(index).any(|(known, _)| known == other);
            assert!(below, "{room} -> {other}");
            assert_ne!(room, other);
        }
    }
}

#[test]
fn no_room_names_what_it_may_not() {
    let offences: Vec<String> = files("src", &["rs"])
        .iter()
        .filter(|path| !is_test(&modules(path)))
        .flat_map(|path| offences(path, &read(path)))
        .collect();
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// So that the table tells how it is, and an arrow that was given up does not come back unseen.
#[test]
fn every_arrow_is_used_and_every_room_is_there() {
    let mut rooms = BTreeSet::new();
    let mut arrows = BTreeSet::new();
    for path in files("src", &["rs"]) {
        let modules = modules(&path);
        let Some(room) = modules.first().filter(|room| *room != "bin") else {
            continue;
        };
        if is_test(&modules) {
            continue;
        }
        rooms.insert(room.clone());
        for other in named(&modules, &read(&path)) {
            arrows.insert((room.clone(), other));
        }
    }
    for (room, may) in ROOMS {
        for other in may {
            let arrow = (room.to_owned(), (*other).to_owned());
            assert!(arrows.contains(&arrow), "{room} -> {other} is not used");
        }
    }
    let known = ROOMS.iter().map(|(room, _)| *room);
    assert_eq!(rooms, known.map(ToOwned::to_owned).collect());
}

#[test]
fn the_rule_can_be_broken() {
    for (path, text) in [
        ("src/session/seal.rs", "use crate::flow::Gateway;"),
        ("src/oidc/token.rs", "fn f() { crate::flow::serve(); }"),
        (
            "src/oidc/mod.rs",
            "use crate::{config::Provider, flow::Call};",
        ),
        ("src/oidc/mod.rs", "use super::flow::Call;"),
        ("src/jose/jws/header.rs", "use super::super::super::flow;"),
        ("src/jose/jws.rs", "use crate::oidc::ProviderMetadata;"),
        ("src/route.rs", "use proxy_wasm::types::Action;"),
        ("src/flow/serve.rs", "use crate::adapter::abi;"),
        ("src/new_room.rs", "use crate::config::Config;"),
    ] {
        assert_eq!(offences(Path::new(path), text).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        (
            "src/flow/serve.rs",
            "use crate::session::{CookieContext, CookieJar};",
        ),
        ("src/flow/serve.rs", "use super::{Decision, Forward};"),
        (
            "src/session/seal.rs",
            "// As crate::flow does.\nuse super::Binding;",
        ),
        ("src/adapter/mod.rs", "use proxy_wasm::types::Action;"),
        (
            "src/oidc/id_token.rs",
            "#[cfg(test)]\nmod tests { use crate::flow; }",
        ),
        ("src/config/check/host.rs", "use super::super::HostPattern;"),
    ] {
        assert_eq!(offences(Path::new(path), text), [""; 0], "{path}: {text}");
    }
}

#[test]
fn every_file_can_be_read_in_one_sitting() {
    for folder in ["src", "tests"] {
        for path in files(folder, &["rs", "mjs"]) {
            let lines = read(&path).lines().count();
            assert!(lines <= 500, "{} has {lines} lines", path.display());
        }
    }
}

/// What is remembered of the clock is good for one callback.
#[test]
fn every_callback_forgets_the_time() {
    let text = read(Path::new("src/adapter/callbacks.rs"));
    let callbacks: Vec<&str> = text.split("fn proxy_on_").skip(1).collect();
    assert!(callbacks.len() > 8);
    for callback in callbacks {
        let (_, body) = callback.split_once("{\n").unwrap();
        assert!(
            body.trim_start().starts_with("forget_time();"),
            "{callback}"
        );
    }
}

#[test]
fn nothing_is_left_for_later() {
    for folder in ["src", "tests"] {
        for path in files(folder, &["rs", "mjs"]) {
            for mark in [
                concat!("to", "do!"),
                concat!("FIX", "ME"),
                concat!("XX", "X:"),
            ] {
                assert!(!read(&path).contains(mark), "{} has {mark}", path.display());
            }
        }
    }
}

#[test]
fn the_license_is_there() {
    assert!(read(Path::new("LICENSE")).contains("Apache License"));
}
