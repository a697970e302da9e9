//! The OpenID provider: ours, with switches, or another one that `PORTERO_TEST_ISSUER` names.
//!
//! For another one: `PORTERO_TEST_ISSUER` (plain http), `PORTERO_TEST_CLIENT_ID`, `PORTERO_TEST_CLIENT_SECRET`, `PORTERO_TEST_USER`,
//! `PORTERO_TEST_PASSWORD`; where they differ from ours, `PORTERO_TEST_LOGIN_FIELD` (login) and `PORTERO_TEST_PASSWORD_FIELD`
//! (password), the names of the fields in its form, and `PORTERO_TEST_SCOPES`. It must know the redirect URI
//! `http://app.localhost:10000/oauth2/callback` (and `/oauth2/logged-out` for after a logout); `PORTERO_TEST_GATEWAY_PORT` changes the
//! port.
use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use crate::artifact;
use crate::http::Request;
use crate::port;
use crate::process::Process;
use crate::wait;

/// Somebody who can log in.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub password: String,
}

impl Person {
    /// One of our provider's people: alice, bob, big, uni.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            password: "portero".to_owned(),
        }
    }
}

/// What Portero is to the provider.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: String,
    pub secret: String,
}

/// The secret of our provider's clients, but for web-odd (which has [`ODD_SECRET`]) and spa (which has none).
pub const SECRET: &str = "a-client-secret-for-tests-only-0123456789";
pub const ODD_SECRET: &str = "p:a%s s+w/o=rd&x";

/// What to fill into a login form.
#[derive(Clone, Debug)]
pub struct LoginForm {
    pub login: String,
    pub password: String,
}

/// A provider; ours ends on drop.
pub struct Provider {
    issuer: String,
    address: SocketAddr,
    client: Client,
    person: Person,
    form: LoginForm,
    scopes: Vec<String>,
    switches: Option<Switches>,
    fixed_port: Option<u16>,
}

/// How to change our provider while it runs.
struct Switches {
    _process: Process,
    admin: Arc<SocketAddr>,
}

/// Tells a provider where Portero listens.
#[derive(Clone)]
pub struct Registrar {
    admin: Option<Arc<SocketAddr>>,
    fixed_port: Option<u16>,
}

impl Registrar {
    /// The one port that a provider which is not ours knows.
    pub(crate) fn fixed_port(&self) -> Option<u16> {
        self.fixed_port
    }

    pub(crate) fn register(&self, origin: &str) {
        if let Some(admin) = &self.admin {
            post(**admin, "/admin/set", &json!({"relyingParties": [origin]}));
        }
    }
}

/// What the provider was asked.
pub struct Journal {
    /// Requests per path.
    pub counts: BTreeMap<String, u64>,
    /// `{"method", "path", "query", "headers", "status", "form"}` each, oldest first; `form` for the token endpoint. A parameter
    /// that came several times is a list in it.
    pub requests: Vec<Value>,
}

impl Journal {
    pub fn count(&self, path: &str) -> u64 {
        self.counts.get(path).copied().unwrap_or(0)
    }

    /// How many refresh tokens were to be redeemed.
    pub fn refreshes(&self) -> usize {
        self.grants("refresh_token").len()
    }

    /// The requests to the token endpoint with this `grant_type`, oldest first.
    pub fn grants(&self, grant_type: &str) -> Vec<&Value> {
        let all = self.requests.iter();
        all.filter(|request| {
            request["path"] == "/token" && request["form"]["grant_type"] == grant_type
        })
        .collect()
    }

    /// The forms sent to the token endpoint, oldest first.
    pub fn token_requests(&self) -> Vec<&Value> {
        self.requests
            .iter()
            .filter(|request| request["path"] == "/token")
            .map(|request| &request["form"])
            .collect()
    }
}

impl Provider {
    /// The provider that this run is about: another one if it is named, else ours.
    pub fn start() -> Self {
        Self::other().unwrap_or_else(Self::start_ours)
    }

    /// Ours, unless this run is about another one.
    pub fn ours() -> Option<Self> {
        if std::env::var_os("PORTERO_TEST_ISSUER").is_some() {
            None
        } else {
            Some(Self::start_ours())
        }
    }

