//! Rules that ask for a recent authentication or a certain class, in a real Envoy with a real provider.
use portero_envoy_tests::{
    Envoy, Provider, Setup, Upstream, Visitor, portero, provider_with_switches, wait,
};
use serde_json::{Value, json};

/// Portero with these rules, whose `clock_skew` adds little.
fn with_rules(provider: &Provider, upstream: &Upstream, rules: Value) -> Setup {
    portero(provider, upstream).configure(|config| {
        config["rules"] = rules;
        config["providers"]["demo"]["id_token"] = json!({"clock_skew": "5s"});
    })
}

fn logged_in(envoy: &Envoy, provider: &Provider) -> Visitor {
    let mut visitor = Visitor::with_form(provider.form());
    let page = visitor.log_in(&envoy.url("/"), &provider.person());
    assert_eq!(page.response.status, 200);
    visitor
}

#[test]
fn a_rule_with_a_class_asks_the_person_once_more_and_a_program_for_it() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let rules = json!([
        {"match": {"path": {"prefix": "/admin"}}, "authentication": {"acr_values": ["gold"]}},
    ]);
    let envoy = with_rules(&provider, &upstream, rules).workers(2).start();
    let mut visitor = logged_in(&envoy, &provider);

    let refused = visitor.fetch(&envoy.url("/admin/users"));
    assert_eq!(
        (refused.response.status, refused.code().as_deref()),
        (401, Some("insufficient_user_authentication"))
    );
    let challenge = refused.response.one("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer error=\"insufficient_user_authentication\"")
            && challenge.ends_with("acr_values=\"gold\""),
        "{challenge}"
    );
    assert_eq!(visitor.fetch(&envoy.url("/other")).response.status, 200);

    // The provider knows the person, but not well enough.
    let form = visitor.visit(&envoy.url("/admin/users?page=2"));
    assert!(form.url.as_str().starts_with(provider.issuer()));
    let page = visitor.fill_in(&form, &provider.person());
    assert_eq!(page.response.status, 200, "{:?}", page.code());
    assert_eq!(page.url.as_str(), envoy.url("/admin/users?page=2"));
    assert_eq!(
        visitor.fetch(&envoy.url("/admin/users")).response.status,
        200
    );
    assert_eq!(envoy.metric("login.succeeded"), 2);
    envoy.assert_unharmed();
}

#[test]
fn a_rule_with_an_age_asks_the_person_again_when_it_has_passed() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let rules = json!([
        {"match": {"path": {"prefix": "/pay"}}, "authentication": {"max_age": "0s"}},
    ]);
    let envoy = with_rules(&provider, &upstream, rules).workers(2).start();
    let mut visitor = logged_in(&envoy, &provider);

    // Nothing asked the provider to tell when the person authenticated, so it is asked now.
    assert_eq!(
        visitor.fetch(&envoy.url("/pay")).code().as_deref(),
        Some("insufficient_user_authentication")
    );
    let form = visitor.visit(&envoy.url("/pay"));
    assert!(form.url.as_str().starts_with(provider.issuer()));
    let page = visitor.fill_in(&form, &provider.person());
    assert_eq!((page.response.status, page.url.path()), (200, "/pay"));
    assert_eq!(visitor.fetch(&envoy.url("/pay")).response.status, 200);

    // The skew, and the time for the way back.
    let passed = wait::until_within(
        std::time::Duration::from_secs(30),
        "the authentication is too old",
        || {
            let page = visitor.fetch(&envoy.url("/pay"));
            (page.response.status == 401).then_some(page)
        },
    );
    let challenge = passed.response.one("www-authenticate").unwrap();
    assert!(challenge.ends_with("max_age=\"0\""), "{challenge}");
    let form = visitor.visit(&envoy.url("/pay"));
    assert!(form.url.as_str().starts_with(provider.issuer()));
    let page = visitor.fill_in(&form, &provider.person());
    assert_eq!((page.response.status, page.url.path()), (200, "/pay"));
    envoy.assert_unharmed();
}
