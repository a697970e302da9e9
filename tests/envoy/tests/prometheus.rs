//! The dashboard and the alerts in `deploy`, over what a real Prometheus reads from a real Envoy.
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use portero::error::Error;
use portero::telemetry::{Callee, Metric};
use portero_envoy_tests::process::fresh_file;
use portero_envoy_tests::prometheus::Prometheus;
use portero_envoy_tests::{Upstream, Visitor, artifact, portero, provider_with_switches, wait};
use serde_json::{Value, json};

/// Every metric that the module can write, as Prometheus calls it.
fn written() -> BTreeSet<String> {
    let failures = Error::every();
    let failures = failures
        .iter()
        .map(|error| Metric::Failure(error.report().code));
    let times = Callee::ALL.into_iter().flat_map(|callee| {
        let name = Metric::CallMilliseconds(callee).name();
        ["bucket", "sum", "count"].map(|part| format!("{name}_{part}"))
    });
    let counters = Metric::counters().chain(failures);
    let all = counters.map(|metric| metric.name()).chain(times);
    all.map(|name| name.replace('.', "_")).collect()
}

/// Expressions of the dashboard with its title, as Grafana sends them.
fn panels() -> Vec<(String, String)> {
    let file = artifact::root().join("deploy/grafana/portero.json");
    let dashboard: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut expressions = Vec::new();
    let mut ids = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        if panel["type"] == "row" {
            continue;
        }
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            let expression = target["expr"].as_str().unwrap();
            let expression = expression
                .replace("$__rate_interval", "10s")
                .replace("$job", ".*")
                .replace("$instance", ".*");
            assert!(!expression.contains('$') || expression.contains("\"$1\""));
            expressions.push((title.to_owned(), expression));
        }
    }
    expressions
}

/// Names of metrics in an expression, and patterns of names.
fn names(expression: &str) -> (Vec<String>, Vec<String>) {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "_:".contains(character);
    let (mut names, mut patterns) = (Vec::new(), Vec::new());
    let mut before = "";
    for (place, part) in expression.split('"').enumerate() {
        if place % 2 == 1 {
            if before.ends_with("__name__=~") {
                patterns.push(part.to_owned());
            }
            continue;
        }
        let words = part.split(|character| !is_part(character));
        let ours = words.filter(|word| {
            ["portero_", "portero:", "envoy_"]
                .iter()
                .any(|start| word.starts_with(start))
        });
        names.extend(ours.map(str::to_owned));
        before = part;
    }
    (names, patterns)
}

