//! What a story can tell the provider to do.

use portero::telemetry::Purpose;
use serde_json::{Map, Value, json};

use super::{Authenticated, SUBJECT, TokenCall};
use crate::signer::Signer;

/// An answer that no honest provider gives.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The proxy does not take the call.
    NotSent,
    /// The exchange is cut off.
    CutOff,
    /// With a body that means nothing.
    Status(u16),
    Body(u16, Vec<u8>),
}

impl Answer {
    pub fn json(value: &Value) -> Self {
        Self::Body(200, value.to_string().into_bytes())
    }

    /// What a token endpoint answers that gives nothing (RFC 6749 section 5.2).
    pub fn refused(error: &str) -> Self {
        Self::Body(400, json!({"error": error}).to_string().into_bytes())
    }
}

/// An ID token before it is signed.
pub struct IdToken {
    pub header: Value,
    pub claims: Map<String, Value>,
    pub signer: Signer,
    /// What becomes of the token after it is signed.
    pub after: fn(String) -> String,
}

type Change = Box<dyn Fn(&mut IdToken)>;

/// What becomes of a request for a token of the upstream; with a new token to give.
type TokenAnswer = Box<dyn Fn(&TokenCall, &str) -> (u16, Value)>;

pub struct Script {
    pub signer: Signer,
    pub jwks: Value,
    pub faults: Vec<(Purpose, Answer)>,
    pub id_token: Option<Change>,
    /// Claims of every ID token, beside those of the protocol.
    pub claims: Map<String, Value>,
    pub userinfo: Value,
    /// What access tokens say, where they are JSON Web Tokens, beside `iss`, `sub`, `exp` and the like.
    pub access_token: Option<Value>,
    /// Whether every token response has a refresh token that is good once.
    pub refreshes: bool,
    /// Members that the discovery document has instead of or beside the usual ones.
    pub metadata: Vec<(&'static str, Value)>,
    /// Members that the token response has instead of or beside the usual ones.
    pub token_response: Vec<(&'static str, Value)>,
    /// How requests for tokens of the upstream are answered.
    pub upstream_token: Option<TokenAnswer>,
    pub iss_parameter: Option<String>,
    /// Whether the provider looks at how a person authenticated, and tells it in ID tokens.
    pub tells_authentication: bool,
    /// Who is logged in at the provider, where it looks at that.
    pub authenticated: Option<Authenticated>,
    /// The `error` that the authorization endpoint answers with.
    pub denial: Option<String>,
}

impl Script {
    pub fn honest() -> Self {
        let signer = Signer::es256("first", 7);
        Self {
            signer,
            jwks: json!({"keys": [signer.jwk()]}),
            faults: Vec::new(),
            id_token: None,
            claims: Map::new(),
            access_token: None,
            userinfo: json!({
                "sub": SUBJECT,
                "name": "Ada Lovelace",
                "email": "ada@example.com",
            }),
            refreshes: false,
            metadata: Vec::new(),
            token_response: Vec::new(),
            upstream_token: None,
            iss_parameter: None,
            tells_authentication: false,
            authenticated: None,
            denial: None,
        }
    }

    pub fn fault(&self, purpose: Purpose) -> Option<Answer> {
        let mut faults = self.faults.iter();
        let (_, answer) = faults.find(|(other, _)| *other == purpose)?;
        Some(answer.clone())
    }
}