    /// The same at `https://idp.example.com:<port>`, with a certificate in this name that `tests/envoy/certificate/certificate.pem`
    /// has signed.
    pub fn ours_with_tls() -> Option<Self> {
        if std::env::var_os("PORTERO_TEST_ISSUER").is_some() {
            return None;
        }
        let port = port::free();
        let mut command = Command::new("node");
        command
            .env("TLS_PORT", port.to_string())
            .env(
                "TLS_CERTIFICATE",
                artifact::certificate("idp.example.com.pem"),
            )
            .env("TLS_KEY", artifact::certificate("key.pem"));
        let issuer = format!("https://idp.example.com:{port}");
        Some(Self::start_as(issuer, port::free(), command))
    }

    fn start_ours() -> Self {
        let port = port::free();
        let issuer = format!("http://op.localhost:{port}");
        Self::start_as(issuer, port, Command::new("node"))
    }

    fn start_as(issuer: String, port: u16, mut command: Command) -> Self {
        let script = artifact::provider();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        command
            .arg(script)
            .env("ISSUER", &issuer)
            .env("PORT", port.to_string())
            .env("CLIENT_SECRET", SECRET);
        let mut process = Process::start("provider", command);
        let ready = format!("ready {issuer}");
        wait::until_within(Duration::from_secs(60), "the provider listens", || {
            assert!(
                process.ended().is_none(),
                "the provider does not start\n{}",
                process.tail()
            );
            process
                .log()
                .lines()
                .any(|line| line == ready)
                .then_some(())
        });
        Self {
            issuer,
            address,
            client: Client {
                id: "web".to_owned(),
                secret: SECRET.to_owned(),
            },
            person: Person::named("alice"),
            form: LoginForm {
                login: "login".to_owned(),
                password: "password".to_owned(),
            },
            scopes: ["openid", "profile", "email", "groups", "roles"]
                .map(str::to_owned)
                .to_vec(),
            switches: Some(Switches {
                _process: process,
                admin: Arc::new(address),
            }),
            fixed_port: None,
        }
    }

    fn other() -> Option<Self> {
        let variable = |name: &str| {
            std::env::var(format!("PORTERO_TEST_{name}"))
                .ok()
                .filter(|value| !value.is_empty())
        };
        let needed = |name: &str| {
            variable(name).unwrap_or_else(|| {
                panic!("PORTERO_TEST_ISSUER is set, so PORTERO_TEST_{name} is needed, too")
            })
        };
        let issuer = variable("ISSUER")?;
        let url = Url::parse(&issuer)
            .unwrap_or_else(|error| panic!("PORTERO_TEST_ISSUER is {issuer:?}: {error}"));
        assert_eq!(
            url.scheme(),
            "http",
            "PORTERO_TEST_ISSUER is {issuer:?}; the tests speak plain http only"
        );
        Some(Self {
            address: resolve(&url),
            client: Client {
                id: needed("CLIENT_ID"),
                secret: needed("CLIENT_SECRET"),
            },
            person: Person {
                name: needed("USER"),
                password: needed("PASSWORD"),
            },
            form: LoginForm {
                login: variable("LOGIN_FIELD").unwrap_or_else(|| "login".to_owned()),
                password: variable("PASSWORD_FIELD").unwrap_or_else(|| "password".to_owned()),
            },
            scopes: variable("SCOPES")
                .unwrap_or_else(|| "openid profile email".to_owned())
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            switches: None,
            fixed_port: Some(variable("GATEWAY_PORT").map_or(10_000, |port| {
                port.parse().expect("PORTERO_TEST_GATEWAY_PORT is a port")
            })),
            issuer,
        })
    }

