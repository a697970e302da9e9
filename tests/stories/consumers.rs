//! Programs by name: what the upstream hears of the consumer that a token is from.

use portero::request::Request;
use serde_json::{Value, json};

use crate::access_token::{AccessToken, call, with_token, world_with};
use crate::cookies::Site;
use crate::outcome::{Forwarded, Outcome};
use crate::provider::ISSUER;
use crate::world::World;

const NAMES: [&str; 5] = [
    "x-consumer-id",
    "x-consumer-custom-id",
    "x-consumer-username",
    "x-credential-identifier",
    "x-anonymous-consumer",
];

fn world(consumers: Value) -> World {
    world_with(|settings| settings["consumers"] = consumers)
}

fn orders_app() -> Value {
    json!({"orders": {"id": "17", "custom_id": "crm-17", "credentials": [{"client_id": "orders-app"}]}})
}

/// What the upstream hears in the headers of consumers, in the order of their names above.
fn heard(forwarded: &Forwarded) -> [Option<String>; 5] {
    NAMES.map(|name| {
        let values: Vec<&str> = forwarded.all(name).collect();
        assert!(values.len() <= 1, "{name}: {values:?}");
        assert!(!forwarded.has(&name.replace('-', "_")), "{name}");
        values.first().map(|value| (*value).to_owned())
    })
}

fn told(outcome: &Outcome) -> [Option<String>; 5] {
    heard(outcome.forwarded())
}

fn expected(values: [&str; 5]) -> [Option<String>; 5] {
    values.map(|value| (!value.is_empty()).then(|| value.to_owned()))
}

/// A request that claims to be of somebody, in every spelling.
fn forged(mut request: Request) -> Request {
    let mut headers = request.headers().to_vec();
    for name in NAMES {
        for name in [name.to_owned(), name.replace('-', "_")] {
            headers.push((name.clone(), b"forged".to_vec()));
            headers.push((name, b"forged".to_vec()));
        }
    }
    request = Request::new(headers);
    request
}

#[test]
fn a_token_tells_its_consumer_and_nobody_can_claim_to_be_another() {
    let world = world(orders_app());
    let token = AccessToken::of(&world).signed(&world);
    let known = expected(["17", "crm-17", "orders", "orders-app", ""]);
    // From the verification, and from the cache.
    for _ in 0..2 {
        let outcome = world.worker.serve(forged(with_token("/orders", &token)));
        assert_eq!(told(&outcome), known);
    }
    let other = AccessToken::of(&world)
        .with("client_id", json!("reports"))
        .signed(&world);
    let outcome = world.worker.serve(forged(with_token("/orders", &other)));
    assert_eq!(told(&outcome), expected(["", "", "", "reports", ""]));
}

#[test]
fn whoever_comes_without_a_token_is_no_consumer() {
    let world = world_with(|settings| {
        settings["consumers"] = orders_app();
        settings["cors_preflight"] = json!("pass");
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/public"}}, "access": "public"},
            {"match": {"path": {"prefix": "/open"}}, "otherwise": "pass"},
        ]);
    });
    let nobody = expected([""; 5]);
    for target in ["/public", "/open"] {
        let outcome = world.worker.serve(forged(call("GET", target, &[])));
        assert_eq!(told(&outcome), nobody, "{target}");
    }
    let browser = world.browser();
    let preflight = browser.request(
        "OPTIONS",
        "/orders",
        Site::Cross,
        &[
            ("origin", "https://other.example.com"),
            ("access-control-request-method", "GET"),
        ],
    );
    assert_eq!(told(&browser.send(forged(preflight))), nobody);
    browser.log_in();
    let session = browser.navigation("/orders", Site::Typed);
    assert_eq!(told(&browser.send(forged(session))), nobody);
}

#[test]
fn without_consumers_these_headers_are_the_callers_own() {
    let world = world_with(|_| ());
    let token = AccessToken::of(&world).signed(&world);
    let headers = [
        ("authorization", format!("Bearer {token}")),
        ("x-consumer-id", "mine".to_owned()),
    ];
    let headers = headers
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let outcome = world.worker.serve(call("GET", "/orders", &headers));
    assert_eq!(told(&outcome), expected(["mine", "", "", "", ""]));
}

#[test]
fn an_issuer_may_want_its_tokens_to_be_of_consumers() {
    let world = world_with(|settings| {
        settings["consumers"] = orders_app();
        settings["providers"]["corp"]["access_tokens"]["require_consumer"] = json!(true);
    });
    let known = AccessToken::of(&world).signed(&world);
    world
        .worker
        .serve(with_token("/orders", &known))
        .forwarded();
    let unknown = AccessToken::of(&world)
        .with("client_id", json!("reports"))
        .signed(&world);
    for _ in 0..2 {
        let outcome = world.worker.serve(with_token("/orders", &unknown));
        assert_eq!(
            (outcome.status(), outcome.code().as_str()),
            (401, "consumer_unknown")
        );
        let challenge = outcome.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer"), "{challenge}");
    }
    // Nobody is asked for a token, and sessions go on.
    let browser = world.browser();
    browser.log_in();
    assert!(browser.is_logged_in());
}

