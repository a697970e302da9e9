//! Refreshing a session, or reading its claims again: once, whoever asks, however often, on whatever
//! worker.
//!
//! A request that finds a refresh due takes the lease on it and waits for the result, or finds that
//! somebody has taken it: then it goes on at once as long as the access token lasts, and waits after
//! that. The refresh itself belongs to no request: the root context carries it out, so a client that
//! goes away does not stop it.

use std::rc::Rc;
use std::time::Duration;

use super::serve::Visit;
use super::session_store::SessionStore;
use super::{Exchange, Gateway, Job, audit, stored, stored_refresh, successor};
use crate::error::{CallFault, Error};
use crate::session::{
    Beginning, Grant, OpenSession, Progress, RefreshFault, RefreshProgress, SUCCESSOR_LIFETIME,
    Session,
};
use crate::telemetry::{Level, Metric, Purpose};
use crate::time::Timestamp;

/// After a provider that could not be asked, nobody asks for a tenth of the time that the session is
/// good without it, within these limits.
const PAUSES_AFTER_FAILURE: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(30)];

/// The longest chain of successors that a request follows: no browser is that far behind.
const MAX_SUCCESSORS: usize = 8;

/// What a session is when its refresh has been looked at.
pub enum Freshness {
    /// It goes on; `moved` when it is another generation than the one that was found.
    Current { open: Rc<OpenSession>, moved: bool },
    /// It has been ended: by the provider's answer, or by a logout.
    Ended,
}

/// A refresh to carry out; whoever holds it holds this process's lease.
#[derive(PartialEq, Eq)]
pub struct RefreshJob {
    session: Session,
    /// The host whose session it is, if the session is in the store.
    stored_for: Option<String>,
}

/// Brings a session up to date, as far as that is due.
pub async fn freshen(visit: &Visit<'_>, open: Rc<OpenSession>) -> Result<Freshness, Error> {
    let mut open = open;
    let mut moved = false;
    let deadline = visit.host().now().after(patience(visit.gateway));
    for _ in 0..MAX_SUCCESSORS {
        match settle(visit, &open, deadline).await? {
            Settled::Here => return Ok(Freshness::Current { open, moved }),
            Settled::Ended => return Ok(Freshness::Ended),
            Settled::Moved(next) => {
                open = Rc::new(visit.gateway.open(*next, open.read_at));
                if open.is_stored() {
                    stored::remember(visit, &open);
                }
                moved = true;
                // The provider may have given it another name, and ended it by that.
                if visit.gateway.has_ended(&open) {
                    return Ok(Freshness::Ended);
                }
            }
        }
    }
    Err(Error::Provider(Purpose::Token, CallFault::Timeout))
}

/// The session as the latest refresh left it, as far as this process knows.
pub fn latest(gateway: &Gateway, session: &Session) -> Session {
    let progress = gateway.refresh_progress();
    let mut session = session.clone();
    for _ in 0..MAX_SUCCESSORS {
        match progress.of(&session) {
            Some(Progress::Done(next)) => session = *next,
            _ => break,
        }
    }
    session
}

enum Settled {
    Here,
    Moved(Box<Session>),
    Ended,
}

async fn settle(
    visit: &Visit<'_>,
    open: &OpenSession,
    deadline: Timestamp,
) -> Result<Settled, Error> {
    let session = &open.session;
    let Some(grant) = &session.grant else {
        return Ok(Settled::Here);
    };
    // Whoever takes the lease waits for the result, so that its answer brings the browser the new
    // cookie; a browser that learns of it later than a minute could not use its own any more.
    let mut is_mine = false;
    let mut is_counted = false;
    loop {
        let now = visit.host().now();
        if now < grant.due_at {
            return Ok(Settled::Here);
        }
        let progress = visit.gateway.refresh_progress();
        let mut failure = None;
        match progress.begin(session, now.after(lease(visit.gateway))) {
            Beginning::Theirs(Progress::Done(next)) => return Ok(Settled::Moved(next)),
            Beginning::Theirs(Progress::Ended) => return Ok(Settled::Ended),
            Beginning::Theirs(Progress::Failed(fault)) => failure = Some(fault),
            Beginning::Theirs(Progress::Refreshing) => {}
            Beginning::Mine => {
                is_mine = true;
                let host = open.is_stored().then(|| visit.authority.as_str());
                visit.gateway.add_job(Job::Refresh(Box::new(RefreshJob {
                    session: session.clone(),
                    stored_for: host.map(str::to_owned),
                })));
            }
            Beginning::NoSlot if is_counted => {}
            Beginning::NoSlot => {
                is_counted = true;
                visit.host().count(&Metric::RefreshWithoutSlot);
            }
        }
        let gives_up = failure.is_some() || now >= deadline;
        if now < grant.expires_at && (!is_mine || gives_up) {
            return Ok(Settled::Here);
        }
        if gives_up {
            let fault = failure.unwrap_or(RefreshFault::Provider(CallFault::Timeout));
            return Err(error_of(fault));
        }
        visit.exchange.wait().await;
        // No refresh brings back what a logout has ended in the meantime.
        if visit.gateway.has_ended(open) {
            return Ok(Settled::Ended);
        }
    }
}

