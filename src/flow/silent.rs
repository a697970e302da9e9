//! Renewing a session at the provider without asking the person (`prompt=none`, OpenID Connect Core
//! 3.1.2.1): for sessions that no refresh token keeps up to date.
//!
//! The browser goes to the provider and comes back, so only a navigation can do it, and whatever goes
//! wrong on the way, the session goes on as long as it lives.

use std::time::Duration;

use super::login::{self, Goal};
use super::serve::{Refusal, Visit};
use super::{Decision, caller, stored};
use crate::answer::Audience;
use crate::config::AuthenticationDemand;
use crate::error::{AuthorizationFault, Error};
use crate::session::{OpenSession, Session, SilentRenewal};
use crate::telemetry::Metric;

/// The least time between a login or an attempt and the next attempt.
pub const LEAST_INTERVAL: Duration = Duration::from_secs(60);

/// Whether this request is to renew `session`. A provider that nobody knows keeps nobody waiting; and
/// in a frame, whose page the provider would refuse to be, nothing begins.
pub fn is_due(visit: &Visit<'_>, session: &Session) -> bool {
    let now = visit.host().now();
    let dest = visit.request.text("sec-fetch-dest");
    visit.gateway.config.session.prompt_none_renewal
        && session.silent_renewal.is_some_and(|it| now >= it.due_at)
        && visit.audience() == Audience::Browser
        && visit.request.method() == "GET"
        && dest.is_none_or(|dest| dest == "document")
        && visit.relying_party().known_provider().is_some()
}

/// Sends the browser to the provider. The session that it keeps meanwhile is not due for a while, so
/// that an attempt which never comes back is not repeated at once; where that cannot be kept, the
/// request goes on as it is.
pub async fn start(
    visit: &Visit<'_>,
    demand: &AuthenticationDemand,
    open: &OpenSession,
) -> Result<Option<Decision>, Refusal> {
    let Some(set_cookies) = postpone(visit, open).await? else {
        return Ok(None);
    };
    let goal = Goal {
        target: &login::target(visit.request),
        attempt: 0,
        form: None,
        demand,
        silent: open.session.silent_renewal.map(|renewal| renewal.until),
    };
    login::start(visit, &goal, set_cookies).await.map(Some)
}

/// Keeps a session that is not due before a while has passed: `Set-Cookie` values, or nothing where that
/// cannot be kept.
pub async fn postpone(visit: &Visit<'_>, open: &OpenSession) -> Result<Option<Vec<String>>, Error> {
    let session = &open.session;
    let now = visit.host().now();
    let postponed = Session {
        seen_at: now,
        silent_renewal: session.silent_renewal.map(|renewal| SilentRenewal {
            due_at: renewal.due_at.max(now.after(LEAST_INTERVAL)),
            ..renewal
        }),
        ..session.clone()
    };
    stored::keep(visit, open, &postponed).await
}

/// Counts and logs a renewal that failed, which no answer tells of.
pub fn tell_failure(visit: &Visit<'_>, error: &Error) {
    let report = error.report();
    let cause = error
        .cause()
        .map_or_else(String::new, |cause| format!(" cause=\"{cause}\""));
    visit.host().count(&Metric::Failure(report.code.clone()));
    visit.host().log(
        report.level,
        &format!(
            "silent_renewal_failed code={} request_id={}{cause}",
            report.code,
            caller::request_id(visit.request)
        ),
    );
}

/// Whether the provider says that it has to ask the person (OpenID Connect Core 3.1.2.6).
pub const fn needs_the_person(fault: AuthorizationFault) -> bool {
    matches!(
        fault,
        AuthorizationFault::LoginRequired
            | AuthorizationFault::InteractionRequired
            | AuthorizationFault::ConsentRequired
            | AuthorizationFault::AccountSelectionRequired
    )
}
