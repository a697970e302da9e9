//! Provider metadata (OpenID Connect Discovery 1.0 section 3).

use serde::Deserialize;

use crate::config::Provider;
use crate::endpoint::Endpoint;

/// The largest discovery document that is read, in bytes.
const MAX_DOCUMENT: usize = 128 * 1024;

/// What is known of a provider: discovered, or written by hand. What the configuration needs of it is
/// there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderMetadata {
    /// Where people log in.
    pub authorization_endpoint: Option<Endpoint>,
    /// Where people log in, and where tokens are had for the upstream.
    pub token_endpoint: Option<Endpoint>,
    /// Where the keys are not written by hand.
    pub jwks_uri: Option<Endpoint>,
    pub userinfo_endpoint: Option<Endpoint>,
    pub end_session_endpoint: Option<Endpoint>,
    /// RFC 8414 section 2.
    pub revocation_endpoint: Option<Endpoint>,
    /// RFC 8414 section 2. Where tokens are asked about.
    pub introspection_endpoint: Option<Endpoint>,
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
    introspection_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl ProviderMetadata {
    /// The metadata of a provider of which everything that is needed is written by hand.
    pub fn by_hand(provider: &Provider) -> Option<Self> {
        let endpoints = &provider.endpoints;
        let metadata = Self {
            authorization_endpoint: endpoints.authorization.clone(),
            token_endpoint: endpoints.token.clone(),
            jwks_uri: endpoints.jwks.clone(),
            userinfo_endpoint: endpoints.userinfo.clone(),
            end_session_endpoint: endpoints.end_session.clone(),
            revocation_endpoint: endpoints.revocation.clone(),
            introspection_endpoint: endpoints.introspection.clone(),
            announces_iss_parameter: false,
        };
        let issues = metadata.token_endpoint.is_some() || !provider.issues_upstream_tokens;
        (issues && metadata.suffices(provider)).then_some(metadata)
    }

    /// Whether it says everything that is needed of this provider.
    fn suffices(&self, provider: &Provider) -> bool {
        let logs_in = self.authorization_endpoint.is_some() && self.token_endpoint.is_some();
        (logs_in || provider.client.is_none())
            && (self.jwks_uri.is_some() || !provider.must_publish_keys())
            && (self.introspection_endpoint.is_some() || provider.introspection().is_none())
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
        let metadata = Self {
            authorization_endpoint: endpoint(
                &by_hand.authorization,
                document.authorization_endpoint,
            )?,
            token_endpoint: endpoint(&by_hand.token, document.token_endpoint)?,
            jwks_uri: endpoint(&by_hand.jwks, document.jwks_uri)?,
            userinfo_endpoint: endpoint(&by_hand.userinfo, document.userinfo_endpoint)?,
            end_session_endpoint: endpoint(&by_hand.end_session, document.end_session_endpoint)?,
            revocation_endpoint: endpoint(&by_hand.revocation, document.revocation_endpoint)?,
            introspection_endpoint: endpoint(
                &by_hand.introspection,
                document.introspection_endpoint,
            )?,
            announces_iss_parameter: document.authorization_response_iss_parameter_supported,
        };
        let suffices = metadata.suffices(provider);
        suffices
            .then_some(metadata)
            .ok_or(MetadataFault::NotMetadata)
    }
}

#[cfg(test)]
mod tests;
