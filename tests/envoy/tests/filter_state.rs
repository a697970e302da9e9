//! What Envoy's access logs and its other filters see of the caller.
use portero_envoy_tests::{
    Envoy, Person, Request, Response, Upstream, Visitor, example, portero, provider_with_switches,
    wait,
};
use serde_json::{Value, json};

/// The access log's line about the request for a path that was answered so.
fn line(envoy: &Envoy, path: &str, status: u16) -> Value {
    wait::until(&format!("a line about {path}"), || {
        let log = envoy.log();
        let mut lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["request"] == format!("GET {path}") && line["status"] == status)
    })
}

#[test]
fn the_example_logs_the_subject_and_admits_by_it() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = example::start("access-log-and-rbac.yaml", 2, &provider, &upstream);
    let mut alice = Visitor::new();
    assert_eq!(
        alice
            .log_in(&envoy.url("/of-alice"), &provider.person())
            .response
            .status,
        200
    );
    let mut bob = Visitor::new();
    assert_eq!(
        bob.log_in(&envoy.url("/of-bob"), &Person::named("bob"))
            .response
            .status,
        200
    );
    for (path, subject) in [("/of-alice", "alice"), ("/of-bob", "bob")] {
        assert_eq!(line(&envoy, path, 200)["subject"], subject);
    }
    upstream.forget();

    assert_eq!(alice.fetch(&envoy.url("/admin/alice")).response.status, 200);
    assert_eq!(line(&envoy, "/admin/alice", 200)["subject"], "alice");
    // Portero knows him and lets him through; the filter after it does not.
    let refused = bob.fetch(&envoy.url("/admin/bob"));
    assert_eq!(refused.response.status, 403);
    assert_eq!(refused.response.text(), "RBAC: access denied");
    assert_eq!(line(&envoy, "/admin/bob", 403)["subject"], "bob");
    assert_eq!(upstream.only().target, b"/admin/alice");
}

#[test]
fn the_example_knows_programs_by_their_tokens() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = example::start("access-log-and-rbac.yaml", 1, &provider, &upstream);
    for program in ["orders", "reports"] {
        let path = format!("/of-{program}");
        let bearer = format!("Bearer {}", provider.access_token(program));
        let request = |path: &str| Request::get(path).header("authorization", &bearer);
        assert_eq!(envoy.send(&request(&path)).status, 200);
        assert_eq!(line(&envoy, &path, 200)["subject"], program);
        // It is no administrator.
        let path = format!("/admin/{program}");
        assert_eq!(envoy.send(&request(&path)).status, 403);
        assert_eq!(line(&envoy, &path, 403)["subject"], program);
    }
}

#[test]
fn nobody_brings_a_subject_along_or_leaves_one_behind() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = example::start("access-log-and-rbac.yaml", 1, &provider, &upstream);
    let forged = |path: &str| {
        Request::get(path)
            .header("host", envoy.origin().trim_start_matches("http://"))
            .header("wasm.portero.subject", "alice")
            .header("portero.subject", "alice")
            .header("x-wasm-portero-subject", "alice")
            .header("cookie", "wasm.portero.subject=alice")
    };
    // The connection is one after the other's, so that nothing of a request can stay with it.
    let mut alice = Visitor::new();
    alice.log_in(&envoy.url("/"), &provider.person());
    assert_eq!(envoy.send(&forged("/healthz")).status, 200);
    assert_eq!(line(&envoy, "/healthz", 200)["subject"], Value::Null);
    assert_eq!(envoy.send(&forged("/admin/refused")).status, 401);
    assert_eq!(line(&envoy, "/admin/refused", 401)["subject"], Value::Null);
}

/// Shows the upstream what a format makes of filter state, as an access log would write it.
fn showing(headers: &[(&str, &str)]) -> Value {
    let mutations = headers.iter().flat_map(|(name, value)| [
        json!({"remove": name}),
        json!({"append": {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}),
    ]);
    json!({"name": "show", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        "mutations": {"request_mutations": mutations.collect::<Vec<_>>()},
    }})
}

