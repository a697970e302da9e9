//! A JWT access token (RFC 9068), and the looser kind that came before it, and the proof that it holds.

use std::rc::Rc;

use serde_json::Value;

use super::logout_token::logout_event;
use super::verifier::{Clock, check_issuer, check_signature, required, subject};
use crate::config::{AccessTokenPolicy, AccessTokenProfile, IntrospectionPolicy};
use crate::error::TokenFault;
use crate::host::Host;
use crate::jose::{Claims, Header, JwkSet, Jws};
use crate::time::Timestamp;

/// `typ` of a token that says that it is an access token (RFC 9068 section 2.1).
pub(super) const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The `typ` that says nothing.
const PLAIN_TYPE: &str = "JWT";

/// Claims that only ID tokens have (OpenID Connect Core sections 2 and 3.3.2.11).
const ID_TOKEN_CLAIMS: [&str; 3] = ["nonce", "at_hash", "c_hash"];

/// What Keycloak, which leaves the header's `typ` alone, says in the claim `typ` of tokens that are no
/// access tokens.
const OTHER_KINDS: [&str; 4] = ["ID", "Refresh", "Offline", "Logout"];

/// What Cognito and Hydra say in `token_use` of access tokens.
const ACCESS_TOKEN_USES: [&str; 2] = ["access", "access_token"];

/// Claims that products put into access tokens alone, of which those that say nothing by `typ` must have
/// one. `azp` is none of them: ID tokens have it too.
const ACCESS_TOKEN_CLAIMS: [&str; 8] = [
    "scope",
    "scp",
    "client_id",
    "cid",
    "appid",
    "azpacr",
    "appidacr",
    "permissions",
];

/// Judges the access tokens of one issuer.
#[derive(Clone, Copy)]
pub struct AccessTokenVerifier<'a> {
    /// Compared byte for byte with `iss`.
    pub issuer: &'a str,
    pub policy: &'a AccessTokenPolicy,
    pub now: Timestamp,
    /// Helps with signatures.
    pub host: &'a dyn Host,
}

/// An access token that has passed every check. Only [`AccessTokenVerifier`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedAccessToken {
    claims: Rc<Claims>,
    expires_at: Timestamp,
}

impl VerifiedAccessToken {
    /// `exp`, by the issuer's clock.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// All claims of the token.
    pub const fn claims(&self) -> &Rc<Claims> {
        &self.claims
    }
}

