//! The fleet of `deploy/envoy`, run as it stands: TLS on both sides, several replicas, what it logs and shows. And what the manifests
//! of `deploy` hand to Envoy as it is.
use std::net::SocketAddr;

use portero_envoy_tests::example::{self, Replica};
use portero_envoy_tests::{
    Browser, Envoy, Line, Provider, Request, Upstream, provider_with_switches, wait,
};
use serde_json::Value;
use url::Url;

/// The access log's line about a path.
fn line(envoy: &Envoy, path: &str) -> Value {
    wait::until(&format!("a line about {path}"), || {
        let log = envoy.log();
        let mut lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["path"] == path)
    })
}

fn status(at: SocketAddr, request: &Request) -> u16 {
    request.send(at).expect("an answer").status
}

#[test]
fn a_fleet_shares_sessions_and_calls_nobody_but_the_provider() {
    let provider = provider_with_switches!(Provider::ours_with_tls());
    let upstream = Upstream::start();
    let issuer = Url::parse(provider.issuer()).expect("an address");
    let provider_port = issuer.port().expect("a port");
    let first = example::replica(&provider, provider_port, &upstream);
    // The second one is led astray: to somebody with a good certificate in another name.
    let second = example::replica(&provider, first.envoy.address().port(), &upstream);
    let mut balancer = Line::to(first.envoy.address());
    let origin = format!("https://app.example.com:{}", balancer.address().port());
    let url = |path: &str| format!("{origin}{path}");
    provider.register(&[&origin]);

    let browser = Browser::start();
    browser.open(&url("/orders?secret=1"));
    browser.log_in(provider.form(), &provider.person());
    wait::until("the application knows who asks", || {
        let users = upstream.values("x-user");
        users.contains(&"alice".to_owned()).then_some(())
    });
    let about = line(&first.envoy, "/orders");
    assert_eq!(about["status"], 303, "{about}");
    let callback = line(&first.envoy, "/oauth2/callback");
    assert_eq!(callback["status"], 303, "{callback}");
    assert!(!first.envoy.log().contains("secret=1"));

    upstream.forget();
    balancer.turn_to(second.envoy.address());
    browser.open(&url("/invoices"));
    let users = upstream.values("x-user");
    assert!(users.iter().all(|user| user == "alice") && !users.is_empty());
    let about = line(&second.envoy, "/invoices");
    assert_eq!(about["status"], 200, "{about}");
    assert_eq!(about["subject"], "alice", "{about}");

    browser.run(browser.client().delete_all_cookies());
    browser.open(&url("/new-login"));
    let about = line(&second.envoy, "/new-login");
    assert_eq!(about["status"], 503, "{about}");
    assert!(second.envoy.stat("cluster.idp.ssl.fail_verify_san") > 0);
    assert_eq!(first.envoy.stat("cluster.idp.ssl.fail_verify_san"), 0);

    only_metrics_and_readiness_are_shown(&first);
}

fn only_metrics_and_readiness_are_shown(replica: &Replica) {
    let at = replica.operations;
    let metrics = Request::get("/stats/prometheus").send(at).expect("metrics");
    assert!(metrics.text().contains("portero_login_succeeded{} 1"));
    for path in [
        "/",
        "/config_dump",
        "/stats",
        "/ready/../config_dump",
        "/quitquitquit",
    ] {
        assert_eq!(status(at, &Request::get(path)), 404, "{path}");
    }
    for path in ["/ready", "/healthcheck/fail", "/quitquitquit"] {
        assert_eq!(status(at, &Request::post(path, "")), 404, "POST {path}");
    }
    assert_eq!(status(at, &Request::get("/ready")), 200);
    replica.envoy.tell_admin("/healthcheck/fail");
    assert_eq!(status(at, &Request::get("/ready")), 503);
}

#[test]
fn what_the_manifests_hand_to_envoy_is_good() {
    let cluster = example::patch("envoy-gateway/portero.yaml", "name: idp", 6);
    let clusters = format!("static_resources:\n  clusters:\n    -\n{cluster}");
    assert_eq!(example::fault(&clusters), None);
    let misspelt = clusters.replace("match_typed_subject_alt_names", "match_subject_names");
    assert!(example::fault(&misspelt).is_some());

    let filter = example::patch("istio/allow-bodies.yaml", "operation: INSERT_FIRST", 20);
    // Envoy Gateway makes this one of its policy, and each of its two patches adds a field.
    let configuration = example::block("envoy-gateway/portero.yaml", "env: {", "config:", 28);
    let added = ["portero.yaml", "allow-bodies.yaml"]
        .map(|file| example::added(&format!("envoy-gateway/{file}")));
    let [reload, bodies] = &added;
    let listener = format!(
        r#"
static_resources:
  listeners:
    - name: tcp-443
      address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
      filter_chains:
        - filters:
            - name: http
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: gateway
                route_config: {{}}
                http_filters:
                  -
{filter}
                  - name: envoy.filters.http.wasm/envoyextensionpolicy/default/portero/wasm/0
                    disabled: true
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
                      config:
                        {reload}
                        {bodies}
                        name: portero
                        vm_config:
                          vm_id: envoyextensionpolicy/default/portero/wasm/0
                          runtime: envoy.wasm.runtime.v8
                          code: {{local: {{filename: /var/lib/portero/portero.wasm}}}}
                          environment_variables: {{host_env_keys: [OIDC_CLIENT_SECRET, SESSION_KEY]}}
                        configuration:
                          "@type": type.googleapis.com/google.protobuf.Struct
                          value:
{configuration}
                  - name: router
                    typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
"#
    );
    assert_eq!(example::fault(&listener), None);
    for field in added {
        let misspelt = listener.replace(&field, "no_such_field: true");
        assert!(example::fault(&misspelt).is_some(), "{field}");
    }
}
