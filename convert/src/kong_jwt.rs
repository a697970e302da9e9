//! Kong's `jwt` plugin, with the consumers whose tokens it takes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::document::Unreadable;
use crate::draft::{self, Draft, put, seconds};
use crate::keys::account;
use crate::kong::{self, Plugin};
use crate::kong_jwt_keys::{CONFIG, CONSUMER, CREDENTIAL};
use crate::notes::Notes;
use crate::part::Part;
use crate::{Conversion, Options};

const MOST_PROVIDERS: usize = 32;

pub(crate) fn convert(documents: &[Value], options: &Options) -> Result<Conversion, Unreadable> {
    let mut notes = Notes::default();
    let none = |_: &Map<String, Value>| false;
    let plugin = kong::plugin(documents, &["jwt"], none, options, &mut notes)?;
    let configuration = plugin.map(|Plugin { config, is_alone }| {
        let asked = notes.decisions.len();
        account(CONFIG, config.object, &config.place, &mut notes);
        let is_whole = is_alone && notes.decisions.len() == asked;
        one(documents, &config, is_whole, options, &mut notes)
    });
    Ok(Conversion {
        configuration,
        notes,
    })
}

/// Somebody whom tokens are from.
struct Consumer<'a> {
    name: &'a str,
    part: Part<'a>,
}

/// A credential and whose it is.
struct Credential<'a> {
    part: Part<'a>,
    owner: &'a str,
}

fn one(
    documents: &[Value],
    config: &Part<'_>,
    is_whole: bool,
    options: &Options,
    notes: &mut Notes,
) -> Value {
    let mut draft = Draft::new(notes);
    if !is_whole || has_groups(documents, notes) {
        draft.close(&config.place, notes);
    }
    draft.set("/upstream/headers", json!({}));
    draft.set("/consumers", json!({}));
    draft.set("/bearer/hide", json!(false));
    places(config, &mut draft, notes);
    let consumers = consumers(documents, &mut draft, notes);
    let credentials = credentials(documents, &consumers, notes);
    if config
        .text("key_claim_name", notes)
        .is_some_and(|name| name != "iss")
    {
        notes.decide(config.at("key_claim_name"), "is not `iss`: a token is found here by who issued it, and by no other claim and no header of the token; nothing was made of the credentials");
    } else {
        providers(config, &credentials, options, &mut draft, notes);
    }
    anonymous(config, &consumers, &mut draft, notes);
    match config.flag("run_on_preflight", notes) {
        Some(false) => {
            draft.set("/cors_preflight", json!("pass"));
            notes.stricter(
                config.at("run_on_preflight"),
                "preflight requests alone pass; Kong let every OPTIONS pass",
            );
        }
        _ => draft.set("/cors_preflight", json!("deny")),
    }
    let verified = config.texts("claims_to_verify", notes).unwrap_or_default();
    if !verified.contains(&"exp") {
        notes.stricter(config.at("claims_to_verify"), "tokens that have ended are refused, always, and so are those that never end; Kong took them");
    }
    notes.stricter("", "headers such as x-consumer-id are Portero's on every path: what a caller sends there is removed");
    notes.stricter("", "a token signed with a private key must have a claim that only access tokens have (`scope`, `client_id` and others)");
    draft.finish()
}

/// Where tokens stand.
fn places(config: &Part<'_>, draft: &mut Draft, notes: &mut Notes) {
    let query = config
        .texts("uri_param_names", notes)
        .unwrap_or_else(|| vec!["jwt"]);
    draft.set("/bearer/query", json!(query));
    if let Some(cookies) = config.texts("cookie_names", notes) {
        draft.set("/bearer/cookies", json!(cookies));
    }
    let headers = config
        .texts("header_names", notes)
        .unwrap_or_else(|| vec!["authorization"]);
    let headers: Vec<Value> = headers
        .iter()
        .map(|name| json!({"name": name, "scheme": "Bearer"}))
        .collect();
    draft.set("/bearer/headers", Value::Array(headers));
    if let Some(realm) = config.text("realm", notes) {
        draft.set("/bearer/realm", json!(realm));
    }
}

