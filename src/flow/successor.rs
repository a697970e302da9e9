//! The next generation of a session: what the provider makes of it when it is asked again.

use super::relying_party::RelyingParty;
use super::{Exchange, Gateway, identity};
use crate::error::{CallFault, Error, InternalFault};
use crate::oidc::{Expectations, TokenRequest};
use crate::session::{Credential, Grant, Session};
use crate::telemetry::{Metric, Purpose};

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

/// Redeems the refresh token.
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