impl AccessTokenVerifier<'_> {
    /// Verifies a token with the issuer's `keys`: the checks of RFC 9068 section 4, and that it is no
    /// other kind of token (RFC 8725 sections 3.11 and 3.12). The first that fails is the error.
    ///
    /// [`TokenFault::KeyUnknown`] alone is worth another attempt, with freshly fetched keys.
    pub fn verify(
        &self,
        token: &Jws<'_>,
        keys: &JwkSet,
    ) -> Result<VerifiedAccessToken, TokenFault> {
        let claims = check_signature(token, keys, &self.policy.algorithms, self.host)?;
        let header = token.header();
        self.check_type(header)?;
        check_no_other_kind(&claims)?;
        check_unbound(&claims)?;
        check_issuer(&claims, self.issuer)?;
        self.check_audience(header, &claims)?;
        let expires_at = self.check_times(&claims)?;
        self.check_parties(&claims)?;
        self.check_scopes(&claims)?;
        Ok(VerifiedAccessToken { claims, expires_at })
    }

    /// Judges what the issuer says of an active token, as the claims of a JSON Web Token are judged
    /// (RFC 7662 sections 2.2 and 4). Claims that the token does not have are not asked for, except for
    /// its audience: another's token is as active as ours.
    pub fn verify_introspected(
        &self,
        claims: Claims,
        policy: &IntrospectionPolicy,
    ) -> Result<VerifiedAccessToken, TokenFault> {
        check_no_other_kind(&claims)?;
        check_bearer(&claims)?;
        // Rules may ask who vouches for the caller, and it is the issuer who has been asked.
        let claims = claims.or("iss", self.issuer);
        check_issuer(&claims, self.issuer)?;
        let members = claims.as_object();
        let is_for_nobody = match members.get("aud") {
            None | Some(Value::Null) => true,
            Some(Value::Array(audiences)) => audiences.is_empty(),
            Some(_) => false,
        };
        match (is_for_nobody, policy.insecure_allow_missing_audience) {
            (false, _) => self.check_is_for_us(&claims.audiences()?)?,
            (true, false) => return Err(TokenFault::ClaimMissing { claim: "aud" }),
            (true, true) => {}
        }
        let clock = self.clock();
        let issued_at = clock.check_issued_at(&claims)?;
        clock.check_not_before(&claims)?;
        let expires_at = match members.contains_key("exp") {
            true => clock.check_expiry(&claims)?,
            false => self.now.after(policy.cache),
        };
        self.check_lifetime(issued_at, expires_at)?;
        subject(&claims)?;
        for claim in ["client_id", "jti", "azp"] {
            text(&claims, claim)?;
        }
        claims.string("scope")?;
        let claims = Rc::new(claims);
        Ok(VerifiedAccessToken { claims, expires_at })
    }

    /// Whether what the issuer says of a token that has been verified is about that very token, and leaves
    /// it a bearer token.
    pub fn confirm(&self, token: &VerifiedAccessToken, said: &Claims) -> Result<(), TokenFault> {
        check_bearer(said)?;
        let differs = |claim: &str| {
            let said = said.as_object().get(claim);
            said.is_some_and(|said| token.claims.as_object().get(claim) != Some(said))
        };
        match (differs("iss"), differs("sub")) {
            (true, _) => Err(TokenFault::IssuerMismatch),
            (_, true) => Err(TokenFault::SubjectInvalid),
            _ => Ok(()),
        }
    }

    /// `typ` says that it is an access token, or nothing where that is enough.
    fn check_type(&self, header: &Header) -> Result<(), TokenFault> {
        let says_nothing = header.typ().is_none() || header.is_typed(PLAIN_TYPE);
        if header.is_typed(ACCESS_TOKEN_TYPE)
            || says_nothing && self.policy.profile == AccessTokenProfile::Lenient
        {
            Ok(())
        } else {
            Err(TokenFault::TypeMismatch)
        }
    }

    /// One of `aud` is ours. Where `typ` does not say what the token is, it must not be for clients
    /// alone, as ID tokens are, nor for a client among others unless it has a scope, as ID tokens have
    /// not.
    fn check_audience(&self, header: &Header, claims: &Claims) -> Result<(), TokenFault> {
        let given = claims.audiences()?;
        self.check_is_for_us(&given)?;
        if header.is_typed(ACCESS_TOKEN_TYPE) {
            return Ok(());
        }
        let is_client = |audience: &&str| among(&self.policy.client_ids, audience);
        let has = |claim: &str| claims.as_object().contains_key(claim);
        // Whoever has been given a secret for it is no OpenID provider, and makes nothing else.
        let is_by_secret = header.algorithm().is_symmetric() && !self.policy.keys.is_empty();
        if !is_by_secret
            && !is_called_access_token(claims)
            && !ACCESS_TOKEN_CLAIMS.into_iter().any(has)
        {
            return Err(TokenFault::TypeMismatch);
        }
        let has_scope = has("scope") || has("scp");
        if given.iter().all(is_client) || given.iter().any(is_client) && !has_scope {
            return Err(TokenFault::TypeMismatch);
        }
        Ok(())
    }

    fn check_is_for_us(&self, given: &[&str]) -> Result<(), TokenFault> {
        match given.iter().any(|one| among(&self.policy.audiences, one)) {
            true => Ok(()),
            false => Err(TokenFault::AudienceMismatch),
        }
    }

    const fn clock(&self) -> Clock {
        Clock {
            now: self.now,
            skew: self.policy.clock_skew,
        }
    }

    /// `exp`, `iat` and `nbf`, and how long the first two are apart.
    fn check_times(&self, claims: &Claims) -> Result<Timestamp, TokenFault> {
        let clock = self.clock();
        let expires_at = clock.check_expiry(claims)?;
        let issued_at = clock.check_issued_at(claims)?;
        clock.check_not_before(claims)?;
        if self.policy.profile == AccessTokenProfile::Rfc9068 {
            required(issued_at, "iat")?;
        }
        self.check_lifetime(issued_at, expires_at)?;
        Ok(expires_at)
    }

    /// How far `iat` and `exp` are apart, which takes both.
    fn check_lifetime(
        &self,
        issued_at: Option<Timestamp>,
        expires_at: Timestamp,
    ) -> Result<(), TokenFault> {
        let Some(max_lifetime) = self.policy.max_lifetime else {
            return Ok(());
        };
        match expires_at > required(issued_at, "iat")?.after(max_lifetime) {
            true => Err(TokenFault::LifetimeTooLong),
            false => Ok(()),
        }
    }

    /// Who the token is about and who it was issued to, and its name.
    fn check_parties(&self, claims: &Claims) -> Result<(), TokenFault> {
        let subject = subject(claims)?;
        let client_id = text(claims, "client_id")?;
        let jwt_id = text(claims, "jti")?;
        text(claims, "azp")?;
        if self.policy.profile == AccessTokenProfile::Rfc9068 {
            required(subject, "sub")?;
            required(client_id, "client_id")?;
            required(jwt_id, "jti")?;
        }
        Ok(())
    }

    /// `scope` is a string of words (RFC 8693 section 4.2). Tokens of before may have `scp` instead, and an
    /// array in either.
    fn check_scopes(&self, claims: &Claims) -> Result<(), TokenFault> {
        if self.policy.profile == AccessTokenProfile::Rfc9068 {
            return claims.string("scope").map(drop);
        }
        for claim in ["scope", "scp"] {
            let is_one = match claims.as_object().get(claim) {
                None | Some(Value::String(_)) => true,
                Some(Value::Array(scopes)) => scopes.iter().all(Value::is_string),
                Some(_) => false,
            };
            if !is_one {
                return Err(TokenFault::ClaimInvalid { claim });
            }
        }
        Ok(())
    }
}

