//! JSON Web Tokens by which Portero says something at a token endpoint (RFC 7523 section 3).

use std::time::Duration;

use serde_json::{Map, Value};

use super::pkce;
use crate::error::InternalFault;
use crate::host::Host;
use crate::jose::SigningKey;

/// What is said, for one request.
pub(super) struct Assertion<'a> {
    pub(super) issuer: &'a str,
    pub(super) subject: &'a str,
    /// One text and no list: whoever takes a list may take an assertion that was made for somebody else.
    pub(super) audience: &'a str,
    pub(super) lifetime: Duration,
    /// More claims. Those above win over them.
    pub(super) claims: Map<String, Value>,
}

impl Assertion<'_> {
    pub(super) fn sign(self, key: &SigningKey, host: &dyn Host) -> Result<String, InternalFault> {
        let now = host.now();
        let mut claims = self.claims;
        let own: [(&str, Value); 6] = [
            ("iss", self.issuer.into()),
            ("sub", self.subject.into()),
            ("aud", self.audience.into()),
            ("jti", pkce::opaque(host)?.into()),
            ("iat", now.as_secs().into()),
            ("exp", now.after(self.lifetime).as_secs().into()),
        ];
        for (name, value) in own {
            claims.insert(name.to_owned(), value);
        }
        key.token("JWT", &Value::Object(claims), host)
    }
}
