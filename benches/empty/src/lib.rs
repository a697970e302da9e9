//! A filter on the Rust SDK that lets everything pass: what any such filter costs before it does a thing.
#![cfg(target_arch = "wasm32")]

use proxy_wasm::traits::{Context, HttpContext};

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::new(Empty));
}}

struct Empty;

impl Context for Empty {}

impl HttpContext for Empty {}
