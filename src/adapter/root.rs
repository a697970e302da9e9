//! The root context: loads the configuration, and drives what outlives a request.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::abi::{self, Buffer};
use super::host::EnvoyHost;
use super::stream::HttpStream;
use super::worker::Worker;
use crate::config::Config;
use crate::flow::Gateway;
use crate::host::Host;
use crate::telemetry::Level;

/// A configuration of this plugin, once it is loaded.
#[derive(Default)]
pub struct Root {
    worker: Option<Rc<Worker>>,
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, _: usize, _: usize) {
        if let Some(worker) = &self.worker {
            worker.answered(token, headers);
        }
    }
}

impl RootContext for Root {
    /// Refuses a configuration with any fault, so that nothing is half loaded.
    fn on_configure(&mut self, _: usize) -> bool {
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
                let gateway = Gateway::new(loaded.config, Rc::new(host));
                self.worker = Some(Worker::new(Rc::new(gateway)));
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

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.tick();
        }
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        let worker = Rc::clone(self.worker.as_ref()?);
        Some(Box::new(HttpStream::new(worker, context)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
