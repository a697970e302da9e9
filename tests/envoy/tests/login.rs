//! A person logs in through the built module, in a real Envoy, with a real provider.
use std::thread;

use portero_envoy_tests::http::Connection;
use portero_envoy_tests::{
    Envoy, Person, Provider, Request, Response, Upstream, Visitor, portero, provider_with_switches,
    wait,
};

/// A request with somebody's cookies, over a connection that stays open.
fn ask(connection: &mut Connection, envoy: &Envoy, visitor: &Visitor, path: &str) -> Response {
    let url = envoy.url(path).parse().unwrap();
    let request = Request::get(path)
        .header("host", format!("app.localhost:{}", envoy.address().port()))
        .header("accept", "application/json")
        .header("cookie", visitor.cookies.header(&url).unwrap_or_default());
    connection.write(&request.bytes()).unwrap();
    connection.response(b"GET").unwrap()
}

fn wait_for_open(envoy: &Envoy, count: u64) {
    wait::until("connections at Envoy", || {
        (envoy.stat("http.gateway.downstream_cx_active") == count).then_some(())
    });
}

#[test]
fn alice_logs_in_and_the_upstream_learns_who_she_is() {
    let upstream = Upstream::start();
    let provider = Provider::start();
    let envoy = portero(&provider, &upstream).workers(2).start();
    let mut visitor = Visitor::with_form(provider.form());
    let page = visitor.log_in(&envoy.url("/orders?from=today"), &provider.person());
    assert_eq!(page.response.status, 200);
    assert_eq!(page.url.as_str(), envoy.url("/orders?from=today"));
    assert_eq!(upstream.only().one("x-user"), Some(provider.person().name));
    envoy.assert_unharmed();
}

#[test]
fn a_session_is_good_at_every_worker() {
    let upstream = Upstream::start();
    let provider = Provider::start();
    let envoy = portero(&provider, &upstream).workers(2).balanced().start();
    let mut visitor = Visitor::with_form(provider.form());
    visitor.log_in(&envoy.url("/"), &provider.person());

    wait_for_open(&envoy, 0);
    let before = envoy.connections_of_workers();
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut connection = Connection::open(envoy.address()).unwrap();
        let response = ask(&mut connection, &envoy, &visitor, "/shared");
        assert_eq!(response.status, 200, "{}", response.text());
        held.push(connection);
    }
    let taken: Vec<_> = before
        .iter()
        .zip(envoy.connections_of_workers())
        .map(|(before, after)| after - before)
        .collect();
    assert_eq!(taken, [1, 1], "one connection for each worker");
}

#[test]
fn a_login_that_one_worker_starts_another_one_finishes() {
    let upstream = Upstream::start();
    let provider = Provider::start();
    let envoy = portero(&provider, &upstream).workers(2).balanced().start();
    let mut visitor = Visitor::with_form(provider.form());
    let form = visitor.visit(&envoy.url("/orders"));
    let callback = visitor.fill_in_until(&form, &provider.person(), &envoy.url("/oauth2/callback"));
    let started = envoy.connections_of_workers();
    let starter = usize::from(started[1] > 0);
    // Whoever has started it has an open connection, so the next one goes to the other one.
    wait_for_open(&envoy, 0);
    let mut held = vec![Connection::open(envoy.address()).unwrap()];
    wait_for_open(&envoy, 1);
    if envoy.connections_of_workers()[starter] == started[starter] {
        held.push(Connection::open(envoy.address()).unwrap());
        wait_for_open(&envoy, 2);
        held.remove(0);
        wait_for_open(&envoy, 1);
    }
    let before = envoy.connections_of_workers();
    assert!(
        visitor
            .open(callback.as_str())
            .leads_to(&envoy.url("/orders"))
    );
    let after = envoy.connections_of_workers();
    assert_eq!(
        (
            after[starter] - before[starter],
            after[1 - starter] - before[1 - starter]
        ),
        (0, 1)
    );
    assert_eq!(visitor.visit(&envoy.url("/orders")).response.status, 200);
}

