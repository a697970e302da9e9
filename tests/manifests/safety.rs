//! What keeps a gateway of these manifests closed is there, and names that must agree do. Each row fails when its line is taken out.

use serde_json::{Value, json};

use super::{documents, filters, objects, root, texts};
use portero::config::Config;

const ISTIO: &str = "istio/portero.yaml";
const BODIES: &str = "istio/allow-bodies.yaml";
const GATEWAY: &str = "envoy-gateway/portero.yaml";
const GATEWAY_BODIES: &str = "envoy-gateway/allow-bodies.yaml";
const EXTENSION: &str = "EnvoyExtensionPolicy";
const PATCHES: &str = "EnvoyPatchPolicy";

/// The object of this kind in a file.
fn object(file: &str, kind: &str) -> Value {
    let all = documents(&root().join("deploy").join(file));
    let found = all.into_iter().find(|one| one["kind"] == kind);
    found.unwrap_or_else(|| panic!("{file} has no {kind}"))
}

/// The one document of a file that is no object: a patch for a Deployment, a configuration of Prometheus.
fn document(file: &str) -> Value {
    documents(&root().join("deploy").join(file)).remove(0)
}

/// The configuration in a file, as Portero reads it.
fn config(file: &str) -> Config {
    let filters = filters();
    let filter = filters.iter().find(|filter| filter.file.ends_with(file));
    filter.unwrap().loaded()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("no text at {pointer}"))
}

#[test]
fn what_keeps_the_gateway_closed_is_there() {
    let (closed, bodies) = ("FAIL_RELOAD", "/allow_on_headers_stop_iteration");
    let authorities = "/etc/ssl/certs/ca-certificates.crt";
    let tls = json!({
        "mode": "SIMPLE",
        "sni": "idp.example.com",
        "subjectAltNames": ["idp.example.com"],
        "caCertificates": authorities,
    });
    let tls_in_envoy = json!({
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "validation_context": {
            "trusted_ca": {"filename": authorities},
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "idp.example.com"}}],
        },
    });
    let reload = json!({"path": "/failure_policy", "value": closed, "op": "add"});
    let allow = json!({"path": bodies, "value": true, "op": "add"});
    let (first, vm) = (json!("INSERT_FIRST"), json!("portero"));
    let slashes = json!({"escapedSlashesAction": "RejectRequest"});
    let digest = "0".repeat(64);
    let at = |rest: &str| format!("/spec/configPatches/0{rest}");
    let of = |rest: &str| at(&format!("/patch/value/typed_config/config{rest}"));
    let socket = "/spec/jsonPatches/0/operation/value/transport_socket/typed_config";
    let cluster = |rest: &str| format!("{socket}{rest}");
    let image = "/spec/wasm/0/code/image/sha256";
    let streams = "/spec/connection/connectionLimit/maxStreamDuration";
    let pool = "/spec/trafficPolicy/connectionPool/http/http1MaxPendingRequests";
    let rows = [
        (ISTIO, "WasmPlugin", "/spec/phase", json!("AUTHN")),
        (ISTIO, "WasmPlugin", "/spec/failStrategy", json!(closed)),
        (ISTIO, "WasmPlugin", "/spec/sha256", json!(digest)),
        (ISTIO, "ServiceEntry", "/spec/exportTo", json!(["."])),
        (ISTIO, "ServiceEntry", "/spec/resolution", json!("DNS")),
        (ISTIO, "DestinationRule", "/spec/exportTo", json!(["."])),
        (ISTIO, "DestinationRule", "/spec/trafficPolicy/tls", tls),
        (ISTIO, "DestinationRule", pool, json!(200)),
        (ISTIO, "AuthorizationPolicy", "/spec/action", json!("ALLOW")),
        (
            BODIES,
            "EnvoyFilter",
            &at("/match/context"),
            json!("GATEWAY"),
        ),
        (BODIES, "EnvoyFilter", &at("/patch/operation"), first),
        (BODIES, "EnvoyFilter", &of("/failure_policy"), json!(closed)),
        (BODIES, "EnvoyFilter", &of(bodies), json!(true)),
        (BODIES, "EnvoyFilter", &of("/vm_config/vm_id"), vm),
        (GATEWAY, EXTENSION, "/spec/wasm/0/failOpen", json!(false)),
        (GATEWAY, EXTENSION, image, json!(digest)),
        (GATEWAY, "ClientTrafficPolicy", "/spec/path", slashes),
        (GATEWAY, "ClientTrafficPolicy", streams, json!("3600s")),
        (
            GATEWAY,
            PATCHES,
            &cluster("/common_tls_context"),
            tls_in_envoy,
        ),
        (GATEWAY, PATCHES, "", reload),
        (GATEWAY_BODIES, PATCHES, "", allow),
    ];
    for (file, kind, pointer, expected) in rows {
        let object = object(file, kind);
        // The listener's patch is the last one of its file; what it names is another test's.
        let found = match pointer {
            "" => {
                let patches = object["spec"]["jsonPatches"].as_array().unwrap();
                let mut operation = patches.last().unwrap()["operation"].clone();
                operation.as_object_mut().unwrap().remove("jsonPath");
                Some(operation)
            }
            _ => object.pointer(pointer).cloned(),
        };
        assert_eq!(found, Some(expected), "{file} {kind} {pointer}");
    }
    let module = document("istio/gateway-module.yaml");
    let hardening = json!({
        "runAsUser": 65534,
        "runAsGroup": 65534,
        "runAsNonRoot": true,
        "readOnlyRootFilesystem": true,
        "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]},
    });
    let pod = &module["spec"]["template"]["spec"];
    assert_eq!(pod["initContainers"][0]["securityContext"], hardening);
    assert_eq!(pod["containers"][0]["volumeMounts"][0]["readOnly"], true);
}

