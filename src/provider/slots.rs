//! The two shared slots in which the workers' views of the provider meet.

use serde::{Deserialize, Serialize};

use super::sender::BySender;
use crate::session::{SharedMemory, SharedSlot};
use crate::time::Timestamp;

const KIND: &str = "provider";

/// The documents as the provider sent them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Documents {
    /// Missing when every endpoint is written by hand.
    pub discovery: Option<Vec<u8>>,
    /// Missing where the keys are written by hand.
    pub jwks: Option<Vec<u8>>,
    pub fetched_at: Timestamp,
}

/// Who may fetch, and when.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Schedule {
    /// Until then somebody is fetching.
    pub lease_until: Timestamp,
    /// Not before then, after a failure.
    pub retry_at: Timestamp,
    pub failures: u32,
    /// When an unknown key last caused a fetch.
    pub forced_at: BySender<Timestamp>,
}

impl Documents {
    pub fn slot(memory: SharedMemory<'_>) -> SharedSlot<'_> {
        memory.slot(KIND, "documents")
    }
}

impl Schedule {
    pub fn slot(memory: SharedMemory<'_>) -> SharedSlot<'_> {
        memory.slot(KIND, "schedule")
    }

    /// The schedule, or an empty one, with what a write names.
    pub fn read(memory: SharedMemory<'_>) -> (Self, u32) {
        let found = Self::slot(memory).read::<Self>();
        (found.value.unwrap_or_default(), found.version)
    }
}
