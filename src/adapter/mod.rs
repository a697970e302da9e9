//! Portero inside Envoy: the only place that knows proxy-wasm.
//!
//! Callbacks become flows, steps become host calls. Nothing is decided here.

mod abi;
mod callbacks;
mod host;
mod numbered;
mod numbers;
mod stream;
mod worker;
