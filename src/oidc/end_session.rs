//! The logout request (OpenID Connect RP-Initiated Logout 1.0 section 2).

use crate::endpoint::Endpoint;

/// What a browser is sent to the provider with, to be logged out there.
pub struct EndSessionRequest<'a> {
    pub client_id: &'a str,
    pub id_token_hint: Option<&'a str>,
    pub post_logout_redirect_uri: &'a str,
    pub state: &'a str,
}

impl EndSessionRequest<'_> {
    pub fn url(&self, endpoint: &Endpoint) -> String {
        let hint = self.id_token_hint.map(|token| ("id_token_hint", token));
        let rest = [
            ("client_id", self.client_id),
            ("post_logout_redirect_uri", self.post_logout_redirect_uri),
            ("state", self.state),
        ];
        endpoint.with_query(hint.into_iter().chain(rest))
    }
}
