//! The committed schema and reference are what the code says, and the examples load.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use portero::config::{self, Access, Config, HeaderSource};
use serde_json::Value;

fn environment(name: &str) -> Option<String> {
    Some(format!("{name} as 32 bytes of random text or more"))
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default()
}

#[test]
fn the_committed_schema_is_fresh() {
    assert!(
        read("deploy/config.schema.json") == config::schema(),
        "deploy/config.schema.json is stale; run: cargo run --bin portero-config schema > deploy/config.schema.json"
    );
}

#[test]
fn the_committed_reference_is_fresh() {
    assert!(
        read("docs/configuration.md") == config::reference(),
        "docs/configuration.md is stale; run: cargo run --bin portero-config reference > docs/configuration.md"
    );
}

#[test]
fn every_example_loads() {
    let mut seen = 0;
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for entry in fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy();
        // Key sets are fixtures of other tests.
        if name.ends_with(".json") && !name.ends_with(".jwks.json") {
            let loaded = Config::load(&fs::read(&path).unwrap(), &environment);
            assert!(
                loaded.is_ok(),
                "{}:\n{}",
                path.display(),
                loaded.unwrap_err()
            );
            seen += 1;
        }
    }
    assert!(seen >= 4);
}

/// `token_endpoint`, `authorization_endpoint`, `client_id`, `client_secret`, `redirect_uri`,
/// `signout_path`, `forward_bearer_token`, `auth_scopes`, `resources`, `pass_through_matcher`.
#[test]
fn what_kusk_could_say_can_be_said() {
    let json = read("tests/fixtures/kusk-shaped.json");
    let config = Config::load(json.as_bytes(), &environment).unwrap().config;
    assert!(config.provider.endpoints.token.is_some());
    assert_eq!(config.client_id(), "kusk");
    assert_eq!(config.provider.scopes, ["openid"]);
    assert_eq!(config.provider.resources.len(), 2);
    assert_eq!(config.paths.callback, "/oauth2/callback");
    assert_eq!(config.paths.logout, "/oauth2/signout");
    assert!(
        config
            .rules
            .iter()
            .all(|rule| rule.access == Access::Public)
    );
    let [header] = config.upstream.headers.as_slice() else {
        panic!("one header: {:?}", config.upstream);
    };
    assert_eq!(header.name, "authorization");
    assert_eq!(header.source, HeaderSource::BearerAccessToken);
}

/// Google has its discovery document, its keys and its endpoints on four hosts.
#[test]
fn a_provider_may_be_on_several_hosts() {
    let json = read("tests/fixtures/google-shaped.json");
    let config = Config::load(json.as_bytes(), &environment).unwrap().config;
    let clusters = &config.provider.clusters;
    assert_eq!(clusters.discovery, "accounts_google");
    assert_eq!(clusters.token, "oauth2_google");
    assert_eq!(clusters.jwks, "www_google");
    assert_eq!(clusters.userinfo, "openidconnect_google");
}

