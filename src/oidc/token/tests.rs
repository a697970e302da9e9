use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Authenticator, MAX_RESPONSE, TokenRequest, TokenResponse};
use crate::config::{Client, ClientAuthentication, Provider};
use crate::endpoint::Endpoint;
use crate::error::CallFault;
use crate::secret::Secret;
use crate::testing::{TestHost, config};

fn encode(
    authentication: ClientAuthentication,
    id: &str,
    resources: &[&str],
) -> (String, Option<String>) {
    let mut provider: Provider = config(|_| {}).provider;
    let client = Client {
        id: id.to_owned(),
        authentication,
    };
    provider.resources = resources.iter().map(|text| (*text).to_owned()).collect();
    let request = TokenRequest::AuthorizationCode {
        code: "c&d",
        redirect_uri: "https://app.example.com/oauth2/callback",
        code_verifier: "v",
    };
    let endpoint = Endpoint::parse("https://idp.example.com/token", false).unwrap();
    let client = Authenticator {
        client: &client,
        issuer: &provider.issuer,
        token_endpoint: Some(&endpoint),
        host: &TestHost::default(),
    };
    request.encode(&provider.resources, &client).unwrap()
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

const FORM: &str = "grant_type=authorization_code&code=c%26d\
                    &redirect_uri=https%3A%2F%2Fapp.example.com%2Foauth2%2Fcallback&code_verifier=v";

#[test]
fn basic_credentials_are_form_encoded_first() {
    let basic = ClientAuthentication::ClientSecretBasic {
        secret: secret("p:w d%/+ü"),
    };
    let (body, authorization) = encode(basic, "my:client", &[]);
    assert_eq!(body, FORM);
    // my%3Aclient:p%3Aw+d%25%2F%2B%C3%BC
    let expected = "Basic bXklM0FjbGllbnQ6cCUzQXcrZCUyNSUyRiUyQiVDMyVCQw==";
    assert_eq!(authorization.as_deref(), Some(expected));
}

#[test]
fn posted_credentials_are_part_of_the_form() {
    let post = ClientAuthentication::ClientSecretPost {
        secret: secret("s&t"),
    };
    let (body, authorization) = encode(post, "portero", &[]);
    assert_eq!(
        body,
        format!("{FORM}&client_id=portero&client_secret=s%26t")
    );
    assert_eq!(authorization, None);
}

#[test]
fn a_client_without_secret_says_who_it_is() {
    let (body, authorization) = encode(ClientAuthentication::None, "portero", &["urn:a", "urn:b"]);
    assert_eq!(
        body,
        format!("{FORM}&resource=urn%3Aa&resource=urn%3Ab&client_id=portero")
    );
    assert_eq!(authorization, None);
}

fn good() -> Value {
    json!({"access_token": "at", "token_type": "Bearer", "id_token": "it", "expires_in": 300})
}

fn parse(document: &Value) -> Result<Option<u64>, CallFault> {
    TokenResponse::parse(200, document.to_string().as_bytes()).map(|response| response.expires_in)
}

fn parse_with(name: &str, value: Value) -> Result<Option<u64>, CallFault> {
    let mut document = good();
    document[name] = value;
    parse(&document)
}

#[test]
fn a_good_response_is_read() {
    let body = good().to_string();
    let response = TokenResponse::parse(200, body.as_bytes()).unwrap();
    assert_eq!(response.access_token.expose(), "at");
    assert_eq!(response.id_token.as_ref().unwrap().expose(), "it");
    assert_eq!(response.expires_in, Some(300));
    assert!(!format!("{response:?}").contains("at\""));
    for token_type in ["bearer", "BEARER"] {
        assert_eq!(parse_with("token_type", json!(token_type)), Ok(Some(300)));
    }
}

#[test]
fn a_lifetime_is_a_number_of_seconds_or_missing() {
    for (value, expected) in [
        (Value::Null, Ok(None)),
        (json!(1), Ok(Some(1))),
        (json!(0), Err(CallFault::Malformed)),
        (json!("0"), Err(CallFault::Malformed)),
        (json!("-1"), Err(CallFault::Malformed)),
        (json!("3600"), Ok(Some(3600))),
        (json!(u64::MAX), Ok(Some(u64::MAX))),
        (json!(-1), Err(CallFault::Malformed)),
        (json!(1.5), Err(CallFault::Malformed)),
        (json!(1e300), Err(CallFault::Malformed)),
        (json!("soon"), Err(CallFault::Malformed)),
        (json!(""), Err(CallFault::Malformed)),
        (json!(true), Err(CallFault::Malformed)),
        (json!([300]), Err(CallFault::Malformed)),
    ] {
        assert_eq!(parse_with("expires_in", value.clone()), expected, "{value}");
    }
}

#[test]
fn what_is_missing_or_of_another_type_is_malformed() {
    for name in ["access_token", "token_type"] {
        for value in [Value::Null, json!(1), json!(["at"]), json!({})] {
            assert_eq!(parse_with(name, value), Err(CallFault::Malformed), "{name}");
        }
        let mut document = good();
        document.as_object_mut().unwrap().remove(name);
        assert_eq!(parse(&document), Err(CallFault::Malformed), "{name}");
    }
    for token_type in ["", "DPoP", "mac", "Bearer "] {
        assert_eq!(
            parse_with("token_type", json!(token_type)),
            Err(CallFault::Malformed)
        );
    }
    let twice = good().to_string().replacen('{', "{\"id_token\":\"x\",", 1);
    let parsed = TokenResponse::parse(200, twice.as_bytes()).err();
    assert_eq!(parsed, Some(CallFault::Malformed));
}

/// It goes into an `Authorization` header, to the provider and maybe to the upstream.
#[test]
fn an_access_token_that_no_header_can_hold_is_malformed() {
    for token in ["", "a\r\nx: y", "a\nb", "a b", " a", "a\0", "ü", "\u{7f}"] {
        assert_eq!(
            parse_with("access_token", json!(token)),
            Err(CallFault::Malformed),
            "{token:?}"
        );
    }
    assert_eq!(
        parse_with("access_token", json!("aZ09-._~+/=!:{}")),
        Ok(Some(300))
    );
}

#[test]
fn every_other_status_has_its_fault() {
    let error = |status, error: &str| {
        let body = json!({"error": error, "error_description": "x"}).to_string();
        TokenResponse::parse(status, body.as_bytes()).unwrap_err()
    };
    for status in [400, 401, 403] {
        assert_eq!(error(status, "invalid_grant"), CallFault::InvalidGrant);
        assert_eq!(error(status, "invalid_client"), CallFault::InvalidClient);
        assert_eq!(error(status, "invalid_request"), CallFault::Refused);
        assert_eq!(error(status, ""), CallFault::Refused);
    }
    for (status, fault) in [
        (503, CallFault::Unreachable),
        (504, CallFault::Timeout),
        (201, CallFault::Refused),
        (204, CallFault::Refused),
        (302, CallFault::Refused),
        (408, CallFault::Refused),
        (429, CallFault::Refused),
        (500, CallFault::Refused),
        (502, CallFault::Refused),
        (0, CallFault::Refused),
    ] {
        assert_eq!(error(status, "invalid_grant"), fault, "{status}");
        assert_eq!(
            TokenResponse::parse(status, b"").unwrap_err(),
            fault,
            "{status}"
        );
    }
    for body in ["", "[]", "<html>", "{}", r#"{"error":1}"#] {
        assert_eq!(
            TokenResponse::parse(400, body.as_bytes()).unwrap_err(),
            CallFault::Refused
        );
    }
}

#[test]
fn too_much_is_not_read() {
    let padded = |length: usize| {
        let body = good().to_string();
        let blanks = " ".repeat(length - body.len());
        format!("{body}{blanks}")
    };
    assert!(TokenResponse::parse(200, padded(MAX_RESPONSE).as_bytes()).is_ok());
    let long = TokenResponse::parse(200, padded(MAX_RESPONSE + 1).as_bytes());
    assert_eq!(long.err(), Some(CallFault::Malformed));
}

proptest! {
    #[test]
    fn noise_never_panics(status: u16, noise: Vec<u8>) {
        prop_assert!(TokenResponse::parse(status, &noise).is_err());
    }
}

/// A type that does not say how the token is used is for exchanges alone.
#[test]
fn a_token_that_is_not_used_is_malformed() {
    let mut document = good();
    document["token_type"] = json!("N_A");
    document["issued_token_type"] = json!("urn:ietf:params:oauth:token-type:jwt");
    assert_eq!(parse(&document), Err(CallFault::Malformed));
    let body = document.to_string();
    assert!(TokenResponse::parse_exchanged(200, body.as_bytes()).is_ok());
}
