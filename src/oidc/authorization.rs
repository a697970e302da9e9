//! The authorization request and its response (RFC 6749 section 4.1, OpenID Connect Core 3.1.2).

use std::borrow::Cow;

use super::pkce;
use crate::config::{AuthenticationDemand, Client, Provider};
use crate::endpoint::Endpoint;
use crate::error::{AuthorizationFault, RequestFault};

/// What a browser is sent to the provider with.
pub struct AuthenticationRequest<'a> {
    pub redirect_uri: &'a str,
    pub state: &'a str,
    pub nonce: &'a str,
    pub code_verifier: &'a str,
    /// What this one login demands; it takes the place of what the configuration demands of all.
    pub demand: &'a AuthenticationDemand,
    /// `prompt=none`: the provider answers from what it knows, and shows nothing.
    pub asks_nobody: bool,
}

impl AuthenticationRequest<'_> {
    /// The address of the provider's authorization endpoint with this request of the client's.
    pub fn url(&self, provider: &Provider, client: &Client, endpoint: &Endpoint) -> String {
        let scope = provider.scopes.join(" ");
        let challenge = pkce::code_challenge(self.code_verifier);
        let own = [
            ("response_type", "code"),
            ("client_id", client.id.as_str()),
            ("redirect_uri", self.redirect_uri),
            ("scope", &scope),
            ("state", self.state),
            ("nonce", self.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let resources = provider
            .resources
            .iter()
            .map(|resource| ("resource", resource.as_str()));
        let max_age = self.demand.max_age.map(|age| age.as_secs().to_string());
        let acr_values = self.demand.acr_values.join(" ");
        let demanded = [
            ("prompt", self.asks_nobody.then_some("none")),
            ("max_age", max_age.as_deref()),
            (
                "acr_values",
                Some(acr_values.as_str()).filter(|text| !text.is_empty()),
            ),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
        let is_demanded = |name: &str| demanded.clone().any(|(other, _)| other == name);
        let extra = provider
            .authorization_params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !is_demanded(name));
        let all = own
            .into_iter()
            .chain(resources)
            .chain(extra)
            .chain(demanded.clone());
        endpoint.with_query(all)
    }
}

/// The longest authorization response that is read, in bytes.
const MAX_RESPONSE: usize = 8 * 1024;

/// The parameters with which the provider sends a browser back. Nothing of it is trusted before
/// its state is found in this browser.
#[derive(Debug, PartialEq, Eq)]
pub struct AuthorizationResponse<'a> {
    pub state: Cow<'a, str>,
    /// RFC 9207 section 2.
    pub iss: Option<Cow<'a, str>>,
    pub outcome: Result<Cow<'a, str>, AuthorizationFault>,
}

impl<'a> AuthorizationResponse<'a> {
    /// Reads path and query of a request to the callback path. A parameter given twice makes the
    /// response malformed (RFC 6749 section 3.1); unknown parameters are ignored.
    pub fn parse(target: &'a [u8]) -> Result<Self, RequestFault> {
        const MALFORMED: RequestFault = RequestFault::CallbackMalformed;
        if target.len() > MAX_RESPONSE {
            return Err(MALFORMED);
        }
        let query = target
            .splitn(2, |byte| *byte == b'?')
            .nth(1)
            .unwrap_or_default();
        let (mut state, mut iss, mut code, mut error) = (None, None, None, None);
        for (name, value) in url::form_urlencoded::parse(query) {
            let slot = match name.as_ref() {
                "state" => &mut state,
                "iss" => &mut iss,
                "code" => &mut code,
                "error" => &mut error,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(MALFORMED);
            }
        }
        let outcome = match (code, error) {
            (Some(code), None) if !code.is_empty() => Ok(code),
            (None, Some(error)) => Err(AuthorizationFault::from_name(&error)),
            _ => return Err(MALFORMED),
        };
        Ok(Self {
            state: state.ok_or(MALFORMED)?,
            iss,
            outcome,
        })
    }
}

impl AuthorizationFault {
    /// RFC 6749 section 4.1.2.1 and OpenID Connect Core 3.1.2.6.
    fn from_name(name: &str) -> Self {
        match name {
            "access_denied" => Self::AccessDenied,
            "login_required" => Self::LoginRequired,
            "interaction_required" => Self::InteractionRequired,
            "consent_required" => Self::ConsentRequired,
            "account_selection_required" => Self::AccountSelectionRequired,
            "invalid_request" => Self::InvalidRequest,
            "invalid_scope" => Self::InvalidScope,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_response_type" => Self::UnsupportedResponseType,
            "server_error" => Self::ServerError,
            "temporarily_unavailable" => Self::TemporarilyUnavailable,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests;
