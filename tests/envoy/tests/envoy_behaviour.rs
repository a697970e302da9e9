//! What Portero takes for granted about Envoy, shown with a filter that does nothing else (`probe/`). When one of these fails with a
//! new Envoy, the design needs a look, not the test.
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use portero_envoy_tests::http::Connection;
use portero_envoy_tests::upstream::{Misbehaving, nobody};
use portero_envoy_tests::{Envoy, Filter, Request, Response, Setup, Upstream, artifact, wait};
use serde_json::json;

fn probe() -> Filter {
    Filter::new("probe", artifact::probe(), json!({}))
}

fn start(upstream: &Upstream) -> Envoy {
    Setup::new(upstream).filter(probe()).start()
}

fn wait_until_waiting(envoy: &Envoy, count: &str) {
    wait::until("the request waits in the filter", || {
        (envoy.get("/probe/waiting").text() == count).then_some(())
    });
}

fn wait_for_outcomes(envoy: &Envoy) -> String {
    wait::until("the filter has let go of the request", || {
        Some(envoy.get("/probe/outcomes").text()).filter(|outcomes| !outcomes.is_empty())
    })
}

/// Sends a request, and releases it as soon as it waits in the filter.
fn release(envoy: &Envoy, request: Request) -> Response {
    let address: SocketAddr = envoy.address();
    let waiting = thread::spawn(move || request.send(address));
    wait_until_waiting(envoy, "1");
    envoy.get("/probe/release");
    waiting.join().unwrap().unwrap()
}

#[test]
fn the_root_context_resumes_a_request_that_waits_at_its_headers() {
    let upstream = Upstream::start();
    let envoy = start(&upstream);
    let response = release(&envoy, Request::get("/pause/forward"));
    assert_eq!(response.status, 200);
    assert!(
        upstream
            .only()
            .headers
            .contains(&(b"x-probe".to_vec(), b"released".to_vec()))
    );
    assert_eq!(wait_for_outcomes(&envoy), "Ok");
}

#[test]
fn the_root_context_answers_a_request_that_waits_and_the_filter_sees_that_answer() {
    let upstream = Upstream::start();
    let envoy = start(&upstream);
    let response = release(&envoy, Request::get("/pause/reply"));
    assert_eq!(
        (response.status, response.text()),
        (401, "replied".to_owned())
    );
    assert_eq!(response.all("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(response.one("x-probe-saw-response").as_deref(), Some("yes"));
    assert!(upstream.requests().is_empty());
}

#[test]
fn the_body_of_a_request_that_waits_is_kept_and_delivered() {
    let upstream = Upstream::start();
    let envoy = start(&upstream);
    let body = "0123456789".repeat(10_000);
    let response = release(&envoy, Request::post("/pause/forward", &body));
    assert_eq!(response.status, 200);
    assert!(
        upstream.only().body == body.as_bytes(),
        "the body arrived changed"
    );
}

#[test]
fn a_client_that_goes_away_while_it_waits_leaves_a_status_and_not_a_crash() {
    let upstream = Upstream::start();
    let envoy = start(&upstream);
    let mut connection = Connection::open(envoy.address()).unwrap();
    connection
        .write(&Request::get("/pause/forward").bytes())
        .unwrap();
    wait_until_waiting(&envoy, "1");
    drop(connection);
    wait::until("Envoy notices", || {
        (envoy.stat("http.gateway.downstream_rq_active") == 0).then_some(())
    });
    envoy.get("/probe/release");
    assert_eq!(wait_for_outcomes(&envoy), "BadArgument");
    // The filter lives: what it remembers is still there, and requests pass.
    assert_eq!(envoy.get("/").status, 200);
    assert_eq!(envoy.get("/probe/outcomes").text(), "BadArgument");
}

#[test]
fn a_call_that_fails_is_told_in_one_of_four_shapes() {
    let upstream = Upstream::start();
    let (silent, hanging_up, cutting_short) = (
        Misbehaving::silent(),
        Misbehaving::hanging_up(),
        Misbehaving::cutting_short(),
    );
    let envoy = Setup::new(&upstream)
        .cluster("nobody", nobody())
        .cluster("silent", silent.address())
        .cluster("hanging-up", hanging_up.address())
        .cluster("cutting-short", cutting_short.address())
        .filter(probe())
        .start();
    let call = |cluster: &str, milliseconds: u32| {
        envoy.get(&format!("/call/{cluster}/{milliseconds}")).text()
    };

    // A cluster that Envoy does not know is refused at once, without a callback.
    assert_eq!(
        call("no-such-cluster", 5000),
        "refused at once: BadArgument"
    );

    // Envoy answers itself where it cannot connect, where the connection ends before an answer, and where time runs out.
    let refused = call("nobody", 5000);
    assert!(
        refused.starts_with("callback: headers; status \"503\"; body \"upstream connect error"),
        "{refused}"
    );
    let hung_up = call("hanging-up", 5000);
    assert!(
        hung_up.starts_with("callback: headers; status \"503\"; body \"upstream connect error"),
        "{hung_up}"
    );
    let late = call("silent", 100);
    assert!(
        late.starts_with("callback: headers; status \"504\"; body \"upstream request timeout"),
        "{late}"
    );

    // An answer that breaks off is a callback without anything.
    let broken = call("cutting-short", 5000);
    assert_eq!(broken, "callback: no headers; status \"\"; body \"\"");

    // And one that works.
    assert!(call("upstream", 5000).starts_with("callback: headers; status \"200\""));
}

#[test]
fn envoy_does_not_start_with_a_configuration_that_the_filter_refuses() {
    let upstream = Upstream::start();
    let filter = Filter::new("probe", artifact::probe(), json!({"please": "refuse"}));
    let Err(log) = Setup::new(&upstream).filter(filter).try_start() else {
        panic!("Envoy started")
    };
    assert!(log.contains("Unable to create Wasm plugin probe"), "{log}");
}

#[test]
fn a_crash_costs_the_request_and_the_filter_is_loaded_anew() {
    let upstream = Upstream::start();
    let envoy = start(&upstream);
    assert_eq!(envoy.get("/").status, 200);
    upstream.forget();

    assert_eq!(envoy.get("/trap").status, 503);
    assert!(
        upstream.requests().is_empty(),
        "the request that crashed the filter must not pass"
    );

    let mut refused = 0;
    wait::until_within(
        Duration::from_secs(20),
        "the filter is loaded anew",
        || match envoy.get("/").status {
            200 => Some(()),
            503 => {
                refused += 1;
                None
            }
            other => panic!("status {other}"),
        },
    );
    assert_eq!(
        upstream.requests().len(),
        1,
        "after {refused} refused requests, the first that passes is the first that arrives"
    );
    assert_eq!(
        envoy.stat("wasm.probe.vm_reload_success"),
        1,
        "{:?}",
        envoy.stats()
    );
    // A filter loaded anew remembers nothing.
    assert_eq!(envoy.get("/probe/outcomes").text(), "");
}
