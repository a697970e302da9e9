//! What a rule's policy says of a session.

use std::time::Duration;

use super::serve::Visit;
use crate::authz::{self, Cause, Denied, Principal, Verdict};
use crate::host::Host;
use crate::session::{OpenSession, Session};
use crate::telemetry::Metric;

/// Whether the rule lets the session through.
pub fn verdict(visit: &Visit<'_>, rule: Option<usize>, open: &OpenSession) -> Verdict {
    let config = &visit.gateway.config;
    let Some(policy) = config.policy(rule) else {
        return Verdict::Allowed;
    };
    // What was not kept can only be missed where it is required.
    if policy.forbid.is_some() && !is_for_these_rules(visit, &open.session) {
        return Verdict::Denied(Denied {
            cause: Cause::SessionOutdated,
            scopes: Vec::new(),
        });
    }
    let principal = Principal::of_session(
        &config.provider.issuer,
        config.client_id(),
        &open.session.authorization.scope,
        &open.claims,
    );
    authz::evaluate(policy, &principal)
}

/// A login that is younger than this has kept what its rules look at. Envoys whose rules differ, for
/// the time of a change, send nobody round and round.
const YOUNG: Duration = Duration::from_secs(60);

/// Whether a refusal may come from rules that have changed since the login: the session has kept
/// what others look at, and cannot answer for these.
pub fn is_outdated(visit: &Visit<'_>, session: &Session) -> bool {
    !is_for_these_rules(visit, session)
        && visit.host().now().since(session.authentication.issued_at) >= YOUNG
}

/// Whether the session has kept everything that the rules look at.
fn is_for_these_rules(visit: &Visit<'_>, session: &Session) -> bool {
    session.authorization.mark == visit.gateway.interests.mark
}

/// A refusal on its way to becoming an answer.
pub struct Refused {
    pub denied: Denied,
    /// The index of the rule.
    pub rule: Option<usize>,
}

impl Refused {
    /// What the operator is told of it: words of the log line, and a counter where something is to be
    /// done.
    pub fn note(&self, host: &dyn Host) -> String {
        let cause = self.denied.cause;
        if cause == Cause::GroupsOverage {
            host.count(&Metric::GroupsOverage);
        }
        let rule = self.rule.map(|index| format!(" rule={index}"));
        format!(" cause={}{}", cause.name(), rule.unwrap_or_default())
    }
}
