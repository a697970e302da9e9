//! The end of a login: the provider sends the browser back.

use serde_json::{Map, Value};

use super::serve::{Refusal, Visit};
use super::{Call, Decision, login, redeemed, session};
use crate::answer::Response;
use crate::config::HeaderSource;
use crate::error::{CallFault, Error, RequestFault, TokenFault};
use crate::host::random;
use crate::oidc::{
    AuthorizationResponse, Expectations, IdTokenVerifier, TokenRequest, TokenResponse,
    VerifiedIdToken, parse_userinfo,
};
use crate::provider::{KeyRefresh, ProviderData};
use crate::session::{
    IdTokenHint, LOGIN_LIFETIME, PendingLogin, PendingLogins, Session, StoredSession,
};
use crate::telemetry::{Level, Metric, Purpose};
use crate::upstream;

/// Judges the authorization response, redeems its code and gives the browser a session.
pub async fn finish(visit: &Visit<'_>) -> Result<Decision, Refusal> {
    if visit.request.method() != "GET" {
        return Err(RequestFault::MethodNotAllowed.into());
    }
    let response = AuthorizationResponse::parse(visit.request.target())?;
    let logins = PendingLogins::new(visit.cookies());
    let Some(pending) = logins.find(&response.state) else {
        // A finished login, seen again: the person is where they wanted to be.
        return match session::find(visit) {
            Some(_) => Ok(go_to(visit, "/", Vec::new())),
            None => Err(Refusal {
                again: Some("/".to_owned()),
                ..RequestFault::LoginUnknown.into()
            }),
        };
    };
    let data = visit.provider().await?;
    let ended: Vec<String> = logins.remove(&response.state).into_iter().collect();
    match conclude(visit, &response, &pending, &data).await {
        Ok(Outcome::LoggedIn(mut set_cookies)) => {
            set_cookies.extend(ended);
            Ok(go_to(visit, &pending.target, set_cookies))
        }
        Ok(Outcome::SeenBefore) => match session::find(visit) {
            Some(_) => Ok(go_to(visit, &pending.target, ended)),
            None if pending.attempt == 0 => login::start(visit, &pending.target, 1, ended).await,
            None => Err(refusal(RequestFault::LoginReplayed.into(), &pending, ended)),
        },
        Err(error) => Err(refusal(error, &pending, ended)),
    }
}

enum Outcome {
    /// With the cookies of the new session.
    LoggedIn(Vec<String>),
    /// The code has been redeemed before.
    SeenBefore,
}

fn refusal(error: Error, pending: &PendingLogin, set_cookies: Vec<String>) -> Refusal {
    Refusal {
        error,
        set_cookies,
        again: Some(pending.target.clone()),
    }
}

/// The target is a path, and only this origin goes before it: whatever it looks like, it cannot
/// lead elsewhere.
fn go_to(visit: &Visit<'_>, target: &str, set_cookies: Vec<String>) -> Decision {
    let location = format!("{}{target}", visit.origin());
    Decision::Answer(Response::redirect(location).with_cookies(set_cookies))
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
    let tokens = exchange_code(visit, code, pending, data).await?;
    let expected = Expectations {
        nonce: Some(&pending.nonce),
        access_token: Some(tokens.access_token.expose()),
        code: Some(code),
    };
    let id_token = verify(visit, tokens.id_token.expose(), &expected, data).await?;
    let userinfo = userinfo(visit, &tokens, &id_token, data).await?;
    let session = new_session(visit, &tokens, &id_token, userinfo)?;
    let mut set_cookies = StoredSession(visit.cookies()).store(&session)?;
    let hint = IdTokenHint {
        context: visit.cookies(),
        path: &visit.gateway.config.paths.logout,
    };
    set_cookies.extend(hint.store(
        tokens.id_token.expose(),
        visit.gateway.config.session.lifetime,
    )?);
    visit.host().count(&Metric::LoginSucceeded);
    visit.host().log(
        Level::Info,
        &format!(
            "login_succeeded request_id={}",
            super::caller::request_id(visit.request)
        ),
    );
    Ok(Outcome::LoggedIn(set_cookies))
}

async fn exchange_code(
    visit: &Visit<'_>,
    code: &str,
    pending: &PendingLogin,
    data: &ProviderData,
) -> Result<TokenResponse, Error> {
    let failed = |fault| Error::Provider(Purpose::Token, fault);
    let provider = &visit.gateway.config.provider;
    let request = TokenRequest {
        code,
        redirect_uri: &login::redirect_uri(visit),
        code_verifier: &pending.code_verifier,
    };
    let (body, authorization) = request.encode(provider);
    let mut call = Call::to(
        provider,
        Purpose::Token,
        "POST",
        &data.metadata.token_endpoint,
    );
    call.headers.push(("accept", "application/json".to_owned()));
    call.headers.push((
        "content-type",
        "application/x-www-form-urlencoded".to_owned(),
    ));
    call.headers
        .extend(authorization.map(|value| ("authorization", value)));
    call.body = body.into_bytes();
    let reply = visit
        .gateway
        .call(visit.exchange, call)
        .await
        .map_err(failed)?;
    TokenResponse::parse(reply.status, &reply.body).map_err(failed)
}

