//! The ID token of an OpenID provider (OpenID Connect Core section 2) and the proof that it holds.

use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;

use super::access_token::ACCESS_TOKEN_TYPE;
use super::logout_token::{LOGOUT_TOKEN_TYPE, logout_event};
use super::verifier::{TokenVerifier, check_issuer, check_signature, required, subject};
use crate::error::TokenFault;
use crate::jose::{Algorithm, Claims, JwkSet, Jws};
use crate::time::Timestamp;

/// What this one ID token must belong to.
#[derive(Clone, Copy, Default)]
pub struct Expectations<'a> {
    /// The `nonce` of the authentication request; then the token must carry it. `None` compares
    /// nothing: only a refreshed token may come without (OpenID Connect Core section 12.2).
    pub nonce: Option<&'a str>,
    /// The access token that came with it, against which `at_hash` is checked where present.
    pub access_token: Option<&'a str>,
    /// The authorization code that came with it, against which `c_hash` is checked where present.
    pub code: Option<&'a str>,
    /// The `max_age` of the authentication request; then the token must carry an `auth_time` that
    /// is not older.
    pub max_age: Option<Duration>,
    /// The `acr_values` of the authentication request; unless there are none, the token must carry
    /// one of them as its `acr`.
    pub acr_values: &'a [String],
}

/// An ID token that has passed every check. Only [`TokenVerifier::verify_id_token`] makes
/// one.
#[derive(Clone, Debug)]
pub struct VerifiedIdToken {
    claims: Rc<Claims>,
    subject: String,
    issued_at: Timestamp,
    auth_time: Option<Timestamp>,
}

impl VerifiedIdToken {
    /// `sub`: not empty, at most 255 characters, unique and never reassigned within the issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `iat`: when the provider made the token, by its own clock.
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// `auth_time`: when the user authenticated, where the provider says so.
    pub const fn auth_time(&self) -> Option<Timestamp> {
        self.auth_time
    }

    /// `acr`: the class of the authentication, where the provider says so as text.
    pub fn acr(&self) -> Option<&str> {
        self.claims.string("acr").ok().flatten()
    }

    /// `sid`: the provider's name for its own session, where it gives one. The verifier has
    /// refused every other type.
    pub fn sid(&self) -> Option<&str> {
        self.claims.string("sid").ok().flatten()
    }

    /// All claims of the token.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}

impl TokenVerifier<'_> {
    /// Verifies an ID token, as received, with the provider's `keys`: the checks of OpenID Connect
    /// Core sections 3.1.3.7 and 3.1.3.8 in that order, the first that fails being the error.
    ///
    /// [`TokenFault::KeyUnknown`] alone is worth another attempt, with freshly fetched keys.
    pub fn verify_id_token(
        &self,
        token: &str,
        keys: &JwkSet,
        expected: &Expectations<'_>,
    ) -> Result<VerifiedIdToken, TokenFault> {
        let jws = Jws::parse(token)?;
        let claims = check_signature(&jws, keys, &self.policy.algorithms, self.host)?;
        let header = jws.header();
        let is_other = |typ| header.is_typed(typ);
        if [ACCESS_TOKEN_TYPE, LOGOUT_TOKEN_TYPE]
            .into_iter()
            .any(is_other)
            || logout_event(&claims).is_some()
        {
            return Err(TokenFault::TypeMismatch);
        }
        check_issuer(&claims, self.issuer)?;
        self.check_audience(&claims)?;
        self.check_authorized_party(&claims)?;
        self.clock().check_expiry(&claims)?;
        let issued_at = self.check_issued_at(&claims, self.policy.max_age)?;
        self.clock().check_not_before(&claims)?;
        check_nonce(&claims, expected.nonce)?;
        if !hash_matches(
            &claims,
            "at_hash",
            header.algorithm(),
            expected.access_token,
        )? {
            return Err(TokenFault::AccessTokenHashMismatch);
        }
        if !hash_matches(&claims, "c_hash", header.algorithm(), expected.code)? {
            return Err(TokenFault::CodeHashMismatch);
        }
        let subject = required(subject(&claims)?, "sub")?.to_owned();
        claims.string("sid")?;
        let auth_time = claims.numeric_date("auth_time")?;
        if let Some(max_age) = expected.max_age {
            self.check_authentication_age(auth_time, max_age)?;
        }
        check_acr(&claims, expected.acr_values)?;
        Ok(VerifiedIdToken {
            claims,
            subject,
            issued_at,
            auth_time,
        })
    }

