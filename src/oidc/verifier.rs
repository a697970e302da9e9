//! What every token of one provider for one client must be, whatever it is for.

use std::time::Duration;

use crate::config::IdTokenPolicy;
use crate::error::TokenFault;
use crate::jose::{Claims, Header, JwkSet, Jws};
use crate::time::Timestamp;

/// The longest `sub` (OpenID Connect Core section 2).
const MAX_SUBJECT_CHARACTERS: usize = 255;

/// Judges the tokens of one provider for one client.
#[derive(Clone, Copy, Debug)]
pub struct TokenVerifier<'a> {
    /// Compared byte for byte with `iss`.
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub policy: &'a IdTokenPolicy,
    pub now: Timestamp,
}

/// The checks of OpenID Connect Core section 3.1.3.7 that are not about ID tokens alone.
impl TokenVerifier<'_> {
    /// Steps 6 to 8, which come first: nothing of a token is looked at before.
    pub(super) fn check_signature(
        &self,
        token: &str,
        keys: &JwkSet,
    ) -> Result<(Header, Claims), TokenFault> {
        let jws = Jws::parse(token)?;
        if !self.policy.algorithms.contains(&jws.header().algorithm()) {
            return Err(TokenFault::AlgorithmRefused);
        }
        let claims = jws.verify(keys)?;
        Ok((jws.header().clone(), claims))
    }

    /// Step 2: the issuer exactly, no URL normalization.
    pub(super) fn check_issuer(&self, claims: &Claims) -> Result<(), TokenFault> {
        if required(claims.string("iss")?, "iss")? == self.issuer {
            Ok(())
        } else {
            Err(TokenFault::IssuerMismatch)
        }
    }

    /// Step 3: this client is an audience, and all others are trusted.
    pub(super) fn check_audience(&self, claims: &Claims) -> Result<(), TokenFault> {
        let audiences = claims.audiences()?;
        if !audiences.contains(&self.client_id) {
            return Err(TokenFault::AudienceMismatch);
        }
        let trusted = |audience: &&str| {
            *audience == self.client_id
                || self
                    .policy
                    .trusted_audiences
                    .iter()
                    .any(|trusted| trusted == audience)
        };
        if audiences.iter().all(trusted) {
            Ok(())
        } else {
            Err(TokenFault::AudienceUntrusted)
        }
    }

    /// Step 9.
    pub(super) fn check_expiry(&self, claims: &Claims) -> Result<(), TokenFault> {
        let expires_at = required(claims.numeric_date("exp")?, "exp")?;
        if expires_at > self.now.before(self.policy.clock_skew) {
            Ok(())
        } else {
            Err(TokenFault::Expired)
        }
    }

    /// Step 10, with a limit in both directions.
    pub(super) fn check_issued_at(
        &self,
        claims: &Claims,
        max_age: Duration,
    ) -> Result<Timestamp, TokenFault> {
        let issued_at = required(claims.numeric_date("iat")?, "iat")?;
        let clock_skew = self.policy.clock_skew;
        if issued_at > self.now.after(clock_skew) {
            return Err(TokenFault::IssuedInFuture);
        }
        if issued_at < self.now.before(max_age).before(clock_skew) {
            return Err(TokenFault::IssuedTooLongAgo);
        }
        Ok(issued_at)
    }

    /// RFC 7519 section 4.1.5.
    pub(super) fn check_not_before(&self, claims: &Claims) -> Result<(), TokenFault> {
        match claims.numeric_date("nbf")? {
            Some(time) if time > self.now.after(self.policy.clock_skew) => {
                Err(TokenFault::NotYetValid)
            }
            _ => Ok(()),
        }
    }
}

/// `sub`, where it is present: by section 2 never empty and at most 255 characters long.
pub(super) fn subject(claims: &Claims) -> Result<Option<&str>, TokenFault> {
    let Some(subject) = claims.string("sub")? else {
        return Ok(None);
    };
    let length = subject
        .chars()
        .take(MAX_SUBJECT_CHARACTERS.saturating_add(1))
        .count();
    if (1..=MAX_SUBJECT_CHARACTERS).contains(&length) {
        Ok(Some(subject))
    } else {
        Err(TokenFault::SubjectInvalid)
    }
}

pub(super) fn required<T>(value: Option<T>, claim: &'static str) -> Result<T, TokenFault> {
    value.ok_or(TokenFault::ClaimMissing { claim })
}
