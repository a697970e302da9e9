//! A request to a protected path: who it comes from, and what becomes of it where nobody is known.

use super::hide::hide;
use super::serve::{Refusal, Visit};
use super::session::{Absence, Entry, Part};
use super::{Decision, bearer, caller, session};
use crate::config::{CorsPreflight, Entrance, Method, Methods, Otherwise};
use crate::consumer;
use crate::error::{Denial, Error};

/// Lets through whom the rule lets through, by the methods that it takes.
pub async fn enter(visit: &Visit<'_>, rule: Option<usize>) -> Result<Decision, Refusal> {
    let entrance = visit.gateway.config.entrance(rule);
    let mut decision = match &entrance.methods {
        Methods::AnyOf(methods) => any_of(visit, rule, entrance, methods).await,
        Methods::AllOf(methods) => all_of(visit, rule, entrance, methods).await,
    }?;
    // Whoever was let in, and by whatever method: a token is for the entrance.
    if let Decision::Forward(forward) = &mut decision
        && entrance.methods.each().contains(&Method::Bearer)
    {
        hide(&visit.gateway.config.bearer, visit.request, forward);
    }
    Ok(decision)
}

/// The first method that the request has decides, however it ends.
async fn any_of(
    visit: &Visit<'_>,
    rule: Option<usize>,
    entrance: &Entrance,
    methods: &[Method],
) -> Result<Decision, Refusal> {
    let mut absence = Absence::default();
    for method in methods {
        match method {
            Method::Bearer => {
                if let Some(token) = bearer::find(visit).await? {
                    return bearer::enter(visit, rule, &token).map(Decision::Forward);
                }
            }
            Method::Session => match session::enter(visit, Part::Speaks(rule)).await? {
                Entry::Decided(decision) => return Ok(decision),
                Entry::Absent(absent) => absence = absent,
            },
        }
    }
    without_session(visit, rule, entrance, absence).await
}

/// Each method has to be there and good. The first says who the caller is, so it decides at the end.
async fn all_of(
    visit: &Visit<'_>,
    rule: Option<usize>,
    entrance: &Entrance,
    methods: &[Method],
) -> Result<Decision, Refusal> {
    let takes_tokens = methods.contains(&Method::Bearer);
    let token = match takes_tokens {
        true => bearer::find(visit).await?,
        false => None,
    };
    if takes_tokens && token.is_none() {
        // No login brings a token.
        return turn_away(visit, entrance, Denial::TokenRequired, Vec::new());
    }
    // Whatever the session lacks: whose token it is, is proven.
    let known = |refusal: Refusal| Refusal {
        caller: refusal.caller.or_else(|| {
            let token = token.as_ref()?;
            Some(Box::new(bearer::known(&visit.gateway.config, token)))
        }),
        ..refusal
    };
    let speaks = |method| methods.first() == Some(&method);
    let mut decision = Decision::Forward(visit.forward());
    if methods.contains(&Method::Session) {
        let part = match speaks(Method::Session) {
            true => Part::Speaks(rule),
            false => Part::Accompanies,
        };
        decision = match session::enter(visit, part).await.map_err(&known)? {
            Entry::Decided(decision) => decision,
            Entry::Absent(absence) => {
                let without = without_session(visit, part.rule(), entrance, absence).await;
                return without.map_err(&known);
            }
        };
    }
    match (decision, token) {
        (Decision::Forward(session), Some(token)) if speaks(Method::Bearer) => {
            let mut forward = bearer::enter(visit, rule, &token)?;
            forward.renewal = session.renewal;
            if let (Some(caller), Some(other)) = (&mut forward.caller, session.caller) {
                caller.fill(*other);
            }
            Ok(Decision::Forward(forward))
        }
        (decision, _) => Ok(decision),
    }
}

/// What becomes of a request without a session, or without anything.
async fn without_session(
    visit: &Visit<'_>,
    rule: Option<usize>,
    entrance: &Entrance,
    absence: Absence,
) -> Result<Decision, Refusal> {
    let denial = match entrance.methods.each().contains(&Method::Session) {
        true => Denial::LoginRequired,
        false => Denial::TokenRequired,
    };
    match entrance.otherwise {
        Otherwise::Redirect if !passes_as_preflight(visit) => {
            Box::pin(session::send_to_log_in(visit, rule, absence)).await
        }
        _ => turn_away(visit, entrance, denial, absence.stale),
    }
}

/// What becomes of a request that does not prove who it comes from, and is not sent to log in.
fn turn_away(
    visit: &Visit<'_>,
    entrance: &Entrance,
    denial: Denial,
    stale: Vec<String>,
) -> Result<Decision, Refusal> {
    let mut forward = visit.forward();
    match entrance.otherwise {
        _ if passes_as_preflight(visit) => forward.is_unproven = true,
        Otherwise::Pass => {}
        Otherwise::Anonymous(place) => {
            let consumers = visit.gateway.config.consumers.as_ref();
            let consumer = consumers.and_then(|consumers| consumers.all.get(place));
            let headers = consumer.map(consumer::anonymous);
            forward.set.extend(headers.into_iter().flatten());
        }
        Otherwise::Redirect | Otherwise::Deny => {
            return Err(Refusal {
                set_cookies: stale,
                ..Error::Denied(denial).into()
            });
        }
    }
    Ok(Decision::Forward(forward))
}

fn passes_as_preflight(visit: &Visit<'_>) -> bool {
    visit.gateway.config.cors_preflight == CorsPreflight::Pass
        && caller::is_preflight(visit.request)
}
