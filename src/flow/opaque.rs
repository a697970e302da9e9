//! Access tokens that say nothing themselves, not even whose they are.

use std::rc::Rc;

use super::bearer::{self, OpenToken};
use super::introspection;
use super::serve::Visit;
use crate::config::{AccessTokenPolicy, IntrospectionPolicy, Provider};
use crate::error::{Error, TokenFault};
use crate::session::CacheKey;

/// The longest token that a provider is asked about.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The provider that is asked about them.
pub struct Asked<'a> {
    index: usize,
    provider: &'a Provider,
    policy: &'a AccessTokenPolicy,
    introspection: &'a IntrospectionPolicy,
}

impl<'a> Asked<'a> {
    /// One provider at most is asked.
    pub fn of(visit: &Visit<'a>) -> Option<Self> {
        let mut providers = visit.gateway.config.providers().enumerate();
        providers.find_map(|(index, provider)| {
            let policy = provider.access_tokens.as_ref()?;
            Some(Self {
                index,
                provider,
                policy,
                introspection: policy.introspection.as_ref()?,
            })
        })
    }

    /// The token, if it is remembered, or the provider says that it is active and for us.
    pub async fn verify(&self, visit: &Visit<'_>, token: &str) -> Result<Rc<OpenToken>, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::AccessToken(TokenFault::TooLarge));
        }
        let digest = introspection::digest(token);
        let key = CacheKey::Digest(&digest);
        let known = visit.gateway.tokens.borrow_mut().find(key, "");
        if let Some(known) = known
            && bearer::is_current(visit, &known)
        {
            return Ok(known);
        }
        let asked = bearer::provider_of(visit, self.index)?;
        let read = |claims| {
            let verifier = asked.access_token_verifier(self.policy);
            verifier.verify_introspected(claims, self.introspection)
        };
        let told = asked
            .introspect(self.introspection, token, &digest, read)
            .await;
        let open = told.and_then(|(verified, until)| {
            let mut open = bearer::open(
                visit,
                token,
                &verified,
                (self.index, self.provider),
                self.policy,
            )?;
            open.good_until = open.good_until.min(until);
            Ok(open)
        });
        bearer::keep(visit, key, open)
    }
}
