//! The parts of a request that need no Envoy, by Criterion: `cargo bench`, or `scripts/bench --native`.
//!
//! They are built as the module is, for size, but for this machine: what counts is how one run compares with another.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use portero::config::{Access, Config};
use portero::flow::{Decision, Flow, Gateway, Step, serve};
use portero::host::{Host, RandomUnavailable, SharedValue, SignatureQuestion};
use portero::jose::{Algorithm, Jwk, JwkSet, Jws, SigningKey};
use portero::request::Request;
use portero::route::{Authority, Route};
use portero::session::{
    Authentication, Authorization, Cache, CacheKey, CookieContext, CookieJar, CookieNames,
    Credential, Footprint, Grant, Seal, Session, StoredSession,
};
use portero::telemetry::{Level, Metric};
use portero::time::Timestamp;
use serde_json::{Value, json};

const HOST: &str = "app.example.com";
const START: Timestamp = Timestamp::from_secs(1_800_000_000);
const LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);

/// A host whose clock stands still.
#[derive(Default)]
struct Still {
    drawn: Cell<u8>,
    shared: RefCell<BTreeMap<String, SharedValue>>,
}

impl Host for Still {
    fn now(&self) -> Timestamp {
        START
    }

    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        for byte in bytes {
            self.drawn
                .set(self.drawn.get().wrapping_mul(5).wrapping_add(37));
            *byte = self.drawn.get();
        }
        Ok(())
    }

    fn shared(&self, slot: &str) -> Option<SharedValue> {
        self.shared.borrow().get(slot).cloned()
    }

    fn set_shared(&self, slot: &str, value: &[u8], _: Option<u32>) -> bool {
        let (bytes, version) = (value.to_vec(), 1);
        let value = SharedValue { bytes, version };
        self.shared.borrow_mut().insert(slot.to_owned(), value);
        true
    }

    fn verify_signature(&self, _: &SignatureQuestion<'_>) -> Option<bool> {
        None
    }

    fn count(&self, _: &Metric) {}

    fn record(&self, _: &Metric, _: u64) {}

    fn log(&self, _: Level, _: &str) {}
}

fn config(rules: usize) -> Config {
    let others = (1..rules).map(|number| {
        json!({"match": {"path": {"prefix": format!("/area-{number}")}}, "access": "public"})
    });
    let last = json!({"match": {"path": {"prefix": "/orders"}}});
    let whole = json!({
        "providers": {"corp": {
            "issuer": "https://idp.example.com",
            "cluster": "idp",
            "client": {"id": "portero", "authentication": {"client_secret_basic": {"secret": {"env": "SECRET"}}}},
        }},
        "session": {"keys": [{"env": "KEY"}]},
        "rules": others.chain([last]).collect::<Value>(),
        "upstream": {"headers": {
            "x-user": {"claim": "preferred_username"},
            "x-user-email": {"claim": "email"},
            "x-roles": {"claim": "roles"},
            "authorization": {"access_token": "bearer"},
        }},
    });
    let environment = |name: &str| Some(format!("{name} of 32 bytes of random text or more"));
    Config::load(whole.to_string().as_bytes(), &environment)
        .unwrap()
        .config
}

/// With an access token of so many bytes.
fn session(token: usize) -> Session {
    Session {
        id: [7; 16],
        family: [7; 16],
        subject: "248289761001-5fd8-4a7c-9c8e".to_owned(),
        seen_at: START,
        ends_at: START.after(LIFETIME),
        authentication: Authentication {
            issued_at: START,
            auth_time: None,
            acr: None,
        },
        claims:
            json!({"preferred_username": "alice", "email": "alice@example.com", "roles": ["clerk"]})
                .to_string(),
        id_token: None,
        access_token: Some("t".repeat(token)),
        grant: Some(Grant {
            credential: Credential::RefreshToken {
                token: "r".repeat(64),
                nonce: "n".repeat(43),
            },
            generation: 0,
            due_at: START.after(LIFETIME),
            expires_at: START.after(LIFETIME),
        }),
        sid: None,
        authorization: Authorization::default(),
        silent_renewal: None,
    }
}

