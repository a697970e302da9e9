//! What Envoy calls: a function of the ABI, version 0.2.1, for each moment that Portero has to know of.
//! Envoy looks which of them a module has, and makes no other call.
//!
//! Each of them first forgets what the time was in the one before.
//!
//! The SDK's own callbacks are all there are: linked, every one of them would be called at every
//! request and compiled at every start. So the SDK is not part of the module.

#![allow(unsafe_code)]

use std::cell::RefCell;
use std::rc::Rc;

use super::abi;
use super::host::{EnvoyHost, forget_time};
use super::numbered::Numbered;
use super::numbers::{Action, Buffer};
use super::stream::{HttpStream, refuse};
use super::worker::Worker;
use crate::config::Config;
use crate::flow::Gateway;
use crate::host::Host;
use crate::telemetry::Level;

// A callback may lead to another before it returns, so nothing is borrowed while one is carried out.
thread_local! {
    /// The configurations of this VM by their root contexts.
    static WORKERS: RefCell<Numbered<Rc<Worker>>> = const { RefCell::new(Numbered::new()) };
    /// The requests of this VM by their contexts.
    static STREAMS: RefCell<Numbered<HttpStream>> = const { RefCell::new(Numbered::new()) };
}

fn worker(root: u32) -> Option<Rc<Worker>> {
    WORKERS.with_borrow(|workers| workers.get(root).cloned())
}

fn stream(context: u32) -> Option<HttpStream> {
    STREAMS.with_borrow(|streams| streams.get(context).cloned())
}

unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// Readies the VM. That this calls the constructors keeps the linker from wrapping every other
/// callback in a call of them.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    unsafe {
        __wasm_call_ctors();
    }
}

/// Tells Envoy which ABI this is, by being there.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// A context has come into being: a request of the configuration `root`, unless it is a root itself.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, root: u32) {
    forget_time();
    if let Some(worker) = worker(root) {
        let stream = HttpStream::new(worker, context);
        STREAMS.with_borrow_mut(|streams| streams.insert(context, stream));
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    forget_time();
    let gone = STREAMS.with_borrow_mut(|streams| streams.remove(context));
    if let Some(stream) = gone {
        stream.close();
    }
    let gone = WORKERS.with_borrow_mut(|workers| workers.remove(context));
    drop(gone);
}

/// Refuses a configuration with any fault, so that nothing is half loaded.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, _: usize) -> bool {
    forget_time();
    let host = EnvoyHost::default();
    let text = abi::buffer(Buffer::PluginConfiguration, usize::MAX).unwrap_or_default();
    match Config::load(&text, &|name| std::env::var(name).ok()) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                host.log(Level::Warn, &format!("configuration_warning {warning}"));
            }
            for state in &loaded.config.upstream.filter_state {
                // Without it the state is there all the same, as bytes.
                if !abi::declare_text_property(&state.name) {
                    host.log(Level::Warn, "filter_state_not_declared");
                }
            }
            host.try_signatures();
            host.show_counters();
            let gateway = Gateway::new(loaded.config, Rc::new(host));
            let worker = Worker::new(Rc::new(gateway));
            WORKERS.with_borrow_mut(|workers| workers.insert(root, worker));
            true
        }
        Err(faults) => {
            for fault in &faults.0 {
                host.log(Level::Error, &format!("configuration_refused {fault}"));
            }
            false
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    forget_time();
    if let Some(worker) = worker(root) {
        worker.tick();
    }
}

/// The answer to a call has come. All calls are their root's, whatever they were made for.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    root: u32,
    token: u32,
    headers: usize,
    _body: usize,
    _trailers: usize,
) {
    forget_time();
    if let Some(worker) = worker(root) {
        worker.answered(token, headers);
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _: usize, complete: u32) -> Action {
    forget_time();
    // A request that nothing is known of must not get through.
    stream(context).map_or_else(refuse, |stream| stream.request_headers(complete != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(context: u32, _: usize, complete: u32) -> Action {
    forget_time();
    stream(context).map_or_else(refuse, |stream| stream.request_body(complete != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(context: u32, _: usize) -> Action {
    forget_time();
    stream(context).map_or_else(refuse, |stream| stream.request_body(true))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(context: u32, _: usize, _: u32) -> Action {
    forget_time();
    if let Some(stream) = stream(context) {
        stream.response_headers();
    }
    Action::Continue
}
