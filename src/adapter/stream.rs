//! One request: its flow, and what the flow's decision does to it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::abi;
use super::numbers::{Action, Buffer, Map};
use super::worker::Worker;
use crate::answer::Response;
use crate::flow::{
    BodyFault, BodyResult, CallResult, Decision, Flow, Forward, Renewal, SentToken, Step, broken,
    serve,
};
use crate::header_list;
use crate::request::Request;
use crate::telemetry::Level;

/// A request on its way through Portero.
pub struct Stream {
    pub context: u32,
    flow: RefCell<Option<Flow<Decision>>>,
    /// The header callback has returned, so the request has to be resumed to go on.
    paused: Cell<bool>,
    /// How many bytes of the body the flow wants at most, while it waits for them.
    wanted: Cell<Option<usize>>,
    /// The whole request has come.
    complete: Cell<bool>,
    renewal: RefCell<Option<Renewal>>,
    /// Tokens that the upstream has got of us.
    sent_tokens: RefCell<Vec<SentToken>>,
    /// The upstream's answer is to say that it is the caller's alone.
    is_private: Cell<bool>,
}

impl Stream {
    fn new(context: u32) -> Rc<Self> {
        Rc::new(Self {
            context,
            flow: RefCell::default(),
            paused: Cell::new(false),
            wanted: Cell::new(None),
            complete: Cell::new(false),
            renewal: RefCell::default(),
            sent_tokens: RefCell::default(),
            is_private: Cell::new(false),
        })
    }

    /// Whether its flow has been started and has not ended.
    fn is_unfinished(&self) -> bool {
        self.flow.borrow().is_some()
    }

    fn start(self: &Rc<Self>, worker: &Rc<Worker>, complete: bool) -> Action {
        self.complete.set(complete);
        // Headers that were not read could not be removed either.
        let Some(headers) = abi::headers(Map::Request) else {
            answer(worker, &broken(&worker.gateway));
            return Action::Pause;
        };
        let request = Request::from(headers);
        let gateway = Rc::clone(&worker.gateway);
        let (flow, step) = Flow::start(|exchange| serve(gateway, request, exchange));
        *self.flow.borrow_mut() = Some(flow);
        let action = self.step(worker, step);
        self.paused.set(true);
        worker.take_up_jobs();
        action
    }

    /// Goes on after an answer; the host's calls must be about this request.
    pub fn resume(self: &Rc<Self>, worker: &Rc<Worker>, result: CallResult) {
        self.go_on(worker, |flow| flow.resume(result));
    }

    /// More of the body has come, or all of it. A request whose flow has not ended goes no further:
    /// where Envoy hands out bodies while the head waits, letting one pass would let the head pass.
    fn receive(self: &Rc<Self>, worker: &Rc<Worker>, complete: bool) -> Action {
        if !self.is_unfinished() {
            return Action::Continue;
        }
        self.complete.set(complete);
        let Some(result) = self.body() else {
            return Action::Pause;
        };
        self.paused.set(false);
        let action = self.deliver(worker, result).unwrap_or(Action::Pause);
        self.paused.set(true);
        worker.take_up_jobs();
        action
    }

    /// The body, once there is nothing more to wait for.
    fn body(&self) -> Option<BodyResult> {
        let most = self.wanted.get()?;
        // Nothing is there to be had before anything has come.
        let body = abi::buffer(Buffer::RequestBody, most.saturating_add(1)).unwrap_or_default();
        if body.len() > most {
            return Some(Err(BodyFault::TooLarge));
        }
        self.complete.get().then_some(Ok(body))
    }

    fn deliver(self: &Rc<Self>, worker: &Rc<Worker>, result: BodyResult) -> Option<Action> {
        self.wanted.set(None);
        self.go_on(worker, |flow| flow.deliver(result))
    }

    /// Whether the flow waits for the body.
    pub fn is_reading(&self) -> bool {
        self.wanted.get().is_some()
    }

    /// The body has not come in time; the host's calls must be about this request.
    pub fn give_up_body(self: &Rc<Self>, worker: &Rc<Worker>) {
        self.deliver(worker, Err(BodyFault::NotDelivered));
    }

    /// Goes on after waiting; the host's calls must be about this request.
    pub fn wake(self: &Rc<Self>, worker: &Rc<Worker>) {
        self.go_on(worker, Flow::wake);
    }

    fn go_on(
        self: &Rc<Self>,
        worker: &Rc<Worker>,
        go_on: impl FnOnce(&mut Flow<Decision>) -> Step<Decision>,
    ) -> Option<Action> {
        let mut flow = self.flow.take()?;
        let step = go_on(&mut flow);
        *self.flow.borrow_mut() = Some(flow);
        Some(self.step(worker, step))
    }

