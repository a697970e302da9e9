//! Our provider's tokens for programs, which have nobody in front of them.
use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use url::Url;

use crate::http::{Request, Response};
use crate::provider::{Person, Provider, SECRET};
use crate::upstream::Upstream;
use crate::visitor::Visitor;

/// A relying party that nobody has to listen for: its callback is only read.
const NOWHERE: &str = "http://app.localhost:1";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

impl Provider {
    /// A signed access token for one of our programs (`orders`, `reports`), which has got it by itself.
    pub fn access_token(&self, program: &str) -> String {
        self.set(json!({"accessFormat": "jwt"}));
        let token = self.token_for(program, None);
        // People's tokens stay as they were.
        self.set(json!({"accessFormat": "opaque"}));
        token
    }

    /// The same unsigned, for this resource.
    pub fn opaque_token(&self, program: &str, resource: Option<&str>) -> String {
        self.token_for(program, resource)
    }

    /// Takes a program's token back.
    pub fn revoke_token(&self, program: &str, token: &str) {
        let answer = self.as_program(program, "/token/revocation", &[("token", token)]);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// A person's refresh token for the client `web`, had by a login of its own. The addresses of Portero are forgotten.
    pub fn refresh_token(&self, person: &Person) -> String {
        self.register(&[NOWHERE]);
        let callback = format!("{NOWHERE}/oauth2/callback");
        let mut url = Url::parse(&format!("{}/auth", self.issuer())).expect("an address");
        url.query_pairs_mut().extend_pairs([
            ("client_id", "web"),
            ("response_type", "code"),
            ("redirect_uri", &callback),
            ("scope", "openid profile"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        let mut visitor = Visitor::new();
        let form = visitor.visit(url.as_str());
        let back = visitor.fill_in_until(&form, person, &callback);
        let (_, code) = back
            .query_pairs()
            .find(|(name, _)| name == "code")
            .unwrap_or_else(|| panic!("no code: {back}"));
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &callback),
            ("code_verifier", VERIFIER),
        ];
        token(&self.as_program("web", "/token", &form), "refresh_token")
    }

    /// Asks the token endpoint, or another one, as one of our clients that show their secret in a header.
    pub fn as_program(&self, program: &str, path: &str, form: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let credentials = STANDARD.encode(format!("{program}:{SECRET}"));
        Request::post(path, body)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Basic {credentials}"))
            .send(self.address())
            .expect("an answer from the provider")
    }

    fn token_for(&self, program: &str, resource: Option<&str>) -> String {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(resource.map(|resource| ("resource", resource)));
        token(&self.as_program(program, "/token", &form), "access_token")
    }
}

fn token(answer: &Response, name: &str) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let token = answer.json()[name].take();
    token.as_str().expect("a token").to_owned()
}

/// What a signed token claims; nobody checks here who has signed it.
pub fn claims(token: &str) -> Value {
    let body = token.split('.').nth(1).expect("a signed token");
    let body = URL_SAFE_NO_PAD.decode(body).expect("Base64url");
    serde_json::from_slice(&body).expect("claims")
}

/// The token that an `Authorization` header holds.
pub fn token_of(authorization: &str) -> &str {
    authorization
        .strip_prefix("Bearer ")
        .unwrap_or_else(|| panic!("{authorization:?} holds no token"))
}

/// What the tokens claim that the upstream has got, each once.
pub fn seen(upstream: &Upstream) -> Vec<Value> {
    let values = upstream.values("authorization");
    let tokens: BTreeSet<_> = values.iter().map(|value| token_of(value)).collect();
    tokens.into_iter().map(claims).collect()
}
