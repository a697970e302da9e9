//! What Portero asks of the provider on somebody's behalf.

use std::rc::Rc;

use super::provider_keys::ProviderKeys;
use super::{Call, Exchange, Gateway};
use crate::config::{Client, Provider};
use crate::endpoint::Endpoint;
use crate::error::{CallFault, Error, TokenFault};
use crate::host::Host;
use crate::jose::{Claims, JwkSet, Jws};
use crate::oidc::{
    Authenticator, Expectations, RevocationRequest, TokenRequest, TokenResponse, TokenVerifier,
    VerifiedIdToken, VerifiedLogoutToken, parse_userinfo,
};
use crate::provider::{ProviderData, Sender};
use crate::telemetry::{Level, Purpose};

/// The client of one configuration, in the course of one flow.
#[derive(Clone, Copy)]
pub struct RelyingParty<'a> {
    pub gateway: &'a Gateway,
    pub exchange: &'a Exchange,
}

impl RelyingParty<'_> {
    fn host(&self) -> &dyn Host {
        self.gateway.host.as_ref()
    }

    /// Metadata and keys of the provider, if they are known by now.
    pub fn known_provider(&self) -> Option<Rc<ProviderData>> {
        self.keys().ok()?.at_hand()
    }

    /// Metadata and keys of the provider, waited for within its time limit.
    pub async fn provider(&self) -> Result<Rc<ProviderData>, Error> {
        self.keys()?.wait().await
    }

    /// People log in at the first of the providers.
    pub fn keys(&self) -> Result<ProviderKeys<'_>, Error> {
        ProviderKeys::of(self.gateway, self.exchange, 0).ok_or(Error::ProviderUnavailable)
    }

    /// Exchanges a grant for tokens (RFC 6749 section 3.2).
    pub async fn tokens(
        &self,
        request: &TokenRequest<'_>,
        data: &ProviderData,
    ) -> Result<TokenResponse, Error> {
        let failed = |fault| Error::Provider(Purpose::Token, fault);
        let provider = &self.gateway.config.provider;
        let endpoint = data.metadata.token_endpoint.as_ref();
        let endpoint = endpoint.ok_or(Error::ProviderUnavailable)?;
        let keys = self.keys()?;
        let client = keys.authenticator(self.gateway.client()?, &data.metadata);
        let form = request.encode(&provider.resources, &client)?;
        let call = Call::with_form(provider, Purpose::Token, endpoint, form);
        self.gateway
            .call(self.exchange, call, |reply| {
                let reply = reply?;
                request.complete(TokenResponse::parse(reply.status, &reply.body)?)
            })
            .await
            .map_err(failed)
    }

    /// Revokes a token at `endpoint`. Only the status of the answer counts (RFC 7009 section 2.2).
    pub async fn revoke(
        &self,
        request: &RevocationRequest<'_>,
        endpoint: &Endpoint,
        client: &Authenticator<'_>,
    ) -> Result<(), CallFault> {
        let provider = &self.gateway.config.provider;
        // What cannot be signed cannot be sent.
        let form = request.encode(client).map_err(|_| CallFault::Unreachable)?;
        let call = Call::with_form(provider, Purpose::Revocation, endpoint, form);
        self.gateway
            .call(self.exchange, call, |reply| {
                let reply = reply?;
                RevocationRequest::judge(reply.status, &reply.body)
            })
            .await
    }

    /// Verifies the ID token of a login.
    pub async fn verify(
        &self,
        token: &str,
        expected: &Expectations<'_>,
        data: &ProviderData,
    ) -> Result<VerifiedIdToken, Error> {
        let verdict = self.verify_if_possible(token, expected, data).await?;
        verdict.ok_or(Error::IdToken(TokenFault::KeyUnknown))
    }

    /// Verifies an ID token; nothing where its key is unknown and newer keys cannot be had now, so
    /// that nobody can say whether it is good.
    pub async fn verify_if_possible(
        &self,
        token: &str,
        expected: &Expectations<'_>,
        data: &ProviderData,
    ) -> Result<Option<VerifiedIdToken>, Error> {
        let client = self.gateway.client()?;
        let attempt = |keys: &JwkSet| {
            let verifier = self.verifier(client);
            verifier.verify_id_token(token, keys, expected)
        };
        let verdict = self.keys()?.verify(data, Sender::Provider, attempt).await;
        let verdict = verdict.map_err(Error::IdToken)?;
        Ok(verdict.map(|(token, _)| token))
    }

    /// Verifies a logout token.
    pub async fn verify_logout(
        &self,
        token: &str,
        data: &ProviderData,
    ) -> Result<VerifiedLogoutToken, Error> {
        let may_lack_expiry = self
            .gateway
            .config
            .provider
            .insecure_logout_token_without_exp;
        let client = self.gateway.client()?;
        let attempt = |keys: &JwkSet| {
            let verifier = self.verifier(client);
            verifier.verify_logout_token(token, keys, may_lack_expiry)
        };
        let verdict = self.keys()?.verify(data, Sender::Anybody, attempt).await;
        verdict
            .and_then(|token| token.ok_or(TokenFault::KeyUnknown))
            .map(|(token, _)| token)
            .map_err(Error::LogoutToken)
    }

    fn verifier<'c>(&'c self, client: &'c Client) -> TokenVerifier<'c> {
        let provider = &self.gateway.config.provider;
        TokenVerifier {
            issuer: &provider.issuer,
            client_id: &client.id,
            policy: &provider.id_token,
            now: self.host().now(),
            host: self.host(),
        }
    }

    /// What a login's access token says, where the configuration wants to know. The fault is for the
    /// operator's log; [`TokenFault::KeyUnknown`] says that newer keys cannot be had now.
    pub async fn access_token_claims(
        &self,
        tokens: &TokenResponse,
        data: &ProviderData,
    ) -> Result<Option<Claims>, TokenFault> {
        let provider = &self.gateway.config.provider;
        let policy = provider.access_tokens.as_ref();
        let Some(policy) = policy.filter(|_| provider.access_token_claims) else {
            return Ok(None);
        };
        let keys = self.keys().map_err(|_| TokenFault::KeyUnknown)?;
        let data = policy.keys.is_empty().then_some(data);
        let token = Jws::parse(tokens.access_token.expose())?;
        let (token, _) = keys
            .verify_access_token(policy, &token, data, Sender::Provider)
            .await?;
        Ok(Some(Claims::clone(token.claims())))
    }

    /// What is told of an access token that should have said something, and did not.
    pub fn note_unread(&self, fault: TokenFault) -> Error {
        let line = format!("access_token_not_read cause={}", fault.code());
        self.host().log(Level::Warn, &line);
        Error::Provider(Purpose::Token, CallFault::Malformed)
    }

    /// The userinfo claims about `subject`, where the provider has them and the configuration wants
    /// them.
    pub async fn userinfo(
        &self,
        access_token: &str,
        subject: &str,
        data: &ProviderData,
    ) -> Result<Option<Claims>, Error> {
        let failed = |fault| Error::Provider(Purpose::Userinfo, fault);
        let provider = &self.gateway.config.provider;
        let endpoint = data.metadata.userinfo_endpoint.as_ref();
        let Some(endpoint) = endpoint.filter(|_| provider.userinfo) else {
            return Ok(None);
        };
        let mut call = Call::to(provider, Purpose::Userinfo, "GET", endpoint);
        call.headers.push(("accept", "application/json".to_owned()));
        call.headers
            .push(("authorization", format!("Bearer {access_token}")));
        self.gateway
            .call(self.exchange, call, |reply| {
                let reply = reply.map_err(failed)?;
                if matches!(reply.status, 401 | 403) {
                    return Err(failed(CallFault::InvalidToken));
                }
                let document = reply.into_document().map_err(failed)?;
                parse_userinfo(&document, subject).map(Some)
            })
            .await
    }
}

impl Call {
    /// A form, and the `Authorization` header that goes with it, to one of the endpoints where the
    /// client authenticates.
    pub(super) fn with_form(
        provider: &Provider,
        purpose: Purpose,
        endpoint: &Endpoint,
        (body, authorization): (String, Option<String>),
    ) -> Self {
        let mut call = Self::to(provider, purpose, "POST", endpoint);
        call.headers.push(("accept", "application/json".to_owned()));
        call.headers.push((
            "content-type",
            "application/x-www-form-urlencoded".to_owned(),
        ));
        call.headers
            .extend(authorization.map(|value| ("authorization", value)));
        call.body = body.into_bytes();
        call
    }
}
