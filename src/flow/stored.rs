//! Sessions that the cookie only names: where they begin, are found, go on and end.

use std::rc::Rc;

use super::job::Job;
use super::serve::Visit;
use super::session_store::SessionStore;
use super::{Exchange, Gateway, caller};
use crate::config::WhenUnavailable;
use crate::error::Error;
use crate::session::{CacheKey, Life, OpenSession, Reference, Session, StoredSession};
use crate::telemetry::{Level, Metric};

/// Keeps the session of a new login, and says how the browser names it: `Set-Cookie` values.
pub async fn begin(visit: &Visit<'_>, session: &Session) -> Result<Vec<String>, Error> {
    let cookie = StoredSession(visit.cookies());
    let Some(store) = visit.store() else {
        return cookie.store(session);
    };
    match store.create(session).await {
        Ok(()) => cookie.refer(Reference::to(session, visit.host().now())),
        Err(error @ Error::SessionStore(_)) if uses_cookies(&store) => {
            visit.host().count(&Metric::SessionStoreBypassed);
            visit.host().log(
                Level::Warn,
                &format!(
                    "session_kept_in_cookie code={} request_id={}",
                    error.report().code,
                    caller::request_id(visit.request)
                ),
            );
            cookie.store(session)
        }
        Err(error) => Err(error),
    }
}

/// Keeps a session of this browser that has changed: `Set-Cookie` values, or nothing where the store
/// cannot keep it now.
pub async fn keep(
    visit: &Visit<'_>,
    open: &OpenSession,
    changed: &Session,
) -> Result<Option<Vec<String>>, Error> {
    let Some(store) = visit.store().filter(|_| open.is_stored()) else {
        return StoredSession(visit.cookies()).store(changed).map(Some);
    };
    match store.replace(changed).await {
        Ok(true) => {
            let now = visit.host().now();
            let open = visit.gateway.open(changed.clone(), Some(now));
            remember(visit, &Rc::new(open));
            Ok(Some(Vec::new()))
        }
        Ok(false) | Err(Error::SessionStore(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The session that a cookie names, unless somebody has ended it.
pub async fn find(
    visit: &Visit<'_>,
    reference: &Reference,
) -> Result<Option<(Rc<OpenSession>, Life)>, Error> {
    let found = look_up(visit, reference).await?;
    let alive = found.filter(|(open, _)| !visit.gateway.has_ended(open));
    if alive.is_none() {
        let mut sessions = visit.gateway.sessions.borrow_mut();
        sessions.remove(CacheKey::Reference(&reference.id));
    }
    Ok(alive)
}

/// The session that a cookie names, from memory or from the store. A worker reads it once for all
/// cookies that name it, and knows it by its id, so a cookie that was issued anew costs no call.
async fn look_up(
    visit: &Visit<'_>,
    reference: &Reference,
) -> Result<Option<(Rc<OpenSession>, Life)>, Error> {
    let Some(store) = visit.store() else {
        return Ok(None);
    };
    let idle_timeout = visit.gateway.config.session.idle_timeout;
    let now = visit.host().now();
    let life = reference.life(now, idle_timeout);
    if life == Life::Over {
        return Ok(None);
    }
    let authority = visit.authority.as_str();
    let known = visit
        .gateway
        .sessions
        .borrow_mut()
        .find(CacheKey::Reference(&reference.id), authority);
    // A clock that was set back tells nothing of when it was read.
    let read_at = known.as_ref().and_then(|open| open.read_at);
    let age = read_at
        .filter(|read_at| *read_at <= now)
        .map(|read_at| now.since(read_at));
    if let Some(open) = &known
        && age.is_some_and(|age| age < store.policy.reread_interval)
    {
        return Ok(Some((Rc::clone(open), life)));
    }
    let before = known.as_ref().map(|open| &open.session);
    match store.read(&reference.id, before).await {
        Ok(Some(session)) => {
            let open = visit.gateway.open(session, Some(visit.host().now()));
            let open = Rc::new(open);
            remember(visit, &open);
            Ok(Some((open, life)))
        }
        Ok(None) => Ok(None),
        Err(error) => match known {
            Some(open) if uses_cookies(&store) && age.is_some_and(|age| age < idle_timeout) => {
                Ok(Some((open, life)))
            }
            _ => Err(error),
        },
    }
}

/// Whether the store knows that somebody has ended a session that the cookie holds: one from before
/// there was a store, or from when it could not be asked.
pub async fn is_over(visit: &Visit<'_>, open: &OpenSession) -> Result<bool, Error> {
    let Some(store) = visit.store() else {
        return Ok(false);
    };
    let now = visit.host().now();
    let interval = store.policy.reread_interval;
    let asked_at = open.alive_in_store_at.get();
    if asked_at.is_some_and(|asked_at| asked_at <= now && now.since(asked_at) < interval) {
        return Ok(false);
    }
    match store.has_ended(&open.session).await {
        Ok(has_ended) => {
            open.alive_in_store_at.set(Some(now));
            Ok(has_ended)
        }
        Err(Error::SessionStore(_)) if uses_cookies(&store) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Keeps a stored session in this worker's memory.
pub fn remember(visit: &Visit<'_>, open: &Rc<OpenSession>) {
    let mut sessions = visit.gateway.sessions.borrow_mut();
    let key = CacheKey::Reference(&open.session.id);
    sessions.insert(key, visit.authority.as_str(), open);
}

/// Whether a request goes on as if it had no session, because of this error.
pub fn is_bypassed(visit: &Visit<'_>, error: &Error) -> bool {
    matches!(error, Error::SessionStore(_))
        && visit.store().is_some_and(|store| uses_cookies(&store))
}

fn uses_cookies(store: &SessionStore<'_>) -> bool {
    store.policy.when_unavailable == WhenUnavailable::UseCookies
}

/// A session in use, whose idle timeout is to start anew in the store.
#[derive(PartialEq, Eq)]
pub struct ProlongJob {
    reference: Reference,
    authority: String,
}

impl ProlongJob {
    /// For the session of this request.
    pub(super) fn of(visit: &Visit<'_>, session: &Session) -> Job {
        Job::Prolong(Self {
            reference: Reference::to(session, visit.host().now()),
            authority: visit.authority.as_str().to_owned(),
        })
    }
}

/// Carries it out. Where that fails, the next request that finds it due tries again.
pub async fn prolong(gateway: &Gateway, exchange: &Exchange, job: &ProlongJob) {
    let Some(store) = SessionStore::of(gateway, exchange, &job.authority) else {
        return;
    };
    if let Err(error) = store.prolong(&job.reference).await {
        let code = error.report().code;
        let line = format!("session_not_prolonged code={code}");
        gateway.host.log(Level::Warn, &line);
    }
}
