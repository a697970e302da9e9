//! Forms that are posted when the session is over, kept by the browser until the login is done.
use portero_envoy_tests::http::Connection;
use portero_envoy_tests::{
    Browser, Envoy, Filter, Provider, Request, Response, Setup, Upstream, Visitor, portero,
    provider_with_switches, wait,
};
use serde_json::json;

const RECEIVED: &str = "http.gateway.downstream_cx_rx_bytes_total";

fn keeping(provider: &Provider, upstream: &Upstream) -> Setup {
    portero(provider, upstream).configure(|config| {
        config["allow_on_headers_stop_iteration"] = json!(true);
        config["session"]["preserved_post_bytes"] = json!(12_000);
    })
}

/// An application with a form, whose button has the name that forms' own method has.
fn application() -> Upstream {
    Upstream::answering(|request| {
        let page = match request.method.as_slice() {
            b"POST" => "<!doctype html><title>Ordered</title><h1>Thank you</h1>",
            _ => {
                "<!doctype html><title>Order</title><form method=post action='/orders?draft=1'>\
                 <input name=item><textarea name=note></textarea><button name=submit value=now>Order</button></form>"
            }
        };
        Response::new(200)
            .header("content-type", "text/html; charset=utf-8")
            .body(page)
    })
}

/// Opens the form and fills it in, with a session.
fn filled_in(envoy: &Envoy, provider: &Provider) -> Browser {
    let browser = Browser::start();
    browser.open(&envoy.url("/orders"));
    browser.log_in(provider.form(), &provider.person());
    fill_in(&browser);
    browser
}

fn fill_in(browser: &Browser) {
    browser.fill("[name=item]", "a \"b\" & <c> é");
    browser.fill("[name=note]", "one\ntwo");
}

#[track_caller]
fn is_sent_once(browser: &Browser, envoy: &Envoy, upstream: &Upstream) {
    wait::until("the form has been sent", || {
        (browser.title() == "Ordered").then_some(())
    });
    assert_eq!(browser.url(), envoy.url("/orders?draft=1"));
    let requests = upstream.requests();
    let posts: Vec<_> = requests
        .iter()
        .filter(|request| request.method == b"POST")
        .collect();
    assert_eq!(posts.len(), 1);
    let seen = posts[0];
    assert_eq!(
        String::from_utf8(seen.body.clone()).unwrap(),
        "item=a+%22b%22+%26+%3Cc%3E+%C3%A9&note=one%0D%0Atwo&submit=now"
    );
    assert_eq!(seen.one("x-user").as_deref(), Some("alice"));
    assert_eq!(seen.one("origin"), Some(envoy.origin().to_owned()));
    assert_eq!(
        seen.one("referer"),
        Some(envoy.url("/")),
        "the callback's address has a code in it"
    );
    assert_eq!(browser.cookie_names(), ["portero"]);
    envoy.assert_unharmed();
}

/// The session is there, so it is known whose form that is.
#[test]
fn a_form_reaches_the_application_after_the_login_that_came_between() {
    let provider = provider_with_switches!();
    let upstream = application();
    let rules = json!([
        {"match": {"methods": ["POST"]}, "authentication": {"acr_values": ["gold"]}},
    ]);
    let envoy = keeping(&provider, &upstream)
        .configure(|config| config["rules"] = rules)
        .with_filter(Filter::body_while_waiting)
        .start();
    let browser = filled_in(&envoy, &provider);
    upstream.forget();
    browser.click("button");
    // The provider knows the person, but not well enough.
    browser.log_in(provider.form(), &provider.person());
    is_sent_once(&browser, &envoy, &upstream);
}

#[test]
fn a_form_of_nobody_knows_whom_waits_for_its_button() {
    let provider = provider_with_switches!();
    let upstream = application();
    let envoy = keeping(&provider, &upstream)
        .with_filter(Filter::body_while_waiting)
        .start();
    let browser = filled_in(&envoy, &provider);
    browser.run(browser.client().delete_all_cookies());
    upstream.forget();
    browser.click("button");
    wait::until("the page that waits", || {
        (browser.title() == "Your form was not sent yet").then_some(())
    });
    assert!(browser.text("p").contains("before this sign-in"));
    assert!(upstream.requests().is_empty());
    browser.click("button");
    is_sent_once(&browser, &envoy, &upstream);
}

