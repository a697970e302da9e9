//! From what the provider proved to a session.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Gateway;
use crate::config::HeaderSource;
use crate::error::{Error, InternalFault, TokenFault};
use crate::host::random;
use crate::jose::Claims;
use crate::oidc::{TokenResponse, VerifiedIdToken};
use crate::session::{Authentication, Grant, Session};
use crate::time::Timestamp;
use crate::upstream;

/// How long an access token is taken to live when the provider does not say (RFC 6749 section 5.1
/// only recommends that it does).
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The session of a new login.
pub fn of_login(
    gateway: &Gateway,
    tokens: &TokenResponse,
    id_token: &VerifiedIdToken,
    userinfo: Option<&Claims>,
    nonce: &str,
) -> Result<Session, Error> {
    let now = gateway.host.now();
    let mut session = Session {
        id: random(gateway.host.as_ref())?,
        subject: id_token.subject().to_owned(),
        seen_at: now,
        ends_at: now.after(gateway.config.session.lifetime),
        authentication: Authentication {
            issued_at: id_token.issued_at(),
            auth_time: id_token.auth_time(),
            acr: id_token.acr().map(str::to_owned),
        },
        claims: claims(gateway, Some(id_token), userinfo).to_string(),
        id_token: None,
        access_token: None,
        grant: None,
        sid: id_token.sid().map(str::to_owned),
    };
    forward_tokens(gateway, &mut session, tokens);
    let refreshes = gateway.config.session.refresh.enabled;
    match tokens.refresh_token.as_ref().filter(|_| refreshes) {
        Some(refresh_token) => {
            let (due_at, expires_at) = times(gateway, tokens)?;
            session.grant = Some(Grant {
                refresh_token: refresh_token.expose().clone(),
                generation: 0,
                due_at,
                expires_at,
                nonce: nonce.to_owned(),
            });
        }
        None => end_with_access_token(&mut session, tokens, now),
    }
    Ok(session)
}

/// The session after a refresh. The claims are the provider's latest where it gave any; `userinfo`
/// is missing where it could not be asked, and then they stay as they were.
pub fn of_refresh(
    gateway: &Gateway,
    session: &Session,
    grant: &Grant,
    tokens: &TokenResponse,
    id_token: Option<&VerifiedIdToken>,
    userinfo: Option<Option<Claims>>,
) -> Result<Session, Error> {
    let (due_at, expires_at) = times(gateway, tokens)?;
    let next_token = tokens.refresh_token.as_ref().map(|token| token.expose());
    let mut next = Session {
        grant: Some(Grant {
            // RFC 6749 section 6: where no new one comes, the old one stays.
            refresh_token: next_token.unwrap_or(&grant.refresh_token).clone(),
            generation: grant.generation.saturating_add(1),
            due_at,
            expires_at,
            ..grant.clone()
        }),
        ..session.clone()
    };
    if let Some(sid) = id_token.and_then(VerifiedIdToken::sid) {
        next.sid = Some(sid.to_owned());
    }
    if let Some(userinfo) = userinfo {
        let latest = claims(gateway, id_token, userinfo.as_ref());
        // Without a new ID token, its claims from before go on beside the latest userinfo.
        let mut all = match id_token {
            Some(_) => Map::new(),
            None => serde_json::from_str(&session.claims)
                .map_err(|_| Error::Internal(InternalFault::Bug))?,
        };
        if let Value::Object(latest) = latest {
            all.extend(latest);
        }
        next.claims = Value::Object(all).to_string();
    }
    forward_tokens(gateway, &mut next, tokens);
    Ok(next)
}

/// OpenID Connect Core 12.2: a refreshed ID token speaks of the same login. Issuer and audience are
/// the verifier's.
pub fn continues(
    session: &Session,
    grant: &Grant,
    id_token: &VerifiedIdToken,
) -> Result<(), TokenFault> {
    if id_token.subject() != session.subject {
        return Err(TokenFault::SubjectChanged);
    }
    if let Some(nonce) = id_token.claims().string("nonce")?
        && nonce != grant.nonce
    {
        return Err(TokenFault::NonceMismatch);
    }
    match (id_token.auth_time(), session.authentication.auth_time) {
        (Some(new), Some(old)) if new != old => Err(TokenFault::AuthTimeChanged),
        _ => Ok(()),
    }
}

fn claims(
    gateway: &Gateway,
    id_token: Option<&VerifiedIdToken>,
    userinfo: Option<&Claims>,
) -> Value {
    let none = Map::new();
    let identity = upstream::identity(
        id_token.map_or(&none, |token| token.claims().as_object()),
        userinfo.map(Claims::as_object),
    );
    Value::Object(upstream::select_claims(&gateway.config.upstream, &identity))
}

/// Keeps the tokens that the configuration forwards, and no others.
fn forward_tokens(gateway: &Gateway, session: &mut Session, tokens: &TokenResponse) {
    let forwards = |sources: [HeaderSource; 2]| {
        let headers = &gateway.config.upstream.headers;
        headers
            .iter()
            .any(|header| sources.contains(&header.source))
    };
    if forwards([HeaderSource::AccessToken, HeaderSource::BearerAccessToken]) {
        session.access_token = Some(tokens.access_token.expose().clone());
    }
    if forwards([HeaderSource::IdToken, HeaderSource::IdTokenClaims])
        && let Some(id_token) = &tokens.id_token
    {
        session.id_token = Some(id_token.expose().clone());
    }
}

/// An access token is never forwarded after its end, so a session that cannot be refreshed ends with
/// it.
fn end_with_access_token(session: &mut Session, tokens: &TokenResponse, now: Timestamp) {
    if let (Some(_), Some(seconds)) = (&session.access_token, tokens.expires_in) {
        session.ends_at = session.ends_at.min(now.after(Duration::from_secs(seconds)));
    }
}

/// When a refresh is due, and when the access token ends. A fleet's sessions, and one session's
/// many requests, do not all find it due at the same moment.
fn times(gateway: &Gateway, tokens: &TokenResponse) -> Result<(Timestamp, Timestamp), Error> {
    let now = gateway.host.now();
    let lifetime = tokens
        .expires_in
        .map_or(UNKNOWN_LIFETIME, Duration::from_secs);
    let expires_at = now.after(lifetime);
    let [byte] = random::<1>(gateway.host.as_ref())?;
    let leeway = gateway
        .config
        .session
        .refresh
        .leeway
        .min(lifetime.mul_f64(0.5));
    let shorter = leeway.mul_f64(f64::from(byte) / 1024.0);
    Ok((
        expires_at.before(leeway.saturating_sub(shorter)),
        expires_at,
    ))
}
