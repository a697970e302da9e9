//! The flows of one worker: who waits for what, and who is told when it is there.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use proxy_wasm::hostcalls;

use super::abi::{self, Buffer, Map};
use super::stream::Stream;
use crate::flow::{Call, CallFailure, CallResult, Flow, Gateway, Reply, Step, fetch_provider};
use crate::pairs;

/// While requests wait, or nothing is known of the provider.
const FAST_TICK: u32 = 50;
const SLOW_TICK: u32 = 1000;

/// One configuration's flows in one VM.
pub struct Worker {
    pub gateway: Rc<Gateway>,
    /// Streams whose flow waits for other work.
    waiting: RefCell<Vec<Rc<Stream>>>,
    /// Who gets the answer to a call.
    calls: RefCell<HashMap<u32, Caller>>,
    fetch: RefCell<Option<Flow<()>>>,
    tick_period: Cell<u32>,
}

enum Caller {
    Stream(Rc<Stream>),
    Fetch,
}

impl Worker {
    pub fn new(gateway: Rc<Gateway>) -> Rc<Self> {
        let worker = Rc::new(Self {
            gateway,
            waiting: RefCell::default(),
            calls: RefCell::default(),
            fetch: RefCell::default(),
            tick_period: Cell::new(0),
        });
        worker.tick_every(FAST_TICK);
        worker
    }

    /// A stream's flow waits: it is woken by the next tick that has news, or by its deadline.
    pub fn wait(&self, stream: Rc<Stream>) {
        self.waiting.borrow_mut().push(stream);
        self.tick_every(FAST_TICK);
    }

    /// Sends a stream's call; the failure to send it is an answer too.
    pub fn call(&self, stream: &Rc<Stream>, call: &Call) -> Result<(), CallFailure> {
        let token = dispatch(call)?;
        self.calls
            .borrow_mut()
            .insert(token, Caller::Stream(Rc::clone(stream)));
        Ok(())
    }

    /// A stream is gone: nobody waits for anything on its behalf any more.
    pub fn forget(&self, context: u32) {
        self.waiting
            .borrow_mut()
            .retain(|stream| stream.context != context);
        self.calls.borrow_mut().retain(|_, caller| match caller {
            Caller::Stream(stream) => stream.context != context,
            Caller::Fetch => true,
        });
    }

    /// The answer to a call has come. The SDK hands it to the context that sent the call, which need
    /// not be the one that it is for.
    pub fn answered(self: &Rc<Self>, token: u32, headers: usize) {
        let result = read_reply(headers);
        let caller = self.calls.borrow_mut().remove(&token);
        match caller {
            Some(Caller::Fetch) => self.go_on_fetching(|flow| flow.resume(result)),
            // A context that cannot be made effective is gone, and its client with it.
            Some(Caller::Stream(stream)) if abi::set_effective_context(stream.context) => {
                stream.resume(self, result);
            }
            Some(Caller::Stream(_)) | None => {}
        }
    }

    pub fn tick(self: &Rc<Self>) {
        if let Some(plan) = self.gateway.tick() {
            let gateway = Rc::clone(&self.gateway);
            let (flow, step) = Flow::start(|exchange| fetch_provider(gateway, exchange, plan));
            *self.fetch.borrow_mut() = Some(flow);
            // A fetch that lost its lease is given up: a late answer must not go to this one.
            self.calls
                .borrow_mut()
                .retain(|_, caller| !matches!(caller, Caller::Fetch));
            self.fetch_step(step);
        }
        self.wake_waiting();
        let restless = !self.waiting.borrow().is_empty() || !self.gateway.is_ready();
        self.tick_every(if restless { FAST_TICK } else { SLOW_TICK });
    }

    fn wake_waiting(self: &Rc<Self>) {
        let waiting = self.waiting.take();
        for stream in waiting {
            // An error means that the client is gone, and its context with it.
            if abi::set_effective_context(stream.context) {
                stream.wake(self);
            }
        }
    }

    fn go_on_fetching(self: &Rc<Self>, go_on: impl FnOnce(&mut Flow<()>) -> Step<()>) {
        let flow = self.fetch.take();
        let Some(mut flow) = flow else { return };
        let step = go_on(&mut flow);
        *self.fetch.borrow_mut() = Some(flow);
        self.fetch_step(step);
    }

    fn fetch_step(self: &Rc<Self>, step: Step<()>) {
        match step {
            Step::Call(call) => match dispatch(&call) {
                Ok(token) => {
                    self.calls.borrow_mut().insert(token, Caller::Fetch);
                }
                Err(failure) => self.go_on_fetching(|flow| flow.resume(Err(failure))),
            },
            Step::Wait => self.go_on_fetching(Flow::wake),
            Step::Done(()) => {
                self.fetch.take();
                self.wake_waiting();
            }
        }
    }

    fn tick_every(&self, milliseconds: u32) {
        if self.tick_period.replace(milliseconds) != milliseconds {
            abi::set_tick_period(milliseconds);
        }
    }
}

fn dispatch(call: &Call) -> Result<u32, CallFailure> {
    let mut headers = vec![
        (":method", call.method),
        (":scheme", call.scheme.as_str()),
        (":authority", call.authority.as_str()),
        (":path", call.path.as_str()),
    ];
    headers.extend(
        call.headers
            .iter()
            .map(|(name, value)| (*name, value.as_str())),
    );
    let body = (!call.body.is_empty()).then_some(call.body.as_slice());
    // The one host function that is not bound in `abi`: the SDK's dispatcher panics on the answer to
    // a call that was not registered with it, and only its own wrapper registers one. The wrapper
    // gives back the two failures that Envoy knows here, and panics on others.
    hostcalls::dispatch_http_call(&call.cluster, headers, body, Vec::new(), call.timeout)
        .map_err(|_| CallFailure::NotSent)
}

/// The answer that the host holds now. Without headers there is none: the exchange was cut off.
fn read_reply(headers: usize) -> CallResult {
    if headers == 0 {
        return Err(CallFailure::NoAnswer);
    }
    let headers = abi::header_pairs(Map::CallResponse).and_then(|bytes| pairs::read(&bytes));
    let status = headers
        .as_ref()
        .and_then(|headers| headers.iter().find(|(name, _)| name == ":status"))
        .and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok())
        .ok_or(CallFailure::NoAnswer)?;
    let body = abi::buffer(Buffer::CallResponseBody, Reply::MOST_BYTES).unwrap_or_default();
    Ok(Reply { status, body })
}
