//! The flows of one worker: who waits for what, and who is told when it is there.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::abi;
use super::numbered::Numbered;
use super::numbers::{Buffer, Map};
use super::stream::Stream;
use crate::flow::{
    BodyFault, Call, CallFailure, CallResult, Exchange, Flow, Gateway, Reply, Step, carry_out,
    fetch_provider,
};
use crate::header_list;
use crate::time::Timestamp;

/// While requests wait, or nothing is known of the provider.
const FAST_TICK: u32 = 20;
const SLOW_TICK: u32 = 1000;

/// How long a body that a flow wants may take to come. Where Envoy does not hand out bodies while
/// the head waits, none ever comes.
const BODY_TIME: Duration = Duration::from_secs(10);

/// One configuration's flows in one VM.
pub struct Worker {
    pub gateway: Rc<Gateway>,
    /// Streams whose flow waits for other work.
    waiting: RefCell<Vec<Rc<Stream>>>,
    /// Streams whose flow waits for the request's body, until then.
    reading: RefCell<Vec<(Rc<Stream>, Timestamp)>>,
    /// Who gets the answer to a call.
    calls: RefCell<Numbered<Caller>>,
    /// Flows that belong to no request.
    background: RefCell<Numbered<Flow<()>>>,
    next_background: Cell<u32>,
    /// Those of them that wait for other work.
    resting: RefCell<Vec<u32>>,
    tick_period: Cell<u32>,
}

enum Caller {
    Stream(Rc<Stream>),
    Background(u32),
}

impl Worker {
    pub fn new(gateway: Rc<Gateway>) -> Rc<Self> {
        let worker = Rc::new(Self {
            gateway,
            waiting: RefCell::default(),
            reading: RefCell::default(),
            calls: RefCell::default(),
            background: RefCell::default(),
            next_background: Cell::new(0),
            resting: RefCell::default(),
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

    /// A stream's flow waits for the request's body.
    pub fn read(&self, stream: Rc<Stream>) {
        let until = self.gateway.host.now().after(BODY_TIME);
        self.reading.borrow_mut().push((stream, until));
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
        self.reading
            .borrow_mut()
            .retain(|(stream, _)| stream.context != context);
        self.calls.borrow_mut().retain(|caller| match caller {
            Caller::Stream(stream) => stream.context != context,
            Caller::Background(_) => true,
        });
    }

    /// The answer to a call has come.
    pub fn answered(self: &Rc<Self>, token: u32, headers: usize) {
        let result = read_reply(headers);
        let caller = self.calls.borrow_mut().remove(token);
        match caller {
            Some(Caller::Background(number)) => self.go_on(number, |flow| flow.resume(result)),
            // A context that cannot be made effective is gone, and its client with it.
            Some(Caller::Stream(stream)) if abi::set_effective_context(stream.context) => {
                stream.resume(self, result);
            }
            Some(Caller::Stream(_)) | None => {}
        }
    }

    pub fn tick(self: &Rc<Self>) {
        for plan in self.gateway.tick() {
            let gateway = Rc::clone(&self.gateway);
            self.run(|exchange| fetch_provider(gateway, exchange, plan));
        }
        for job in self.gateway.take_jobs() {
            let gateway = Rc::clone(&self.gateway);
            self.run(|exchange| carry_out(gateway, exchange, job));
        }
        for number in self.resting.take() {
            self.go_on(number, Flow::wake);
        }
        self.wake_waiting();
        self.give_up_bodies();
        let restless = !self.waiting.borrow().is_empty()
            || !self.reading.borrow().is_empty()
            || !self.background.borrow().is_empty()
            || self.gateway.has_jobs()
            || !self.gateway.is_ready();
        self.tick_every(if restless { FAST_TICK } else { SLOW_TICK });
    }

    /// A request has left work behind that belongs to none: the next tick takes it up.
    pub fn take_up_jobs(&self) {
        if self.gateway.has_jobs() {
            self.tick_every(FAST_TICK);
        }
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

    fn give_up_bodies(self: &Rc<Self>) {
        let now = self.gateway.host.now();
        let mut late = Vec::new();
        self.reading.borrow_mut().retain(|(stream, until)| {
            if stream.is_reading() && now >= *until {
                late.push(Rc::clone(stream));
            }
            stream.is_reading() && now < *until
        });
        for stream in late {
            if abi::set_effective_context(stream.context) {
                stream.give_up_body(self);
            }
        }
    }

    fn run<F: Future<Output = ()> + 'static>(self: &Rc<Self>, body: impl FnOnce(Exchange) -> F) {
        let (flow, step) = Flow::start(body);
        let number = self.next_background.get();
        self.next_background.set(number.wrapping_add(1));
        self.background.borrow_mut().insert(number, flow);
        self.background_step(number, step);
    }

    fn go_on(self: &Rc<Self>, number: u32, go_on: impl FnOnce(&mut Flow<()>) -> Step<()>) {
        let flow = self.background.borrow_mut().remove(number);
        let Some(mut flow) = flow else { return };
        let step = go_on(&mut flow);
        self.background.borrow_mut().insert(number, flow);
        self.background_step(number, step);
    }

    fn background_step(self: &Rc<Self>, number: u32, step: Step<()>) {
        match step {
            Step::Call(call) => match dispatch(&call) {
                Ok(token) => {
                    self.calls
                        .borrow_mut()
                        .insert(token, Caller::Background(number));
                }
                Err(failure) => self.go_on(number, |flow| flow.resume(Err(failure))),
            },
            // It has no request whose body could be read.
            Step::Body { .. } => {
                self.go_on(number, |flow| flow.deliver(Err(BodyFault::NotDelivered)));
            }
            Step::Wait => self.resting.borrow_mut().push(number),
            Step::Done(()) => {
                self.background.borrow_mut().remove(number);
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
    let headers = [
        (":method", call.method),
        (":scheme", call.scheme.as_str()),
        (":authority", call.authority.as_str()),
        (":path", call.path.as_str()),
    ]
    .into_iter()
    .chain(
        call.headers
            .iter()
            .map(|(name, value)| (*name, value.as_str())),
    )
    .map(|(name, value)| (name, value.as_bytes()));
    // The host takes zero for no limit.
    let timeout = u32::try_from(call.timeout.as_millis()).unwrap_or(u32::MAX);
    abi::http_call(
        &call.cluster,
        &header_list::write(headers),
        &call.body,
        timeout,
    )
    .ok_or(CallFailure::NotSent)
}

/// The answer that the host holds now. Without headers there is none: the exchange was cut off.
fn read_reply(headers: usize) -> CallResult {
    if headers == 0 {
        return Err(CallFailure::NoAnswer);
    }
    let status = abi::headers(Map::CallResponse)
        .and_then(|headers| headers.text(":status")?.parse().ok())
        .ok_or(CallFailure::NoAnswer)?;
    let body = abi::buffer(Buffer::CallResponseBody, Reply::MOST_BYTES).unwrap_or_default();
    Ok(Reply { status, body })
}
