//! Sessions that are ended before their time, and who says so: the person, or the provider.

use super::serve::Visit;
use super::{Gateway, caller};
use crate::error::InternalFault;
use crate::oidc::{Ends, VerifiedLogoutToken};
use crate::session::{Mark, OpenSession, Session};
use crate::telemetry::{Level, Metric};
use crate::time::Timestamp;

/// Ends the sessions that a logout token names and that had been issued when it was.
pub fn by_token(gateway: &Gateway, token: &VerifiedLogoutToken) -> Result<(), InternalFault> {
    let mark = match &token.ends {
        Ends::Session { sid } => Mark::Sid(sid),
        Ends::SessionOf { sid, subject } => Mark::SidOf { sid, subject },
        Ends::Subject { subject } => Mark::Subject(subject),
    };
    // A login may be under way: its ID token may be this old when the session begins.
    let policy = &gateway.config.provider.id_token;
    let span = gateway
        .config
        .session
        .lifetime
        .saturating_add(policy.max_age)
        .saturating_add(policy.clock_skew.saturating_mul(2));
    let expires_at = gateway.host.now().after(span);
    end(gateway, mark, token.issued_at, expires_at)
}

/// Ends a session that its browser has given up, so that no copy of its cookie is worth anything.
/// The browser's cookie goes in any case, so that this cannot be noted is no reason to stop.
pub fn by_browser(visit: &Visit<'_>, session: &Session) {
    let mark = Mark::Session(&session.id);
    let issued_at = session.authentication.issued_at;
    if end(visit.gateway, mark, issued_at, session.ends_at).is_err() {
        visit.host().log(
            Level::Warn,
            &format!(
                "logout_not_recorded request_id={}",
                caller::request_id(visit.request)
            ),
        );
    }
}

/// Counts and logs a logout that came by some other channel than the logout path.
pub fn tell(visit: &Visit<'_>, channel: &str) {
    visit.host().count(&Metric::LogoutSucceeded);
    visit.host().log(
        Level::Info,
        &format!(
            "logout_succeeded channel={channel} request_id={}",
            caller::request_id(visit.request)
        ),
    );
}

fn end(
    gateway: &Gateway,
    mark: Mark<'_>,
    issued_before: Timestamp,
    expires_at: Timestamp,
) -> Result<(), InternalFault> {
    let issuer = &gateway.config.provider.issuer;
    let memory = gateway.memory();
    let recorded = gateway
        .watermarks
        .end(memory, issuer, mark, issued_before, expires_at)
        .map_err(|_| InternalFault::LogoutNotRecorded)?;
    if recorded.overflowed {
        gateway.host.count(&Metric::LogoutTableFull);
        gateway.host.log(Level::Warn, "logout_table_full");
    }
    Ok(())
}

impl Gateway {
    /// Whether somebody has ended this session.
    pub(super) fn has_ended(&self, open: &OpenSession) -> bool {
        let issuer = &self.config.provider.issuer;
        self.watermarks.have_ended(self.memory(), issuer, open)
    }

    /// The same about a session of which nothing is remembered.
    pub(super) fn has_marked(&self, session: &Session) -> bool {
        let issuer = &self.config.provider.issuer;
        self.watermarks.have_marked(self.memory(), issuer, session)
    }
}

#[cfg(test)]
mod tests;
