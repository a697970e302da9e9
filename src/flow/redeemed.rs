//! Which authorization codes have been redeemed: each is, once (RFC 6749 section 4.1.2).
//!
//! A provider that sees a code twice revokes what the first exchange gave, so a double click must
//! not reach it. The memory is a fixed number of shared slots: a newer state pushes an older out,
//! and what is forgotten costs a refusal by the provider, nothing more.

use serde::{Deserialize, Serialize};

use super::Gateway;
use crate::session::{Found, LOGIN_LIFETIME};
use crate::time::Timestamp;

const SLOTS: u32 = 512;
const TRIES: usize = 4;

#[derive(Serialize, Deserialize)]
struct Redeemed {
    state: String,
    until: Timestamp,
}

/// Notes that the code of the login with this state is being redeemed; says whether it is the first
/// time.
pub fn first_time(gateway: &Gateway, state: &str) -> bool {
    let now = gateway.host.now();
    let slot = gateway.memory().slot("redeemed", slot_number(state));
    let mark = Redeemed {
        state: state.to_owned(),
        until: now.after(LOGIN_LIFETIME),
    };
    for _ in 0..TRIES {
        let Found { value, version } = slot.read::<Redeemed>();
        if value.is_some_and(|known| known.state == state && now < known.until) {
            return false;
        }
        if slot.write(&mark, version) {
            return true;
        }
    }
    true
}

/// A state is random, so any part of it spreads evenly.
fn slot_number(state: &str) -> u32 {
    state.bytes().fold(0_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(byte))
    }) % SLOTS
}

#[cfg(test)]
mod tests;
