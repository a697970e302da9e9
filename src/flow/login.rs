//! The start of a login: a browser is sent to the provider.

use super::serve::{Refusal, Visit};
use super::{Decision, caller, posted};
use crate::answer::Response;
use crate::config::AuthenticationDemand;
use crate::error::Error;
use crate::oidc::{AuthenticationRequest, pkce};
use crate::request::Request;
use crate::session::{Form, PendingLogin, PendingLogins, PostedForm};
use crate::telemetry::Metric;
use crate::time::Timestamp;

/// The longest target that a login cookie keeps whole, in bytes. A browser that opens many tabs at
/// once gets a login cookie for each, and all of them must fit into the headers of one request.
const MAX_TARGET: usize = 1024;

/// What a login is to achieve.
pub struct Goal<'a> {
    /// Path and query, where the person wants to go.
    pub target: &'a str,
    /// How many logins for this target have gone wrong in a way that another one mends.
    pub attempt: u8,
    /// What the rule of the target demands.
    pub demand: &'a AuthenticationDemand,
    /// That nobody is to be asked, and when the session that is renewed ends at last.
    pub silent: Option<Timestamp>,
    /// The form that they posted to the target.
    pub form: Option<&'a Form>,
}

/// Redirects to the authorization endpoint, with a sealed cookie that remembers where the person
/// wanted to go.
pub async fn start(
    visit: &Visit<'_>,
    goal: &Goal<'_>,
    mut set_cookies: Vec<String>,
) -> Result<Decision, Refusal> {
    let data = visit.relying_party().provider().await?;
    let host = visit.host();
    let state = pkce::opaque(host)?;
    let login = PendingLogin {
        started_at: host.now(),
        nonce: pkce::opaque(host)?,
        code_verifier: pkce::code_verifier(host)?,
        target: goal.target.to_owned(),
        attempt: goal.attempt,
        demand: goal.demand.clone(),
        silent: goal.silent,
        is_posted: goal.form.is_some(),
    };
    if let Some(form) = goal.form {
        set_cookies.extend(posted_form(visit, &state).store(form)?);
    }
    set_cookies.extend(PendingLogins::new(visit.cookies()).add(&state, &login)?);
    let nothing = AuthenticationDemand::default();
    let endpoint = data.metadata.authorization_endpoint.as_ref();
    let endpoint = endpoint.ok_or(Error::ProviderUnavailable)?;
    let location = AuthenticationRequest {
        redirect_uri: &redirect_uri(visit),
        state: &state,
        nonce: &login.nonce,
        code_verifier: &login.code_verifier,
        // A session that is renewed has shown what the rule demands. A provider that is to show it anew
        // and may ask nobody would end the session over it.
        demand: match goal.silent {
            Some(_) => &nothing,
            None => goal.demand,
        },
        asks_nobody: goal.silent.is_some(),
    }
    .url(
        &visit.gateway.config.provider,
        visit.gateway.client()?,
        endpoint,
    );
    host.count(&Metric::LoginStarted);
    Ok(Decision::Answer(
        Response::redirect(location).with_cookies(set_cookies),
    ))
}

/// Starts a login for what this request wants, with the form that it may post; whoever can neither be
/// sent to the provider nor post such a form is refused. The refusal's cookies go with either answer.
pub async fn start_or_refuse(
    visit: &Visit<'_>,
    demand: &AuthenticationDemand,
    refusal: Refusal,
) -> Result<Decision, Refusal> {
    let form = posted::form(visit).await?;
    if form.is_none() && !caller::can_log_in(visit.request, visit.audience()) {
        return Err(refusal);
    }
    let goal = Goal {
        target: &target(visit.request),
        attempt: 0,
        form: form.as_ref(),
        demand,
        silent: None,
    };
    start(visit, &goal, refusal.set_cookies).await
}

/// The absolute address of the callback path.
pub fn redirect_uri(visit: &Visit<'_>) -> String {
    format!("{}{}", visit.origin(), visit.gateway.config.paths.callback)
}

/// The form that belongs to the login with this state.
pub fn posted_form<'a>(visit: &Visit<'a>, state: &'a str) -> PostedForm<'a> {
    PostedForm {
        context: visit.cookies(),
        path: &visit.gateway.config.paths.callback,
        state,
    }
}

/// Whether the whole target of a request is kept.
pub fn keeps_whole(request: &Request) -> bool {
    encode(request.target()).len() <= MAX_TARGET
}

/// Path and query of a request, as text that may follow an origin in a `Location` header. Only the
/// path of a target that is too long is kept, and of a path that is too long nothing.
pub fn target(request: &Request) -> String {
    let whole = encode(request.target());
    if whole.len() <= MAX_TARGET {
        return whole;
    }
    let path = whole.split('?').next().unwrap_or_default();
    match path.len() <= MAX_TARGET {
        true => path.to_owned(),
        false => "/".to_owned(),
    }
}

fn encode(target: &[u8]) -> String {
    let mut text = String::with_capacity(target.len());
    for byte in target {
        match byte.is_ascii_graphic() {
            true => text.push(char::from(*byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests;
