use std::collections::HashSet;

use crate::error::{Denial, Error};
use crate::telemetry::Level;

const STATUSES: [u16; 10] = [400, 401, 403, 405, 408, 413, 500, 502, 503, 504];

#[test]
fn every_error_has_a_code_of_its_own() {
    let mut codes = HashSet::new();
    for error in Error::every() {
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
    for error in Error::every() {
        let status = error.report().status;
        assert!(STATUSES.contains(&status), "{error:?}: {status}");
        let fitting = match error {
            Error::Request(_) => (400..=499).contains(&status),
            Error::Denied(_) => [401, 403].contains(&status),
            Error::Authorization(_) => [403, 502, 503].contains(&status),
            Error::Provider(..) | Error::ProviderUnavailable | Error::SessionStore(_) => {
                (502..=504).contains(&status)
            }
            Error::IdToken(_) | Error::UserinfoSubject => status == 502,
            Error::LogoutToken(_) => status == 400,
            Error::AccessToken(_) => status == 401,
            Error::Internal(_) => [500, 503].contains(&status),
        };
        assert!(fitting, "{error:?}: {status}");
    }
}

#[test]
fn the_operator_is_called_for_our_faults_and_the_providers_only() {
    for error in Error::every() {
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
    for error in Error::every() {
        let is_for_programs = matches!(
            error,
            Error::AccessToken(_) | Error::Denied(Denial::TokenRequired)
        );
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
            let is_known = is_for_programs && inside == "token";
            assert!(
                is_known || !report.message.contains(inside),
                "{error:?}: {inside}"
            );
        }
    }
}
