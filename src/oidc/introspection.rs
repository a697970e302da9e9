//! The introspection request and its response (RFC 7662): what the provider says of a token that says
//! nothing itself.

use serde_json::Value;
use url::form_urlencoded;

use super::{Authenticator, token};
use crate::error::{CallFault, InternalFault};
use crate::jose::Claims;
use crate::secret::Secret;

/// The largest response that is read, in bytes.
const MAX_RESPONSE: usize = 64 * 1024;

/// Who asks about a token (RFC 7662 section 2.1): nobody is told without saying who they are.
pub enum ResourceServer<'a> {
    Client(Authenticator<'a>),
    /// With a token of its own (RFC 6750).
    Bearer(&'a Secret<String>),
}

impl ResourceServer<'_> {
    /// Form body of the question about `token` and, where it is needed, the `Authorization` header.
    pub fn ask(&self, token: &str) -> Result<(String, Option<String>), InternalFault> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token)
            .append_pair("token_type_hint", "access_token");
        match self {
            Self::Client(client) => client.complete(form),
            Self::Bearer(own) => {
                let authorization = format!("Bearer {}", own.expose());
                Ok((form.finish(), Some(authorization)))
            }
        }
    }
}

/// What the answer says of the token (RFC 7662 section 2.2): its claims where it is active, and nothing
/// where it is not. Whatever is neither is no answer.
pub fn parse_introspection(status: u16, body: &[u8]) -> Result<Option<Claims>, CallFault> {
    match status {
        200 if body.len() <= MAX_RESPONSE => {}
        200 => return Err(CallFault::Malformed),
        // Section 2.3: whatever it says, it is about who asks.
        401 => return Err(CallFault::InvalidClient),
        _ => {
            return Err(match token::fault(status, body) {
                CallFault::InvalidGrant => CallFault::Refused,
                fault => fault,
            });
        }
    }
    let claims = Claims::parse(body).map_err(|_| CallFault::Malformed)?;
    match claims.as_object().get("active") {
        Some(Value::Bool(true)) => Ok(Some(claims)),
        Some(Value::Bool(false)) => Ok(None),
        _ => Err(CallFault::Malformed),
    }
}

#[cfg(test)]
mod tests;
