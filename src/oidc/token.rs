//! The token request and its response (RFC 6749 sections 4.1.3, 5 and 6).

use serde::Deserialize;
use url::form_urlencoded;

use super::Authenticator;
use super::upstream_token::ACCESS_TOKEN;
use crate::error::{CallFault, InternalFault};
use crate::secret::Secret;

/// The largest token response that is read, in bytes.
const MAX_RESPONSE: usize = 256 * 1024;

/// What is exchanged for tokens.
pub enum TokenRequest<'a> {
    /// RFC 6749 section 4.1.3, RFC 7636 section 4.5.
    AuthorizationCode {
        code: &'a str,
        redirect_uri: &'a str,
        code_verifier: &'a str,
    },
    /// RFC 6749 section 6. Without a scope, so that it stays the same.
    RefreshToken { refresh_token: &'a str },
}

impl TokenRequest<'_> {
    /// Form body and, where the client authenticates with it, the `Authorization` header.
    /// `resources` are those that the tokens are for (RFC 8707 section 2.2).
    pub fn encode(
        &self,
        resources: &[String],
        client: &Authenticator<'_>,
    ) -> Result<(String, Option<String>), InternalFault> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        match self {
            Self::AuthorizationCode {
                code,
                redirect_uri,
                code_verifier,
            } => form
                .append_pair("grant_type", "authorization_code")
                .append_pair("code", code)
                .append_pair("redirect_uri", redirect_uri)
                .append_pair("code_verifier", code_verifier),
            Self::RefreshToken { refresh_token } => form
                .append_pair("grant_type", "refresh_token")
                .append_pair("refresh_token", refresh_token),
        };
        for resource in resources {
            form.append_pair("resource", resource);
        }
        client.complete(form)
    }
}

impl TokenRequest<'_> {
    /// The response, if it has what this request must bring: a login without an ID token is none
    /// (OpenID Connect Core 3.1.3.3), a refresh may come without one (12.2).
    pub fn complete(&self, response: TokenResponse) -> Result<TokenResponse, CallFault> {
        match self {
            Self::AuthorizationCode { .. } if response.id_token.is_none() => {
                Err(CallFault::Malformed)
            }
            _ => Ok(response),
        }
    }
}

/// What a successful exchange gives.
#[derive(Debug)]
pub struct TokenResponse {
    pub access_token: Secret<String>,
    /// Always at a login (OpenID Connect Core 3.1.3.3); a refresh may come without (12.2).
    pub id_token: Option<Secret<String>>,
    pub refresh_token: Option<Secret<String>>,
    /// Seconds that the access token lives from now, when the provider says so.
    pub expires_in: Option<u64>,
    /// What the access token was granted for, with spaces between the scopes; where the provider does
    /// not say, what was asked for (RFC 6749 section 5.1).
    pub scope: Option<String>,
    /// What a token exchange says that it has issued (RFC 8693 section 2.2.1).
    pub issued_token_type: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    access_token: String,
    token_type: String,
    id_token: Option<String>,
    refresh_token: Option<String>,
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
    #[serde(default)]
    scope: Option<serde_json::Value>,
    #[serde(default)]
    issued_token_type: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct ErrorDocument {
    error: String,
}

impl TokenResponse {
    /// Reads the answer to a token request, whatever its status.
    pub fn parse(status: u16, body: &[u8]) -> Result<Self, CallFault> {
        Self::parse_of(&["bearer"], status, body)
    }

    /// The same for a token exchange, which may issue what is no access token and then has no type to
    /// say how it is used (RFC 8693 section 2.2.1).
    pub(super) fn parse_exchanged(status: u16, body: &[u8]) -> Result<Self, CallFault> {
        Self::parse_of(&["bearer", "n_a"], status, body)
    }

    fn parse_of(types: &[&str], status: u16, body: &[u8]) -> Result<Self, CallFault> {
        if body.len() > MAX_RESPONSE {
            return Err(CallFault::Malformed);
        }
        match status {
            200 => Self::parse_success(types, body),
            _ => Err(fault(status, body)),
        }
    }

    fn parse_success(types: &[&str], body: &[u8]) -> Result<Self, CallFault> {
        let document: Document = serde_json::from_slice(body).map_err(|_| CallFault::Malformed)?;
        let token_type = document.token_type.to_ascii_lowercase();
        let issued_token_type = match document.issued_token_type {
            Some(serde_json::Value::String(text)) => Some(text),
            _ => None,
        };
        let is_used = token_type == "bearer" || issued_token_type.as_deref() != Some(ACCESS_TOKEN);
        // RFC 6749 section 7.1: a token of a type that is not understood must not be used.
        if !types.contains(&token_type.as_str()) || !is_used || !is_bearer(&document.access_token) {
            return Err(CallFault::Malformed);
        }
        let expires_in = document.expires_in.map(seconds).transpose()?.flatten();
        Ok(Self {
            access_token: Secret::new(document.access_token),
            id_token: document.id_token.map(Secret::new),
            refresh_token: document.refresh_token.map(Secret::new),
            expires_in,
            scope: document.scope.map(scopes),
            issued_token_type,
        })
    }
}

/// What an answer that is not 200 says (RFC 6749 section 5.2).
pub(super) fn fault(status: u16, body: &[u8]) -> CallFault {
    match status {
        // No answer to the grant.
        408 | 429 => CallFault::Refused,
        // Most say 400 (RFC 6749 section 5.2), some 403.
        400..=499 => match serde_json::from_slice::<ErrorDocument>(body) {
            Ok(document) => match document.error.as_str() {
                "invalid_grant" => CallFault::InvalidGrant,
                "invalid_client" => CallFault::InvalidClient,
                _ => CallFault::Refused,
            },
            Err(_) => CallFault::Refused,
        },
        503 => CallFault::Unreachable,
        504 => CallFault::Timeout,
        _ => CallFault::Refused,
    }
}

/// Whether a token can stand in an `Authorization` header (RFC 6750 section 2.1, and whatever else
/// is visible there).
fn is_bearer(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Scopes with spaces between them; some providers send a list. What is neither grants nothing.
fn scopes(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        serde_json::Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(serde_json::Value::as_str).collect();
            items.join(" ")
        }
        _ => String::new(),
    }
}

/// A number of seconds; some providers send it as text. A token that has ended when it arrives is no
/// use to anybody: a session that forwards it would end at once, and the login begin again for ever.
fn seconds(value: serde_json::Value) -> Result<Option<u64>, CallFault> {
    let seconds = match value {
        serde_json::Value::Null => return Ok(None),
        serde_json::Value::Number(number) => number.as_u64(),
        serde_json::Value::String(text) => text.parse().ok(),
        _ => None,
    };
    match seconds {
        None | Some(0) => Err(CallFault::Malformed),
        Some(seconds) => Ok(Some(seconds)),
    }
}

#[cfg(test)]
mod tests;
