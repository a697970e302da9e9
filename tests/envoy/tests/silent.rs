//! Sessions that are renewed with `prompt=none`, and claims that are read again, in a real Envoy with a real provider.
use std::time::{Duration, Instant};

use portero_envoy_tests::{
    Envoy, Page, Person, Provider, Setup, Upstream, Visitor, portero, provider_with_switches, wait,
};
use serde_json::json;

/// A provider that gives no refresh tokens, and Portero with a word more in `session`.
fn with_word(provider: &Provider, upstream: &Upstream, word: &str, value: &str) -> Setup {
    provider.set(json!({"refreshToken": "offline_access"}));
    portero(provider, upstream).configure(|config| {
        config["session"][word] = serde_json::from_str(value).unwrap();
    })
}

fn logged_in(envoy: &Envoy, provider: &Provider, name: &str) -> Visitor {
    let mut visitor = Visitor::with_form(provider.form());
    let page = visitor.log_in(&envoy.url("/"), &Person::named(name));
    assert_eq!(page.response.status, 200);
    visitor
}

fn is_silent(page: &Page) -> bool {
    page.redirect().is_some_and(|to| {
        to.query_pairs()
            .any(|pair| pair == ("prompt".into(), "none".into()))
    })
}

#[test]
fn a_session_is_renewed_where_the_provider_knows_the_person_and_ends_where_it_does_not() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    provider.set(json!({"accessTtl": 5}));
    let setup = with_word(&provider, &upstream, "prompt_none_renewal", "true");
    let envoy = setup.workers(2).start();
    let mut known = logged_in(&envoy, &provider, "alice");
    let mut forgotten = logged_in(&envoy, &provider, "bob");
    let since = Instant::now();
    assert_eq!(known.open(&envoy.url("/early")).response.status, 200);
    wait::until_within(Duration::from_secs(90), "a minute after the login", || {
        (since.elapsed() > Duration::from_millis(60_500)).then_some(())
    });
    assert_eq!(known.fetch(&envoy.url("/api")).response.status, 200);

    let start = known.open(&envoy.url("/orders?page=2"));
    assert!(is_silent(&start), "{:?}", start.redirect());
    let page = known.arrive(start);
    assert_eq!(page.response.status, 200, "{:?}", page.code());
    assert_eq!(page.url.as_str(), envoy.url("/orders?page=2"));
    assert_eq!(known.open(&envoy.url("/")).response.status, 200);

    let host = provider.issuer().parse::<url::Url>().unwrap();
    let host = host.host_str().unwrap();
    forgotten
        .cookies
        .all()
        .retain(|cookie| cookie.domain != host);
    let start = forgotten.open(&envoy.url("/orders?page=3"));
    assert!(is_silent(&start), "{:?}", start.redirect());
    let form = forgotten.arrive(start);
    assert!(
        form.url.as_str().starts_with(provider.issuer()),
        "{}",
        form.url
    );
    assert_eq!(forgotten.fetch(&envoy.url("/api")).response.status, 401);
    let page = forgotten.fill_in(&form, &Person::named("bob"));
    assert_eq!(page.response.status, 200, "{:?}", page.code());
    assert_eq!(page.url.as_str(), envoy.url("/orders?page=3"));
    assert_eq!(envoy.metric("login.succeeded"), 4);
    envoy.assert_unharmed();
}

#[test]
fn userinfo_is_asked_again_and_its_refusal_ends_the_session() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let setup = with_word(&provider, &upstream, "reread_claims", "\"10s\"");
    let envoy = setup.workers(2).start();
    let mut visitor = logged_in(&envoy, &provider, "alice");
    let asked = || provider.journal().count("/me");
    assert_eq!(asked(), 1);
    wait::until_within(Duration::from_secs(30), "userinfo is asked again", || {
        let page = visitor.fetch(&envoy.url("/orders"));
        assert_eq!(page.response.status, 200);
        (asked() == 2).then_some(())
    });
    assert_eq!(envoy.metric("refresh.succeeded"), 1);
    provider.fault("/me", json!({"status": 401}));
    let refused = wait::until_within(Duration::from_secs(30), "the session ends", || {
        let page = visitor.fetch(&envoy.url("/orders"));
        (page.response.status != 200).then_some(page)
    });
    assert_eq!(
        (refused.response.status, refused.code().as_deref()),
        (401, Some("login_required"))
    );
    assert_eq!(envoy.metric("failure.userinfo_invalid_token"), 1);
    envoy.assert_unharmed();
}
