use std::time::Duration;

use super::{Life, Session};
use crate::testing::START;

const IDLE: Duration = Duration::from_secs(1000);
const TICK: Duration = Duration::from_millis(1);

fn session() -> Session {
    Session {
        id: [7; 16],
        subject: "alice".to_owned(),
        created_at: START,
        seen_at: START,
        ends_at: START.after(Duration::from_secs(3000)),
        claims: "{}".to_owned(),
        id_token: None,
        access_token: None,
    }
}

#[test]
fn a_session_is_renewed_after_a_tenth_of_its_idle_time_and_over_at_the_end_of_it() {
    let session = session();
    let after = |span: Duration| session.life(START.after(span), IDLE);
    assert_eq!(after(Duration::ZERO), Life::Alive);
    assert_eq!(after(IDLE / 10 - TICK), Life::Alive);
    assert_eq!(after(IDLE / 10), Life::Renew);
    assert_eq!(after(IDLE - TICK), Life::Renew);
    assert_eq!(after(IDLE), Life::Over);
    assert_eq!(after(Duration::MAX), Life::Over);
}

#[test]
fn no_use_prolongs_a_session_beyond_its_end() {
    let used = Session {
        seen_at: START.after(Duration::from_secs(2999)),
        ..session()
    };
    assert_eq!(used.life(used.ends_at.before(TICK), IDLE), Life::Alive);
    assert_eq!(used.life(used.ends_at, IDLE), Life::Over);
    assert_eq!(used.life(used.ends_at.after(TICK), IDLE), Life::Over);
}

#[test]
fn a_clock_that_went_back_keeps_a_session_alive() {
    let session = session();
    assert_eq!(session.life(START.before(IDLE), IDLE), Life::Alive);
}
