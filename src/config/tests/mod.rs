//! Configurations as people write them, and what they are told.

mod access_tokens;
mod bearer;
mod client;
mod consumers;
mod entrances;
mod filter_state;
mod identity;
mod introspection;
mod policies;
mod protected_resources;
mod provider;
mod random;
mod rules;
mod session;
mod shape;
mod store;
mod struct_message;
mod upstream;
mod upstream_tokens;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

const MINIMAL: &str = include_str!("../../../tests/fixtures/minimal.json");
const FULL: &str = include_str!("../../../tests/fixtures/full.json");
const CLIENT_SECRET: &str = "the client secret of the tests";
const SESSION_KEY: &str = "GJ4mVyAu9ivA0hQ7kbVnKoWtGwq8xeUP";

fn environment(name: &str) -> Option<String> {
    match name {
        "OIDC_CLIENT_SECRET" => Some(CLIENT_SECRET.to_owned()),
        "SESSION_KEY" => Some(SESSION_KEY.to_owned()),
        "EMPTY" => Some(String::new()),
        "PADDED" => Some(format!("{SESSION_KEY}\n")),
        _ => None,
    }
}

fn load(value: &Value) -> Result<Loaded, Faults> {
    Config::load(value.to_string().as_bytes(), &environment)
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

/// The minimal configuration with `value` at `pointer`, whose objects are made where they are not.
fn with(pointer: &str, value: Value) -> Value {
    let mut whole = parsed(MINIMAL);
    put(&mut whole, pointer, value);
    whole
}

fn put(whole: &mut Value, pointer: &str, value: Value) {
    let mut place = whole;
    for step in pointer.split('/').skip(1) {
        place = &mut place[step.replace("~1", "/").as_str()];
    }
    *place = value;
}

fn without(pointer: &str) -> Value {
    let mut whole = parsed(MINIMAL);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = whole.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    parent.remove(key).unwrap();
    whole
}

fn faults(value: &Value) -> Vec<(String, String)> {
    let faults = load(value).err().map_or_else(Vec::new, |faults| faults.0);
    let pairs = faults.into_iter().map(|fault| (fault.path, fault.problem));
    pairs.collect()
}

/// Asserts that `value` has exactly one fault, with this path and these words in its problem.
#[track_caller]
fn refused(value: &Value, path: &str, words: &str) {
    let found = faults(value);
    assert!(
        matches!(found.as_slice(), [(at, problem)] if at == path && problem.contains(words) && problem.contains("; accepted: ")),
        "expected {path}: {words}\nfound {found:#?}"
    );
}

#[track_caller]
fn accepted(value: &Value) -> Config {
    match load(value) {
        Ok(loaded) => loaded.config,
        Err(faults) => panic!("{faults}"),
    }
}

#[test]
fn a_minimal_configuration_loads_with_every_default() {
    let Loaded { config, warnings } = Config::load(MINIMAL.as_bytes(), &environment).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let provider = &config.provider;
    assert_eq!(provider.name, "corp");
    assert_eq!(provider.issuer, "https://idp.example.com/realms/acme/");
    assert_eq!(provider.scopes, ["openid", "profile", "email"]);
    assert!(provider.endpoints.token.is_none());
    assert_eq!(provider.timeout, Duration::from_secs(5));
    assert_eq!(provider.id_token.clock_skew, Duration::from_secs(60));
    assert_eq!(provider.id_token.algorithms, Algorithm::ASYMMETRIC);
    assert!(matches!(
        &provider.client.as_ref().unwrap().authentication,
        ClientAuthentication::ClientSecretBasic { secret } if secret.expose() == CLIENT_SECRET
    ));
    assert_eq!(config.session.keys[0].expose(), SESSION_KEY.as_bytes());
    assert_eq!(config.session.cookie.name, "__Host-portero");
    assert_eq!(config.session.cookie.same_site, SameSite::Lax);
    assert_eq!(config.session.lifetime, Duration::from_secs(8 * 3600));
    assert!(!config.session.prompt_none_renewal);
    assert_eq!(config.session.cache_bytes, 16 << 20);
    assert!(config.session.store.is_none());
    assert_eq!(config.paths.callback, "/oauth2/callback");
    assert_eq!(config.paths.backchannel_logout, None);
    assert!(config.rules.is_empty());
    assert_eq!(config.cors_preflight, CorsPreflight::Deny);
    assert!(!config.reads_bodies);
    assert_eq!(config.session.preserved_post_bytes, 0);
    assert_eq!(config.upstream.headers.len(), 1);
    assert_eq!(config.upstream.headers[0].name, "x-userinfo");
    assert_eq!(config.upstream.headers[0].source, HeaderSource::Userinfo);
}

#[test]
fn a_full_configuration_loads_as_written() {
    let Loaded { config, warnings } = Config::load(FULL.as_bytes(), &environment).unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("session.cookie.same_site: the session goes along with"));
    assert!(warnings[1].starts_with("bearer.query: tokens may stand in addresses"));
    assert!(config.provider.endpoints.token.is_some());
    assert_eq!(
        config.provider.authorization_params,
        [
            ("audience".to_owned(), "https://api.example.com".to_owned()),
            ("prompt".to_owned(), "login consent".to_owned()),
        ]
    );
    assert_eq!(
        config.provider.resources,
        ["https://api.example.com/", "urn:example:orders"]
    );
    let [orders, api] = config.protected_resources.as_slice() else {
        panic!("two resources: {:?}", config.protected_resources);
    };
    assert_eq!(orders.identifier.text, "https://app.example.com/mcp");
    assert_eq!(orders.scopes_supported, ["orders.read", "orders.write"]);
    assert_eq!(orders.resource_name.as_deref(), Some("The orders of Acme"));
    assert_eq!(api.identifier.text, "https://api.example.com:8443");
    assert_eq!(config.provider.timeout, Duration::from_millis(2500));
    assert_eq!(config.session.keys.len(), 2);
    assert_eq!(config.session.lifetime, Duration::from_secs(36 * 3600));
    assert_eq!(config.session.reread_claims, Some(Duration::from_secs(600)));
    assert!(config.session.prompt_none_renewal);
    assert_eq!(config.session.cache_bytes, 1_048_576);
    assert_eq!(config.session.cookie.same_site, SameSite::None);
    let store = config.session.store.as_ref().unwrap();
    assert_eq!(store.cluster, "redis");
    assert_eq!(store.url.as_str(), "https://redis.internal:7380/redis");
    assert!(matches!(
        &store.protocol,
        StoreProtocol::Webdis { credentials: Some(pair) } if pair.expose() == "portero:a literal store password"
    ));
    assert_eq!(store.key_prefix, "acme:portero:");
    assert_eq!(store.timeout, Duration::from_millis(250));
    assert_eq!(store.reread_interval, Duration::ZERO);
    assert_eq!(store.when_unavailable, WhenUnavailable::UseCookies);
    assert_eq!(
        config.rules[1].matcher.hosts,
        [
            HostPattern {
                name: HostName::Exact("app.example.com".to_owned()),
                port: None,
            },
            HostPattern {
                name: HostName::Below(".example.org".to_owned()),
                port: None,
            },
        ]
    );
    assert_eq!(
        config.rules[1].matcher.path,
        PathPattern::Prefix("/static".to_owned())
    );
    assert_eq!(
        config.rules[3].authentication,
        AuthenticationDemand {
            max_age: Some(Duration::from_secs(300)),
            acr_values: vec!["gold".to_owned(), "urn:example:2".to_owned()],
        }
    );
    let identity = config.upstream.identity.as_ref().unwrap();
    assert_eq!(identity.header, "x-acme-caller");
    assert_eq!(identity.lifetime, Duration::from_secs(120));
    assert_eq!(
        config.identity_audience(identity, Some(3)),
        "https://pay.internal"
    );
    let policy = config.policy(Some(2)).unwrap();
    assert!(
        matches!(&policy.require, Some(Condition::All(members)) if members.len() == 8),
        "{policy:?}"
    );
    assert!(policy.forbid.is_some());
    assert_eq!(config.rules[4].matcher.path, PathPattern::Any);
    assert_eq!(config.rules[4].access, Access::Authenticated);
    let header = |name: &str| {
        let mut headers = config.upstream.headers.iter();
        headers.find(|header| header.name == name).unwrap()
    };
    assert_eq!(
        header("authorization").source,
        HeaderSource::BearerAccessToken
    );
    assert_eq!(
        header("x-tenant").source,
        HeaderSource::Claim(vec!["https://foo.example/tenant.id".to_owned()])
    );
    assert_eq!(
        header("x-roles").source,
        HeaderSource::Claim(
            ["resource_access", "web", "roles"]
                .map(str::to_owned)
                .into()
        )
    );
}

#[test]
fn a_printed_configuration_shows_no_secret() {
    let loaded = Config::load(FULL.as_bytes(), &environment).unwrap();
    let printed = format!("{loaded:#?}");
    for secret in [
        SESSION_KEY,
        "literal client secret",
        "literal session key",
        "literal store password",
        "literal gateway secret",
        "literal actor token",
        "literal refresh token",
        "MDEyMzQ1",
        "0123456789012345",
    ] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert_eq!(printed.matches("[secret]").count(), 9);
}
