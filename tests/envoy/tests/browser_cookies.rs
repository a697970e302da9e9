//! Cookies as a real browser keeps them: the default ones over TLS, several tabs, `SameSite`.
use portero_envoy_tests::Provider;
use portero_envoy_tests::{
    Application, Browser, Setup, Upstream, Visitor, portero, provider_with_switches, wait,
};

/// Cookies as they are where the configuration says nothing about them.
fn with_default_cookies(provider: &Provider, upstream: &Upstream) -> Setup {
    portero(provider, upstream).configure(|config| {
        let session = config["session"].as_object_mut().expect("an object");
        session.remove("cookie");
    })
}

#[test]
fn the_default_cookies_work_in_a_browser() {
    let upstream = Upstream::start();
    let application = Application::start();
    let provider = provider_with_switches!();
    let envoy = with_default_cookies(&provider, &upstream)
        .cluster("upstream", application.address())
        .tls()
        .start();
    let browser = Browser::start();
    browser.open(&envoy.url("/orders?a=1"));
    browser.log_in(provider.form(), &provider.person());
    assert_eq!(browser.text("#hello"), "Hello, Alice Example");
    assert_eq!(browser.url(), envoy.url("/orders?a=1"));
    let cookies = browser.run(browser.client().get_all_cookies());
    let all: Vec<_> = cookies
        .iter()
        .map(|cookie| {
            (
                cookie.name(),
                cookie.secure(),
                cookie.http_only(),
                cookie.path(),
            )
        })
        .collect();
    assert_eq!(all, [("__Host-portero", Some(true), Some(true), Some("/"))]);
    browser.click("a[href='/oauth2/logout']");
    browser.click("button[value=yes]");
    wait::until("the page after the logout", || {
        (browser.title() == "Signed out").then_some(())
    });
    assert!(
        browser.cookie_names().is_empty(),
        "{:?}",
        browser.cookie_names()
    );
}

#[test]
fn without_the_insecure_switch_the_browser_is_taken_to_be_at_https() {
    let upstream = Upstream::start();
    let provider = provider_with_switches!();
    // The listener speaks http, as one behind a load balancer does that ends TLS.
    let envoy = with_default_cookies(&provider, &upstream).start();
    let page = Visitor::new().open(&envoy.url("/"));
    let address = page.redirect().expect("a redirect");
    let (_, redirect_uri) = address
        .query_pairs()
        .find(|(name, _)| name == "redirect_uri")
        .expect("where to come back to");
    let expected = envoy.url("/oauth2/callback").replace("http:", "https:");
    assert_eq!(redirect_uri, expected);
    for cookie in page.response.all("set-cookie") {
        assert!(cookie.starts_with("__Host-portero-login-"), "{cookie}");
        assert!(cookie.contains("; Secure"), "{cookie}");
    }
}

#[test]
fn two_tabs_of_one_browser_finish_each_on_its_own_page() {
    let upstream = Upstream::start();
    let application = Application::start();
    let provider = provider_with_switches!();
    let envoy = portero(&provider, &upstream)
        .cluster("upstream", application.address())
        .workers(2)
        .start();
    let browser = Browser::start();
    let first = browser.run(browser.client().window());
    browser.open(&envoy.url("/first?n=1"));
    let second = browser.run(browser.client().new_window(true)).handle;
    browser.run(browser.client().switch_to_window(second.clone()));
    browser.open(&envoy.url("/second?n=2"));
    // The first tab finishes last.
    browser.log_in(provider.form(), &provider.person());
    assert_eq!(browser.text("#hello"), "Hello, Alice Example");
    assert_eq!(browser.url(), envoy.url("/second?n=2"));
    browser.run(browser.client().switch_to_window(first));
    browser.log_in(provider.form(), &provider.person());
    assert_eq!(browser.text("#hello"), "Hello, Alice Example");
    assert_eq!(browser.url(), envoy.url("/first?n=1"));
    assert_eq!(browser.cookie_names(), ["portero"]);
    browser.screenshot("two-tabs");
}
