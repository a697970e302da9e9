//! The request for a token of the upstream, and its answer: client credentials (RFC 6749 section 4.4),
//! token exchange (RFC 8693), JSON Web Tokens as grants (RFC 7523) and refresh tokens (RFC 6749
//! section 6).

use url::form_urlencoded::Serializer;

use super::{Authenticator, SignedToken, TokenResponse};
use crate::config::{Actor, Assertion, SignedAssertion, TokenExchange, TokenGrant, UpstreamToken};
use crate::error::{CallFault, InternalFault};
use crate::jose::Claims;
use crate::secret::Secret;

/// The token type identifier of access tokens (RFC 8693 section 3).
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The token type identifier of JSON Web Tokens (RFC 8693 section 3).
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A request for a token of the upstream.
pub struct UpstreamTokenRequest<'a> {
    pub policy: &'a UpstreamToken,
    /// The caller's token, where the grant needs one.
    pub subject: Option<&'a str>,
    /// The actor's token, where it is not written in the policy.
    pub actor: Option<&'a str>,
    /// A refresh token newer than the policy's.
    pub refresh_token: Option<&'a str>,
}

/// What came of it.
#[derive(Debug)]
pub struct IssuedToken {
    pub token: Secret<String>,
    /// What takes the place of the refresh token that was sent, if anything does.
    pub refresh_token: Option<Secret<String>>,
    /// Seconds that the token lives from now, where the provider says so.
    pub expires_in: Option<u64>,
}

/// Why no token came of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueFault {
    Call(CallFault),
    /// A token of another type than was asked for, or of no type at all (RFC 8693 section 2.2.1).
    IssuedTokenType,
    /// A token for somebody else than it was asked for.
    AudienceMismatch,
    /// A token that had ended when it came.
    Ended,
    /// A token that no header can hold.
    TooLarge,
    /// Nobody could be asked, because it is not known where.
    MetadataUnknown,
    /// Nobody could be asked, because what proves who asks could not be signed.
    NotSigned,
}

impl IssueFault {
    /// The word in log lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Call(fault) => fault.name(),
            Self::IssuedTokenType => "issued_token_type",
            Self::AudienceMismatch => "audience_mismatch",
            Self::Ended => "ended",
            Self::TooLarge => "too_large",
            Self::MetadataUnknown => "metadata_unknown",
            Self::NotSigned => "not_signed",
        }
    }

    /// How the call failed: what brings another token than was asked for is no answer to it.
    pub const fn call_fault(self) -> CallFault {
        match self {
            Self::Call(fault) => fault,
            Self::IssuedTokenType | Self::AudienceMismatch | Self::Ended | Self::TooLarge => {
                CallFault::Malformed
            }
            Self::MetadataUnknown | Self::NotSigned => CallFault::Unreachable,
        }
    }
}

