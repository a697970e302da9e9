//! Portero beside Envoy's own filters.
use std::net::SocketAddr;
use std::time::Duration;

use portero::jose::Algorithm;
use portero_envoy_tests::http::{Connection, Request, Response};
use portero_envoy_tests::{Envoy, Provider, Setup, Upstream, Visitor, port, wait};
use serde_json::{Value, json};
use url::Url;

use crate::credentials::{AUDIENCE, Issuer, Sessions, key_set, request, typical_claims};
use crate::filters::{self, SHOWN, SMALL_CACHE};
use crate::load::Load;
use crate::measure::Variant;

/// Headers of one request.
pub type Headers = Vec<(&'static str, String)>;

/// A way through Envoy, before it is known to work.
pub struct Way {
    pub name: String,
    pub base: Option<String>,
    pub listener: SocketAddr,
    pub path: &'static str,
    /// One of these after the other.
    pub headers: Vec<Headers>,
    /// Headers that must reach the upstream.
    pub shown: Vec<String>,
}

impl Way {
    /// Its load, once a request has got the answer that is meant.
    pub fn prepare(self) -> Result<Variant, String> {
        let name = self.name;
        for headers in [self.headers.first(), self.headers.last()] {
            let seen = see(self.listener, self.path, headers.expect("a request"))
                .map_err(|answer| format!("{name}: {answer}"))?;
            for header in &self.shown {
                if seen.one(header).is_none() {
                    return Err(format!("{name}: the upstream is not told {header}"));
                }
            }
        }
        let requests = self.headers.iter();
        let requests = requests.map(|headers| bytes(self.path, headers, &[]));
        Ok(Variant {
            load: Load::new(self.listener, requests.collect()),
            name,
            base: self.base,
        })
    }

    /// Whether its credentials are more than the small cache can hold, so that each is new when it comes again.
    fn must_be_new_each_time(&self) {
        let sizes = self.headers.iter().flatten().map(|(_, value)| value.len());
        assert!(
            sizes.sum::<usize>() > 2 * SMALL_CACHE,
            "{}: too few credentials to be new each time",
            self.name
        );
    }
}

pub fn bytes(path: &str, headers: &Headers, more: &[(&str, &str)]) -> Vec<u8> {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let all: Vec<_> = headers.chain(more.iter().copied()).collect();
    request(path, &all)
}

/// What such a request is when it reaches the upstream.
fn see(listener: SocketAddr, path: &str, headers: &Headers) -> Result<Request, String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut connection = Connection::open(listener).map_err(failed)?;
    connection
        .write(&bytes(path, headers, &[(SHOWN, "yes")]))
        .map_err(failed)?;
    let answer = connection.response(b"GET").map_err(failed)?;
    if answer.status != 200 {
        return Err(format!("{} {}", answer.status, answer.text()));
    }
    let seen = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut request = Request::get(text(&seen["path"]));
    for header in seen["headers"].as_array().into_iter().flatten() {
        request = request.header(text(&header[0]), text(&header[1]));
    }
    Ok(request)
}

/// One Envoy with all listeners, which ends with this value.
pub struct Bench {
    pub envoy: Envoy,
    _upstreams: Vec<Upstream>,
    _provider: Provider,
}

impl Bench {
    pub fn new(envoy: Envoy, upstreams: Vec<Upstream>, provider: Provider) -> Self {
        envoy.log_less();
        Self {
            envoy,
            _upstreams: upstreams,
            _provider: provider,
        }
    }
}

/// A listener for each setup in one Envoy, the first of which is the one that Envoy is known by.
pub fn start(first: Setup, others: Vec<Setup>) -> (Envoy, Vec<SocketAddr>) {
    let mut listeners = Vec::new();
    let mut whole = first;
    for other in others {
        let listener = SocketAddr::from(([127, 0, 0, 1], port::free()));
        listeners.push(listener);
        whole = whole.beside(listener, other);
    }
    let envoy = whole.start();
    listeners.insert(0, envoy.address());
    (envoy, listeners)
}

/// What a session weighs in the browser, in bytes.
#[derive(Clone, Copy)]
pub struct CookieSizes {
    /// Of a typical login: ten claims and a refresh token, no tokens for the upstream.
    pub typical: usize,
    /// Of a login by Envoy's own filter, which keeps both tokens.
    pub native: usize,
}

const KB: usize = 1024;

