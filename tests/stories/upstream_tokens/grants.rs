//! What goes over the wire for each grant, and each way of being a client.

use serde_json::{Value, json};

use super::{SECRET, asked, client, gets, provider_answers, request, world_with};
use crate::provider::{CLIENT_ID, TokenCall, issued};
use crate::world::{World, seconds};

/// `orders` and its secret, as RFC 6749 section 2.3.1 has them.
const BASIC: &str = "Basic b3JkZXJzOnRoZStzZWNyZXQrb2YrdGhlK29yZGVycytjbGllbnQ=";

#[track_caller]
fn sends(change: impl FnOnce(&mut Value), authorization: Option<&str>, body: &str) {
    let world = world_with(change);
    gets(&world, "/orders");
    let call = request(&world);
    assert_eq!(call.cluster, "idp");
    assert_eq!(call.address, "https://idp.example.com/token");
    assert_eq!(call.authorization.as_deref(), authorization);
    assert_eq!(call.body, body);
}

#[test]
fn client_credentials_are_asked_for_as_the_standard_has_it() {
    sends(|_| (), Some(BASIC), "grant_type=client_credentials");
    let with_scopes = "grant_type=client_credentials&scope=orders.read+orders.write";
    sends(
        |token| token["scopes"] = json!(["orders.read", "orders.write"]),
        Some(BASIC),
        with_scopes,
    );
    sends(
        |token| token["scopes"] = json!("orders.read,orders.write"),
        Some(BASIC),
        with_scopes,
    );
    sends(
        |token| {
            token["endpoint_params"] = json!({
                "resource": ["https://a.example", "https://b.example"],
                "audience": "https://api.example.com/?x=y",
            });
        },
        Some(BASIC),
        "grant_type=client_credentials&audience=https%3A%2F%2Fapi.example.com%2F%3Fx%3Dy\
         &resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example",
    );
}

#[test]
fn the_client_can_send_its_secret_in_the_body_or_have_none() {
    sends(
        |token| token["client"] = client("client_secret_post"),
        None,
        "grant_type=client_credentials&client_id=orders\
         &client_secret=the+secret+of+the+orders+client",
    );
    sends(
        |token| token["client"] = json!({"id": "orders", "authentication": {"none": {}}}),
        None,
        "grant_type=client_credentials&client_id=orders",
    );
}

#[test]
fn without_a_client_of_its_own_a_token_is_asked_for_by_the_client_of_the_login() {
    let world = world_with(|token| {
        token.as_object_mut().unwrap().remove("client");
    });
    gets(&world, "/orders");
    let authorization = request(&world).authorization.unwrap();
    let url = url::form_urlencoded::byte_serialize(CLIENT_ID.as_bytes()).collect::<String>();
    let credentials = authorization.strip_prefix("Basic ").unwrap();
    let credentials =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, credentials);
    assert!(
        credentials
            .unwrap()
            .starts_with(format!("{url}:").as_bytes())
    );
}

/// A provider that is there for nothing but this needs neither keys nor discovery.
#[test]
fn a_token_endpoint_by_hand_is_all_that_is_needed() {
    let world = World::with(|settings| {
        *settings = json!({
            "providers": {"corp": {
                "issuer": "https://idp.example.com/realms/acme",
                "cluster": "idp",
                "endpoints": {"token": "https://idp.example.com/oauth/token"},
            }},
            "session": {"keys": [crate::world::SESSION_KEY]},
            "upstream_tokens": {"orders": {"client": client("client_secret_basic")}},
            "rules": [{"access": "public", "upstream_tokens": ["orders"]}],
        });
    });
    assert!(gets(&world, "/orders").starts_with("Bearer upstream~"));
    let call = request(&world);
    assert_eq!(call.address, "https://idp.example.com/oauth/token");
    assert!(
        world
            .provider
            .calls
            .borrow()
            .iter()
            .all(|(purpose, _)| purpose.name() == "upstream_token")
    );
}

/// A provider that takes secrets in the body alone.
fn refuse_basic(world: &World, error: &'static str) {
    let answer = move |asked: &TokenCall, token: &str| match asked.authorization {
        Some(_) => (400, json!({"error": error})),
        None => (200, issued(token)),
    };
    provider_answers(world, answer);
}

