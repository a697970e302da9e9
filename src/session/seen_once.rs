//! What has been here before, for all workers: a login's state, the id of a logout token.
//!
//! The memory is a fixed number of shared slots, so a newer value pushes an older out. Whoever keeps
//! something here can bear that it is forgotten.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Found, SharedMemory};
use crate::time::Timestamp;

const SLOTS: u32 = 512;
const TRIES: usize = 4;

/// The values of one kind that have been seen.
pub struct SeenOnce<'a> {
    pub memory: SharedMemory<'a>,
    pub kind: &'static str,
}

#[derive(Serialize, Deserialize)]
struct Seen {
    hash: [u8; 32],
    until: Timestamp,
}

impl SeenOnce<'_> {
    /// Notes that `value` is here, until `until`; says whether it is the first time.
    pub fn first_time(&self, value: &str, until: Timestamp) -> bool {
        let now = self.memory.host.now();
        let hash: [u8; 32] = Sha256::digest(value).into();
        let slot = self.memory.numbered(self.kind, slot_number(&hash));
        for _ in 0..TRIES {
            let Found { value, version } = slot.read::<Seen>();
            if value.is_some_and(|seen| seen.hash == hash && now < seen.until) {
                return false;
            }
            if slot.write(&Seen { hash, until }, version) {
                return true;
            }
        }
        true
    }
}

fn slot_number(hash: &[u8; 32]) -> u32 {
    let [one, two, ..] = hash;
    u32::from(u16::from_le_bytes([*one, *two])) % SLOTS
}

#[cfg(test)]
mod tests;
