//! What a source refuses and the conversion cannot say, nobody gets through in the result.

use portero_convert::{Conversion, Options, System, convert};
use serde_json::{Value, json};

use super::{loads, said, source};

/// Envoy's filter behind a route with this of its own.
fn envoy(name: &str, own: &Value) -> String {
    let mut whole = portero_convert::documents(&source("envoy-oauth2.yaml"))
        .unwrap()
        .remove(0);
    let filters = &mut whole["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0];
    filters["typed_config"]["http_filters"][0]["name"] = json!(name);
    filters["typed_config"]["route_config"] = json!({"virtual_hosts": [{"routes": [
        {"match": {"prefix": "/api/admin"}, "typed_per_filter_config": {name: own}},
    ]}]});
    whole.to_string()
}

const AT: &str = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config";

#[test]
fn a_route_of_envoys_with_an_answer_of_its_own_is_asked_about() {
    let type_url = |name: &str| format!("type.googleapis.com/{name}");
    let config = json!({
        "token_endpoint": {"cluster": "idp", "uri": "https://idp.example.com/token"},
        "authorization_endpoint": "https://idp.example.com/auth",
        "redirect_uri": "/oauth2/callback",
        "redirect_path_matcher": {"path": {"exact": "/oauth2/callback"}},
        "signout_path": {"path": {"exact": "/signout"}},
        "credentials": {"client_id": "admin", "token_secret": {"name": "token"}},
        "forward_bearer_token": true,
    });
    let per_route = json!({
        "@type": type_url("envoy.extensions.filters.http.oauth2.v3.OAuth2PerRoute"),
        "config": config,
    });
    let filter_config = type_url("envoy.config.route.v3.FilterConfig");
    for (name, own) in [
        ("envoy.filters.http.oauth2", per_route.clone()),
        ("a-name", per_route.clone()),
        ("a-name", json!({"@type": filter_config, "disabled": true})),
        (
            "a-name",
            json!({"@type": filter_config, "config": per_route}),
        ),
        (
            "a-name",
            json!({"@type": type_url("xds.type.v3.TypedStruct"), "type_url": per_route["@type"], "value": {"config": {}}}),
        ),
    ] {
        let text = envoy(name, &own);
        let Conversion {
            configuration,
            notes,
        } = convert(System::EnvoyOauth2, &text, &said()).unwrap();
        assert!(configuration.is_none(), "{own:#}");
        let decisions = format!("{:?}", notes.decisions);
        for place in ["typed_per_filter_config", "http_filters[0].typed_config"] {
            assert!(decisions.contains(place), "{decisions}");
        }
    }
    let text = envoy("envoy.filters.http.oauth2", &per_route);
    let only = |place: String| Options {
        only: Some(place),
        ..said()
    };
    let filter = only(format!("{AT}.http_filters[0].typed_config"));
    let filter = convert(System::EnvoyOauth2, &text, &filter).unwrap();
    let to_do = format!("{:?}", filter.notes.to_do);
    assert!(to_do.contains("typed_per_filter_config"), "{to_do}");
    assert_eq!(loads(&filter.configuration.unwrap()).client_id(), "web");
    let route = only(format!(
        "{AT}.route_config.virtual_hosts[0].routes[0].typed_per_filter_config[\"envoy.filters.http.oauth2\"]"
    ));
    let route = convert(System::EnvoyOauth2, &text, &route).unwrap();
    let route = route.configuration.unwrap();
    assert!(!route.to_string().contains("public"), "{route:#}");
    assert_eq!(loads(&route).client_id(), "admin");
    // Other filters' answers are theirs.
    let text = envoy("a-name", &json!({"@type": filter_config, "disabled": true})).replace(
        "\"typed_per_filter_config\":{\"a-name\"",
        "\"typed_per_filter_config\":{\"another\"",
    );
    let other = convert(System::EnvoyOauth2, &text, &said()).unwrap();
    assert!(other.configuration.is_some());
}

/// KrakenD's file with this change.
fn krakend(change: &dyn Fn(&mut Value)) -> (Value, String) {
    let mut whole = portero_convert::documents(&source("krakend.json"))
        .unwrap()
        .remove(0);
    change(&mut whole);
    let Conversion {
        configuration,
        notes,
    } = convert(System::Krakend, &whole.to_string(), &said()).unwrap();
    let configuration = configuration.unwrap();
    loads(&configuration);
    (configuration, format!("{:?}", notes.decisions))
}

fn public_rules(configuration: &Value) -> usize {
    let rules = configuration["rules"].as_array().unwrap();
    rules
        .iter()
        .filter(|rule| rule["access"] == "public")
        .count()
}

#[test]
fn what_may_refuse_requests_in_krakend_keeps_its_endpoint_closed() {
    assert_eq!(public_rules(&krakend(&|_| {}).0), 2);
    for namespace in [
        "github.com/devopsfaith/krakend-cel",
        "plugin/req-resp-modifier",
        "modifier/lua-endpoint",
        "validation/cel",
        "made/up",
    ] {
        for place in ["/endpoints/0", "/endpoints/0/backend/0"] {
            let (result, asked) = krakend(&|whole| {
                whole.pointer_mut(place).unwrap()["extra_config"][namespace] = json!({});
            });
            assert_eq!(public_rules(&result), 1, "{namespace} {place}");
            assert!(asked.contains(namespace), "{asked}");
        }
    }
    for key in ["made_up", "endpoint_params"] {
        let (result, asked) = krakend(&|whole| {
            let backend = &mut whole["endpoints"][0]["backend"][0];
            let credentials = &mut backend["extra_config"]["auth/client-credentials"];
            credentials[key] = json!({"limit": ["a"]});
        });
        assert_eq!(public_rules(&result), 1, "{asked}");
        assert!(asked.contains(key), "{asked}");
    }
    let (result, asked) = krakend(&|whole| whole["endpoints"][0]["made_up"] = json!(1));
    assert_eq!(public_rules(&result), 1, "{asked}");
    for namespace in [
        "auth/basic",
        "auth/api-keys",
        "plugin/http-server",
        "router",
    ] {
        let (result, asked) = krakend(&|whole| whole["extra_config"] = json!({namespace: {}}));
        assert_eq!(public_rules(&result), 0, "{namespace}");
        assert!(asked.contains(namespace), "{asked}");
    }
    let (result, asked) = krakend(&|whole| whole["tls"] = json!({"enable_mtls": true}));
    assert_eq!(public_rules(&result), 0, "{asked}");
    for namespace in [
        "telemetry/logging",
        "security/cors",
        "documentation/openapi",
    ] {
        let (result, asked) = krakend(&|whole| whole["extra_config"] = json!({namespace: {}}));
        assert_eq!(public_rules(&result), 2, "{asked}");
    }
}

const KONG_JWT: &str = "consumers:\n- username: a\n  jwt_secrets: [{key: 'https://a.example.com/', secret: S3CRET-that-is-long-enough-0123456789}]\nplugins:\n- {name: jwt, config: {run_on_preflight: false, anonymous: a}}\n";
const KONG_OIDC: &str = "plugins:\n- {name: oidc, config: {client_id: web, client_secret: S3CRET, discovery: 'https://idp.example.com/.well-known/openid-configuration', filters: '^/healthz$'}}\n";

/// Whether nobody gets through, and what is asked.
fn is_closed(system: System, text: &str) -> (bool, String) {
    let Conversion {
        configuration,
        notes,
    } = convert(system, text, &said()).unwrap();
    let configuration = configuration.unwrap();
    loads(&configuration);
    let rules = configuration["rules"].as_array().cloned();
    let rules = rules.unwrap_or_default();
    let is_closed = !rules.is_empty()
        && rules.iter().all(|rule| {
            rule["require"]["issuers"] == json!(["urn:portero:nobody"])
                && rule["access"].is_null()
                && [json!(null), json!("deny")].contains(&rule["otherwise"])
        })
        && configuration["cors_preflight"] != "pass";
    (is_closed, format!("{:?}", notes.decisions))
}

#[test]
fn what_may_refuse_callers_beside_a_plugin_of_kong_lets_nobody_through() {
    for (system, plain) in [(System::KongJwt, KONG_JWT), (System::KongOidc, KONG_OIDC)] {
        assert!(!is_closed(system, plain).0);
        for other in [
            "{name: acl, config: {allow: [x]}}",
            "{name: ip-restriction, config: {allow: [10.0.0.0/8]}}",
            "{name: key-auth}",
            "{name: made-up, config: {}}",
        ] {
            let (is_closed, asked) = is_closed(system, &format!("{plain}- {other}\n"));
            assert!(is_closed, "{other} {asked}");
            assert!(asked.contains("plugins[1]"), "{asked}");
        }
        for other in [
            "- {name: rate-limiting, config: {}}",
            "- {name: acl, enabled: false, config: {}}",
            "vaults: [{name: env, prefix: x, config: {}}]",
        ] {
            let (is_closed, asked) = is_closed(system, &format!("{plain}{other}\n"));
            assert!(!is_closed, "{other} {asked}");
        }
        let unknown = plain.replace("config: {", "config: {made_up: 1, ");
        let (is_closed, asked) = is_closed(system, &unknown);
        assert!(is_closed && asked.contains("made_up"), "{asked}");
    }
    for own in [
        "acls: [{group: x}]",
        "groups: [x]",
        "plugins: [{name: cors, config: {}}]",
    ] {
        let text = KONG_JWT.replace("- username: a\n", &format!("- username: a\n  {own}\n"));
        let (is_closed, asked) = is_closed(System::KongJwt, &text);
        assert!(is_closed, "{own} {asked}");
    }
    for beside in [
        "acls: [{group: x, consumer: a}]",
        "consumer_groups: [{name: x}]",
    ] {
        let (is_closed, asked) = is_closed(System::KongJwt, &format!("{KONG_JWT}{beside}\n"));
        assert!(is_closed, "{beside} {asked}");
    }
    let without = convert(System::KongJwt, "plugins: [{name: jwt}]", &said()).unwrap();
    assert!(without.configuration.is_none() && !without.notes.decisions.is_empty());
}

#[test]
fn what_epam_may_require_is_required_until_it_is_known() {
    let epam = |keys: &str| {
        let text = KONG_OIDC.replace("config: {", &format!("config: {{{keys}, "));
        let converted = convert(System::KongOidc, &text, &said()).unwrap();
        let configuration = converted.configuration.unwrap();
        loads(&configuration);
        let rules = configuration["rules"].as_array().unwrap().clone();
        (
            rules.last().unwrap().clone(),
            format!("{:?}", converted.notes.decisions),
        )
    };
    let nobody = json!(["urn:portero:nobody"]);
    for action in ["deny", "pass"] {
        for keys in [
            "allow_token_auth: false",
            "roles_required: [clerk]",
            "scopes_required: [orders]",
        ] {
            let (rule, asked) = epam(&format!("unauth_action: {action}, {keys}"));
            assert_eq!(rule["require"]["issuers"], nobody, "{asked}");
            assert_eq!(rule["otherwise"], "deny");
            assert_eq!(
                asked.contains("\"plugins[0].config.unauth_action\""),
                action == "pass",
                "{asked}"
            );
        }
    }
    let (rule, asked) =
        epam("unauth_action: pass, enable_authorization: false, roles_required: [clerk]");
    assert_eq!(rule, json!({"otherwise": "pass"}), "{asked}");
}

#[test]
fn plain_http_is_told_wherever_it_is_allowed() {
    let text = KONG_JWT.replace("https://a", "http://a");
    let notes = convert(System::KongJwt, &text, &said()).unwrap().notes;
    let to_do = format!("{:?}", notes.to_do);
    assert!(to_do.contains("insecure_allow_http"), "{to_do}");
}
