//! Session cookies on the way back: what an answer carries is decided when it leaves.
//!
//! A session may be refreshed while the upstream works. An answer with the cookie from before would
//! undo that in the browser, so the latest generation is looked up again.

use std::rc::Rc;
use std::time::Duration;

use super::serve::Visit;
use super::{AnswerHeaders, Gateway, refresh};
use crate::header_list::{self, HeaderList};
use crate::request::Request;
use crate::session::{CookieJar, OpenSession, Progress, Reference, Session, StoredSession};
use crate::telemetry::Metric;
use crate::time::Timestamp;

/// An answer that comes later than this carries no cookie from before: the browser may have a newer
/// one, and its successor may be forgotten.
const LATEST: Duration = Duration::from_secs(30);

/// What is needed to issue a session's cookie with an answer.
pub struct Renewal {
    session: Rc<OpenSession>,
    decided_at: Timestamp,
    /// The cookie is to be issued even if nothing has changed.
    due: bool,
    authority: String,
    cookies: Request,
}

impl Renewal {
    /// For the answer to this request; `due` when its own cookie is not the session's latest.
    pub(super) fn new(visit: &Visit<'_>, session: &Rc<OpenSession>, due: bool) -> Self {
        let cookies = visit.request.all("cookie");
        let cookies = header_list::write(cookies.map(|value| ("cookie", value)));
        Self {
            session: Rc::clone(session),
            decided_at: visit.host().now(),
            due,
            authority: visit.authority.as_str().to_owned(),
            cookies: HeaderList::read(cookies).unwrap_or_default().into(),
        }
    }

    /// The changes to the answer that leaves now.
    pub fn answer_headers(&self, gateway: &Gateway) -> AnswerHeaders {
        AnswerHeaders::with_cookies(self.set_cookies(gateway))
    }

    /// `Set-Cookie` values for the answer that leaves now.
    pub(super) fn set_cookies(&self, gateway: &Gateway) -> Vec<String> {
        let late = gateway.host.now().since(self.decided_at) > LATEST;
        let own = &self.session.session;
        let latest = refresh::latest(gateway, own);
        let is_ended = matches!(
            gateway.refresh_progress().of(&latest),
            Some(Progress::Ended)
        );
        let is_marked = [own, &latest]
            .into_iter()
            .any(|session| gateway.has_marked(session));
        let is_unchanged = self.session.is_stored() || latest == *own;
        if is_ended || is_marked || (is_unchanged && (late || !self.due)) {
            return Vec::new();
        }
        let jar = CookieJar::of(&self.cookies);
        let cookie = StoredSession(gateway.cookies(&jar, &self.authority));
        let issued = match self.session.is_stored() {
            true => cookie.refer(Reference::to(&latest, self.decided_at)),
            false => cookie.store(&Session {
                seen_at: self.decided_at.max(latest.seen_at),
                ..latest
            }),
        };
        match issued {
            Ok(set_cookies) => set_cookies,
            Err(error) => {
                let report = error.report();
                gateway.host.count(&Metric::Failure(report.code.clone()));
                gateway.host.log(
                    report.level,
                    &format!("session_not_renewed code={}", report.code),
                );
                Vec::new()
            }
        }
    }
}
