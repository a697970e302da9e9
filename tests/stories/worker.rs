//! One worker, driven as the adapter to Envoy drives it.

use std::rc::Rc;
use std::time::Duration;

use portero::config::Config;
use portero::flow::{
    BodyFault, BodyResult, Call, CallResult, Decision, Flow, Gateway, Step, carry_out,
    fetch_provider, serve,
};
use portero::request::Request;
use portero::telemetry::Callee;
use serde_json::Value;

use crate::host::{Land, Process, SharedData};
use crate::outcome::Outcome;
use crate::provider::Provider;
use crate::redis::Redis;

/// What the adapter's fast tick is.
pub const TICK: Duration = Duration::from_millis(50);

/// More waiting than any time limit of the configuration.
const MOST_TICKS: usize = 5000;

#[derive(Clone)]
pub struct Worker {
    pub gateway: Rc<Gateway>,
    pub shared: Rc<SharedData>,
    land: Rc<Land>,
    provider: Rc<Provider>,
    redis: Rc<Redis>,
}

impl Worker {
    pub fn new(
        settings: &Value,
        land: &Rc<Land>,
        shared: &Rc<SharedData>,
        provider: &Rc<Provider>,
        redis: &Rc<Redis>,
    ) -> Self {
        let loaded = Config::load(settings.to_string().as_bytes(), &|_| None)
            .unwrap_or_else(|faults| panic!("{faults}"));
        let process = Process {
            land: Rc::clone(land),
            shared: Rc::clone(shared),
        };
        Self {
            gateway: Rc::new(Gateway::new(loaded.config, Rc::new(process))),
            shared: Rc::clone(shared),
            land: Rc::clone(land),
            provider: Rc::clone(provider),
            redis: Rc::clone(redis),
        }
    }

    /// The root context's tick; what it starts is carried through.
    pub fn tick(&self) {
        for fetch in self.begin_fetches() {
            self.carry_through(fetch);
        }
        for job in self.begin_jobs() {
            self.carry_through(job);
        }
    }

    /// What whoever is asked answers.
    pub fn answer(&self, call: &Call) -> CallResult {
        match call.callee {
            Callee::Provider(_) => self.provider.answer(call),
            Callee::SessionStore => self.redis.answer(call),
        }
    }

    pub fn carry_through(&self, mut running: Running<()>) {
        loop {
            match &running.step {
                Step::Call(call) => {
                    let result = self.answer(call);
                    running.resume(result);
                }
                Step::Wait => {
                    self.land.pass(TICK);
                    self.tick();
                    running.wake();
                }
                Step::Body { .. } => panic!("a flow without a request"),
                Step::Done(()) => return,
            }
        }
    }

    /// The jobs that requests have left behind, each at its first call.
    pub fn begin_jobs(&self) -> Vec<Running<()>> {
        let jobs = self.gateway.take_jobs();
        let start = |job| {
            let gateway = Rc::clone(&self.gateway);
            Running::start(|exchange| carry_out(gateway, exchange, job))
        };
        jobs.into_iter().map(start).collect()
    }

    /// The root context's tick; a fetch that it starts stops at its first call.
    pub fn begin_fetch(&self) -> Option<Running<()>> {
        let mut fetches = self.begin_fetches();
        assert!(fetches.len() < 2, "one provider has one fetch");
        fetches.pop()
    }

    fn begin_fetches(&self) -> Vec<Running<()>> {
        let start = |plan| {
            let gateway = Rc::clone(&self.gateway);
            Running::start(|exchange| fetch_provider(gateway, exchange, plan))
        };
        self.gateway.tick().into_iter().map(start).collect()
    }

    /// Serves a request to its end; while it waits, time passes and the root context ticks.
    pub fn serve(&self, request: Request) -> Outcome {
        self.serve_with(request, Body::Empty)
    }

    pub fn serve_with(&self, request: Request, body: Body) -> Outcome {
        let mut running = self.begin(request.clone());
        running.body = body;
        self.finish(&request, running)
    }

    /// Serves a request up to its first step.
    pub fn begin(&self, request: Request) -> Running<Decision> {
        let gateway = Rc::clone(&self.gateway);
        Running::start(|exchange| serve(gateway, request, exchange))
    }

    /// Goes on with a request to its end.
    pub fn finish(&self, request: &Request, mut running: Running<Decision>) -> Outcome {
        for _ in 0..MOST_TICKS {
            if matches!(running.step, Step::Done(_)) {
                return self.outcome(request, running);
            }
            self.advance(&mut running);
        }
        panic!("a request that never ends");
    }

    /// Goes on with a request to its next step.
    pub fn advance(&self, running: &mut Running<Decision>) {
        match &running.step {
            Step::Call(call) => {
                let result = self.answer(call);
                running.resume(result);
            }
            Step::Wait => {
                self.land.pass(TICK);
                self.tick();
                running.wake();
            }
            Step::Body { most } => {
                let result = running.body.read(*most);
                running.deliver(result);
            }
            Step::Done(_) => {}
        }
    }

    pub fn outcome(&self, request: &Request, running: Running<Decision>) -> Outcome {
        let Step::Done(decision) = running.step else {
            panic!("not at its end: {:?}", running.step);
        };
        let outcome = Outcome::of(&self.gateway, request, decision);
        for cookie in outcome.set_cookies() {
            let value = cookie.split(['=', ';']).nth(1).unwrap_or_default();
            self.land.keep_secret(value);
        }
        outcome
    }
}

/// The body of a request.
#[derive(Clone, Default)]
pub enum Body {
    #[default]
    Empty,
    Bytes(Vec<u8>),
    /// The proxy does not show it.
    Hidden,
}

impl Body {
    fn read(&self, most: usize) -> BodyResult {
        match self {
            Self::Empty => Ok(Vec::new()),
            Self::Bytes(bytes) if bytes.len() > most => Err(BodyFault::TooLarge),
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::Hidden => Err(BodyFault::NotDelivered),
        }
    }
}

/// A flow between two steps.
pub struct Running<T> {
    flow: Flow<T>,
    pub step: Step<T>,
    pub body: Body,
}

impl<T> Running<T> {
    fn start<F: Future<Output = T> + 'static>(
        body: impl FnOnce(portero::flow::Exchange) -> F,
    ) -> Self {
        let (flow, step) = Flow::start(body);
        Self {
            flow,
            step,
            body: Body::Empty,
        }
    }

    pub fn call(&self) -> Option<&Call> {
        match &self.step {
            Step::Call(call) => Some(call),
            _ => None,
        }
    }

    pub fn waits(&self) -> bool {
        matches!(self.step, Step::Wait)
    }

    pub fn resume(&mut self, result: CallResult) {
        self.step = self.flow.resume(result);
    }

    pub fn deliver(&mut self, result: BodyResult) {
        self.step = self.flow.deliver(result);
    }

    pub fn wake(&mut self) {
        self.step = self.flow.wake();
    }
}
