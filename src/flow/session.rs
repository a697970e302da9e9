//! A request to a protected path: with a session it goes on, without one it does not.

use std::rc::Rc;

use super::serve::{Refusal, Visit};
use super::{Decision, caller, login};
use crate::config::CorsPreflight;
use crate::error::{Denial, Error};
use crate::session::{Life, OpenSession, Session, StoredSession};
use crate::upstream;

/// Lets a session through, sends a person to log in, refuses everybody else.
pub async fn enter(visit: &Visit<'_>) -> Result<Decision, Refusal> {
    match find(visit) {
        Some((open, life)) => admit(visit, &open, life),
        None if passes_as_preflight(visit) => Ok(Decision::Forward(visit.forward())),
        None => {
            let stale = StoredSession(visit.cookies()).delete();
            if caller::can_log_in(visit.request, visit.audience) {
                return login::start(visit, &login::target(visit.request), 0, stale).await;
            }
            Err(Refusal {
                set_cookies: stale,
                again: Some("/".to_owned()),
                ..Error::Denied(Denial::LoginRequired).into()
            })
        }
    }
}

/// The request's session, if it has one that is alive.
pub fn find(visit: &Visit<'_>) -> Option<(Rc<OpenSession>, Life)> {
    let stored = StoredSession(visit.cookies());
    let sealed = stored.sealed()?;
    let authority = visit.authority.as_str();
    let known = visit.gateway.sessions.borrow_mut().find(&sealed, authority);
    let open = match known {
        Some(open) => open,
        None => {
            let session = stored.open(&sealed)?;
            let headers = upstream::headers(&visit.gateway.config.upstream, &session);
            let open = Rc::new(OpenSession { session, headers });
            visit
                .gateway
                .sessions
                .borrow_mut()
                .insert(&sealed, authority, &open);
            open
        }
    };
    match open.session.life(
        visit.host().now(),
        visit.gateway.config.session.idle_timeout,
    ) {
        Life::Over => {
            visit.gateway.sessions.borrow_mut().remove(&sealed);
            None
        }
        life => Some((open, life)),
    }
}

fn admit(visit: &Visit<'_>, open: &OpenSession, life: Life) -> Result<Decision, Refusal> {
    let mut forward = visit.forward();
    forward.set.extend(open.headers.iter().cloned());
    if life == Life::Renew {
        let renewed = Session {
            seen_at: visit.host().now(),
            ..open.session.clone()
        };
        forward.set_cookies = StoredSession(visit.cookies()).store(&renewed)?;
    }
    Ok(Decision::Forward(forward))
}

fn passes_as_preflight(visit: &Visit<'_>) -> bool {
    visit.gateway.config.cors_preflight == CorsPreflight::Pass
        && caller::is_preflight(visit.request)
}
