//! A request with a session: whether it goes on, and what becomes of a person without one.

use std::rc::Rc;

use super::authorization::Refused;
use super::refresh::{self, Freshness};
use super::serve::{KnownCaller, Refusal, Visit};
use super::stored::{self, ProlongJob};
use super::upstream_token::CallerTokens;
use super::{
    Decision, Renewal, audit, authorization, caller, login, signed_identity, silent, step_up,
};
use crate::answer::Response;
use crate::authz::Verdict;
use crate::config::AuthenticationDemand;
use crate::error::{Denial, Error};
use crate::session::{CacheKey, Life, OpenSession, RetryMark, SessionCookie, StoredSession};
use crate::telemetry::Level;

/// What comes of looking for a request's session.
pub enum Entry {
    /// It has one, and that decides.
    Decided(Decision),
    Absent(Absence),
}

/// A request without a session.
#[derive(Default)]
pub struct Absence {
    /// Cookies that delete what is left of one.
    pub stale: Vec<String>,
    /// The provider has ended the session that the cookie holds.
    has_ended: bool,
}

/// What the session of a request is for.
#[derive(Clone, Copy)]
pub enum Part {
    /// It says who the caller is, under this rule.
    Speaks(Option<usize>),
    /// It has to be there beside what says it.
    Accompanies,
}

impl Part {
    /// The rule that it has to meet.
    pub const fn rule(self) -> Option<usize> {
        match self {
            Self::Speaks(rule) => rule,
            Self::Accompanies => None,
        }
    }
}

