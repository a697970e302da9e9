//! What the operator sees: Envoy's statistics and its log.
use portero_envoy_tests::envoy::SESSION_KEY;
use portero_envoy_tests::provider::SECRET;
use portero_envoy_tests::{Upstream, Visitor, portero, provider_with_switches, wait};
use serde_json::json;

#[test]
fn logins_failures_and_calls_are_counted_and_no_secret_is_logged() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).workers(2).start();
    let mut visitor = Visitor::new();
    visitor.log_in(&envoy.url("/orders"), &provider.person());
    assert_eq!(envoy.metric("login.started"), 1);
    assert_eq!(envoy.metric("login.succeeded"), 1);

    Visitor::new().fetch(&envoy.url("/api"));
    Visitor::new().open(&envoy.url("/oauth2/callback?state=none&code=none"));
    Visitor::new().open(&envoy.url("/oauth2/callback"));
    provider.fault("/token", json!({"status": 500, "times": 1}));
    let failed = Visitor::new().log_in(&envoy.url("/"), &provider.person());
    assert_eq!(failed.code().as_deref(), Some("token_refused"));
    for code in [
        "login_required",
        "login_unknown",
        "callback_malformed",
        "token_refused",
    ] {
        assert_eq!(envoy.metric(&format!("failure.{code}")), 1, "{code}");
        assert_eq!(
            envoy.log().matches(&format!(" code={code} ")).count(),
            1,
            "{code}"
        );
    }
    assert_eq!(envoy.metric("login.started"), 2);
    assert_eq!(envoy.metric("login.succeeded"), 1);
    for (call, succeeded, failed) in [
        ("discovery", 1, 0),
        ("jwks", 1, 0),
        ("token", 1, 1),
        ("userinfo", 1, 0),
    ] {
        let count = |what: &str| envoy.metric(&format!("provider.{call}.{what}"));
        assert_eq!(
            (count("succeeded"), count("failed")),
            (succeeded, failed),
            "{call}"
        );
    }
    // Distributions are summed up every few seconds, for Prometheus.
    let counts = [("discovery", 1), ("jwks", 1), ("token", 2), ("userinfo", 1)]
        .map(|(call, count)| format!("portero_provider_{call}_milliseconds_count{{}} {count}\n"));
    wait::until("how long the calls took", || {
        let text = envoy.admin("/stats/prometheus").text();
        counts.iter().all(|line| text.contains(line)).then_some(())
    });

    let log = envoy.log();
    assert!(log.contains("audit event=login request_id="), "{log}");
    let mut secrets = vec![SECRET.to_owned(), SESSION_KEY.to_owned()];
    for request in provider.journal().requests {
        for field in ["code", "code_verifier"] {
            secrets.extend(request["form"][field].as_str().map(str::to_owned));
        }
        secrets.extend(
            request["headers"]["authorization"]
                .as_str()
                .map(str::to_owned),
        );
    }
    for cookie in visitor.cookies.of_host("app.localhost") {
        secrets.push(cookie.value.clone());
    }
    assert!(secrets.len() > 6, "{secrets:?}");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret:?} is in the log");
    }
}

#[test]
fn an_answer_names_the_request_as_the_log_does() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).start();
    let page = Visitor::new().fetch(&envoy.url("/api"));
    let id = page.response.json()["request_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(id, "unknown");
    assert!(envoy.log().contains(&format!(
        "audit event=denial code=login_required status=401 request_id={id}"
    )));
}
