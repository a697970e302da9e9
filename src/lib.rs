//! Portero: an identity gateway inside Envoy.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

#[cfg(target_arch = "wasm32")]
mod adapter;
pub mod answer;
pub mod config;
pub mod endpoint;
pub mod error;
pub mod flow;
pub mod host;
pub mod jose;
pub mod oidc;
#[cfg(any(test, target_arch = "wasm32"))]
mod pairs;
pub mod provider;
pub mod request;
pub mod route;
pub mod secret;
pub mod session;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod time;
pub mod upstream;