/// What a browser sends that has this session.
fn cookie(config: &Config, session: &Session) -> String {
    let (host, seal, jar) = (
        Still::default(),
        Seal::new(&config.session.keys),
        CookieJar::default(),
    );
    let names = CookieNames::new(&config.session.cookie.name);
    let cookies = stored(config, &names, &seal, &host, &jar)
        .store(session)
        .unwrap();
    let pairs = cookies
        .iter()
        .map(|cookie| cookie.split(';').next().unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}

fn stored<'a>(
    config: &'a Config,
    names: &'a CookieNames,
    seal: &'a Seal,
    host: &'a dyn Host,
    jar: &'a CookieJar<'a>,
) -> StoredSession<'a> {
    StoredSession(CookieContext {
        policy: &config.session,
        names,
        seal,
        host,
        jar,
        authority: HOST,
        issuer: &config.provider.issuer,
    })
}

fn request(path: &str, more: &[(&str, &str)]) -> Request {
    let usual = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", path),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ),
        (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        ("accept-language", "en-GB,en;q=0.5"),
        ("x-request-id", "8f14e45f-ceea-467f-a0e6-7b1a2c3d4e5f"),
    ];
    let headers = usual.iter().chain(more);
    let headers = headers.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    Request::new(headers.collect())
}

fn sessions(criterion: &mut Criterion) {
    let config = config(1);
    let (host, seal) = (Still::default(), Seal::new(&config.session.keys));
    let names = CookieNames::new(&config.session.cookie.name);
    let mut group = criterion.benchmark_group("session cookie");
    for size in [100, 700, 2200] {
        let cookie = cookie(&config, &session(size));
        let header = format!("theme=dark; {cookie}");
        let request = request("/orders", &[("cookie", &header)]);
        let bytes = header.len();
        group.bench_function(BenchmarkId::new("parse jar", bytes), |bencher| {
            bencher.iter(|| CookieJar::of(black_box(&request)));
        });
        let jar = CookieJar::of(&request);
        let cookies = stored(&config, &names, &seal, &host, &jar);
        let sealed = cookies.sealed().unwrap();
        assert!(cookies.open(&sealed).is_some());
        group.bench_function(BenchmarkId::new("join pieces", bytes), |bencher| {
            bencher.iter(|| cookies.sealed());
        });
        group.bench_function(BenchmarkId::new("open", bytes), |bencher| {
            bencher.iter(|| cookies.open(black_box(&sealed)));
        });
    }
}

fn routes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("route, last of");
    for rules in [1, 10, 100] {
        let config = config(rules);
        let request = request("/orders/17?page=2", &[]);
        let authority = Authority::of(&request).ok().unwrap();
        let route = || Route::of(&config, &authority, "GET", request.target()).ok();
        assert_eq!(route(), Some(Route::Protected(Some(rules - 1))));
        group.bench_function(BenchmarkId::from_parameter(rules), |bencher| {
            bencher.iter(route);
        });
    }
}

/// A value whose size is all there is to know of it.
struct Sized(usize);

impl Footprint for Sized {
    fn size(&self) -> usize {
        self.0
    }
}

/// The public halves of the keys that sign here.
const RSA: &str = r#"{"kty":"RSA","e":"AQAB","n":"06N-iCSU5n_JkAndc_TgYtGpNjk7RZDIqT3hedKJPSPGlXp7u53T8hhGzC2KIXlqI2wEJUp42pitsHSU_jN3EM7wsJumWR0FceOMGn-UFgnI4CRptuRqaUXR9E-xSZtt-KiYsLnL2MJIPLLCD63i_yN90PkVvnsRHnF2reC0SFobf9S1pYUjZVbCd54ejdtJTzdisUzgnmmYO51auVHinYFx5mOzK9-bPwhUE8tG7-OI_7YhH4cuQkXQS1_4lOSHnmZAjmlmZLo2bsqJq6Cq4VVNGLQqHhivGJqmXdK-I2fhakVlnoRBivB0GDHHhluKeFk7aUu2djHSCjbhdNqpFw"}"#;
const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"n6oxUawn3N0XgCSleo1PwUdm1I-0Mx2SDKxV1GAm6Ow","y":"brEdTVcIJ9Nspr1ceNwyG0VEfAmaQKkKniFceJi5xic"}"#;