#[test]
fn every_optional_key_has_a_default_and_every_key_a_meaning() {
    // These mean something else where they are left out than any value could say.
    let without_default: BTreeSet<&str> = [
        // What is left out is not demanded; `cluster` is the default of clusters.
        "Authentication.acr_values",
        "Authentication.max_age",
        "Clusters.discovery",
        "Clusters.introspection",
        "Clusters.jwks",
        "Clusters.token",
        "Clusters.userinfo",
        "Endpoints.authorization",
        "Endpoints.end_session",
        "Endpoints.introspection",
        "Endpoints.jwks",
        "Endpoints.revocation",
        "Endpoints.token",
        "Endpoints.userinfo",
        // A challenge and a document say nothing where nothing is written.
        "Bearer.realm",
        "ProtectedResource.resource_documentation",
        "ProtectedResource.resource_name",
        // The issuers of the providers with `access_tokens`.
        "ProtectedResource.authorization_servers",
        // Each says something by being there.
        "AccessTokens.introspection",
        "AccessTokens.keys",
        "AccessTokens.max_lifetime",
        // The provider's own client asks where neither is written.
        "Introspection.bearer_token",
        "Introspection.client",
        "Provider.access_tokens",
        "Provider.client",
        "Provider.cluster",
        "ClaimCondition.contains",
        "ClaimCondition.contains_all",
        "ClaimCondition.contains_any",
        "ClaimCondition.equals",
        "ClaimCondition.matches",
        "ClaimCondition.one_of",
        "Conditions.all_of",
        "Conditions.any_of",
        "Conditions.claims",
        "Conditions.client_roles",
        "Conditions.groups",
        "Conditions.issuers",
        "Conditions.realm_roles",
        "Conditions.roles",
        "Conditions.scopes",
        "Rule.forbid",
        "Rule.require",
        "Match.hosts",
        "Match.methods",
        "Match.path",
        // `{}` says more than nothing.
        "Configuration.consumers",
        "Consumer.custom_id",
        "Consumer.id",
        "Credential.claim",
        "Credential.client_id",
        "Credential.issuer",
        // Without one, sessions live in cookies.
        "Session.store",
        "Paths.backchannel_logout",
        "Paths.identity_keys",
        // Without it, nothing is signed; and a key has a name and an algorithm of its own.
        "IdentityKey.algorithm",
        "IdentityKey.key_id",
        "Rule.identity_audience",
        "Upstream.identity",
        // By the providers that there are.
        "Rule.authenticate",
        "Rule.otherwise",
        "Rule.authentication",
        "Session.reread_claims",
        // Those of `upstream.tokens`.
        "Rule.upstream_tokens",
        // By what else is written.
        "TokenExchange.issued_audiences",
        "TokenExchange.subject_token_type",
        "SignedAssertion.subject",
        "UpstreamToken.callers_of",
        "UpstreamToken.client",
        "UpstreamToken.provider",
        "UpstreamToken.scheme",
        // What is left out is not sent, or is found in the key or at the provider.
        "SignedAssertion.algorithm",
        "SignedAssertion.audience",
        "SignedAssertion.key_id",
        "TokenExchange.actor",
        "TokenExchange.audience",
        "TokenExchange.requested_token_type",
        "TokenExchange.resource",
        "UpstreamToken.scopes",
    ]
    .into();
    let schema: Value = serde_json::from_str(&config::schema()).unwrap();
    let mut parts = vec![("Configuration".to_owned(), schema.clone())];
    for (name, part) in schema["$defs"].as_object().unwrap() {
        parts.push((name.clone(), part.clone()));
    }
    let mut missing = BTreeSet::new();
    for (name, part) in &parts {
        assert!(part["description"].is_string(), "{name} has no description");
        for (key, property) in part["properties"].as_object().into_iter().flatten() {
            assert!(
                property["description"].is_string(),
                "{name}.{key} has no description"
            );
            let required = part["required"]
                .as_array()
                .is_some_and(|keys| keys.iter().any(|k| k == key));
            assert!(!required || property.get("default").is_none());
            if !required && property.get("default").is_none() {
                missing.insert(format!("{name}.{key}"));
            }
        }
    }
    assert_eq!(
        missing.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        without_default
    );
}

/// A configuration that writes out every default is the configuration that leaves them out.
#[test]
fn the_defaults_of_the_schema_are_the_defaults_of_the_code() {
    let schema: Value = serde_json::from_str(&config::schema()).unwrap();
    let minimal: Value = serde_json::from_str(&read("tests/fixtures/minimal.json")).unwrap();
    let mut written = minimal.clone();
    let fill = |object: &mut Value, part: &str| {
        for (key, property) in schema["$defs"][part]["properties"].as_object().unwrap() {
            if let (None, Some(default)) = (object.get(key), property.get("default")) {
                object[key] = default.clone();
            }
        }
    };
    for (key, property) in schema["properties"].as_object().unwrap() {
        if let Some(default) = property.get("default") {
            written[key] = default.clone();
        }
    }
    fill(&mut written["providers"]["corp"], "Provider");
    fill(&mut written["providers"]["corp"]["id_token"], "IdToken");
    fill(&mut written["session"], "Session");
    fill(&mut written["session"]["cookie"], "Cookie");
    fill(&mut written["paths"], "Paths");
    fill(&mut written["bearer"], "Bearer");
    fill(&mut written["upstream"], "Upstream");
    let print = |value: &Value| {
        let loaded = Config::load(value.to_string().as_bytes(), &environment).unwrap();
        format!("{loaded:#?}")
    };
    assert_eq!(print(&written), print(&minimal));
}
