//! The provider logs people out without their browsers, and its requests have bodies.
use std::time::{Duration, Instant};

use portero_envoy_tests::http::Connection;
use portero_envoy_tests::{
    Envoy, Filter, Provider, Request, Response, Setup, Upstream, Visitor, portero,
    provider_with_switches, wait,
};
use serde_json::json;

const PATH: &str = "/oauth2/backchannel-logout";
const FORM: &str = "application/x-www-form-urlencoded";

/// Portero set up to read bodies; Envoy too, unless a test says otherwise.
fn listening(provider: &Provider, upstream: &Upstream) -> Setup {
    portero(provider, upstream)
        .configure(|config| config["allow_on_headers_stop_iteration"] = json!(true))
}

fn started(provider: &Provider, upstream: &Upstream) -> Envoy {
    listening(provider, upstream)
        .with_filter(Filter::body_while_waiting)
        .workers(2)
        .balanced()
        .start()
}

fn logged_in(envoy: &Envoy, provider: &Provider) -> Visitor {
    let mut visitor = Visitor::with_form(provider.form());
    let page = visitor.log_in(&envoy.url("/"), &provider.person());
    assert_eq!(page.response.status, 200, "{:?}", page.code());
    visitor
}

/// A session that is alive, and what the provider would send to end it.
fn captured(envoy: &Envoy, provider: &Provider) -> (Visitor, Vec<u8>) {
    let instead = Upstream::start();
    let address = format!("http://{}{PATH}", instead.address());
    provider.set(json!({"backchannelLogout": address}));
    let mut visitor = logged_in(envoy, provider);
    let cookies = visitor.cookies.clone();
    visitor.log_out_at(provider.issuer());
    let told = wait::until("the provider tells", || instead.requests().pop());
    assert_eq!(told.one("content-type").as_deref(), Some(FORM));
    visitor.cookies = cookies;
    assert_eq!(visitor.fetch(&envoy.url("/")).response.status, 200);
    (visitor, told.body)
}

fn post(envoy: &Envoy, body: impl AsRef<[u8]>) -> Response {
    envoy.send(&Request::post(PATH, body).header("content-type", FORM))
}

#[track_caller]
fn is_done(response: &Response) {
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.one("cache-control").as_deref(), Some("no-store"));
    assert!(response.body.is_empty());
    assert!(response.all("set-cookie").is_empty());
}

#[test]
fn a_logout_at_the_provider_ends_a_cookie_session_on_both_workers() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = started(&provider, &upstream);
    provider.set(json!({"backchannelLogout": envoy.url(PATH)}));
    let mut visitor = logged_in(&envoy, &provider);
    let mut somebody = logged_in(&envoy, &provider);

    // One connection to each worker, for as long as the test takes.
    wait::until("no other is open", || {
        (envoy.stat("http.gateway.downstream_cx_active") == 0).then_some(())
    });
    let before = envoy.connections_of_workers();
    let mut connections = [(); 2].map(|()| Connection::open(envoy.address()).unwrap());
    let page = Request::get("/orders")
        .header("host", format!("app.localhost:{}", envoy.address().port()))
        .header(
            "cookie",
            visitor
                .cookies
                .header(&envoy.url("/").parse().unwrap())
                .unwrap(),
        );
    let mut statuses = || {
        connections.each_mut().map(|connection| {
            connection.write(&page.bytes()).unwrap();
            connection.response(b"GET").unwrap().status
        })
    };
    assert_eq!(statuses(), [200, 200]);
    let after = envoy.connections_of_workers();
    assert!(
        before.iter().zip(&after).all(|(one, two)| two > one),
        "{before:?} {after:?}"
    );

    visitor.log_out_at(provider.issuer());
    wait::until("Portero has been told", || {
        (envoy.metric("logout.succeeded") == 1).then_some(())
    });
    assert_eq!(statuses(), [401, 401]);
    assert!(envoy.log().contains("audit event=logout channel=back"));
    // Alice's other browser has a session of its own at the provider.
    assert_eq!(somebody.fetch(&envoy.url("/")).response.status, 200);
    // And she can log in again.
    let page = visitor.log_in(&envoy.url("/orders"), &provider.person());
    assert_eq!(page.response.status, 200, "{:?}", page.code());
    envoy.assert_unharmed();
}

