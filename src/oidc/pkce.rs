//! Proof Key for Code Exchange (RFC 7636).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::host::{Host, RandomUnavailable, random};

/// 256 random bits as text, as RFC 7636 section 4.1 recommends for the code verifier.
pub fn code_verifier(host: &dyn Host) -> Result<String, RandomUnavailable> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>(host)?))
}

/// 128 random bits as text, for `state` and `nonce`.
pub fn opaque(host: &dyn Host) -> Result<String, RandomUnavailable> {
    Ok(URL_SAFE_NO_PAD.encode(random::<16>(host)?))
}

/// The `S256` challenge of a code verifier (RFC 7636 section 4.2).
pub fn code_challenge(code_verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(code_verifier.as_bytes()))
}
