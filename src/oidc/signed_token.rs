//! JSON Web Tokens by which Portero says something (RFC 7519), to a token endpoint or to the upstream.

use serde_json::{Map, Value};

use super::pkce;
use crate::error::InternalFault;
use crate::host::Host;
use crate::jose::SigningKey;
use crate::time::Timestamp;

/// What is said, now and once.
pub struct SignedToken<'a> {
    /// The `typ` of its header.
    pub typ: &'a str,
    pub issuer: &'a str,
    /// Whom it is about, where the claims do not say it.
    pub subject: Option<&'a str>,
    /// One text and no list: whoever takes a list may take a token that was made for somebody else.
    pub audience: &'a str,
    pub expires_at: Timestamp,
    /// More claims. Those above win over them.
    pub claims: Map<String, Value>,
}

impl SignedToken<'_> {
    pub fn sign(self, key: &SigningKey, host: &dyn Host) -> Result<String, InternalFault> {
        let mut claims = self.claims;
        let own: [(&str, Option<Value>); 6] = [
            ("iss", Some(self.issuer.into())),
            ("sub", self.subject.map(Value::from)),
            ("aud", Some(self.audience.into())),
            ("jti", Some(pkce::opaque(host)?.into())),
            ("iat", Some(host.now().as_secs().into())),
            ("exp", Some(self.expires_at.as_secs().into())),
        ];
        for (name, value) in own {
            if let Some(value) = value {
                claims.insert(name.to_owned(), value);
            }
        }
        key.token(self.typ, &Value::Object(claims), host)
    }
}
