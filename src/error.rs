//! Everything that can go wrong with a request, and the one table that says what becomes of it.

mod report;
mod token;

pub use bearer::BearerError;
pub use report::Report;
pub use token::TokenFault;

use crate::host::RandomUnavailable;
use crate::telemetry::Purpose;

/// Declares a kind of fault together with the list of its variants, so that none is forgotten where
/// all of them count.
macro_rules! listed {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }
    };
}

mod bearer;

/// What went wrong, grouped by who is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The caller sent something that no rule can judge or no login can use.
    Request(RequestFault),
    /// The caller may not have what they asked for.
    Denied(Denial),
    /// The provider refused the login it was asked for (RFC 6749 section 4.1.2.1).
    Authorization(AuthorizationFault),
    /// The provider did not answer a call, or not usably.
    Provider(Purpose, CallFault),
    /// The provider's metadata or keys are not known yet, and cannot be had now.
    ProviderUnavailable,
    /// The session store did not answer a call, or not usably.
    SessionStore(CallFault),
    /// The ID token does not prove what it must.
    IdToken(TokenFault),
    /// The logout token does not prove what it must.
    LogoutToken(TokenFault),
    /// The access token does not prove what it must.
    AccessToken(TokenFault),
    /// Userinfo speaks of somebody else (OpenID Connect Core 5.3.2).
    UserinfoSubject,
    /// Portero itself cannot go on.
    Internal(InternalFault),
}

listed! {
    /// A fault of the request.
    pub enum RequestFault {
        /// The path can be read in more than one way.
        PathAmbiguous,
        /// The authority is missing, double or not a host name.
        AuthorityInvalid,
        /// The rules decide differently with the authority's port and without it.
        AuthorityAmbiguous,
        /// One of Portero's own paths was asked with a method it does not know.
        MethodNotAllowed,
        /// The body is longer than this address takes.
        BodyTooLarge,
        /// The body did not come in time, or the proxy does not show it.
        BodyNotDelivered,
        /// The callback's parameters are missing, double or too long.
        CallbackMalformed,
        /// No login of that state is in progress in this browser.
        LoginUnknown,
        /// The login in progress is too old.
        LoginExpired,
        /// The code of this login has been redeemed before.
        LoginReplayed,
        /// The `iss` parameter names another provider (RFC 9207 section 2.4).
        IssuerMismatch,
        /// The provider announces the `iss` parameter and did not send it (RFC 9207 section 2.4).
        IssuerMissing,
        /// A back-channel logout that is not a form with one logout token.
        BackChannelLogoutMalformed,
        /// The logout token has been here before.
        LogoutTokenReplayed,
        /// A front-channel logout names no provider or session, another one, or one twice.
        FrontChannelLogoutMismatch,
        /// What stands in the place of a bearer token cannot be one (RFC 6750 section 2.1).
        TokenMalformed,
        /// The request carries different bearer tokens (RFC 6750 section 2).
        TokenAmbiguous,
    }
}

listed! {
    /// A refusal.
    pub enum Denial {
        /// Nobody is known, and this caller cannot be sent to log in.
        LoginRequired,
        /// Nobody is known, and an access token is needed (RFC 6750 section 3).
        TokenRequired,
        /// The token is good, and of none of the consumers, of whom it has to be.
        ConsumerUnknown,
        /// The person has a session, and the rule asks for a newer or another authentication
        /// (RFC 9470 section 3).
        InsufficientAuthentication,
        /// The caller is known, and the rule's policy does not let them through.
        Forbidden,
        /// The caller is known, and does not have the token of which the upstream's is made.
        SubjectTokenMissing,
        /// Another site asked for the logout.
        LogoutCrossSite,
    }
}

listed! {
    /// The `error` parameter of an authorization error response.
    pub enum AuthorizationFault {
        AccessDenied,
        LoginRequired,
        InteractionRequired,
        ConsentRequired,
        AccountSelectionRequired,
        InvalidRequest,
        InvalidScope,
        UnauthorizedClient,
        UnsupportedResponseType,
        ServerError,
        TemporarilyUnavailable,
        /// A name that no standard gives.
        Other,
    }
}

