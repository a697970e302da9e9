//! The token by which an upstream can verify who is calling, instead of trusting headers: signed by
//! Portero, for one audience, and short-lived.

use serde_json::{Map, Value};

use super::serve::{Refusal, Visit};
use super::{Decision, Forward, document};
use crate::config::{Config, Provider, SignedIdentity};
use crate::error::{Error, InternalFault};
use crate::jose::client_of;
use crate::oidc::SignedToken;
use crate::session::{CallerIdentity, Session};
use crate::time::Timestamp;
use crate::upstream::{self, Known};

/// The token's type: of no other token, so that it is taken for no other (RFC 8725 section 3.11).
const TYPE: &str = "portero-identity+jwt";

/// What the upstream is told of a person with a session, where it gets tokens.
pub fn of_session(config: &Config, session: &Session, known: &Known<'_>) -> Option<CallerIdentity> {
    let who = Who {
        provider: &config.provider,
        subject: Some(&session.subject),
        client: None,
        ends_at: Some(session.ends_at),
    };
    who.identity(config, known)
}

/// What the upstream is told of whoever has an access token with these claims. One that has no subject is
/// the client's own, which is said by another claim: no client may be taken for a person (RFC 9700 section
/// 4.15). `ends_at` where it says when it ends.
pub fn of_access_token(
    config: &Config,
    provider: &Provider,
    claims: &Map<String, Value>,
    ends_at: Option<Timestamp>,
    known: &Known<'_>,
) -> Option<CallerIdentity> {
    let subject = claims.get("sub").and_then(Value::as_str);
    let who = Who {
        provider,
        subject: subject.filter(|text| !text.is_empty()),
        client: client_of(claims),
        ends_at,
    };
    who.identity(config, known)
}

struct Who<'a> {
    provider: &'a Provider,
    subject: Option<&'a str>,
    /// Whose the token is where it has no subject.
    client: Option<&'a str>,
    ends_at: Option<Timestamp>,
}

impl Who<'_> {
    fn identity(&self, config: &Config, known: &Known<'_>) -> Option<CallerIdentity> {
        let identity = config.upstream.identity.as_ref()?;
        let mut claims = upstream::identity_claims(&identity.claims, known);
        claims.insert("idp".to_owned(), self.provider.issuer.as_str().into());
        match (self.subject, self.client) {
            (Some(subject), _) => {
                claims.insert("sub".to_owned(), subject.into());
            }
            (None, Some(client)) => {
                claims.insert("client_id".to_owned(), client.into());
            }
            (None, None) => {}
        }
        Some(CallerIdentity::new(
            claims,
            self.ends_at,
            identity.most_kept,
        ))
    }
}

/// Tells the upstream of a request under this rule who is calling, where it gets tokens. Without one,
/// nothing may go there.
pub fn tell(
    visit: &Visit<'_>,
    rule: Option<usize>,
    caller: Option<&CallerIdentity>,
    forward: &mut Forward,
) -> Result<(), Error> {
    let config = &visit.gateway.config;
    let Some(identity) = &config.upstream.identity else {
        return Ok(());
    };
    let caller = caller.ok_or(InternalFault::Bug)?;
    let audience = config.identity_audience(identity, rule);
    let now = visit.host().now();
    let token = match caller.find(audience, now, identity.lifetime) {
        Some(token) => token,
        None => {
            let expires_at = caller.expires_at(now, identity.lifetime);
            let token = sign(visit, identity, caller, audience, expires_at)?;
            caller.keep(audience, &token, expires_at);
            token
        }
    };
    forward
        .set
        .push((identity.header.clone(), token.into_bytes()));
    Ok(())
}

/// Answers with the keys that verify it. Public: whoever gets a token has to be able to.
pub fn keys(visit: &Visit<'_>) -> Result<Decision, Refusal> {
    let identity = visit.gateway.config.upstream.identity.as_ref();
    let identity = identity.ok_or(InternalFault::Bug)?;
    document::publish(visit, &|| identity.key_set.clone())
}

fn sign(
    visit: &Visit<'_>,
    identity: &SignedIdentity,
    caller: &CallerIdentity,
    audience: &str,
    expires_at: Timestamp,
) -> Result<String, InternalFault> {
    let key = identity.keys.first().ok_or(InternalFault::Bug)?;
    let token = SignedToken {
        typ: TYPE,
        issuer: &identity.issuer,
        subject: None,
        audience,
        expires_at,
        claims: caller.claims().clone(),
    };
    token.sign(key, visit.host())
}