impl UpstreamTokenRequest<'_> {
    /// Form body and, where the client authenticates with it, the `Authorization` header. What the grant
    /// needs comes first, then the scopes, then what the configuration adds, then the client.
    pub fn encode(
        &self,
        client: &Authenticator<'_>,
    ) -> Result<(String, Option<String>), InternalFault> {
        let mut form = Serializer::new(String::new());
        match &self.policy.grant {
            TokenGrant::ClientCredentials => {
                form.append_pair("grant_type", "client_credentials");
            }
            TokenGrant::TokenExchange(exchange) => self.exchange(exchange, &mut form)?,
            TokenGrant::JwtBearer(assertion) => {
                form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
                match assertion {
                    Assertion::Caller(_) => form.append_pair("assertion", self.subject()?),
                    Assertion::Signed(signed) => {
                        form.append_pair("assertion", &assert(signed, client)?)
                    }
                };
            }
            TokenGrant::RefreshToken { token } => {
                form.append_pair("grant_type", "refresh_token").append_pair(
                    "refresh_token",
                    self.refresh_token.unwrap_or_else(|| token.expose()),
                );
            }
        }
        if !self.policy.scopes.is_empty() {
            form.append_pair("scope", &self.policy.scopes.join(" "));
        }
        for (name, value) in &self.policy.endpoint_params {
            form.append_pair(name, value);
        }
        client.complete(form)
    }

    /// The parameters of RFC 8693 section 2.1.
    fn exchange(
        &self,
        exchange: &TokenExchange,
        form: &mut Serializer<'_, String>,
    ) -> Result<(), InternalFault> {
        form.append_pair(
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        )
        .append_pair("subject_token", self.subject()?)
        .append_pair("subject_token_type", &exchange.subject_token_type);
        let actor = match &exchange.actor {
            None => None,
            Some(Actor::Token { token, token_type }) => {
                Some((token.expose().as_str(), token_type.as_str()))
            }
            Some(Actor::UpstreamToken(_)) => {
                Some((self.actor.ok_or(InternalFault::Bug)?, ACCESS_TOKEN))
            }
        };
        if let Some((token, token_type)) = actor {
            form.append_pair("actor_token", token)
                .append_pair("actor_token_type", token_type);
        }
        if let Some(token_type) = &exchange.requested_token_type {
            form.append_pair("requested_token_type", token_type);
        }
        for audience in &exchange.audience {
            form.append_pair("audience", audience);
        }
        for resource in &exchange.resource {
            form.append_pair("resource", resource);
        }
        Ok(())
    }

    fn subject(&self) -> Result<&str, InternalFault> {
        self.subject.ok_or(InternalFault::Bug)
    }

    /// Reads the answer, whatever its status.
    pub fn read(&self, status: u16, body: &[u8]) -> Result<IssuedToken, IssueFault> {
        let response = match &self.policy.grant {
            TokenGrant::TokenExchange(exchange) => {
                let response = TokenResponse::parse_exchanged(status, body);
                let response = response.map_err(|fault| call(status, fault))?;
                let issued = response.issued_token_type.as_deref();
                check_type(exchange, issued)?;
                check_audience(exchange, issued, response.access_token.expose())?;
                response
            }
            TokenGrant::ClientCredentials
            | TokenGrant::JwtBearer(_)
            | TokenGrant::RefreshToken { .. } => {
                TokenResponse::parse(status, body).map_err(|fault| call(status, fault))?
            }
        };
        Ok(IssuedToken {
            token: response.access_token,
            refresh_token: response.refresh_token,
            expires_in: response.expires_in,
        })
    }
}

/// RFC 6749 section 5.2: 401 is about the client, whatever else is said.
const fn call(status: u16, fault: CallFault) -> IssueFault {
    IssueFault::Call(match (status, fault) {
        (401, CallFault::Refused) => CallFault::InvalidClient,
        _ => fault,
    })
}

/// An assertion of Portero's own (RFC 7523 section 3), for the token endpoint where nothing else is
/// written.
fn assert(signed: &SignedAssertion, client: &Authenticator<'_>) -> Result<String, InternalFault> {
    let audience = signed.audience.as_deref();
    let endpoint = || client.token_endpoint.map(|endpoint| endpoint.as_str());
    let assertion = SignedToken {
        typ: "JWT",
        issuer: &signed.issuer,
        subject: Some(&signed.subject),
        audience: audience.or_else(endpoint).ok_or(InternalFault::Bug)?,
        expires_at: client.host.now().after(signed.lifetime),
        claims: signed.claims.clone(),
    };
    assertion.sign(&signed.key, client.host)
}

/// The type is what was asked for, and where nothing was, one that an upstream takes.
fn check_type(exchange: &TokenExchange, issued: Option<&str>) -> Result<(), IssueFault> {
    let issued = issued.ok_or(IssueFault::IssuedTokenType)?;
    let is_right = match &exchange.requested_token_type {
        Some(requested) => issued == requested,
        None => issued == ACCESS_TOKEN || issued == JWT,
    };
    is_right.then_some(()).ok_or(IssueFault::IssuedTokenType)
}

/// One of the token's audiences is among those that it may be for. Nothing can be told of a token that is
/// no JSON Web Token. Its signature is the upstream's concern: it has come from the provider itself.
fn check_audience(
    exchange: &TokenExchange,
    issued: Option<&str>,
    token: &str,
) -> Result<(), IssueFault> {
    if exchange.issued_audiences.is_empty() {
        return Ok(());
    }
    let Some(claims) = Claims::unverified(token) else {
        return match issued == Some(JWT) {
            true => Err(IssueFault::AudienceMismatch),
            false => Ok(()),
        };
    };
    let claims = claims.map_err(|_| IssueFault::AudienceMismatch)?;
    let audiences = claims.audiences();
    let audiences = audiences.map_err(|_| IssueFault::AudienceMismatch)?;
    let is_among = |audience: &&str| exchange.issued_audiences.iter().any(|one| one == audience);
    match audiences.iter().any(is_among) {
        true => Ok(()),
        false => Err(IssueFault::AudienceMismatch),
    }
}

#[cfg(test)]
mod tests;