listed! {
    /// How a call to the provider or the session store failed.
    pub enum CallFault {
        /// Not sent, cut off, or answered 503.
        Unreachable,
        /// Answered 504: no answer in time.
        Timeout,
        /// Answered with a status that means no.
        Refused,
        /// Answered with something that is not the expected message.
        Malformed,
        /// The code or token was refused as invalid (RFC 6749 section 5.2).
        InvalidGrant,
        /// The client's own authentication was refused (RFC 6749 section 5.2).
        InvalidClient,
        /// The access token was refused (RFC 6750 section 3.1).
        InvalidToken,
    }
}

impl CallFault {
    /// The word in codes and log lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidClient => "invalid_client",
            Self::InvalidToken => "invalid_token",
        }
    }
}

listed! {
    /// A fault of Portero or of what it runs on.
    pub enum InternalFault {
        RandomUnavailable,
        /// The session does not fit into the cookies a browser keeps.
        SessionTooLarge,
        /// The end of a session could not be noted where all workers see it.
        LogoutNotRecorded,
        /// Something that cannot happen did.
        Bug,
    }
}

impl Error {
    /// What the operator is told beside the code, where the error knows more. Nothing in it comes
    /// from outside.
    pub const fn cause(&self) -> Option<TokenFault> {
        match self {
            Self::IdToken(fault) | Self::LogoutToken(fault) | Self::AccessToken(fault) => {
                Some(*fault)
            }
            Self::Request(_)
            | Self::Denied(_)
            | Self::Authorization(_)
            | Self::Provider(..)
            | Self::ProviderUnavailable
            | Self::SessionStore(_)
            | Self::UserinfoSubject
            | Self::Internal(_) => None,
        }
    }

    /// Every error that a request can end with, for the documents and their tests.
    pub fn every() -> Vec<Self> {
        let mut errors = vec![Self::ProviderUnavailable, Self::UserinfoSubject];
        errors.extend(RequestFault::ALL.iter().copied().map(Self::Request));
        errors.extend(Denial::ALL.iter().copied().map(Self::Denied));
        errors.extend(
            AuthorizationFault::ALL
                .iter()
                .copied()
                .map(Self::Authorization),
        );
        for fault in CallFault::ALL.iter().copied() {
            use CallFault::{InvalidClient, InvalidGrant, InvalidToken};
            // The token endpoint refuses grants and clients (RFC 6749 section 5.2), userinfo tokens.
            if !matches!(fault, InvalidToken) {
                errors.push(Self::Provider(Purpose::Token, fault));
            }
            if !matches!(fault, InvalidGrant | InvalidClient) {
                errors.push(Self::Provider(Purpose::Userinfo, fault));
            }
            // Nobody redeems anything there, and the token that is asked about is no fault of the call.
            if !matches!(fault, InvalidGrant | InvalidToken) {
                errors.push(Self::Provider(Purpose::Introspection, fault));
            }
            if !matches!(fault, InvalidToken) {
                errors.push(Self::Provider(Purpose::UpstreamToken, fault));
            }
            // A store knows neither grants nor clients nor access tokens.
            if !matches!(fault, InvalidGrant | InvalidClient | InvalidToken) {
                errors.push(Self::SessionStore(fault));
            }
        }
        let of_id = TokenFault::ALL
            .iter()
            .filter(|fault| !fault.is_about_access());
        errors.extend(of_id.clone().copied().map(Self::IdToken));
        let of_logout = of_id.filter(|fault| !fault.is_about_login());
        errors.extend(of_logout.copied().map(Self::LogoutToken));
        let of_access = TokenFault::ALL.iter().filter(|fault| fault.is_of_access());
        errors.extend(of_access.copied().map(Self::AccessToken));
        errors.extend(InternalFault::ALL.iter().copied().map(Self::Internal));
        errors
    }
}

impl From<RandomUnavailable> for InternalFault {
    fn from(_: RandomUnavailable) -> Self {
        Self::RandomUnavailable
    }
}

impl From<RandomUnavailable> for Error {
    fn from(fault: RandomUnavailable) -> Self {
        Self::Internal(fault.into())
    }
}

impl From<InternalFault> for Error {
    fn from(fault: InternalFault) -> Self {
        Self::Internal(fault)
    }
}

impl From<TokenFault> for Error {
    fn from(fault: TokenFault) -> Self {
        Self::IdToken(fault)
    }
}

impl From<RequestFault> for Error {
    fn from(fault: RequestFault) -> Self {
        Self::Request(fault)
    }
}
