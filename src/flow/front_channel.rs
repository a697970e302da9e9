//! The provider logs a browser out here, in a frame of its own logout page
//! (OpenID Connect Front-Channel Logout 1.0).
//!
//! Whatever page can make a browser load an address can make it come here. So the provider hears
//! nothing of it, no call and no revocation: only this browser's cookies go, and what the session
//! store has of them, and only if the session is the one that the provider names.

use std::borrow::Cow;

use super::ending::{self, Occasion};
use super::serve::{Refusal, Visit};
use super::{Decision, session};
use crate::answer::Response;
use crate::config::Provider;
use crate::endpoint::Endpoint;
use crate::error::RequestFault;
use crate::request::{Request, query};
use crate::session::{IdTokenHint, Session, StoredSession};

const BODY: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
                    <title>Signed out</title></head><body></body></html>";

/// Clears the session that the provider names. One that is gone already is a success (section 2).
pub async fn clear(visit: &Visit<'_>) -> Result<Decision, Refusal> {
    if visit.request.method() != "GET" {
        return Err(Refusal::of_method("GET"));
    }
    let provider = &visit.gateway.config.provider;
    let named = Named::parse(visit.request.target())?;
    if !is_for_frame(visit.request) || !named.is_from(provider) {
        return Err(RequestFault::FrontChannelLogoutMismatch.into());
    }
    let set_cookies = match session::find(visit).await? {
        Some((open, _)) if named.means(&open.session) => forget(visit).await,
        Some(_) => return Err(RequestFault::FrontChannelLogoutMismatch.into()),
        None => Vec::new(),
    };
    Ok(Decision::Answer(framed(visit).with_cookies(set_cookies)))
}

/// Whether the answer is for a frame, as far as the browser says what it is for (Fetch Metadata). A link
/// on any page leads a whole window here, with the cookies that a navigation brings.
fn is_for_frame(request: &Request) -> bool {
    request
        .all("sec-fetch-dest")
        .all(|dest| matches!(dest, b"iframe" | b"frame"))
}

/// Whose session the provider speaks of.
#[derive(Debug)]
struct Named<'a> {
    iss: Option<Cow<'a, str>>,
    sid: Option<Cow<'a, str>>,
}

impl<'a> Named<'a> {
    /// Reads path and query. Unknown parameters are ignored: the registered address may have some.
    fn parse(target: &'a [u8]) -> Result<Self, RequestFault> {
        const MISMATCH: RequestFault = RequestFault::FrontChannelLogoutMismatch;
        let (mut iss, mut sid) = (None, None);
        for (name, value) in url::form_urlencoded::parse(query(target)) {
            let slot = match name.as_ref() {
                "iss" => &mut iss,
                "sid" => &mut sid,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(MISMATCH);
            }
        }
        Ok(Self { iss, sid })
    }

    /// Section 2 lets a provider leave both parameters out; then nothing tells it from any other page.
    /// So `iss` is required, unless the configuration is content with a `sid`.
    fn is_from(&self, provider: &Provider) -> bool {
        match &self.iss {
            Some(iss) => *iss == provider.issuer,
            None => {
                provider.insecure_frontchannel_logout_without_iss
                    && self.sid.as_ref().is_some_and(|sid| !sid.is_empty())
            }
        }
    }

    /// A session for which the provider gave no `sid` is meant by the issuer alone.
    fn means(&self, session: &Session) -> bool {
        match &session.sid {
            Some(sid) => self.sid.as_deref() == Some(sid),
            None => self.iss.is_some(),
        }
    }
}

/// What the logout path deletes. Its own cookie is not seen here, so that goes unseen.
async fn forget(visit: &Visit<'_>) -> Vec<String> {
    ending::end(visit, Occasion::FrontChannel).await;
    let hint = IdTokenHint {
        context: visit.cookies(),
        path: &visit.gateway.config.paths.logout,
    };
    let mut set_cookies = StoredSession(visit.cookies()).delete();
    set_cookies.extend(hint.delete_unseen());
    set_cookies
}

/// The one answer of Portero's that may be shown in a frame, and only in the provider's.
fn framed(visit: &Visit<'_>) -> Response {
    let ancestors = ancestors(visit);
    let mut response = Response::new(200)
        .with_header("content-type", "text/html; charset=utf-8".to_owned())
        .with_header(
            "content-security-policy",
            format!(
                "default-src 'none'; form-action 'none'; frame-ancestors {ancestors}; \
                 base-uri 'none'"
            ),
        )
        .with_header("x-content-type-options", "nosniff".to_owned())
        .with_header("referrer-policy", "no-referrer".to_owned());
    BODY.clone_into(&mut response.body);
    response
}

/// The origins on which the provider may show its logout page: the issuer's, and those where it
/// takes browsers, as far as they are known now.
fn ancestors(visit: &Visit<'_>) -> String {
    let provider = &visit.gateway.config.provider;
    let (authorization, end_session) = match visit.relying_party().known_provider() {
        Some(data) => (
            data.metadata.authorization_endpoint.clone(),
            data.metadata.end_session_endpoint.clone(),
        ),
        None => (
            provider.endpoints.authorization.clone(),
            provider.endpoints.end_session.clone(),
        ),
    };
    let issuer = Endpoint::parse(&provider.issuer, provider.insecure_allow_http).ok();
    let mut origins: Vec<String> = Vec::new();
    for endpoint in [issuer, authorization, end_session].into_iter().flatten() {
        match source(&endpoint) {
            Some(origin) if !origins.contains(&origin) => origins.push(origin),
            _ => {}
        }
    }
    match origins.is_empty() {
        true => "'none'".to_owned(),
        false => origins.join(" "),
    }
}

/// An origin as a policy names it. A URL's host may have characters that end a directive (`;`, `,`);
/// such an origin is left out.
fn source(endpoint: &Endpoint) -> Option<String> {
    let authority = endpoint.authority();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    authority
        .bytes()
        .all(is_plain)
        .then(|| format!("{}://{authority}", endpoint.scheme()))
}

#[cfg(test)]
mod tests;
