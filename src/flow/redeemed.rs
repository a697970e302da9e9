//! Which authorization codes have been redeemed: each is, once (RFC 6749 section 4.1.2).
//!
//! A provider that sees a code twice revokes what the first exchange gave, so a double click must
//! not reach it. What is forgotten costs a refusal by the provider, nothing more.

use super::Gateway;
use crate::session::{LOGIN_LIFETIME, SeenOnce};

/// Notes that the code of the login with this state is being redeemed; says whether it is the first
/// time.
pub fn first_time(gateway: &Gateway, state: &str) -> bool {
    let seen = SeenOnce {
        memory: gateway.memory(),
        kind: "redeemed",
    };
    seen.first_time(state, gateway.host.now().after(LOGIN_LIFETIME))
}

#[cfg(test)]
mod tests;
