//! The harness itself, without the filter: that Envoy, provider and browser do what the other tests take for granted.
use std::net::TcpStream;

use portero_envoy_tests::{
    Browser, Person, Provider, Request, Setup, Upstream, Visitor, provider_with_switches, wait,
};
use serde_json::json;
use url::Url;

/// What a relying party sends people to. The code challenge is that of RFC 7636, appendix B.
fn authentication_request(provider: &Provider) -> String {
    let mut url = Url::parse(&format!("{}/auth", provider.issuer())).unwrap();
    url.query_pairs_mut().extend_pairs([
        ("client_id", "web"),
        ("response_type", "code"),
        ("redirect_uri", "http://app.localhost:1/oauth2/callback"),
        ("scope", "openid profile"),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
    ]);
    url.into()
}

fn with_relying_party(provider: Provider) -> Provider {
    provider.register(&["http://app.localhost:1"]);
    provider
}

#[test]
fn the_provider_publishes_its_metadata() {
    let provider = Provider::start();
    let url = format!(
        "{}/.well-known/openid-configuration",
        provider.issuer().trim_end_matches('/')
    );
    let metadata = Visitor::new().open(&url).response.json();
    assert_eq!(metadata["issuer"], provider.issuer());
}

#[test]
fn what_a_test_started_ends_with_it() {
    let upstream = Upstream::start();
    let envoy = Setup::new(&upstream).start();
    let provider = Provider::start();
    let mut addresses = vec![upstream.address(), envoy.address()];
    if provider.is_ours() {
        addresses.push(provider.address());
    }
    drop((envoy, upstream, provider));
    for address in addresses {
        wait::until("nobody listens any more", || {
            TcpStream::connect(address).is_err().then_some(())
        });
    }
}

#[test]
fn a_person_logs_in_at_the_provider_and_is_sent_back_with_a_code() {
    let provider = with_relying_party(provider_with_switches!());
    let mut visitor = Visitor::new();
    let form = visitor.visit(&authentication_request(&provider));
    let mut page = visitor.submit(&form, &[("login", "alice"), ("password", "portero")]);
    // Nobody listens at the relying party's address, so the visitor stops there.
    while let Some(next) = page.redirect() {
        if next.host_str() == Some("app.localhost") {
            assert!(
                next.query_pairs()
                    .any(|(name, value)| name == "code" && !value.is_empty()),
                "{next}"
            );
            assert!(
                next.query_pairs()
                    .any(|(name, value)| name == "state" && value == "the-state"),
                "{next}"
            );
            return;
        }
        page = visitor.follow(&page);
    }
    panic!("not sent back: {} {}", page.url, page.response.text());
}

#[test]
fn a_wrong_password_and_an_unknown_person_are_told_so_on_the_form() {
    let provider = with_relying_party(provider_with_switches!());
    for (name, password) in [("alice", "wrong"), ("mallory", "portero")] {
        let mut visitor = Visitor::new();
        let form = visitor.visit(&authentication_request(&provider));
        let again = visitor.fill_in(
            &form,
            &Person {
                name: name.to_owned(),
                password: password.to_owned(),
            },
        );
        assert_eq!(again.response.status, 401);
        assert!(
            again
                .response
                .text()
                .contains("User name or password is wrong"),
            "{}",
            again.response.text()
        );
        // The form still works.
        assert_eq!(
            visitor
                .fill_in(
                    &again,
                    &Person {
                        name: name.to_owned(),
                        password: password.to_owned()
                    }
                )
                .response
                .status,
            401
        );
    }
}

#[test]
fn the_provider_fails_as_often_as_it_is_told_and_remembers_what_it_was_asked() {
    let provider = provider_with_switches!();
    provider.fault("/jwks", json!({"status": 503, "times": 1, "body": "sorry"}));
    let keys = || Request::get("/jwks").send(provider.address()).unwrap();
    assert_eq!((keys().status, keys().status), (503, 200));
    assert_eq!(provider.journal().count("/jwks"), 2);
    let before = keys().json();
    provider.rotate("replace");
    assert_ne!(keys().json(), before);
    provider.fault("/jwks", json!({"drop": true}));
    assert!(Request::get("/jwks").send(provider.address()).is_err());
    let form = "grant_type=refresh_token&refresh_token=x";
    Request::post("/token", form)
        .header("content-type", "application/x-www-form-urlencoded")
        .send(provider.address())
        .unwrap();
    assert_eq!(
        provider.journal().token_requests(),
        [&json!({"grant_type": "refresh_token", "refresh_token": "x"})]
    );
}

#[test]
fn envoy_without_a_filter_passes_requests_to_the_upstream_byte_for_byte() {
    let upstream = Upstream::start();
    let envoy = Setup::new(&upstream).start();
    let response = envoy.send(
        &Request::post("/a?b", "body")
            .header("x-odd", b"\xff\xc3\xa9")
            .header("x-twice", "1")
            .header("x-twice", "2"),
    );
    assert_eq!(response.status, 200);
    let request = upstream.only();
    assert_eq!(
        (&request.method[..], &request.target[..], &request.body[..]),
        (&b"POST"[..], &b"/a?b"[..], &b"body"[..])
    );
    let values = |name: &str| {
        request
            .headers
            .iter()
            .filter(|(key, _)| key == name.as_bytes())
            .map(|(_, value)| value.as_slice())
            .collect::<Vec<_>>()
    };
    assert_eq!(values("x-odd"), [b"\xff\xc3\xa9"]);
    assert_eq!(values("x-twice"), [b"1", b"2"]);
    wait::until("the request is counted", || {
        (envoy.stat("http.gateway.downstream_rq_2xx") == 1).then_some(())
    });
}

#[test]
fn several_envoys_run_side_by_side() {
    let upstream = Upstream::start();
    let envoys: Vec<_> = (0..3).map(|_| Setup::new(&upstream).start()).collect();
    assert!(envoys.iter().all(|envoy| envoy.get("/").status == 200));
}

#[test]
fn a_browser_shows_the_login_form_and_its_error() {
    let provider = with_relying_party(provider_with_switches!());
    let browser = Browser::start();
    browser.open(&authentication_request(&provider));
    assert_eq!(browser.text("h1"), "Log in");
    assert!(browser.screenshot("provider-login").is_file());
    browser.log_in(
        provider.form(),
        &Person {
            name: "alice".to_owned(),
            password: "wrong".to_owned(),
        },
    );
    assert_eq!(
        browser.text("[role=alert]"),
        "User name or password is wrong. Please try again."
    );
    browser.prefer("dark");
    browser.screenshot("provider-login-refused-dark");
}
