use std::rc::Rc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::super::{Seal, SharedMemory};
use super::{SLOTS, SeenOnce, slot_number};
use crate::secret::Secret;
use crate::testing::TestHost;

const VALUE: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const SPAN: Duration = Duration::from_secs(600);

struct Place {
    host: Rc<TestHost>,
    seal: Seal,
}

impl Place {
    fn new() -> Self {
        Self {
            host: Rc::default(),
            seal: Seal::new(&[Secret::new(b"a key of 32 bytes and even more".to_vec())]),
        }
    }

    fn first_time(&self, kind: &'static str, value: &str) -> bool {
        let memory = SharedMemory {
            host: self.host.as_ref(),
            seal: &self.seal,
            scope: "tests",
        };
        let until = memory.host.now().after(SPAN);
        SeenOnce { memory, kind }.first_time(value, until)
    }
}

#[test]
fn a_value_is_there_for_the_first_time_once() {
    let place = Place::new();
    assert!(place.first_time("states", VALUE));
    assert!(!place.first_time("states", VALUE));
    assert!(place.first_time("states", "another"));
    assert!(place.first_time("tokens", VALUE));
}

#[test]
fn a_value_is_remembered_until_its_time_has_passed() {
    let place = Place::new();
    assert!(place.first_time("states", VALUE));
    place.host.pass(SPAN - Duration::from_millis(1));
    assert!(!place.first_time("states", VALUE));
    place.host.pass(Duration::from_millis(1));
    assert!(place.first_time("states", VALUE));
}

#[test]
fn what_others_write_into_the_slot_is_a_miss() {
    let place = Place::new();
    assert!(place.first_time("states", VALUE));
    let slots = place.host.slots();
    assert_eq!(slots.len(), 1);
    place.host.forge(&slots[0], b"forged");
    assert!(place.first_time("states", VALUE));
    assert!(!place.first_time("states", VALUE));
}

#[test]
fn without_randomness_nothing_is_remembered() {
    let place = Place::new();
    place.host.random_fails.set(true);
    assert!(place.first_time("states", VALUE));
    assert!(place.first_time("states", VALUE));
}

#[test]
fn the_memory_is_bounded_and_spread() {
    let mut hit = std::collections::HashSet::new();
    for number in 0..10_000_u32 {
        let slot = slot_number(&Sha256::digest(number.to_be_bytes()).into());
        assert!(slot < SLOTS);
        hit.insert(slot);
    }
    assert!(hit.len() > 450, "{}", hit.len());
}
