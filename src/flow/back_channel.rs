//! The provider logs people out here by itself, without their browsers
//! (OpenID Connect Back-Channel Logout 1.0).
//!
//! Anybody can send something to this address, and nothing but the token counts: no cookie is read
//! or set. A session that is named here is not taken out of any browser; it is noted as ended.

use super::serve::{KnownCaller, Refusal, Visit};
use super::{Decision, audit, caller, ended};
use crate::answer::{Audience, Response};
use crate::error::{Error, RequestFault};
use crate::oidc::{LOGOUT_TOKEN_AGE, VerifiedLogoutToken};
use crate::session::SeenOnce;

/// A logout token has some hundred bytes.
const MOST_BODY: usize = 64 * 1024;

/// Ends the sessions that the logout token names. That there are none is a success (section 2.7).
pub async fn receive(visit: &Visit<'_>) -> Result<Decision, Refusal> {
    match judge(visit).await {
        // Section 2.8 has 200, and no other status that means yes.
        Ok(()) => Ok(Decision::Answer(Response::new(200))),
        Err(refusal) => Err(Refusal {
            audience: Some(Audience::Provider),
            ..refusal
        }),
    }
}

async fn judge(visit: &Visit<'_>) -> Result<(), Refusal> {
    if visit.request.method() != "POST" {
        return Err(Refusal::of_method("POST"));
    }
    // Section 2.5.
    if !caller::has_form(visit.request) {
        return Err(RequestFault::BackChannelLogoutMalformed.into());
    }
    let body = visit.exchange.body(MOST_BODY).await;
    let body = body.map_err(RequestFault::from)?;
    let received = logout_token(&body)?;
    let relying_party = visit.relying_party();
    let data = relying_party.provider().await?;
    let token = relying_party.verify_logout(&received, &data).await?;
    let who = audit::named(&visit.gateway.config, &token.ends);
    end(visit, &token, &who).await.map_err(|error| {
        let caller = KnownCaller {
            who,
            ..KnownCaller::default()
        };
        Refusal {
            caller: Some(Box::new(caller)),
            ..error.into()
        }
    })
}

/// Ends what a logout token names: here, and for every Envoy where there is a store.
async fn end(visit: &Visit<'_>, token: &VerifiedLogoutToken, who: &str) -> Result<(), Error> {
    let (mark, watermark) = ended::by_token(visit.gateway, token)?;
    let clock_skew = visit.gateway.config.provider.id_token.clock_skew;
    let acceptable = LOGOUT_TOKEN_AGE.saturating_add(clock_skew.saturating_mul(2));
    let until = visit.host().now().after(acceptable);
    let is_first = |kind| {
        let memory = visit.gateway.memory();
        SeenOnce { memory, kind }.first_time(&token.id, until)
    };
    // The sessions have ended here, whatever the store says and whether or not the provider waits for it.
    if is_first("logout_told") {
        let request_id = caller::request_id(visit.request);
        ended::tell(visit.host(), "back", request_id, who);
    }
    if let Some(store) = visit.store() {
        store.end(mark, watermark).await?;
    }
    // Asked last: a token whose effect is in doubt may come again, and a replayed one ends nothing that has
    // not ended.
    match is_first("logout") {
        true => Ok(()),
        false => Err(RequestFault::LogoutTokenReplayed.into()),
    }
}

/// The one `logout_token` of a form; other parameters may be there, and do not count (section 2.5).
fn logout_token(body: &[u8]) -> Result<String, Error> {
    let mut tokens =
        url::form_urlencoded::parse(body).filter(|(name, _)| name.as_ref() == "logout_token");
    match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) => Ok(token.into_owned()),
        _ => Err(RequestFault::BackChannelLogoutMalformed.into()),
    }
}
