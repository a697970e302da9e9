//! Logging out: here, and at the provider.

use super::ending::{self, Occasion};
use super::serve::{Refusal, Visit};
use super::{Decision, caller, session};
use crate::answer::{Audience, Link, Page, Response};
use crate::error::{Denial, Error};
use crate::oidc::{EndSessionRequest, pkce};
use crate::provider::ProviderData;
use crate::request::query;
use crate::session::{IdTokenHint, LogoutState, StoredSession};
use crate::telemetry::Level;

/// Ends the session. Another site can make a browser come here, but not end anything: it gets a
/// page that asks, or a refusal. Nor does a page of this site that fetches a link ahead, or shows it
/// as an image: only a person who follows it is logged out by a GET.
pub async fn leave(visit: &Visit<'_>) -> Result<Decision, Refusal> {
    let own = caller::is_same_origin(visit.request, &visit.origin());
    match visit.request.method() {
        "POST" if own => end(visit).await,
        "GET" if own && visit.audience() == Audience::Browser => end(visit).await,
        "GET" => Ok(Decision::Answer(question(visit))),
        "POST" => Err(Error::Denied(Denial::LogoutCrossSite).into()),
        _ => Err(Refusal::of_method("GET, POST")),
    }
}

/// The page where a logout lands. It is the same for everybody, and never starts a login.
pub async fn landing(visit: &Visit<'_>) -> Result<Decision, Refusal> {
    if visit.request.method() != "GET" {
        return Err(Refusal::of_method("GET"));
    }
    let state = LogoutState(visit.cookies());
    let expected = state.load();
    if expected.is_some() && expected.as_deref() != returned_state(visit).as_deref() {
        visit.host().log(
            Level::Warn,
            &format!(
                "logout_state_mismatch request_id={}",
                caller::request_id(visit.request)
            ),
        );
    }
    let page = match session::known(visit).await.is_some() {
        true => Page {
            title: "Still signed in",
            message: "You are still signed in here.",
            code: None,
            request_id: None,
            link: Some(Link::Follow {
                target: &visit.gateway.config.paths.logout,
                text: "Sign out",
            }),
        },
        false => Page {
            title: "Signed out",
            message: "You are signed out.",
            code: None,
            request_id: None,
            link: Some(Link::Follow {
                target: "/",
                text: "Sign in again",
            }),
        },
    };
    let set_cookies = expected.map(|_| state.delete()).into_iter().collect();
    Ok(Decision::Answer(
        Response::page(200, &page).with_cookies(set_cookies),
    ))
}

fn question(visit: &Visit<'_>) -> Response {
    Response::page(
        200,
        &Page {
            title: "Sign out?",
            message: "Do you want to sign out?",
            code: None,
            request_id: None,
            link: Some(Link::Post {
                target: &visit.gateway.config.paths.logout,
                text: "Sign out",
            }),
        },
    )
}

async fn end(visit: &Visit<'_>) -> Result<Decision, Refusal> {
    let was_logged_in = ending::end(visit, Occasion::Logout).await;
    let data = visit.relying_party().known_provider();
    let hint = IdTokenHint {
        context: visit.cookies(),
        path: &visit.gateway.config.paths.logout,
    };
    let id_token = hint.load();
    let mut set_cookies = StoredSession(visit.cookies()).delete();
    set_cookies.extend(hint.delete());
    let landing = format!(
        "{}{}",
        visit.origin(),
        visit.gateway.config.paths.logged_out
    );
    let location = match was_logged_in || id_token.is_some() {
        true => at_provider(
            visit,
            data.as_deref(),
            id_token.as_deref(),
            &landing,
            &mut set_cookies,
        )?,
        false => None,
    };
    let response = Response::redirect(location.unwrap_or(landing)).with_cookies(set_cookies);
    Ok(Decision::Answer(response))
}

/// The provider's logout address, where it has one.
fn at_provider(
    visit: &Visit<'_>,
    data: Option<&ProviderData>,
    id_token: Option<&str>,
    landing: &str,
    set_cookies: &mut Vec<String>,
) -> Result<Option<String>, Error> {
    let Some(endpoint) = data.and_then(|data| data.metadata.end_session_endpoint.as_ref()) else {
        return Ok(None);
    };
    let state = pkce::opaque(visit.host())?;
    set_cookies.push(LogoutState(visit.cookies()).store(&state)?);
    // Two cookies hold an ID token below 6 KiB, so the address stays below the 8 KiB that servers
    // take.
    let request = EndSessionRequest {
        client_id: &visit.gateway.client()?.id,
        id_token_hint: id_token,
        post_logout_redirect_uri: landing,
        state: &state,
    };
    Ok(Some(request.url(endpoint)))
}

fn returned_state(visit: &Visit<'_>) -> Option<Vec<u8>> {
    url::form_urlencoded::parse(query(visit.request.target()))
        .find(|(name, _)| name == "state")
        .map(|(_, value)| value.into_owned().into_bytes())
}
