//! Compact JSON Web Signatures (RFC 7515).

use std::cell::OnceCell;
use std::rc::Rc;

use portero_fast::parse_object;
use serde_json::Value;

use super::{Algorithm, Claims, JwkSet, MAX_CANDIDATES, MAX_KEY_ID_BYTES, base64url};
use crate::error::TokenFault;
use crate::host::Host;

/// The longest token that is read.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// What Portero reads of a header: whatever else it says, in particular `jwk`, `jku`, `x5u` and
/// `x5c`, is not trusted and not looked at (RFC 8725 section 3.10).
#[derive(Clone, Debug)]
pub struct Header {
    algorithm: Algorithm,
    key_id: Option<String>,
    typ: Option<String>,
}

impl Header {
    /// `alg`, one that Portero can verify.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `kid`, as the token claims it.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// `typ`, as the token claims it.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// Whether `typ` is this media type, in whatever case, and with its prefix or without it
    /// (RFC 7515 section 4.1.9).
    pub fn is_typed(&self, media_type: &str) -> bool {
        const PREFIX: &str = "application/";
        self.typ().is_some_and(|given| {
            let rest = match given.split_at_checked(PREFIX.len()) {
                Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
                _ => given,
            };
            rest.eq_ignore_ascii_case(media_type)
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, TokenFault> {
        let members = parse_object(bytes).ok_or(TokenFault::HeaderInvalid)?;
        // RFC 7515 section 4.1.11: an extension that is not understood invalidates the token, and
        // an empty `crit` must not be. RFC 7797 changes what is signed; it is not supported.
        if members.contains_key("crit") || members.contains_key("b64") {
            return Err(TokenFault::CriticalHeader);
        }
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(TokenFault::HeaderInvalid),
        };
        let name = text("alg")?.ok_or(TokenFault::HeaderInvalid)?;
        let algorithm = Algorithm::from_name(&name).ok_or(TokenFault::AlgorithmRefused)?;
        let key_id = text("kid")?;
        if key_id
            .as_ref()
            .is_some_and(|id| id.len() > MAX_KEY_ID_BYTES)
        {
            return Err(TokenFault::HeaderInvalid);
        }
        Ok(Self {
            algorithm,
            key_id,
            typ: text("typ")?,
        })
    }
}

/// A token taken apart, with nothing proven. Its claims come out of [`Jws::verify`] only.
pub struct Jws<'a> {
    header: Header,
    signing_input: &'a str,
    payload: Vec<u8>,
    /// The payload, read once, whoever asks first.
    claims: OnceCell<Result<Rc<Claims>, TokenFault>>,
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Takes a compact serialization apart (RFC 7515 section 7.1): exactly three parts of
    /// base64url without padding, at most [`MAX_TOKEN_BYTES`] together. An encrypted token has
    /// five parts (RFC 7516 section 7.1) and is refused as such.
    pub fn parse(token: &'a str) -> Result<Self, TokenFault> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::TooLarge);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(TokenFault::Malformed)?;
        if payload.contains('.') {
            return Err(match payload.matches('.').count() {
                2 => TokenFault::Encrypted,
                _ => TokenFault::Malformed,
            });
        }
        let header = base64url::decode(header).ok_or(TokenFault::Malformed)?;
        Ok(Self {
            header: Header::parse(&header)?,
            signing_input,
            payload: base64url::decode(payload).ok_or(TokenFault::Malformed)?,
            claims: OnceCell::new(),
            signature: base64url::decode(signature).ok_or(TokenFault::Malformed)?,
        })
    }

    /// Whether `token` says of itself that it is one: three parts of which the first is a JSON object. It
    /// may be a bad one.
    pub fn is_one(token: &str) -> bool {
        let mut parts = token.split('.');
        let header = parts.next().and_then(base64url::decode);
        parts.count() == 2 && header.is_some_and(|header| parse_object(&header).is_some())
    }

    /// The header, as the token claims it.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// `iss` as the token claims it, which proves nothing: to find the keys that can.
    ///
    /// Errors: [`TokenFault::ClaimsMalformed`], and [`TokenFault::ClaimMissing`] or
    /// [`TokenFault::ClaimInvalid`] of `iss`.
    pub fn unverified_issuer(&self) -> Result<String, TokenFault> {
        let claims = self.claims()?;
        let issuer = claims.string("iss")?;
        issuer
            .map(ToOwned::to_owned)
            .ok_or(TokenFault::ClaimMissing { claim: "iss" })
    }

    /// Verifies the signature with one of `keys`, and the help of `host`, and reads the payload as claims.
    ///
    /// A header with a `kid` is verified with the keys of that `kid`, one without with all that
    /// support its algorithm, at most [`MAX_CANDIDATES`] in either case.
    ///
    /// Errors: [`TokenFault::AlgorithmRefused`] where the algorithm needs a secret and the set has
    /// none; [`TokenFault::KeyUnknown`], [`TokenFault::KeyAmbiguous`] and
    /// [`TokenFault::SignatureInvalid`] as they are described there;
    /// [`TokenFault::ClaimsMalformed`] for a signed payload that is not a JSON object.
    pub fn verify(&self, keys: &JwkSet, host: &dyn Host) -> Result<Rc<Claims>, TokenFault> {
        // Secrets are configured, never published: no other set would have one.
        let algorithm = self.header.algorithm;
        if algorithm.is_symmetric() && !keys.keys().iter().any(|key| key.supports(algorithm)) {
            return Err(TokenFault::AlgorithmRefused);
        }
        let mut candidates = keys.candidates(&self.header);
        let mut tried = 0_usize;
        for key in candidates.by_ref().take(MAX_CANDIDATES) {
            tried = tried.saturating_add(1);
            let input = self.signing_input.as_bytes();
            let verified = key.verify(algorithm, input, &self.signature, host);
            if verified.is_ok() {
                return self.claims();
            }
        }
        if candidates.next().is_some() {
            return Err(TokenFault::KeyAmbiguous);
        }
        if tried == 0 || self.header.key_id.is_none() {
            return Err(TokenFault::KeyUnknown);
        }
        Err(TokenFault::SignatureInvalid)
    }

    fn claims(&self) -> Result<Rc<Claims>, TokenFault> {
        let read = || Claims::parse(&self.payload).map(Rc::new);
        self.claims.get_or_init(read).clone()
    }
}

#[cfg(test)]
mod tests;
