//! Claims of a JSON Web Token (RFC 7519 section 4), read strictly.

use std::fmt;

use portero_fast::parse_object;
use serde_json::{Map, Value};

use super::base64url;
use crate::error::TokenFault;
use crate::time::Timestamp;

/// The last NumericDate that is one: the end of the year 9999, in seconds.
pub const MAX_NUMERIC_DATE: u64 = 253_402_300_799;

/// A JSON object whose member names are distinct at every depth.
#[derive(Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Reads the payload of a token or another JSON document made of claims.
    ///
    /// Error: [`TokenFault::ClaimsMalformed`] for anything but one JSON object, and for an object
    /// that names a member twice (RFC 7519 section 4).
    pub fn parse(bytes: &[u8]) -> Result<Self, TokenFault> {
        parse_object(bytes)
            .map(Self)
            .ok_or(TokenFault::ClaimsMalformed)
    }

    /// What a compact JSON Web Token says, with nothing proven: three parts of which the second is a JSON
    /// object (RFC 7519 section 7.2). Nothing for what is no such token.
    ///
    /// Error: as for [`Claims::parse`].
    pub fn unverified(token: &str) -> Option<Result<Self, TokenFault>> {
        let mut parts = token.split('.');
        let payload = parts.nth(1).and_then(base64url::decode)?;
        let is_object = payload.trim_ascii_start().starts_with(b"{");
        (parts.count() == 1 && is_object).then(|| Self::parse(&payload))
    }

    /// With this claim, where it is missing.
    #[must_use]
    pub fn or(mut self, claim: &str, value: &str) -> Self {
        let claim = self.0.entry(claim);
        claim.or_insert_with(|| value.into());
        self
    }

    /// All claims.
    pub const fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The claim `name`, a string, where it is present.
    ///
    /// Error: [`TokenFault::ClaimInvalid`] for every other type, `null` included.
    pub fn string(&self, claim: &'static str) -> Result<Option<&str>, TokenFault> {
        match self.0.get(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(TokenFault::ClaimInvalid { claim }),
        }
    }

    /// The claim `name`, seconds since the epoch (RFC 7519 section 2, NumericDate), where it is
    /// present. Fractions of a second are cut off.
    ///
    /// Error: [`TokenFault::ClaimInvalid`] for what is no number from 0 to [`MAX_NUMERIC_DATE`].
    pub fn numeric_date(&self, claim: &'static str) -> Result<Option<Timestamp>, TokenFault> {
        let Some(value) = self.0.get(claim) else {
            return Ok(None);
        };
        value
            .as_u64()
            .or_else(|| whole_seconds(value.as_f64()?))
            .filter(|seconds| *seconds <= MAX_NUMERIC_DATE)
            .map(|seconds| Some(Timestamp::from_secs(seconds)))
            .ok_or(TokenFault::ClaimInvalid { claim })
    }

    /// The values of `aud` (RFC 7519 section 4.1.3): one string, or an array of at least one.
    ///
    /// Errors: [`TokenFault::ClaimMissing`], [`TokenFault::ClaimInvalid`].
    pub fn audiences(&self) -> Result<Vec<&str>, TokenFault> {
        const INVALID: TokenFault = TokenFault::ClaimInvalid { claim: "aud" };
        match self.0.get("aud") {
            None => Err(TokenFault::ClaimMissing { claim: "aud" }),
            Some(Value::String(audience)) => Ok(vec![audience]),
            Some(Value::Array(audiences)) if !audiences.is_empty() => audiences
                .iter()
                .map(|audience| audience.as_str().ok_or(INVALID))
                .collect(),
            Some(_) => Err(INVALID),
        }
    }
}

/// The client that an access token was issued to: `client_id` (RFC 9068 section 2.2), or what products call
/// it that are older than that: `azp`, `cid` (Okta) and `appid` (Entra ID, version 1).
pub fn client_of(claims: &Map<String, Value>) -> Option<&str> {
    ["client_id", "azp", "cid", "appid"]
        .into_iter()
        .find_map(|name| claims.get(name)?.as_str().filter(|text| !text.is_empty()))
}

/// Claims are about a person: nothing of them is printed.
impl fmt::Debug for Claims {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{} claims]", self.0.len())
    }
}

/// Cuts off the fraction of a number in the range of NumericDate.
fn whole_seconds(number: f64) -> Option<u64> {
    // The bound is far below 2^53, where f64 counts exactly; one more second keeps its fraction.
    let range = 0.0..(MAX_NUMERIC_DATE as f64 + 1.0);
    range.contains(&number).then_some(number as u64)
}

#[cfg(test)]
mod tests;
