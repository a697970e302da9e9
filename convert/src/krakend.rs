//! KrakenD: client credentials towards a backend.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::document::{self, Unreadable};
use crate::draft::{Draft, put};
use crate::keys::{Key, account, key, none};
use crate::notes::Notes;
use crate::part::Part;
use crate::{Conversion, Options, issuer};

const NAMESPACES: [&str; 2] = [
    "auth/client-credentials",
    "github.com/devopsfaith/krakend-oauth2-clientcredentials",
];
const ROUTE: &str = "Envoy's route says where a request goes";
const BODY: &str = "nothing changes bodies";
const OTHER: &str = "nothing of it: asked about";

/// Parameters of a token request that say whom the token is for, and are no secrets.
const NO_SECRETS: [&str; 6] = [
    "audience",
    "organization",
    "requested_token_type",
    "resource",
    "tenant",
    "tenant_id",
];

/// Below `auth/client-credentials`.
const CREDENTIALS: &[Key] = &[
    key("client_id", "upstream_tokens.<name>.client.id", ""),
    key(
        "client_secret",
        "upstream_tokens.<name>.client.authentication",
        "goes into an environment variable, one for each client",
    ),
    key(
        "token_url",
        "providers.<name>.endpoints.token",
        "its host is the name of the cluster, and the issuer, which nothing looks at",
    ),
    key(
        "scopes",
        "upstream_tokens.<name>.scopes",
        "without scopes none is sent; KrakenD sent an empty one",
    ),
    key(
        "endpoint_params",
        "upstream_tokens.<name>.endpoint_params",
        "a client id and secret in it are `client_secret_post`; `audience`, `organization`, `requested_token_type`, `resource`, `tenant` and `tenant_id` are sent; others may be secrets, and are asked about",
    ),
    key(
        "auth_style",
        "upstream_tokens.<name>.client.authentication",
        "0 is `client_secret_automatic`, as where it is not written; 1 is `client_secret_post`, 2 is `client_secret_basic`",
    ),
    key(
        "is_disabled",
        "rules[].upstream_tokens",
        "the backend gets no token",
    ),
];

/// What an endpoint and a backend may both let through.
const INPUT_HEADERS: Key = none(
    "input_headers",
    "requests go to the upstream with their headers, but for those of Portero and the token",
);
const INPUT_QUERY: Key = none(
    "input_query_strings",
    "requests go to the upstream with their query",
);

/// An endpoint with such a backend.
const ENDPOINT: &[Key] = &[
    key(
        "endpoint",
        "rules[].match.path",
        "exact paths; one with `{parameters}` is asked about",
    ),
    key(
        "method",
        "rules[].match.methods",
        "`GET` where it is not written",
    ),
    key(
        "backend",
        "rules[].upstream_tokens",
        "one backend; several are asked about",
    ),
    key(
        "extra_config",
        OTHER,
        "what is in it decides about requests",
    ),
    none("cache_ttl", "Envoy's own cache filter"),
    none("concurrent_calls", ROUTE),
    INPUT_HEADERS,
    INPUT_QUERY,
    none("output_encoding", BODY),
    none("timeout", "the timeout of Envoy's route"),
    none("@comment", "a comment"),
    none("$schema", "a comment"),
];

/// Such a backend.
const BACKEND: &[Key] = &[
    key(
        "extra_config",
        "upstream_tokens",
        "the credentials; what else is in it is asked about",
    ),
    none("url_pattern", ROUTE),
    none("host", ROUTE),
    none("method", ROUTE),
    none("sd", ROUTE),
    none("sd_scheme", ROUTE),
    none("disable_host_sanitize", ROUTE),
    none("allow", BODY),
    none("deny", BODY),
    none("encoding", BODY),
    none("group", BODY),
    none("is_collection", BODY),
    none("mapping", BODY),
    none("target", BODY),
    INPUT_HEADERS,
    INPUT_QUERY,
    none("@comment", "a comment"),
];

pub(crate) fn tables() -> Vec<(&'static str, &'static [Key])> {
    vec![
        ("auth/client-credentials", CREDENTIALS),
        ("endpoints", ENDPOINT),
        ("backend", BACKEND),
    ]
}