fn key_file(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join(format!("tests/fixtures/keys/private/{name}.pem"))).unwrap()
}

fn token(algorithm: Algorithm, name: &str, number: usize) -> String {
    let key = SigningKey::parse(&key_file(name), Some(algorithm)).unwrap();
    let groups: Vec<_> = (0..40)
        .map(|group| format!("department-{group:04}"))
        .collect();
    let claims =
        json!({"iss": "https://idp.example.com", "sub": "alice", "jti": number, "groups": groups});
    key.token("at+jwt", &claims, &Still::default()).unwrap()
}

fn tokens(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("token");
    for (algorithm, name, public) in [
        (Algorithm::Rs256, "rsa", RSA),
        (Algorithm::Es256, "p256", P256),
    ] {
        let public = Jwk::from_json(public.as_bytes()).unwrap();
        let token = token(algorithm, name, 1);
        group.bench_function(BenchmarkId::new("parse", algorithm), |bencher| {
            bencher.iter(|| Jws::parse(black_box(&token)).ok().map(|_| ()));
        });
        let keys = [public].into_iter().collect::<JwkSet>();
        let jws = Jws::parse(&token).unwrap();
        let host = Still::default();
        assert!(jws.verify(&keys, &host).is_ok());
        group.bench_function(BenchmarkId::new("verify", algorithm), |bencher| {
            bencher.iter(|| black_box(&jws).verify(&keys, &host));
        });
    }
    let mut cache = Cache::new(16 << 20);
    let all: Vec<_> = (0..1000)
        .map(|number| token(Algorithm::Es256, "p256", number))
        .collect();
    for token in &all {
        cache.insert(CacheKey::Token(token.as_bytes()), "", &Rc::new(Sized(1000)));
    }
    let mut turn = all.iter().cycle();
    group.bench_function("find among 1000 verified ones", |bencher| {
        bencher.iter(|| {
            let token = turn.next().unwrap();
            cache.find(CacheKey::Token(token.as_bytes()), "").unwrap()
        });
    });
}

/// A request from its head to the decision, without Envoy around it.
fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    let gateway = Rc::new(Gateway::new(config(1), Rc::new(Still::default())));
    let forged = [
        ("x-user", "mallory"),
        ("x_user_email", "m@example.com"),
        ("x-roles", "admin"),
    ];
    let strip: Vec<_> = forged
        .iter()
        .copied()
        .chain([("cookie", "theme=dark")])
        .collect();
    let public = Rc::new(Gateway::new(public_config(), Rc::new(Still::default())));
    let warm = format!("theme=dark; {}", cookie(&gateway.config, &session(700)));
    for (name, gateway, request) in [
        (
            "public, three headers to remove",
            &public,
            request("/orders", &strip),
        ),
        (
            "warm session",
            &gateway,
            request("/orders", &[("cookie", &warm)]),
        ),
    ] {
        let decide = |request: Request| {
            let gateway = Rc::clone(gateway);
            Flow::start(|exchange| serve(gateway, request, exchange)).1
        };
        let decision = decide(request.clone());
        assert!(
            matches!(decision, Step::Done(Decision::Forward(_))),
            "{name}"
        );
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| request.clone(), decide, BatchSize::SmallInput);
        });
    }
}

fn public_config() -> Config {
    let mut config = config(1);
    for rule in &mut config.rules {
        rule.access = Access::Public;
    }
    config
}

criterion_group!(parts, sessions, routes, tokens, whole);
criterion_main!(parts);
