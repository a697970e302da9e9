//! Other systems' configurations become Portero's: they load, nothing of them is left out unsaid, nothing
//! gets wider, and no secret is repeated.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod closed;
mod patterns;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use portero::config::Config;
use portero_convert::{Conversion, Key, Options, System, convert};
use serde_json::{Value, json};

/// What every secret in the fixtures holds, plain or as base64.
const SECRETS: [&str; 2] = ["S3CRET", "UzNDUkVU"];

/// Every fixture, and its tables. Together they have every key of their system.
const SOURCES: [(System, &str); 13] = [
    (System::Kusk, "kusk.yaml"),
    (System::Kusk, "kusk-all.yaml"),
    (System::EnvoyOauth2, "envoy-oauth2.yaml"),
    (System::EnvoyOauth2, "envoy-oauth2-all.yaml"),
    (System::KongOidc, "kong-oidc-nokia.yaml"),
    (System::KongOidc, "kong-oidc-revomatico.yaml"),
    (System::KongOidc, "kong-oidc-revomatico-jwt.yaml"),
    (System::KongOidc, "kong-oidc-epam.yaml"),
    (System::KongOidc, "kong-oidc-small.yaml"),
    (System::KongJwt, "kong-jwt.yaml"),
    (System::KongJwt, "kong-jwt-all.yaml"),
    (System::Krakend, "krakend.json"),
    (System::Krakend, "krakend-all.json"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/moving")
}

fn source(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn said() -> Options {
    Options {
        audiences: vec!["orders".to_owned()],
        any_query: true,
        ..Options::default()
    }
}

fn converted(system: System, name: &str, options: &Options) -> Conversion {
    convert(system, &source(name), options).unwrap()
}

fn environment(name: &str) -> Option<String> {
    Some(match name {
        "CLIENT_KEY" => include_str!("../fixtures/keys/private/rsa.pem")
            .trim()
            .to_owned(),
        // Base64 is a text too.
        _ => "QSBzZWNyZXQgdGhhdCBpcyBsb25nIGVub3VnaCBmb3IgZXZlcnkgdXNlIG9mIHNlY3JldHMgdGhlcmUgaXMuQSBzZWNyZXQgdGhhdCBpcyBs"
            .to_owned(),
    })
}

#[track_caller]
fn loads(configuration: &Value) -> Config {
    let text = configuration.to_string();
    let loaded = Config::load(text.as_bytes(), &environment);
    loaded
        .unwrap_or_else(|faults| panic!("{configuration:#}\n{faults}"))
        .config
}

#[test]
fn every_conversion_loads_with_every_question_answered_or_not() {
    for (system, name) in SOURCES {
        for options in [Options::default(), said()] {
            loads(&converted(system, name, &options).configuration.unwrap());
        }
    }
}

/// With the questions answered, what a plain source says is said without any left.
#[test]
fn the_conversions_are_the_reviewed_ones() {
    for (system, name) in SOURCES {
        let Conversion {
            configuration,
            notes,
        } = converted(system, name, &said());
        if name.contains("-all") || name.contains("small") {
            continue;
        }
        let needs_none = name != "kong-oidc-revomatico.yaml";
        assert_eq!(notes.decisions.is_empty(), needs_none, "{name}: {notes}");
        let stem = name.split('.').next().unwrap();
        let file = folder().join(format!("{stem}.portero.json"));
        let reviewed = fs::read_to_string(&file).unwrap_or_default();
        let written = format!("{:#}\n", configuration.unwrap());
        assert!(
            written == reviewed,
            "{} is not what comes of {name}:\n{written}",
            file.display()
        );
    }
}

#[test]
fn who_reads_the_access_tokens_of_logins_is_told_what_they_must_be() {
    for (options, is_told) in [(said(), true), (Options::default(), false)] {
        let epam = converted(System::KongOidc, "kong-oidc-epam.yaml", &options);
        let provider = &epam.configuration.unwrap()["providers"];
        let reads = provider
            .to_string()
            .contains("\"access_token_claims\":true");
        let tells = epam.notes.to_string().contains("access token is no JWT");
        assert_eq!((reads, tells), (is_told, is_told));
    }
}

#[test]
fn no_secret_is_repeated() {
    for (system, name) in SOURCES {
        let text = source(name);
        for options in [Options::default(), said()] {
            let conversion = converted(system, name, &options);
            let printed = format!("{conversion:?}\n{}", conversion.notes);
            for secret in SECRETS {
                assert!(!printed.contains(secret), "{name}");
            }
        }
        let has_secrets = name != "envoy-oauth2.yaml" && name != "envoy-oauth2-all.yaml";
        assert_eq!(text.contains("S3CRET"), has_secrets, "{name}");
    }
    let leaks = [
        (
            System::Kusk,
            source("kusk.yaml").replace("https://idp", "https://u:S3CRET@idp"),
        ),
        (
            System::Krakend,
            source("krakend.json").replace("https://idp", "https://u:S3CRET@idp"),
        ),
        (
            System::Krakend,
            source("krakend.json")
                .replace("\"resource\"", "\"client_password\"")
                .replace("urn:upstream:orders", "S3CRET"),
        ),
        (
            System::KongOidc,
            source("kong-oidc-epam.yaml")
                .replace("https://idp", "https://u:S3CRET@idp")
                .replace("issuers_allowed", "x"),
        ),
        (
            System::KongJwt,
            source("kong-jwt.yaml")
                .replace("-----BEGIN PUBLIC KEY", "S3CRET -----BEGIN PRIVATE KEY"),
        ),
        (
            System::EnvoyOauth2,
            source("envoy-oauth2.yaml").replace("https://idp", "https://u:S3CRET@idp"),
        ),
    ];
    let parameters = ["Password", "api_key", "apikey", "token", "pin"].map(|name| {
        let text = source("krakend.json").replace("\"resource\"", &format!("{name:?}"));
        (System::Krakend, text.replace("urn:upstream", "S3CRET"))
    });
    let with_query = [
        (System::Kusk, "kusk.yaml", "/token"),
        (System::Kusk, "kusk.yaml", "/auth"),
        (System::EnvoyOauth2, "envoy-oauth2.yaml", "/token"),
        (System::Krakend, "krakend.json", "/token"),
        (
            System::KongOidc,
            "kong-oidc-epam.yaml",
            "/token/introspection",
        ),
        (
            System::KongOidc,
            "kong-oidc-small.yaml",
            "/.well-known/openid-configuration",
        ),
    ];
    let queries = with_query.map(|(system, name, path)| {
        let whole = source(name);
        let before = format!("https://idp.example.com{path}");
        let after = match name {
            "kong-oidc-small.yaml" => format!("https://idp.example.com/?key=S3CRET{path}"),
            _ => format!("{before}?client_secret=S3CRET"),
        };
        assert!(whole.contains(&before), "{name}");
        (system, whole.replace(&before, &after))
    });
    for (system, text) in leaks.into_iter().chain(parameters).chain(queries) {
        let conversion = convert(system, &text, &said()).unwrap();
        assert!(!conversion.notes.decisions.is_empty());
        let printed = format!("{conversion:?}\n{}", conversion.notes);
        assert!(!printed.contains("S3CRET"), "{printed}");
    }
}

/// The pointers of every place in `value` where this key of a table stands.
fn places(value: &Value, table: &str, key: &str) -> Vec<String> {
    let steps: Vec<&str> = match table {
        // The names of the namespaces have slashes.
        "auth/client-credentials" => vec![table].into_iter().chain(key.split('.')).collect(),
        "plugin" => vec![key],
        _ => [table].into_iter().chain(key.split('.')).collect(),
    };
    let mut found = vec![];
    visit(value, String::new(), &[], &mut |pointer, way| {
        let plain: Vec<&str> = way
            .iter()
            .map(String::as_str)
            .filter(|step| step.parse::<usize>().is_err())
            .collect();
        let alone = table == "config" || table == "plugin";
        if plain.ends_with(&steps) || alone && plain == key.split('.').collect::<Vec<_>>() {
            found.push(pointer);
        }
    });
    found
}

fn visit(value: &Value, pointer: String, way: &[String], see: &mut dyn FnMut(String, &[String])) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => return,
    };
    for (key, inner) in children {
        let mut way = way.to_vec();
        way.push(key.clone());
        let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        see(pointer.clone(), &way);
        visit(inner, pointer, &way, see);
    }
}