    fn step(self: &Rc<Self>, worker: &Rc<Worker>, step: Step<Decision>) -> Action {
        match step {
            Step::Call(call) => match worker.call(self, &call) {
                Ok(()) => Action::Pause,
                Err(failure) => self
                    .go_on(worker, |flow| flow.resume(Err(failure)))
                    .unwrap_or(Action::Pause),
            },
            Step::Body { most } => {
                self.wanted.set(Some(most));
                match self.body() {
                    Some(result) => self.deliver(worker, result).unwrap_or(Action::Pause),
                    None => {
                        worker.read(Rc::clone(self));
                        Action::Pause
                    }
                }
            }
            Step::Wait => {
                worker.wait(Rc::clone(self));
                Action::Pause
            }
            Step::Done(decision) => {
                self.flow.take();
                self.decide(worker, decision)
            }
        }
    }

    fn decide(&self, worker: &Worker, decision: Decision) -> Action {
        let response = match decision {
            Decision::Forward(forward) => {
                if self.forward(forward) {
                    if self.paused.get() {
                        abi::continue_request();
                    }
                    return Action::Continue;
                }
                // Headers of a stranger that could not be removed must not reach the upstream, and a filter
                // that refuses certain people must know whom it has before it.
                broken(&worker.gateway)
            }
            Decision::Answer(response) => response,
        };
        answer(worker, &response);
        Action::Pause
    }

    fn forward(&self, forward: Forward) -> bool {
        let removed = forward
            .remove
            .iter()
            .all(|name| abi::remove_header(Map::Request, name));
        let given = forward.given.iter();
        let headers = given.clone().flat_map(|given| &given.headers);
        let set = headers
            .chain(&forward.set)
            .all(|(name, value)| abi::replace_header(Map::Request, name, value));
        let told = given
            .flat_map(|given| &given.filter_state)
            .all(|(name, text)| abi::set_property(name, text));
        let done = removed && set && told;
        if done {
            *self.renewal.borrow_mut() = forward.renewal;
            *self.sent_tokens.borrow_mut() = forward.sent_tokens;
            self.is_private.set(forward.is_private);
        }
        done
    }
}

/// Answers the request. An answer that the host does not take is not left out: without one the
/// request would hang.
fn answer(worker: &Worker, response: &Response) {
    if send(response) {
        return;
    }
    let host = &worker.gateway.host;
    host.log(Level::Error, "answer_refused_by_host");
    if !send(&Response::new(500)) {
        host.log(Level::Error, "bare_answer_refused_by_host");
    }
}

fn send(response: &Response) -> bool {
    let headers = response
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()));
    abi::send_local_response(
        response.status,
        &header_list::write(headers),
        response.body.as_bytes(),
    )
}

/// Answers a request that belongs to no configuration.
pub fn refuse() -> Action {
    send(&Response::new(500));
    Action::Pause
}

/// A [`Stream`] and the configuration that it is of: what Envoy's callbacks are about.
#[derive(Clone)]
pub struct HttpStream {
    worker: Rc<Worker>,
    stream: Rc<Stream>,
}

impl HttpStream {
    pub fn new(worker: Rc<Worker>, context: u32) -> Self {
        Self {
            worker,
            stream: Stream::new(context),
        }
    }

    pub fn request_headers(&self, complete: bool) -> Action {
        self.stream.start(&self.worker, complete)
    }

    /// A part of the body has come, or what follows it.
    pub fn request_body(&self, complete: bool) -> Action {
        self.stream.receive(&self.worker, complete)
    }

    /// Also called for Portero's own answers, which carry their cookies already.
    pub fn response_headers(&self) {
        if self.stream.is_private.get() {
            abi::add_header(Map::Response, "cache-control", b"private");
        }
        let sent_tokens = self.stream.sent_tokens.take();
        if !sent_tokens.is_empty()
            && let Some(headers) = abi::headers(Map::Response)
        {
            self.worker.gateway.hear_of_answer(&headers, &sent_tokens);
        }
        let Some(renewal) = self.stream.renewal.take() else {
            return;
        };
        let headers = renewal.answer_headers(&self.worker.gateway);
        // An answer that caches may keep must not carry what is one person's.
        let replaced = headers
            .replace
            .iter()
            .all(|(name, value)| abi::replace_header(Map::Response, name, value.as_bytes()));
        if replaced {
            for (name, value) in headers.add {
                abi::add_header(Map::Response, name, value.as_bytes());
            }
        }
    }

    /// The request is over. Nobody is there any more for the answers to its calls.
    pub fn close(&self) {
        if self.stream.is_unfinished() {
            self.worker.forget(self.stream.context);
        }
    }
}
