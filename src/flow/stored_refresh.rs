//! Refreshing a session in the store: once, in whatever process.
//!
//! Inside a process the lease in shared data decides who is at it; between processes, one in the
//! store. Whoever has it looks at the session first, because somebody may have refreshed it in the
//! meantime; whoever has it not looks until the successor is there.

use std::time::Duration;

use super::job::pause;
use super::session_store::{SessionStore, Standing};
use super::{refresh, successor};
use crate::error::{CallFault, Error};
use crate::oidc::pkce;
use crate::session::{Grant, Session};
use crate::telemetry::{Level, Metric, Purpose};
use crate::time::Timestamp;

/// Between two looks at a session that somebody else refreshes.
const PAUSE: Duration = Duration::from_millis(100);

/// A lease that nobody has any more, without a successor of the session, is tried for as often as
/// this.
const ATTEMPTS: usize = 2;

/// Between two attempts to write the new session.
const PAUSE_AFTER_WRITE: Duration = Duration::from_secs(1);

enum Claim {
    /// This flow refreshes, and has the lease until then.
    Held(Timestamp),
    /// Somebody has refreshed it.
    Moved(Box<Session>),
    /// It is not there any more.
    Gone,
}

/// What came of a refresh.
pub struct Outcome {
    /// The session after it, by whoever did it; nothing where it has ended in the meantime.
    pub session: Result<Option<Session>, Error>,
    /// What the store has still to be told.
    pub unwritten: Option<Unwritten>,
}

impl From<Result<Option<Session>, Error>> for Outcome {
    fn from(session: Result<Option<Session>, Error>) -> Self {
        Self {
            session,
            unwritten: None,
        }
    }
}

/// A new session that the store has not taken. Until it has, the lease stays here: whoever else took
/// it would find the session before, and redeem a used refresh token.
pub struct Unwritten {
    next: Session,
    held_until: Timestamp,
    cause: Error,
}

/// Refreshes a session, unless somebody else does or has done that.
pub async fn refresh(store: SessionStore<'_>, session: &Session, grant: &Grant) -> Outcome {
    let held_until = match claim(&store, session).await {
        Ok(Claim::Held(until)) => until,
        Ok(Claim::Moved(next)) => return Ok(Some(*next)).into(),
        Ok(Claim::Gone) => return Ok(None).into(),
        Err(error) => return Err(error).into(),
    };
    let outcome = match successor::of(store.gateway, store.exchange, session, grant).await {
        Ok(next) => match store.replace(&next).await {
            Ok(true) => Ok(Some(next)),
            Ok(false) => Ok(None),
            // That does not end it: this process remembers it for a while.
            Err(cause) => {
                let unwritten = Unwritten {
                    next: next.clone(),
                    held_until,
                    cause,
                };
                return Outcome {
                    session: Ok(Some(next)),
                    unwritten: Some(unwritten),
                };
            }
        },
        Err(error) => {
            if successor::ends_session(&error) {
                delete(&store, session).await;
            }
            Err(error)
        }
    };
    release(&store, session, held_until).await;
    outcome.into()
}

impl Unwritten {
    /// Tries until the store has taken the session, or until the lease ends. Without the lease
    /// nothing is written: it would replace what somebody else has made since.
    pub async fn write(mut self, store: SessionStore<'_>) {
        let host = store.gateway.host.as_ref();
        while arrives_before(&store, self.held_until) {
            match store.replace(&self.next).await {
                // A session that is not there any more has been ended, and stays so.
                Ok(_) => return release(&store, &self.next, self.held_until).await,
                Err(error) => self.cause = error,
            }
            pause(host, store.exchange, PAUSE_AFTER_WRITE).await;
        }
        let code = self.cause.report().code;
        host.count(&Metric::Failure(code.clone()));
        let line = format!("refreshed_session_not_stored code={code}");
        host.log(Level::Error, &line);
    }
}

async fn claim(store: &SessionStore<'_>, session: &Session) -> Result<Claim, Error> {
    let host = store.gateway.host.as_ref();
    let mark = pkce::opaque(host)?;
    let span = refresh::lease(store.gateway);
    let deadline = host.now().after(span);
    for _ in 0..ATTEMPTS {
        let until = host.now().after(span);
        store.lease(&session.id, &mark, span).await?;
        loop {
            let Standing {
                session: current,
                lease,
            } = store.standing(&session.id).await?;
            let is_mine = lease.as_ref() == Some(&mark);
            let is_newer = current
                .as_ref()
                .is_some_and(|current| current.generation() > session.generation());
            let claim = match current {
                None => Claim::Gone,
                Some(next) if is_newer => Claim::Moved(Box::new(next)),
                Some(_) if is_mine => return Ok(Claim::Held(until)),
                Some(_) if lease.is_none() => break,
                Some(_) => {
                    if host.now() >= deadline {
                        return Err(NOBODY_ANSWERED);
                    }
                    pause(host, store.exchange, PAUSE).await;
                    continue;
                }
            };
            if is_mine {
                release(store, session, until).await;
            }
            return Ok(claim);
        }
    }
    Err(NOBODY_ANSWERED)
}

/// Others have had the lease, and none of them has brought a successor.
const NOBODY_ANSWERED: Error = Error::Provider(Purpose::Token, CallFault::Timeout);

async fn delete(store: &SessionStore<'_>, session: &Session) {
    if let Err(error) = store.delete(&session.id).await {
        let code = error.report().code;
        let line = format!("ended_session_not_deleted code={code}");
        store.gateway.host.log(Level::Warn, &line);
    }
}

/// A lease that may have run out by the time the call arrives may be somebody else's by then, so it is
/// left alone. One that cannot be given back runs out.
async fn release(store: &SessionStore<'_>, session: &Session, held_until: Timestamp) {
    if arrives_before(store, held_until) {
        // The call is counted and measured; nothing else depends on it.
        let _ = store.release(&session.id).await;
    }
}

/// Whether a call that is sent now is carried out before `end`, if it is at all.
fn arrives_before(store: &SessionStore<'_>, end: Timestamp) -> bool {
    store.gateway.host.now().after(store.policy.timeout) < end
}
