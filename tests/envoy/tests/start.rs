//! The first moments: many requests before anything is known of the provider, and a provider that is not there.
use std::thread;
use std::time::{Duration, Instant};

use portero_envoy_tests::upstream::Misbehaving;
use portero_envoy_tests::{
    Envoy, Line, Page, Request, Upstream, Visitor, portero, provider_with_switches, wait,
};
use serde_json::json;

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Fifty people at once, as soon as Envoy listens.
fn rush(envoy: &Envoy) -> Vec<Page> {
    thread::scope(|scope| {
        let people: Vec<_> = (0..50)
            .map(|number| {
                scope.spawn(move || Visitor::new().open(&envoy.url(&format!("/{number}"))))
            })
            .collect();
        people
            .into_iter()
            .map(|person| person.join().unwrap())
            .collect()
    })
}

fn the_provider_is_asked_once_by(workers: u32) {
    let Some(provider) = portero_envoy_tests::Provider::ours() else {
        portero_envoy_tests::provider::not_run("start", "it needs a provider with switches");
        return;
    };
    // Slow enough that all of them come before the answer.
    provider.fault(DISCOVERY, json!({"delay": 300}));
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .workers(workers)
        .balanced()
        .start();
    let listening = Instant::now();
    for page in rush(&envoy) {
        assert!(
            page.leads_to(provider.issuer()),
            "{}: {} {:?}",
            page.url,
            page.response.status,
            page.code()
        );
    }
    eprintln!(
        "{workers} workers: all redirects after {:?}",
        listening.elapsed()
    );
    let served = envoy.connections_of_workers();
    assert_eq!(served.len(), workers as usize);
    assert!(served.iter().all(|count| *count > 0), "{served:?}");
    let journal = provider.journal();
    assert_eq!((journal.count(DISCOVERY), journal.count("/jwks")), (1, 1));
    let log = envoy.log();
    assert!(!log.contains("provider_fetch_failed"), "{log}");
    assert_eq!(log.matches("provider_ready").count(), 1, "{log}");
    assert_eq!(
        (
            envoy.metric("provider.discovery.succeeded"),
            envoy.metric("provider.jwks.succeeded"),
            envoy.metric("provider.discovery.failed"),
            envoy.metric("login.started"),
        ),
        (1, 1, 0, 50)
    );
    envoy.assert_unharmed();
}

#[test]
fn fifty_first_requests_at_one_worker_cost_one_discovery() {
    the_provider_is_asked_once_by(1);
}

#[test]
fn fifty_first_requests_at_two_workers_cost_one_discovery() {
    the_provider_is_asked_once_by(2);
}

#[test]
fn fifty_first_requests_at_four_workers_cost_one_discovery() {
    the_provider_is_asked_once_by(4);
}

/// A page for people and a problem for programs, both with status 503, both in time.
fn assert_unavailable(envoy: &Envoy, limit: Duration) {
    let asked = Instant::now();
    let page = Visitor::new().open(&envoy.url("/orders"));
    let program = Visitor::new().fetch(&envoy.url("/orders"));
    let took = asked.elapsed();
    assert_eq!(
        (page.response.status, page.code().as_deref()),
        (503, Some("provider_unavailable"))
    );
    assert!(
        page.response
            .one("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
    );
    assert!(page.response.one("retry-after").is_some());
    // A program without a session needs no provider to be told so.
    assert_eq!(
        (program.response.status, program.code().as_deref()),
        (401, Some("login_required"))
    );
    assert_eq!(
        program.response.one("content-type").as_deref(),
        Some("application/problem+json")
    );
    assert!(took < limit, "{took:?}");
}

#[test]
fn a_gateway_starts_without_its_provider_and_logs_in_as_soon_as_it_is_there() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let mut line = Line::cut_to(provider.address());
    let envoy = portero(&provider, &upstream)
        .cluster("idp", line.address())
        .workers(2)
        .start();
    let asked = Instant::now();
    assert_eq!(envoy.get("/healthz").status, 200);
    assert!(asked.elapsed() < Duration::from_secs(1));
    assert_unavailable(&envoy, Duration::from_secs(5));
    envoy.wait_for_log("provider_fetch_failed provider=demo call=discovery cause=unreachable");
    assert_eq!(envoy.get("/healthz").status, 200);

    line.mend();
    let mended = Instant::now();
    let mut visitor = Visitor::new();
    wait::until("logins go on", || {
        visitor
            .open(&envoy.url("/orders?n=1"))
            .leads_to(provider.issuer())
            .then_some(())
    });
    eprintln!(
        "login possible {:?} after the provider is back",
        mended.elapsed()
    );
    let page = visitor.log_in(&envoy.url("/orders?n=1"), &provider.person());
    assert_eq!(page.response.status, 200);
    assert!(envoy.metric("provider.discovery.failed") > 0);
    assert!(envoy.metric("failure.provider_unavailable") > 0);
    envoy.assert_unharmed();
}

#[test]
fn a_provider_that_says_nothing_costs_no_more_than_the_time_limit() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let silent = Misbehaving::silent();
    let envoy = portero(&provider, &upstream)
        .cluster("idp", silent.address())
        .configure(|config| config["providers"]["demo"]["timeout"] = json!("1s"))
        .start();
    // At first the answer is waited for; then it is known that there is none.
    assert_unavailable(&envoy, Duration::from_secs(2));
    envoy.wait_for_log("provider_fetch_failed provider=demo call=discovery cause=timeout");
    assert_eq!(envoy.send(&Request::get("/healthz")).status, 200);
}

#[test]
fn the_first_login_is_possible_at_once() {
    for workers in [1, 2, 4] {
        let provider = provider_with_switches!();
        let upstream = Upstream::start();
        let envoy = portero(&provider, &upstream).workers(workers).start();
        let listening = Instant::now();
        let page = Visitor::new().open(&envoy.url("/"));
        let took = listening.elapsed();
        assert!(page.leads_to(provider.issuer()));
        eprintln!("{workers} workers: first login possible {took:?} after start");
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}
