use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value, json};

use super::Gateway;
use crate::testing::{TestHost, config};

type Change = fn(&mut Value);

fn gateway(host: &Rc<TestHost>, change: Change) -> Gateway {
    let host = Rc::clone(host);
    let config = config(|whole| change(&mut whole["providers"]["corp"]));
    Gateway::new(config, host)
}

const UNCHANGED: Change = |_| ();

#[test]
fn one_configuration_has_one_schedule() {
    let host = Rc::default();
    assert!(gateway(&host, UNCHANGED).tick().len() == 1);
    assert!(gateway(&host, UNCHANGED).tick().is_empty());
    let secret: Change = |corp| {
        let authentication = json!({"client_secret_basic": {"secret": "another secret"}});
        corp["client"]["authentication"] = authentication;
    };
    assert!(gateway(&host, secret).tick().is_empty());
}

/// Else the keys of one provider would judge what another has signed.
#[test]
fn configurations_that_ask_elsewhere_share_nothing() {
    let changes: [Change; 11] = [
        |corp| corp["issuer"] = json!("https://staging.example.com"),
        |corp| corp["cluster"] = json!("staging"),
        |corp| corp["clusters"] = json!({"jwks": "staging"}),
        |corp| corp["clusters"] = json!({"token": "staging"}),
        |corp| corp["endpoints"] = json!({"jwks": "https://staging.example.com/a"}),
        |corp| corp["endpoints"] = json!({"jwks": "https://staging.example.com/b"}),
        |corp| corp["endpoints"] = json!({"token": "https://staging.example.com/a"}),
        |corp| corp["endpoints"] = json!({"authorization": "https://staging.example.com/a"}),
        |corp| corp["endpoints"] = json!({"userinfo": "https://staging.example.com/a"}),
        |corp| corp["endpoints"] = json!({"revocation": "https://staging.example.com/a"}),
        |corp| corp["client"]["id"] = json!("another"),
    ];
    let host = Rc::new(TestHost::default());
    assert!(gateway(&host, UNCHANGED).tick().len() == 1);
    for (index, change) in changes.into_iter().enumerate() {
        assert!(gateway(&host, change).tick().len() == 1, "{index}");
    }
    let scopes: BTreeSet<String> = host.slots().into_iter().collect();
    assert_eq!(scopes.len(), 1 + changes.len());
}
