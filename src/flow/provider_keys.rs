//! What a provider is known to be in the course of one flow: its metadata, and its keys.

use std::rc::Rc;

use super::gateway::KnownProvider;
use super::{Exchange, Gateway};
use crate::config::{AccessTokenPolicy, Client, Provider};
use crate::error::{Error, TokenFault};
use crate::jose::{JwkSet, Jws};
use crate::oidc::{AccessTokenVerifier, Authenticator, ProviderMetadata, VerifiedAccessToken};
use crate::provider::{Availability, KeyRefresh, ProviderData, Sender};

/// One of the configured providers.
#[derive(Clone, Copy)]
pub struct ProviderKeys<'a> {
    pub gateway: &'a Gateway,
    pub exchange: &'a Exchange,
    pub provider: &'a Provider,
    pub known: &'a KnownProvider,
}

impl<'a> ProviderKeys<'a> {
    /// The provider with this index among [`crate::config::Config::providers`].
    pub fn of(gateway: &'a Gateway, exchange: &'a Exchange, index: usize) -> Option<Self> {
        Some(Self {
            gateway,
            exchange,
            provider: gateway.config.providers().nth(index)?,
            known: gateway.providers.get(index)?,
        })
    }

    /// Metadata and keys, if they are known by now.
    pub fn at_hand(&self) -> Option<Rc<ProviderData>> {
        let now = self.gateway.host.now();
        match self.known.cache.borrow().availability(now) {
            Availability::Ready(data) => Some(data),
            Availability::Pending | Availability::Down => None,
        }
    }

    /// Metadata and keys, waited for within the provider's time limit.
    pub async fn wait(&self) -> Result<Rc<ProviderData>, Error> {
        let host = self.gateway.host.as_ref();
        let deadline = host.now().after(self.provider.timeout);
        loop {
            let now = host.now();
            let availability = self.known.cache.borrow().availability(now);
            match availability {
                Availability::Ready(data) => return Ok(data),
                Availability::Pending if now < deadline => {}
                Availability::Pending | Availability::Down => {
                    return Err(Error::ProviderUnavailable);
                }
            }
            self.exchange.wait().await;
        }
    }

    /// The metadata: as it is written by hand where that is enough, and waited for otherwise.
    pub async fn metadata(&self) -> Result<ProviderMetadata, Error> {
        match ProviderMetadata::by_hand(self.provider) {
            Some(metadata) => Ok(metadata),
            None => Ok(self.wait().await?.metadata.clone()),
        }
    }

    /// A client, where it authenticates itself to this provider.
    pub fn authenticator<'p>(
        &self,
        client: &'p Client,
        metadata: &'p ProviderMetadata,
    ) -> Authenticator<'p>
    where
        'a: 'p,
    {
        Authenticator {
            client,
            issuer: &self.provider.issuer,
            token_endpoint: metadata.token_endpoint.as_ref(),
            host: self.gateway.host.as_ref(),
        }
    }

    /// Attempts a verification; when the key is unknown, once more with newer keys. With the outcome
    /// comes the mark of the keys that it was reached with. Nothing where newer keys cannot be had now.
    pub async fn verify<T>(
        &self,
        data: &ProviderData,
        sender: Sender,
        attempt: impl Fn(&JwkSet) -> Result<T, TokenFault>,
    ) -> Result<Option<(T, [u8; 8])>, TokenFault> {
        match attempt(&data.keys) {
            Err(TokenFault::KeyUnknown) => {}
            verdict => return verdict.map(|outcome| Some((outcome, data.keys_mark))),
        }
        match self.newer(data, sender).await {
            Some(newer) => attempt(&newer.keys).map(|outcome| Some((outcome, newer.keys_mark))),
            None => Ok(None),
        }
    }

    /// Judges access tokens of this provider, now.
    pub fn access_token_verifier<'p>(
        &self,
        policy: &'p AccessTokenPolicy,
    ) -> AccessTokenVerifier<'p>
    where
        'a: 'p,
    {
        AccessTokenVerifier {
            issuer: &self.provider.issuer,
            policy,
            now: self.gateway.host.now(),
            host: self.gateway.host.as_ref(),
        }
    }

    /// Verifies an access token with the keys of `data`, and newer ones where need be; without `data`, with
    /// those that are written by hand. With the token comes the mark of the keys that were fetched.
    pub async fn verify_access_token(
        &self,
        policy: &AccessTokenPolicy,
        token: &Jws<'_>,
        data: Option<&ProviderData>,
        sender: Sender,
    ) -> Result<(VerifiedAccessToken, Option<[u8; 8]>), TokenFault> {
        let attempt = |keys: &JwkSet| self.access_token_verifier(policy).verify(token, keys);
        let Some(data) = data else {
            return Ok((attempt(&policy.keys)?, None));
        };
        let verdict = self.verify(data, sender, attempt).await?;
        let (token, mark) = verdict.ok_or(TokenFault::KeyUnknown)?;
        Ok((token, Some(mark)))
    }

    /// Keys that were fetched after these, once per cool-down.
    async fn newer(&self, data: &ProviderData, sender: Sender) -> Option<Rc<ProviderData>> {
        let host = self.gateway.host.as_ref();
        let wanted = self.known.cache.borrow_mut().want_newer_keys(
            self.gateway.memory_of(self.known),
            self.provider,
            data.fetched_at,
            sender,
        );
        let asked = match wanted {
            KeyRefresh::Newer(newer) => return Some(newer),
            KeyRefresh::Asked(asked) => asked,
            KeyRefresh::CoolingDown => return None,
        };
        let deadline = asked.after(self.provider.timeout);
        loop {
            self.exchange.wait().await;
            let newer = self.at_hand();
            let newer = newer.filter(|newer| newer.fetched_at != data.fetched_at);
            if newer.is_some() {
                return newer;
            }
            let has_failed = self.known.cache.borrow().has_failed_since(asked, sender);
            if has_failed || host.now() >= deadline {
                return None;
            }
        }
    }
}