/// Everything that is compared, and the size of a cookie.
pub fn prepare() -> Result<(Bench, Vec<Variant>, CookieSizes), String> {
    let upstream = Upstream::start();
    let provider = Provider::ours().ok_or("this needs the provider of the project")?;
    let tokens = token_endpoint();

    let sessions = filters::sessions(&provider);
    let mut few_sessions = sessions.clone();
    few_sessions["session"]["cache_bytes"] = json!(SMALL_CACHE);
    let bearer = filters::bearer();
    let mut few_tokens = bearer.clone();
    few_tokens["session"]["cache_bytes"] = json!(SMALL_CACHE);

    let none = || filters::none(&upstream);
    let portero = |configuration: &Value| filters::portero(&provider, &upstream, configuration);
    let native_token = |algorithm: Algorithm, cached: bool| {
        let issuer = filters::issuer(algorithm);
        none().before(filters::jwt_authn(
            issuer,
            AUDIENCE,
            &key_set(algorithm),
            cached,
            false,
        ))
    };
    let native_login = || {
        none()
            .cluster("tokens", tokens.address())
            .before(filters::oauth2())
    };
    let native_pair = |cached: bool| {
        let rs = Algorithm::Rs256;
        native_login().before(filters::jwt_authn(
            filters::issuer(rs),
            AUDIENCE,
            &key_set(rs),
            cached,
            true,
        ))
    };
    let (rs, es) = (Algorithm::Rs256, Algorithm::Es256);
    let (envoy, listeners) = start(
        native_login().bootstrap("/static_resources/secrets", filters::oauth2_secrets()),
        vec![
            none(),
            filters::empty(&upstream),
            portero(&sessions),
            portero(&few_sessions),
            portero(&bearer),
            portero(&few_tokens),
            native_token(rs, true),
            native_token(rs, false),
            native_token(es, true),
            native_token(es, false),
            native_pair(true),
            native_pair(false),
        ],
    );
    let [
        oauth2,
        none,
        empty,
        warm_sessions,
        new_sessions,
        warm_tokens,
        new_tokens,
        rs_cached,
        rs_uncached,
        es_cached,
        es_uncached,
        pair_cached,
        pair_uncached,
    ] = listeners[..]
    else {
        unreachable!("as many listeners as setups");
    };

    let mut seal = Sessions::new(&sessions);
    end_one(warm_sessions, &mut seal)?;
    let mut ways = Vec::new();
    let mut way =
        |name: &str, base: Option<&str>, listener, headers: &[Headers], shown: &[&str]| {
            ways.push(Way {
                name: name.to_owned(),
                base: base.map(ToOwned::to_owned),
                listener,
                path: "/orders",
                headers: headers.to_vec(),
                shown: shown.iter().map(|name| (*name).to_owned()).collect(),
            });
        };

    let visitor = [vec![("cookie", "theme=dark".to_owned())]];
    way("no filter", None, none, &visitor, &[]);
    way("empty Wasm filter", Some("no filter"), empty, &visitor, &[]);

    const TOLD: [&str; 4] = ["x-user", "x-user-email", "x-roles", "authorization"];
    for size in [1, 2, 4] {
        let base = format!("no filter, {size} KB cookie");
        let one = [with_cookie(&seal.cookie_of(size * KB))];
        way(&base, None, none, &one, &[]);
        let name = format!("Portero, warm session, {size} KB cookie");
        way(&name, Some(&base), warm_sessions, &one, &TOLD);
        let many: Vec<_> = (0..6000 / size)
            .map(|_| with_cookie(&seal.cookie_of(size * KB)))
            .collect();
        let name = format!("Portero, session first seen, {size} KB cookie");
        way(&name, Some(&base), new_sessions, &many, &TOLD);
    }

    const TOLD_OF_TOKEN: [&str; 4] = ["x-user", "x-user-email", "x-client", "x-scope"];
    for (algorithm, name, cached, uncached) in [
        (rs, "RS256", rs_cached, rs_uncached),
        (es, "ES256", es_cached, es_uncached),
    ] {
        let base = format!("no filter, {name} token");
        let mut issuer = Issuer::new(filters::issuer(algorithm), algorithm);
        let many: Vec<_> = (0..2000).map(|_| with_token(&issuer.token())).collect();
        let one = &many[..1];
        way(&base, None, none, one, &[]);
        let named = |what: &str| format!("{what}, {name} token");
        let told = &TOLD_OF_TOKEN[..];
        way(
            &named("jwt_authn with cache"),
            Some(&base),
            cached,
            one,
            told,
        );
        way(
            &named("jwt_authn without cache"),
            Some(&base),
            uncached,
            &many,
            told,
        );
        way(
            &named("Portero, seen before"),
            Some(&base),
            warm_tokens,
            one,
            told,
        );
        way(
            &named("Portero, first seen"),
            Some(&base),
            new_tokens,
            &many,
            told,
        );
    }

    let native = [log_in(&envoy)];
    let native_size = native[0][0].1.len();
    let base = "no filter, oauth2's cookies";
    way(base, None, none, &native, &[]);
    way("oauth2", Some(base), oauth2, &native, &["authorization"]);
    let told = ["authorization", "x-user"];
    way(
        "oauth2 + jwt_authn with cache",
        Some(base),
        pair_cached,
        &native,
        &told,
    );
    way(
        "oauth2 + jwt_authn without cache",
        Some(base),
        pair_uncached,
        &native,
        &told,
    );
    way(
        "Portero, public path",
        Some("no filter"),
        warm_sessions,
        &visitor,
        &[],
    );

    for way in &mut ways {
        if way.name.starts_with("Portero") && way.name.contains("first seen") {
            way.must_be_new_each_time();
        }
        if way.name.contains("public") {
            way.path = "/public";
        }
    }
    let variants = ways
        .into_iter()
        .map(Way::prepare)
        .collect::<Result<_, _>>()?;
    let sizes = CookieSizes {
        typical: seal.cookie(&typical_claims(), "").len(),
        native: native_size,
    };
    Ok((
        Bench::new(envoy, vec![upstream, tokens], provider),
        variants,
        sizes,
    ))
}

