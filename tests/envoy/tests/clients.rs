//! Portero as every kind of client that a provider knows, with tokens signed in every way.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portero_envoy_tests::provider::{ODD_SECRET, SECRET};
use portero_envoy_tests::{Provider, Upstream, Visitor, portero, provider_with_switches};
use serde_json::{Value, json};

/// Logs in as this client; gives back the request to the token endpoint and the ID token's header.
fn log_in(provider: &Provider, client: &Value) -> (Value, Value) {
    let upstream = Upstream::start();
    let envoy = portero(provider, &upstream)
        .configure(|config| {
            config["providers"]["demo"]["client"] = client.clone();
            config["upstream"]["headers"]["x-id-token"] = json!({"id_token": "raw"});
        })
        .start();
    provider.forget();
    let mut visitor = Visitor::new();
    let page = visitor.log_in(&envoy.url("/"), &provider.person());
    assert_eq!(page.response.status, 200, "{client}: {:?}", page.code());
    assert_eq!(upstream.only().one("x-user").as_deref(), Some("alice"));
    let token = upstream.only().one("x-id-token").expect("the ID token");
    let header = token.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).expect("base64url");
    let request = provider
        .journal()
        .requests
        .into_iter()
        .find(|request| request["path"] == "/token")
        .expect("a request for tokens");
    (request, serde_json::from_slice(&header).expect("JSON"))
}

#[test]
fn a_secret_of_reserved_characters_goes_into_the_authorization_header() {
    let provider = provider_with_switches!();
    let client =
        json!({"id": "web-odd", "authentication": {"client_secret_basic": {"secret": ODD_SECRET}}});
    let (request, _) = log_in(&provider, &client);
    assert_eq!(request["form"]["client_secret"], Value::Null);
    assert!(
        request["headers"]["authorization"]
            .as_str()
            .is_some_and(|value| value.starts_with("Basic "))
    );
}

#[test]
fn a_secret_goes_into_the_body() {
    let provider = provider_with_switches!();
    let client =
        json!({"id": "web-post", "authentication": {"client_secret_post": {"secret": SECRET}}});
    let (request, _) = log_in(&provider, &client);
    assert_eq!(request["form"]["client_secret"], SECRET);
    assert_eq!(request["headers"]["authorization"], Value::Null);
}

#[test]
fn a_public_client_has_no_secret_and_proves_itself_by_pkce() {
    let provider = provider_with_switches!();
    let client = json!({"id": "spa", "authentication": {"none": {}}});
    let (request, _) = log_in(&provider, &client);
    assert_eq!(request["form"]["client_id"], "spa");
    assert_eq!(request["form"]["client_secret"], Value::Null);
    assert_eq!(request["headers"]["authorization"], Value::Null);
    assert!(request["form"]["code_verifier"].is_string());
}

fn signed(client: &str, algorithm: &str) {
    let Some(provider) = Provider::ours() else {
        portero_envoy_tests::provider::not_run(client, "it needs a provider with switches");
        return;
    };
    let client =
        json!({"id": client, "authentication": {"client_secret_basic": {"secret": SECRET}}});
    let (_, header) = log_in(&provider, &client);
    assert_eq!(header["alg"], algorithm);
}

#[test]
fn an_id_token_is_signed_with_rs256() {
    signed("web", "RS256");
}

#[test]
fn an_id_token_is_signed_with_ps256() {
    signed("web-ps256", "PS256");
}

#[test]
fn an_id_token_is_signed_with_es256() {
    signed("web-es256", "ES256");
}

#[test]
fn an_id_token_is_signed_with_es384() {
    signed("web-es384", "ES384");
}

#[test]
fn an_id_token_is_signed_with_eddsa() {
    signed("web-eddsa", "EdDSA");
}
