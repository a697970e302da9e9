//! What every token of one provider for one client must be, whatever it is for.

use std::rc::Rc;
use std::time::Duration;

use crate::config::IdTokenPolicy;
use crate::error::TokenFault;
use crate::host::Host;
use crate::jose::{Algorithm, Claims, JwkSet, Jws};
use crate::time::Timestamp;

/// The longest `sub` (OpenID Connect Core section 2).
const MAX_SUBJECT_CHARACTERS: usize = 255;

/// Judges the tokens of one provider for one client.
#[derive(Clone, Copy)]
pub struct TokenVerifier<'a> {
    /// Compared byte for byte with `iss`.
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub policy: &'a IdTokenPolicy,
    pub now: Timestamp,
    /// Helps with signatures.
    pub host: &'a dyn Host,
}

/// The checks of OpenID Connect Core section 3.1.3.7 that are not about ID tokens alone.
impl TokenVerifier<'_> {
    /// The clock of steps 9 and 10.
    pub(super) const fn clock(&self) -> Clock {
        Clock {
            now: self.now,
            skew: self.policy.clock_skew,
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

    /// Step 10, with a limit in both directions.
    pub(super) fn check_issued_at(
        &self,
        claims: &Claims,
        max_age: Duration,
    ) -> Result<Timestamp, TokenFault> {
        let issued_at = required(self.clock().check_issued_at(claims)?, "iat")?;
        let clock_skew = self.policy.clock_skew;
        if issued_at < self.now.before(max_age).before(clock_skew) {
            return Err(TokenFault::IssuedTooLongAgo);
        }
        Ok(issued_at)
    }
}

/// The clock by which a token's times are judged, and how far its issuer's may differ from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) now: Timestamp,
    pub(super) skew: Duration,
}

impl Clock {
    /// `exp` (RFC 7519 section 4.1.4), which is never left out.
    pub(super) fn check_expiry(self, claims: &Claims) -> Result<Timestamp, TokenFault> {
        let expires_at = required(claims.numeric_date("exp")?, "exp")?;
        if expires_at > self.now.before(self.skew) {
            Ok(expires_at)
        } else {
            Err(TokenFault::Expired)
        }
    }

    /// `iat` (RFC 7519 section 4.1.6), where it is present.
    pub(super) fn check_issued_at(self, claims: &Claims) -> Result<Option<Timestamp>, TokenFault> {
        match claims.numeric_date("iat")? {
            Some(time) if time > self.now.after(self.skew) => Err(TokenFault::IssuedInFuture),
            time => Ok(time),
        }
    }

    /// `nbf` (RFC 7519 section 4.1.5), where it is present.
    pub(super) fn check_not_before(self, claims: &Claims) -> Result<(), TokenFault> {
        match claims.numeric_date("nbf")? {
            Some(time) if time > self.now.after(self.skew) => Err(TokenFault::NotYetValid),
            _ => Ok(()),
        }
    }
}

/// The signature by one of `keys` with one of `algorithms`, which comes first: no claim of a token is
/// looked at before.
pub(super) fn check_signature(
    jws: &Jws<'_>,
    keys: &JwkSet,
    algorithms: &[Algorithm],
    host: &dyn Host,
) -> Result<Rc<Claims>, TokenFault> {
    if !algorithms.contains(&jws.header().algorithm()) {
        return Err(TokenFault::AlgorithmRefused);
    }
    jws.verify(keys, host)
}

/// `iss`: the issuer exactly, no URL normalization.
pub(super) fn check_issuer(claims: &Claims, issuer: &str) -> Result<(), TokenFault> {
    if required(claims.string("iss")?, "iss")? == issuer {
        Ok(())
    } else {
        Err(TokenFault::IssuerMismatch)
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
