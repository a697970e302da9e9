use super::{Authenticator, RevocationRequest};
use crate::config::{Client, ClientAuthentication};
use crate::error::CallFault;
use crate::secret::Secret;
use crate::testing::TestHost;

fn encode(
    request: RevocationRequest<'_>,
    authentication: ClientAuthentication,
) -> (String, Option<String>) {
    let client = Client {
        id: "my:client".to_owned(),
        authentication,
    };
    let client = Authenticator {
        client: &client,
        issuer: "https://idp.example.com",
        token_endpoint: None,
        host: &TestHost::default(),
    };
    request.encode(&client).unwrap()
}

fn secret() -> Secret<String> {
    Secret::new("s&t".to_owned())
}

#[test]
fn the_token_comes_with_its_kind_and_the_client_as_at_the_token_endpoint() {
    let refresh = RevocationRequest::RefreshToken("r+/=");
    let basic = ClientAuthentication::ClientSecretBasic { secret: secret() };
    let (body, authorization) = encode(refresh, basic);
    assert_eq!(body, "token=r%2B%2F%3D&token_type_hint=refresh_token");
    // my%3Aclient:s%26t
    let expected = "Basic bXklM0FjbGllbnQ6cyUyNnQ=";
    assert_eq!(authorization.as_deref(), Some(expected));

    let access = RevocationRequest::AccessToken("a");
    let form = "token=a&token_type_hint=access_token&client_id=my%3Aclient";
    let post = ClientAuthentication::ClientSecretPost { secret: secret() };
    let (body, authorization) = encode(access, post);
    assert_eq!(body, format!("{form}&client_secret=s%26t"));
    assert_eq!(authorization, None);
    assert_eq!(
        encode(access, ClientAuthentication::None),
        (form.to_owned(), None)
    );
}

#[test]
fn only_the_status_of_the_answer_counts() {
    for body in [&b""[..], b"{}", b"<html>", br#"{"error":"invalid_client"}"#] {
        assert_eq!(RevocationRequest::judge(200, body), Ok(()));
    }
    let unsupported = br#"{"error":"unsupported_token_type"}"#;
    for (status, body, fault) in [
        (400, &unsupported[..], CallFault::Refused),
        (
            401,
            br#"{"error":"invalid_client"}"#,
            CallFault::InvalidClient,
        ),
        (302, b"", CallFault::Refused),
        (404, b"", CallFault::Refused),
        (503, b"", CallFault::Unreachable),
        (504, b"", CallFault::Timeout),
    ] {
        assert_eq!(
            RevocationRequest::judge(status, body),
            Err(fault),
            "{status}"
        );
    }
}
