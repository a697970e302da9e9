//! What people see, in a real browser. The pictures are in `target/screenshots`.
use portero_envoy_tests::upstream::nobody;
use portero_envoy_tests::{
    Application, Browser, Person, Provider, Upstream, portero, provider_with_switches, wait,
};

/// A picture in light and in dark.
fn pictures(browser: &Browser, name: &str) {
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        browser.screenshot(&format!("{name}-{scheme}"));
    }
    browser.prefer("light");
}

fn code(browser: &Browser) -> String {
    browser.text("dd")
}

#[test]
fn a_person_logs_in_sees_their_name_and_logs_out() {
    let upstream = Upstream::start();
    let application = Application::start();
    let provider = provider_with_switches!();
    let envoy = portero(&provider, &upstream)
        .cluster("upstream", application.address())
        .workers(2)
        .start();
    let browser = Browser::start();
    browser.open(&envoy.url("/orders?from=today"));
    assert_eq!(browser.text("h1"), "Log in");
    browser.log_in(
        provider.form(),
        &Person {
            password: "wrong".to_owned(),
            ..provider.person()
        },
    );
    assert_eq!(
        browser.text("[role=alert]"),
        "User name or password is wrong. Please try again."
    );
    browser.log_in(provider.form(), &provider.person());
    assert_eq!(browser.text("#hello"), "Hello, Alice Example");
    assert_eq!(browser.url(), envoy.url("/orders?from=today"));
    pictures(&browser, "application");
    // A reload, and a script's request, need no second login.
    browser.open(&envoy.url("/orders"));
    assert_eq!(browser.text("#hello"), "Hello, Alice Example");
    assert_eq!(browser.cookie_names(), ["portero"]);

    browser.click("a[href='/oauth2/logout']");
    assert_eq!(browser.text("h1"), "Log out");
    assert!(browser.url().starts_with(provider.issuer()));
    browser.screenshot("provider-logout");
    browser.click("button[value=yes]");
    wait::until("the page after the logout", || {
        (browser.title() == "Signed out").then_some(())
    });
    assert!(browser.url().starts_with(&envoy.url("/oauth2/logged-out")));
    assert!(
        browser.cookie_names().is_empty(),
        "{:?}",
        browser.cookie_names()
    );
    pictures(&browser, "signed-out");
    // The way back into the application leads over a password.
    browser.click("main a");
    assert_eq!(browser.text("h1"), "Log in");
    envoy.assert_unharmed();
}

#[test]
fn another_site_brings_a_question_and_no_logout() {
    let upstream = Upstream::start();
    let application = Application::start();
    let provider = provider_with_switches!();
    let envoy = portero(&provider, &upstream)
        .cluster("upstream", application.address())
        .start();
    let browser = Browser::start();
    browser.open(&envoy.url("/"));
    browser.log_in(provider.form(), &provider.person());
    browser.find("#hello");
    // The provider's own page is another site, and so is any other name.
    for site in [
        format!("{}/no-such-page", provider.issuer()),
        format!("http://evil.localhost:{}/x", application.address().port()),
    ] {
        browser.open(&site);
        let script = format!("location.href = '{}'", envoy.url("/oauth2/logout"));
        browser.run(browser.client().execute(&script, Vec::new()));
        wait::until("the question", || {
            (browser.title() == "Sign out?").then_some(())
        });
        browser.open(&envoy.url("/"));
        assert_eq!(browser.text("#hello"), "Hello, Alice Example");
        // Nor with a form that sends itself, or a picture.
        browser.open(&site);
        let script = format!(
            "const f = document.createElement('form'); f.method = 'post'; f.action = '{}'; document.body.append(f); f.submit()",
            envoy.url("/oauth2/logout")
        );
        browser.run(browser.client().execute(&script, Vec::new()));
        wait::until("the refusal", || {
            browser
                .run(browser.client().source())
                .contains("logout_cross_site")
                .then_some(())
        });
        browser.open(&envoy.url("/"));
        assert_eq!(browser.text("#hello"), "Hello, Alice Example");
    }
    pictures_of_the_question(&browser, &envoy.url("/oauth2/logout"), &provider);
    browser.click("button");
    wait::until("the provider asks, too", || {
        (browser.title() == "Log out").then_some(())
    });
    assert!(browser.url().starts_with(provider.issuer()));
    assert_eq!(envoy.metric("logout.succeeded"), 1);
}

fn pictures_of_the_question(browser: &Browser, url: &str, provider: &Provider) {
    browser.open(&format!("{}/no-such-page", provider.issuer()));
    let script = format!("location.href = '{url}'");
    browser.run(browser.client().execute(&script, Vec::new()));
    wait::until("the question", || {
        (browser.title() == "Sign out?").then_some(())
    });
    pictures(browser, "logout-question");
}

#[test]
fn faults_are_pages_that_can_be_read() {
    let upstream = Upstream::start();
    let provider = provider_with_switches!();
    let envoy = portero(&provider, &upstream).start();
    let browser = Browser::start();
    browser.open(&envoy.url("/oauth2/callback?state=x&code=y"));
    assert_eq!(browser.title(), "This request cannot be used");
    assert_eq!(code(&browser), "login_unknown");
    pictures(&browser, "error-unknown-login");
    browser.run(browser.client().set_window_size(360, 640));
    browser.screenshot("error-unknown-login-phone");
    browser.run(browser.client().set_window_size(1024, 768));
    assert_styled(&browser);

    provider.fault("/token", serde_json::json!({"status": 500}));
    browser.open(&envoy.url("/orders"));
    browser.log_in(provider.form(), &provider.person());
    wait::until("the page", || {
        (browser.title() == "Not possible at the moment").then_some(())
    });
    assert_eq!(code(&browser), "token_refused");
    pictures(&browser, "error-token-refused");
    provider.heal();
    browser.click("main a");
    wait::until("the page that was wanted", || {
        (browser.url() == envoy.url("/orders")).then_some(())
    });

    let alone = portero(&provider, &upstream)
        .cluster("idp", nobody())
        .start();
    browser.open(&alone.url("/"));
    assert_eq!(code(&browser), "provider_unavailable");
    pictures(&browser, "error-provider-unavailable");
}

/// The content security policy lets the page's own style through.
fn assert_styled(browser: &Browser) {
    let script = "return getComputedStyle(document.querySelector('main')).maxWidth";
    let width = browser.run(browser.client().execute(script, Vec::new()));
    assert_eq!(width, serde_json::json!("512px"));
}
