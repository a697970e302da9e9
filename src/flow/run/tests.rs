use std::time::Duration;

use super::{Exchange, Flow, Step};
use crate::flow::{BodyFault, Call, CallFailure, CallResult, Reply};
use crate::telemetry::{Callee, Purpose};

fn call(path: &str) -> Call {
    Call {
        callee: Callee::Provider(Purpose::Token),
        cluster: "idp".to_owned(),
        method: "GET",
        authority: "idp.example.com".to_owned(),
        scheme: "https".to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout: Duration::from_secs(1),
    }
}

const fn reply(status: u16) -> CallResult {
    Ok(Reply {
        status,
        body: Vec::new(),
    })
}

/// A step in one word.
fn word<T: std::fmt::Debug>(step: &Step<T>) -> String {
    match step {
        Step::Call(call) => format!("call {}", call.path),
        Step::Body { most } => format!("body {most}"),
        Step::Wait => "wait".to_owned(),
        Step::Done(result) => format!("done {result:?}"),
    }
}

#[test]
fn a_flow_that_needs_nothing_is_done_at_once() {
    let (_, step) = Flow::start(|_| async { 7 });
    assert_eq!(word(&step), "done 7");
}

#[test]
fn every_demand_is_handed_out_in_order_and_gets_its_own_result() {
    let (mut flow, step) = Flow::start(|exchange: Exchange| async move {
        let first = exchange.call(call("/1")).await.map(|reply| reply.status);
        exchange.wait().await;
        exchange.wait().await;
        let second = exchange.call(call("/2")).await.map(|reply| reply.status);
        (first, second)
    });
    assert_eq!(word(&step), "call /1");
    assert_eq!(word(&flow.resume(reply(201))), "wait");
    assert_eq!(word(&flow.wake()), "wait");
    assert_eq!(word(&flow.wake()), "call /2");
    let last = flow.resume(Err(CallFailure::NoAnswer));
    assert_eq!(word(&last), "done (Ok(201), Err(NoAnswer))");
}

#[test]
fn a_call_is_not_ended_by_a_wake_and_a_wait_not_by_a_reply() {
    let (mut flow, step) = Flow::start(|exchange: Exchange| async move {
        let status = exchange.call(call("/1")).await.map(|reply| reply.status);
        exchange.wait().await;
        status
    });
    assert_eq!(word(&step), "call /1");
    assert_eq!(word(&flow.wake()), "wait");
    assert_eq!(word(&flow.resume(reply(200))), "wait");
    assert_eq!(word(&flow.resume(reply(500))), "wait");
    assert_eq!(word(&flow.wake()), "done Ok(200)");
}

#[test]
fn a_flow_that_is_dropped_in_the_middle_drops_what_it_holds() {
    let held = std::rc::Rc::new(());
    let inside = std::rc::Rc::clone(&held);
    let (flow, _) = Flow::start(|exchange: Exchange| async move {
        exchange.wait().await;
        drop(inside);
    });
    assert_eq!(std::rc::Rc::strong_count(&held), 2);
    drop(flow);
    assert_eq!(std::rc::Rc::strong_count(&held), 1);
}

#[test]
fn a_flow_is_given_the_body_that_it_asks_for() {
    let (mut flow, step) = Flow::start(|exchange| async move {
        let first = exchange.body(10).await;
        (first, exchange.body(20).await)
    });
    assert!(matches!(step, Step::Body { most: 10 }));
    let step = flow.deliver(Ok(b"a body".to_vec()));
    assert!(matches!(step, Step::Body { most: 20 }));
    match flow.deliver(Err(BodyFault::TooLarge)) {
        Step::Done((first, second)) => {
            assert_eq!(first, Ok(b"a body".to_vec()));
            assert_eq!(second, Err(BodyFault::TooLarge));
        }
        step => panic!("{step:?}"),
    }
}