#[test]
fn many_people_log_in_at_once() {
    let upstream = Upstream::start();
    let provider = Provider::start();
    let envoy = portero(&provider, &upstream).workers(2).balanced().start();
    thread::scope(|scope| {
        let people: Vec<_> = (0..12)
            .map(|number| {
                let (envoy, provider) = (&envoy, &provider);
                scope.spawn(move || {
                    let mut visitor = Visitor::with_form(provider.form());
                    let url = envoy.url(&format!("/person/{number}"));
                    let page = visitor.log_in(&url, &provider.person());
                    assert_eq!((page.response.status, page.url.as_str()), (200, &url[..]));
                    assert_eq!(visitor.visit(&envoy.url("/again")).response.status, 200);
                })
            })
            .collect();
        for person in people {
            person.join().unwrap();
        }
    });
    let workers = envoy.connections_of_workers();
    assert!(workers.iter().all(|served| *served > 2), "{workers:?}");
    assert_eq!(envoy.metric("login.succeeded"), 12);
    envoy.assert_unharmed();
}

#[test]
fn two_tabs_finish_in_any_order_each_on_its_own_page() {
    let upstream = Upstream::start();
    let provider = Provider::start();
    let envoy = portero(&provider, &upstream).start();
    let targets = ["/first?a=1&b=%C3%BC", "/second?c=%2F%3D"].map(|path| envoy.url(path));
    for order in [[0, 1], [1, 0]] {
        let mut visitor = Visitor::with_form(provider.form());
        let forms = targets.each_ref().map(|url| visitor.visit(url));
        for tab in order {
            let page = visitor.fill_in(&forms[tab], &provider.person());
            assert_eq!(page.response.status, 200, "{}", page.response.text());
            assert_eq!(page.url.as_str(), targets[tab]);
        }
    }
}

#[test]
fn a_wrong_password_is_told_at_the_provider_and_the_right_one_logs_in() {
    let upstream = Upstream::start();
    let provider = provider_with_switches!();
    let envoy = portero(&provider, &upstream).start();
    let mut visitor = Visitor::new();
    let form = visitor.visit(&envoy.url("/orders?n=1"));
    let mistaken = Person {
        password: "wrong".to_owned(),
        ..provider.person()
    };
    let again = visitor.fill_in(&form, &mistaken);
    assert!(again.url.as_str().starts_with(provider.issuer()));
    assert!(
        again
            .response
            .text()
            .contains("User name or password is wrong")
    );
    assert!(upstream.requests().is_empty());
    let page = visitor.fill_in(&again, &provider.person());
    assert_eq!(page.url.as_str(), envoy.url("/orders?n=1"));
    assert_eq!(upstream.only().one("x-user").as_deref(), Some("alice"));
}

#[test]
fn a_person_of_many_words_and_odd_letters_logs_in() {
    let upstream = Upstream::start();
    let provider = provider_with_switches!();
    let envoy = portero(&provider, &upstream)
        .configure(|config| {
            config["upstream"]["headers"]["x-name"] = serde_json::json!({"claim": "name"});
        })
        .start();
    for (name, shown) in [("uni", "%C3%9Cni %C3%89xample"), ("big", "Big Example")] {
        upstream.forget();
        let mut visitor = Visitor::new();
        let page = visitor.log_in(&envoy.url("/"), &Person::named(name));
        assert_eq!(page.response.status, 200, "{name}: {:?}", page.code());
        assert_eq!(upstream.only().one("x-name").as_deref(), Some(shown));
        assert_eq!(visitor.visit(&envoy.url("/again")).response.status, 200);
    }
    envoy.assert_unharmed();
}

#[test]
fn the_callback_seen_again_leaves_the_person_logged_in() {
    let upstream = Upstream::start();
    let provider = Provider::start();
    let envoy = portero(&provider, &upstream).workers(2).start();
    let mut visitor = Visitor::with_form(provider.form());
    let form = visitor.visit(&envoy.url("/orders"));
    let callback = visitor.fill_in_until(&form, &provider.person(), &envoy.url("/oauth2/callback"));
    // A double click: both requests leave the browser with the same cookies.
    let mut twin = Visitor::with_form(provider.form());
    twin.cookies = visitor.cookies.clone();
    assert_eq!(visitor.visit(callback.as_str()).response.status, 200);
    let second = twin.open(callback.as_str());
    assert_eq!(second.response.status, 303);
    // And the way back in the history, after the login.
    let again = visitor.visit(callback.as_str());
    assert_eq!((again.response.status, again.url.path()), (200, "/"));
    assert_eq!(visitor.visit(&envoy.url("/orders")).response.status, 200);
    assert_eq!(envoy.metric("login.succeeded"), 1);
}
