//! Who may, of those who are known, with a provider whose people differ.
use portero_envoy_tests::{Person, Upstream, Visitor, portero, provider_with_switches};
use serde_json::json;

#[test]
fn who_may_not_is_told_so_and_may_come_back_as_somebody_else() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .workers(2)
        .configure(|config| {
            config["rules"] = json!([
                {"match": {"path": {"prefix": "/admin"}}, "require": {
                    "groups": {"any_of": ["admin"]},
                    "realm_roles": {"all_of": ["admin", "user"]},
                    "client_roles": {"any_of": ["web:web-admin"]},
                    "roles": {"any_of": ["web-admin"]},
                    "scopes": {"all_of": ["openid", "groups"]},
                    "issuers": [provider.issuer()],
                    "claims": [
                        {"claim": "https://portero.example/tenant", "one_of": ["north"]},
                        {"claim": "email", "matches": "[a-z]+@example\\.test"},
                        {"claim": "email_verified", "equals": true},
                    ],
                }},
                {"match": {"path": {"prefix": "/south"}}, "forbid": {
                    "claims": [{"claim": "https://portero.example/tenant", "equals": "north"}],
                }},
            ]);
            // Nothing of what the rules look at is in a header.
            config["upstream"] = json!({"headers": {"x-user": {"claim": "preferred_username"}}});
        })
        .start();
    let mut visitor = Visitor::with_form(provider.form());

    let page = visitor.log_in(&envoy.url("/admin"), &Person::named("bob"));
    assert_eq!(page.url.as_str(), envoy.url("/admin"));
    assert_eq!(page.response.status, 403);
    assert_eq!(page.code().as_deref(), Some("access_forbidden"));
    let text = page.response.text();
    assert!(
        text.contains("You are signed in, but not allowed here."),
        "{text}"
    );
    assert!(
        text.contains("<a href=\"/oauth2/logout\">Use another account</a>"),
        "{text}"
    );
    let logins = provider.journal().count("/auth");
    for _ in 0..3 {
        assert_eq!(visitor.visit(&envoy.url("/admin")).response.status, 403);
        assert_eq!(visitor.fetch(&envoy.url("/admin")).response.status, 403);
    }
    assert_eq!(
        provider.journal().count("/auth"),
        logins,
        "no login for a 403"
    );
    assert!(envoy.log().contains("code=access_forbidden status=403"));
    // Elsewhere he is welcome.
    let page = visitor.visit(&envoy.url("/south"));
    assert_eq!(page.response.status, 200);

    // The link of the page logs him out, here and at the provider.
    visitor.headers = vec![("sec-fetch-site".to_owned(), b"same-origin".to_vec())];
    let out = visitor.open(&envoy.url("/oauth2/logout"));
    visitor.headers.clear();
    assert!(out.leads_to(&format!("{}/session/end", provider.issuer())));
    let question = visitor.follow(&out);
    let landed = visitor.confirm_logout(&question);
    assert_eq!(landed.url.path(), "/oauth2/logged-out");
    let page = visitor.log_in(&envoy.url("/admin"), &Person::named("alice"));
    assert_eq!(
        (page.url.as_str(), page.response.status),
        (envoy.url("/admin").as_str(), 200)
    );
    let page = visitor.visit(&envoy.url("/south"));
    assert_eq!(page.code().as_deref(), Some("access_forbidden"));
    envoy.assert_unharmed();
}
