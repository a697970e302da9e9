//! JSON Object Signing: parse, then verify; no network.

mod algorithm;
mod base64url;
mod claim_path;
mod claims;
mod der;
mod jwk;
mod jwk_set;
mod jws;
mod key_fault;
mod native;
mod pem;
mod private_key;
mod public_key;
mod secret_key;
mod signing_key;
#[cfg(test)]
pub(crate) mod testing;

pub use algorithm::Algorithm;
pub use claim_path::{Found, follow, graft};
pub use claims::{Claims, MAX_NUMERIC_DATE, client_of};
pub use jwk::{Jwk, MAX_KEY_ID_BYTES};
pub use jwk_set::{JwkSet, JwkSetFault, MAX_CANDIDATES, MAX_JWK_SET_BYTES, MAX_KEYS};
pub use jws::{Header, Jws, MAX_TOKEN_BYTES};
pub use key_fault::KeyFault;
pub use native::tells_signatures_apart;
pub use signing_key::SigningKey;