pub(crate) fn convert(documents: &[Value], options: &Options) -> Result<Conversion, Unreadable> {
    let mut notes = Notes::default();
    let endpoints: Vec<Part<'_>> = document::search(documents, &|object, _| {
        object.contains_key("endpoint") && object.contains_key("backend")
    })
    .iter()
    .map(Part::from)
    .collect();
    let mut work = Work {
        draft: Draft::new(&mut notes),
        providers: BTreeMap::new(),
        tokens: Vec::new(),
        is_public: true,
    };
    let mut had_credentials = false;
    for whole in documents.iter().filter_map(Value::as_object) {
        let place = String::new();
        let whole = Part {
            object: whole,
            place,
        };
        // An endpoint that is a document by itself has its turn below.
        if !whole.has("backend") {
            work.is_public &= others(&[&whole], &mut notes);
            work.is_public &= !asks_for_certificates(&whole, &mut notes);
        }
    }
    for endpoint in &endpoints {
        had_credentials |= work.endpoint(endpoint, &mut notes);
    }
    if !had_credentials {
        return Err(Unreadable(
            "holds no backend with auth/client-credentials".to_owned(),
        ));
    }
    if let Some(issuer) = &options.issuer {
        work.issuer(issuer, &mut notes);
    }
    notes.source = format!(
        "client credentials of KrakenD, {} of {} endpoints",
        work.tokens.len(),
        endpoints.len()
    );
    work.draft.set("/upstream/headers", json!({}));
    notes.stricter("", "an endpoint without such a backend needs a login or an access token here, and neither is configured: nobody gets through; write public rules for those that are to stay public");
    notes.stricter("", "a token is never used after its end, and one whose end the provider does not say for five minutes (`default_lifetime`); KrakenD used that one for ever");
    notes.stricter(
        "",
        "an upstream that answers 401 makes Portero give the token up",
    );
    notes.remains("", "KrakenD passed on the headers and parameters that an endpoint names, Envoy passes on all: take others away in its routes (`request_headers_to_remove`)");
    notes.remains(
        "",
        "KrakenD asks for tokens that it cannot get with 500; here it is 502 to 504",
    );
    Ok(Conversion {
        configuration: Some(work.draft.finish()),
        notes,
    })
}

struct Work {
    draft: Draft,
    /// The names of providers by their token endpoint.
    providers: BTreeMap<String, String>,
    /// What has been written, by its place in the names.
    tokens: Vec<Value>,
    /// Whether everybody may call all of it, as far as the root of the file goes.
    is_public: bool,
}

impl Work {
    /// Whether there were credentials.
    fn endpoint(&mut self, endpoint: &Part<'_>, notes: &mut Notes) -> bool {
        let backends = endpoint.parts("backend", notes);
        let with: Vec<_> = backends
            .iter()
            .filter_map(|backend| Some((backend, credentials(backend, notes)?)))
            .collect();
        let Some((backend, credentials)) = with.first() else {
            notes.unmatched(
                endpoint.place.clone(),
                "has no backend with client credentials, and no rule",
            );
            return false;
        };
        let asked = notes.decisions.len();
        account(ENDPOINT, endpoint.object, &endpoint.place, notes);
        account(BACKEND, backend.object, &backend.place, notes);
        account(CREDENTIALS, credentials.object, &credentials.place, notes);
        if backends.len() > 1 {
            notes.decide(endpoint.at("backend"), "are several, whose answers KrakenD merged; Envoy sends a request to one upstream, so there is no rule for this endpoint");
            return true;
        }
        let method = endpoint.text("method", notes).unwrap_or("GET");
        let path = endpoint.text("endpoint", notes).unwrap_or_default();
        let is_off = credentials.flag("is_disabled", notes) == Some(true);
        let token = if is_off {
            None
        } else {
            self.token(credentials, notes)
        };
        // A token without one of its parameters may be good for more.
        let knows_all = notes.decisions.len() == asked;
        let is_public = others(&[endpoint, backend], notes) && knows_all && self.is_public;
        let names: Vec<&String> = token.iter().collect();
        let rule = |matched: Value| {
            let mut rule = json!({"match": matched, "upstream_tokens": names});
            if is_public {
                put(&mut rule, "access", json!("public"));
            }
            rule
        };
        match path.split_once(['{', '*']) {
            None => {
                let rule = rule(json!({"path": {"exact": path}, "methods": [method]}));
                self.draft.rules([rule]);
            }
            Some((before, _)) => {
                let prefix = before.rsplit_once('/').map_or("/", |(prefix, _)| prefix);
                let wide = rule(
                    json!({"path": {"prefix": if prefix.is_empty() { "/" } else { prefix }}, "methods": [method]}),
                );
                notes.decide(endpoint.at("endpoint"), format!("`{path}` has parameters, and rules have whole paths or beginnings, so there is no rule for it; if everything below may have the token, write {wide}"));
            }
        }
        true
    }

