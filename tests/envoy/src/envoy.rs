//! Envoy, as a test wants it.
use std::collections::BTreeMap;
use std::fs;
use std::iter;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::artifact;
use crate::filter::Filter;
use crate::http::{Request, Response};
use crate::launch::{self, launch};
use crate::listener::ListenerFile;
use crate::port;
use crate::process::{Process, fresh_file};
use crate::provider::{self, Provider};
use crate::upstream::Upstream;
use crate::wait;

/// The session key of the tests.
pub const SESSION_KEY: &str = "a-session-key-for-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz";

/// Portero in front of the upstream, logging people in at the provider, configured as the top-level `envoy.yaml` does it.
/// [`Setup::configure`] changes the configuration.
pub fn portero(provider: &Provider, upstream: &Upstream) -> Setup {
    let mut setup = Setup::new(upstream)
        .cluster("idp", provider.address())
        .env("OIDC_CLIENT_SECRET", &provider.client().secret)
        .env("SESSION_KEY", SESSION_KEY)
        .filter(Filter::new(
            "portero",
            artifact::portero(),
            configuration(provider),
        ));
    setup.provider = Some(provider.registrar());
    setup
}

/// The configuration that [`portero`] starts from.
pub fn configuration(provider: &Provider) -> Value {
    json!({
        "providers": {"demo": {
            "issuer": provider.issuer(),
            "cluster": "idp",
            "insecure_allow_http": true,
            "client": {"id": provider.client().id, "authentication": {"client_secret_basic": {"secret": {"env": "OIDC_CLIENT_SECRET"}}}},
            "scopes": provider.scopes(),
        }},
        "session": {"keys": [{"env": "SESSION_KEY"}], "cookie": {"insecure_allow_http": true}},
        "rules": [{"match": {"path": {"exact": "/healthz"}}, "access": "public"}],
        "upstream": {"headers": {
            "x-userinfo": {"userinfo": "base64_json"},
            "x-user": {"claim": "preferred_username"},
            "x-user-email": {"claim": "email"},
            "x-roles": {"claim": ["realm_access", "roles"]},
        }},
    })
}

/// What Envoy will be started with.
#[derive(Clone)]
pub struct Setup {
    clusters: BTreeMap<String, SocketAddr>,
    filters: Vec<Filter>,
    /// Filters of other kinds, before and after ours.
    before: Vec<Value>,
    after: Vec<Value>,
    env: BTreeMap<String, String>,
    workers: u32,
    balanced: bool,
    tls: bool,
    port: Option<u16>,
    known_at: Option<u16>,
    from_file: bool,
    /// Changes to the connection manager's configuration.
    manager: Vec<(String, Value)>,
    /// Changes to Envoy's own.
    bootstrap: Vec<(String, Value)>,
    /// More listeners, each with filters of its own.
    beside: Vec<(SocketAddr, Setup)>,
    provider: Option<provider::Registrar>,
}

impl Setup {
    /// Everything goes to this upstream.
    pub fn new(upstream: &Upstream) -> Self {
        Self {
            clusters: BTreeMap::from([("upstream".to_owned(), upstream.address())]),
            filters: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            env: BTreeMap::new(),
            workers: 1,
            balanced: false,
            tls: false,
            port: None,
            known_at: None,
            from_file: false,
            manager: Vec::new(),
            bootstrap: Vec::new(),
            beside: Vec::new(),
            provider: None,
        }
    }

    /// One more Wasm filter, after those that are there.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Changes the last filter.
    #[must_use]
    pub fn with_filter(mut self, change: impl FnOnce(Filter) -> Filter) -> Self {
        let filter = self.filters.pop().expect("a filter");
        self.filters.push(change(filter));
        self
    }

