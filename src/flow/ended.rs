//! Sessions that are ended before their time, and who says so: the person, or the provider.

use super::serve::Visit;
use super::{Gateway, caller};
use crate::error::InternalFault;
use crate::host::Host;
use crate::oidc::{Ends, VerifiedLogoutToken};
use crate::session::{Mark, OpenSession, Session, Watermark};
use crate::telemetry::{Level, Metric};
use crate::time::Timestamp;

/// Ends the sessions that a logout token names and that had been issued when it was, in this Envoy. Says
/// what the others have to be told.
pub fn by_token<'t>(
    gateway: &Gateway,
    token: &'t VerifiedLogoutToken,
) -> Result<(Mark<'t>, Watermark), InternalFault> {
    let (mark, watermark) = note(gateway, token);
    end(gateway, mark, watermark)?;
    Ok((mark, watermark))
}

fn note<'t>(gateway: &Gateway, token: &'t VerifiedLogoutToken) -> (Mark<'t>, Watermark) {
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
    let watermark = Watermark {
        issued_before: token.issued_at,
        expires_at: gateway.host.now().after(span),
    };
    (mark, watermark)
}

/// Ends all sessions of a family that its browser has given up, so that no copy of a cookie is worth
/// anything. The browser's cookie goes in any case, so that this cannot be noted is no reason to stop.
pub fn by_browser(visit: &Visit<'_>, family: &[u8; 16], ends_at: Timestamp) {
    let watermark = Watermark {
        issued_before: visit.host().now(),
        expires_at: ends_at,
    };
    if end(visit.gateway, Mark::Family(family), watermark).is_err() {
        visit.host().log(
            Level::Warn,
            &format!(
                "logout_not_recorded request_id={}",
                caller::request_id(visit.request)
            ),
        );
    }
}

/// Counts and logs a logout: by what channel it came, and whose it is.
pub fn tell(host: &dyn Host, channel: &str, request_id: &str, who: &str) {
    host.count(&Metric::LogoutSucceeded);
    let line = format!("audit event=logout channel={channel} request_id={request_id}{who}");
    host.log(Level::Info, &line);
}

fn end(gateway: &Gateway, mark: Mark<'_>, watermark: Watermark) -> Result<(), InternalFault> {
    let recorded = gateway
        .watermarks
        .end(gateway.memory(), &gateway.naming, mark, watermark)
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
        self.watermarks
            .have_ended(self.memory(), &self.naming, open)
    }

    /// The same about a session of which nothing is remembered.
    pub(super) fn has_marked(&self, session: &Session) -> bool {
        self.watermarks
            .have_marked(self.memory(), &self.naming, session)
    }

    /// The same about a session of which only the family is known: whether its browser has given it up.
    pub(super) fn has_marked_family(&self, family: &[u8; 16]) -> bool {
        self.watermarks
            .have_marked_family(self.memory(), &self.naming, family)
    }
}

#[cfg(test)]
mod tests;
