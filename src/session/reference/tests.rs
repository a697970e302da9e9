use std::time::Duration;

use super::Reference;
use crate::session::Life;
use crate::testing::{START, session};

const IDLE: Duration = Duration::from_secs(1000);
const TICK: Duration = Duration::from_millis(1);

#[test]
fn a_reference_is_renewed_after_a_tenth_of_the_idle_time_and_over_at_the_end_of_the_session() {
    let reference = Reference::to(&session(), START);
    let after = |span: Duration| reference.life(START.after(span), IDLE);
    assert_eq!(after(Duration::ZERO), Life::Alive);
    assert_eq!(after(IDLE / 10 - TICK), Life::Alive);
    assert_eq!(after(IDLE / 10), Life::Renew);
    assert_eq!(
        after(IDLE * 2),
        Life::Renew,
        "the store knows whether it is idle"
    );
    assert_eq!(after(IDLE * 3 - TICK), Life::Renew);
    assert_eq!(after(IDLE * 3), Life::Over);
}

#[test]
fn a_printed_reference_does_not_tell_its_id() {
    let printed = format!("{:?}", Reference::to(&session(), START));
    assert!(!printed.contains("id"), "{printed}");
    assert!(!printed.contains("7, 7"), "{printed}");
}
