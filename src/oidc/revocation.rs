//! The revocation request and its response (RFC 7009).

use url::form_urlencoded;

use super::{Authenticator, token};
use crate::error::{CallFault, InternalFault};

/// A token that nobody is to use any more (RFC 7009 section 2.1).
#[derive(Clone, Copy)]
pub enum RevocationRequest<'a> {
    RefreshToken(&'a str),
    AccessToken(&'a str),
}

impl RevocationRequest<'_> {
    /// Form body and, where the client authenticates with it, the `Authorization` header.
    pub fn encode(
        &self,
        client: &Authenticator<'_>,
    ) -> Result<(String, Option<String>), InternalFault> {
        let (Self::RefreshToken(token) | Self::AccessToken(token)) = self;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token)
            .append_pair("token_type_hint", self.hint());
        client.complete(form)
    }

    /// The kind of the token (RFC 7009 section 2.1), in the request and in log lines.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::RefreshToken(_) => "refresh_token",
            Self::AccessToken(_) => "access_token",
        }
    }

    /// What an answer says, by its status: 200 also for a token that the provider does not know
    /// (section 2.2), and its body means nothing.
    pub fn judge(status: u16, body: &[u8]) -> Result<(), CallFault> {
        match status {
            200 => Ok(()),
            _ => Err(token::fault(status, body)),
        }
    }
}

#[cfg(test)]
mod tests;