    /// The name of the token for these credentials.
    fn token(&mut self, credentials: &Part<'_>, notes: &mut Notes) -> Option<String> {
        let Some(url) = credentials.text("token_url", notes) else {
            notes.decide(credentials.at("token_url"), "is missing");
            return None;
        };
        let id = credentials.text("client_id", notes).unwrap_or_default();
        let mut params = serde_json::Map::new();
        let mut in_body = false;
        if let Some(part) = credentials.part("endpoint_params", notes) {
            for name in part.object.keys() {
                match name.as_str() {
                    "client_id" | "client_secret" => in_body = true,
                    "grant_type" | "scope" => notes.decide(
                        part.at(name),
                        "is a parameter that Portero sends itself, and cannot be another one",
                    ),
                    // Parameters stand in the configuration as they are.
                    _ if !NO_SECRETS.contains(&name.as_str()) => notes.decide(
                        part.at(name),
                        "may be a secret, which no parameter can be, and is neither repeated nor sent: write it into `endpoint_params` if it is none",
                    ),
                    _ => {
                        if let Some(values) = part.texts(name, notes) {
                            params.insert(name.clone(), json!(values));
                        }
                    }
                }
            }
        }
        if !issuer::is_plain(url) {
            notes.decide(credentials.at("token_url"), issuer::NOT_PLAIN);
            return None;
        }
        let method = match credentials.number("auth_style", notes) {
            _ if in_body => "client_secret_post",
            None | Some(0) => "client_secret_automatic",
            Some(1) => "client_secret_post",
            Some(2) => "client_secret_basic",
            Some(_) => {
                notes.decide(credentials.at("auth_style"), "is none of 0, 1 and 2");
                "client_secret_automatic"
            }
        };
        let provider = self.provider(url, credentials, notes);
        let mut token = json!({"provider": provider, "client": {"id": id, "authentication": {method: {"secret": {}}}}});
        let scopes: Vec<&str> = credentials
            .text("scopes", notes)
            .unwrap_or_default()
            .split([',', ' '])
            .filter(|scope| !scope.is_empty())
            .collect();
        if !scopes.is_empty() {
            put(&mut token, "scopes", json!(scopes));
        }
        if !params.is_empty() {
            put(&mut token, "endpoint_params", Value::Object(params));
        }
        let known = self.tokens.iter().position(|known| *known == token);
        let number = known.unwrap_or(self.tokens.len()).saturating_add(1);
        let name = format!("backend-{number}");
        let variable = format!("BACKEND_{number}_SECRET");
        if known.is_none() {
            self.tokens.push(token.clone());
            let authentication = json!({method: {"secret": {"env": variable}}});
            put(
                &mut token,
                "client",
                json!({"id": id, "authentication": authentication}),
            );
            self.draft.set(&format!("/upstream_tokens/{name}"), token);
        }
        notes.remains(credentials.at("client_secret"), format!("put it into the environment variable {variable}, and name it in `host_env_keys` of the filter"));
        Some(name)
    }

