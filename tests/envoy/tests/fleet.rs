//! Several Envoys that share session keys and nothing else, and keys that are replaced while people are at work.
use std::mem;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portero_envoy_tests::cookies::Jar;
use portero_envoy_tests::http::Connection;
use portero_envoy_tests::visitor::Page;
use portero_envoy_tests::{
    Envoy, Line, Provider, Request, Response, Setup, Upstream, Visitor, portero,
    provider_with_switches, wait,
};
use serde_json::json;
use url::Url;

const NEW_KEY: &str = "the-session-key-that-follows-for-tests-only-0123456789-abcdefghij";

/// Two Envoys, and the address that people know, which leads to one of them.
struct Fleet {
    envoys: [Envoy; 2],
    balancer: Line,
}

impl Fleet {
    fn start(provider: &Provider, upstream: &Upstream) -> Self {
        let mut balancer = Line::cut_to(upstream.address());
        let known_at = balancer.address().port();
        let envoys = [(); 2].map(|()| portero(provider, upstream).known_at(known_at).start());
        balancer.turn_to(envoys[0].address());
        Self { envoys, balancer }
    }

    /// The address of a path as people know it.
    fn url(&self, path: &str) -> String {
        self.envoys[0].url(path)
    }

    fn turn_to(&mut self, number: usize) {
        self.balancer.turn_to(self.envoys[number].address());
    }

    /// What both answer when they are asked at the same moment with the visitor's cookies; the browser takes what it is given.
    fn ask_both(&self, visitor: &mut Visitor, request: &Request) -> Vec<Page> {
        let url = Url::parse(&self.url("/orders")).expect("an address");
        let cookies = visitor.cookies.header(&url).expect("a session cookie");
        let request = request
            .clone()
            .header("host", authority(&url))
            .header("cookie", cookies);
        let start = Barrier::new(self.envoys.len());
        let ask = |envoy: &Envoy| {
            start.wait();
            envoy.send(&request)
        };
        let responses: Vec<Response> = thread::scope(|scope| {
            let asked: Vec<_> = self
                .envoys
                .iter()
                .map(|envoy| scope.spawn(|| ask(envoy)))
                .collect();
            asked
                .into_iter()
                .map(|answer| answer.join().expect("an answer"))
                .collect()
        });
        let mut pages = Vec::new();
        for response in responses {
            for cookie in response.all("set-cookie") {
                visitor.cookies.take(&url, &cookie);
            }
            pages.push(Page {
                url: url.clone(),
                response,
            });
        }
        pages
    }
}

fn authority(url: &Url) -> String {
    url.authority().to_owned()
}

fn navigation() -> Request {
    Request::get("/orders")
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
}

#[test]
fn a_login_begun_at_one_envoy_ends_at_another_and_both_know_the_person() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let mut fleet = Fleet::start(&provider, &upstream);
    let mut visitor = Visitor::new();
    let form = visitor.visit(&fleet.url("/orders"));
    fleet.turn_to(1);
    let page = visitor.fill_in(&form, &provider.person());
    assert_eq!((page.response.status, page.url.path()), (200, "/orders"));
    for number in [0, 1] {
        fleet.turn_to(number);
        let page = visitor.fetch(&fleet.url("/api"));
        assert_eq!(page.response.status, 200, "at {number}");
        let seen = upstream.requests().pop().expect("a request");
        assert_eq!(seen.one("x-user").as_deref(), Some("alice"), "at {number}");
    }
    let [first, second] = &fleet.envoys;
    assert_eq!(first.metric("login.started"), 1);
    assert_eq!(second.metric("login.started"), 0);
    assert_eq!(first.metric("login.succeeded"), 0);
    assert_eq!(second.metric("login.succeeded"), 1);
    assert_eq!(provider.journal().token_requests().len(), 1);
}

/// People whose access tokens have just expired; the tokens that come now last.
fn people_with_expired_tokens(fleet: &Fleet, provider: &Provider, count: usize) -> Vec<Visitor> {
    provider.set(json!({"accessTtl": 3}));
    let people: Vec<_> = (0..count)
        .map(|_| {
            let mut visitor = Visitor::new();
            let page = visitor.log_in(&fleet.url("/"), &provider.person());
            assert_eq!(page.response.status, 200);
            visitor
        })
        .collect();
    let (since, end) = (Instant::now(), Duration::from_millis(3500));
    wait::until("the access tokens expire", || {
        (since.elapsed() > end).then_some(())
    });
    provider.set(json!({"accessTtl": 300}));
    people
}

