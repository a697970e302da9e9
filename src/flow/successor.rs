//! The next generation of a session: what the provider makes of it when it is asked again.

use std::time::Duration;

use super::relying_party::RelyingParty;
use super::{Exchange, Gateway, identity};
use crate::error::{CallFault, Error, InternalFault, TokenFault};
use crate::oidc::{Expectations, TokenRequest};
use crate::session::{Credential, Grant, Session};
use crate::telemetry::{Level, Metric, Purpose};

/// A refresh whose ID token nobody could verify is followed by the next one when the keys may be
/// asked for again, but not before this: every one uses up a refresh token.
const LEAST_PAUSE: Duration = Duration::from_secs(30);

/// Asks the provider with what the session has, and makes the next session of what it says.
pub async fn of(
    gateway: &Gateway,
    exchange: &Exchange,
    session: &Session,
    grant: &Grant,
) -> Result<Session, Error> {
    let next = match &grant.credential {
        Credential::RefreshToken { token, nonce } => {
            let old = (token.as_str(), nonce.as_str());
            redeem(gateway, exchange, session, grant, old).await?
        }
        Credential::AccessToken { from_userinfo } => {
            reread(gateway, exchange, session, grant, from_userinfo).await?
        }
    };
    gateway.host.count(&Metric::RefreshSucceeded);
    Ok(next)
}

/// A provider that says no ends the session, and so does one whose token proves something else; one
/// that cannot be asked does not.
pub const fn ends_session(error: &Error) -> bool {
    matches!(
        error,
        Error::Provider(Purpose::Token, CallFault::InvalidGrant)
            | Error::Provider(Purpose::Userinfo, CallFault::InvalidToken)
            | Error::UserinfoSubject
            | Error::IdToken(_)
    )
}

/// Redeems the refresh token. From then on the new tokens must not be lost: neither because keys
/// cannot be had, nor because userinfo cannot.
async fn redeem(
    gateway: &Gateway,
    exchange: &Exchange,
    session: &Session,
    grant: &Grant,
    (refresh_token, nonce): (&str, &str),
) -> Result<Session, Error> {
    let provider = RelyingParty { gateway, exchange };
    let data = provider.provider().await?;
    let request = TokenRequest::RefreshToken { refresh_token };
    let mut tokens = provider.tokens(&request, &data).await?;
    let mut id_token = None;
    let mut is_unverified = false;
    if let Some(received) = tokens.id_token.take() {
        let expected = Expectations {
            access_token: Some(tokens.access_token.expose()),
            ..Expectations::default()
        };
        let verdict = provider
            .verify_if_possible(received.expose(), &expected, &data)
            .await?;
        if let Some(verified) = verdict {
            identity::continues(session, nonce, &verified)?;
            tokens.id_token = Some(received);
            id_token = Some(verified);
        } else {
            // As if none had come: the provider may leave it out (OpenID Connect Core 12.2).
            is_unverified = true;
            gateway.host.count(&Metric::RefreshUnverified);
            let line = "refreshed_id_token_not_verified cause=key_unknown";
            gateway.host.log(Level::Warn, line);
        }
    }
    let userinfo = match provider
        .userinfo(tokens.access_token.expose(), &session.subject, &data)
        .await
    {
        Ok(userinfo) => Some(userinfo),
        Err(error) if ends_session(&error) => return Err(error),
        // The tokens are new and must not be lost; the claims can wait.
        Err(_) => None,
    };
    let (userinfo, access_token) = match provider.access_token_claims(&tokens, &data).await {
        Ok(claims) => (userinfo, claims),
        Err(fault) => {
            let error = provider.note_unread(fault);
            if fault != TokenFault::KeyUnknown {
                return Err(error);
            }
            // Nobody can say now what it says, so the claims wait as well.
            is_unverified = true;
            (None, None)
        }
    };
    let mut next = identity::of_refresh(
        gateway,
        session,
        grant,
        &tokens,
        id_token.as_ref(),
        userinfo,
        access_token.as_ref(),
    )?;
    if let Some(grant) = next.grant.as_mut().filter(|_| is_unverified) {
        let pause = gateway.config.provider.unknown_key_cooldown;
        let soon = gateway.host.now().after(pause.max(LEAST_PAUSE));
        grant.due_at = grant.due_at.min(soon);
    }
    Ok(next)
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
