use proptest::prelude::*;
use serde_json::json;

use super::{Authenticator, MAX_RESPONSE, ResourceServer, parse_introspection};
use crate::config::{Client, ClientAuthentication};
use crate::error::CallFault;
use crate::jose::testing::values_of_every_type;
use crate::secret::Secret;
use crate::testing::TestHost;

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

#[test]
fn the_question_says_which_token_and_who_asks() {
    let client = Client {
        id: "my:client".to_owned(),
        authentication: ClientAuthentication::ClientSecretPost {
            secret: secret("s&t"),
        },
    };
    let client = ResourceServer::Client(Authenticator {
        client: &client,
        issuer: "https://idp.example.com",
        token_endpoint: None,
        host: &TestHost::default(),
    });
    let form = "token=a%2B%26&token_type_hint=access_token";
    let posted = format!("{form}&client_id=my%3Aclient&client_secret=s%26t");
    assert_eq!(client.ask("a+&"), Ok((posted, None)));
    let own = secret("own");
    let bearer = ResourceServer::Bearer(&own);
    let authorization = Some("Bearer own".to_owned());
    assert_eq!(bearer.ask("a+&"), Ok((form.to_owned(), authorization)));
}

#[test]
fn only_a_plain_yes_makes_a_token_active() {
    let said = |body: &str| parse_introspection(200, body.as_bytes());
    let claims = said(r#"{"active":true,"sub":"alice"}"#).unwrap().unwrap();
    assert_eq!(claims.string("sub"), Ok(Some("alice")));
    assert!(said(r#"{"active":false,"sub":"alice"}"#).unwrap().is_none());
    for value in values_of_every_type() {
        let is_answer = value.is_boolean();
        let body = json!({"active": value}).to_string();
        assert_eq!(said(&body).is_ok(), is_answer, "{body:.40}");
    }
    for body in [
        "",
        "{}",
        "true",
        "[{\"active\":true}]",
        r#"{"Active":true}"#,
        r#"{"active":true,"active":true}"#,
        r#"{"active":false,"active":true}"#,
        r#"{"active":true}{}"#,
        "active=true",
    ] {
        assert_eq!(said(body).err(), Some(CallFault::Malformed), "{body}");
    }
    let long = json!({"active": true, "x": "x".repeat(MAX_RESPONSE)}).to_string();
    assert_eq!(said(&long).err(), Some(CallFault::Malformed));
}

#[test]
fn only_200_is_an_answer() {
    let yes = r#"{"active":true}"#;
    for (status, body, fault) in [
        (201, yes, CallFault::Refused),
        (302, yes, CallFault::Refused),
        (400, yes, CallFault::Refused),
        (400, r#"{"error":"invalid_grant"}"#, CallFault::Refused),
        (
            400,
            r#"{"error":"invalid_client"}"#,
            CallFault::InvalidClient,
        ),
        (401, "", CallFault::InvalidClient),
        (
            401,
            r#"{"error":"invalid_token"}"#,
            CallFault::InvalidClient,
        ),
        (403, yes, CallFault::Refused),
        (429, yes, CallFault::Refused),
        (500, yes, CallFault::Refused),
        (503, yes, CallFault::Unreachable),
        (504, yes, CallFault::Timeout),
    ] {
        let said = parse_introspection(status, body.as_bytes());
        assert_eq!(said.err(), Some(fault), "{status} {body}");
    }
}

proptest! {
    #[test]
    fn no_answer_stops_it(status in 100_u16..600, body in prop::collection::vec(any::<u8>(), 0..200)) {
        let said = parse_introspection(status, &body);
        prop_assert!(!matches!(said, Ok(Some(_))));
    }
}
