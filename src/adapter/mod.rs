//! Portero inside Envoy: the only place that knows proxy-wasm.
//!
//! Callbacks become flows, steps become host calls. Nothing is decided here.

mod abi;
mod host;
mod root;
mod stream;
mod worker;

use proxy_wasm::types::LogLevel;

#[allow(unsafe_code)]
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_log_level(super::LogLevel::Info);
        proxy_wasm::set_root_context(|_| Box::new(super::root::Root::default()));
    }}
}
