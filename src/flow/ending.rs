//! The end of a session by its own browser.
//!
//! It is noted in this Envoy before anything is awaited. The store and the provider are told by a job
//! of the root context, so that a browser which goes away, or asks twice, stops nothing. The job also
//! writes the audit line: only what the store says tells whose session it was, and whether there was one.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::job::{self, Job};
use super::relying_party::RelyingParty;
use super::serve::Visit;
use super::session_store::SessionStore;
use super::{Exchange, Gateway, audit, caller, ended, refresh};
use crate::error::{CallFault, Error};
use crate::oidc::RevocationRequest;
use crate::session::{
    CacheKey, Credential, Life, Mark, Session, SessionCookie, StoredSession, Watermark,
};
use crate::telemetry::{Level, Metric};

/// Between two attempts to tell the store, and how many there are.
const PAUSE: Duration = Duration::from_secs(1);
const ATTEMPTS: u32 = 60;

/// Why a session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The person has logged out here: the tokens are given back to the provider.
    Logout,
    /// The provider has had the browser log out here.
    FrontChannel,
    /// The provider did not renew it, and said so with this code.
    NotRenewed(Cow<'static, str>),
}

/// Ends the session of this browser's cookie, and waits for a while until the store and the provider
/// have been told. Says whether there was one.
pub async fn end(visit: &Visit<'_>, occasion: Occasion) -> bool {
    let cookie = StoredSession(visit.cookies());
    let Some(sealed) = cookie.sealed() else {
        return false;
    };
    visit
        .gateway
        .sessions
        .borrow_mut()
        .remove(CacheKey::Cookie(&sealed));
    let Some(kept) = cookie.open(&sealed).map(SessionCookie::into_owned) else {
        return false;
    };
    let now = visit.host().now();
    let idle_timeout = visit.gateway.config.session.idle_timeout;
    let (is_over, family, ends_at) = match &kept {
        SessionCookie::Whole(session) => (
            session.life(now, idle_timeout) == Life::Over || visit.gateway.has_marked(session),
            session.family,
            session.ends_at,
        ),
        SessionCookie::Reference(reference) => {
            let family = reference.family;
            let is_over = reference.life(now, idle_timeout) == Life::Over
                || visit.gateway.has_marked_family(&family);
            (is_over, family, reference.ends_at)
        }
    };
    if is_over {
        return false;
    }
    ended::by_browser(visit, &family, ends_at);
    let told = Told::default();
    visit.gateway.add_job(Job::End(EndJob {
        kept,
        authority: visit.authority.as_str().to_owned(),
        occasion,
        request_id: caller::request_id(visit.request).to_owned(),
        told: told.clone(),
    }));
    let deadline = now.after(refresh::patience(visit.gateway));
    while visit.host().now() < deadline {
        if let Some(there_was_one) = told.0.get() {
            return there_was_one;
        }
        visit.exchange.wait().await;
    }
    true
}

/// Whether there was a session, once that is known and everybody has been told.
#[derive(Clone, Default)]
struct Told(Rc<Cell<Option<bool>>>);

/// What is left to do of an end.
pub struct EndJob {
    kept: SessionCookie<'static>,
    authority: String,
    occasion: Occasion,
    request_id: String,
    told: Told,
}

impl EndJob {
    /// Writes the audit line, with whose session it was as far as that is known. Says whether there was one.
    fn tell(&self, gateway: &Gateway, session: &Option<Option<Session>>) -> bool {
        let config = &gateway.config;
        let who = match (session, &self.kept) {
            (Some(None), _) => return false,
            (Some(Some(session)), _) => audit::session(config, session),
            (None, SessionCookie::Whole(session)) => audit::session(config, session),
            (None, SessionCookie::Reference(reference)) => audit::reference(config, reference),
        };
        let host = gateway.host.as_ref();
        let request_id = &self.request_id;
        match &self.occasion {
            Occasion::Logout => ended::tell(host, "browser", request_id, &who),
            Occasion::FrontChannel => ended::tell(host, "front", request_id, &who),
            Occasion::NotRenewed(code) => {
                let line =
                    format!("audit event=session_end code={code} request_id={request_id}{who}");
                host.log(Level::Info, &line);
            }
        }
        true
    }
}