/// Nothing in the claims says that this is an ID token, a logout token or a refresh token.
fn check_no_other_kind(claims: &Claims) -> Result<(), TokenFault> {
    let members = claims.as_object();
    let is_id_token = ID_TOKEN_CLAIMS
        .iter()
        .any(|name| members.contains_key(*name));
    if is_id_token || logout_event(claims).is_some() {
        return Err(TokenFault::TypeMismatch);
    }
    let typ = claims.string("typ")?.unwrap_or_default();
    let is_other = |kind: &&str| kind.eq_ignore_ascii_case(typ);
    let token_use = claims.string("token_use")?;
    let is_access = |given: &str| {
        ACCESS_TOKEN_USES
            .iter()
            .any(|own| own.eq_ignore_ascii_case(given))
    };
    if OTHER_KINDS.iter().any(is_other) || token_use.is_some_and(|given| !is_access(given)) {
        return Err(TokenFault::TypeMismatch);
    }
    Ok(())
}

/// Whether a claim says that it is an access token.
fn is_called_access_token(claims: &Claims) -> bool {
    let says = |claim, word: &str| {
        let given = claims.string(claim).ok().flatten();
        given.is_some_and(|given| given.eq_ignore_ascii_case(word))
    };
    says("typ", "Bearer") || ACCESS_TOKEN_USES.iter().any(|own| says("token_use", own))
}

fn among(names: &[String], audience: &str) -> bool {
    names.iter().any(|name| name == audience)
}

/// RFC 7800 section 3.1: whoever shows a token with `cnf` has to prove something, and nobody here asks for
/// that. As a bearer token it is no good (RFC 9449 section 7.2).
fn check_unbound(claims: &Claims) -> Result<(), TokenFault> {
    match claims.as_object().contains_key("cnf") {
        true => Err(TokenFault::ProofRequired),
        false => Ok(()),
    }
}

/// What is said of a token leaves it a bearer token.
fn check_bearer(said: &Claims) -> Result<(), TokenFault> {
    check_unbound(said)?;
    let token_type = said.string("token_type")?;
    match token_type.is_none_or(|given| given.eq_ignore_ascii_case("bearer")) {
        true => Ok(()),
        false => Err(TokenFault::TypeMismatch),
    }
}

/// A claim that names something, where it is present.
fn text<'a>(claims: &'a Claims, claim: &'static str) -> Result<Option<&'a str>, TokenFault> {
    match claims.string(claim)? {
        Some("") => Err(TokenFault::ClaimInvalid { claim }),
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests;
