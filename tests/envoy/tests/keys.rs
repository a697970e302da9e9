//! The provider's signing keys change.
use portero_envoy_tests::http::Connection;
use portero_envoy_tests::{
    Envoy, Provider, Upstream, Visitor, portero, provider_with_switches, wait,
};
use serde_json::json;

fn log_in(envoy: &Envoy, provider: &Provider) -> (u16, Option<String>) {
    let page = Visitor::new().log_in(&envoy.url("/"), &provider.person());
    (page.response.status, page.code())
}

#[test]
fn a_login_works_right_after_keys_were_added() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).start();
    assert_eq!(log_in(&envoy, &provider), (200, None));
    provider.rotate("add");
    assert_eq!(log_in(&envoy, &provider), (200, None));
    assert_eq!(provider.journal().count("/jwks"), 2);
}

#[test]
fn a_login_works_right_after_keys_were_replaced() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).start();
    let mut alice = Visitor::new();
    alice.log_in(&envoy.url("/"), &provider.person());
    provider.rotate("replace");
    assert_eq!(log_in(&envoy, &provider), (200, None));
    assert_eq!(provider.journal().count("/jwks"), 2);
    // Sessions do not depend on those keys.
    assert_eq!(alice.visit(&envoy.url("/")).response.status, 200);
}

#[test]
fn keys_published_before_they_sign_cost_one_fetch_more() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).start();
    assert_eq!(log_in(&envoy, &provider), (200, None));
    provider.rotate("next");
    assert_eq!(log_in(&envoy, &provider), (200, None));
    assert_eq!(provider.journal().count("/jwks"), 1);
}

#[test]
fn what_one_worker_has_learnt_of_new_keys_the_others_know_at_once() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).workers(2).balanced().start();
    for _ in 0..4 {
        assert_eq!(log_in(&envoy, &provider), (200, None));
    }
    provider.rotate("replace");
    // One at each worker: a connection that stays open makes its worker the second choice.
    let mut held = Vec::new();
    for round in 0..4 {
        assert_eq!(log_in(&envoy, &provider), (200, None), "login {round}");
        let before: u64 = envoy.connections_of_workers().iter().sum();
        held.clear();
        held.extend((0..=round % 2).map(|_| Connection::open(envoy.address()).unwrap()));
        wait::until("Envoy takes the connections", || {
            let now: u64 = envoy.connections_of_workers().iter().sum();
            (now == before + held.len() as u64).then_some(())
        });
    }
    assert_eq!(provider.journal().count("/jwks"), 2);
}

#[test]
fn tokens_of_unknown_keys_cost_one_fetch_per_cool_down() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream).workers(2).balanced().start();
    assert_eq!(log_in(&envoy, &provider), (200, None));
    let published = portero_envoy_tests::Request::get("/jwks")
        .send(provider.address())
        .unwrap()
        .text();
    provider.rotate("replace");
    provider.fault("/jwks", json!({"status": 200, "body": published}));
    provider.forget();
    std::thread::scope(|scope| {
        let people: Vec<_> = (0..10)
            .map(|_| scope.spawn(|| log_in(&envoy, &provider)))
            .collect();
        for person in people {
            let (status, code) = person.join().unwrap();
            assert_eq!(
                (status, code.as_deref()),
                (502, Some("id_token_key_unknown"))
            );
        }
    });
    for _ in 0..3 {
        assert_eq!(log_in(&envoy, &provider).0, 502);
    }
    assert_eq!(provider.journal().count("/jwks"), 1);
    assert_eq!(provider.journal().count("/token"), 13);
    envoy.assert_unharmed();
}

#[test]
fn after_the_cool_down_keys_are_fetched_again() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let envoy = portero(&provider, &upstream)
        .configure(|config| config["providers"]["demo"]["unknown_key_cooldown"] = json!("1s"))
        .start();
    assert_eq!(log_in(&envoy, &provider), (200, None));
    for round in 0..2 {
        provider.rotate("replace");
        wait::until("a login with the new keys", || {
            (log_in(&envoy, &provider).0 == 200).then_some(())
        });
        assert_eq!(provider.journal().count("/jwks"), round + 2);
    }
}