impl PartialEq for EndJob {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.told.0, &other.told.0)
    }
}

impl Eq for EndJob {}

/// Tells the store, until it listens, and then the provider.
pub async fn carry_out(gateway: &Gateway, exchange: &Exchange, job: &EndJob) {
    let host = gateway.host.as_ref();
    let mut session = None;
    let mut there_was_one = true;
    for attempt in 0..ATTEMPTS {
        let outcome = tell_store(gateway, exchange, job, &mut session).await;
        if attempt == 0 {
            there_was_one = job.tell(gateway, &session);
        }
        match outcome {
            Ok(()) => {
                if let (Some(Some(session)), Occasion::Logout) = (&session, &job.occasion) {
                    revoke_tokens(&RelyingParty { gateway, exchange }, session).await;
                }
                job.told.0.set(Some(there_was_one));
                return;
            }
            Err(error) if attempt == 0 => {
                let code = error.report().code;
                host.count(&Metric::LogoutIncomplete);
                host.log(Level::Warn, &format!("session_not_deleted code={code}"));
                job.told.0.set(Some(there_was_one));
            }
            Err(_) => {}
        }
        job::pause(host, exchange, PAUSE).await;
    }
}

/// Takes the session out of the store, and notes there that it has ended. `session` is what it was, once
/// that is known: nothing where somebody had ended it before.
async fn tell_store(
    gateway: &Gateway,
    exchange: &Exchange,
    job: &EndJob,
    session: &mut Option<Option<Session>>,
) -> Result<(), Error> {
    let store = SessionStore::of(gateway, exchange, &job.authority);
    let watermark = |expires_at| Watermark {
        issued_before: gateway.host.now(),
        expires_at,
    };
    match (&job.kept, store) {
        (SessionCookie::Whole(whole), store) => {
            *session = Some(Some(Session::clone(whole)));
            if let Some(store) = store {
                let mark = Mark::Family(&whole.family);
                store.end(mark, watermark(whole.ends_at)).await?;
            }
            Ok(())
        }
        (SessionCookie::Reference(reference), Some(store)) => {
            if session.is_none() {
                *session = Some(store.read(&reference.id, None).await?);
            }
            let mark = Mark::Family(&reference.family);
            let noted = store.end(mark, watermark(reference.ends_at)).await;
            store.delete(&reference.id).await?;
            noted
        }
        (SessionCookie::Reference(_), None) => {
            *session = Some(None);
            Ok(())
        }
    }
}

/// Gives the session's tokens back to the provider, where it takes them (RFC 7009): the refresh token
/// first, because with it most providers end everything that came of the login. Whatever becomes of
/// that, the logout goes on.
async fn revoke_tokens(provider: &RelyingParty<'_>, session: &Session) {
    let (Ok(client), Ok(keys)) = (provider.gateway.client(), provider.keys()) else {
        return;
    };
    // A provider that is down does not keep anybody logged in here.
    let data = provider.known_provider();
    let session = refresh::latest(provider.gateway, session);
    let credential = session.grant.as_ref().map(|grant| &grant.credential);
    let refresh_token = match credential {
        Some(Credential::RefreshToken { token, .. }) => Some(token),
        Some(Credential::AccessToken { .. }) | None => None,
    };
    let requests = [
        refresh_token.map(|token| RevocationRequest::RefreshToken(token)),
        session
            .access_token
            .as_ref()
            .map(|token| RevocationRequest::AccessToken(token)),
    ];
    for request in requests.into_iter().flatten() {
        let outcome = match &data {
            Some(data) => match &data.metadata.revocation_endpoint {
                Some(endpoint) => provider
                    .revoke(
                        &request,
                        endpoint,
                        &keys.authenticator(client, &data.metadata),
                    )
                    .await
                    .map_err(CallFault::name),
                None => Ok(()),
            },
            None => Err("metadata_unknown"),
        };
        if let Err(cause) = outcome {
            let token = request.hint();
            provider.gateway.host.log(
                Level::Warn,
                &format!("revocation_failed token={token} cause={cause}"),
            );
        }
    }
}
