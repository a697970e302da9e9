//! From what the provider proved to a session.

use std::time::Duration;

use super::kept_claims::{KeptClaims, Said};
use super::{Gateway, silent};
use crate::config::{HeaderSource, SubjectToken};
use crate::error::{Error, TokenFault};
use crate::host::random;
use crate::jose::Claims;
use crate::oidc::{TokenResponse, VerifiedIdToken};
use crate::session::{Authentication, Authorization, Credential, Grant, Session, SilentRenewal};
use crate::telemetry::Level;
use crate::time::Timestamp;

/// How long an access token is taken to live when the provider does not say (RFC 6749 section 5.1
/// only recommends that it does).
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The session of a new login.
pub fn of_login(
    gateway: &Gateway,
    tokens: &TokenResponse,
    id_token: &VerifiedIdToken,
    said: Said<'_>,
    nonce: &str,
) -> Result<Session, Error> {
    let userinfo = said.userinfo;
    let now = gateway.host.now();
    let id = random(gateway.host.as_ref())?;
    let mut session = Session {
        id,
        family: id,
        subject: id_token.subject().to_owned(),
        seen_at: now,
        ends_at: now.after(gateway.config.session.lifetime),
        authentication: Authentication {
            issued_at: id_token.issued_at(),
            auth_time: id_token.auth_time(),
            acr: id_token.acr().map(str::to_owned),
        },
        claims: String::new(),
        id_token: None,
        access_token: None,
        grant: None,
        sid: id_token.sid().map(str::to_owned),
        authorization: Authorization {
            scope: match gateway.interests.scopes {
                true => granted(gateway, tokens),
                false => String::new(),
            },
            ..Authorization::default()
        },
        silent_renewal: None,
    };
    KeptClaims::of(gateway, said).store(&mut session);
    forward_tokens(gateway, &mut session, tokens);
    let refreshes = gateway.config.session.refresh.enabled;
    match tokens.refresh_token.as_ref().filter(|_| refreshes) {
        Some(refresh_token) => {
            let (due_at, expires_at) = times(gateway, tokens)?;
            session.grant = Some(Grant {
                credential: Credential::RefreshToken {
                    token: refresh_token.expose().clone(),
                    nonce: nonce.to_owned(),
                },
                generation: 0,
                due_at,
                expires_at,
            });
        }
        None => {
            let due_at = reading_due(gateway)?;
            if due_at.is_some() && userinfo.is_some() {
                session.access_token = Some(tokens.access_token.expose().clone());
            }
            if gateway.config.session.prompt_none_renewal {
                let (due_at, _) = token_times(gateway, tokens)?;
                session.silent_renewal = Some(SilentRenewal {
                    due_at: due_at.max(now.after(silent::LEAST_INTERVAL)),
                    until: session.ends_at,
                });
            }
            end_with_access_token(&mut session, tokens, now);
            session.grant = match (due_at, userinfo) {
                (Some(due_at), Some(userinfo)) => Some(Grant {
                    credential: Credential::AccessToken {
                        from_userinfo: of_userinfo(gateway, userinfo).names(),
                    },
                    generation: 0,
                    due_at,
                    expires_at: session.ends_at,
                }),
                (Some(_), None) => {
                    let line = "claims_not_reread cause=no_refresh_token_and_no_userinfo";
                    gateway.host.log(Level::Warn, line);
                    None
                }
                (None, _) => None,
            };
        }
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
    access_token: Option<&Claims>,
) -> Result<Session, Error> {
    let (due_at, expires_at) = times(gateway, tokens)?;
    let mut credential = grant.credential.clone();
    // RFC 6749 section 6: where no new one comes, the old one stays.
    if let (Credential::RefreshToken { token, .. }, Some(next)) =
        (&mut credential, &tokens.refresh_token)
    {
        token.clone_from(next.expose());
    }
    let mut next = Session {
        grant: Some(Grant {
            credential,
            generation: grant.generation.saturating_add(1),
            due_at,
            expires_at,
        }),
        ..session.clone()
    };
    if let Some(sid) = id_token.and_then(VerifiedIdToken::sid) {
        next.sid = Some(sid.to_owned());
    }
    if let Some(userinfo) = userinfo {
        // Without a new ID token, its claims from before go on beside the latest userinfo.
        let latest = KeptClaims::of(
            gateway,
            Said {
                id_token,
                userinfo: userinfo.as_ref(),
                access_token,
            },
        );
        let all = match id_token {
            Some(_) => latest,
            None => {
                let mut all = KeptClaims::of_session(session)?;
                all.extend(latest);
                all
            }
        };
        all.store(&mut next);
    }
    let interests = &gateway.interests;
    match &tokens.scope {
        Some(scope) if interests.scopes => next.authorization.scope.clone_from(scope),
        // RFC 6749 section 6: as before, which a session from other rules may not know.
        None if interests.scopes && session.authorization.mark != interests.mark => {
            next.authorization.mark = session.authorization.mark;
        }
        _ => {}
    }
    forward_tokens(gateway, &mut next, tokens);
    Ok(next)
}

/// The session after its claims have been read again; `userinfo` is missing where the provider has
/// no such endpoint any more.
pub fn of_reading(
    gateway: &Gateway,
    session: &Session,
    grant: &Grant,
    from_userinfo: &[String],
    userinfo: Option<&Claims>,
) -> Result<Session, Error> {
    let mut grant = Grant {
        generation: grant.generation.saturating_add(1),
        due_at: reading_due(gateway)?.unwrap_or(grant.expires_at),
        ..grant.clone()
    };
    let mut all = KeptClaims::of_session(session)?;
    if let Some(userinfo) = userinfo {
        let latest = of_userinfo(gateway, userinfo);
        grant.credential = Credential::AccessToken {
            from_userinfo: latest.names(),
        };
        all.forget(from_userinfo);
        all.extend(latest);
    }
    let mut next = Session {
        grant: Some(grant),
        ..session.clone()
    };
    all.store(&mut next);
    Ok(next)
}

fn of_userinfo(gateway: &Gateway, userinfo: &Claims) -> KeptClaims {
    let said = Said {
        userinfo: Some(userinfo),
        ..Said::default()
    };
    KeptClaims::of(gateway, said)
}

/// OpenID Connect Core 12.2: a refreshed ID token speaks of the same login. Issuer and audience are
/// the verifier's.
pub fn continues(
    session: &Session,
    login_nonce: &str,
    id_token: &VerifiedIdToken,
) -> Result<(), TokenFault> {
    if id_token.subject() != session.subject {
        return Err(TokenFault::SubjectChanged);
    }
    if let Some(nonce) = id_token.claims().string("nonce")?
        && nonce != login_nonce
    {
        return Err(TokenFault::NonceMismatch);
    }
    match (id_token.auth_time(), session.authentication.auth_time) {
        (Some(new), Some(old)) if new != old => Err(TokenFault::AuthTimeChanged),
        _ => Ok(()),
    }
}

/// What the access token was granted for (RFC 6749 section 5.1).
fn granted(gateway: &Gateway, tokens: &TokenResponse) -> String {
    match &tokens.scope {
        Some(scope) => scope.clone(),
        None => gateway.config.provider.scopes.join(" "),
    }
}

/// Keeps the tokens that the configuration forwards or exchanges, and no others.
fn forward_tokens(gateway: &Gateway, session: &mut Session, tokens: &TokenResponse) {
    let forwards = |sources: [HeaderSource; 2]| {
        let mut told = gateway.config.upstream.sources();
        told.any(|source| sources.contains(source))
    };
    let exchanges = |subject| gateway.config.exchanges(subject);
    if forwards([HeaderSource::AccessToken, HeaderSource::BearerAccessToken])
        || exchanges(SubjectToken::AccessToken)
    {
        session.access_token = Some(tokens.access_token.expose().clone());
    }
    let keeps_id_token = forwards([HeaderSource::IdToken, HeaderSource::IdTokenClaims])
        || exchanges(SubjectToken::IdToken);
    if keeps_id_token && let Some(id_token) = &tokens.id_token {
        session.id_token = Some(id_token.expose().clone());
    }
}

/// An access token is never used after its end, so a session that cannot be refreshed ends with
/// it.
fn end_with_access_token(session: &mut Session, tokens: &TokenResponse, now: Timestamp) {
    if let (Some(_), Some(seconds)) = (&session.access_token, tokens.expires_in) {
        session.ends_at = session.ends_at.min(now.after(Duration::from_secs(seconds)));
    }
}

/// When a refresh is due, and when the access token ends.
fn times(gateway: &Gateway, tokens: &TokenResponse) -> Result<(Timestamp, Timestamp), Error> {
    let (token_due, expires_at) = token_times(gateway, tokens)?;
    let due_at = reading_due(gateway)?.map_or(token_due, |due_at| due_at.min(token_due));
    Ok((due_at, expires_at))
}

/// When a new access token is due, and when the old one ends. A fleet's sessions, and one session's
/// many requests, do not all find it due at the same moment.
fn token_times(gateway: &Gateway, tokens: &TokenResponse) -> Result<(Timestamp, Timestamp), Error> {
    let now = gateway.host.now();
    let lifetime = tokens
        .expires_in
        .map_or(UNKNOWN_LIFETIME, Duration::from_secs);
    let expires_at = now.after(lifetime);
    let leeway = gateway
        .config
        .session
        .refresh
        .leeway
        .min(lifetime.mul_f64(0.5));
    Ok((expires_at.before(shortened(gateway, leeway)?), expires_at))
}

/// When the claims are to be read again, if they are: after the interval, less up to a quarter.
fn reading_due(gateway: &Gateway) -> Result<Option<Timestamp>, Error> {
    let Some(interval) = gateway.config.session.reread_claims else {
        return Ok(None);
    };
    let span = shortened(gateway, interval)?;
    Ok(Some(gateway.host.now().after(span)))
}

/// A span less up to a quarter, by chance.
fn shortened(gateway: &Gateway, span: Duration) -> Result<Duration, Error> {
    let [byte] = random::<1>(gateway.host.as_ref())?;
    Ok(span.saturating_sub(span.mul_f64(f64::from(byte) / 1024.0)))
}
