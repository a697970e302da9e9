//! The configuration of Portero's while it is written.

use serde_json::{Map, Value, json};

use crate::notes::Notes;
use crate::{Options, issuer};

/// What an audience is called until somebody says it. No token is for it, so none is accepted.
const NO_AUDIENCE: &str = "urn:portero:name-your-audience";
const CLIENT_SECRET: &str = "OIDC_CLIENT_SECRET";
const SESSION_KEY: &str = "SESSION_KEY";
/// The provider where people log in.
const LOGIN: &str = "login";
/// An issuer that nobody has.
pub(crate) const NOBODY: &str = "urn:portero:nobody";

/// A configuration, with one provider where people log in or without.
pub(crate) struct Draft {
    root: Value,
    /// Public rules, and those that keep them narrow: the first that matches decides.
    rules: Vec<Value>,
    /// What every request has to meet for which no rule has been written.
    otherwise: Map<String, Value>,
    /// Whether nobody gets through, because something was left out that refuses callers.
    is_closed: bool,
}

impl Draft {
    pub(crate) fn new(notes: &mut Notes) -> Self {
        notes.remains(
            "",
            format!("set the environment variable {SESSION_KEY} to new random text (`openssl rand -base64 48`), the same at every Envoy; no key of the source is used again"),
        );
        Self {
            root: json!({"session": {"keys": [{"env": SESSION_KEY}]}}),
            rules: Vec::new(),
            otherwise: Map::new(),
            is_closed: false,
        }
    }

    /// The value at a JSON pointer, whose objects are made where they are missing.
    pub(crate) fn set(&mut self, pointer: &str, value: Value) {
        let mut here = &mut self.root;
        for step in pointer.split('/').skip(1) {
            if !here.is_object() {
                *here = json!({});
            }
            let name = step.replace("~1", "/").replace("~0", "~");
            let Value::Object(object) = here else {
                return;
            };
            here = object.entry(name).or_insert(Value::Null);
        }
        *here = value;
    }

    /// The same of the provider where people log in.
    pub(crate) fn login(&mut self, pointer: &str, value: Value) {
        self.set(&format!("/providers/{LOGIN}{pointer}"), value);
    }

    pub(crate) fn header(&mut self, name: &str, source: Value) {
        let name = name
            .to_ascii_lowercase()
            .replace('~', "~0")
            .replace('/', "~1");
        self.set(&format!("/upstream/headers/{name}"), source);
    }

    pub(crate) fn rules(&mut self, rules: impl IntoIterator<Item = Value>) {
        for rule in rules {
            if !self.rules.contains(&rule) {
                self.rules.push(rule);
            }
        }
    }

    pub(crate) fn otherwise(&mut self, key: &str, value: Value) {
        self.otherwise.insert(key.to_owned(), value);
    }

    /// Lets nobody through: something of the source that refuses callers could not be said.
    pub(crate) fn close(&mut self, at: &str, notes: &mut Notes) {
        if !self.is_closed {
            notes.decide(at, format!("is beside something that may refuse callers and is not in the result (see the other questions), so nothing is public there and nobody gets through (`require` with the issuer `{NOBODY}`): write what was refused as `require`, `access` and rules in its place"));
        }
        self.is_closed = true;
    }

    /// Who the provider is: what was said, or else a guess.
    pub(crate) fn issuer(
        &mut self,
        options: &Options,
        guess: Option<String>,
        at: &str,
        notes: &mut Notes,
    ) {
        let issuer = match (&options.issuer, guess) {
            (Some(issuer), _) => issuer.clone(),
            (None, Some(guess)) => {
                notes.remains(
                    at,
                    format!("the issuer is taken to be `{guess}`, which the source does not say: compare it with `issuer` in the provider's discovery document, byte for byte, or say --issuer; with a wrong one nobody can log in"),
                );
                guess
            }
            (None, None) => {
                notes.decide(at, "does not tell who the provider is: say --issuer");
                "https://issuer.invalid".to_owned()
            }
        };
        if issuer.starts_with("http://") {
            self.login("/insecure_allow_http", json!(true));
            notes.remains(at, "the provider is reached by plain http, as in the source, and whoever can change that traffic can log in as anybody: change to https, and take `insecure_allow_http` out");
        }
        self.login("/issuer", json!(issuer));
    }

