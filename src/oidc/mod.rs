//! OpenID Connect's messages: built, read and judged; never sent.

mod access_token;
mod authorization;
mod client_assertion;
mod client_authentication;
mod end_session;
mod id_token;
mod introspection;
mod logout_token;
mod metadata;
pub mod pkce;
mod resource_metadata;
mod revocation;
mod signed_token;
mod token;
mod upstream_token;
mod userinfo;
mod verifier;

pub use access_token::{AccessTokenVerifier, VerifiedAccessToken};
pub use authorization::{AuthenticationRequest, AuthorizationResponse};
pub use client_authentication::Authenticator;
pub use end_session::EndSessionRequest;
pub use id_token::{Expectations, VerifiedIdToken};
pub use introspection::{ResourceServer, parse_introspection};
pub use logout_token::{Ends, LOGOUT_TOKEN_AGE, VerifiedLogoutToken};
pub use metadata::{MetadataFault, ProviderMetadata};
pub use resource_metadata::resource_metadata;
pub use revocation::RevocationRequest;
pub use signed_token::SignedToken;
pub use token::{TokenRequest, TokenResponse};
pub use upstream_token::{IssueFault, IssuedToken, UpstreamTokenRequest};
pub use userinfo::parse_userinfo;
pub use verifier::TokenVerifier;
