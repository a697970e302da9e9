//! A person logs in through the built module, in a real Envoy, with a real provider.

use portero_envoy_tests::{Provider, Upstream, Visitor, portero};

#[test]
fn alice_logs_in_and_the_upstream_learns_who_she_is() {
    let upstream = Upstream::start();
    let provider = Provider::start();
    let envoy = portero(&provider, &upstream).workers(2).start();
    let mut visitor = Visitor::with_form(provider.form());
    let page = visitor.log_in(&envoy.url("/orders?from=today"), &provider.person());
    assert_eq!(page.response.status, 200);
    let seen = upstream.only();
    assert!(
        seen.headers
            .iter()
            .any(|(name, value)| name == b"x-user" && value == provider.person().name.as_bytes())
    );
}