    /// An endpoint of the provider where people log in.
    pub(crate) fn endpoint(&mut self, name: &str, url: &str, at: &str, notes: &mut Notes) {
        match issuer::is_plain(url) {
            true => self.login(&format!("/endpoints/{name}"), json!(url)),
            false => notes.decide(at, issuer::NOT_PLAIN),
        }
    }

    pub(crate) fn cluster(&mut self, name: &str, reaches: &str, notes: &mut Notes) {
        self.login("/cluster", json!(name));
        notes.remains(
            "",
            format!("define the Envoy cluster `{name}`, which reaches {reaches} with TLS and checks its certificate"),
        );
    }

    /// The client, whose secret is at `at`; `variable` is where the source has it already.
    pub(crate) fn client(
        &mut self,
        id: &str,
        method: &str,
        at: &str,
        variable: Option<&str>,
        notes: &mut Notes,
    ) {
        let name = variable.unwrap_or(CLIENT_SECRET);
        notes.remains(at, format!("put the client secret into the environment variable {name}, and name it in `host_env_keys` of the filter"));
        self.login("/client/id", json!(id));
        self.login(
            "/client/authentication",
            json!({method: {"secret": {"env": name}}}),
        );
    }

    /// The scopes of a login, of which one is always `openid`.
    pub(crate) fn scopes(&mut self, scopes: &[&str], at: &str, notes: &mut Notes) {
        let mut all: Vec<&str> = Vec::new();
        if !scopes.contains(&"openid") {
            notes.stricter(
                at,
                "`openid` is asked for as well: a login needs an ID token, and it is checked",
            );
            all.push("openid");
        }
        for scope in scopes {
            if !all.contains(scope) {
                all.push(scope);
            }
        }
        self.login("/scopes", json!(all));
    }

    /// The path that people come back to after the login.
    pub(crate) fn callback(&mut self, path: &str, notes: &mut Notes) {
        self.set("/paths/callback", json!(path));
        notes.remains("", format!("register `https://<your host>{path}` as a redirect URI at the provider, for every host, and `https://<your host>/oauth2/logged-out` as a post-logout redirect URI"));
    }

    /// The session ends with its access token, as it did, though nothing forwards the token.
    pub(crate) fn end_with_access_token(&mut self, at: &str, notes: &mut Notes) {
        self.set("/session/reread_claims", json!("15m"));
        notes.stricter(at, "a session still ends with its access token: claims are read again every 15 minutes (`session.reread_claims`), so the provider needs a userinfo endpoint or gives refresh tokens");
    }

    pub(crate) fn finish(mut self) -> Value {
        if self.is_closed {
            self.rules.clear();
            let is_refusal = |word: &Value| *word == json!("deny");
            if !self.otherwise.get("otherwise").is_none_or(is_refusal) {
                self.otherwise.remove("otherwise");
            }
            self.otherwise("require", json!({"issuers": [NOBODY]}));
            self.set("/cors_preflight", json!("deny"));
        }
        if !self.otherwise.is_empty() {
            self.rules.push(Value::Object(self.otherwise.clone()));
        }
        // A rule that keeps a public one narrow asks what all others ask.
        for rule in &mut self.rules {
            if let Value::Object(rule) = rule
                && rule.get("access").is_none()
            {
                for (key, value) in &self.otherwise {
                    rule.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        if !self.rules.is_empty() {
            let rules = self.rules.clone();
            self.set("/rules", Value::Array(rules));
        }
        self.root
    }
}

/// The audiences of access tokens: those that were said, or one that accepts none.
pub(crate) fn audiences(options: &Options, at: &str, notes: &mut Notes) -> Value {
    if options.audiences.is_empty() {
        notes.decide(at, format!("nothing says whom the access tokens are for, and the source never asked: say --audience NAME, once for each; until then the result names `{NO_AUDIENCE}` and accepts no token"));
        return json!([NO_AUDIENCE]);
    }
    notes.stricter(at, "an access token must be for one of `audiences`");
    json!(options.audiences)
}

/// The host of an address, as the name of the cluster that reaches it.
pub(crate) fn cluster_name(url: &str) -> &str {
    issuer::parts(url).map_or("idp", |(_, host, _)| host)
}

/// Writes a member of an object.
pub(crate) fn put(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(key.to_owned(), value);
    }
}

/// Whole seconds as a duration of Portero's.
pub(crate) fn seconds(count: u64) -> Value {
    json!(format!("{count}s"))
}