#[test]
fn the_way_in_which_the_provider_takes_the_secret_is_found_out_once() {
    for error in ["invalid_client", "invalid_request"] {
        let world = world_with(|token| token["client"] = client("client_secret_automatic"));
        refuse_basic(&world, error);
        let first = gets(&world, "/orders");
        assert_eq!(asked(&world), 2, "{error}");
        world.pass(seconds(301));
        let worker = world.another_worker();
        let next = worker.serve(crate::access_token::call("GET", "/orders", &[]));
        assert_ne!(next.forwarded().header("authorization"), first);
        assert_eq!(asked(&world), 3, "{error}");
        let calls = world.provider.token_calls.borrow();
        let ways: Vec<bool> = calls
            .iter()
            .map(|call| call.authorization.is_some())
            .collect();
        assert_eq!(ways, [true, false, false]);
        assert_eq!(calls[2].all("client_secret"), [SECRET]);
    }
}

#[test]
fn the_usual_way_of_sending_the_secret_is_not_left_without_need() {
    let world = world_with(|token| token["client"] = client("client_secret_automatic"));
    gets(&world, "/orders");
    assert_eq!(request(&world).authorization.as_deref(), Some(BASIC));
    // What has nothing to do with the client changes nothing.
    for (count, status) in [500, 503, 429].into_iter().enumerate() {
        let answer = move |_: &TokenCall, _: &str| (status, json!({}));
        provider_answers(&world, answer);
        world.pass(seconds(301));
        super::get(&world, "/orders").answered();
        assert_eq!(asked(&world), count + 2);
    }
}

#[test]
fn a_refresh_token_brings_tokens_and_its_own_successor() {
    let world = world_with(|token| {
        token["grant"] = json!({"refresh_token": {"token": "the first refresh token"}});
    });
    let rotate = |asked: &TokenCall, token: &str| {
        let mut response = issued(token);
        if asked.all("refresh_token") == ["the first refresh token"] {
            response["refresh_token"] = json!("the second refresh token");
        }
        (200, response)
    };
    provider_answers(&world, rotate);
    world.land.keep_secret("the first refresh token");
    world.land.keep_secret("the second refresh token");
    for _ in 0..3 {
        gets(&world, "/orders");
        world.pass(seconds(301));
    }
    let calls = world.provider.token_calls.borrow();
    assert_eq!(
        calls[0].body,
        "grant_type=refresh_token&refresh_token=the+first+refresh+token"
    );
    for call in &calls[1..] {
        assert_eq!(call.all("refresh_token"), ["the second refresh token"]);
    }
    assert_eq!(calls.len(), 3);
}

#[test]
fn a_signed_assertion_brings_a_token() {
    let key = include_str!("../../fixtures/keys/private/p256.pem");
    let world = world_with(|token| {
        token["grant"] = json!({"jwt_bearer": {"signed": {
            "key": key,
            "key_id": "k1",
            "issuer": "robot@example.com",
            "subject": "boss@example.com",
            "claims": {"scope": "orders.read"},
        }}});
        token["client"] = json!({"id": "orders", "authentication": {"none": {}}});
    });
    gets(&world, "/orders");
    let call = request(&world);
    assert_eq!(
        call.all("grant_type"),
        ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    );
    let assertion = call.all("assertion").concat();
    let part = |place: usize| -> Value {
        let part = assertion.split('.').nth(place).unwrap();
        let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        serde_json::from_slice(&base64::Engine::decode(&engine, part).unwrap()).unwrap()
    };
    assert_eq!(part(0)["kid"], "k1");
    assert_eq!(part(0)["alg"], "ES256");
    let claims = part(1);
    for (name, value) in [
        ("iss", "robot@example.com"),
        ("sub", "boss@example.com"),
        ("aud", "https://idp.example.com/token"),
        ("scope", "orders.read"),
    ] {
        assert_eq!(claims[name], value, "{claims}");
    }
    let now = world.land.now().as_secs();
    assert!(claims["exp"].as_u64().unwrap() > now && claims["exp"].as_u64().unwrap() <= now + 60);
}