fn consumers<'a>(
    documents: &'a [Value],
    draft: &mut Draft,
    notes: &mut Notes,
) -> Vec<Consumer<'a>> {
    let mut all = Vec::new();
    for part in listed(documents, "consumers", notes) {
        let asked = notes.decisions.len();
        account(CONSUMER, part.object, &part.place, notes);
        for name in ["acls", "groups", "plugins"] {
            if part.has(name) {
                notes.decide(
                    part.at(name),
                    "decides what this consumer may, and the result has nothing of it",
                );
            }
        }
        if notes.decisions.len() > asked {
            draft.close(&part.place, notes);
        }
        let custom_id = part.text("custom_id", notes);
        let id = part.text("id", notes);
        let Some(name) = part.text("username", notes).or(custom_id) else {
            notes.decide(part.place, "has neither `username` nor `custom_id`");
            continue;
        };
        let mut written = json!({});
        for (key, value) in [("custom_id", custom_id), ("id", id)] {
            if let Some(value) = value {
                put(&mut written, key, json!(value));
            }
        }
        draft.set(&pointer(&["consumers", name]), written);
        all.push(Consumer { name, part });
    }
    all
}

/// Whether consumers have groups beside them, which Kong's `acl` asks for.
fn has_groups(documents: &[Value], notes: &mut Notes) -> bool {
    let mut has_any = false;
    for name in ["acls", "consumer_groups"] {
        if documents
            .iter()
            .any(|document| document.get(name).is_some())
        {
            has_any = true;
            notes.decide(
                name,
                "decides what consumers may, and the result has nothing of it",
            );
        }
    }
    has_any
}

/// The items of this list at the top of the documents.
fn listed<'a>(documents: &'a [Value], name: &str, notes: &mut Notes) -> Vec<Part<'a>> {
    let whole = documents.iter().filter_map(Value::as_object);
    let whole = whole.map(|object| Part {
        object,
        place: String::new(),
    });
    whole.flat_map(|part| part.parts(name, notes)).collect()
}

fn credentials<'a>(
    documents: &'a [Value],
    consumers: &[Consumer<'a>],
    notes: &mut Notes,
) -> Vec<Credential<'a>> {
    let mut all = Vec::new();
    for consumer in consumers {
        let owner = consumer.name;
        let own = consumer.part.parts("jwt_secrets", notes);
        all.extend(own.into_iter().map(|part| Credential { part, owner }));
    }
    for part in listed(documents, "jwt_secrets", notes) {
        let named = match part.value("consumer") {
            Some(Value::String(name)) => Some(name.as_str()),
            Some(Value::Object(object)) => ["username", "id"]
                .iter()
                .find_map(|key| object.get(*key).and_then(Value::as_str)),
            _ => None,
        };
        match named.and_then(|name| find(consumers, name)) {
            Some(consumer) => all.push(Credential {
                part,
                owner: consumer.name,
            }),
            None => notes.decide(
                part.at("consumer"),
                "names no consumer of this file, so its tokens are refused",
            ),
        }
    }
    for credential in &all {
        account(
            CREDENTIAL,
            credential.part.object,
            &credential.part.place,
            notes,
        );
    }
    all
}

/// The consumer with this name or id.
fn find<'b, 'a>(consumers: &'b [Consumer<'a>], name: &str) -> Option<&'b Consumer<'a>> {
    consumers.iter().find(|consumer| {
        let id = consumer.part.value("id").and_then(Value::as_str);
        consumer.name == name || id == Some(name)
    })
}