    /// Changes the last filter's configuration.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.filters.last_mut().expect("a filter").configuration);
        self
    }

    /// A filter of Envoy's own in front of ours, as in Envoy's configuration.
    #[must_use]
    pub fn before(mut self, filter: Value) -> Self {
        self.before.push(filter);
        self
    }

    /// The same behind ours.
    #[must_use]
    pub fn after(mut self, filter: Value) -> Self {
        self.after.push(filter);
        self
    }

    /// Sets something in the connection manager's configuration, by its JSON pointer.
    #[must_use]
    pub fn manager(mut self, pointer: &str, value: Value) -> Self {
        self.manager.push((pointer.to_owned(), value));
        self
    }

    /// Sets something in Envoy's own configuration, by its JSON pointer.
    #[must_use]
    pub fn bootstrap(mut self, pointer: &str, value: Value) -> Self {
        self.bootstrap.push((pointer.to_owned(), value));
        self
    }

    /// Another listener in the same Envoy, with that setup's filters; its clusters become this one's.
    #[must_use]
    pub fn beside(mut self, address: SocketAddr, other: Self) -> Self {
        self.clusters.extend(other.clusters.clone());
        self.env.extend(other.env.clone());
        self.beside.push((address, other));
        self
    }

    /// A name under which filters reach this address.
    #[must_use]
    pub fn cluster(mut self, name: &str, address: SocketAddr) -> Self {
        self.clusters.insert(name.to_owned(), address);
        self
    }

    /// A variable that filters can read.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Worker threads; one unless said otherwise.
    #[must_use]
    pub fn workers(mut self, workers: u32) -> Self {
        self.workers = workers;
        self
    }

    /// A new connection goes to the worker that has fewest open ones. Without this the kernel chooses.
    #[must_use]
    pub fn balanced(mut self) -> Self {
        self.balanced = true;
        self
    }

    /// Listens with TLS, and a certificate that nobody has signed.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// A certain port, for an Envoy that takes the place of another one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// People know it by another port than its own, as one of several Envoys behind a balancer that listens there.
    #[must_use]
    pub fn known_at(mut self, port: u16) -> Self {
        self.known_at = Some(port);
        self
    }

    /// Takes its listener from a file, so that [`Envoy::replace_listener`] can change it while Envoy serves.
    #[must_use]
    pub fn listener_from_file(mut self) -> Self {
        self.from_file = true;
        self
    }

    /// Starts it and waits until it serves; fails the test if it does not.
    pub fn start(self) -> Envoy {
        self.try_start()
            .unwrap_or_else(|log| panic!("Envoy does not start\n{log}"))
    }

    /// Starts it and waits until it serves, or has refused to; then this is its log.
    pub fn try_start(self) -> Result<Envoy, String> {
        // A provider that is not ours knows one address of ours only, so Envoys take turns.
        let turn = self
            .provider
            .as_ref()
            .and_then(provider::Registrar::fixed_port)
            .map(|port| {
                static TURN: Mutex<()> = Mutex::new(());
                (port, TURN.lock().unwrap_or_else(PoisonError::into_inner))
            });
        let port = self
            .port
            .or(turn.as_ref().map(|(port, _)| *port))
            .unwrap_or_else(port::free);
        let admin = SocketAddr::from(([127, 0, 0, 1], port::free()));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let scheme = if self.tls { "https" } else { "http" };
        let origin = format!("{scheme}://app.localhost:{}", self.known_at.unwrap_or(port));
        if let Some(provider) = &self.provider {
            provider.register(&origin);
        }
        let config = fresh_file("envoy", "json");
        let listener_file = self
            .from_file
            .then(|| ListenerFile::new(&self.listener(address)));
        let json = self.json(address, admin, listener_file.as_ref());
        fs::write(&config, format!("{json:#}")).expect("a configuration file");
        let process = launch(&config, self.workers, &self.env, admin)?;
        Ok(Envoy {
            process,
            config,
            address,
            admin,
            origin,
            listener_file,
            _turn: turn.map(|(_, guard)| guard),
        })
    }

    fn json(
        &self,
        address: SocketAddr,
        admin: SocketAddr,
        listener_file: Option<&ListenerFile>,
    ) -> Value {
        let clusters: Vec<_> = self
            .clusters
            .iter()
            .map(|(name, address)| {
                json!({
                    "name": name,
                    "type": "STATIC",
                    "connect_timeout": "2s",
                    "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket(*address)}}]}]},
                })
            })
            .collect();
        let mut bootstrap = json!({
            "admin": {"address": socket(admin)},
            "static_resources": {"clusters": clusters},
        });
        match listener_file {
            Some(file) => {
                bootstrap["node"] = json!({"id": "gateway", "cluster": "gateways"});
                bootstrap["dynamic_resources"] = json!({"lds_config": file.source()});
            }
            None => {
                let beside = self.beside.iter().map(|(address, other)| {
                    let mut listener = other.listener(*address);
                    listener["name"] = json!(format!("port-{}", address.port()));
                    listener
                });
                bootstrap["static_resources"]["listeners"] =
                    iter::once(self.listener(address)).chain(beside).collect();
            }
        }
        set(&mut bootstrap, &self.bootstrap);
        bootstrap
    }

    pub(crate) fn listener(&self, address: SocketAddr) -> Value {
        let mut filters = self.before.clone();
        filters.extend(self.filters.iter().map(|filter| filter.json(&self.env)));
        filters.extend(self.after.iter().cloned());
        filters.push(json!({"name": "router", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}));
        let mut manager = json!({
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "gateway",
                "normalize_path": true,
                "merge_slashes": true,
                "path_with_escaped_slashes_action": "REJECT_REQUEST",
                "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]}]},
                "http_filters": filters,
        });
        set(&mut manager, &self.manager);
        let mut chain = json!({"filters": [{"name": "http", "typed_config": manager}]});
        if self.tls {
            let file = |name: &str| json!({"filename": artifact::certificate(name)});
            chain["transport_socket"] = json!({
                "name": "tls",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                    "common_tls_context": {"tls_certificates": [{"certificate_chain": file("certificate.pem"), "private_key": file("key.pem")}]},
                },
            });
        }
        let mut listener = json!({
            "name": "gateway",
            "address": socket(address),
            // Two Envoys on one port shall be an error, not a lottery.
            "enable_reuse_port": false,
            "filter_chains": [chain],
        });
        if self.balanced {
            listener["connection_balance_config"] = json!({"exact_balance": {}});
        }
        listener
    }
}

