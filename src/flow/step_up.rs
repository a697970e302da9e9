//! Rules that ask more of a person than a session: an authentication that is recent enough, or of a
//! certain class (RFC 9470).

use super::serve::{KnownCaller, Refusal, Visit};
use super::{Decision, audit, login};
use crate::config::AuthenticationDemand;
use crate::error::{Denial, Error};
use crate::session::Session;

/// Whether `session` is what the rule demands.
pub fn is_met(visit: &Visit<'_>, demand: &AuthenticationDemand, session: &Session) -> bool {
    let clock_skew = visit.gateway.config.provider.id_token.clock_skew;
    session
        .authentication
        .meets(demand, visit.host().now(), clock_skew)
}

/// Sends a person to authenticate again, with the form that they may have posted, and tells everybody
/// else that it takes that. The session stays, whatever becomes of it.
pub async fn ask(
    visit: &Visit<'_>,
    demand: &AuthenticationDemand,
    session: &Session,
) -> Result<Decision, Refusal> {
    let refusal = Refusal {
        // There the rule asks again; at another address nothing might.
        again: Some(login::target(visit.request)),
        caller: Some(Box::new(KnownCaller {
            who: audit::session(&visit.gateway.config, session),
            demand: Some(demand.clone()),
            refused: None,
        })),
        ..Error::Denied(Denial::InsufficientAuthentication).into()
    };
    login::start_or_refuse(visit, demand, refusal).await
}