/// A provider for each credential.
fn providers(
    config: &Part<'_>,
    credentials: &[Credential<'_>],
    options: &Options,
    draft: &mut Draft,
    notes: &mut Notes,
) {
    let audiences = draft::audiences(options, "", notes);
    let is_base64 = config.flag("secret_is_base64", notes) == Some(true);
    let longest = config
        .number("maximum_expiration", notes)
        .filter(|longest| *longest > 0);
    let mut written: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut count = 0_usize;
    for Credential { part, owner } in credentials {
        let Some(issuer) = part.text("key", notes) else {
            notes.decide(
                part.place.clone(),
                "has no `key`: Kong made one up, and tokens name it as `iss`; write it",
            );
            continue;
        };
        let is_url = issuer.starts_with("https://") || issuer.starts_with("http://");
        if !is_url {
            notes.decide(part.at("key"), "is no URL, and an issuer has to be one here: issue the tokens with an `https` URL as `iss`; until then they are refused");
            continue;
        }
        let name = format!(
            "{}-{}",
            plain(owner),
            written
                .get(*owner)
                .map_or(1, |all| all.len().saturating_add(1))
        );
        let Some((key, algorithm)) = verifying(part, &name, is_base64, notes) else {
            continue;
        };
        count = count.saturating_add(1);
        if count > MOST_PROVIDERS {
            notes.decide(part.place.clone(), format!("is one credential more than the {MOST_PROVIDERS} that a configuration can have, so its tokens are refused"));
            continue;
        }
        let mut access_tokens = json!({"audiences": audiences, "profile": "lenient", "keys": [key], "require_consumer": true});
        if let Some(algorithm) = algorithm {
            put(&mut access_tokens, "algorithms", json!([algorithm]));
        }
        if let Some(longest) = longest {
            put(&mut access_tokens, "max_lifetime", seconds(longest));
        }
        let mut provider = json!({"issuer": issuer, "access_tokens": access_tokens});
        if issuer.starts_with("http://") {
            put(&mut provider, "insecure_allow_http", json!(true));
            notes.remains(part.at("key"), "is an issuer by plain http, as in the source, so its provider has `insecure_allow_http`: issue the tokens with an `https` URL as `iss`, and take `insecure_allow_http` out");
        }
        draft.set(&pointer(&["providers", &name]), provider);
        written
            .entry((*owner).to_owned())
            .or_default()
            .push(json!({"issuer": issuer}));
    }
    if written.is_empty() {
        notes.decide(
            config.place.clone(),
            "has no credential here whose tokens could be let in",
        );
    }
    for (owner, credentials) in written {
        draft.set(
            &pointer(&["consumers", &owner, "credentials"]),
            Value::Array(credentials),
        );
    }
}

/// The key that verifies tokens of a credential, and the algorithm where the key does not say it.
fn verifying<'a>(
    part: &Part<'a>,
    name: &str,
    is_base64: bool,
    notes: &mut Notes,
) -> Option<(Value, Option<&'a str>)> {
    let algorithm = part.text("algorithm", notes).unwrap_or("HS256");
    match algorithm {
        "HS256" | "HS384" | "HS512" => {
            let variable = format!("JWT_SECRET_{}", name.to_ascii_uppercase().replace('-', "_"));
            let at = part.at("secret");
            match part.text("secret", notes) {
                Some(secret) if !is_base64 && secret.len() < hash_length(algorithm) => {
                    notes.decide(at.clone(), format!("is shorter than the hash of {algorithm}, which is refused: issue the tokens with a longer one"));
                }
                _ => {}
            }
            notes.remains(at, format!("put the secret into the environment variable {variable}, and name it in `host_env_keys` of the filter"));
            let mut secret = json!({"value": {"env": variable}, "algorithm": algorithm});
            if is_base64 {
                put(&mut secret, "base64", json!(true));
            }
            Some((json!({"secret": secret}), None))
        }
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "EdDSA" => {
            let at = part.at("rsa_public_key");
            match part.text("rsa_public_key", notes) {
                Some(pem) if pem.contains("PRIVATE") => {
                    notes.decide(
                        at,
                        "is a private key, which is not repeated here: write the public one",
                    );
                    None
                }
                Some(pem) => Some((json!({"pem": pem}), Some(algorithm))),
                None => {
                    notes.decide(at, "is missing");
                    None
                }
            }
        }
        _ => {
            notes.decide(
                part.at("algorithm"),
                "is no algorithm that Portero verifies, so these tokens are refused",
            );
            None
        }
    }
}

fn hash_length(algorithm: &str) -> usize {
    match algorithm {
        "HS256" => 32,
        "HS384" => 48,
        _ => 64,
    }
}

fn anonymous(config: &Part<'_>, consumers: &[Consumer<'_>], draft: &mut Draft, notes: &mut Notes) {
    let Some(name) = config
        .text("anonymous", notes)
        .filter(|name| !name.is_empty())
    else {
        return;
    };
    match find(consumers, name) {
        Some(consumer) => {
            draft.otherwise("otherwise", json!({"anonymous": consumer.name}));
            notes.stricter(
                config.at("anonymous"),
                "is who calls without a token; whoever sends a bad one is refused",
            );
        }
        None => notes.decide(
            config.at("anonymous"),
            "names no consumer of this file, so requests without a token are refused",
        ),
    }
}

/// A name with letters, digits and `-` alone.
fn plain(name: &str) -> String {
    let plain = |character: char| {
        if character.is_ascii_alphanumeric() {
            character
        } else {
            '-'
        }
    };
    name.chars().map(plain).take(48).collect()
}

/// A JSON pointer.
fn pointer(steps: &[&str]) -> String {
    steps
        .iter()
        .map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")))
        .collect()
}
