//! Tokens for the upstream while many want them at once, in a real Envoy with a real provider.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portero_envoy_tests::http::Connection;
use portero_envoy_tests::programs::{claims, seen, token_of};
use portero_envoy_tests::provider::SECRET;
use portero_envoy_tests::{
    Envoy, Provider, Request, Response, Upstream, portero, provider_with_switches, wait,
};
use serde_json::json;

const CLIENT_CREDENTIALS: &str = "client_credentials";
const ORDERS: &str = "urn:upstream:orders";

/// Everybody may call, and the upstream gets the token of a program, at whichever worker.
fn gateway(provider: &Provider, upstream: &Upstream) -> Envoy {
    let basic = json!({"client_secret_basic": {"secret": SECRET}});
    portero(provider, upstream)
        .workers(2)
        .balanced()
        .configure(|config| {
            config["upstream_tokens"] = json!({"orders": {
                "client": {"id": "orders", "authentication": basic},
                "grant": {"client_credentials": {}},
                "endpoint_params": {"resource": [ORDERS]},
            }});
            config["rules"] = json!([{
                "match": {"path": {"prefix": "/orders"}},
                "access": "public",
                "upstream_tokens": ["orders"],
            }]);
        })
        .start()
}

#[test]
fn five_hundred_cold_requests_at_two_workers_make_one_token_request() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = gateway(&provider, &upstream);
    // Long enough for all of them to come before it has an answer.
    provider.fault("/token", json!({"delay": 1500}));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let requests: Vec<_> = (0..500)
            .map(|_| scope.spawn(|| envoy.get("/orders").status))
            .collect();
        requests
            .into_iter()
            .map(|request| request.join().expect("an answer"))
            .collect()
    });
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(provider.journal().count("/token"), 1);
    let served = envoy.connections_of_workers();
    assert!(served.iter().all(|count| *count > 0), "{served:?}");
    assert_eq!(upstream.values("authorization").len(), 500);
    let tokens = seen(&upstream);
    assert_eq!(tokens.len(), 1);
    assert_eq!(
        (&tokens[0]["sub"], &tokens[0]["aud"]),
        (&json!("orders"), &json!(ORDERS))
    );
    envoy.assert_unharmed();
}

/// Sends requests one after the other until told to stop; gives back how many, and the first answer that was no success.
fn keep_asking(envoy: &Envoy, stop: &AtomicBool) -> (usize, Option<Response>) {
    let request = Request::get("/orders").header("host", "app.localhost");
    let mut connection = Connection::open(envoy.address()).expect("a connection");
    let mut count = 0;
    while !stop.load(Ordering::SeqCst) {
        connection.write(&request.bytes()).expect("a request");
        let response = connection.response(b"GET").expect("an answer");
        if response.status != 200 {
            return (count, Some(response));
        }
        count += 1;
        // A pace at which a small machine serves six of these and a provider.
        thread::sleep(Duration::from_millis(2));
    }
    (count, None)
}

#[test]
fn tokens_that_expire_under_load_fail_no_request() {
    const LIFETIME: u64 = 5;
    let provider = provider_with_switches!();
    provider.set(json!({"resourceTtl": LIFETIME}));
    let late = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&late);
    let upstream = Upstream::answering(move |request| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("a clock after 1970").as_secs();
        let value = request.one("authorization").unwrap_or_default();
        let claims = claims(token_of(&value));
        if claims["exp"].as_u64().is_none_or(|end| end <= now) {
            noted.lock().expect("no panic there").push((now, claims));
        }
        Response::new(200)
    });
    let envoy = gateway(&provider, &upstream);
    let stop = AtomicBool::new(false);
    let started = Instant::now();
    let ends = thread::scope(|scope| {
        let callers: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| keep_asking(&envoy, &stop)))
            .collect();
        wait::until_within(Duration::from_secs(20), "three lifetimes pass", || {
            let has_passed = started.elapsed() > Duration::from_secs(3 * LIFETIME);
            let has_failed = callers.iter().any(thread::ScopedJoinHandle::is_finished);
            (has_passed || has_failed).then_some(())
        });
        stop.store(true, Ordering::SeqCst);
        let ends = callers.into_iter().map(|caller| caller.join());
        ends.collect::<Result<Vec<_>, _>>().expect("answers")
    });
    for (count, failed) in ends {
        assert!(count > 100, "one of the callers has sent {count} requests");
        assert!(failed.is_none(), "after {count} answers: {failed:?}");
    }
    let late = late.lock().expect("no panic there");
    assert!(late.is_empty(), "tokens after their end: {late:?}");
    let served = envoy.connections_of_workers();
    assert!(served.iter().all(|count| *count > 0), "{served:?}");
    // A token this short-lived is renewed after half of its life, however long a busy machine took.
    let halves = started.elapsed().as_secs() * 2 / LIFETIME;
    let most = usize::try_from(halves).expect("a few") + 2;
    let asked = provider.journal().grants(CLIENT_CREDENTIALS).len();
    assert!((4..=most).contains(&asked), "{asked} requests for tokens");
    // Each was used, but the last may have come too late for that.
    let seen = seen(&upstream).len();
    assert!((asked - 1..=asked).contains(&seen), "{seen} of {asked}");
    envoy.assert_unharmed();
}
