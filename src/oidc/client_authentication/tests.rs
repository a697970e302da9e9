use url::form_urlencoded;

use super::{Authenticator, Serializer};
use crate::config::{AssertionAudience, Client, ClientAuthentication};
use crate::endpoint::Endpoint;
use crate::error::InternalFault;
use crate::jose::{Algorithm, Jwk, JwkSet, Jws, SigningKey};
use crate::testing::TestHost;

const SECRET: &[u8] = b"correct-horse-battery-staple-0123456789";

fn complete(
    audience: AssertionAudience,
    host: &TestHost,
) -> Result<(String, Option<String>), InternalFault> {
    let key = SigningKey::from_secret(SECRET, Algorithm::Hs256).unwrap();
    let client = Client {
        id: "my:client".to_owned(),
        authentication: ClientAuthentication::Assertion { key, audience },
    };
    let endpoint = Endpoint::parse("https://idp.example.com/token", false).unwrap();
    let client = Authenticator {
        client: &client,
        issuer: "https://idp.example.com",
        token_endpoint: Some(&endpoint),
        host,
    };
    let mut form = Serializer::new(String::new());
    form.append_pair("token", "t");
    client.complete(form)
}

fn audience_of(assertion: &str) -> String {
    let key = Jwk::from_secret(SECRET, Algorithm::Hs256).unwrap();
    let keys = JwkSet::from_iter([key]);
    let claims = Jws::parse(assertion)
        .unwrap()
        .verify(&keys, &TestHost::default())
        .unwrap();
    claims.string("aud").unwrap().unwrap().to_owned()
}

#[test]
fn an_assertion_is_part_of_the_form() {
    for (audience, expected) in [
        (AssertionAudience::Issuer, "https://idp.example.com"),
        (
            AssertionAudience::TokenEndpoint,
            "https://idp.example.com/token",
        ),
    ] {
        let (body, authorization) = complete(audience, &TestHost::default()).unwrap();
        assert_eq!(authorization, None);
        let pairs: Vec<_> = form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect();
        let [token, id, kind, (name, assertion)] = pairs.as_slice() else {
            panic!("{pairs:?}");
        };
        assert_eq!(*token, ("token".to_owned(), "t".to_owned()));
        assert_eq!(*id, ("client_id".to_owned(), "my:client".to_owned()));
        assert_eq!(kind.0, "client_assertion_type");
        assert_eq!(
            kind.1,
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        assert_eq!(name, "client_assertion");
        assert_eq!(audience_of(assertion), expected);
    }
}

#[test]
fn nobody_authenticates_without_randomness() {
    let host = TestHost::default();
    host.random_fails.set(true);
    let form = complete(AssertionAudience::Issuer, &host);
    assert_eq!(form, Err(InternalFault::RandomUnavailable));
}