/// The wait for the provider, the token call, the userinfo call and one fetch of metadata and keys,
/// each within its time limit, and room for slow wheels; with a store, the calls to it as well.
pub fn lease(gateway: &Gateway) -> Duration {
    gateway
        .config
        .provider
        .timeout
        .saturating_mul(6)
        .saturating_add(store_timeout(gateway).saturating_mul(6))
}

/// How long a request waits for others to ask the provider and the store, twice each.
pub fn patience(gateway: &Gateway) -> Duration {
    let limit = gateway.config.provider.timeout;
    limit
        .saturating_add(store_timeout(gateway))
        .saturating_mul(2)
}

fn store_timeout(gateway: &Gateway) -> Duration {
    let store = gateway.config.session.store.as_ref();
    store.map_or(Duration::ZERO, |store| store.timeout)
}

/// Carries out a refresh.
pub async fn refresh_session(gateway: &Gateway, exchange: &Exchange, job: &RefreshJob) {
    let Some(grant) = &job.session.grant else {
        return;
    };
    let store = job
        .stored_for
        .as_ref()
        .and_then(|authority| SessionStore::of(gateway, exchange, authority));
    let Some(store) = store else {
        let next = successor::of(gateway, exchange, &job.session, grant).await;
        return tell(gateway, job, grant, next.map(Some));
    };
    let outcome = stored_refresh::refresh(store, &job.session, grant).await;
    tell(gateway, job, grant, outcome.session);
    if let Some(unwritten) = outcome.unwritten {
        unwritten.write(store).await;
    }
}

/// Leaves the result of a refresh for everybody who asks for it.
fn tell(
    gateway: &Gateway,
    job: &RefreshJob,
    grant: &Grant,
    result: Result<Option<Session>, Error>,
) {
    let host = gateway.host.as_ref();
    let now = host.now();
    // As long as the access token lasts, nobody may take an ended session for alive.
    let end_is_known_until = now.after(SUCCESSOR_LIFETIME).max(grant.expires_at);
    let (progress, until) = match result {
        Ok(Some(next)) => (
            Progress::Done(Box::new(next)),
            now.after(SUCCESSOR_LIFETIME),
        ),
        Ok(None) => (Progress::Ended, end_is_known_until),
        Err(error) => {
            let code = error.report().code;
            host.count(&Metric::Failure(code.clone()));
            if successor::ends_session(&error) {
                let who = audit::session(&gateway.config, &job.session);
                let line = format!("audit event=session_end code={code}{who}");
                host.log(Level::Warn, &line);
                (Progress::Ended, end_is_known_until)
            } else {
                host.count(&Metric::RefreshFailed);
                host.log(Level::Warn, &format!("refresh_failed code={code}"));
                (
                    Progress::Failed(fault_of(&error)),
                    now.after(pause_after_failure(grant.expires_at.since(now))),
                )
            }
        }
    };
    gateway
        .refresh_progress()
        .end(&job.session, &progress, until);
}

fn pause_after_failure(still_good: Duration) -> Duration {
    let [shortest, longest] = PAUSES_AFTER_FAILURE;
    still_good.mul_f64(0.1).clamp(shortest, longest)
}

/// What requests that waited for a refresh are told.
const fn fault_of(error: &Error) -> RefreshFault {
    match error {
        Error::Provider(Purpose::Token, fault) => RefreshFault::Provider(*fault),
        Error::SessionStore(fault) => RefreshFault::SessionStore(*fault),
        _ => RefreshFault::Provider(CallFault::Unreachable),
    }
}

/// What they answer then.
const fn error_of(fault: RefreshFault) -> Error {
    match fault {
        RefreshFault::Provider(fault) => Error::Provider(Purpose::Token, fault),
        RefreshFault::SessionStore(fault) => Error::SessionStore(fault),
    }
}

impl Gateway {
    pub(super) fn refresh_progress(&self) -> RefreshProgress<'_> {
        RefreshProgress(self.memory())
    }
}
