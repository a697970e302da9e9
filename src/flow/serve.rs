//! The life of a request, from its head to a decision.

use std::rc::Rc;

use super::authorization::Refused;
use super::relying_party::RelyingParty;
use super::session_store::SessionStore;
use super::{
    Decision, Exchange, Forward, Gateway, back_channel, callback, caller, entrance, front_channel,
    logout, resource_metadata, signed_identity, upstream_token,
};
use crate::answer::{Audience, Challenge, Link, Response};
use crate::authz;
use crate::config::AuthenticationDemand;
use crate::error::{BearerError, Denial, Error, InternalFault, RequestFault};
use crate::host::Host;
use crate::request::Request;
use crate::route::{self, Authority, Route};
use crate::session::{CookieContext, CookieJar};
use crate::telemetry::Metric;

/// Decides about one request.
pub async fn serve(gateway: Rc<Gateway>, request: Request, exchange: Exchange) -> Decision {
    match decide(&gateway, &request, &exchange).await {
        Ok(decision) => decision,
        Err(refusal) => Decision::Answer(refusal.into_response(&gateway, &request, None)),
    }
}

/// The answer to a request that the host does not let Portero read or change as it must.
pub fn broken(gateway: &Gateway) -> Response {
    let refusal = Refusal::from(Error::Internal(InternalFault::Bug));
    refusal.into_response(gateway, &Request::default(), None)
}

async fn decide(
    gateway: &Gateway,
    request: &Request,
    exchange: &Exchange,
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
        authority: &authority,
        jar: &jar,
    };
    // What is rare is boxed, so that the flow of every other request is small.
    let decision = match route {
        Route::Public(rule) => {
            let mut decision = Decision::Forward(visit.forward());
            let given = upstream_token::give(&visit, Some(rule), &mut decision).await;
            given.map(|()| decision)
        }
        Route::Protected(rule) => match entrance::enter(&visit, rule).await {
            Ok(mut decision) => {
                let given = upstream_token::give(&visit, rule, &mut decision).await;
                given.map(|()| decision)
            }
            refused => refused,
        },
        Route::Callback => Box::pin(callback::finish(&visit)).await,
        Route::Logout => Box::pin(logout::leave(&visit)).await,
        Route::LoggedOut => Box::pin(logout::landing(&visit)).await,
        Route::FrontChannelLogout => Box::pin(front_channel::clear(&visit)).await,
        Route::BackChannelLogout => Box::pin(back_channel::receive(&visit)).await,
        Route::ResourceMetadata(resource) => resource_metadata::tell(&visit, resource),
        Route::IdentityKeys => signed_identity::keys(&visit),
    };
    let place = Place {
        authority: &authority,
        rule: route.rule(),
    };
    Ok(decision.unwrap_or_else(|refusal| {
        Decision::Answer(refusal.into_response(gateway, request, Some(place)))
    }))
}

/// What a request is for.
struct Place<'a> {
    authority: &'a Authority,
    rule: Option<usize>,
}

/// One request under one configuration.
pub(super) struct Visit<'a> {
    pub gateway: &'a Gateway,
    pub request: &'a Request,
    pub exchange: &'a Exchange,
    pub authority: &'a Authority,
    pub jar: &'a CookieJar<'a>,
}

impl<'a> Visit<'a> {
    pub fn host(&self) -> &'a dyn Host {
        self.gateway.host.as_ref()
    }

    /// Who reads an answer that is not the upstream's. Most requests get none.
    pub fn audience(&self) -> Audience {
        caller::audience(self.request)
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
    /// Of a caller who is known and refused all the same.
    pub caller: Option<Box<KnownCaller>>,
    /// Whether the caller came with an access token.
    pub has_token: bool,
    /// The methods that the address takes, where that is what went wrong.
    pub allow: Option<&'static str>,
    /// Who reads the answer, where the address and not the request tells.
    pub audience: Option<Audience>,
}

/// Who is refused although it is known who they are.
#[derive(Default)]
pub(super) struct KnownCaller {
    /// In the words of an audit line.
    pub who: String,
    /// What their authentication lacks, where that is what went wrong.
    pub demand: Option<AuthenticationDemand>,
    /// What the rule's policy says against them, where that is what went wrong.
    pub refused: Option<Refused>,
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            set_cookies: Vec::new(),
            again: None,
            caller: None,
            has_token: false,
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

    /// `place` where it is known: for what cannot be read it is not.
    fn into_response(
        self,
        gateway: &Gateway,
        request: &Request,
        place: Option<Place<'_>>,
    ) -> Response {
        let report = self.error.report();
        let request_id = caller::request_id(request);
        gateway.host.count(&Metric::Failure(report.code.clone()));
        let cause = match (self.refused(), self.error.cause()) {
            (Some(refused), _) => refused.note(gateway.host.as_ref()),
            (None, Some(cause)) => format!(" cause=\"{cause}\""),
            (None, None) => String::new(),
        };
        let who = self.caller.as_ref().map_or("", |caller| &caller.who);
        let event = match report.status {
            500.. => "failure",
            _ => "denial",
        };
        gateway.host.log(
            report.level,
            &format!(
                "audit event={event} code={} status={} request_id={request_id}{cause}{who}",
                report.code, report.status
            ),
        );
        let audience = self.audience.unwrap_or_else(|| caller::audience(request));
        let link = match (self.refused(), &self.again) {
            (Some(_), _) => Some(Link::Follow {
                target: &gateway.config.paths.logout,
                text: "Use another account",
            }),
            (None, again) => again.as_deref().map(|target| Link::Follow {
                target,
                text: "Try again",
            }),
        };
        let scopes = self.scopes(gateway, place.as_ref().and_then(|place| place.rule));
        let resource = place.and_then(|place| {
            route::protected_resource(&gateway.config, place.authority, request.target())
        });
        let demand = self.caller.as_ref();
        let demand = demand.and_then(|caller| caller.demand.as_ref());
        let demand = demand.unwrap_or(AuthenticationDemand::NOTHING);
        let challenge = Challenge {
            realm: gateway.config.bearer.realm.as_deref(),
            error: self.error.bearer().filter(|error| {
                // To a session, which is no token, a challenge speaks of scopes or of nothing.
                *error != BearerError::InsufficientScope || self.has_token || !scopes.is_empty()
            }),
            scopes: &scopes,
            acr_values: &demand.acr_values,
            max_age: demand.max_age.map(|age| age.as_secs()),
            resource_metadata: resource.map(|resource| resource.identifier.metadata_url.as_str()),
        };
        let response = Response::error(&report, audience, request_id, link, &challenge)
            .with_cookies(self.set_cookies);
        match self.allow {
            Some(methods) => response.with_header("allow", methods.to_owned()),
            None => response,
        }
    }

    /// What a policy says against the caller.
    fn refused(&self) -> Option<&Refused> {
        self.caller.as_ref()?.refused.as_ref()
    }

    /// The scopes that would let the caller through, where scopes alone would.
    fn scopes(&self, gateway: &Gateway, rule: Option<usize>) -> Vec<String> {
        match (self.refused(), &self.error) {
            (Some(refused), _) => refused.denied.scopes.clone(),
            (None, Error::Denied(Denial::LoginRequired | Denial::TokenRequired)) => {
                let policy = gateway.config.policy(rule);
                policy.map(authz::wanted_scopes).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}
