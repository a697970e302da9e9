//! A request to a protected path: with a session it goes on, without one it does not.

use std::rc::Rc;

use super::authorization::Refused;
use super::login::{self, Wish};
use super::refresh::{self, Freshness};
use super::serve::{Refusal, Visit};
use super::{Decision, Renewal, authorization, caller, posted, silent, step_up};
use crate::answer::Response;
use crate::authz::Verdict;
use crate::config::{AuthenticationDemand, CorsPreflight};
use crate::error::{Denial, Error};
use crate::session::{Life, OpenSession, RetryMark, StoredSession};

/// Lets a session through that meets the rule's demand and its policy, sends a person to log in,
/// refuses everybody else. Who is logged in and may not gets no new login: it would change nothing.
pub async fn enter(visit: &Visit<'_>, rule: Option<usize>) -> Result<Decision, Refusal> {
    let demand = visit.gateway.config.authentication(rule);
    match find(visit).await? {
        // No refresh makes an authentication newer, so none is waited for.
        Some((open, _)) if !step_up::is_met(visit, demand, &open.session) => {
            step_up::ask(visit, demand).await
        }
        Some((open, life)) => match refresh::freshen(visit, open).await? {
            Freshness::Current { open, .. } if silent::is_due(visit, &open.session) => {
                silent::start(visit, demand, &open.session).await
            }
            Freshness::Current { open, moved } => {
                let renewal = renewal(visit, &open, moved || life == Life::Renew);
                match authorization::verdict(visit, rule, &open) {
                    Verdict::Allowed => Ok(admit(visit, &open, renewal)),
                    Verdict::Denied(denied) => {
                        let set_cookies = renewal.map(|renewal| renewal.set_cookies(visit.gateway));
                        let set_cookies = set_cookies.unwrap_or_default();
                        if authorization::is_outdated(visit, &open.session) {
                            return log_in(visit, demand, set_cookies).await;
                        }
                        Err(Refusal {
                            set_cookies,
                            refused: Some(Refused { denied, rule }),
                            ..Error::Denied(Denial::Forbidden).into()
                        })
                    }
                }
            }
            Freshness::Ended => leave_ended(visit, demand).await,
        },
        None if passes_as_preflight(visit) => Ok(Decision::Forward(visit.forward())),
        None => log_in(visit, demand, StoredSession(visit.cookies()).delete()).await,
    }
}

async fn log_in(
    visit: &Visit<'_>,
    demand: &AuthenticationDemand,
    set_cookies: Vec<String>,
) -> Result<Decision, Refusal> {
    if caller::can_log_in(visit.request, visit.audience) {
        return start_login(visit, demand, None, set_cookies).await;
    }
    if let Some(form) = posted::form(visit).await? {
        return start_login(visit, demand, Some(&form), set_cookies).await;
    }
    Err(Refusal {
        set_cookies,
        again: Some("/".to_owned()),
        ..Error::Denied(Denial::LoginRequired).into()
    })
}

async fn start_login(
    visit: &Visit<'_>,
    demand: &AuthenticationDemand,
    form: Option<&[u8]>,
    set_cookies: Vec<String>,
) -> Result<Decision, Refusal> {
    let wish = Wish {
        target: &login::target(visit.request),
        attempt: 0,
        form,
        demand,
        silent: None,
    };
    login::start(visit, wish, set_cookies).await
}

/// The provider has ended the session of this cookie. Another Envoy may have refreshed it first, and
/// then the browser may hold the new cookie by now: a navigation comes back once to show it. Until
/// then nothing is deleted.
async fn leave_ended(
    visit: &Visit<'_>,
    demand: &AuthenticationDemand,
) -> Result<Decision, Refusal> {
    if !caller::can_log_in(visit.request, visit.audience) {
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
    let stored = StoredSession(visit.cookies());
    let Some(sealed) = stored.sealed() else {
        return Ok(None);
    };
    let authority = visit.authority.as_str();
    let known = visit.gateway.sessions.borrow_mut().find(&sealed, authority);
    let open = match known {
        Some(open) => open,
        None => {
            let Some(session) = stored.open(&sealed) else {
                return Ok(None);
            };
            let open = Rc::new(visit.gateway.open(session));
            visit
                .gateway
                .sessions
                .borrow_mut()
                .insert(&sealed, authority, &open);
            open
        }
    };
    let idle_timeout = visit.gateway.config.session.idle_timeout;
    match open.session.life(visit.host().now(), idle_timeout) {
        Life::Over => {
            visit.gateway.sessions.borrow_mut().remove(&sealed);
            Ok(None)
        }
        life => Ok(Some((open, life))),
    }
}

fn admit(visit: &Visit<'_>, open: &OpenSession, renewal: Option<Renewal>) -> Decision {
    let mut forward = visit.forward();
    forward.set.extend(open.headers.iter().cloned());
    forward.renewal = renewal;
    Decision::Forward(forward)
}

/// `due`: the browser's cookie is to be issued anew.
fn renewal(visit: &Visit<'_>, open: &Rc<OpenSession>, due: bool) -> Option<Renewal> {
    let refreshing = open
        .session
        .grant
        .as_ref()
        .is_some_and(|grant| visit.host().now() >= grant.due_at);
    (due || refreshing).then(|| Renewal::new(visit, open, due))
}

fn passes_as_preflight(visit: &Visit<'_>) -> bool {
    visit.gateway.config.cors_preflight == CorsPreflight::Pass
        && caller::is_preflight(visit.request)
}