    /// Whether it has switches, and ends with this value.
    pub fn is_ours(&self) -> bool {
        self.switches.is_some()
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Somebody who can log in here.
    pub fn person(&self) -> Person {
        self.person.clone()
    }

    /// How its login form calls its fields.
    pub fn form(&self) -> &LoginForm {
        &self.form
    }

    pub(crate) fn registrar(&self) -> Registrar {
        Registrar {
            admin: self
                .switches
                .as_ref()
                .map(|switches| Arc::clone(&switches.admin)),
            fixed_port: self.fixed_port,
        }
    }

    /// Registers addresses of Portero, for tests that do without [`crate::portero`].
    pub fn register(&self, origins: &[&str]) {
        self.set(json!({"relyingParties": origins}));
    }

    /// Pulls switches, as `tests/provider/settings.mjs` and `faults.mjs` list them.
    pub fn set(&self, switches: Value) {
        post(self.admin(), "/admin/set", &switches);
    }

    /// Makes a path misbehave: `provider.fault("/token", json!({"status": 503, "times": 1}))`. Earlier faults are forgotten.
    pub fn fault(&self, path: &str, fault: Value) {
        self.set(json!({"faults": {path: fault}}));
    }

    /// No more faults.
    pub fn heal(&self) {
        self.set(json!({"faults": {}}));
    }

    /// New signing keys: "add" (old ones stay published), "next" (published, not yet used), "replace" (old ones are gone).
    pub fn rotate(&self, mode: &str) {
        post(self.admin(), "/admin/rotate", &json!({"mode": mode}));
    }

    /// Default switches, an empty journal, nobody logged in; the addresses of Portero are forgotten, too.
    pub fn reset(&self) {
        post(self.admin(), "/admin/reset", &json!({}));
    }

    /// What it was asked so far.
    pub fn journal(&self) -> Journal {
        let mut journal = Request::get("/admin/log")
            .send(self.admin())
            .expect("an answer from the provider")
            .json();
        Journal {
            counts: serde_json::from_value(journal["counts"].take()).expect("numbers"),
            requests: serde_json::from_value(journal["requests"].take()).expect("a list"),
        }
    }

    /// Forgets what it was asked.
    pub fn forget(&self) {
        Request::new("DELETE", "/admin/log")
            .send(self.admin())
            .expect("an answer from the provider");
    }

    fn admin(&self) -> SocketAddr {
        *self
            .switches
            .as_ref()
            .expect(
                "this provider has no switches; such tests start with provider_with_switches!()",
            )
            .admin
    }
}

fn post(to: SocketAddr, path: &str, body: &Value) {
    let response = Request::post(path, body.to_string())
        .send(to)
        .expect("an answer from the provider");
    assert_eq!(response.status, 200, "{path}: {}", response.text());
}

/// Names below localhost are this machine, as browsers have it; the system's resolver need not know them.
pub(crate) fn resolve(url: &Url) -> SocketAddr {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    if host == "localhost" || host.ends_with(".localhost") {
        return SocketAddr::from(([127, 0, 0, 1], port));
    }
    (host.trim_matches(['[', ']']), port)
        .to_socket_addrs()
        .ok()
        .and_then(|mut all| all.next())
        .unwrap_or_else(|| panic!("{host} has no address"))
}

/// Starts our provider for a test that pulls its switches. Where the run is about another provider, the test is noted as not run,
/// by its name, and returns.
#[macro_export]
macro_rules! provider_with_switches {
    () => {
        $crate::provider_with_switches!($crate::provider::Provider::ours())
    };
    ($ours:expr) => {{
        fn here() {}
        match $ours {
            Some(provider) => provider,
            None => {
                $crate::provider::not_run(
                    ::std::any::type_name_of_val(&here),
                    "it needs a provider with switches",
                );
                return;
            }
        }
    }};
}

/// Says that a test was not run, on the terminal and in the file that `PORTERO_TEST_NOT_RUN` names.
pub fn not_run(name: &str, why: &str) {
    use std::io::Write;
    let name = name.strip_suffix("::here").unwrap_or(name);
    let line = format!("{name}: {why}\n");
    // Written past the test runner, which keeps what passing tests print; and each line at once, for tests run side by side.
    let _ = std::io::stderr().write_all(format!("not run: {line}").as_bytes());
    if let Some(path) = std::env::var_os("PORTERO_TEST_NOT_RUN") {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}
