//! Provider metadata (OpenID Connect Discovery 1.0 section 3).

use serde::Deserialize;

use crate::config::Provider;
use crate::endpoint::Endpoint;

/// The largest discovery document that is read, in bytes.
const MAX_DOCUMENT: usize = 128 * 1024;

/// What a login needs to know of its provider: discovered, or written by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderMetadata {
    pub authorization_endpoint: Endpoint,
    pub token_endpoint: Endpoint,
    pub jwks_uri: Endpoint,
    pub userinfo_endpoint: Option<Endpoint>,
    pub end_session_endpoint: Option<Endpoint>,
    /// RFC 8414 section 2.
    pub revocation_endpoint: Option<Endpoint>,
    /// The provider announces the `iss` parameter (RFC 9207 section 3).
    pub announces_iss_parameter: bool,
}

/// Why a discovery document is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataFault {
    TooLarge,
    NotMetadata,
    /// Discovery 1.0 section 4.3: the issuer must be the one that was asked.
    IssuerMismatch,
    Endpoint,
}

impl MetadataFault {
    /// Every fault.
    pub const ALL: &'static [Self] = &[
        Self::TooLarge,
        Self::NotMetadata,
        Self::IssuerMismatch,
        Self::Endpoint,
    ];

    /// The word in log lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotMetadata => "not_metadata",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::Endpoint => "endpoint_refused",
        }
    }
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    jwks_uri: Option<String>,
    userinfo_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl ProviderMetadata {
    /// The metadata of a provider whose endpoints are all written by hand.
    pub fn by_hand(provider: &Provider) -> Option<Self> {
        let endpoints = &provider.endpoints;
        Some(Self {
            authorization_endpoint: endpoints.authorization.clone()?,
            token_endpoint: endpoints.token.clone()?,
            jwks_uri: endpoints.jwks.clone()?,
            userinfo_endpoint: endpoints.userinfo.clone(),
            end_session_endpoint: endpoints.end_session.clone(),
            revocation_endpoint: endpoints.revocation.clone(),
            announces_iss_parameter: false,
        })
    }

    /// Where the discovery document is (Discovery 1.0 section 4.1).
    pub fn discovery_url(provider: &Provider) -> Option<Endpoint> {
        let issuer = provider
            .issuer
            .strip_suffix('/')
            .unwrap_or(&provider.issuer);
        let url = format!("{issuer}/.well-known/openid-configuration");
        Endpoint::parse(&url, provider.insecure_allow_http).ok()
    }

    /// Reads a discovery document; endpoints written by hand take precedence.
    pub fn parse(provider: &Provider, document: &[u8]) -> Result<Self, MetadataFault> {
        if document.len() > MAX_DOCUMENT {
            return Err(MetadataFault::TooLarge);
        }
        let document: Document =
            serde_json::from_slice(document).map_err(|_| MetadataFault::NotMetadata)?;
        if document.issuer != provider.issuer {
            return Err(MetadataFault::IssuerMismatch);
        }
        let endpoint =
            |by_hand: &Option<Endpoint>, discovered: Option<String>| match (by_hand, discovered) {
                (Some(endpoint), _) => Ok(Some(endpoint.clone())),
                (None, Some(url)) => Endpoint::parse(&url, provider.insecure_allow_http)
                    .map(Some)
                    .map_err(|_| MetadataFault::Endpoint),
                (None, None) => Ok(None),
            };
        let by_hand = &provider.endpoints;
        let required = |found: Option<Endpoint>| found.ok_or(MetadataFault::NotMetadata);
        Ok(Self {
            authorization_endpoint: required(endpoint(
                &by_hand.authorization,
                document.authorization_endpoint,
            )?)?,
            token_endpoint: required(endpoint(&by_hand.token, document.token_endpoint)?)?,
            jwks_uri: required(endpoint(&by_hand.jwks, document.jwks_uri)?)?,
            userinfo_endpoint: endpoint(&by_hand.userinfo, document.userinfo_endpoint)?,
            end_session_endpoint: endpoint(&by_hand.end_session, document.end_session_endpoint)?,
            revocation_endpoint: endpoint(&by_hand.revocation, document.revocation_endpoint)?,
            announces_iss_parameter: document.authorization_response_iss_parameter_supported,
        })
    }
}

#[cfg(test)]
mod tests;
