//! A request with an access token (RFC 6750): whose it is, and whether they may.

use std::borrow::Cow;
use std::rc::Rc;

use super::authorization::Refused;
use super::provider_keys::ProviderKeys;
use super::serve::{KnownCaller, Refusal, Visit};
use super::upstream_token::CallerTokens;
use super::{Forward, audit, introspection, opaque, signed_identity};
use crate::answer::Audience;
use crate::authz::{self, Principal, Verdict};
use crate::bearer_token;
use crate::config::{AccessTokenPolicy, Config, Provider};
use crate::consumer::{self, Caller};
use crate::error::{Denial, Error, TokenFault};
use crate::jose::{Claims, Jws};
use crate::oidc::VerifiedAccessToken;
use crate::provider::Sender;
use crate::session::{Authentication, CacheKey, CallerIdentity, Footprint, Given, footprint};
use crate::time::Timestamp;
use crate::upstream::{self, Known};

/// A token that has been verified, with what requests need of it.
pub struct OpenToken {
    claims: Rc<Claims>,
    authentication: Authentication,
    /// The index of its provider among the configured ones.
    provider: usize,
    /// The mark of the keys that verified it; nothing where they are written by hand, or where the provider
    /// was asked instead.
    keys_of: Option<[u8; 8]>,
    /// By the provider's clock, with what that may differ from ours.
    pub(super) good_until: Timestamp,
    given: Rc<Given>,
    /// Where the upstream gets a signed one.
    identity: Option<CallerIdentity>,
    /// It is of no consumer, and its issuer's have to be.
    lacks_consumer: bool,
}

impl Footprint for OpenToken {
    fn size(&self) -> usize {
        let claims = self.claims.as_object().iter();
        let claims = claims.map(|(name, value)| name.len().saturating_add(footprint(value)));
        claims
            .chain(self.identity.as_ref().map(Footprint::size))
            .fold(self.given.size(), usize::saturating_add)
    }
}

/// The request's token, verified; nothing where it has none. One that is not good is never nothing.
pub async fn find(visit: &Visit<'_>) -> Result<Option<Rc<OpenToken>>, Refusal> {
    let bearer = &visit.gateway.config.bearer;
    let candidate = bearer_token::candidate(bearer, visit.request, visit.jar);
    let Some(candidate) = candidate.map_err(|fault| for_program(fault.into()))? else {
        return Ok(None);
    };
    match known_or_verified(visit, candidate).await {
        Ok(token) if token.lacks_consumer => Err(Refusal {
            caller: Some(Box::new(known(&visit.gateway.config, &token))),
            ..for_program(Error::Denied(Denial::ConsumerUnknown))
        }),
        verified => verified.map(Some).map_err(for_program),
    }
}

/// Lets a token through that meets the rule's demand and its policy.
pub fn enter(
    visit: &Visit<'_>,
    rule: Option<usize>,
    token: &OpenToken,
) -> Result<Forward, Refusal> {
    let config = &visit.gateway.config;
    let demand = config.authentication(rule);
    let policy = policy_of(visit, token.provider)?;
    let now = visit.host().now();
    if !token.authentication.meets(demand, now, policy.clock_skew) {
        return Err(Refusal {
            caller: Some(Box::new(KnownCaller {
                demand: Some(demand.clone()),
                ..known(config, token)
            })),
            ..for_program(Error::Denied(Denial::InsufficientAuthentication))
        });
    }
    if let Some(policy) = config.policy(rule)
        && let Verdict::Denied(denied) =
            authz::evaluate(policy, &Principal::of_token(Some(token.claims.as_object())))
    {
        return Err(Refusal {
            caller: Some(Box::new(KnownCaller {
                refused: Some(Refused { denied, rule }),
                ..known(config, token)
            })),
            ..for_program(Error::Denied(Denial::Forbidden))
        });
    }
    let mut forward = visit.forward();
    forward.given = Some(Rc::clone(&token.given));
    signed_identity::tell(visit, rule, token.identity.as_ref(), &mut forward)
        .map_err(for_program)?;
    // Caches know that an answer to `Authorization` is one caller's (RFC 9111 section 3.5), and of no other
    // place of a token.
    forward.is_private = visit.request.all("authorization").next().is_none();
    forward.caller = CallerTokens::of_program(visit, token.provider);
    Ok(forward)
}

/// Whose token it is, where it is refused although it is good.
pub fn known(config: &Config, token: &OpenToken) -> KnownCaller {
    let issuer = config.providers().nth(token.provider);
    let issuer = issuer.map(|provider| provider.issuer.as_str());
    KnownCaller {
        who: audit::token(issuer.unwrap_or_default(), token.claims.as_object()),
        ..KnownCaller::default()
    }
}

/// Whoever sends a token is a program, whatever it takes for an answer.
fn for_program(error: Error) -> Refusal {
    Refusal {
        audience: Some(Audience::Program),
        has_token: true,
        ..error.into()
    }
}

/// What has been verified has been a token: only of others it is asked what they look like.
async fn known_or_verified(
    visit: &Visit<'_>,
    candidate: Cow<'_, [u8]>,
) -> Result<Rc<OpenToken>, Error> {
    let key = CacheKey::Token(&candidate);
    let known = visit.gateway.tokens.borrow_mut().find(key, "");
    match known {
        Some(known) if is_current(visit, &known) => Ok(known),
        // Rare, and boxed so that the flow of every other request is small.
        _ => Box::pin(verify(visit, bearer_token::checked(candidate)?)).await,
    }
}

