//! Sessions in a real Redis, which Envoys reach through Webdis or a server of the Upstash form.
use std::thread;
use std::time::{Duration, Instant};

use portero_envoy_tests::{
    Envoy, Filter, Line, Provider, Redis, Request, Setup, Upstash, Upstream, Visitor, Webdis,
    portero, provider_with_switches, wait,
};
use serde_json::{Value, json};
use url::Url;

/// A front end, as Envoys reach it.
trait FrontEnd {
    fn join(&self, setup: Setup) -> Setup;
}

impl FrontEnd for Webdis {
    fn join(&self, setup: Setup) -> Setup {
        let password = json!({"env": "STORE_PASSWORD"});
        let protocol = json!({"webdis": {"username": Self::USER, "password": password}});
        setup
            .cluster("redis", self.address())
            .env("STORE_PASSWORD", Self::PASSWORD)
            .configure(|configuration| {
                configuration["session"]["store"] = store(&self.address().to_string(), &protocol);
            })
    }
}

impl FrontEnd for Upstash {
    fn join(&self, setup: Setup) -> Setup {
        let protocol = json!({"upstash": {"token": {"env": "STORE_TOKEN"}}});
        setup
            .cluster("redis", self.address())
            .env("STORE_TOKEN", Self::TOKEN)
            .configure(|configuration| {
                configuration["session"]["store"] = store(&self.address().to_string(), &protocol);
            })
    }
}

fn store(address: &str, protocol: &Value) -> Value {
    json!({
        "cluster": "redis",
        "url": format!("http://{address}/"),
        "insecure_allow_http": true,
        "protocol": protocol,
    })
}

fn use_cookies(configuration: &mut Value) {
    configuration["session"]["store"]["when_unavailable"] = json!("use_cookies");
}

/// Two Envoys that share a store, and the address that people know, which leads to one of them.
struct Fleet {
    envoys: [Envoy; 2],
    balancer: Line,
}

impl Fleet {
    fn start(
        provider: &Provider,
        upstream: &Upstream,
        front_end: &dyn FrontEnd,
        change: fn(&mut Value),
    ) -> Self {
        let mut balancer = Line::cut_to(upstream.address());
        let known_at = balancer.address().port();
        let envoys = [(); 2].map(|()| {
            let setup = portero(provider, upstream)
                .with_filter(Filter::body_while_waiting)
                .configure(|config| config["allow_on_headers_stop_iteration"] = json!(true))
                .workers(2)
                .known_at(known_at);
            front_end.join(setup).configure(change).start()
        });
        balancer.turn_to(envoys[0].address());
        Self { envoys, balancer }
    }

    fn url(&self, path: &str) -> String {
        self.envoys[0].url(path)
    }

    fn turn_to(&mut self, number: usize) {
        self.balancer.turn_to(self.envoys[number].address());
    }

    /// The request of a script, as the visitor's browser would send it to either of them.
    fn request(&self, visitor: &Visitor) -> Request {
        let url = Url::parse(&self.url("/orders")).expect("an address");
        let cookies = visitor.cookies.header(&url).expect("a session cookie");
        Request::get("/orders")
            .header("host", url.authority())
            .header("cookie", cookies)
    }

    fn assert_unharmed(&self) {
        self.envoys.iter().for_each(Envoy::assert_unharmed);
    }
}

fn logged_in(fleet: &Fleet, provider: &Provider) -> Visitor {
    let mut visitor = Visitor::new();
    let page = visitor.log_in(&fleet.url("/"), &provider.person());
    assert_eq!(page.response.status, 200);
    visitor
}

/// The names of the sessions that Redis has.
fn sessions(redis: &Redis) -> Vec<String> {
    let mut keys = redis.keys();
    keys.retain(|key| key.starts_with("portero:session:"));
    keys
}

