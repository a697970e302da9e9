//! Refreshing a session in the store: once, in whatever process.
//!
//! Inside a process the lease in shared data decides who is at it; between processes, one in the
//! store. Whoever has it looks at the session first, because somebody may have refreshed it in the
//! meantime; whoever has it not looks until the successor is there.

use std::time::Duration;

use super::Exchange;
use super::session_store::{SessionStore, Standing};
use super::{refresh, successor};
use crate::error::{CallFault, Error};
use crate::host::Host;
use crate::oidc::pkce;
use crate::session::{Grant, Session};
use crate::telemetry::{Level, Metric, Purpose};
use crate::time::Timestamp;

/// Between two looks at a session that somebody else refreshes.
const PAUSE: Duration = Duration::from_millis(100);

/// A lease that nobody has any more, without a successor of the session, is tried for as often as
/// this.
const ATTEMPTS: usize = 2;

/// How often the new session is written: its tokens are new and must not be lost.
const WRITES: usize = 2;

enum Claim {
    /// This flow refreshes, and has the lease until then.
    Held(Timestamp),
    /// Somebody has refreshed it.
    Moved(Box<Session>),
    /// It is not there any more.
    Gone,
}

/// The session after its refresh, by whoever does it; nothing where it has ended in the meantime.
pub async fn refresh(
    store: SessionStore<'_>,
    session: &Session,
    grant: &Grant,
) -> Result<Option<Session>, Error> {
    let held_until = match claim(&store, session).await? {
        Claim::Held(until) => until,
        Claim::Moved(next) => return Ok(Some(*next)),
        Claim::Gone => return Ok(None),
    };
    let outcome = match successor::of(store.gateway, store.exchange, session, grant).await {
        Ok(next) => keep(&store, next).await,
        Err(error) => {
            if successor::ends_session(&error) {
                delete(&store, session).await;
            }
            Err(error)
        }
    };
    release(&store, session, held_until).await;
    outcome
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
                    pause(host, store.exchange).await;
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

async fn pause(host: &dyn Host, exchange: &Exchange) {
    let end = host.now().after(PAUSE);
    while host.now() < end {
        exchange.wait().await;
    }
}

/// A store that does not take the new session does not end it: this process remembers it for a while.
async fn keep(store: &SessionStore<'_>, next: Session) -> Result<Option<Session>, Error> {
    let mut failure = None;
    for _ in 0..WRITES {
        match store.replace(&next).await {
            Ok(true) => return Ok(Some(next)),
            Ok(false) => return Ok(None),
            Err(error) => failure = Some(error),
        }
    }
    if let Some(error) = failure {
        let code = error.report().code;
        let host = store.gateway.host.as_ref();
        host.count(&Metric::Failure(code.clone()));
        let line = format!("refreshed_session_not_stored code={code}");
        host.log(Level::Error, &line);
    }
    Ok(Some(next))
}

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
    let arrival = store.gateway.host.now().after(store.policy.timeout);
    if arrival < held_until {
        // The call is counted and measured; nothing else depends on it.
        let _ = store.release(&session.id).await;
    }
}
