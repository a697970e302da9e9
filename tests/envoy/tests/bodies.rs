//! Requests that wait, requests with bodies, and clients that do not wait.
use std::thread;

use portero_envoy_tests::http::Connection;
use portero_envoy_tests::{
    Envoy, Filter, Line, Provider, Request, Response, Setup, Upstream, Visitor, portero,
    provider_with_switches, wait,
};
use serde_json::json;

const DISCOVERY: &str = "/.well-known/openid-configuration";

fn body() -> String {
    "0123456789".repeat(20_000)
}

fn post(envoy: &Envoy, visitor: &Visitor, path: &str) -> Response {
    let url = envoy.url(path).parse().unwrap();
    let mut request = Request::post(path, body())
        .header("host", format!("app.localhost:{}", envoy.address().port()))
        .header("content-type", "text/plain");
    if let Some(cookies) = visitor.cookies.header(&url) {
        request = request.header("cookie", cookies);
    }
    envoy.send(&request)
}

#[test]
fn a_body_passes_with_a_session_and_is_refused_without() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).start();
    let refused = post(&envoy, &Visitor::new(), "/orders");
    assert_eq!(
        (refused.status, refused.code().as_deref()),
        (401, Some("login_required"))
    );
    assert!(refused.one("www-authenticate").is_some());
    assert!(upstream.requests().is_empty());

    let mut visitor = Visitor::new();
    visitor.log_in(&envoy.url("/"), &provider.person());
    upstream.forget();
    assert_eq!(post(&envoy, &visitor, "/orders").status, 200);
    let seen = upstream.only();
    assert_eq!(
        (seen.method.as_slice(), seen.body.len()),
        (&b"POST"[..], body().len())
    );
    assert_eq!(seen.one("x-user").as_deref(), Some("alice"));
    envoy.assert_unharmed();
}

/// Portero with a provider that answers only when the line is mended, so that requests wait.
fn waiting(provider: &Provider, upstream: &Upstream) -> Setup {
    provider.fault(DISCOVERY, json!({"delay": 1500}));
    portero(provider, upstream)
}

#[test]
fn a_request_with_a_body_waits_for_the_provider_like_any_other() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let setup = waiting(&provider, &upstream);
    it_waits_with_its_body(&provider, &upstream, &setup.start());
}

/// Envoy then shows the body while the head waits: a body that were let pass would take the head
/// along.
#[test]
fn it_waits_where_envoy_shows_bodies_too() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let setup = waiting(&provider, &upstream).with_filter(Filter::body_while_waiting);
    it_waits_with_its_body(&provider, &upstream, &setup.start());
}

fn it_waits_with_its_body(provider: &Provider, upstream: &Upstream, envoy: &Envoy) {
    // A GET with a body: odd, but a navigation, so it is sent to log in; its body is never looked at.
    let request = Request {
        body: body().into_bytes(),
        ..Request::get("/orders")
    };
    let request = request
        .header("host", format!("app.localhost:{}", envoy.address().port()))
        .header("accept", "text/html");
    let answer = envoy.send(&request);
    assert_eq!(answer.status, 303, "{:?}", answer.code());
    assert!(
        answer
            .one("location")
            .is_some_and(|to| to.starts_with(provider.issuer()))
    );
    assert_eq!(
        answer.all("set-cookie").len(),
        1,
        "the answer passes the response callback, too: {:?}",
        answer.all("set-cookie")
    );
    assert_eq!(provider.journal().count(DISCOVERY), 1);
    assert!(upstream.requests().is_empty());
    assert_eq!(envoy.get("/healthz").status, 200);
    envoy.assert_unharmed();
}

