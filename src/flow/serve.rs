//! The life of a request, from its head to a decision.

use std::rc::Rc;

use super::authorization::Refused;
use super::relying_party::RelyingParty;
use super::session_store::SessionStore;
use super::{
    Decision, Exchange, Forward, Gateway, back_channel, callback, caller, entrance, front_channel,
    logout,
};
use crate::answer::{Audience, Challenge, Link, Response};
use crate::config::AuthenticationDemand;
use crate::error::{Error, InternalFault, RequestFault};
use crate::host::Host;
use crate::request::Request;
use crate::route::{Authority, Route};
use crate::session::{CookieContext, CookieJar};
use crate::telemetry::Metric;

/// Decides about one request.
pub async fn serve(gateway: Rc<Gateway>, request: Request, exchange: Exchange) -> Decision {
    let audience = caller::audience(&request);
    match decide(&gateway, &request, &exchange, audience).await {
        Ok(decision) => decision,
        Err(refusal) => Decision::Answer(refusal.into_response(&gateway, &request, audience)),
    }
}

/// The answer to a request that the host does not let Portero read or change as it must.
pub fn broken(gateway: &Gateway) -> Response {
    let refusal = Refusal::from(Error::Internal(InternalFault::Bug));
    refusal.into_response(gateway, &Request::new(Vec::new()), Audience::Program)
}

async fn decide(
    gateway: &Gateway,
    request: &Request,
    exchange: &Exchange,
    audience: Audience,
) -> Result<Decision, Refusal> {
    let authority = Authority::of(request)?;
    let route = Route::of(
        &gateway.config,
        &authority,
        request.method(),
        request.target(),
    )?;
    let jar = CookieJar::of(request);
    let visit = Visit {
        gateway,
        request,
        exchange,
        audience,
        authority: &authority,
        jar: &jar,
    };
    match route {
        Route::Public => Ok(Decision::Forward(visit.forward())),
        Route::Protected(rule) => entrance::enter(&visit, rule).await,
        Route::Callback => callback::finish(&visit).await,
        Route::Logout => logout::leave(&visit).await,
        Route::LoggedOut => logout::landing(&visit).await,
        Route::FrontChannelLogout => front_channel::clear(&visit).await,
        Route::BackChannelLogout => back_channel::receive(&visit).await,
    }
}

/// One request under one configuration.
pub(super) struct Visit<'a> {
    pub gateway: &'a Gateway,
    pub request: &'a Request,
    pub exchange: &'a Exchange,
    pub audience: Audience,
    pub authority: &'a Authority,
    pub jar: &'a CookieJar<'a>,
}

impl<'a> Visit<'a> {
    pub fn host(&self) -> &'a dyn Host {
        self.gateway.host.as_ref()
    }

    pub fn cookies(&self) -> CookieContext<'a> {
        self.gateway.cookies(self.jar, self.authority.as_str())
    }

    /// Scheme and authority of the site that the browser sees. Behind TLS that somebody else
    /// terminates the proxy may see `http`, but the browser never does.
    pub fn origin(&self) -> String {
        let insecure = self.gateway.config.session.cookie.insecure_allow_http;
        let scheme = match self.request.text(":scheme") {
            Some("http") if insecure => "http",
            _ => "https",
        };
        format!("{scheme}://{}", self.authority.as_str())
    }

    /// The request as it may go to the upstream, without identity.
    pub fn forward(&self) -> Forward {
        self.gateway.guard.strip(self.request, &self.gateway.names)
    }

    /// The store of sessions, where there is one.
    pub fn store(&self) -> Option<SessionStore<'a>> {
        SessionStore::of(self.gateway, self.exchange, self.authority.as_str())
    }

    pub const fn relying_party(&self) -> RelyingParty<'a> {
        RelyingParty {
            gateway: self.gateway,
            exchange: self.exchange,
        }
    }
}

/// An error on its way to becoming an answer.
pub(super) struct Refusal {
    pub error: Error,
    pub set_cookies: Vec<String>,
    /// Where a person may start over.
    pub again: Option<String>,
    /// What the caller's authentication lacks, where that is what went wrong.
    pub demand: Option<Box<AuthenticationDemand>>,
    /// What the rule's policy says against it, where that is what went wrong.
    pub refused: Option<Box<Refused>>,
    /// The methods that the address takes, where that is what went wrong.
    pub allow: Option<&'static str>,
    /// Who reads the answer, where the address and not the request tells.
    pub audience: Option<Audience>,
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            set_cookies: Vec::new(),
            again: None,
            demand: None,
            refused: None,
            allow: None,
            audience: None,
        }
    }
}

impl Refusal {
    /// RFC 9110 section 15.5.6 demands the methods that are allowed.
    pub fn of_method(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..RequestFault::MethodNotAllowed.into()
        }
    }

    fn into_response(self, gateway: &Gateway, request: &Request, audience: Audience) -> Response {
        let report = self.error.report();
        let request_id = caller::request_id(request);
        gateway.host.count(&Metric::Failure(report.code.clone()));
        let cause = match (&self.refused, self.error.cause()) {
            (Some(refused), _) => refused.note(gateway.host.as_ref()),
            (None, Some(cause)) => format!(" cause=\"{cause}\""),
            (None, None) => String::new(),
        };
        gateway.host.log(
            report.level,
            &format!(
                "request_refused code={} status={} request_id={request_id}{cause}",
                report.code, report.status
            ),
        );
        let audience = self.audience.unwrap_or(audience);
        let link = match (&self.refused, &self.again) {
            (Some(_), _) => Some(Link::Follow {
                target: &gateway.config.paths.logout,
                text: "Use another account",
            }),
            (None, again) => again.as_deref().map(|target| Link::Follow {
                target,
                text: "Try again",
            }),
        };
        let challenge = match (&self.refused, &self.demand) {
            (Some(refused), _) if !refused.denied.scopes.is_empty() => {
                Challenge::InsufficientScope {
                    scopes: &refused.denied.scopes,
                }
            }
            (_, Some(demand)) => Challenge::InsufficientUserAuthentication {
                max_age: demand.max_age.map(|age| age.as_secs()),
                acr_values: &demand.acr_values,
            },
            _ => Challenge::Plain,
        };
        let response = Response::error(&report, audience, request_id, link, &challenge)
            .with_cookies(self.set_cookies);
        match self.allow {
            Some(methods) => response.with_header("allow", methods.to_owned()),
            None => response,
        }
    }
}
