//! How the client authenticates where it asks the provider directly (OpenID Connect Core section 9).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::{self, Serializer};

use super::client_assertion;
use crate::config::{AssertionAudience, Client, ClientAuthentication};
use crate::endpoint::Endpoint;
use crate::error::InternalFault;
use crate::host::Host;

/// The client of a request, with what an assertion needs to know.
#[derive(Clone, Copy)]
pub struct Authenticator<'a> {
    pub client: &'a Client,
    pub issuer: &'a str,
    pub token_endpoint: Option<&'a Endpoint>,
    pub host: &'a dyn Host,
}

impl Authenticator<'_> {
    /// The form with the client's authentication, in it or as the `Authorization` header beside it.
    pub(super) fn complete(
        &self,
        mut form: Serializer<'_, String>,
    ) -> Result<(String, Option<String>), InternalFault> {
        let id = &self.client.id;
        let mut authorization = None;
        match &self.client.authentication {
            ClientAuthentication::ClientSecretBasic { secret } => {
                authorization = Some(basic(id, secret.expose()));
            }
            ClientAuthentication::ClientSecretPost { secret } => {
                form.append_pair("client_id", id)
                    .append_pair("client_secret", secret.expose());
            }
            ClientAuthentication::Assertion { key, audience } => {
                let audience = match (audience, self.token_endpoint) {
                    (AssertionAudience::TokenEndpoint, Some(endpoint)) => endpoint.as_str(),
                    _ => self.issuer,
                };
                let assertion = client_assertion::of(id, audience, key, self.host)?;
                form.append_pair("client_id", id)
                    .append_pair("client_assertion_type", client_assertion::TYPE)
                    .append_pair("client_assertion", &assertion);
            }
            ClientAuthentication::None => {
                form.append_pair("client_id", id);
            }
        }
        Ok((form.finish(), authorization))
    }
}

/// RFC 6749 section 2.3.1: id and secret are form-encoded before they become Basic credentials.
fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = format!("{}:{}", encode(id), encode(secret));
    format!("Basic {}", STANDARD.encode(credentials))
}

#[cfg(test)]
mod tests;