#[test]
fn dashboard_and_alerts_show_what_happens() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .configure(|settings| {
            settings["rules"].as_array_mut().unwrap().push(json!({
                "match": {"path": {"exact": "/closed"}},
                "require": {"groups": {"any_of": ["nobody"]}},
            }));
        })
        .start();
    let prometheus = Prometheus::start(envoy.admin_address());
    // Counters are there before anything has happened, so that their growth is seen from the first event on.
    wait::until("Prometheus has read the counters", || {
        (prometheus.value("portero_provider_token_failed") == Some(0.0)).then_some(())
    });

    let mut visitor = Visitor::new();
    visitor.log_in(&envoy.url("/"), &provider.person());
    let denied = visitor.fetch(&envoy.url("/closed"));
    assert_eq!(denied.code().as_deref(), Some("access_forbidden"));
    provider.fault("/token", json!({"status": 500, "times": 2}));
    for _ in 0..2 {
        let failed = Visitor::new().log_in(&envoy.url("/"), &provider.person());
        assert_eq!(failed.code().as_deref(), Some("token_refused"));
    }
    for (expression, value) in [
        ("portero_login_started", 3.0),
        ("portero_login_succeeded", 1.0),
        ("portero_failure_access_forbidden", 1.0),
        ("portero_failure_token_refused", 2.0),
        ("portero_provider_token_failed", 2.0),
    ] {
        wait::until(expression, || {
            (prometheus.value(expression) == Some(value)).then_some(())
        });
    }
    wait::until("the alert about the provider waits for its time", || {
        (prometheus.alert("PorteroProviderCallsFailing") == "pending").then_some(())
    });
    for quiet in ["PorteroNotLoaded", "PorteroCrashed", "PorteroInternalError"] {
        assert_eq!(prometheus.alert(quiet), "inactive", "{quiet}");
    }

    let rules = prometheus.ask("/api/v1/rules");
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() > 10);
    let mut expressions = panels();
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        let text = |name: &str| rule[name].as_str().unwrap().to_owned();
        expressions.push((text("name"), text("query")));
    }
    let known = prometheus.ask("/api/v1/label/__name__/values");
    let known = known.as_array().unwrap().iter();
    let mut known: BTreeSet<_> = known
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    let written = written();
    for name in known.iter().filter(|name| name.starts_with("portero_")) {
        assert!(written.contains(name), "{name} is of no metric");
    }
    known.extend(written);
    let recorded = rules.iter().filter(|rule| rule["type"] == "recording");
    known.extend(recorded.map(|rule| rule["name"].as_str().unwrap().to_owned()));
    let mut seen = BTreeSet::new();
    for (title, expression) in expressions {
        let (names, patterns) = names(&expression);
        assert!(!names.is_empty() || !patterns.is_empty(), "{title}");
        for name in names {
            assert!(known.contains(&name), "{title}: there is no {name}");
            seen.insert(name);
        }
        for pattern in patterns {
            let found = prometheus.query(&format!("{{__name__=~\"{pattern}\"}}"));
            assert!(!found.is_empty(), "{title}: nothing is called {pattern}");
        }
        let is_alert = title.starts_with("Portero");
        // Nobody was called here, so there are no times.
        let is_idle = ["introspection", "upstream_token", "session_store"]
            .iter()
            .any(|callee| expression.contains(&format!("{callee}_milliseconds")));
        let may_be_empty = is_alert || is_idle;
        // A rate takes two readings.
        wait::until(&format!("{title}: {expression}"), || {
            let samples = prometheus.query(&expression);
            (!samples.is_empty() || may_be_empty).then_some(())
        });
    }
    // Nobody is told of a counter that no panel and no alert looks at, but of calls, which patterns find.
    for counter in Metric::counters() {
        let name = counter.name().replace('.', "_");
        let is_call = matches!(counter, Metric::CallSucceeded(_) | Metric::CallFailed(_));
        assert!(is_call || seen.contains(&name), "{name} is not shown");
    }
}

#[test]
fn the_alerts_fire_when_they_should_and_only_then() {
    artifact::prometheus();
    // Debian's Prometheus was built without the discovery in Kubernetes: it checks the rest, and tests/manifests that.
    let read = |path: &str| fs::read_to_string(artifact::root().join(path)).unwrap();
    let jobs = read("deploy/prometheus/kubernetes.yaml");
    let discovery = [
        "kubernetes_sd_configs:",
        "- role: pod",
        "namespaces:",
        "selectors:",
    ];
    let is_other = |line: &&str| !discovery.iter().any(|word| line.trim().starts_with(word));
    let rest: Vec<_> = jobs.lines().filter(is_other).collect();
    let file = fresh_file("kubernetes", "yaml");
    fs::write(&file, rest.join("\n")).unwrap();
    let in_kubernetes = file.display().to_string();
    for arguments in [
        ["check", "config", "prometheus.yaml"],
        ["check", "config", &in_kubernetes],
        ["test", "rules", "alerts.test.yaml"],
    ] {
        let output = Command::new("promtool")
            .args(arguments)
            .current_dir(artifact::root().join("deploy/prometheus"))
            .output()
            .expect("promtool runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{complained}");
    }
    // Every alert fires in a test, with every counter that it names, and the document tells what to do.
    let tests = read("deploy/prometheus/alerts.test.yaml");
    let document = read("docs/operations.md");
    let alerts = read("deploy/prometheus/alerts.yaml");
    for rule in alerts.split("- alert: ").skip(1) {
        let (alert, rule) = rule.split_once('\n').expect("a name in a line");
        let fires = format!("labels: 'ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"");
        assert!(tests.contains(&fires), "{alert} fires in no test");
        let (expression, _) = rule.split_once("labels:").expect("labels after it");
        let counters = names(expression).0.into_iter();
        for counter in counters.filter(|name| name.starts_with("portero_")) {
            let series = format!("series: '{counter}{{");
            assert!(tests.contains(&series), "{alert}: {counter} is in no test");
        }
        assert!(document.contains(&format!("| `{alert}` |")), "{alert}");
    }
}