#[test]
fn a_claim_or_the_issuer_can_be_the_credential() {
    let world = world(json!({
        "by-claim": {"credentials": [{"claim": {"name": ["app", "key"], "value": "k-1"}}]},
        "anybody": {"credentials": [{"issuer": ISSUER}]},
    }));
    let of_claim = AccessToken::of(&world)
        .with("app", json!({"key": "k-1"}))
        .signed(&world);
    let outcome = world.worker.serve(with_token("/", &of_claim));
    assert_eq!(
        told(&outcome),
        expected(["by-claim", "", "by-claim", "k-1", ""])
    );
    let other = AccessToken::of(&world)
        .with("app", json!({"key": ["k-1"]}))
        .signed(&world);
    let outcome = world.worker.serve(with_token("/", &other));
    assert_eq!(
        told(&outcome),
        expected(["anybody", "", "anybody", ISSUER, ""])
    );
}

#[test]
fn whoever_proves_nothing_may_go_on_as_the_anonymous_consumer() {
    let world = world_with(|settings| {
        settings["consumers"] = json!({"orders": orders_app()["orders"], "guest": {"id": "0"}});
        settings["filter_state"] = json!({"portero.subject": {"claim": "sub"}});
        settings["rules"] = json!([{
            "match": {"path": {"prefix": "/open"}},
            "authenticate": ["bearer", "session"],
            "otherwise": {"anonymous": "guest"},
        }]);
        settings["cors_preflight"] = json!("pass");
    });
    let guest = expected(["0", "", "guest", "", "true"]);
    let outcome = world.worker.serve(forged(call("GET", "/open", &[])));
    assert_eq!(told(&outcome), guest);
    assert_eq!(outcome.forwarded().filter_state, []);
    assert!(!outcome.forwarded().has("x-userinfo"));
    let browser = world.browser();
    assert_eq!(told(&browser.go("/open")), guest);
    // A preflight is nobody, and a token that is no good is not no token.
    let preflight = browser.request(
        "OPTIONS",
        "/open",
        Site::Cross,
        &[
            ("origin", "https://other.example.com"),
            ("access-control-request-method", "GET"),
        ],
    );
    assert_eq!(told(&browser.send(preflight)), expected([""; 5]));
    let bad = world.worker.serve(with_token("/open", "no-token"));
    assert_eq!(bad.status(), 401);
    // Who proves something is not anonymous.
    let token = AccessToken::of(&world).signed(&world);
    let outcome = world.worker.serve(forged(with_token("/open", &token)));
    assert_eq!(
        told(&outcome),
        expected(["17", "crm-17", "orders", "orders-app", ""])
    );
    browser.log_in();
    assert_eq!(told(&browser.go("/open")), expected([""; 5]));
}

#[test]
fn a_claim_of_the_access_token_tells_whose_limit_counts() {
    let world = world_with(|settings| {
        settings["upstream"] = json!({"headers": {
            "x-token-claim": {"access_token_claim": "azp"},
            "x-nested": {"access_token_claim": ["client", "names"]},
        }});
    });
    let lie = ("x-token-claim", "forged");
    let with_claims = AccessToken::of(&world)
        .with("azp", json!("orders, \"Zoë\""))
        .with("client", json!({"names": ["a,b", "c"]}))
        .signed(&world);
    let plain = AccessToken::of(&world).signed(&world);
    for (token, value, nested) in [
        (
            &with_claims,
            Some("orders%2C \"Zo%C3%AB\""),
            Some("a%2Cb,c"),
        ),
        (&plain, None, None),
    ] {
        let bearer = format!("Bearer {token}");
        let request = call("GET", "/", &[("authorization", bearer.as_str()), lie]);
        let outcome = world.worker.serve(request);
        let forwarded = outcome.forwarded();
        assert_eq!(forwarded.all("x-token-claim").next(), value);
        assert_eq!(forwarded.all("x-nested").next(), nested);
    }
    let browser = world.browser();
    browser.log_in();
    assert!(!browser.go("/").forwarded().has("x-token-claim"));
}

#[test]
fn filters_of_envoys_hear_whose_a_token_is() {
    let world = world_with(|settings| {
        settings["filter_state"] = json!({
            "portero.subject": {"claim": "sub"},
            "portero.client": {"access_token_claim": "client_id"},
            "portero.names": {"access_token_claim": ["client", "names"]},
            "portero.absent": {"access_token_claim": "azp"},
        });
        settings["rules"] = json!([{
            "require": {"scopes": {"all_of": ["orders.read"]}},
        }]);
    });
    let token = AccessToken::of(&world)
        .with("sub", json!("a\nb"))
        .with("client", json!({"names": ["a,b"]}))
        .signed(&world);
    for _ in 0..2 {
        let outcome = world.worker.serve(with_token("/", &token));
        let forwarded = outcome.forwarded();
        assert_eq!(forwarded.state("portero.subject"), Some("a\u{fffd}b"));
        assert_eq!(forwarded.state("portero.client"), Some("orders-app"));
        assert_eq!(forwarded.state("portero.names"), Some(r#"["a,b"]"#));
        assert_eq!(forwarded.state("portero.absent"), None);
    }
}
