//! The token endpoint, for programs: tokens that Portero fetches for the upstream.

use portero::flow::Call;
use serde_json::{Value, json};

use super::{Parameters, Provider, header};

/// A request for such a token, as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCall {
    pub cluster: String,
    pub address: String,
    pub authorization: Option<String>,
    pub body: String,
}

impl TokenCall {
    /// The values of a parameter, in order.
    pub fn all(&self, name: &str) -> Vec<String> {
        let form = url::form_urlencoded::parse(self.body.as_bytes());
        let values = form.filter(|(other, _)| other == name);
        values.map(|(_, value)| value.into_owned()).collect()
    }
}

impl Provider {
    pub(super) fn upstream_token(&self, call: &Call) -> (u16, Value) {
        assert_eq!(call.method, "POST");
        assert_eq!(
            header(call, "content-type"),
            "application/x-www-form-urlencoded"
        );
        assert_eq!(header(call, "accept"), "application/json");
        let authorization = call
            .headers
            .iter()
            .find(|(name, _)| *name == "authorization");
        let asked = TokenCall {
            cluster: call.cluster.clone(),
            address: format!("{}://{}{}", call.scheme, call.authority, call.path),
            authorization: authorization.map(|(_, value)| value.clone()),
            body: String::from_utf8(call.body.clone()).unwrap(),
        };
        assert!(!Parameters::of(&asked.body).one("grant_type").is_empty());
        self.token_calls.borrow_mut().push(asked.clone());
        let script = self.script.borrow();
        match &script.upstream_token {
            Some(answer) => answer(&asked, &self.issue("upstream")),
            None => (200, issued(&self.issue("upstream"))),
        }
    }
}

/// What an honest provider answers.
pub fn issued(token: &str) -> Value {
    json!({"access_token": token, "token_type": "Bearer", "expires_in": 300})
}