#[test]
fn a_client_that_goes_away_while_it_waits_does_no_harm() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = waiting(&provider, &upstream).start();
    let request = Request::get("/orders")
        .header("host", format!("app.localhost:{}", envoy.address().port()))
        .header("accept", "text/html");
    let mut gone = Vec::new();
    for _ in 0..20 {
        let mut connection = Connection::open(envoy.address()).unwrap();
        connection.write(&request.bytes()).unwrap();
        gone.push(connection);
    }
    wait::until("they wait", || {
        (envoy.stat("http.gateway.downstream_rq_active") == 20).then_some(())
    });
    let address = envoy.address();
    let stays = thread::spawn(move || request.send(address).unwrap());
    wait::until("one more waits", || {
        (envoy.stat("http.gateway.downstream_rq_active") == 21).then_some(())
    });
    gone.clear();
    wait::until("Envoy notices", || {
        (envoy.stat("http.gateway.downstream_rq_active") == 1).then_some(())
    });
    assert_eq!(stays.join().unwrap().status, 303);
    assert_eq!(
        envoy.metric("login.started"),
        1,
        "those who have gone start no login"
    );
    envoy.assert_unharmed();
}

#[test]
fn a_client_that_goes_away_in_the_middle_of_the_callback_does_no_harm() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).start();
    let mut visitor = Visitor::new();
    let form = visitor.visit(&envoy.url("/orders"));
    let start = envoy.url("/oauth2/callback");
    let callback = visitor.fill_in_until(&form, &provider.person(), &start);
    provider.fault("/token", json!({"delay": 700}));
    let mut connection = Connection::open(envoy.address()).unwrap();
    let request = Request::get(format!("{}?{}", callback.path(), callback.query().unwrap()))
        .header("host", format!("app.localhost:{}", envoy.address().port()))
        .header("cookie", visitor.cookies.header(&callback).unwrap());
    connection.write(&request.bytes()).unwrap();
    wait::until("the code is on its way", || {
        (provider.journal().count("/token") == 1).then_some(())
    });
    drop(connection);
    wait::until("Envoy notices", || {
        (envoy.stat("http.gateway.downstream_rq_active") == 0).then_some(())
    });
    wait::until("the answer to nobody", || {
        (envoy.stat("cluster.idp.upstream_rq_active") == 0).then_some(())
    });
    assert_eq!(envoy.get("/healthz").status, 200);
    // The same callback once more: its code is spent, so the login begins anew and ends well.
    let page = visitor.visit(callback.as_str());
    assert_eq!(
        (page.response.status, page.url.path()),
        (200, "/orders"),
        "{:?}",
        page.code()
    );
    envoy.assert_unharmed();
}

#[test]
fn every_cookie_is_set_once() {
    let provider = provider_with_switches!();
    let upstream = Upstream::answering(|_| {
        Response::new(200)
            .header("set-cookie", "theirs=1")
            .header("set-cookie", "theirs=2")
    });
    let envoy = portero(&provider, &upstream).start();
    let mut visitor = Visitor::new();
    let start = visitor.open(&envoy.url("/orders"));
    assert_eq!(start.response.all("set-cookie").len(), 1);
    let form = visitor.arrive(start);
    let start = envoy.url("/oauth2/callback");
    let callback = visitor.fill_in_until(&form, &provider.person(), &start);
    let page = visitor.open(callback.as_str());
    let mut names: Vec<_> = page
        .response
        .all("set-cookie")
        .iter()
        .map(|cookie| cookie.split('=').next().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!((&names[0][..], &names[1][..]), ("portero", "portero-hint"));
    assert!(names[2].starts_with("portero-login-"));
    // An answer of the upstream keeps its own, and gets none.
    let page = visitor.follow(&page);
    assert_eq!(page.response.all("set-cookie"), ["theirs=1", "theirs=2"]);
}

#[test]
fn a_call_that_is_cut_off_frees_the_request_that_waits_for_it() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let mut line = Line::to(provider.address());
    let envoy = portero(&provider, &upstream)
        .cluster("idp", line.address())
        .start();
    let mut visitor = Visitor::new();
    let form = visitor.visit(&envoy.url("/orders"));
    provider.fault("/token", json!({"hang": true}));
    let page = thread::scope(|scope| {
        let person = provider.person();
        let visitor = &mut visitor;
        let waiting = scope.spawn(move || visitor.fill_in(&form, &person));
        wait::until("the code is on its way", || {
            (provider.journal().count("/token") == 1).then_some(())
        });
        line.cut();
        waiting.join().unwrap()
    });
    assert_eq!(
        (page.response.status, page.code().as_deref()),
        (503, Some("token_unreachable"))
    );
    envoy.assert_unharmed();
}
