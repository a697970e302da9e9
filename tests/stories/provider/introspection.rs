//! The introspection endpoint (RFC 7662).

use portero::flow::Call;
use serde_json::{Value, json};

use super::{Parameters, Provider, header};

impl Provider {
    /// A token of which the provider says this to whoever asks.
    pub fn issue_opaque(&self, said: Value) -> String {
        let token = self.issue("opaque");
        self.vouch_for(&token, said);
        token
    }

    /// Says this of a token from now on.
    pub fn vouch_for(&self, token: &str, mut said: Value) {
        said["active"] = json!(true);
        self.opaque.borrow_mut().insert(token.to_owned(), said);
    }

    /// Takes a token back.
    pub fn withdraw(&self, token: &str) {
        self.opaque.borrow_mut().remove(token);
    }

    pub(super) fn introspect(&self, call: &Call) -> (u16, Value) {
        assert_eq!((call.method, call.path.as_str()), ("POST", "/introspect"));
        assert_eq!(
            header(call, "content-type"),
            "application/x-www-form-urlencoded"
        );
        assert_eq!(header(call, "accept"), "application/json");
        let form = Parameters::of(std::str::from_utf8(&call.body).unwrap());
        if !self.knows_client(call, &form) {
            return (401, json!({"error": "invalid_client"}));
        }
        assert_eq!(form.one("token_type_hint"), "access_token");
        let opaque = self.opaque.borrow();
        let said = opaque.get(&form.one("token")).cloned();
        (200, said.unwrap_or_else(|| json!({"active": false})))
    }
}
