//! Portero: an identity gateway inside Envoy.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod config;
pub mod endpoint;
pub mod error;
pub mod jose;
pub mod oidc;
pub mod secret;
pub mod time;