fn set(whole: &mut Value, changes: &[(String, Value)]) {
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let parent = whole.pointer_mut(parent).expect("a part of it");
        parent[key] = value.clone();
    }
}

fn socket(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}

/// A running Envoy; it ends on drop.
///
/// Envoy asks the kernel to be ended when the thread that started it ends, so start it in the test's own thread.
pub struct Envoy {
    process: Process,
    config: PathBuf,
    address: SocketAddr,
    admin: SocketAddr,
    origin: String,
    pub(crate) listener_file: Option<ListenerFile>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Envoy {
    /// One that has been started with a file of its own.
    pub(crate) fn running(
        process: Process,
        config: PathBuf,
        address: SocketAddr,
        admin: SocketAddr,
        host: &str,
    ) -> Self {
        Self {
            process,
            config,
            address,
            admin,
            origin: format!("{host}:{}", address.port()),
            listener_file: None,
            _turn: None,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a browser writes it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Sends a request as it is; no answer fails the test.
    pub fn send(&self, request: &Request) -> Response {
        request.send(self.address).unwrap_or_else(|error| {
            panic!("no answer from Envoy: {error}\n{}", self.process.tail())
        })
    }

    pub fn get(&self, path: &str) -> Response {
        self.send(&Request::get(path))
    }

    /// Where its admin interface listens.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// Asks the admin interface.
    pub fn admin(&self, path: &str) -> Response {
        Request::get(path)
            .send(self.admin)
            .unwrap_or_else(|error| panic!("no answer from Envoy's admin interface: {error}"))
    }

    /// Has the admin interface do something.
    pub fn tell_admin(&self, path: &str) -> Response {
        Request::post(path, "")
            .send(self.admin)
            .unwrap_or_else(|error| panic!("no answer from Envoy's admin interface: {error}"))
    }

    /// All counters and gauges.
    pub fn stats(&self) -> BTreeMap<String, u64> {
        self.admin("/stats")
            .text()
            .lines()
            .filter_map(|line| {
                let (name, value) = line.split_once(": ")?;
                Some((name.to_owned(), value.parse().ok()?))
            })
            .collect()
    }

    /// One counter or gauge; 0 as long as Envoy does not know it.
    pub fn stat(&self, name: &str) -> u64 {
        self.stats().get(name).copied().unwrap_or(0)
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until the log has this text.
    pub fn wait_for_log(&self, text: &str) {
        wait::until(&format!("Envoy logs {text:?}"), || {
            self.log().contains(text).then_some(())
        });
    }

    pub(crate) fn id(&self) -> u32 {
        launch::id(&self.config)
    }
}
