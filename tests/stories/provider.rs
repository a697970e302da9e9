//! A scripted OpenID provider: honest, and as strict as a real one, until a story tells it
//! otherwise.

mod authentication;
mod introspection;
mod script;
mod token;
mod upstream_token;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use portero::flow::{Call, CallFailure, CallResult, Reply};
use portero::telemetry::{Callee, Purpose};
use serde_json::{Value, json};
use url::Url;

use crate::host::Land;
use crate::signer::Signer;
pub use authentication::Authenticated;
pub use script::{Answer, IdToken, Script};
pub use upstream_token::{TokenCall, issued};

pub const ISSUER: &str = "https://idp.example.com/realms/acme";
pub const CLIENT_ID: &str = "portero";
pub const CLIENT_SECRET: &str = "a client secret of the tests";
pub const SUBJECT: &str = "user-1";

/// How the client is registered.
#[derive(Clone, Debug)]
pub struct Registration {
    pub id: String,
    pub secret: String,
    pub method: &'static str,
}

/// An authorization that waits to be redeemed.
#[derive(Clone, Debug)]
struct Grant {
    nonce: String,
    challenge: String,
    redirect_uri: String,
    redeemed: bool,
    /// How the person authenticated, where the script says that the provider tells it.
    authenticated: Option<Authenticated>,
}

pub struct Provider {
    land: Rc<Land>,
    pub script: RefCell<Script>,
    pub client: RefCell<Registration>,
    grants: RefCell<HashMap<String, Grant>>,
    access_tokens: RefCell<Vec<String>>,
    /// Tokens that say nothing themselves, with what the provider says of each.
    opaque: RefCell<HashMap<String, Value>>,
    /// The names of the assertions that clients have shown.
    assertions: RefCell<HashSet<String>>,
    /// Refresh tokens with the nonce of their login; a used one is gone.
    refresh_tokens: RefCell<HashMap<String, String>>,
    /// The queries of authorization requests, in order.
    pub authorizations: RefCell<Vec<String>>,
    /// What came in, in order.
    pub calls: RefCell<Vec<(Purpose, String)>>,
    /// The requests for tokens of the upstream, in order.
    pub token_calls: RefCell<Vec<TokenCall>>,
    issued: Cell<u32>,
    /// How long an answer takes.
    pub latency: Cell<Duration>,
}

impl Provider {
    pub fn new(land: &Rc<Land>) -> Rc<Self> {
        land.keep_secret(CLIENT_SECRET);
        Rc::new(Self {
            land: Rc::clone(land),
            script: RefCell::new(Script::honest()),
            client: RefCell::new(Registration {
                id: CLIENT_ID.to_owned(),
                secret: CLIENT_SECRET.to_owned(),
                method: "client_secret_basic",
            }),
            grants: RefCell::default(),
            access_tokens: RefCell::default(),
            opaque: RefCell::default(),
            assertions: RefCell::default(),
            refresh_tokens: RefCell::default(),
            authorizations: RefCell::default(),
            calls: RefCell::default(),
            token_calls: RefCell::default(),
            issued: Cell::new(0),
            latency: Cell::new(Duration::from_millis(10)),
        })
    }

    /// Signs with another key from now on, and publishes only that.
    pub fn rotate(&self, signer: Signer) {
        let mut script = self.script.borrow_mut();
        script.signer = signer;
        script.jwks = json!({"keys": [signer.jwk()]});
    }

    /// Answers calls for `purpose` in this way, until [`Provider::recover`].
    pub fn break_down(&self, purpose: Purpose, answer: Answer) {
        let mut script = self.script.borrow_mut();
        script.faults.retain(|(other, _)| *other != purpose);
        script.faults.push((purpose, answer));
    }

    /// Nothing of it answers.
    pub fn go_down(&self) {
        for purpose in [
            Purpose::Discovery,
            Purpose::Jwks,
            Purpose::Token,
            Purpose::Userinfo,
            Purpose::Revocation,
            Purpose::Introspection,
            Purpose::UpstreamToken,
        ] {
            self.break_down(purpose, Answer::Status(503));
        }
    }

    pub fn recover(&self) {
        self.script.borrow_mut().faults.clear();
    }

    /// Changes every ID token before it is signed.
    pub fn tamper(&self, change: impl Fn(&mut IdToken) + 'static) {
        self.script.borrow_mut().id_token = Some(Box::new(change));
    }

    /// How many calls came for a purpose.
    pub fn called(&self, purpose: Purpose) -> usize {
        let calls = self.calls.borrow();
        calls.iter().filter(|(other, _)| *other == purpose).count()
    }

    /// The tokens that came to be revoked, in order, each with its kind.
    pub fn asked_to_revoke(&self) -> Vec<(String, String)> {
        let calls = self.calls.borrow();
        let revocations = calls
            .iter()
            .filter(|(purpose, _)| *purpose == Purpose::Revocation);
        revocations
            .map(|(_, form)| {
                let form = Parameters::of(form);
                (form.one("token_type_hint"), form.one("token"))
            })
            .collect()
    }

    /// The refresh tokens that are good, and the access tokens.
    pub fn good_tokens(&self) -> (Vec<String>, Vec<String>) {
        let refresh = self.refresh_tokens.borrow().keys().cloned().collect();
        (refresh, self.access_tokens.borrow().clone())
    }

    /// How many codes have been redeemed.
    pub fn redeemed(&self) -> usize {
        let grants = self.grants.borrow();
        grants.values().filter(|grant| grant.redeemed).count()
    }