/// The head of a form's POST, as a browser sends it.
fn head(envoy: &Envoy, length: &str) -> Vec<u8> {
    let origin = envoy.origin();
    let host = origin.strip_prefix("http://").unwrap();
    format!(
        "POST /orders HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\naccept: text/html\r\n\
         sec-fetch-mode: navigate\r\nsec-fetch-site: same-origin\r\n\
         content-type: application/x-www-form-urlencoded\r\n{length}\r\n\r\n"
    )
    .into_bytes()
}

/// Sends the parts one after the other, each when Envoy has read those before.
fn in_parts(envoy: &Envoy, parts: &[&[u8]]) -> Response {
    let mut connection = Connection::open(envoy.address()).unwrap();
    let before = envoy.stat(RECEIVED);
    let mut sent = 0;
    for part in parts {
        connection.write(part).unwrap();
        sent += u64::try_from(part.len()).unwrap();
        wait::until("Envoy reads it", || {
            (envoy.stat(RECEIVED) >= before + sent).then_some(())
        });
    }
    connection.response(b"POST").unwrap()
}

fn has_begun_a_login(answer: &Response, provider: &Provider) {
    assert_eq!(answer.status, 303, "{:?}", answer.code());
    let location = answer.one("location").unwrap();
    assert!(location.starts_with(provider.issuer()), "{location}");
    let cookies = answer.all("set-cookie");
    let keeps = |cookie: &String| cookie.starts_with("portero-form=");
    assert!(cookies.iter().any(keeps), "{cookies:?}");
}

#[test]
fn a_body_may_come_in_parts_in_chunks_and_with_trailers() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = keeping(&provider, &upstream)
        .with_filter(Filter::body_while_waiting)
        .start();
    envoy.wait_for_log("provider_ready");
    let answer = in_parts(
        &envoy,
        &[
            &head(&envoy, "content-length: 11"),
            b"a=1&",
            b"b=2&",
            b"c=3",
        ],
    );
    has_begun_a_login(&answer, &provider);
    let answer = in_parts(
        &envoy,
        &[
            &head(&envoy, "transfer-encoding: chunked\r\ntrailer: x-end"),
            b"4\r\na=1&\r\n",
            b"3\r\nb=2\r\n",
            b"0\r\nx-end: yes\r\n\r\n",
        ],
    );
    has_begun_a_login(&answer, &provider);
    let whole = [&head(&envoy, "content-length: 3")[..], b"a=1"].concat();
    has_begun_a_login(&in_parts(&envoy, &[&whole]), &provider);
    let answer = in_parts(&envoy, &[&head(&envoy, "content-length: 0")]);
    has_begun_a_login(&answer, &provider);
    let large = [&head(&envoy, "content-length: 900000")[..], &[b'x'; 13_000]].concat();
    let answer = in_parts(&envoy, &[&large]);
    assert_eq!(answer.code().as_deref(), Some("login_required"));
    assert!(upstream.requests().is_empty());
    envoy.assert_unharmed();
}

/// The configuration promises what Envoy does not do.
#[test]
fn where_envoy_shows_no_bodies_the_request_ends_with_a_code_that_says_so() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = keeping(&provider, &upstream).start();
    let whole = [&head(&envoy, "content-length: 3")[..], b"a=1"].concat();
    let answer = in_parts(&envoy, &[&whole]);
    assert_eq!(answer.status, 408);
    assert_eq!(answer.code().as_deref(), Some("body_not_delivered"));
    assert!(upstream.requests().is_empty());
    let mut visitor = Visitor::new();
    visitor.log_in(&envoy.url("/"), &provider.person());
    let body = "x".repeat(200_000);
    let request = Request::post("/orders", body).header("content-type", "text/plain");
    let url = envoy.url("/orders").parse().unwrap();
    upstream.forget();
    assert_eq!(visitor.send(&url, request).response.status, 200);
    assert_eq!(upstream.only().body.len(), 200_000);
    envoy.assert_unharmed();
}