#[test]
fn a_person_whom_two_envoys_refresh_at_once_stays_logged_in() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let mut fleet = Fleet::start(&provider, &upstream);
    for mut visitor in people_with_expired_tokens(&fleet, &provider, 4) {
        let before = provider.journal().refreshes();
        let pages = fleet.ask_both(&mut visitor, &navigation());
        // Neither knows of the other, so the provider saw the refresh token twice, and refused it once at least.
        assert_eq!(provider.journal().refreshes(), before + 2);
        for (number, page) in pages.into_iter().enumerate() {
            // Wherever the balancer leads the browser next.
            fleet.turn_to(1 - number);
            if page.response.status != 200 {
                assert!(page.leads_to(&fleet.url("/orders")), "{page:?}");
                let hops = hops_to_the_end(&mut visitor, page);
                assert!(hops.len() <= 8, "{hops:#?}");
            }
        }
        for number in [0, 1] {
            fleet.turn_to(number);
            assert_eq!(visitor.fetch(&fleet.url("/api")).response.status, 200);
        }
    }
    for envoy in &fleet.envoys {
        envoy.assert_unharmed();
    }
}

/// Follows redirects to the page they end at, which is the one that was asked for.
fn hops_to_the_end(visitor: &mut Visitor, page: Page) -> Vec<String> {
    let mut hops = Vec::new();
    let mut page = page;
    while let Some(next) = page.redirect() {
        assert!(hops.len() < 20, "redirects go on and on: {hops:#?}");
        hops.push(next.to_string());
        page = visitor.open(next.as_str());
    }
    assert_eq!((page.response.status, page.url.path()), (200, "/orders"));
    hops
}

#[test]
fn a_navigation_that_meets_a_used_refresh_token_comes_back_with_the_new_cookie() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let mut fleet = Fleet::start(&provider, &upstream);
    let mut visitor = people_with_expired_tokens(&fleet, &provider, 1).remove(0);
    // Two tabs, and the second one sent its request before the first one's answer came.
    let before = visitor.cookies.clone();
    assert_eq!(visitor.open(&fleet.url("/orders")).response.status, 200);
    let new = mem::replace(&mut visitor.cookies, before);
    fleet.turn_to(1);
    let page = visitor.open(&fleet.url("/orders"));
    assert!(page.leads_to(&fleet.url("/orders")), "{page:?}");
    visitor.cookies = new;
    for cookie in page.response.all("set-cookie") {
        visitor.cookies.take(&page.url, &cookie);
    }
    assert_eq!(visitor.follow(&page).response.status, 200);
    let [first, second] = &fleet.envoys;
    let logins = first.metric("login.started") + second.metric("login.started");
    assert_eq!(logins, 1, "nobody was sent to the provider again");
    assert_eq!(provider.journal().refreshes(), 2);
}

#[test]
fn a_program_that_two_envoys_refresh_at_once_is_served_or_told_to_log_in() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let fleet = Fleet::start(&provider, &upstream);
    let call = Request::get("/orders")
        .header("accept", "application/json")
        .header("sec-fetch-mode", "cors");
    for mut visitor in people_with_expired_tokens(&fleet, &provider, 4) {
        let before = provider.journal().refreshes();
        for page in fleet.ask_both(&mut visitor, &call) {
            let answer = (page.response.status, page.code());
            let refused = (401, Some("login_required".to_owned()));
            assert!(answer == (200, None) || answer == refused, "{answer:?}");
        }
        assert_eq!(provider.journal().refreshes(), before + 2);
        // A page that the person opens afterwards is there, if by way of the provider.
        let page = visitor.visit(&fleet.url("/orders"));
        assert_eq!((page.response.status, page.url.path()), (200, "/orders"));
    }
    for envoy in &fleet.envoys {
        envoy.assert_unharmed();
    }
}

/// Somebody who keeps asking over one connection, with the cookies of a session.
struct Caller {
    to: SocketAddr,
    url: Url,
    jar: Mutex<Jar>,
    answered: AtomicU64,
    reopened: AtomicU64,
}

impl Caller {
    fn new(envoy: &Envoy, jar: &Jar) -> Self {
        Self {
            to: envoy.address(),
            url: Url::parse(&envoy.url("/orders")).expect("an address"),
            jar: Mutex::new(jar.clone()),
            answered: AtomicU64::new(0),
            reopened: AtomicU64::new(0),
        }
    }

    fn cookies(&self) -> String {
        let jar = self.jar.lock().expect("no panic there");
        jar.header(&self.url).expect("a session cookie")
    }

    fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }

    /// Until it is told to stop; an answer that is not the application's to this person fails the test.
    fn keep_asking(&self, stop: &AtomicBool) {
        let open = || Connection::open(self.to).expect("Envoy takes connections");
        let mut connection = open();
        while !stop.load(Ordering::SeqCst) {
            let request = Request::get("/orders")
                .header("host", authority(&self.url))
                .header("cookie", self.cookies());
            // A connection that Envoy lets go may end as the request arrives; then, and only then, it is sent once more.
            let mut is_gone = connection.write(&request.bytes()).is_err();
            is_gone |= connection.ends_silently();
            if is_gone {
                connection = open();
                self.reopened.fetch_add(1, Ordering::SeqCst);
                connection.write(&request.bytes()).expect("a connection");
            }
            let response = connection.response(b"GET").expect("an answer");
            let text = response.text();
            assert_eq!(response.status, 200, "{text}");
            assert!(text.contains(r#"["x-user","alice"]"#), "{text}");
            for cookie in response.all("set-cookie") {
                let mut jar = self.jar.lock().expect("no panic there");
                assert!(jar.take(&self.url, &cookie), "{cookie}");
            }
            if response.one("connection").as_deref() == Some("close") {
                connection = open();
                self.reopened.fetch_add(1, Ordering::SeqCst);
            }
            self.answered.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Tells the callers to stop, also when the test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn with_keys(setup: &Setup, names: &[&str]) -> Setup {
    let keys: Vec<_> = names.iter().map(|name| json!({"env": name})).collect();
    setup.clone().configure(|config| {
        config["session"]["keys"] = json!(keys);
        // The least there is: a cookie is issued anew after a tenth of it.
        config["session"]["idle_timeout"] = json!("1m");
    })
}

/// What an Envoy answers to a program with these cookies.
fn status_at(envoy: &Envoy, cookies: &str) -> u16 {
    let url = Url::parse(envoy.origin()).expect("an address");
    let request = Request::get("/probe")
        .header("host", authority(&url))
        .header("cookie", cookies);
    envoy.send(&request).status
}

#[test]
fn session_keys_are_rotated_under_load_without_one_failed_request() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let setup = portero(&provider, &upstream)
        .env("SESSION_KEY_NEW", NEW_KEY)
        .workers(2)
        .listener_from_file();
    let envoy = with_keys(&setup, &["SESSION_KEY"]).start();
    // It knows the new key alone, so it tells which key has sealed a cookie.
    let judge = with_keys(&setup, &["SESSION_KEY_NEW"])
        .known_at(envoy.address().port())
        .start();
    let mut visitor = Visitor::new();
    let page = visitor.log_in(&envoy.url("/orders"), &provider.person());
    assert_eq!(page.response.status, 200);
    let first = visitor.cookies.header(&page.url).expect("a session cookie");
    assert_eq!(status_at(&judge, &first), 401, "sealed with the old key");

    let callers = [(); 4].map(|()| Caller::new(&envoy, &visitor.cookies));
    let everybody_was_answered_again = || {
        let before: Vec<_> = callers.iter().map(Caller::answered).collect();
        wait::until("everybody was answered a hundred times more", || {
            let mut both = callers.iter().zip(&before);
            both.all(|(caller, before)| caller.answered() >= before + 100)
                .then_some(())
        });
    };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let _stop = Stop(&stop);
        for caller in &callers {
            scope.spawn(|| caller.keep_asking(&stop));
        }
        everybody_was_answered_again();
        envoy.replace_listener(&with_keys(&setup, &["SESSION_KEY", "SESSION_KEY_NEW"]));
        everybody_was_answered_again();
        envoy.replace_listener(&with_keys(&setup, &["SESSION_KEY_NEW", "SESSION_KEY"]));
        wait::until_within(
            Duration::from_secs(30),
            "every cookie is sealed with the new key",
            || {
                let mut all = callers.iter();
                all.all(|caller| status_at(&judge, &caller.cookies()) == 200)
                    .then_some(())
            },
        );
        assert_eq!(status_at(&envoy, &first), 200, "the old key opens still");
        envoy.replace_listener(&with_keys(&setup, &["SESSION_KEY_NEW"]));
        assert_eq!(status_at(&envoy, &first), 401, "the old key is gone");
        everybody_was_answered_again();
    });
    for caller in &callers {
        assert_eq!(status_at(&envoy, &caller.cookies()), 200);
        let reopened = caller.reopened.load(Ordering::SeqCst);
        assert!(reopened >= 3, "connections were let go {reopened} times");
    }
    assert_eq!(envoy.metric("login.succeeded"), 1);
    envoy.assert_unharmed();
}