/// Admits only whom an expression lets through.
fn admitting(expression: &Value) -> Value {
    json!({"name": "admit", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {"action": "ALLOW", "policies": {"some": {"permissions": [{"any": true}], "principals": [expression]}}},
    }})
}

#[test]
fn formats_and_matchers_of_envoys_read_it_as_text() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .configure(|config| {
            config["filter_state"] = json!({
                "portero.subject": {"claim": "sub"},
                "portero.groups": {"claim": "groups"},
            });
        })
        .after(showing(&[
            ("x-plain", "%FILTER_STATE(wasm.portero.subject:PLAIN)%"),
            ("x-groups", "%FILTER_STATE(wasm.portero.groups:PLAIN)%"),
        ]))
        .after(admitting(&json!({"and_ids": {"ids": [
            {"filter_state": {"key": "wasm.portero.subject", "string_match": {"exact": "alice"}}},
            {"filter_state": {"key": "wasm.portero.groups", "string_match": {"contains": "\"admin\""}}},
        ]}})))
        .start();
    let mut alice = Visitor::new();
    let page = alice.log_in(&envoy.url("/"), &provider.person());
    assert_eq!(page.response.status, 200);
    let seen = upstream.only();
    assert_eq!(seen.one("x-plain").as_deref(), Some("alice"));
    assert_eq!(
        seen.one("x-groups").as_deref(),
        Some(r#"["admin","staff"]"#)
    );
    let mut bob = Visitor::new();
    assert_eq!(
        bob.log_in(&envoy.url("/"), &Person::named("bob"))
            .response
            .status,
        403
    );
}

/// Expressions compare texts with texts, and it is one because Portero has declared it so.
#[test]
fn expressions_of_envoys_read_it_as_text() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .configure(|config| config["filter_state"] = json!({"portero.subject": {"claim": "sub"}}))
        .manager(
            "/access_log",
            json!([{
                "name": "log",
                "filter": {"extension_filter": {"name": "cel", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
                    "expression": "'wasm.portero.subject' in filter_state && filter_state['wasm.portero.subject'] == 'alice'",
                }}},
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
                    "log_format": {"json_format": {"request": "%REQ(:METHOD)% %PATH(NQ)%", "status": "%RESPONSE_CODE%"}},
                },
            }]),
        )
        .start();
    for (person, path) in [("bob", "/of-bob"), ("alice", "/of-alice")] {
        let mut visitor = Visitor::new();
        visitor.log_in(&envoy.url(path), &Person::named(person));
    }
    line(&envoy, "/of-alice", 200);
    assert!(!envoy.log().contains("GET /of-bob"));
    assert!(!envoy.log().contains("filter_state_not_declared"));
}

/// The upstream may send a request on to another path inside Envoy, and then it passes Portero once more.
#[test]
fn what_is_sent_on_to_a_public_path_inside_envoy_loses_its_identity() {
    let provider = provider_with_switches!();
    // Envoy follows whole addresses only.
    let upstream = Upstream::answering(|request| {
        let host = request.one("host").unwrap_or_default();
        match request.target.as_slice() {
            b"/moved" => Response::new(302).header("location", format!("http://{host}/healthz")),
            _ => Response::new(200),
        }
    });
    let envoy = portero(&provider, &upstream)
        .configure(|config| config["filter_state"] = json!({"portero.subject": {"claim": "sub"}}))
        .manager(
            "/route_config/virtual_hosts/0/routes/0/route/internal_redirect_policy",
            json!({"max_internal_redirects": 1, "redirect_response_codes": [302]}),
        )
        .after(showing(&[(
            "x-plain",
            "%FILTER_STATE(wasm.portero.subject:PLAIN)%",
        )]))
        .start();
    let mut alice = Visitor::new();
    alice.log_in(&envoy.url("/"), &provider.person());
    upstream.forget();
    assert_eq!(alice.fetch(&envoy.url("/moved")).response.status, 200);
    let seen = upstream.requests();
    let seen: Vec<_> = seen
        .iter()
        .map(|request| (request.target.as_slice(), request.one("x-plain")))
        .collect();
    let alice = Some("alice".to_owned());
    assert_eq!(seen, [(&b"/moved"[..], alice), (&b"/healthz"[..], None)]);
}