/// A login at one, known at the other, ended for both.
fn live_and_end(redis: &Redis, front_end: &dyn FrontEnd) {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let mut fleet = Fleet::start(&provider, &upstream, front_end, |_| ());
    let mut visitor = logged_in(&fleet, &provider);
    let keys = sessions(redis);
    assert_eq!(keys.len(), 1, "{keys:?}");
    let left = redis.ttl(&keys[0]).expect("a time to live").as_secs();
    assert!((3540..=3600).contains(&left), "the idle timeout: {left}");
    let url = Url::parse(&fleet.url("/")).expect("an address");
    let cookies = visitor.cookies.header(&url).expect("a session cookie");
    assert!(cookies.len() < 300, "{} bytes: {cookies}", cookies.len());
    let kept = redis.get(&keys[0]).expect("a value");
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    assert!(kept.iter().all(plain), "sealed, and base64url");

    fleet.turn_to(1);
    assert_eq!(visitor.fetch(&fleet.url("/api")).response.status, 200);
    let seen = upstream.requests().pop().expect("a request");
    assert_eq!(seen.one("x-user").as_deref(), Some("alice"));
    assert_eq!(provider.journal().token_requests().len(), 1);

    let copy = fleet.request(&visitor);
    let logout = ("sec-fetch-site".to_owned(), b"same-origin".to_vec());
    visitor.headers.push(logout);
    let page = visitor.open(&fleet.url("/oauth2/logout"));
    assert!(page.leads_to(provider.issuer()), "{page:?}");
    assert!(sessions(redis).is_empty(), "{:?}", redis.keys());
    for envoy in &fleet.envoys {
        wait::until("a copy of the cookie is worth nothing", || {
            (envoy.send(&copy).status == 401).then_some(())
        });
    }
    fleet.assert_unharmed();
}

#[test]
fn a_session_lives_in_redis_and_ends_there_for_every_envoy() {
    let redis = Redis::start();
    live_and_end(&redis, &Webdis::start(&redis));
}

#[test]
fn the_upstash_form_carries_it_too() {
    let redis = Redis::start();
    let upstash = Upstash::start(&redis);
    live_and_end(&redis, &upstash);
    refresh_once(&redis, &upstash);
}

/// What the provider tells the first Envoy holds at the second as soon as that looks at the store again.
#[test]
fn a_logout_at_the_provider_ends_the_session_at_the_envoy_that_was_not_told() {
    let redis = Redis::start();
    let webdis = Webdis::start(&redis);
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let mut fleet = Fleet::start(&provider, &upstream, &webdis, |_| ());
    let known_at = fleet.balancer.address();
    let address = format!("http://{known_at}/oauth2/backchannel-logout");
    provider.set(json!({"backchannelLogout": address}));
    let mut visitor = logged_in(&fleet, &provider);
    let request = fleet.request(&visitor);
    for envoy in &fleet.envoys {
        assert_eq!(envoy.send(&request).status, 200);
    }
    visitor.log_out_at(provider.issuer());
    let [told, other] = &fleet.envoys;
    wait::until("the first Envoy is told", || {
        (told.metric("logout.succeeded") == 1).then_some(())
    });
    let (since, interval) = (Instant::now(), Duration::from_secs(1));
    wait::until("the interval of the default is over", || {
        (since.elapsed() > interval).then_some(())
    });
    // Whatever worker it comes to.
    for _ in 0..10 {
        assert_eq!(other.send(&request).status, 401);
    }
    assert_eq!(told.send(&request).status, 401);
    assert_eq!(other.metric("logout.succeeded"), 0);
    assert!(told.log().contains("audit event=logout channel=back"));
    let mut notes = redis.keys();
    notes.retain(|key| key.starts_with("portero:ended:"));
    assert!(!notes.is_empty());
    // And the person can log in again, at either of them.
    fleet.turn_to(1);
    let page = visitor.log_in(&fleet.url("/orders"), &provider.person());
    assert_eq!(page.response.status, 200, "{:?}", page.code());
    fleet.assert_unharmed();
}

#[test]
fn two_envoys_that_find_a_session_expired_refresh_it_once() {
    let redis = Redis::start();
    refresh_once(&redis, &Webdis::start(&redis));
}

