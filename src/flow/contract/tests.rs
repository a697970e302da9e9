use std::rc::Rc;
use std::time::Duration;

use super::{Call, Decision, Forward, Reply};
use crate::answer::Response;
use crate::flow::{Flow, Step};
use crate::session::Given;
use crate::telemetry::{Callee, Purpose};

const SECRET: &str = "a-secret-of-somebody";

#[track_caller]
fn assert_discreet(printed: &str, shown: &[&str]) {
    assert!(!printed.contains(SECRET), "{printed}");
    // Bytes are printed as a list of numbers.
    assert!(!printed.contains(", 45, "), "{printed}");
    for word in shown {
        assert!(printed.contains(word), "{word} in {printed}");
    }
}

fn call() -> Call {
    Call {
        callee: Callee::Provider(Purpose::Token),
        cluster: "idp".to_owned(),
        method: "POST",
        authority: "idp.example.com".to_owned(),
        scheme: "https".to_owned(),
        path: "/token".to_owned(),
        headers: vec![("authorization", format!("Basic {SECRET}"))],
        body: format!("code={SECRET}").into_bytes(),
        timeout: Duration::from_secs(1),
    }
}

#[test]
fn a_printed_call_shows_where_it_goes_and_no_secret() {
    let shown = ["Token", "idp.example.com", "/token", "authorization", "25"];
    assert_discreet(&format!("{:?}", call()), &shown);
    let (_flow, step) = Flow::start(|exchange| async move { exchange.call(call()).await.is_ok() });
    assert!(matches!(step, Step::Call(_)));
    assert_discreet(&format!("{step:?}"), &shown);
}

#[test]
fn a_printed_reply_shows_its_status_and_no_secret() {
    let reply = Reply {
        status: 418,
        body: SECRET.as_bytes().to_vec(),
    };
    assert_discreet(&format!("{reply:?}"), &["418", "20"]);
    assert_discreet(&format!("{:#?}", Step::Done(Ok::<_, ()>(reply))), &["418"]);
}

#[test]
fn a_printed_decision_shows_names_and_no_secret() {
    let forward = Forward {
        remove: vec!["x-user".to_owned()],
        set: vec![("x-token".to_owned(), SECRET.as_bytes().to_vec())],
        given: Some(Rc::new(given())),
        renewal: None,
        ..Forward::default()
    };
    let step = Step::Done(Decision::Forward(forward));
    assert_discreet(
        &format!("{step:?}"),
        &["x-user", "x-token", "x-name", "portero.subject"],
    );
    let mut response = Response::redirect(format!("https://idp.example.com/?state={SECRET}"))
        .with_cookies(vec![SECRET.to_owned()]);
    response.body = SECRET.to_owned();
    let step = Step::Done(Decision::Answer(response));
    assert_discreet(&format!("{step:?}"), &["303", "location", "set-cookie"]);
}

fn given() -> Given {
    let header = |name: &str| (name.to_owned(), SECRET.as_bytes().to_vec());
    Given {
        headers: vec![header("x-name"), header("x-other")],
        filter_state: vec![("portero.subject".to_owned(), SECRET.to_owned())],
    }
}

#[test]
fn a_header_is_withheld_from_one_request_alone() {
    let shared = Rc::new(given());
    let mut forward = Forward {
        given: Some(Rc::clone(&shared)),
        set: vec![("x-name".to_owned(), Vec::new())],
        ..Forward::default()
    };
    forward.withhold("x-name");
    assert!(forward.set.is_empty());
    let left = forward.given.unwrap();
    assert_eq!(left.header_names().collect::<Vec<_>>(), ["x-other"]);
    assert_eq!(left.filter_state, shared.filter_state);
    assert_eq!(
        shared.header_names().collect::<Vec<_>>(),
        ["x-name", "x-other"]
    );
}
