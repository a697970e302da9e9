//! The one table: what each error means to a stranger, to a program and to the operator.

use std::borrow::Cow;

use super::{
    AuthorizationFault, CallFault, Denial, Error, InternalFault, RequestFault, TokenFault,
};
use crate::telemetry::{Level, Purpose};

/// What becomes of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// HTTP status of the answer.
    pub status: u16,
    /// Stable and public: answers, log lines and metrics carry it.
    pub code: Cow<'static, str>,
    /// One sentence for a stranger; it says nothing of the inside.
    pub message: &'static str,
    pub level: Level,
}

impl Error {
    /// This error's line of the table.
    pub fn report(&self) -> Report {
        match self {
            Self::Request(fault) => request(*fault),
            Self::Denied(denial) => denied(*denial),
            Self::Authorization(fault) => authorization(*fault),
            Self::Provider(purpose, fault) => provider(*purpose, *fault),
            Self::ProviderUnavailable => line(
                503,
                "provider_unavailable",
                "The sign-in service cannot be reached at the moment. Please try again soon.",
                Level::Error,
            ),
            Self::SessionStore(fault) => session_store(*fault),
            Self::IdToken(fault) => id_token(*fault),
            Self::LogoutToken(fault) => logout_token(*fault),
            Self::AccessToken(fault) => access_token(*fault),
            Self::UserinfoSubject => {
                line(502, "userinfo_subject_mismatch", BAD_ANSWER, Level::Error)
            }
            Self::Internal(fault) => internal(*fault),
        }
    }
}

const BAD_ANSWER: &str =
    "The sign-in service gave an answer that cannot be trusted. Nobody has been signed in.";
const NO_ANSWER: &str = "The sign-in service did not answer. Please try again soon.";
const NO_CREDENTIALS: &str =
    "The service behind this address cannot be asked at the moment. Please try again soon.";
const NO_LOGOUT: &str = "This sign-out cannot be accepted. Nothing has been done.";
const START_AGAIN: &str = "This sign-in cannot be finished here. Please start again.";

fn line(status: u16, code: &'static str, message: &'static str, level: Level) -> Report {
    Report {
        status,
        code: Cow::Borrowed(code),
        message,
        level,
    }
}

fn request(fault: RequestFault) -> Report {
    use RequestFault as F;
    let (status, code, message) = match fault {
        F::PathAmbiguous => (
            400,
            "path_ambiguous",
            "The address can be read in more than one way and is therefore refused.",
        ),
        F::AuthorityInvalid => (400, "authority_invalid", "The request names no valid host."),
        F::AuthorityAmbiguous => (
            400,
            "authority_ambiguous",
            "The host of this address can be read in more than one way and is therefore refused.",
        ),
        F::MethodNotAllowed => (
            405,
            "method_not_allowed",
            "This address does not take that method.",
        ),
        F::BodyTooLarge => (
            413,
            "body_too_large",
            "The request is longer than this address takes.",
        ),
        F::BodyNotDelivered => (
            408,
            "body_not_delivered",
            "The request did not arrive as a whole. Please try again.",
        ),
        F::CallbackMalformed => (400, "callback_malformed", START_AGAIN),
        F::LoginUnknown => (400, "login_unknown", START_AGAIN),
        F::LoginExpired => (
            400,
            "login_expired",
            "This sign-in took too long. Please start again.",
        ),
        F::LoginReplayed => (400, "login_replayed", START_AGAIN),
        F::IssuerMismatch => (400, "authorization_issuer_mismatch", START_AGAIN),
        F::IssuerMissing => (400, "authorization_issuer_missing", START_AGAIN),
        F::BackChannelLogoutMalformed => (400, "backchannel_logout_malformed", NO_LOGOUT),
        F::LogoutTokenReplayed => (400, "logout_token_replayed", NO_LOGOUT),
        F::FrontChannelLogoutMismatch => (
            400,
            "frontchannel_logout_mismatch",
            "This sign-out is not about the session of this browser. Nothing has been done.",
        ),
        F::TokenMalformed => (
            400,
            "bearer_token_malformed",
            "The request does not say in a usable form who is calling.",
        ),
        F::TokenAmbiguous => (
            400,
            "bearer_token_ambiguous",
            "The request says in several ways who is calling, and they differ.",
        ),
    };
    line(status, code, message, Level::Warn)
}

fn denied(denial: Denial) -> Report {
    match denial {
        Denial::LoginRequired => line(401, "login_required", "Please sign in first.", Level::Info),
        Denial::TokenRequired => line(
            401,
            "token_required",
            "This needs an access token.",
            Level::Info,
        ),
        Denial::ConsumerUnknown => line(
            401,
            "consumer_unknown",
            "This caller is not accepted here.",
            Level::Info,
        ),
        Denial::InsufficientAuthentication => line(
            401,
            "insufficient_user_authentication",
            "This needs a sign-in that is more recent, or of another kind. Please sign in again.",
            Level::Info,
        ),
        Denial::Forbidden => line(
            403,
            "access_forbidden",
            "You are signed in, but not allowed here.",
            Level::Info,
        ),
        Denial::SubjectTokenMissing => line(
            403,
            "upstream_token_subject_missing",
            "The service behind this address cannot be asked on behalf of this caller.",
            Level::Warn,
        ),
        Denial::LogoutCrossSite => line(
            403,
            "logout_cross_site",
            "Another site asked to sign you out. Nothing has been done.",
            Level::Warn,
        ),
    }
}

