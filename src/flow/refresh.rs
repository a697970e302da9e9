//! Refreshing a session, or reading its claims again: once, whoever asks, however often, on whatever
//! worker.
//!
//! A request that finds a refresh due takes the lease on it and waits for the result, or finds that
//! somebody has taken it: then it goes on at once as long as the access token lasts, and waits after
//! that. The refresh itself belongs to no request: the root context carries it out, so a client that
//! goes away does not stop it.

use std::rc::Rc;
use std::time::Duration;

use super::relying_party::RelyingParty;
use super::serve::Visit;
use super::{Exchange, Gateway, identity};
use crate::error::{CallFault, Error, InternalFault};
use crate::oidc::{Expectations, TokenRequest};
use crate::session::{
    Credential, Grant, OpenSession, Progress, RefreshProgress, SUCCESSOR_LIFETIME, Session,
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
    /// It goes on; `moved` when it is another generation than the cookie's.
    Current { open: Rc<OpenSession>, moved: bool },
    /// The provider has ended it.
    Ended,
}

/// A refresh to carry out; whoever holds it holds the lease.
pub struct RefreshJob {
    session: Session,
}

/// Brings a session up to date, as far as that is due.
pub async fn freshen(visit: &Visit<'_>, open: Rc<OpenSession>) -> Result<Freshness, Error> {
    let mut open = open;
    let mut moved = false;
    let provider_timeout = visit.gateway.config.provider.timeout;
    let deadline = visit.host().now().after(provider_timeout.saturating_mul(2));
    for _ in 0..MAX_SUCCESSORS {
        match settle(visit, &open, deadline).await? {
            Settled::Here => return Ok(Freshness::Current { open, moved }),
            Settled::Ended => return Ok(Freshness::Ended),
            Settled::Moved(next) => {
                open = Rc::new(visit.gateway.open(*next));
                moved = true;
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
        match progress.of(session) {
            Some(Progress::Done(next)) => return Ok(Settled::Moved(next)),
            Some(Progress::Ended) => return Ok(Settled::Ended),
            Some(Progress::Failed(fault)) => failure = Some(fault),
            Some(Progress::Refreshing) => {}
            None if progress.begin(session, now.after(lease(visit.gateway))) => {
                is_mine = true;
                visit.gateway.add_job(RefreshJob {
                    session: session.clone(),
                });
            }
            None if !is_counted && progress.of(session).is_none() => {
                is_counted = true;
                visit.host().count(&Metric::RefreshWithoutSlot);
            }
            None => {}
        }
        let gives_up = failure.is_some() || now >= deadline;
        if now < grant.expires_at && (!is_mine || gives_up) {
            return Ok(Settled::Here);
        }
        if gives_up {
            let fault = failure.unwrap_or(CallFault::Timeout);
            return Err(Error::Provider(Purpose::Token, fault));
        }
        visit.exchange.wait().await;
    }
}

/// The wait for the provider, the token call, the userinfo call and one fetch of metadata and keys,
/// each within its time limit, and room for slow wheels.
fn lease(gateway: &Gateway) -> Duration {
    gateway.config.provider.timeout.saturating_mul(6)
}

/// Carries out a refresh and leaves the result for everybody who asks for it.
pub async fn refresh_session(gateway: Rc<Gateway>, exchange: Exchange, job: RefreshJob) {
    let host = gateway.host.as_ref();
    let Some(grant) = &job.session.grant else {
        return;
    };
    let result = match &grant.credential {
        Credential::RefreshToken { token, nonce } => {
            let old = (token.as_str(), nonce.as_str());
            refresh(&gateway, &exchange, &job.session, grant, old).await
        }
        Credential::AccessToken { from_userinfo } => {
            reread(&gateway, &exchange, &job.session, grant, from_userinfo).await
        }
    };
    let now = host.now();
    let (progress, until) = match result {
        Ok(next) => {
            host.count(&Metric::RefreshSucceeded);
            (
                Progress::Done(Box::new(next)),
                now.after(SUCCESSOR_LIFETIME),
            )
        }
        Err(error) => {
            let code = error.report().code;
            host.count(&Metric::Failure(code.clone()));
            let ended = ends_session(&error);
            host.log(
                Level::Warn,
                &format!("refresh_failed code={code} session_ended={ended}"),
            );
            match ended {
                // As long as the access token lasts, nobody may take the session for alive.
                true => (
                    Progress::Ended,
                    now.after(SUCCESSOR_LIFETIME).max(grant.expires_at),
                ),
                false => (
                    Progress::Failed(fault_of(&error)),
                    now.after(pause_after_failure(grant.expires_at.since(now))),
                ),
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

/// A provider that says no ends the session, and so does one whose token proves something else; one
/// that cannot be asked does not.
const fn ends_session(error: &Error) -> bool {
    matches!(
        error,
        Error::Provider(Purpose::Token, CallFault::InvalidGrant)
            | Error::Provider(Purpose::Userinfo, CallFault::InvalidToken)
            | Error::UserinfoSubject
            | Error::IdToken(_)
    )
}

/// What requests that waited for a refresh answer.
const fn fault_of(error: &Error) -> CallFault {
    match error {
        Error::Provider(Purpose::Token, fault) => *fault,
        _ => CallFault::Unreachable,
    }
}

async fn refresh(
    gateway: &Gateway,
    exchange: &Exchange,
    session: &Session,
    grant: &Grant,
    (refresh_token, nonce): (&str, &str),
) -> Result<Session, Error> {
    let provider = RelyingParty { gateway, exchange };
    let data = provider.provider().await?;
    let request = TokenRequest::RefreshToken { refresh_token };
    let tokens = provider.tokens(&request, &data).await?;
    let id_token = match &tokens.id_token {
        Some(received) => {
            let expected = Expectations {
                access_token: Some(tokens.access_token.expose()),
                ..Expectations::default()
            };
            let id_token = provider.verify(received.expose(), &expected, &data).await?;
            identity::continues(session, nonce, &id_token)?;
            Some(id_token)
        }
        None => None,
    };
    let userinfo = match provider
        .userinfo(tokens.access_token.expose(), &session.subject, &data)
        .await
    {
        Ok(userinfo) => Some(userinfo),
        Err(error) if ends_session(&error) => return Err(error),
        // The tokens are new and must not be lost; the claims can wait.
        Err(_) => None,
    };
    identity::of_refresh(
        gateway,
        session,
        grant,
        &tokens,
        id_token.as_ref(),
        userinfo,
    )
}

/// Asks userinfo again, with the access token of the login.
async fn reread(
    gateway: &Gateway,
    exchange: &Exchange,
    session: &Session,
    grant: &Grant,
    from_userinfo: &[String],
) -> Result<Session, Error> {
    let provider = RelyingParty { gateway, exchange };
    let access_token = session
        .access_token
        .as_ref()
        .ok_or(Error::Internal(InternalFault::Bug))?;
    let data = provider.provider().await?;
    let userinfo = provider
        .userinfo(access_token, &session.subject, &data)
        .await?;
    identity::of_reading(gateway, session, grant, from_userinfo, userinfo.as_ref())
}

impl Gateway {
    pub(super) fn refresh_progress(&self) -> RefreshProgress<'_> {
        RefreshProgress(self.memory())
    }
}