fn refresh_once(redis: &Redis, front_end: &dyn FrontEnd) {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let fleet = Fleet::start(&provider, &upstream, front_end, |_| ());
    for round in 1..=3 {
        provider.set(json!({"accessTtl": 3}));
        let visitor = logged_in(&fleet, &provider);
        let (since, end) = (Instant::now(), Duration::from_millis(3500));
        wait::until("the access token expires", || {
            (since.elapsed() > end).then_some(())
        });
        // The tokens that come now last, so that nothing more is due.
        provider.set(json!({"accessTtl": 300}));
        let request = fleet.request(&visitor);
        let statuses: Vec<u16> = thread::scope(|scope| {
            let asked: Vec<_> = (0..100)
                .map(|number| {
                    let envoy = &fleet.envoys[number % 2];
                    let request = &request;
                    scope.spawn(move || envoy.send(request).status)
                })
                .collect();
            asked
                .into_iter()
                .map(|answer| answer.join().expect("an answer"))
                .collect()
        });
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        assert_eq!(provider.journal().refreshes(), round);
        // The cookie of before is the cookie of now.
        for envoy in &fleet.envoys {
            assert_eq!(envoy.send(&request).status, 200);
        }
    }
    let refreshed = |envoy: &Envoy| envoy.metric("refresh.succeeded");
    let [first, second] = &fleet.envoys;
    assert_eq!(refreshed(first) + refreshed(second), 3);
    let leases = redis.keys();
    assert!(
        leases.iter().all(|key| !key.contains("lease")),
        "{leases:?}"
    );
    fleet.assert_unharmed();
}

#[test]
fn a_redis_that_dies_refuses_until_it_is_back_and_nobody_has_to_log_in_again() {
    let mut redis = Redis::start();
    let webdis = Webdis::start(&redis);
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let fleet = Fleet::start(&provider, &upstream, &webdis, |_| ());
    let mut visitor = logged_in(&fleet, &provider);
    let key = sessions(&redis).remove(0);
    let value = redis.get(&key).expect("a value");
    let value = String::from_utf8(value).expect("text");
    redis.kill();
    let refused = wait::until("the session is read again", || {
        let page = visitor.fetch(&fleet.url("/api"));
        (page.response.status != 200).then_some(page)
    });
    assert_eq!(refused.response.status, 503);
    assert_eq!(refused.code().as_deref(), Some("session_store_unreachable"));
    let page = wait::until("both workers read it again", || {
        let page = visitor.open(&fleet.url("/orders"));
        (page.response.status != 200).then_some(page)
    });
    assert_eq!(page.code().as_deref(), Some("session_store_unreachable"));
    assert_eq!(page.response.one("set-cookie"), None);
    let health = fleet.envoys[0].get("/healthz");
    assert_eq!(health.status, 200, "what needs no session is served");

    redis.restart();
    redis.ask(&["SET", &key, &value, "EX", "3600"]);
    wait::until("the session goes on", || {
        (visitor.fetch(&fleet.url("/api")).response.status == 200).then_some(())
    });
    assert_eq!(provider.journal().token_requests().len(), 1);

    // Nothing was kept this time.
    redis.restart();
    wait::until("the session is gone", || {
        (visitor.fetch(&fleet.url("/api")).response.status == 401).then_some(())
    });
    let page = visitor.visit(&fleet.url("/orders"));
    assert_eq!((page.response.status, page.url.path()), (200, "/orders"));
    assert_eq!(sessions(&redis).len(), 1);
    fleet.assert_unharmed();
}

#[test]
fn with_use_cookies_people_log_in_again_and_go_on() {
    let mut redis = Redis::start();
    let webdis = Webdis::start(&redis);
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let mut fleet = Fleet::start(&provider, &upstream, &webdis, use_cookies);
    let mut visitor = logged_in(&fleet, &provider);
    redis.kill();
    // No worker of the other Envoy has read the session.
    fleet.turn_to(1);
    let page = visitor.visit(&fleet.url("/orders"));
    assert_eq!((page.response.status, page.url.path()), (200, "/orders"));
    assert_eq!(fleet.envoys[1].metric("session_store.bypassed"), 1);
    for number in [0, 1, 0] {
        fleet.turn_to(number);
        let page = visitor.fetch(&fleet.url("/api"));
        assert_eq!(page.response.status, 200, "at {number}");
    }
    redis.restart();
    assert_eq!(visitor.fetch(&fleet.url("/api")).response.status, 200);
    assert!(sessions(&redis).is_empty(), "it stays in its cookie");
    fleet.assert_unharmed();
}
