//! A filter that does nothing but show how Envoy itself behaves, where Portero relies on it.
//!
//! A request says by its path what shall happen to it:
//!
//! - `/pause/forward` waits; when released, the root context adds a header and lets it go on
//! - `/pause/reply` waits; when released, the root context answers it with two cookies
//! - `/call/CLUSTER/MILLISECONDS` calls that cluster and answers with what came of it
//! - `/trap` panics
//! - anything else passes
//!
//! And a test controls it by requests, answered at once: `/probe/waiting` says how many wait, `/probe/release` releases them at the
//! next tick, `/probe/outcomes` says what came of each. All of it is per worker, so tests run one worker.
#![cfg(target_arch = "wasm32")]

use std::cell::RefCell;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MapType, Status};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root));
}}

#[derive(Clone, Copy)]
enum Ending {
    Forward,
    Reply,
}

#[derive(Default)]
struct Worker {
    waiting: Vec<(u32, Ending)>,
    released: bool,
    outcomes: Vec<String>,
}

thread_local! {
    static WORKER: RefCell<Worker> = RefCell::default();
}

fn worker<T>(look: impl FnOnce(&mut Worker) -> T) -> T {
    WORKER.with_borrow_mut(look)
}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        self.set_tick_period(Duration::from_millis(10));
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        !String::from_utf8_lossy(&configuration).contains("refuse")
    }

    fn on_tick(&mut self) {
        let released = worker(|worker| {
            if std::mem::take(&mut worker.released) {
                std::mem::take(&mut worker.waiting)
            } else {
                Vec::new()
            }
        });
        for (id, ending) in released {
            let outcome = match hostcalls::set_effective_context(id).and_then(|()| finish(ending)) {
                Ok(()) => "Ok".to_owned(),
                Err(status) => format!("{status:?}"),
            };
            worker(|worker| worker.outcomes.push(outcome));
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Exchange { id, waited: false }))
    }
}

fn finish(ending: Ending) -> Result<(), Status> {
    match ending {
        Ending::Forward => {
            hostcalls::set_map_value(MapType::HttpRequestHeaders, "x-probe", Some("released"))?;
            hostcalls::resume_http_request()
        }
        Ending::Reply => hostcalls::send_http_response(
            401,
            vec![("set-cookie", "a=1"), ("set-cookie", "b=2")],
            Some(b"replied"),
        ),
    }
}

struct Exchange {
    id: u32,
    waited: bool,
}

impl Exchange {
    fn wait(&mut self, ending: Ending) -> Action {
        self.waited = true;
        worker(|worker| worker.waiting.push((self.id, ending)));
        Action::Pause
    }

    fn answer(&self, text: &str) -> Action {
        self.send_http_response(200, vec![], Some(text.as_bytes()));
        Action::Pause
    }
}

impl Context for Exchange {
    fn on_http_call_response(&mut self, _: u32, headers: usize, body_size: usize, _: usize) {
        let status = self
            .get_http_call_response_headers_bytes()
            .into_iter()
            .find(|(name, _)| name == ":status")
            .map(|(_, value)| value);
        let status = String::from_utf8_lossy(&status.unwrap_or_default()).into_owned();
        let body = self
            .get_http_call_response_body(0, body_size)
            .unwrap_or_default();
        let body = String::from_utf8_lossy(&body).into_owned();
        let headers = if headers == 0 {
            "no headers"
        } else {
            "headers"
        };
        self.answer(&format!(
            "callback: {headers}; status {status:?}; body {body:?}"
        ));
    }
}

impl HttpContext for Exchange {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let path = self
            .get_http_request_header_bytes(":path")
            .unwrap_or_default();
        let path = String::from_utf8_lossy(&path).into_owned();
        let words: Vec<&str> = path.split('/').skip(1).collect();
        match words.as_slice() {
            ["pause", "forward"] => self.wait(Ending::Forward),
            ["pause", "reply"] => self.wait(Ending::Reply),
            ["call", cluster, milliseconds] => {
                let timeout = Duration::from_millis(milliseconds.parse().unwrap_or(1000));
                let headers = vec![(":method", "GET"), (":path", "/"), (":authority", "probe")];
                match self.dispatch_http_call(cluster, headers, None, vec![], timeout) {
                    Ok(_) => Action::Pause,
                    Err(status) => self.answer(&format!("refused at once: {status:?}")),
                }
            }
            ["trap"] => panic!("as the test asked"),
            ["probe", "waiting"] => self.answer(&worker(|worker| worker.waiting.len()).to_string()),
            ["probe", "release"] => {
                worker(|worker| worker.released = true);
                self.answer("released")
            }
            ["probe", "outcomes"] => self.answer(&worker(|worker| worker.outcomes.join(" "))),
            _ => Action::Continue,
        }
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        if self.waited {
            self.add_http_response_header("x-probe-saw-response", "yes");
        }
        Action::Continue
    }
}
