//! The coroutine: a flow is an `async fn`, and this is the only file that knows how one is driven.
//!
//! There is no runtime. A flow that awaits an [`Exchange`] hands out one demand and stops; whoever
//! drives it meets the demand and polls again. A flow that awaited anything else would never be
//! polled again, so nothing else may be awaited.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::{BodyResult, Call, CallResult};

/// What a flow asks of its driver, or its result.
#[derive(Debug)]
pub enum Step<T> {
    /// Send this request, then [`Flow::resume`] with its result.
    Call(Call),
    /// Read the body of the request, `most` bytes of it at most, then [`Flow::deliver`] it. Only a
    /// flow that belongs to a request may ask.
    Body {
        most: usize,
    },
    /// Other work must go on first: [`Flow::wake`] when it has, or when time has passed.
    Wait,
    Done(T),
}

/// A started flow that has not ended.
pub struct Flow<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    exchange: Exchange,
}

impl<T> Flow<T> {
    /// Builds a flow from a function that takes its exchange, and runs it to its first step.
    pub fn start<F>(body: impl FnOnce(Exchange) -> F) -> (Self, Step<T>)
    where
        F: Future<Output = T> + 'static,
    {
        let exchange = Exchange::default();
        let mut flow = Self {
            future: Box::pin(body(exchange.clone())),
            exchange,
        };
        let step = flow.advance();
        (flow, step)
    }

    /// Goes on after [`Step::Call`].
    pub fn resume(&mut self, result: CallResult) -> Step<T> {
        *self.exchange.0.borrow_mut() = State::Answered(result);
        self.advance()
    }

    /// Goes on after [`Step::Body`].
    pub fn deliver(&mut self, result: BodyResult) -> Step<T> {
        *self.exchange.0.borrow_mut() = State::Delivered(result);
        self.advance()
    }

    /// Goes on after [`Step::Wait`].
    pub fn wake(&mut self) -> Step<T> {
        *self.exchange.0.borrow_mut() = State::Woken;
        self.advance()
    }

    fn advance(&mut self) -> Step<T> {
        match self
            .future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(result) => Step::Done(result),
            Poll::Pending => match self.exchange.0.replace(State::Idle) {
                State::Demanded(call) => Step::Call(*call),
                State::BodyDemanded { most } => Step::Body { most },
                _ => Step::Wait,
            },
        }
    }
}

/// A flow's way to the outside.
#[derive(Clone, Default)]
pub struct Exchange(Rc<RefCell<State>>);

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Demanded(Box<Call>),
    Answered(CallResult),
    BodyDemanded {
        most: usize,
    },
    Delivered(BodyResult),
    Woken,
}

impl Exchange {
    /// Sends an HTTP request and waits for its result.
    pub async fn call(&self, call: Call) -> CallResult {
        *self.0.borrow_mut() = State::Demanded(Box::new(call));
        std::future::poll_fn(|_| match self.0.replace(State::Idle) {
            State::Answered(result) => Poll::Ready(result),
            other => {
                *self.0.borrow_mut() = other;
                Poll::Pending
            }
        })
        .await
    }

    /// Reads the body of the request, if it has `most` bytes at most.
    pub async fn body(&self, most: usize) -> BodyResult {
        *self.0.borrow_mut() = State::BodyDemanded { most };
        std::future::poll_fn(|_| match self.0.replace(State::Idle) {
            State::Delivered(result) => Poll::Ready(result),
            other => {
                *self.0.borrow_mut() = other;
                Poll::Pending
            }
        })
        .await
    }

    /// Lets other work go on.
    pub async fn wait(&self) {
        std::future::poll_fn(|_| match self.0.replace(State::Idle) {
            State::Woken => Poll::Ready(()),
            other => {
                *self.0.borrow_mut() = other;
                Poll::Pending
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests;