/// Platforms start proxies at a level that leaves out most audit lines.
#[test]
fn the_proxies_write_audit_lines() {
    let istio = document("istio/gateway-secrets.yaml");
    let annotations = &istio["spec"]["template"]["metadata"]["annotations"];
    let levels = text(annotations, "/sidecar.istio.io~1componentLogLevel");
    assert!(levels.split(',').any(|level| level == "wasm:info"));
    let gateway = object(GATEWAY, "EnvoyProxy");
    // One option for all components: Envoy does not start with two of them.
    assert_eq!(gateway["spec"]["logging"], Value::Null);
    let arguments = &gateway["spec"]["extraArgs"];
    assert_eq!(arguments, &json!(["--component-log-level wasm:info"]));
}

#[test]
fn istio_calls_the_provider_by_the_name_that_portero_uses() {
    let (entry, rule) = (
        object(ISTIO, "ServiceEntry"),
        object(ISTIO, "DestinationRule"),
    );
    let provider = config(ISTIO).provider;
    let host = provider.issuer.split('/').nth(2).unwrap();
    assert_eq!(provider.clusters.token, format!("outbound|443||{host}"));
    assert_eq!(entry["spec"]["hosts"], json!([host]));
    let port = &entry["spec"]["ports"][0];
    assert_eq!(
        (&port["number"], &port["protocol"]),
        (&json!(443), &json!("HTTP"))
    );
    assert_eq!(rule["spec"]["host"], host);
    let tls = &rule["spec"]["trafficPolicy"]["tls"];
    assert_eq!(
        (&tls["sni"], &tls["subjectAltNames"]),
        (&json!(host), &json!([host]))
    );
    // They are for one namespace alone, and for the proxies that the filter is in.
    let (plugin, filter) = (object(ISTIO, "WasmPlugin"), object(BODIES, "EnvoyFilter"));
    for one in [&rule, &plugin, &filter] {
        assert_eq!(one["metadata"]["namespace"], entry["metadata"]["namespace"]);
    }
    let selected = &plugin["spec"]["selector"]["matchLabels"];
    assert_eq!(selected, &filter["spec"]["workloadSelector"]["labels"]);
    assert!(selected.is_object());
}

#[test]
fn istio_verifies_what_portero_signs_and_lets_nothing_else_in() {
    let config = config(ISTIO);
    let identity = config.upstream.identity.unwrap();
    let keys = config.paths.identity_keys.unwrap();
    let authentication = object(ISTIO, "RequestAuthentication");
    let expected = json!([{
        "issuer": identity.issuer,
        "audiences": [identity.audience],
        "jwksUri": format!("{}{keys}", identity.issuer),
        "fromHeaders": [{"name": identity.header}],
        "forwardOriginalToken": true,
    }]);
    assert_eq!(authentication["spec"]["jwtRules"], expected);
    let authorization = object(ISTIO, "AuthorizationPolicy");
    for field in ["/spec/selector", "/metadata/namespace"] {
        let of = |one: &Value| one.pointer(field).cloned().unwrap();
        assert_eq!(of(&authorization), of(&authentication));
    }
    let whoever = json!([{"source": {"requestPrincipals": [format!("{}/*", identity.issuer)]}}]);
    let plugin = object(ISTIO, "WasmPlugin");
    let rules = plugin["spec"]["pluginConfig"]["rules"].as_array().unwrap();
    let public = rules.iter().filter(|rule| rule["access"] == "public");
    let public: Vec<_> = public.map(|rule| &rule["match"]["path"]["exact"]).collect();
    let mut guarded = 0;
    for rule in authorization["spec"]["rules"].as_array().unwrap() {
        let operation = &rule["to"][0]["operation"];
        match rule.get("from") {
            None => assert_eq!(operation, &json!({"paths": public}), "{rule}"),
            Some(from) => assert_eq!(from, &whoever, "{rule}"),
        }
        // What only some may see is left out of what all may.
        guarded += usize::from(operation.get("notPaths").is_some());
        let Some(when) = rule.get("when") else {
            continue;
        };
        assert_eq!(operation["paths"], json!(["/admin", "/admin/*"]), "{rule}");
        let claim = text(when, "/0/key");
        let known = |name: &str| claim == format!("request.auth.claims[{name}]");
        assert!(identity.claims.iter().any(|claim| known(&claim.name)));
        guarded += 1;
    }
    assert_eq!(guarded, 2);
}

