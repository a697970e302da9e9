//! What an error is to a client with a bearer token.

use super::{Denial, Error, RequestFault};

listed! {
    /// The `error` of a challenge (RFC 6750 section 3.1, RFC 9470 section 3).
    pub enum BearerError {
        InvalidRequest,
        InvalidToken,
        InsufficientScope,
        InsufficientUserAuthentication,
    }
}

impl BearerError {
    /// The standards' word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
        }
    }
}

impl Error {
    /// What a challenge calls this error; nothing where it is not about what the caller brought, or where
    /// they brought nothing.
    pub const fn bearer(&self) -> Option<BearerError> {
        match self {
            Self::Request(fault) => of_request(*fault),
            Self::Denied(denial) => match denial {
                Denial::InsufficientAuthentication => {
                    Some(BearerError::InsufficientUserAuthentication)
                }
                Denial::ConsumerUnknown => Some(BearerError::InvalidToken),
                Denial::Forbidden => Some(BearerError::InsufficientScope),
                Denial::LoginRequired
                | Denial::TokenRequired
                | Denial::SubjectTokenMissing
                | Denial::LogoutCrossSite => None,
            },
            Self::AccessToken(_) => Some(BearerError::InvalidToken),
            Self::Authorization(_)
            | Self::Provider(..)
            | Self::ProviderUnavailable
            | Self::SessionStore(_)
            | Self::IdToken(_)
            | Self::LogoutToken(_)
            | Self::UserinfoSubject
            | Self::Internal(_) => None,
        }
    }
}

const fn of_request(fault: RequestFault) -> Option<BearerError> {
    use RequestFault as F;
    match fault {
        F::TokenMalformed | F::TokenAmbiguous => Some(BearerError::InvalidRequest),
        F::PathAmbiguous
        | F::AuthorityInvalid
        | F::AuthorityAmbiguous
        | F::MethodNotAllowed
        | F::BodyTooLarge
        | F::BodyNotDelivered
        | F::CallbackMalformed
        | F::LoginUnknown
        | F::LoginExpired
        | F::LoginReplayed
        | F::IssuerMismatch
        | F::IssuerMissing
        | F::BackChannelLogoutMalformed
        | F::LogoutTokenReplayed
        | F::FrontChannelLogoutMismatch => None,
    }
}