async fn verify(visit: &Visit<'_>, token: Cow<'_, str>) -> Result<Rc<OpenToken>, Error> {
    let token = &*token;
    if let Some(asked) = opaque::Asked::of(visit)
        && !Jws::is_one(token)
    {
        return asked.verify(visit, token).await;
    }
    let jws = Jws::parse(token).map_err(Error::AccessToken)?;
    // Nothing of the token is verified: its issuer only says which keys may do that.
    let issuer = jws.unverified_issuer().map_err(Error::AccessToken)?;
    let mut providers = visit.gateway.config.providers().enumerate();
    // Of an unknown issuer, a token is as bad as it would be of a known one with another's signature.
    let (index, provider, policy) = providers
        .find_map(|(index, provider)| {
            let policy = provider.access_tokens.as_ref()?;
            (provider.issuer == issuer).then_some((index, provider, policy))
        })
        .ok_or(Error::AccessToken(TokenFault::IssuerMismatch))?;
    let open = verify_jwt(visit, token, &jws, (index, provider), policy).await;
    keep(visit, CacheKey::Token(token.as_bytes()), open)
}

/// Remembers a token that is good, and forgets one that is not: keys that were taken back take the token
/// with them.
pub(super) fn keep(
    visit: &Visit<'_>,
    key: CacheKey<'_>,
    open: Result<OpenToken, Error>,
) -> Result<Rc<OpenToken>, Error> {
    let mut tokens = visit.gateway.tokens.borrow_mut();
    let open = open.map(Rc::new).inspect_err(|_| tokens.remove(key))?;
    tokens.insert(key, "", &open);
    Ok(open)
}

async fn verify_jwt(
    visit: &Visit<'_>,
    token: &str,
    jws: &Jws<'_>,
    (index, provider): (usize, &Provider),
    policy: &AccessTokenPolicy,
) -> Result<OpenToken, Error> {
    let keys = provider_of(visit, index)?;
    let data = match policy.keys.is_empty() {
        true => Some(keys.wait().await?),
        false => None,
    };
    let verified = keys
        .verify_access_token(policy, jws, data.as_deref(), Sender::Anybody)
        .await;
    let (verified, keys_of) = verified.map_err(Error::AccessToken)?;
    let mut open = open(visit, token, &verified, (index, provider), policy)?;
    open.keys_of = keys_of;
    let asking = policy.introspection.as_ref();
    if let Some(asking) = asking.filter(|asking| asking.jwt) {
        let verifier = keys.access_token_verifier(policy);
        let confirm = |said: Claims| verifier.confirm(&verified, &said);
        let digest = introspection::digest(token);
        let told = keys.introspect(asking, token, &digest, confirm);
        let ((), until) = told.await?;
        open.good_until = open.good_until.min(until);
    }
    Ok(open)
}

/// Whether a token that was verified before is still good, by its time and by its provider's keys.
pub(super) fn is_current(visit: &Visit<'_>, token: &OpenToken) -> bool {
    let is_good = visit.host().now() < token.good_until;
    let keys = ProviderKeys::of(visit.gateway, visit.exchange, token.provider);
    let has_its_keys = match (token.keys_of, keys) {
        (None, _) => true,
        (Some(mark), Some(keys)) => keys.at_hand().is_some_and(|data| data.keys_mark == mark),
        (Some(_), None) => false,
    };
    is_good && has_its_keys
}

pub(super) fn open(
    visit: &Visit<'_>,
    token: &str,
    verified: &VerifiedAccessToken,
    (index, provider): (usize, &Provider),
    policy: &AccessTokenPolicy,
) -> Result<OpenToken, Error> {
    let claims = verified.claims();
    let time = |claim| claims.numeric_date(claim).map_err(Error::AccessToken);
    let upstream = &visit.gateway.config.upstream;
    let told = upstream::told(upstream, claims.as_object());
    let known = Known {
        claims: &told,
        id_token: None,
        access_token: Some(token),
        access_token_claims: Some(claims.as_object()),
    };
    let mut headers = upstream::headers(upstream, &known);
    let ends_at = time("exp")?.map(|ends_at| ends_at.after(policy.clock_skew));
    let config = &visit.gateway.config;
    let identity =
        signed_identity::of_access_token(config, provider, claims.as_object(), ends_at, &known);
    let consumers = visit.gateway.config.consumers.as_ref();
    let caller =
        consumers.map(|consumers| consumer::find(consumers, &provider.issuer, claims.as_object()));
    headers.extend(caller.iter().flat_map(Caller::headers));
    Ok(OpenToken {
        authentication: Authentication {
            issued_at: time("iat")?.unwrap_or_default(),
            auth_time: time("auth_time")?,
            acr: claims.string("acr").ok().flatten().map(ToOwned::to_owned),
        },
        provider: index,
        keys_of: None,
        good_until: verified.expires_at().after(policy.clock_skew),
        given: Rc::new(Given {
            headers,
            filter_state: upstream::filter_state(upstream, &known),
        }),
        identity,
        lacks_consumer: policy.require_consumer && !caller.is_some_and(|caller| caller.is_known()),
        claims: Rc::clone(claims),
    })
}

pub(super) fn provider_of<'a>(visit: &Visit<'a>, index: usize) -> Result<ProviderKeys<'a>, Error> {
    ProviderKeys::of(visit.gateway, visit.exchange, index).ok_or(Error::ProviderUnavailable)
}

fn policy_of<'a>(visit: &Visit<'a>, provider: usize) -> Result<&'a AccessTokenPolicy, Error> {
    let provider = visit.gateway.config.providers().nth(provider);
    provider
        .and_then(|provider| provider.access_tokens.as_ref())
        .ok_or(Error::ProviderUnavailable)
}
