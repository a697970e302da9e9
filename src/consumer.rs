//! Which consumer a bearer token is from, and the headers that tell the upstream, as Kong's plugins do.
//!
//! Who may say so has been settled when the configuration was loaded: every credential names the issuer
//! that it counts for. The issuer of a token is the configured one whose keys have verified it, or whom
//! Portero has asked about it.

use serde_json::{Map, Value};

use crate::config::{CONSUMER_HEADERS, Consumer, Consumers, Credential, CredentialKind};
use crate::jose::{Found, client_of, follow};
use crate::upstream::encode;

/// Who a token is from.
#[derive(Debug)]
pub struct Caller<'a> {
    consumer: Option<&'a Consumer>,
    /// What the consumer is known by; without one, the client that the token was issued to.
    credential: Option<String>,
}

impl Caller<'_> {
    /// Whether a credential names the token.
    pub const fn is_known(&self) -> bool {
        self.consumer.is_some()
    }

    /// Name in lower case, and value.
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        headers(self.consumer, self.credential.as_deref(), false)
    }
}

/// Who a token with `claims` is from that `issuer` vouches for: by its claim, or else its client, or
/// else the issuer alone.
pub fn find<'a>(consumers: &'a Consumers, issuer: &str, claims: &Map<String, Value>) -> Caller<'a> {
    let mut ways = consumers.claims.iter();
    let way = ways.find(|(of, _)| of == issuer);
    let claim = way.and_then(|(_, path)| match follow(claims, path) {
        Found::Value(Value::String(text)) => Some(text.as_str()),
        Found::Value(_) | Found::Nothing | Found::Blocked { .. } => None,
    });
    let client = client_of(claims);
    for (kind, shown) in [
        (CredentialKind::Claim, claim),
        (CredentialKind::ClientId, client),
        (CredentialKind::Issuer, Some(issuer)),
    ] {
        let Some(identifier) = shown else { continue };
        let credential = Credential {
            issuer,
            kind,
            identifier,
        };
        if let Some(consumer) = consumers.owner(&credential) {
            return Caller {
                consumer: Some(consumer),
                credential: Some(identifier.to_owned()),
            };
        }
    }
    Caller {
        consumer: None,
        credential: client.map(encode),
    }
}

/// What the upstream is told about somebody who has shown nothing and goes on as this consumer.
pub fn anonymous(consumer: &Consumer) -> Vec<(String, Vec<u8>)> {
    headers(Some(consumer), None, true)
}

fn headers(
    consumer: Option<&Consumer>,
    credential: Option<&str>,
    is_anonymous: bool,
) -> Vec<(String, Vec<u8>)> {
    let values = [
        consumer.map(|consumer| consumer.id.as_str()),
        consumer.and_then(|consumer| consumer.custom_id.as_deref()),
        consumer.map(|consumer| consumer.username.as_str()),
        credential,
        is_anonymous.then_some("true"),
    ];
    CONSUMER_HEADERS
        .iter()
        .zip(values)
        .filter_map(|(name, value)| Some(((*name).to_owned(), value?.as_bytes().to_vec())))
        .collect()
}

#[cfg(test)]
mod tests;
