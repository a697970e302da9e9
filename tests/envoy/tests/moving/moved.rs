use std::fs;
use std::net::SocketAddr;

use portero_convert::{Options, System, convert};
use portero_envoy_tests::envoy::SESSION_KEY;
use portero_envoy_tests::provider::{Person, SECRET};
use portero_envoy_tests::{
    Filter, Provider, Request, Response, Setup, Upstream, Visitor, artifact, port,
};
use serde_json::json;

pub const PARTNER_SECRET: &str = "a-secret-of-a-partner-0123456789-abcdef";

/// Portero with what comes of a source, at an address of its own.
pub struct Moved {
    pub setup: Setup,
    pub address: SocketAddr,
}

impl Moved {
    pub fn new(
        system: System,
        name: &str,
        client: &str,
        provider: &Provider,
        upstream: &Upstream,
    ) -> Self {
        let text = source(name).replace("client_id: web", &format!("client_id: {client}"));
        Self::of(system, &text, &["orders"], provider, upstream)
    }

    /// What comes of this text, with these audiences.
    pub fn of(
        system: System,
        text: &str,
        audiences: &[&str],
        provider: &Provider,
        upstream: &Upstream,
    ) -> Self {
        let issuer = provider.issuer().trim_end_matches('/');
        let text = text.replace("https://idp.example.com", issuer);
        let options = Options {
            audiences: audiences.iter().copied().map(str::to_owned).collect(),
            any_query: true,
            ..Options::default()
        };
        let conversion = convert(system, &text, &options).expect("a conversion");
        assert!(
            conversion.notes.decisions.is_empty(),
            "{}",
            conversion.notes
        );
        let mut configuration = conversion.configuration.expect("a configuration");
        // The only thing that is not as it comes: browsers reach this Envoy without TLS.
        configuration["session"]["cookie"] = json!({"insecure_allow_http": true});
        let providers = configuration["providers"].as_object().expect("providers");
        let clusters: Vec<String> = providers
            .values()
            .filter_map(|one| Some(one["cluster"].as_str()?.to_owned()))
            .collect();
        let mut setup = Setup::new(upstream).env("SESSION_KEY", SESSION_KEY);
        for cluster in clusters {
            setup = setup.cluster(&cluster, provider.address());
        }
        for name in [
            "OIDC_CLIENT_SECRET",
            "KEYCLOAK_SECRET",
            "BACKEND_1_SECRET",
            "BACKEND_2_SECRET",
        ] {
            setup = setup.env(name, SECRET);
        }
        let setup = setup
            .env("JWT_SECRET_ORDERS_APP_1", PARTNER_SECRET)
            .filter(Filter::new("portero", artifact::portero(), configuration));
        Self {
            setup,
            address: SocketAddr::from(([127, 0, 0, 1], port::free())),
        }
    }

    pub fn send(&self, request: Request) -> Response {
        request.send(self.address).expect("an answer")
    }

    pub fn get(&self, path: &str) -> Response {
        self.send(Request::get(path))
    }

    pub fn origin(&self) -> String {
        format!("http://app.localhost:{}", self.address.port())
    }

    /// Each of these paths has this status for somebody of whom nothing is known.
    #[track_caller]
    pub fn answers(&self, statuses: &[(&str, u16)]) {
        for (path, status) in statuses {
            assert_eq!(self.get(path).status, *status, "{path}");
        }
    }

    /// Nothing is left of a session after a visit of the logout.
    #[track_caller]
    pub fn logs_out(&self, mut visitor: Visitor, logout: &str, path: &str) {
        let same_site = ("sec-fetch-site".to_owned(), b"same-origin".to_vec());
        visitor.headers.push(same_site);
        visitor.open(&format!("{}{logout}", self.origin()));
        let after = visitor.fetch(&format!("{}{path}", self.origin()));
        assert_eq!(after.response.status, 401);
    }

    /// Somebody who has logged in to see this path, and what the upstream then got.
    pub fn logged_in(
        &self,
        path: &str,
        provider: &Provider,
        upstream: &Upstream,
    ) -> (Visitor, Request) {
        self.logged_in_as(&provider.person(), path, provider, upstream)
    }

    pub fn logged_in_as(
        &self,
        person: &Person,
        path: &str,
        provider: &Provider,
        upstream: &Upstream,
    ) -> (Visitor, Request) {
        upstream.forget();
        let mut visitor = Visitor::with_form(provider.form());
        let url = format!("{}{path}", self.origin());
        let page = visitor.log_in(&url, person);
        assert_eq!(page.response.status, 200, "{}", page.response.text());
        assert_eq!(page.url.as_str(), url);
        (visitor, upstream.only())
    }
}

fn source(name: &str) -> String {
    let file = artifact::root().join("tests/fixtures/moving").join(name);
    fs::read_to_string(file).expect("a source")
}

/// A source with these words in the place of others.
pub fn with(name: &str, words: &[(&str, &str)]) -> String {
    words.iter().fold(source(name), |text, (from, to)| {
        assert!(text.contains(from), "{name} has no {from}");
        text.replace(from, to)
    })
}
