//! OpenID Connect: the protocol's messages and what they prove.

mod id_token;

pub use id_token::{Expectations, IdTokenVerifier, VerifiedIdToken};