#[test]
fn a_body_is_read_in_whatever_pieces_it_comes() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = started(&provider, &upstream);
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: app.localhost\r\ncontent-type: {FORM}\r\n");
    for way in ["pieces", "chunks with trailers", "expect-continue"] {
        let (mut visitor, body) = captured(&envoy, &provider);
        let length = format!("content-length: {}\r\n", body.len());
        let head = head.as_bytes();
        let pieces: Vec<Vec<u8>> = match way {
            "pieces" => {
                let mut pieces = vec![[head, length.as_bytes(), b"\r\n"].concat()];
                pieces.extend(body.chunks(100).map(<[u8]>::to_vec));
                pieces
            }
            "expect-continue" => vec![
                [head, length.as_bytes(), b"expect: 100-continue\r\n\r\n"].concat(),
                body,
            ],
            _ => {
                let start = [head, b"transfer-encoding: chunked\r\ntrailer: x\r\n\r\n"].concat();
                let chunks = body.chunks(300).map(|chunk| {
                    let size = format!("{:x}\r\n", chunk.len());
                    [size.as_bytes(), chunk, b"\r\n"].concat()
                });
                let mut pieces = vec![start];
                pieces.extend(chunks);
                pieces.push(b"0\r\nx: y\r\n\r\n".to_vec());
                pieces
            }
        };
        let received = || envoy.stat("http.gateway.downstream_cx_rx_bytes_total");
        let mut connection = Connection::open(envoy.address()).unwrap();
        for piece in pieces {
            let expected = received() + piece.len() as u64;
            connection.write(&piece).unwrap();
            wait::until("Envoy has read the piece", || {
                (received() >= expected).then_some(())
            });
        }
        is_done(&connection.response(b"POST").unwrap());
        assert_eq!(visitor.fetch(&envoy.url("/")).response.status, 401, "{way}");
    }
    assert!(
        !upstream
            .requests()
            .iter()
            .any(|request| request.target == PATH.as_bytes())
    );
    envoy.assert_unharmed();
}

#[test]
fn a_token_counts_once_and_another_kind_of_request_not_at_all() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = started(&provider, &upstream);
    let (mut visitor, body) = captured(&envoy, &provider);
    let text = String::from_utf8(body.clone()).unwrap();
    let query = format!("{PATH}?{text}");
    for (request, status, code) in [
        (Request::get(&query), 405, "method_not_allowed"),
        (
            Request::post(&query, "").header("content-type", FORM),
            400,
            "backchannel_logout_malformed",
        ),
        (
            Request::post(PATH, &body).header("content-type", "text/plain"),
            400,
            "backchannel_logout_malformed",
        ),
        (
            Request::post(PATH, [&body[..], b"&", &body[..]].concat()).header("content-type", FORM),
            400,
            "backchannel_logout_malformed",
        ),
        (
            Request::post(PATH, [&body[..], b"A"].concat()).header("content-type", FORM),
            400,
            "logout_token_signature_invalid",
        ),
    ] {
        let response = envoy.send(&request);
        let answer = (response.status, response.code());
        assert_eq!(answer, (status, Some(code.to_owned())));
        assert_eq!(response.one("cache-control").as_deref(), Some("no-store"));
        assert!(response.json()["error"].is_string());
    }
    assert_eq!(visitor.fetch(&envoy.url("/")).response.status, 200);
    is_done(&post(&envoy, &body));
    assert_eq!(visitor.fetch(&envoy.url("/")).response.status, 401);
    let again = post(&envoy, &body);
    let answer = (again.status, again.code());
    assert_eq!(answer, (400, Some("logout_token_replayed".to_owned())));
    envoy.assert_unharmed();
}

#[test]
fn a_large_body_is_refused_without_being_waited_for() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = started(&provider, &upstream);
    let started_at = Instant::now();
    for announced in [2 * 1024 * 1024, 64 * 1024 * 1024] {
        let mut connection = Connection::open(envoy.address()).unwrap();
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nhost: app.localhost\r\ncontent-type: {FORM}\r\n\
             content-length: {announced}\r\n\r\nlogout_token="
        );
        connection.write(head.as_bytes()).unwrap();
        // Envoy may hang up in the middle of it: the answer is there all the same.
        let _ = connection.write(&vec![b'x'; 100_000]);
        let response = connection.response(b"POST").unwrap();
        assert_eq!(
            (response.status, response.code().as_deref()),
            (413, Some("body_too_large"))
        );
    }
    assert!(started_at.elapsed() < Duration::from_secs(8));
    assert_eq!(envoy.get("/healthz").status, 200);
    envoy.assert_unharmed();
}

/// As long as Envoy hands out no bodies, none can be read: the answer says so, and nothing else happens.
#[test]
fn without_the_setting_in_envoy_the_answer_comes_after_ten_seconds() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = listening(&provider, &upstream).start();
    let (mut visitor, body) = captured(&envoy, &provider);
    upstream.forget();
    let started_at = Instant::now();
    let response = post(&envoy, &body);
    assert_eq!(
        (response.status, response.code().as_deref()),
        (408, Some("body_not_delivered"))
    );
    let took = started_at.elapsed();
    assert!(
        took > Duration::from_secs(9) && took < Duration::from_secs(14),
        "{took:?}"
    );
    assert!(upstream.requests().is_empty());
    assert_eq!(visitor.fetch(&envoy.url("/")).response.status, 200);
    wait::until("nothing hangs", || {
        (envoy.stat("http.gateway.downstream_rq_active") == 0).then_some(())
    });
    envoy.assert_unharmed();
}
