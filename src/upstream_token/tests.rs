use std::rc::Rc;
use std::time::Duration;

use super::{HeldToken, Owner, SLOTS, Standing, TokenSlots};
use crate::error::CallFault;
use crate::host::Host as _;
use crate::secret::Secret;
use crate::session::{Seal, SharedMemory};
use crate::testing::{START, TestHost};

const LEASE: Duration = Duration::from_secs(30);

fn seal() -> Seal {
    Seal::new(&[Secret::new(
        b"a key for the tests of upstream tokens".to_vec(),
    )])
}

const fn slots<'a>(host: &'a TestHost, seal: &'a Seal, name: &'a str) -> TokenSlots<'a> {
    TokenSlots {
        memory: SharedMemory {
            host,
            seal,
            scope: "s",
        },
        name,
        lease: LEASE,
    }
}

fn token(text: &str) -> HeldToken {
    HeldToken {
        token: text.to_owned(),
        fetched_at: START,
        renew_at: START.after(Duration::from_secs(80)),
        expires_at: START.after(Duration::from_secs(100)),
    }
}

fn held(slots: TokenSlots<'_>, owner: Owner) -> Option<String> {
    match slots.standing(&slots.look(owner, None)) {
        Standing::Good { token, .. } => Some(token.token),
        _ => None,
    }
}

/// Owners whose slots are the same.
fn rival(number: u8) -> Owner {
    let mut digest = [0; 32];
    digest[31] = number;
    Owner::Caller(digest)
}

#[test]
fn everybodys_token_and_each_callers_are_their_own() {
    let (host, seal) = (TestHost::default(), seal());
    let orders = slots(&host, &seal, "orders");
    let reports = slots(&host, &seal, "reports");
    let callers = [Owner::Caller([1; 32]), Owner::Caller([2; 32])];
    orders.succeed(Owner::Everybody, 0, &token("of orders"), None);
    reports.succeed(Owner::Everybody, 0, &token("of reports"), None);
    orders.succeed(callers[0], 0, &token("of one"), None);
    orders.succeed(callers[1], 0, &token("of two"), None);
    for (owner, text) in [
        (Owner::Everybody, "of orders"),
        (callers[0], "of one"),
        (callers[1], "of two"),
    ] {
        assert_eq!(held(orders, owner).as_deref(), Some(text));
    }
    assert_eq!(
        held(reports, Owner::Everybody).as_deref(),
        Some("of reports")
    );
    assert_eq!(held(orders, Owner::Caller([3; 32])), None);
}

#[test]
fn one_worker_has_the_lease() {
    let (host, seal) = (TestHost::default(), seal());
    let slots = slots(&host, &seal, "orders");
    assert!(slots.begin(Owner::Everybody).is_some());
    assert!(slots.begin(Owner::Everybody).is_none());
    slots.fail(Owner::Everybody, 1, CallFault::Refused);
    assert!(slots.begin(Owner::Everybody).is_none());
    let standing = slots.standing(&slots.look(Owner::Everybody, None));
    assert_eq!(standing, Standing::Failed(CallFault::Refused));
}

#[test]
fn what_was_seen_serves_until_somebody_writes() {
    let (host, seal) = (TestHost::default(), seal());
    let slots = slots(&host, &seal, "orders");
    slots.succeed(Owner::Everybody, 0, &token("first"), None);
    let seen = slots.look(Owner::Everybody, None);
    let again = slots.look(Owner::Everybody, Some(Rc::clone(&seen)));
    assert!(Rc::ptr_eq(&seen, &again));
    assert!(slots.drop_refused(Owner::Everybody, &token("first")));
    let gone = slots.look(Owner::Everybody, Some(seen));
    assert_eq!(slots.standing(&gone), Standing::Absent);
}

/// Nobody's tokens make another's last for ever, and nobody gets another's.
#[test]
fn callers_whose_slots_are_all_taken_take_the_one_that_ends_first() {
    let (host, seal) = (TestHost::default(), seal());
    let slots = slots(&host, &seal, "orders");
    let mut short = token("short");
    short.expires_at = START.after(Duration::from_secs(10));
    slots.succeed(rival(1), 0, &short, None);
    slots.succeed(rival(2), 0, &token("long"), None);
    // All four choices of these two are one slot.
    assert_eq!(held(slots, rival(1)), None);
    assert_eq!(held(slots, rival(2)).as_deref(), Some("long"));
}

#[test]
fn slots_are_bounded_whatever_comes() {
    let (host, seal) = (TestHost::default(), seal());
    let slots = slots(&host, &seal, "orders");
    for number in 0_u32..2000 {
        let mut digest = [0; 32];
        for (place, part) in digest.chunks_mut(4).enumerate() {
            part.copy_from_slice(
                &(number * 7919 + u32::try_from(place).unwrap() * 104_729).to_le_bytes(),
            );
        }
        slots.succeed(Owner::Caller(digest), 0, &token("t"), None);
        assert_eq!(held(slots, Owner::Caller(digest)).as_deref(), Some("t"));
    }
    let used = host.slots().len();
    assert!(
        used > 1000 && used <= usize::try_from(SLOTS).unwrap(),
        "{used}"
    );
}

#[test]
fn what_somebody_else_writes_there_counts_as_missing() {
    let (host, seal) = (TestHost::default(), seal());
    let slots = slots(&host, &seal, "orders");
    slots.succeed(Owner::Everybody, 0, &token("of orders"), None);
    let orders = host.slots()[0].clone();
    slots.succeed(Owner::Caller([1; 32]), 0, &token("of one"), None);
    let other = host.slots().into_iter().find(|slot| *slot != orders);
    // A sealed value that was moved is as good as none.
    let moved = host.shared(&other.unwrap()).unwrap();
    host.forge(&orders, &moved.bytes);
    assert_eq!(held(slots, Owner::Everybody), None);
    host.forge(&orders, b"forged");
    assert_eq!(held(slots, Owner::Everybody), None);
    assert!(slots.begin(Owner::Everybody).is_some());
}

#[test]
fn without_randomness_nothing_is_shared_and_nobody_may_fetch() {
    let (host, seal) = (TestHost::default(), seal());
    let slots = slots(&host, &seal, "orders");
    host.random_fails.set(true);
    assert!(slots.begin(Owner::Everybody).is_none());
    slots.succeed(Owner::Everybody, 0, &token("t"), None);
    assert_eq!(held(slots, Owner::Everybody), None);
}