fn authorization(fault: AuthorizationFault) -> Report {
    use AuthorizationFault as F;
    const REFUSED: &str = "The sign-in service did not sign you in.";
    const MISTAKEN: &str =
        "The sign-in service refused the request. The operator has to look at this.";
    let (status, code, message, level) = match fault {
        F::AccessDenied => (403, "authorization_access_denied", REFUSED, Level::Info),
        F::LoginRequired => (403, "authorization_login_required", REFUSED, Level::Info),
        F::InteractionRequired => (
            403,
            "authorization_interaction_required",
            REFUSED,
            Level::Info,
        ),
        F::ConsentRequired => (403, "authorization_consent_required", REFUSED, Level::Info),
        F::AccountSelectionRequired => (
            403,
            "authorization_account_selection_required",
            REFUSED,
            Level::Info,
        ),
        F::InvalidRequest => (502, "authorization_invalid_request", MISTAKEN, Level::Error),
        F::InvalidScope => (502, "authorization_invalid_scope", MISTAKEN, Level::Error),
        F::UnauthorizedClient => (
            502,
            "authorization_unauthorized_client",
            MISTAKEN,
            Level::Error,
        ),
        F::UnsupportedResponseType => (
            502,
            "authorization_unsupported_response_type",
            MISTAKEN,
            Level::Error,
        ),
        F::ServerError => (502, "authorization_server_error", NO_ANSWER, Level::Error),
        F::TemporarilyUnavailable => (
            503,
            "authorization_temporarily_unavailable",
            NO_ANSWER,
            Level::Error,
        ),
        F::Other => (502, "authorization_error", MISTAKEN, Level::Error),
    };
    line(status, code, message, level)
}

fn provider(purpose: Purpose, fault: CallFault) -> Report {
    let (status, message) = match fault {
        // Whoever is calling has done nothing wrong, and signing in would change nothing.
        CallFault::Unreachable if purpose == Purpose::UpstreamToken => (503, NO_CREDENTIALS),
        CallFault::Timeout if purpose == Purpose::UpstreamToken => (504, NO_CREDENTIALS),
        _ if purpose == Purpose::UpstreamToken => (502, NO_CREDENTIALS),
        CallFault::Unreachable => (503, NO_ANSWER),
        CallFault::Timeout => (504, NO_ANSWER),
        CallFault::Refused | CallFault::Malformed | CallFault::InvalidToken => (502, BAD_ANSWER),
        CallFault::InvalidGrant => (502, START_AGAIN),
        CallFault::InvalidClient => (
            502,
            "The sign-in service does not accept this gateway. The operator has to look at this.",
        ),
    };
    Report {
        status,
        code: Cow::Owned(format!("{}_{}", purpose.name(), fault.name())),
        message,
        level: Level::Error,
    }
}

fn session_store(fault: CallFault) -> Report {
    let status = match fault {
        CallFault::Unreachable => 503,
        CallFault::Timeout => 504,
        CallFault::Refused
        | CallFault::Malformed
        | CallFault::InvalidGrant
        | CallFault::InvalidClient
        | CallFault::InvalidToken => 502,
    };
    Report {
        status,
        code: Cow::Owned(format!("session_store_{}", fault.name())),
        message: "It cannot be found out at the moment who is signed in. Please try again soon.",
        level: Level::Error,
    }
}

fn id_token(fault: TokenFault) -> Report {
    Report {
        status: 502,
        code: Cow::Owned(format!("id_token_{}", fault.code())),
        message: BAD_ANSWER,
        level: Level::Error,
    }
}

fn logout_token(fault: TokenFault) -> Report {
    Report {
        status: 400,
        code: Cow::Owned(format!("logout_token_{}", fault.code())),
        message: NO_LOGOUT,
        level: Level::Warn,
    }
}

fn access_token(fault: TokenFault) -> Report {
    Report {
        status: 401,
        code: Cow::Owned(format!("access_token_{}", fault.code())),
        message: "This access token is not accepted here.",
        level: Level::Info,
    }
}

fn internal(fault: InternalFault) -> Report {
    const OURS: &str = "Something went wrong here. Please try again soon.";
    let (status, code) = match fault {
        InternalFault::RandomUnavailable => (500, "random_unavailable"),
        InternalFault::SessionTooLarge => (500, "session_too_large"),
        InternalFault::LogoutNotRecorded => (503, "logout_not_recorded"),
        InternalFault::Bug => (500, "internal_error"),
    };
    line(status, code, OURS, Level::Error)
}

#[cfg(test)]
mod tests;
