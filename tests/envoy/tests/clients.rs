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

/// The claims of the assertion in a request, by which the client has proven who it is.
fn asserted(request: &Value, client: &str) -> (Value, Value) {
    assert_eq!(request["form"]["client_id"], client);
    assert_eq!(request["form"]["client_secret"], Value::Null);
    assert_eq!(request["headers"]["authorization"], Value::Null);
    assert_eq!(
        request["form"]["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let assertion = request["form"]["client_assertion"].as_str();
    let mut parts = assertion.expect("an assertion").split('.').map(|part| {
        let part = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice(&part)
    });
    let mut next = || parts.next().expect("a part").expect("JSON");
    (next(), next())
}

#[test]
fn a_token_signed_with_the_secret_proves_who_the_client_is() {
    let provider = provider_with_switches!();
    let client =
        json!({"id": "web-csjwt", "authentication": {"client_secret_jwt": {"secret": SECRET}}});
    let (request, _) = log_in(&provider, &client);
    let (header, claims) = asserted(&request, "web-csjwt");
    assert_eq!(header, json!({"alg": "HS256", "typ": "JWT"}));
    assert_eq!(claims["iss"], "web-csjwt");
    assert_eq!(claims["sub"], "web-csjwt");
    assert_eq!(claims["aud"], provider.issuer());
}

#[test]
fn a_token_signed_with_a_private_key_proves_who_the_client_is() {
    let provider = provider_with_switches!();
    let token_endpoint = format!("{}/token", provider.issuer());
    for (key, options, header, audience) in [
        (
            include_str!("../../fixtures/keys/private/p256.pem"),
            json!({"key_id": "p256"}),
            json!({"alg": "ES256", "kid": "p256", "typ": "JWT"}),
            provider.issuer(),
        ),
        (
            include_str!("../../fixtures/keys/private/rsa.pem"),
            json!({"audience": "token_endpoint"}),
            json!({"alg": "RS256", "typ": "JWT"}),
            token_endpoint.as_str(),
        ),
        (
            include_str!("../../fixtures/keys/private/rsa_pkcs1.pem"),
            json!({"key_id": "rsa", "algorithm": "PS256"}),
            json!({"alg": "PS256", "kid": "rsa", "typ": "JWT"}),
            provider.issuer(),
        ),
    ] {
        let mut method = options;
        method["key"] = json!(key);
        let client = json!({"id": "web-pkjwt", "authentication": {"private_key_jwt": method}});
        let (request, _) = log_in(&provider, &client);
        let (given, claims) = asserted(&request, "web-pkjwt");
        assert_eq!(given, header);
        assert_eq!(claims["aud"], audience);
    }
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