    /// Steps 4 and 5 of section 3.1.3.7: where there are several audiences, `azp` says that the
    /// token was issued to this client.
    fn check_authorized_party(&self, claims: &Claims) -> Result<(), TokenFault> {
        match claims.string("azp")? {
            Some(party) if party == self.client_id => Ok(()),
            Some(_) => Err(TokenFault::AuthorizedPartyMismatch),
            None if claims.audiences()?.len() > 1 => Err(TokenFault::ClaimMissing { claim: "azp" }),
            None => Ok(()),
        }
    }

    /// Step 13 of section 3.1.3.7, which follows the others because it judges the person's login
    /// and not the token.
    fn check_authentication_age(
        &self,
        auth_time: Option<Timestamp>,
        max_age: Duration,
    ) -> Result<(), TokenFault> {
        let auth_time = required(auth_time, "auth_time")?;
        let clock_skew = self.policy.clock_skew;
        if auth_time > self.now.after(clock_skew) {
            return Err(TokenFault::ClaimInvalid { claim: "auth_time" });
        }
        if auth_time < self.now.before(max_age).before(clock_skew) {
            return Err(TokenFault::AuthenticationTooOld);
        }
        Ok(())
    }
}

/// Step 11 of section 3.1.3.7. The comparison takes the same time for every wrong nonce.
fn check_nonce(claims: &Claims, expected: Option<&str>) -> Result<(), TokenFault> {
    let given = claims.string("nonce")?;
    let Some(expected) = expected else {
        return Ok(());
    };
    if equal(required(given, "nonce")?, expected) {
        Ok(())
    } else {
        Err(TokenFault::NonceMismatch)
    }
}

/// Step 12 of section 3.1.3.7: where classes were asked for, the token has one of them.
fn check_acr(claims: &Claims, asked: &[String]) -> Result<(), TokenFault> {
    if asked.is_empty() {
        return Ok(());
    }
    let given = required(claims.string("acr")?, "acr")?;
    if asked.iter().any(|class| class == given) {
        Ok(())
    } else {
        Err(TokenFault::AcrMismatch)
    }
}

/// Whether the hash in `claim`, where there is one, belongs to `value`, where there is one
/// (sections 3.1.3.8 and 3.3.2.11): base64url of the left half of the digest whose size the
/// token's algorithm names. Ed25519 hashes with SHA-512 inside, so `EdDSA` does here.
fn hash_matches(
    claims: &Claims,
    claim: &'static str,
    algorithm: Algorithm,
    value: Option<&str>,
) -> Result<bool, TokenFault> {
    use Algorithm::{EdDsa, Es256, Es384, Hs256, Hs384, Hs512};
    use Algorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    let (Some(given), Some(value)) = (claims.string(claim)?, value) else {
        return Ok(true);
    };
    let digest = match algorithm {
        Rs256 | Ps256 | Es256 | Hs256 => Sha256::digest(value).to_vec(),
        Rs384 | Ps384 | Es384 | Hs384 => Sha384::digest(value).to_vec(),
        Rs512 | Ps512 | EdDsa | Hs512 => Sha512::digest(value).to_vec(),
    };
    let (left_half, _) = digest.split_at(digest.len() / 2);
    Ok(equal(given, &URL_SAFE_NO_PAD.encode(left_half)))
}

fn equal(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests;
