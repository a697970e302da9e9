//! The logout token of an OpenID provider (OpenID Connect Back-Channel Logout 1.0 section 2.4) and the
//! proof that it holds.

use std::time::Duration;

use serde_json::Value;

use super::verifier::{TokenVerifier, check_issuer, check_signature, required, subject};
use crate::error::TokenFault;
use crate::jose::{Claims, JwkSet, Jws};
use crate::time::Timestamp;

/// `typ` of a logout token that says what it is (section 2.4).
pub(super) const LOGOUT_TOKEN_TYPE: &str = "logout+jwt";

/// The `typ` that says nothing. Section 2.4 only recommends the other one, and older releases of
/// widespread providers send this.
const PLAIN_TYPE: &str = "JWT";

/// The member of `events` that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How old `iat` may be: section 2.4 has `exp` at most two minutes ahead.
pub const LOGOUT_TOKEN_AGE: Duration = Duration::from_secs(120);

/// The longest `sid` and `jti`; neither is longer in practice than a subject may be.
const MAX_NAME_CHARACTERS: usize = 255;

/// A logout token that has passed every check. Only [`TokenVerifier::verify_logout_token`] makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedLogoutToken {
    pub ends: Ends,
    pub issued_at: Timestamp,
    pub id: String,
}

/// Whose sessions a logout token ends (section 2.7).
#[derive(Clone, PartialEq, Eq)]
pub enum Ends {
    /// The one session of the provider's with this `sid`, of whomever it is.
    Session { sid: String },
    /// The same, if it is this subject's.
    SessionOf { sid: String, subject: String },
    /// Every session of this subject.
    Subject { subject: String },
}

impl TokenVerifier<'_> {
    /// Verifies a logout token, as received, with the provider's `keys`: the checks of section 2.6,
    /// the first that fails being the error. Whether it was there before is not among them. A token that
    /// may lack `exp`, as before the standard's final text, counts for as long as its `iat` may be old.
    ///
    /// [`TokenFault::KeyUnknown`] alone is worth another attempt, with freshly fetched keys.
    pub fn verify_logout_token(
        &self,
        token: &str,
        keys: &JwkSet,
        may_lack_expiry: bool,
    ) -> Result<VerifiedLogoutToken, TokenFault> {
        let jws = Jws::parse(token)?;
        let claims = check_signature(&jws, keys, &self.policy.algorithms, self.host)?;
        let header = jws.header();
        let is_one = |typ| header.is_typed(typ);
        if header.typ().is_some() && ![LOGOUT_TOKEN_TYPE, PLAIN_TYPE].into_iter().any(is_one) {
            return Err(TokenFault::TypeMismatch);
        }
        check_issuer(&claims, self.issuer)?;
        self.check_audience(&claims)?;
        if !may_lack_expiry || claims.as_object().contains_key("exp") {
            self.clock().check_expiry(&claims)?;
        }
        let issued_at = self.check_issued_at(&claims, LOGOUT_TOKEN_AGE)?;
        self.clock().check_not_before(&claims)?;
        let ends = match (name(&claims, "sid")?, subject(&claims)?) {
            (Some(sid), None) => Ends::Session { sid },
            (Some(sid), Some(subject)) => Ends::SessionOf {
                sid,
                subject: subject.to_owned(),
            },
            (None, Some(subject)) => Ends::Subject {
                subject: subject.to_owned(),
            },
            (None, None) => return Err(TokenFault::ClaimMissing { claim: "sub" }),
        };
        check_event(&claims)?;
        // Step 6: an ID token has a nonce, a logout token never.
        if claims.as_object().contains_key("nonce") {
            return Err(TokenFault::TypeMismatch);
        }
        let id = required(name(&claims, "jti")?, "jti")?;
        Ok(VerifiedLogoutToken {
            ends,
            issued_at,
            id,
        })
    }
}

/// Step 5: `events` (RFC 8417 section 2.2) has the event of a logout, an object with whatever in it.
fn check_event(claims: &Claims) -> Result<(), TokenFault> {
    let claim = "events";
    match (claims.as_object().get(claim), logout_event(claims)) {
        (None, _) | (Some(Value::Object(_)), None) => Err(TokenFault::ClaimMissing { claim }),
        (_, Some(Value::Object(_))) => Ok(()),
        _ => Err(TokenFault::ClaimInvalid { claim }),
    }
}

/// What the claims say about a logout; only those of a logout token say anything.
pub(super) fn logout_event(claims: &Claims) -> Option<&Value> {
    claims.as_object().get("events")?.get(EVENT)
}

/// A text that names something: neither empty nor endless.
fn name(claims: &Claims, claim: &'static str) -> Result<Option<String>, TokenFault> {
    let Some(text) = claims.string(claim)? else {
        return Ok(None);
    };
    let length = text
        .chars()
        .take(MAX_NAME_CHARACTERS.saturating_add(1))
        .count();
    match (1..=MAX_NAME_CHARACTERS).contains(&length) {
        true => Ok(Some(text.to_owned())),
        false => Err(TokenFault::ClaimInvalid { claim }),
    }
}

#[cfg(test)]
mod tests;