/// The source as a tree, with the OpenAPI file of an `API` unfolded.
fn tree(name: &str) -> Value {
    let mut tree = portero_convert::documents(&source(name)).unwrap().remove(0);
    if let Some(inner) = tree.pointer("/spec/spec").and_then(Value::as_str) {
        tree = portero_convert::documents(inner).unwrap().remove(0);
    }
    tree
}

fn outcome(system: System, tree: &Value) -> String {
    match convert(system, &tree.to_string(), &said()) {
        Ok(conversion) => format!("{:?}", conversion),
        Err(error) => error.to_string(),
    }
}

/// What only says where a secret is, by being there, and is looked at by nobody.
fn is_never_read(key: &Key) -> bool {
    let last = key.name.rsplit('.').next().unwrap();
    ["client_secret", "client_secret_ref", "token_secret"].contains(&last)
}

/// Each key is in some fixture, and there is no fixture in which nothing comes of it, either where it is
/// taken out or where it has a value of another kind.
#[test]
fn every_key_counts() {
    let mut missing = Vec::new();
    for system in System::ALL {
        for (table, keys) in system.keys() {
            for key in keys {
                // What stands around a plugin is the same for both of Kong's.
                let is_about = |of: System| match table {
                    "plugin" => [System::KongOidc, System::KongJwt].contains(&of),
                    _ => of == system,
                };
                let mut counts = is_never_read(key);
                let mut is_there = false;
                for (of, name) in SOURCES.into_iter().filter(|(of, _)| is_about(*of)) {
                    let whole = tree(name);
                    let before = outcome(of, &whole);
                    for pointer in places(&whole, table, key.name) {
                        is_there = true;
                        for other in [json!(42.5), Value::Null] {
                            let mut changed = whole.clone();
                            *changed.pointer_mut(&pointer).unwrap() = other;
                            counts = counts || outcome(of, &changed) != before;
                        }
                    }
                }
                if !is_there || !counts {
                    let word = if is_there {
                        "nothing comes of"
                    } else {
                        "no fixture has"
                    };
                    missing.push(format!("{}: {word} {table}: {}", system.name(), key.name));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_key_that_nobody_knows_is_a_question() {
    for (system, name) in SOURCES {
        let whole = tree(name);
        let before = converted(system, name, &said()).notes.decisions.len();
        let mut asked = 0;
        visit(&whole.clone(), String::new(), &[], &mut |pointer, way| {
            let inside = [
                "oauth2",
                "config",
                "credentials",
                "jwt_secrets",
                "auth/client-credentials",
                "token_endpoint",
            ];
            // What other plugins have is theirs.
            let is_inside =
                !way.contains(&"plugins".to_owned()) || !way.contains(&"consumers".to_owned());
            let is_inside = is_inside
                && way
                    .last()
                    .is_some_and(|last| inside.contains(&last.as_str()));
            let mut other = whole.clone();
            let target = other.pointer_mut(&pointer).unwrap();
            if let (true, Value::Object(object)) = (is_inside, target) {
                object.insert("made_up".to_owned(), json!("S3CRET"));
                let notes = convert(system, &other.to_string(), &said()).unwrap().notes;
                let decisions = format!("{:?}", notes.decisions);
                assert!(
                    notes.decisions.len() > before && decisions.contains("made_up"),
                    "{name} {pointer}"
                );
                assert!(!format!("{notes}").contains("S3CRET"));
                asked += 1;
            }
        });
        let alone = ["kong-oidc-small.yaml"].contains(&name);
        assert!(asked > 0 || alone, "{name}");
    }
}

#[test]
fn several_that_differ_are_chosen_from() {
    let two = "plugins:\n- {name: oidc, config: {client_id: a, client_secret: S3CRET, discovery: 'https://a.example.com/.well-known/openid-configuration'}}\n- {name: oidc, config: {client_id: b, client_secret: S3CRET, discovery: 'https://b.example.com/.well-known/openid-configuration'}}\n";
    let both = convert(System::KongOidc, two, &Options::default()).unwrap();
    assert!(both.configuration.is_none());
    assert_eq!(both.notes.decisions.len(), 2);
    let only = |place: &str| Options {
        only: Some(place.to_owned()),
        ..Options::default()
    };
    let second = convert(System::KongOidc, two, &only("plugins[1]")).unwrap();
    let second = loads(&second.configuration.unwrap());
    assert_eq!(second.client_id(), "b");
    assert!(convert(System::KongOidc, two, &only("plugins[2]")).is_err());
    let other = two.replace("name: oidc", "name: acl");
    assert!(convert(System::KongOidc, &other, &Options::default()).is_err());
}

#[test]
fn what_only_another_plugin_of_the_name_demands_is_a_question() {
    let mixed = source("kong-oidc-small.yaml") + "groups_claim: x\nscopes_required: [orders]\n";
    let notes = convert(System::KongOidc, &mixed, &said()).unwrap().notes;
    assert!(
        notes
            .decisions
            .iter()
            .any(|note| note.place == "scopes_required")
    );
}

#[test]
fn what_was_public_without_a_query_waits_for_a_word() {
    for name in ["kusk.yaml", "envoy-oauth2.yaml"] {
        let system = if name.starts_with("kusk") {
            System::Kusk
        } else {
            System::EnvoyOauth2
        };
        let unsaid = converted(system, name, &Options::default());
        assert!(!unsaid.notes.decisions.is_empty());
        assert!(
            !unsaid
                .configuration
                .unwrap()
                .to_string()
                .contains("/healthz")
        );
        let said = converted(system, name, &said());
        assert!(said.configuration.unwrap().to_string().contains("/healthz"));
    }
}

#[test]
fn the_issuer_is_found_by_the_form_of_the_endpoint() {
    for (token, issuer) in [
        (
            "https://acme.eu.auth0.com/oauth/token",
            "https://acme.eu.auth0.com/",
        ),
        (
            "https://k.example.com/realms/a/protocol/openid-connect/token",
            "https://k.example.com/realms/a",
        ),
        (
            "https://acme.okta.com/oauth2/default/v1/token",
            "https://acme.okta.com/oauth2/default",
        ),
        (
            "https://login.microsoftonline.com/t/oauth2/v2.0/token",
            "https://login.microsoftonline.com/t/v2.0",
        ),
        (
            "https://oauth2.googleapis.com/token",
            "https://accounts.google.com",
        ),
        (
            "https://idp.example.com:8443/x",
            "https://idp.example.com:8443",
        ),
    ] {
        let text = source("kusk.yaml").replace("https://idp.example.com/token", token);
        let found = convert(System::Kusk, &text, &said())
            .unwrap()
            .configuration
            .unwrap();
        assert_eq!(found["providers"]["login"]["issuer"], issuer);
        let options = Options {
            issuer: Some("https://said.example.com".to_owned()),
            ..said()
        };
        let found = convert(System::Kusk, &text, &options)
            .unwrap()
            .configuration
            .unwrap();
        assert_eq!(
            found["providers"]["login"]["issuer"],
            "https://said.example.com"
        );
    }
}

/// The tables of the documentation have a row for each key, as the code has it, and no other.
#[test]
fn the_documentation_has_every_key() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/moving.md"))
        .unwrap_or_default();
    let mut rows = BTreeSet::new();
    for system in System::ALL {
        for (_, keys) in system.keys() {
            rows.extend(keys.iter().map(row));
        }
    }
    let missing: Vec<&str> = rows
        .iter()
        .map(String::as_str)
        .filter(|row| !text.contains(*row))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/moving.md lacks:\n{}",
        missing.join("\n")
    );
    let own = text
        .lines()
        .filter(|line| line.starts_with("| `") && !line.starts_with("| `--"));
    for line in own {
        assert!(
            rows.contains(line),
            "docs/moving.md has a row of no key:\n{line}"
        );
    }
}

fn row(key: &Key) -> String {
    let becomes = match key.becomes {
        "" => "–".to_owned(),
        words if words.contains(' ') => words.to_owned(),
        path => format!("`{path}`"),
    };
    format!("| `{}` | {becomes} | {} |", key.name, key.remark)
}
