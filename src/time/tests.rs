use std::time::Duration;

use proptest::prelude::*;

use super::Timestamp;

#[test]
fn no_number_overflows() {
    let last = Timestamp::from_millis(u64::MAX);
    assert_eq!(Timestamp::from_secs(u64::MAX), last);
    assert_eq!(last.after(Duration::MAX), last);
    assert_eq!(Timestamp::default().after(Duration::MAX), last);
    assert_eq!(last.before(Duration::MAX), Timestamp::default());
    assert_eq!(
        Timestamp::default().before(Duration::from_millis(1)),
        Timestamp::default()
    );
    assert_eq!(
        last.since(Timestamp::default()),
        Duration::from_millis(u64::MAX)
    );
    assert_eq!(Timestamp::default().since(last), Duration::ZERO);
}

#[test]
fn a_second_has_a_thousand_milliseconds() {
    assert_eq!(Timestamp::from_secs(2).as_millis(), 2_000);
}

proptest! {
    #[test]
    fn what_is_added_has_passed(start in 0..u64::MAX / 2, span in 0..u64::MAX / 2) {
        let (start, span) = (Timestamp::from_millis(start), Duration::from_millis(span));
        prop_assert_eq!(start.after(span).since(start), span);
        prop_assert_eq!(start.after(span).before(span), start);
    }

    #[test]
    fn arithmetic_keeps_the_order(start: u64, secs: u64, nanos in 0..1_000_000_000_u32) {
        let (start, span) = (Timestamp::from_millis(start), Duration::new(secs, nanos));
        prop_assert!(start.before(span) <= start && start <= start.after(span));
    }
}
