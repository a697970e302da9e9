//! The ways in which a call goes wrong.

use portero::flow::Reply;
use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::provider::{Answer, ISSUER, SUBJECT, issued};
use crate::signer::Signer;

/// The ways, and for each the word in which it ends.
pub struct Row {
    pub name: &'static str,
    pub answer: fn(Purpose) -> Answer,
    /// Of a discovery document and of a key set, in the log.
    pub discovery: &'static str,
    pub jwks: &'static str,
    /// Of the token and the userinfo call, behind the call's name.
    pub call: (u16, &'static str),
}

pub const ROWS: [Row; 13] = [
    Row {
        name: "not sent",
        answer: |_| Answer::NotSent,
        discovery: "unreachable",
        jwks: "unreachable",
        call: (503, "unreachable"),
    },
    Row {
        name: "no answer",
        answer: |_| Answer::CutOff,
        discovery: "unreachable",
        jwks: "unreachable",
        call: (503, "unreachable"),
    },
    Row {
        name: "500",
        answer: |_| Answer::Status(500),
        discovery: "refused",
        jwks: "refused",
        call: (502, "refused"),
    },
    Row {
        name: "503",
        answer: |_| Answer::Status(503),
        discovery: "unreachable",
        jwks: "unreachable",
        call: (503, "unreachable"),
    },
    Row {
        name: "504",
        answer: |_| Answer::Status(504),
        discovery: "timeout",
        jwks: "timeout",
        call: (504, "timeout"),
    },
    Row {
        name: "302",
        answer: |_| Answer::Status(302),
        discovery: "refused",
        jwks: "refused",
        call: (502, "refused"),
    },
    Row {
        name: "401",
        answer: |_| Answer::Status(401),
        discovery: "refused",
        jwks: "refused",
        call: (502, "refused"),
    },
    Row {
        name: "empty",
        answer: |_| Answer::Body(200, Vec::new()),
        discovery: "not_metadata",
        jwks: "jwk_set_malformed",
        call: (502, "malformed"),
    },
    Row {
        name: "not JSON",
        answer: |_| Answer::Status(200),
        discovery: "not_metadata",
        jwks: "jwk_set_malformed",
        call: (502, "malformed"),
    },
    Row {
        name: "bytes that are no text",
        answer: |_| Answer::Body(200, vec![0xff, 0x00, 0xfe]),
        discovery: "not_metadata",
        jwks: "jwk_set_malformed",
        call: (502, "malformed"),
    },
    Row {
        name: "wrong types",
        answer: |purpose| Answer::json(&wrong_types(purpose)),
        discovery: "not_metadata",
        jwks: "jwk_set_malformed",
        call: (502, "malformed"),
    },
    Row {
        name: "another JSON type",
        answer: |_| Answer::json(&json!([[], 1, null])),
        discovery: "not_metadata",
        jwks: "jwk_set_malformed",
        call: (502, "malformed"),
    },
    Row {
        name: "cut off after as much as is taken from the proxy",
        answer: |purpose| Answer::Body(200, cut_off(purpose)),
        discovery: "too_large",
        jwks: "jwk_set_too_large",
        call: (502, "malformed"),
    },
];

/// The beginning of an endless answer that would be believed if it ended here.
fn cut_off(purpose: Purpose) -> Vec<u8> {
    let document = match purpose {
        Purpose::Discovery => json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://idp.example.com/authorize",
            "token_endpoint": "https://idp.example.com/token",
            "jwks_uri": "https://idp.example.com/keys",
        }),
        Purpose::Jwks => json!({"keys": [Signer::es256("second", 9).jwk()]}),
        Purpose::Token => json!({"access_token": "a", "token_type": "Bearer", "id_token": "b"}),
        Purpose::Userinfo => json!({"sub": SUBJECT}),
        Purpose::Revocation => json!({}),
        Purpose::Introspection => json!({"active": true, "aud": "orders", "sub": SUBJECT}),
        Purpose::UpstreamToken => issued("a"),
    };
    let mut body = document.to_string().into_bytes();
    body.resize(Reply::MOST_BYTES, b' ');
    body
}

fn wrong_types(purpose: Purpose) -> Value {
    match purpose {
        Purpose::Discovery => json!({"issuer": 7, "token_endpoint": [], "jwks_uri": {}}),
        Purpose::Jwks => json!({"keys": {"0": {}}}),
        Purpose::Token => json!({"access_token": 1, "token_type": [], "id_token": {}}),
        Purpose::Userinfo => json!({"sub": 7}),
        Purpose::Revocation => json!({"error": {}}),
        Purpose::Introspection => json!({"active": "true", "aud": "orders"}),
        Purpose::UpstreamToken => json!({"access_token": 1, "token_type": []}),
    }
}

impl Row {
    pub fn cause(&self, purpose: Purpose) -> &'static str {
        match purpose {
            Purpose::Discovery => self.discovery,
            _ => self.jwks,
        }
    }

    /// Of a call where 401 is about who asks, whatever else is said.
    pub fn where_401_is_the_client(&self) -> (u16, &'static str) {
        match (self.name, self.call) {
            ("401", (status, _)) => (status, "invalid_client"),
            (_, call) => call,
        }
    }
}
