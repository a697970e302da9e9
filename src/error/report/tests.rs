use std::collections::HashSet;

use crate::error::{
    AuthorizationFault as A, CallFault as C, Denial as D, Error, InternalFault as I,
    RequestFault as R, TokenFault as T,
};
use crate::telemetry::{Level, Purpose as P};

const STATUSES: [u16; 8] = [400, 401, 403, 405, 500, 502, 503, 504];

fn all() -> Vec<Error> {
    let requests = [
        R::PathAmbiguous,
        R::AuthorityInvalid,
        R::MethodNotAllowed,
        R::CallbackMalformed,
        R::LoginUnknown,
        R::LoginExpired,
        R::LoginReplayed,
        R::IssuerMismatch,
        R::IssuerMissing,
    ];
    let refusals = [
        A::AccessDenied,
        A::LoginRequired,
        A::InteractionRequired,
        A::ConsentRequired,
        A::AccountSelectionRequired,
        A::InvalidRequest,
        A::InvalidScope,
        A::UnauthorizedClient,
        A::UnsupportedResponseType,
        A::ServerError,
        A::TemporarilyUnavailable,
        A::Other,
    ];
    let calls = [
        C::Unreachable,
        C::Timeout,
        C::Refused,
        C::Malformed,
        C::InvalidGrant,
        C::InvalidClient,
    ];
    let tokens = [
        T::TooLarge,
        T::Malformed,
        T::HeaderInvalid,
        T::CriticalHeader,
        T::AlgorithmRefused,
        T::KeyUnknown,
        T::KeyAmbiguous,
        T::SignatureInvalid,
        T::ClaimsMalformed,
        T::ClaimMissing { claim: "sub" },
        T::ClaimInvalid { claim: "sub" },
        T::IssuerMismatch,
        T::AudienceMismatch,
        T::AudienceUntrusted,
        T::AuthorizedPartyMismatch,
        T::Expired,
        T::IssuedInFuture,
        T::IssuedTooLongAgo,
        T::NotYetValid,
        T::NonceMismatch,
        T::AccessTokenHashMismatch,
        T::CodeHashMismatch,
        T::SubjectInvalid,
    ];
    let mut all = vec![Error::ProviderUnavailable, Error::UserinfoSubject];
    all.extend(requests.map(Error::Request));
    all.extend([D::LoginRequired, D::LogoutCrossSite].map(Error::Denied));
    all.extend(refusals.map(Error::Authorization));
    // Discovery and keys are fetched for all requests; what fails there is `ProviderUnavailable`.
    for purpose in [P::Token, P::Userinfo] {
        all.extend(calls.map(|fault| Error::Provider(purpose, fault)));
    }
    all.extend(tokens.map(Error::IdToken));
    all.extend([I::RandomUnavailable, I::SessionTooLarge, I::Bug].map(Error::Internal));
    all
}

#[test]
fn every_error_has_a_code_of_its_own() {
    let mut codes = HashSet::new();
    for error in all() {
        let code = error.report().code;
        assert!(
            code.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{code}"
        );
        assert!(
            !code.starts_with('_') && !code.ends_with('_') && !code.contains("__"),
            "{code}"
        );
        assert!(codes.insert(code.clone()), "{code} twice");
    }
}

#[test]
fn every_status_says_whose_fault_it_is() {
    for error in all() {
        let status = error.report().status;
        assert!(STATUSES.contains(&status), "{error:?}: {status}");
        let fitting = match error {
            Error::Request(_) => (400..=499).contains(&status),
            Error::Denied(_) => [401, 403].contains(&status),
            Error::Authorization(_) => [403, 502, 503].contains(&status),
            Error::Provider(..) | Error::ProviderUnavailable => (502..=504).contains(&status),
            Error::IdToken(_) | Error::UserinfoSubject => status == 502,
            Error::Internal(_) => status == 500,
        };
        assert!(fitting, "{error:?}: {status}");
    }
}

#[test]
fn the_operator_is_called_for_our_faults_and_the_providers_only() {
    for error in all() {
        let report = error.report();
        assert_eq!(
            report.level == Level::Error,
            report.status >= 500,
            "{error:?}"
        );
    }
}

#[test]
fn every_message_is_whole_sentences_that_tell_nothing_of_the_inside() {
    for error in all() {
        let report = error.report();
        assert!(report.message.ends_with('.'), "{error:?}");
        assert!(
            report
                .message
                .starts_with(|first: char| first.is_ascii_uppercase()),
            "{error:?}"
        );
        for inside in [
            "token",
            "nonce",
            "key",
            "Envoy",
            "cluster",
            "{",
            report.code.as_ref(),
        ] {
            assert!(!report.message.contains(inside), "{error:?}: {inside}");
        }
    }
}