/// Verifies an ID token; when its key is unknown, once more with newer keys.
async fn verify(
    visit: &Visit<'_>,
    token: &str,
    expected: &Expectations<'_>,
    data: &ProviderData,
) -> Result<VerifiedIdToken, Error> {
    let provider = &visit.gateway.config.provider;
    let attempt = |keys| {
        IdTokenVerifier {
            issuer: &provider.issuer,
            client_id: &provider.client.id,
            policy: &provider.id_token,
            now: visit.host().now(),
        }
        .verify(token, keys, expected)
    };
    match attempt(&data.keys) {
        Err(TokenFault::KeyUnknown) => {}
        verdict => return Ok(verdict?),
    }
    let wanted = visit.gateway.provider.borrow_mut().want_newer_keys(
        visit.host(),
        &visit.gateway.seal,
        provider,
        data.fetched_at,
    );
    let asked = match wanted {
        KeyRefresh::Newer(newer) => return Ok(attempt(&newer.keys)?),
        KeyRefresh::Asked(asked) => asked,
        KeyRefresh::CoolingDown => return Err(TokenFault::KeyUnknown.into()),
    };
    let deadline = asked.after(provider.timeout);
    loop {
        visit.exchange.wait().await;
        let newer = visit.provider().await?;
        if newer.fetched_at > data.fetched_at {
            return Ok(attempt(&newer.keys)?);
        }
        let failed = visit.gateway.provider.borrow().has_failed_since(asked);
        if failed || visit.host().now() >= deadline {
            return Err(TokenFault::KeyUnknown.into());
        }
    }
}

async fn userinfo(
    visit: &Visit<'_>,
    tokens: &TokenResponse,
    id_token: &VerifiedIdToken,
    data: &ProviderData,
) -> Result<Map<String, Value>, Error> {
    let failed = |fault| Error::Provider(Purpose::Userinfo, fault);
    let provider = &visit.gateway.config.provider;
    let endpoint = data.metadata.userinfo_endpoint.as_ref();
    let Some(endpoint) = endpoint.filter(|_| provider.userinfo) else {
        return Ok(Map::new());
    };
    let mut call = Call::to(provider, Purpose::Userinfo, "GET", endpoint);
    call.headers.push(("accept", "application/json".to_owned()));
    call.headers.push((
        "authorization",
        format!("Bearer {}", tokens.access_token.expose()),
    ));
    let reply = visit
        .gateway
        .call(visit.exchange, call)
        .await
        .map_err(failed)?;
    match reply.status {
        200 => Ok(parse_userinfo(&reply.body, id_token.subject())?
            .as_object()
            .clone()),
        503 => Err(failed(CallFault::Unreachable)),
        504 => Err(failed(CallFault::Timeout)),
        _ => Err(failed(CallFault::Refused)),
    }
}

fn new_session(
    visit: &Visit<'_>,
    tokens: &TokenResponse,
    id_token: &VerifiedIdToken,
    userinfo: Map<String, Value>,
) -> Result<Session, Error> {
    let config = &visit.gateway.config;
    let now = visit.host().now();
    let mut identity = id_token.claims().as_object().clone();
    identity.extend(userinfo);
    let claims = upstream::select_claims(&config.upstream, &identity);
    let forwards = |sources: [HeaderSource; 2]| {
        config
            .upstream
            .headers
            .iter()
            .any(|header| sources.contains(&header.source))
    };
    let access_token = forwards([HeaderSource::AccessToken, HeaderSource::BearerAccessToken])
        .then(|| tokens.access_token.expose().clone());
    let mut ends_at = now.after(config.session.lifetime);
    // An access token is never forwarded after its end, so the session ends with it.
    if let (Some(_), Some(seconds)) = (&access_token, tokens.expires_in) {
        ends_at = ends_at.min(now.after(std::time::Duration::from_secs(seconds)));
    }
    Ok(Session {
        id: random(visit.host())?,
        subject: id_token.subject().to_owned(),
        created_at: now,
        seen_at: now,
        ends_at,
        claims: Value::Object(claims).to_string(),
        id_token: forwards([HeaderSource::IdToken, HeaderSource::IdTokenClaims])
            .then(|| tokens.id_token.expose().clone()),
        access_token,
    })
}
