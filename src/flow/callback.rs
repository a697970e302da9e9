//! The end of a login: the provider sends the browser back.

use std::rc::Rc;

use super::ending::{self, Occasion};
use super::kept_claims::Said;
use super::login::{self, Goal};
use super::serve::{Refusal, Visit};
use super::{
    Decision, audit, caller, identity, posted, redeemed, session, silent, step_up, stored,
};
use crate::answer::Response;
use crate::error::{CallFault, Error, InternalFault, RequestFault};
use crate::oidc::{AuthorizationResponse, Expectations, TokenRequest};
use crate::provider::ProviderData;
use crate::session::{
    IdTokenHint, LOGIN_LIFETIME, OpenSession, PendingLogin, PendingLogins, StoredSession,
};
use crate::telemetry::{Level, Metric, Purpose};

/// Judges the authorization response, redeems its code and gives the browser a session.
pub async fn finish(visit: &Visit<'_>) -> Result<Decision, Refusal> {
    if visit.request.method() != "GET" {
        return Err(Refusal::of_method("GET"));
    }
    let response = AuthorizationResponse::parse(visit.request.target())?;
    let logins = PendingLogins::new(visit.cookies());
    let Some(pending) = logins.find(&response.state) else {
        // A finished login, seen again: the person is where they wanted to be.
        return match session::known(visit).await.is_some() {
            true => Ok(go_to(visit, "/", Vec::new())),
            false => Err(Refusal {
                again: Some(address(visit, "/")),
                ..RequestFault::LoginUnknown.into()
            }),
        };
    };
    let data = match visit.relying_party().provider().await {
        Ok(data) => data,
        // The login is kept: it can be finished when the provider is there again.
        Err(error) => return fail(visit, error, &pending, Vec::new()).await,
    };
    let mut ended: Vec<String> = logins.remove(&response.state).into_iter().collect();
    let kept = login::posted_form(visit, &response.state);
    let form = kept.load();
    if form.is_some() {
        ended.extend(kept.delete());
    }
    match conclude(visit, &response, &pending, &data).await {
        Ok(Outcome::LoggedIn {
            subject,
            mut set_cookies,
        }) => {
            set_cookies.extend(ended);
            Ok(match pending.is_posted {
                true => posted::send(visit, form.as_ref(), &subject, &pending.target, set_cookies),
                false => go_to(visit, &pending.target, set_cookies),
            })
        }
        Ok(Outcome::SeenBefore) if arrived(visit, &pending).await.is_some() => {
            Ok(go_to(visit, &pending.target, ended))
        }
        Ok(Outcome::SeenBefore) if pending.attempt == 0 => again(visit, &pending, ended).await,
        Ok(Outcome::SeenBefore) => {
            fail(visit, RequestFault::LoginReplayed.into(), &pending, ended).await
        }
        // The session is over, and the person takes part from here on.
        Err(error @ Error::Authorization(fault))
            if pending.silent.is_some() && silent::needs_the_person(fault) =>
        {
            ending::end(visit, Occasion::NotRenewed(error.report().code)).await;
            let mut set_cookies = StoredSession(visit.cookies()).delete();
            set_cookies.extend(ended);
            again(visit, &pending, set_cookies).await
        }
        // The same click may have been answered by another replica, which this one's memory of
        // redeemed codes does not know.
        Err(Error::Provider(Purpose::Token, CallFault::InvalidGrant))
            if pending.silent.is_none() && arrived(visit, &pending).await.is_some() =>
        {
            Ok(go_to(visit, &pending.target, ended))
        }
        Err(error) => fail(visit, error, &pending, ended).await,
    }
}

/// The session, if the browser has what this login is for: then it can go on to the target, and is not
/// sent back here from there.
async fn arrived(visit: &Visit<'_>, pending: &PendingLogin) -> Option<Rc<OpenSession>> {
    let (open, _) = session::known(visit).await?;
    step_up::is_met(visit, &pending.demand, &open.session).then_some(open)
}

/// One more login for the same target, and the last one.
async fn again(
    visit: &Visit<'_>,
    pending: &PendingLogin,
    set_cookies: Vec<String>,
) -> Result<Decision, Refusal> {
    let goal = Goal {
        target: &pending.target,
        attempt: 1,
        form: None,
        demand: &pending.demand,
        silent: None,
    };
    login::start(visit, &goal, set_cookies).await
}

enum Outcome {
    /// Who, and the cookies of the new session.
    LoggedIn {
        subject: String,
        set_cookies: Vec<String>,
    },
    /// The code has been redeemed before.
    SeenBefore,
}

