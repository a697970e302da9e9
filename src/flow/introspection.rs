//! What the provider says of an access token (RFC 7662), and for how long that holds.

use sha2::{Digest, Sha256};

use super::provider_keys::ProviderKeys;
use super::{Call, Reply};
use crate::config::{IntrospectionCredentials, IntrospectionPolicy};
use crate::error::{CallFault, Error, InternalFault, TokenFault};
use crate::jose::Claims;
use crate::oidc::{ProviderMetadata, ResourceServer, parse_introspection};
use crate::session::{CacheKey, Footprint};
use crate::telemetry::Purpose;
use crate::time::Timestamp;

/// Budget of one worker's memory of tokens that do not count, in bytes. Anybody can fill it, so it is
/// not the memory of those that do.
pub(super) const REFUSED_BYTES: usize = 256 * 1024;

/// Why a token does not count, for a while.
pub struct RefusedToken {
    fault: TokenFault,
    until: Timestamp,
}

impl Footprint for RefusedToken {
    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

/// By what an opaque token is remembered: whoever reads this memory has no token.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

impl ProviderKeys<'_> {
    /// What `read` makes of the claims of an active token with this digest, and until when the provider need not be asked
    /// again. A token that does not count is remembered for as long as `policy` says.
    pub async fn introspect<T>(
        &self,
        policy: &IntrospectionPolicy,
        token: &str,
        digest: &[u8; 32],
        read: impl FnOnce(Claims) -> Result<T, TokenFault>,
    ) -> Result<(T, Timestamp), Error> {
        let key = CacheKey::Digest(digest);
        let refused = &self.gateway.refused_tokens;
        let asked_at = self.gateway.host.now();
        let known = refused.borrow_mut().find(key, "");
        if let Some(known) = known.filter(|known| asked_at < known.until) {
            return Err(Error::AccessToken(known.fault));
        }
        match self.ask(policy, token, read).await? {
            Ok(read) => Ok((read, asked_at.after(policy.cache))),
            Err(fault) => {
                let until = asked_at.after(policy.cache_inactive);
                let entry = RefusedToken { fault, until };
                refused.borrow_mut().insert(key, "", &entry.into());
                Err(Error::AccessToken(fault))
            }
        }
    }

    async fn ask<T>(
        &self,
        policy: &IntrospectionPolicy,
        token: &str,
        read: impl FnOnce(Claims) -> Result<T, TokenFault>,
    ) -> Result<Result<T, TokenFault>, Error> {
        let metadata = self.metadata().await?;
        let endpoint = metadata.introspection_endpoint.as_ref();
        let endpoint = endpoint.ok_or(Error::ProviderUnavailable)?;
        let form = self.resource_server(policy, &metadata)?.ask(token)?;
        let call = Call::with_form(self.provider, Purpose::Introspection, endpoint, form);
        let judge = |reply: Result<Reply, CallFault>| {
            let reply = reply?;
            match parse_introspection(reply.status, &reply.body)?.map(read) {
                None => Ok(Err(TokenFault::Inactive)),
                // The provider does not speak as the standard has it.
                Some(Err(TokenFault::ClaimInvalid { .. })) => Err(CallFault::Malformed),
                Some(verdict) => Ok(verdict),
            }
        };
        let verdict = self.gateway.call(self.exchange, call, judge).await;
        verdict.map_err(|fault| Error::Provider(Purpose::Introspection, fault))
    }

    fn resource_server<'s>(
        &'s self,
        policy: &'s IntrospectionPolicy,
        metadata: &'s ProviderMetadata,
    ) -> Result<ResourceServer<'s>, Error> {
        let client = match &policy.credentials {
            IntrospectionCredentials::Bearer(token) => return Ok(ResourceServer::Bearer(token)),
            IntrospectionCredentials::Client(client) => client,
            IntrospectionCredentials::ProviderClient => {
                let client = self.provider.client.as_ref();
                client.ok_or(Error::Internal(InternalFault::Bug))?
            }
        };
        let authenticator = self.authenticator(client, metadata);
        Ok(ResourceServer::Client(authenticator))
    }
}