#[test]
fn envoy_gateway_calls_the_provider_by_the_name_that_portero_uses() {
    let provider = config(GATEWAY).provider;
    let host = provider.issuer.split('/').nth(2).unwrap();
    let patches = object(GATEWAY, PATCHES);
    let patch = &patches["spec"]["jsonPatches"][0];
    let cluster = &patch["operation"]["value"];
    for name in [
        "/name",
        "/operation/value/name",
        "/operation/value/load_assignment/cluster_name",
    ] {
        assert_eq!(text(patch, name), provider.clusters.token);
    }
    let address = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
    let address = cluster.pointer(address).unwrap();
    assert_eq!(address, &json!({"address": host, "port_value": 443}));
    let tls = &cluster["transport_socket"]["typed_config"];
    assert_eq!(tls["sni"], host);
    let name =
        "/common_tls_context/validation_context/match_typed_subject_alt_names/0/matcher/exact";
    assert_eq!(text(tls, name), host);
}

#[test]
fn the_patches_for_envoy_gateway_name_its_listener_and_its_filter() {
    let gateway = object(GATEWAY, "Gateway");
    let policy = object(GATEWAY, EXTENSION);
    let name = |one: &Value| text(one, "/metadata/name").to_owned();
    let namespace = text(&gateway, "/metadata/namespace");
    let listener = &gateway["spec"]["listeners"][0];
    let old = format!("{namespace}/{}/{}", name(&gateway), text(listener, "/name"));
    for file in [GATEWAY, GATEWAY_BODIES] {
        let patches = object(file, PATCHES);
        let patch = patches["spec"]["jsonPatches"]
            .as_array()
            .unwrap()
            .last()
            .unwrap();
        assert_eq!(
            text(patch, "/name"),
            format!("tcp-{}", listener["port"]),
            "{file}"
        );
        let filter = format!(
            "..http_filters[?(@.name=='envoy.filters.http.wasm/envoyextensionpolicy/{namespace}/{}/wasm/0')].typed_config.config",
            name(&policy)
        );
        assert_eq!(text(patch, "/operation/jsonPath"), filter, "{file}");
        // Who does without the flag is told the other name.
        let said = std::fs::read_to_string(root().join("deploy").join(file)).unwrap();
        assert!(said.contains(&format!("`{old}`")), "{file}");
    }
    let target = json!({
        "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name(&gateway),
    });
    let mut targeted = 0;
    for (file, object) in objects() {
        if !file.to_string_lossy().contains("envoy-gateway") {
            continue;
        }
        assert_eq!(text(&object, "/metadata/namespace"), namespace, "{file:?}");
        let spec = &object["spec"];
        for one in [spec.get("targetRef"), spec.pointer("/targetRefs/0")] {
            let Some(one) = one else { continue };
            assert_eq!(one, &target, "{file:?}");
            targeted += 1;
        }
    }
    assert_eq!(targeted, 4);
    let route = object(GATEWAY, "HTTPRoute");
    assert_eq!(
        texts(&route["spec"]["parentRefs"], "/name"),
        [name(&gateway)]
    );
    let proxy = text(&gateway, "/spec/infrastructure/parametersRef/name");
    assert_eq!(proxy, name(&object(GATEWAY, "EnvoyProxy")));
}

/// Jobs that the alerts take for gateways, with the pods of these manifests and the ports at which their platforms show metrics.
#[test]
fn prometheus_finds_the_gateways() {
    let plugin = object(ISTIO, "WasmPlugin");
    let labels = plugin["spec"]["selector"]["matchLabels"].as_object();
    let (key, value) = labels.unwrap().iter().next().unwrap();
    let label = format!("{key}={}", value.as_str().unwrap());
    let gateway = object(GATEWAY, "Gateway");
    let owner = format!(
        "gateway.envoyproxy.io/owning-gateway-name={}",
        text(&gateway, "/metadata/name")
    );
    let jobs = document("prometheus/kubernetes.yaml");
    let expected = [
        (text(&plugin, "/metadata/namespace"), label, "15090"),
        ("envoy-gateway-system", owner, "19001"),
    ];
    let jobs = jobs["scrape_configs"].as_array().unwrap();
    assert_eq!(jobs.len(), expected.len());
    for (job, (namespace, label, port)) in jobs.iter().zip(expected) {
        assert!(text(job, "/job_name").starts_with("envoy"));
        assert_eq!(job["metrics_path"], "/stats/prometheus");
        let discovery = json!([{
            "role": "pod",
            "namespaces": {"names": [namespace]},
            "selectors": [{"role": "pod", "label": label}],
        }]);
        assert_eq!(job["kubernetes_sd_configs"], discovery);
        let kept = &job["relabel_configs"][0];
        let number = "__meta_kubernetes_pod_container_port_number";
        assert_eq!(kept["source_labels"], json!([number]));
        assert_eq!(
            (&kept["regex"], &kept["action"]),
            (&json!(port), &json!("keep"))
        );
    }
    let alerts = std::fs::read_to_string(root().join("deploy/prometheus/alerts.yaml")).unwrap();
    assert!(alerts.contains("up{job=~\"envoy.*\"}"));
}
