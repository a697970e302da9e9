use std::rc::Rc;
use std::time::Duration;

use super::{end, note};
use crate::flow::Gateway;
use crate::oidc::{Ends, VerifiedLogoutToken};
use crate::session::{Mark, Session, Watermark};
use crate::testing::{START, TestHost, config, session};

fn worker(host: &Rc<TestHost>) -> Gateway {
    let host: Rc<TestHost> = Rc::clone(host);
    Gateway::new(config(|_| {}), host)
}

/// More notes than fit into one bucket, each about somebody else and a second later than the one before.
#[test]
fn a_table_that_is_full_is_told_and_nobody_who_was_ended_comes_back() {
    let host = Rc::new(TestHost::default());
    let gateway = worker(&host);
    let in_one_bucket =
        |subject: &String| Mark::Subject(subject).bucket(&gateway.naming) == Some(0);
    let names = (0..).map(|number| format!("user-{number}"));
    let subjects: Vec<String> = names.filter(in_one_bucket).take(258).collect();
    let at = |second: usize| START.after(Duration::from_secs(u64::try_from(second).unwrap()));
    for (second, subject) in subjects.iter().enumerate() {
        let watermark = Watermark {
            issued_before: at(second),
            expires_at: START.after(Duration::from_secs(3600)),
        };
        let noted = end(&gateway, Mark::Subject(subject), watermark);
        assert!(noted.is_ok());
        let told = host
            .lines
            .borrow()
            .iter()
            .filter(|line| *line == "logout_table_full")
            .count();
        assert_eq!(told, (second + 1).saturating_sub(256));
    }
    let of = |subject: &str, second: usize| {
        let mut session = Session {
            subject: subject.to_owned(),
            ..session()
        };
        session.authentication.issued_at = at(second);
        gateway.has_ended(&gateway.open(session, None))
    };
    for (second, subject) in subjects.iter().enumerate() {
        assert!(of(subject, second), "{second}");
    }
    // The two oldest went, and those in their bucket who are as old went with them.
    let mut names = (1_000_000..).map(|number| format!("user-{number}"));
    let stranger = names.find(in_one_bucket).unwrap();
    assert!(of(&stranger, 1));
    assert!(!of(&stranger, 2));
}

/// The session begins when its login ends, and lasts from then on.
#[test]
fn a_login_that_is_under_way_begins_no_session_that_outlives_the_note() {
    let host = Rc::new(TestHost::default());
    let gateway = worker(&host);
    let token = VerifiedLogoutToken {
        ends: Ends::Subject {
            subject: "alice".to_owned(),
        },
        issued_at: START,
        id: "bWJq".to_owned(),
    };
    assert!(
        {
            let (mark, watermark) = note(&gateway, &token);
            end(&gateway, mark, watermark)
        }
        .is_ok()
    );
    // As late as the ID token from before the logout is accepted, and as long as the session may last.
    let policy = &gateway.config.provider.id_token;
    host.pass(policy.max_age + policy.clock_skew);
    host.pass(gateway.config.session.lifetime);
    let open = gateway.open(session(), None);
    assert!(gateway.has_ended(&open));
}