    fn provider(&mut self, url: &str, credentials: &Part<'_>, notes: &mut Notes) -> String {
        if let Some(name) = self.providers.get(url) {
            return name.clone();
        }
        let name = format!("tokens-{}", self.providers.len().saturating_add(1));
        let (scheme, host, _) = issuer::parts(url).unwrap_or(("https", "issuer.invalid", ""));
        let origin = format!("{scheme}://{host}");
        // An issuer is there once; where it is two providers', the second is known by its endpoint.
        let is_taken = self
            .providers
            .keys()
            .any(|other| issuer::parts(other).is_some_and(|(_, known, _)| known == host));
        let issuer = if is_taken { url.to_owned() } else { origin };
        let mut provider = json!({"issuer": issuer, "cluster": host, "endpoints": {"token": url}});
        if scheme == "http" {
            put(&mut provider, "insecure_allow_http", json!(true));
            notes.remains(credentials.at("token_url"), "is plain http, as in the source, and whoever sees that traffic has the secret: change to https, and take `insecure_allow_http` out");
        }
        notes.remains(credentials.at("token_url"), format!("define the Envoy cluster `{host}`, which reaches the provider with TLS and checks its certificate"));
        self.draft.set(&format!("/providers/{name}"), provider);
        self.providers.insert(url.to_owned(), name.clone());
        name
    }

    /// The issuer that was said, where there is one provider.
    fn issuer(&mut self, issuer: &str, notes: &mut Notes) {
        match self.providers.values().next() {
            Some(name) if self.providers.len() == 1 => {
                self.draft
                    .set(&format!("/providers/{name}/issuer"), json!(issuer));
            }
            _ => notes.unmatched(
                "--issuer",
                "is not used, because there are several token endpoints",
            ),
        }
    }
}

/// What has no say in who gets through, and is Envoy's.
const HARMLESS: [(&str, &str); 8] = [
    ("modifier/martian", MODIFIER),
    ("modifier/jmespath", MODIFIER),
    ("modifier/body-generator", MODIFIER),
    ("modifier/response-body", MODIFIER),
    ("github.com/devopsfaith/krakend-martian", MODIFIER),
    (
        "telemetry/",
        "Envoy has logs, statistics and traces of its own",
    ),
    ("documentation/", "is for people to read"),
    ("security/cors", "Envoy's `cors` filter, before Portero"),
];
const MODIFIER: &str = "is a change to requests or answers, which Envoy's routes can make";

/// Whether everybody may call what these parts are of, as far as what else is configured for it goes. What
/// nobody knows may refuse requests.
fn others(parts: &[&Part<'_>], notes: &mut Notes) -> bool {
    let mut is_public = true;
    for part in parts {
        if !part.has("extra_config") {
            continue;
        }
        let Some(extra) = part.part("extra_config", notes) else {
            is_public = false;
            continue;
        };
        for name in extra
            .object
            .keys()
            .filter(|name| !NAMESPACES.contains(&name.as_str()))
        {
            let at = extra.at(name);
            let harmless = HARMLESS.iter().find(|(start, _)| name.starts_with(start));
            if let Some((_, reason)) = harmless {
                notes.unmatched(at, *reason);
                continue;
            }
            is_public = false;
            let decides = [
                "auth/",
                "validation/",
                "security/",
                "qos/ratelimit",
                "github.com/devopsfaith/krakend-jose",
            ];
            notes.decide(
                at,
                match decides.iter().any(|start| name.starts_with(start)) {
                    true => "decides who gets through, and the result has nothing of it; what it is of lets nobody through until a provider has `access_tokens` for its callers",
                    false => "is not converted, and may decide who gets through, so what it is of is not public: find out what it does, and write `access: public` where everybody may call",
                },
            );
        }
    }
    is_public
}

/// Whether callers need a certificate.
fn asks_for_certificates(whole: &Part<'_>, notes: &mut Notes) -> bool {
    let Some(tls) = whole.part("tls", notes) else {
        return false;
    };
    let asks = tls.flag("enable_mtls", notes) == Some(true);
    if asks {
        notes.decide(tls.at("enable_mtls"), "asks every caller for a certificate, and the result has nothing of it, so no endpoint is public: let Envoy's listener ask for it, and write `access: public` where everybody may call who has one");
    }
    asks
}

fn credentials<'a>(backend: &Part<'a>, notes: &mut Notes) -> Option<Part<'a>> {
    let extra = backend.part("extra_config", notes)?;
    NAMESPACES.iter().find_map(|name| extra.part(name, notes))
}
