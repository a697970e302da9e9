//! A configuration with faults is refused as a whole, and the log says where each of them is.
use portero_envoy_tests::provider::SECRET;
use portero_envoy_tests::{Provider, Upstream, portero, provider_with_switches};
use serde_json::{Value, json};

/// The log of an Envoy that does not start with this change to a good configuration.
fn refused(provider: &Provider, change: impl FnOnce(&mut Value)) -> String {
    let upstream = Upstream::start();
    match portero(provider, &upstream).configure(change).try_start() {
        Ok(_) => panic!("Envoy starts"),
        Err(log) => log,
    }
}

fn faults(log: &str) -> Vec<&str> {
    let mut faults: Vec<_> = log
        .lines()
        .filter_map(|line| line.split_once("configuration_refused "))
        .map(|(_, fault)| fault)
        .collect();
    // Envoy tries a configuration more than once.
    faults.dedup();
    faults
}

#[test]
fn a_typo_is_refused_and_named() {
    let provider = provider_with_switches!();
    let log = refused(&provider, |config| config["sesion"] = json!({}));
    let faults = faults(&log);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("sesion: "), "{faults:?}");
    assert!(
        faults[0].contains("session"),
        "what is accepted: {faults:?}"
    );
    assert!(
        log.contains("Unable to create Wasm plugin portero"),
        "{log}"
    );
}

#[test]
fn all_faults_are_shown_at_once() {
    let provider = provider_with_switches!();
    let log = refused(&provider, |config| {
        config["providers"]["demo"]["timeout"] = json!("soon");
        config["rules"][0]["acess"] = json!("public");
        config["session"]["keys"] = json!([{"env": "NO_SUCH_VARIABLE"}]);
    });
    let faults = faults(&log);
    for path in [
        "providers.demo.timeout: ",
        "rules[0].acess: ",
        "session.keys[0]",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(path)),
            "{path} {faults:#?}"
        );
    }
    assert_eq!(faults.len(), 3, "{faults:#?}");
}

#[test]
fn secrets_do_not_get_into_the_log() {
    let provider = provider_with_switches!();
    let literal = "a-literal-secret-that-nobody-may-see-0123456789";
    let short = "short-key";
    let log = refused(&provider, |config| {
        config["providers"]["demo"]["client"]["authentication"] =
            json!({"client_secret_basic": {"secret": literal, "secrt": literal}});
        config["session"]["keys"] = json!([short, {"env": "OIDC_CLIENT_SECRET", "x": literal}]);
    });
    assert!(!faults(&log).is_empty());
    for secret in [literal, short, SECRET] {
        assert!(
            !log.contains(secret),
            "{secret:?} is in the log: {:#?}",
            faults(&log)
        );
    }
}

#[test]
fn text_that_is_not_json_is_refused() {
    let provider = provider_with_switches!();
    let log = refused(&provider, |config| *config = json!("not an object"));
    assert_eq!(faults(&log).len(), 1, "{log}");
}