    /// A browser at the authorization endpoint: where it is sent back to.
    pub fn authorize(&self, address: &str) -> String {
        let url = Url::parse(address).unwrap();
        assert_eq!(url.path(), "/authorize", "{address}");
        let given = Parameters::of(url.query().unwrap_or_default());
        assert_eq!(given.one("response_type"), "code");
        assert_eq!(given.one("client_id"), self.client.borrow().id);
        assert_eq!(given.one("code_challenge_method"), "S256");
        assert!(given.one("scope").split(' ').any(|scope| scope == "openid"));
        let query = url.query().unwrap_or_default().to_owned();
        self.authorizations.borrow_mut().push(query);
        let tells = self.script.borrow().tells_authentication;
        let authenticated = tells.then(|| self.authenticate(&given)).transpose();
        let denial = authenticated
            .as_ref()
            .err()
            .map(|error| (*error).to_owned());
        let grant = Grant {
            authenticated: authenticated.ok().flatten(),
            nonce: given.one("nonce"),
            challenge: given.one("code_challenge"),
            redirect_uri: given.one("redirect_uri"),
            redeemed: false,
        };
        let mut back = Url::parse(&grant.redirect_uri).unwrap();
        assert_eq!(back.path(), "/oauth2/callback", "not registered");
        let script = self.script.borrow();
        let mut answer = back.query_pairs_mut();
        answer.append_pair("state", &given.one("state"));
        if let Some(iss) = &script.iss_parameter {
            answer.append_pair("iss", iss);
        }
        match script.denial.as_ref().or(denial.as_ref()) {
            Some(error) => {
                answer.append_pair("error", error);
                answer.append_pair("error_description", "<b>what the provider says</b>");
            }
            None => {
                let code = self.issue("code");
                answer.append_pair("code", &code);
                self.grants.borrow_mut().insert(code, grant);
            }
        }
        drop(answer);
        back.into()
    }

    /// An answer to a call, as the proxy hands it over.
    pub fn answer(&self, call: &Call) -> CallResult {
        let Callee::Provider(purpose) = call.callee else {
            panic!("not for the provider: {call:?}");
        };
        self.land.pass(self.latency.get());
        self.calls
            .borrow_mut()
            .push((purpose, String::from_utf8(call.body.clone()).unwrap()));
        assert_eq!(call.cluster, "idp");
        assert_eq!(call.scheme, "https");
        assert_eq!(call.authority, "idp.example.com");
        let fault = self.script.borrow().fault(purpose);
        match fault {
            Some(Answer::NotSent) => return Err(CallFailure::NotSent),
            Some(Answer::CutOff) => return Err(CallFailure::NoAnswer),
            Some(Answer::Status(status)) => {
                return Ok(Reply {
                    status,
                    body: b"<html>no</html>".to_vec(),
                });
            }
            Some(Answer::Body(status, body)) => return Ok(Reply { status, body }),
            None => {}
        }
        let (status, document) = match purpose {
            Purpose::Discovery => (200, self.metadata(call)),
            Purpose::Jwks => {
                assert_eq!((call.method, call.path.as_str()), ("GET", "/keys"));
                (200, self.script.borrow().jwks.clone())
            }
            Purpose::Token => self.token(call),
            Purpose::Userinfo => self.userinfo(call),
            Purpose::Revocation => self.revoke(call),
            Purpose::Introspection => self.introspect(call),
            Purpose::UpstreamToken => self.upstream_token(call),
        };
        Ok(Reply {
            status,
            body: document.to_string().into_bytes(),
        })
    }

    fn metadata(&self, call: &Call) -> Value {
        assert_eq!(
            (call.method, call.path.as_str()),
            ("GET", "/realms/acme/.well-known/openid-configuration")
        );
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://idp.example.com/authorize",
            "token_endpoint": "https://idp.example.com/token",
            "jwks_uri": "https://idp.example.com/keys",
            "userinfo_endpoint": "https://idp.example.com/userinfo",
            "end_session_endpoint": "https://idp.example.com/logout",
            "revocation_endpoint": "https://idp.example.com/revoke",
            "introspection_endpoint": "https://idp.example.com/introspect",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        });
        for (name, value) in &self.script.borrow().metadata {
            document[name] = value.clone();
        }
        document
    }

    fn userinfo(&self, call: &Call) -> (u16, Value) {
        assert_eq!((call.method, call.path.as_str()), ("GET", "/userinfo"));
        let token = header(call, "authorization").strip_prefix("Bearer ");
        let known = token.is_some_and(|token| {
            let tokens = self.access_tokens.borrow();
            tokens.iter().any(|other| other == token)
        });
        match known {
            true => (200, self.script.borrow().userinfo.clone()),
            false => (401, json!({"error": "invalid_token"})),
        }
    }

    /// A value that exists once, and that no log may hold.
    fn issue(&self, kind: &str) -> String {
        self.issued.set(self.issued.get() + 1);
        let value = format!("{kind}~secret~{:08}", self.issued.get());
        self.land.keep_secret(&value);
        value
    }
}

fn header<'a>(call: &'a Call, name: &str) -> &'a str {
    let mut values = call.headers.iter().filter(|(other, _)| *other == name);
    let value = values.next().map_or("", |(_, value)| value);
    assert!(values.next().is_none(), "{name} twice");
    value
}

/// The parameters of a query or a form.
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub fn of(text: &str) -> Self {
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        Self(pairs.into_owned().collect())
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        let pairs = self.0.iter().filter(|(other, _)| other == name);
        pairs.map(|(_, value)| value.as_str()).collect()
    }

    /// A parameter that must be there exactly once.
    #[track_caller]
    pub fn one(&self, name: &str) -> String {
        let values = self.all(name);
        assert_eq!(values.len(), 1, "{name}: {values:?}");
        values[0].to_owned()
    }
}