/// The end of a login that has failed. Of a silent one the person knows nothing: as long as the session
/// lives that it was to renew, they go on to their target.
async fn fail(
    visit: &Visit<'_>,
    error: Error,
    pending: &PendingLogin,
    mut set_cookies: Vec<String>,
) -> Result<Decision, Refusal> {
    if pending.silent.is_some()
        && let Some(open) = arrived(visit, pending).await
        && let Some(kept) = silent::postpone(visit, &open).await?
    {
        silent::tell_failure(visit, &error);
        set_cookies.extend(kept);
        return Ok(go_to(visit, &pending.target, set_cookies));
    }
    Err(Refusal {
        set_cookies,
        again: Some(address(visit, &pending.target)),
        ..error.into()
    })
}

fn go_to(visit: &Visit<'_>, target: &str, set_cookies: Vec<String>) -> Decision {
    let location = address(visit, target);
    Decision::Answer(Response::redirect(location).with_cookies(set_cookies))
}

/// The target is a path, and only this origin goes before it: whatever it looks like, it cannot
/// lead elsewhere.
fn address(visit: &Visit<'_>, target: &str) -> String {
    format!("{}{target}", visit.origin())
}

async fn conclude(
    visit: &Visit<'_>,
    response: &AuthorizationResponse<'_>,
    pending: &PendingLogin,
    data: &ProviderData,
) -> Result<Outcome, Error> {
    let provider = &visit.gateway.config.provider;
    if visit.host().now().since(pending.started_at) >= LOGIN_LIFETIME {
        return Err(RequestFault::LoginExpired.into());
    }
    // RFC 9207 section 2.4: before anything else of the response is used.
    match &response.iss {
        Some(iss) if *iss != provider.issuer => return Err(RequestFault::IssuerMismatch.into()),
        None if data.metadata.announces_iss_parameter => {
            return Err(RequestFault::IssuerMissing.into());
        }
        _ => {}
    }
    let code = response
        .outcome
        .as_ref()
        .map_err(|fault| Error::Authorization(*fault))?;
    if !redeemed::first_time(visit.gateway, &response.state) {
        return Ok(Outcome::SeenBefore);
    }
    let request = TokenRequest::AuthorizationCode {
        code,
        redirect_uri: &login::redirect_uri(visit),
        code_verifier: &pending.code_verifier,
    };
    let relying_party = visit.relying_party();
    let tokens = relying_party.tokens(&request, data).await?;
    let received = tokens
        .id_token
        .as_ref()
        .ok_or(Error::Internal(InternalFault::Bug))?;
    let demand = pending.demand.or(&provider.authentication);
    let expected = Expectations {
        nonce: Some(&pending.nonce),
        access_token: Some(tokens.access_token.expose()),
        code: Some(code),
        max_age: demand.max_age,
        acr_values: &demand.acr_values,
    };
    let id_token = relying_party
        .verify(received.expose(), &expected, data)
        .await?;
    let userinfo = relying_party
        .userinfo(tokens.access_token.expose(), id_token.subject(), data)
        .await?;
    let access_token = relying_party.access_token_claims(&tokens, data).await;
    let access_token = access_token.map_err(|fault| relying_party.note_unread(fault))?;
    let said = Said {
        id_token: Some(&id_token),
        userinfo: userinfo.as_ref(),
        access_token: access_token.as_ref(),
    };
    let mut session = identity::of_login(visit.gateway, &tokens, &id_token, said, &pending.nonce)?;
    let before = session::known(visit).await.map(|(open, _)| open);
    let is_other = before
        .as_ref()
        .is_some_and(|open| open.session.subject != session.subject);
    if let Some(until) = pending.silent.filter(|_| !is_other) {
        session.end_by(until);
    }
    // What a logout ends are all sessions that came of one another.
    if let Some(open) = before.filter(|_| !is_other) {
        session.family = open.session.family;
    }
    let mut set_cookies = stored::begin(visit, &session).await?;
    let hint = IdTokenHint {
        context: visit.cookies(),
        path: &visit.gateway.config.paths.logout,
    };
    set_cookies.extend(hint.store(received.expose(), visit.gateway.config.session.lifetime)?);
    visit.host().count(&Metric::LoginSucceeded);
    visit.host().log(
        Level::Info,
        &format!(
            "audit event=login request_id={}{}",
            caller::request_id(visit.request),
            audit::login(&visit.gateway.config, &session, &id_token)
        ),
    );
    Ok(Outcome::LoggedIn {
        subject: session.subject,
        set_cookies,
    })
}