/// Lets a session through that meets the rule's demand and its policy, and has a person authenticate
/// again where it does not meet the demand.
pub async fn enter(visit: &Visit<'_>, part: Part) -> Result<Entry, Refusal> {
    let demand = visit.gateway.config.authentication(part.rule());
    match current(visit, demand).await {
        Ok(Presence::Current { open, due }) => {
            if silent::is_due(visit, &open.session)
                && let Some(away) = Box::pin(silent::start(visit, demand, &open)).await?
            {
                return Ok(Entry::Decided(away));
            }
            authorize(visit, part, &open, due).await.map(Entry::Decided)
        }
        Ok(Presence::TooWeak(open)) => {
            let asked = Box::pin(step_up::ask(visit, demand, &open.session)).await;
            asked.map(Entry::Decided)
        }
        Ok(Presence::Ended) => Ok(Entry::Absent(Absence {
            stale: Vec::new(),
            has_ended: true,
        })),
        Ok(Presence::Absent) => Ok(Entry::Absent(Absence {
            stale: StoredSession(visit.cookies()).delete(),
            has_ended: false,
        })),
        Err(error) if stored::is_bypassed(visit, &error) => {
            visit.host().log(
                Level::Warn,
                &format!(
                    "session_not_read code={} request_id={}",
                    error.report().code,
                    caller::request_id(visit.request)
                ),
            );
            // The session may be there again in a moment: nothing is deleted.
            Ok(Entry::Absent(Absence::default()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Sends a person without a session to log in, and refuses everybody else.
pub async fn send_to_log_in(
    visit: &Visit<'_>,
    rule: Option<usize>,
    absence: Absence,
) -> Result<Decision, Refusal> {
    let demand = visit.gateway.config.authentication(rule);
    match absence.has_ended {
        true => leave_ended(visit, demand).await,
        false => log_in(visit, demand, absence.stale).await,
    }
}

/// How the session of a request stands.
enum Presence {
    /// `due` when the browser's cookie is to be issued anew.
    Current {
        open: Rc<OpenSession>,
        due: bool,
    },
    /// It does not meet the rule's demand.
    TooWeak(Rc<OpenSession>),
    /// The provider has ended the session that the cookie holds.
    Ended,
    Absent,
}

async fn current(visit: &Visit<'_>, demand: &AuthenticationDemand) -> Result<Presence, Error> {
    let Some((open, life)) = find(visit).await? else {
        return Ok(Presence::Absent);
    };
    // No refresh makes an authentication newer, so none is waited for.
    if !step_up::is_met(visit, demand, &open.session) {
        return Ok(Presence::TooWeak(open));
    }
    if !CallerTokens::suffice(visit, &open.session) {
        return Ok(Presence::Absent);
    }
    let is_stored = open.is_stored();
    Ok(match refresh::freshen(visit, open).await? {
        Freshness::Current { open, moved } => {
            // A cookie that only names its session is the same after a refresh.
            let due = life == Life::Renew || (moved && !is_stored);
            Presence::Current { open, due }
        }
        // No other cookie knows more.
        Freshness::Ended if is_stored => Presence::Absent,
        Freshness::Ended => Presence::Ended,
    })
}

async fn log_in(
    visit: &Visit<'_>,
    demand: &AuthenticationDemand,
    set_cookies: Vec<String>,
) -> Result<Decision, Refusal> {
    let refusal = Refusal {
        set_cookies,
        again: Some("/".to_owned()),
        ..Error::Denied(Denial::LoginRequired).into()
    };
    login::start_or_refuse(visit, demand, refusal).await
}

/// The provider has ended the session of this cookie. Another Envoy may have refreshed it first, and
/// then the browser may hold the new cookie by now: a navigation comes back once to show it. Until
/// then nothing is deleted.
async fn leave_ended(
    visit: &Visit<'_>,
    demand: &AuthenticationDemand,
) -> Result<Decision, Refusal> {
    if !caller::can_log_in(visit.request, visit.audience()) {
        return log_in(visit, demand, Vec::new()).await;
    }
    let retried = RetryMark(visit.cookies());
    if !retried.is_set() {
        let location = format!("{}{}", visit.origin(), login::target(visit.request));
        let response = Response::redirect(location).with_cookies(vec![retried.set()]);
        return Ok(Decision::Answer(response));
    }
    let mut stale = StoredSession(visit.cookies()).delete();
    stale.push(retried.delete());
    log_in(visit, demand, stale).await
}

/// The request's session, if it has one that is alive.
pub async fn find(visit: &Visit<'_>) -> Result<Option<(Rc<OpenSession>, Life)>, Error> {
    let cookie = StoredSession(visit.cookies());
    let Some(sealed) = cookie.sealed() else {
        return Ok(None);
    };
    let authority = visit.authority.as_str();
    let known = visit
        .gateway
        .sessions
        .borrow_mut()
        .find(CacheKey::Cookie(&sealed), authority);
    let open = match known {
        Some(open) => open,
        None => {
            let session = match cookie.open(&sealed) {
                Some(SessionCookie::Whole(session)) => session.into_owned(),
                Some(SessionCookie::Reference(reference)) => {
                    return Box::pin(stored::find(visit, &reference)).await;
                }
                None => return Ok(None),
            };
            let open = Rc::new(visit.gateway.open(session, None));
            visit
                .gateway
                .sessions
                .borrow_mut()
                .insert(CacheKey::Cookie(&sealed), authority, &open);
            open
        }
    };
    let idle_timeout = visit.gateway.config.session.idle_timeout;
    let life = open.session.life(visit.host().now(), idle_timeout);
    let is_over = life == Life::Over
        || visit.gateway.has_ended(&open)
        || (visit.store().is_some() && Box::pin(stored::is_over(visit, &open)).await?);
    if is_over {
        visit
            .gateway
            .sessions
            .borrow_mut()
            .remove(CacheKey::Cookie(&sealed));
        return Ok(None);
    }
    Ok(Some((open, life)))
}

/// The request's session, as far as it can be found out.
pub async fn known(visit: &Visit<'_>) -> Option<(Rc<OpenSession>, Life)> {
    find(visit).await.ok().flatten()
}

fn admit(
    visit: &Visit<'_>,
    part: Part,
    open: &OpenSession,
    renewal: Option<Renewal>,
) -> Result<Decision, Refusal> {
    let mut forward = visit.forward();
    if let Part::Speaks(rule) = part {
        forward.given = Some(Rc::clone(&open.given));
        signed_identity::tell(visit, rule, open.identity.as_ref(), &mut forward)?;
    }
    forward.renewal = renewal;
    forward.caller = CallerTokens::of_session(visit, &open.session);
    Ok(Decision::Forward(forward))
}

/// Whether the rule's policy lets a session through. Who is logged in and may not gets no new login:
/// it would change nothing.
async fn authorize(
    visit: &Visit<'_>,
    part: Part,
    open: &Rc<OpenSession>,
    due: bool,
) -> Result<Decision, Refusal> {
    let rule = part.rule();
    let renewal = renewal(visit, open, due);
    let denied = match authorization::verdict(visit, rule, open) {
        Verdict::Allowed => return admit(visit, part, open, renewal),
        Verdict::Denied(denied) => denied,
    };
    let set_cookies = renewal.map(|renewal| renewal.set_cookies(visit.gateway));
    let set_cookies = set_cookies.unwrap_or_default();
    if authorization::is_outdated(visit, &open.session) {
        let demand = visit.gateway.config.authentication(rule);
        return Box::pin(log_in(visit, demand, set_cookies)).await;
    }
    Err(Refusal {
        set_cookies,
        caller: Some(Box::new(KnownCaller {
            who: audit::session(&visit.gateway.config, &open.session),
            refused: Some(Refused { denied, rule }),
            demand: None,
        })),
        ..Error::Denied(Denial::Forbidden).into()
    })
}

/// `due`: the browser's cookie is to be issued anew.
fn renewal(visit: &Visit<'_>, open: &Rc<OpenSession>, due: bool) -> Option<Renewal> {
    if open.is_stored() {
        if due {
            visit.gateway.add_job(ProlongJob::of(visit, &open.session));
        }
        return due.then(|| Renewal::new(visit, open, due));
    }
    let refreshing = open
        .session
        .grant
        .as_ref()
        .is_some_and(|grant| visit.host().now() >= grant.due_at);
    (due || refreshing).then(|| Renewal::new(visit, open, due))
}