pub fn with_cookie(cookie: &str) -> Headers {
    vec![("cookie", format!("theme=dark; {cookie}"))]
}

pub fn with_token(token: &str) -> Headers {
    vec![
        ("cookie", "theme=dark".to_owned()),
        ("authorization", format!("Bearer {token}")),
    ]
}

/// Ends a session: from the first logout on every request looks whether its own has been ended, as in every Envoy that has run for a
/// while. The provider's keys are known then, too, and no listener asks for them any more.
pub fn end_one(listener: SocketAddr, seal: &mut Sessions) -> Result<(), String> {
    let headers = with_cookie(&seal.cookie_of(KB));
    let page = wait::until_within(Duration::from_secs(30), "a session is let in", || {
        see(listener, "/orders", &headers).ok()
    });
    drop(page);
    let mut connection = Connection::open(listener).map_err(|error| error.to_string())?;
    let more = [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "navigate"),
    ];
    connection
        .write(&bytes("/oauth2/logout", &headers, &more))
        .map_err(|error| error.to_string())?;
    let answer = connection
        .response(b"GET")
        .map_err(|error| error.to_string())?;
    if see(listener, "/orders", &headers).is_ok() {
        return Err(format!(
            "a logout ends nothing: {} {}",
            answer.status,
            answer.text()
        ));
    }
    Ok(())
}

/// Where Envoy's own filter gets tokens: as large as those of programs, RS256, the same for the access token and the ID token.
fn token_endpoint() -> Upstream {
    let mut issuer = Issuer::new(filters::issuer(Algorithm::Rs256), Algorithm::Rs256);
    let (access_token, id_token) = (issuer.token(), issuer.token());
    let tokens = json!({
        "access_token": access_token,
        "id_token": id_token,
        "token_type": "Bearer",
        "expires_in": 28800,
    });
    Upstream::answering(move |_| {
        Response::new(200)
            .header("content-type", "application/json")
            .body(tokens.to_string())
    })
}

/// Logs in by Envoy's own filter, and gives back the headers of somebody who is. The provider's page is left out: it would only send
/// the browser back.
fn log_in(envoy: &Envoy) -> Headers {
    let mut alice = Visitor::new();
    let away = alice.open(&envoy.url("/orders")).redirect();
    let away = away.expect("the way to the provider");
    let state = away.query_pairs().find(|(name, _)| name == "state");
    let (_, state) = state.expect("a state");
    let mut back = Url::parse(&envoy.url("/oauth2/callback")).expect("an address");
    back.query_pairs_mut()
        .append_pair("code", "code")
        .append_pair("state", &state);
    let page = alice.visit(back.as_str());
    assert_eq!(page.response.status, 200, "{}", page.response.text());
    let cookies = alice.cookies.header(&page.url);
    let cookies = cookies.expect("cookies of a session");
    let authority = envoy.origin().trim_start_matches("http://").to_owned();
    vec![
        ("cookie", format!("theme=dark; {cookies}")),
        ("host", authority),
    ]
}
