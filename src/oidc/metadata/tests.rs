use proptest::prelude::*;
use serde_json::{Value, json};

use super::{MAX_DOCUMENT, MetadataFault, ProviderMetadata};
use crate::config::Provider;
use crate::endpoint::Endpoint;
use crate::testing::config;

const ISSUER: &str = "https://idp.example.com/realms/acme/";

fn provider(endpoints: &Value) -> Provider {
    config(|whole| whole["providers"]["corp"]["endpoints"] = endpoints.clone()).provider
}

fn document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://idp.example.com/authorize",
        "token_endpoint": "https://idp.example.com/token",
        "jwks_uri": "https://idp.example.com/keys",
        "userinfo_endpoint": "https://idp.example.com/userinfo",
        "end_session_endpoint": "https://idp.example.com/logout",
        "revocation_endpoint": "https://idp.example.com/revoke",
        "authorization_response_iss_parameter_supported": true,
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

fn parse(document: &Value) -> Result<ProviderMetadata, MetadataFault> {
    ProviderMetadata::parse(&provider(&json!({})), document.to_string().as_bytes())
}

fn parse_with(name: &str, value: Value) -> Result<ProviderMetadata, MetadataFault> {
    let mut document = document();
    document[name] = value;
    parse(&document)
}

fn parse_without(name: &str) -> Result<ProviderMetadata, MetadataFault> {
    let mut document = document();
    document.as_object_mut().unwrap().remove(name);
    parse(&document)
}

fn written(endpoint: &Endpoint) -> String {
    let (scheme, authority) = (endpoint.scheme(), endpoint.authority());
    format!("{scheme}://{authority}{}", endpoint.path())
}

const REQUIRED: [&str; 3] = ["authorization_endpoint", "token_endpoint", "jwks_uri"];
const OPTIONAL: [&str; 3] = [
    "userinfo_endpoint",
    "end_session_endpoint",
    "revocation_endpoint",
];

#[test]
fn a_document_gives_its_endpoints() {
    let metadata = parse(&document()).unwrap();
    assert_eq!(
        written(metadata.token_endpoint.as_ref().unwrap()),
        "https://idp.example.com/token"
    );
    assert_eq!(
        written(metadata.jwks_uri.as_ref().unwrap()),
        "https://idp.example.com/keys"
    );
    assert!(metadata.userinfo_endpoint.is_some() && metadata.end_session_endpoint.is_some());
    assert!(metadata.announces_iss_parameter);
}

#[test]
fn the_issuer_is_compared_byte_for_byte() {
    for other in [
        "https://idp.example.com/realms/acme",
        "https://idp.example.com/realms/Acme/",
        "https://idp.example.com:443/realms/acme/",
        "https://evil.example/",
        "",
    ] {
        assert_eq!(
            parse_with("issuer", json!(other)),
            Err(MetadataFault::IssuerMismatch),
            "{other}"
        );
    }
    assert_eq!(parse_without("issuer"), Err(MetadataFault::NotMetadata));
    assert_eq!(
        parse_with("issuer", json!([ISSUER])),
        Err(MetadataFault::NotMetadata)
    );
}

#[test]
fn endpoints_that_no_call_may_go_to_are_refused() {
    for name in REQUIRED.into_iter().chain(OPTIONAL) {
        for url in [
            "http://idp.example.com/x",
            "/x",
            "",
            "javascript:x",
            "https://u@idp.example.com/",
            "https://i.example/#f",
        ] {
            assert_eq!(
                parse_with(name, json!(url)),
                Err(MetadataFault::Endpoint),
                "{name} {url}"
            );
        }
        assert_eq!(
            parse_with(name, json!(1)),
            Err(MetadataFault::NotMetadata),
            "{name}"
        );
    }
}

#[test]
fn what_a_login_needs_must_be_there() {
    for name in REQUIRED {
        assert_eq!(
            parse_without(name),
            Err(MetadataFault::NotMetadata),
            "{name}"
        );
        assert_eq!(
            parse_with(name, Value::Null),
            Err(MetadataFault::NotMetadata),
            "{name}"
        );
    }
    for name in OPTIONAL {
        assert!(parse_without(name).is_ok(), "{name}");
        assert!(parse_with(name, Value::Null).is_ok(), "{name}");
    }
    let quiet = parse_without("authorization_response_iss_parameter_supported").unwrap();
    assert!(!quiet.announces_iss_parameter);
}

#[test]
fn what_is_written_by_hand_comes_first() {
    let provider =
        provider(&json!({"token": "https://by.hand/token", "end_session": "https://by.hand/out"}));
    let mut document = document();
    // Not even looked at.
    document["token_endpoint"] = json!("http://by.nobody");
    let metadata = ProviderMetadata::parse(&provider, document.to_string().as_bytes()).unwrap();
    assert_eq!(
        written(metadata.token_endpoint.as_ref().unwrap()),
        "https://by.hand/token"
    );
    assert_eq!(
        written(&metadata.end_session_endpoint.unwrap()),
        "https://by.hand/out"
    );
    assert_eq!(
        written(metadata.jwks_uri.as_ref().unwrap()),
        "https://idp.example.com/keys"
    );
}

#[test]
fn endpoints_by_hand_alone_do_when_they_are_complete() {
    let whole = json!({
        "authorization": "https://by.hand/a",
        "token": "https://by.hand/t",
        "jwks": "https://by.hand/k",
    });
    let metadata = ProviderMetadata::by_hand(&provider(&whole)).unwrap();
    assert_eq!(
        written(metadata.jwks_uri.as_ref().unwrap()),
        "https://by.hand/k"
    );
    assert_eq!(
        (metadata.userinfo_endpoint, metadata.end_session_endpoint),
        (None, None)
    );
    assert!(!metadata.announces_iss_parameter);
    for name in ["authorization", "token", "jwks"] {
        let mut part = whole.clone();
        part.as_object_mut().unwrap().remove(name);
        assert!(
            ProviderMetadata::by_hand(&provider(&part)).is_none(),
            "{name}"
        );
    }
}

#[test]
fn the_document_is_where_discovery_puts_it() {
    let url = ProviderMetadata::discovery_url(&provider(&json!({}))).unwrap();
    let expected = "https://idp.example.com/realms/acme/.well-known/openid-configuration";
    assert_eq!(written(&url), expected);
    let mut other = provider(&json!({}));
    other.issuer = ISSUER.trim_end_matches('/').to_owned();
    assert_eq!(
        written(&ProviderMetadata::discovery_url(&other).unwrap()),
        expected
    );
}

#[test]
fn too_much_is_not_read() {
    let document = document().to_string();
    let padded = |length: usize| format!("{document}{}", " ".repeat(length - document.len()));
    let parse = |text: String| ProviderMetadata::parse(&provider(&json!({})), text.as_bytes());
    assert!(parse(padded(MAX_DOCUMENT)).is_ok());
    assert_eq!(
        parse(padded(MAX_DOCUMENT + 1)),
        Err(MetadataFault::TooLarge)
    );
}

#[test]
fn a_member_that_comes_twice_is_refused() {
    let twice = document()
        .to_string()
        .replacen('{', "{\"issuer\":\"https://evil.example/\",", 1);
    let parsed = ProviderMetadata::parse(&provider(&json!({})), twice.as_bytes());
    assert_eq!(parsed, Err(MetadataFault::NotMetadata));
}

proptest! {
    #[test]
    fn noise_never_panics(noise: Vec<u8>) {
        let parsed = ProviderMetadata::parse(&provider(&json!({})), &noise);
        prop_assert!(parsed.is_err());
    }
}
