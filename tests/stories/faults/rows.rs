//! The ways in which a call goes wrong.

use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::provider::Answer;

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
        name: "5 MB",
        answer: |_| Answer::Body(200, vec![b' '; 5 << 20]),
        discovery: "too_large",
        jwks: "jwk_set_too_large",
        call: (502, "malformed"),
    },
];

fn wrong_types(purpose: Purpose) -> Value {
    match purpose {
        Purpose::Discovery => json!({"issuer": 7, "token_endpoint": [], "jwks_uri": {}}),
        Purpose::Jwks => json!({"keys": {"0": {}}}),
        Purpose::Token => json!({"access_token": 1, "token_type": [], "id_token": {}}),
        Purpose::Userinfo => json!({"sub": 7}),
    }
}

impl Row {
    pub fn cause(&self, purpose: Purpose) -> &'static str {
        match purpose {
            Purpose::Discovery => self.discovery,
            _ => self.jwks,
        }
    }
}
