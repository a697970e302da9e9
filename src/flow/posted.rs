//! A form that is posted when its session is over: kept across the login, and sent after it.

use std::borrow::Cow;

use super::serve::Visit;
use super::{BodyFault, Decision, caller, login};
use crate::answer::{Audience, Link, Page, Response};
use crate::error::RequestFault;
use crate::session::{CacheKey, Form, SessionCookie, StoredSession};

/// The form that this request posts, if it may be kept.
///
/// Another site can make a browser post a form here, but without the session's cookie where that is
/// `SameSite=Lax`. Sent again by a page of this site it would go with the cookie, so only a form of
/// this very site is kept.
pub async fn form(visit: &Visit<'_>) -> Result<Option<Form>, RequestFault> {
    let most = visit.gateway.config.session.preserved_post_bytes;
    let request = visit.request;
    let is_kept = most > 0
        && request.method() == "POST"
        && visit.audience() == Audience::Browser
        && caller::is_from_own_page(request, &visit.origin())
        && caller::has_form(request)
        && login::keeps_whole(request);
    if !is_kept {
        return Ok(None);
    }
    match visit.exchange.body(most).await {
        Ok(body) => Ok(fields(&body).is_some().then(|| Form {
            subject: subject(visit),
            encoded: body,
        })),
        Err(BodyFault::TooLarge) => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

/// Whose session the browser's cookie is, be it over or not. Of one in the store that is not in use
/// here nothing is known.
fn subject(visit: &Visit<'_>) -> Option<String> {
    let cookie = StoredSession(visit.cookies());
    match cookie.open(&cookie.sealed()?)? {
        SessionCookie::Whole(session) => Some(session.into_owned().subject),
        SessionCookie::Reference(reference) => {
            let mut sessions = visit.gateway.sessions.borrow_mut();
            let open =
                sessions.find(CacheKey::Reference(&reference.id), visit.authority.as_str())?;
            Some(open.session.subject.clone())
        }
    }
}

/// The page that sends the form of a login that has succeeded, if the browser still has it. It waits
/// for nobody only where `subject`, who is logged in now, has filled it in: what somebody wrote must
/// not go out in another's name.
pub fn send(
    visit: &Visit<'_>,
    form: Option<&Form>,
    subject: &str,
    target: &str,
    set_cookies: Vec<String>,
) -> Decision {
    let target = format!("{}{target}", visit.origin());
    let found = form.and_then(|form| Some((form.subject.as_deref(), fields(&form.encoded)?)));
    let page = match found {
        Some((author, fields)) => {
            let (title, message) = match author {
                Some(author) if author == subject => (
                    "Sending your form",
                    "You are signed in again. Your form is being sent.",
                ),
                Some(_) => (
                    "This form was not sent yet",
                    "You are signed in, but this form was filled in by somebody else. \
                     Send it only if it is to go out in your name.",
                ),
                None => (
                    "Your form was not sent yet",
                    "You are signed in. This form was filled in before this sign-in: \
                     send it only if it was you who filled it in.",
                ),
            };
            Page {
                title,
                message,
                code: None,
                request_id: None,
                link: Some(Link::Send {
                    target: &target,
                    fields,
                    text: "Send",
                    by_itself: author == Some(subject),
                }),
            }
        }
        None => Page {
            title: "Your form was not sent",
            message: "You are signed in again, but your form could not be kept. Please fill it in again.",
            code: None,
            request_id: None,
            link: Some(Link::Follow {
                target: &target,
                text: "Go on",
            }),
        },
    };
    Decision::Answer(Response::page(200, &page).with_cookies(set_cookies))
}

/// The fields, unless a page could not send them as they are: one sends text in UTF-8, and no NUL.
fn fields(form: &[u8]) -> Option<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let is_sendable = |text: &str| !text.contains(['\0', char::REPLACEMENT_CHARACTER]);
    let fields: Vec<_> = url::form_urlencoded::parse(form).collect();
    let all = fields
        .iter()
        .all(|(name, value)| is_sendable(name) && is_sendable(value));
    all.then_some(fields)
}
