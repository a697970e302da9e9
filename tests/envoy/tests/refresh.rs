//! Sessions that outlive their access tokens, in a real Envoy with a provider that rotates refresh tokens.
use std::thread;
use std::time::{Duration, Instant};

use portero_envoy_tests::http::Connection;
use portero_envoy_tests::{
    Envoy, Provider, Request, Upstream, Visitor, portero, provider_with_switches, wait,
};
use serde_json::json;

/// Somebody who is logged in, with the cookies as they were then.
struct Person {
    visitor: Visitor,
    cookies: String,
    host: String,
    since: Instant,
}

fn logged_in(envoy: &Envoy, provider: &Provider) -> Person {
    let mut visitor = Visitor::with_form(provider.form());
    let page = visitor.log_in(&envoy.url("/"), &provider.person());
    assert_eq!(page.response.status, 200);
    let cookies = visitor.cookies.header(&page.url).expect("a session cookie");
    Person {
        visitor,
        cookies,
        host: envoy.origin().trim_start_matches("http://").to_owned(),
        since: Instant::now(),
    }
}

impl Person {
    /// Until the access token of `seconds` has expired for certain.
    fn wait_for_expiry(&self, seconds: u64) {
        let end = Duration::from_millis(seconds * 1000 + 500);
        wait::until_within(Duration::from_secs(30), "the access token expires", || {
            (self.since.elapsed() > end).then_some(())
        });
    }

    fn request(&self) -> Request {
        Request::get("/orders")
            .header("host", &self.host)
            .header("cookie", &self.cookies)
    }
}

#[test]
fn two_hundred_requests_on_an_expired_session_make_one_refresh() {
    let provider = provider_with_switches!();
    provider.set(json!({"accessTtl": 2}));
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).workers(2).balanced().start();
    let person = logged_in(&envoy, &provider);
    person.wait_for_expiry(2);
    // The tokens that come now last, so that nothing more is due.
    provider.set(json!({"accessTtl": 300}));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let requests: Vec<_> = (0..200)
            .map(|_| scope.spawn(|| envoy.send(&person.request()).status))
            .collect();
        requests
            .into_iter()
            .map(|request| request.join().expect("an answer"))
            .collect()
    });
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(provider.journal().refreshes(), 1);
    let served = envoy.connections_of_workers();
    assert!(served.iter().all(|count| *count > 0), "{served:?}");

    // Somebody is late, with the cookie from before.
    let late = envoy.send(&person.request());
    assert_eq!(late.status, 200);
    assert!(late.one("set-cookie").is_some(), "and gets the new one");
    assert_eq!(provider.journal().refreshes(), 1);
    assert_eq!(envoy.metric("refresh.succeeded"), 1);
    envoy.assert_unharmed();
}

#[test]
fn a_request_forty_milliseconds_late_with_the_old_cookie_gets_200() {
    let provider = provider_with_switches!();
    provider.set(json!({"accessTtl": 2}));
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).workers(2).balanced().start();
    let person = logged_in(&envoy, &provider);
    person.wait_for_expiry(2);
    provider.set(json!({"accessTtl": 300}));
    let first = envoy.send(&person.request());
    assert_eq!(first.status, 200);
    assert!(first.one("set-cookie").is_some(), "the cookie is another");
    // This test is about a request that is this late, so the time itself is waited for.
    thread::sleep(Duration::from_millis(40));
    // Each worker takes one of two connections that are open at once, so one of these requests comes to
    // the worker that has not refreshed.
    let mut connections =
        [(); 2].map(|()| Connection::open(envoy.address()).expect("a connection"));
    for connection in &mut connections {
        let request = person.request();
        connection.write(&request.bytes()).expect("a request");
        let late = connection.response(b"GET").expect("an answer");
        assert_eq!(late.status, 200);
    }
    let served = envoy.connections_of_workers();
    assert!(served.iter().all(|count| *count > 0), "{served:?}");
    assert_eq!(provider.journal().refreshes(), 1);
    assert_eq!(envoy.metric("refresh.succeeded"), 1);
    envoy.assert_unharmed();
}

#[test]
fn a_provider_that_dies_in_mid_refresh_ends_no_session() {
    let provider = provider_with_switches!();
    provider.set(json!({"accessTtl": 2}));
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).workers(2).start();
    let mut person = logged_in(&envoy, &provider);
    person.wait_for_expiry(2);
    provider.set(json!({"accessTtl": 300}));
    provider.fault("/token", json!({"drop": true}));
    let problem = person.visitor.fetch(&envoy.url("/orders"));
    assert_eq!(
        (problem.response.status, problem.code().as_deref()),
        (503, Some("token_unreachable"))
    );
    provider.heal();
    wait::until_within(Duration::from_secs(20), "the session goes on", || {
        (person.visitor.fetch(&envoy.url("/orders")).response.status == 200).then_some(())
    });
    envoy.assert_unharmed();
}

#[test]
fn a_session_that_the_provider_has_forgotten_ends_without_a_loop() {
    let provider = provider_with_switches!();
    provider.set(json!({"accessTtl": 2}));
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).workers(2).start();
    let mut person = logged_in(&envoy, &provider);
    person.wait_for_expiry(2);
    provider.fault(
        "/token",
        json!({"status": 400, "body": "{\"error\":\"invalid_grant\"}", "times": 1}),
    );
    // Once more to the same address, then to the provider, where the person is still known.
    let page = person.visitor.visit(&envoy.url("/orders"));
    assert_eq!((page.response.status, page.url.path()), (200, "/orders"));
    assert_eq!(envoy.metric("login.succeeded"), 2);
    assert_eq!(envoy.metric("failure.token_invalid_grant"), 1);
}
