//! The two shared slots in which the workers' views of the provider meet.
//!
//! Shared data is a public square: another filter may read and write it. So both slots are sealed,
//! and bound to their names; a forged one counts as missing.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::host::{ABSENT, Host};
use crate::session::{Binding, Seal};
use crate::time::Timestamp;

/// The documents as the provider sent them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Documents {
    /// Missing when every endpoint is written by hand.
    pub discovery: Option<Vec<u8>>,
    pub jwks: Vec<u8>,
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
    pub forced_at: Timestamp,
}

pub(super) struct Slots {
    documents: String,
    schedule: String,
}

impl Slots {
    pub fn new(scope: &str) -> Self {
        Self {
            documents: format!("portero/{scope}/provider/documents"),
            schedule: format!("portero/{scope}/provider/schedule"),
        }
    }

    pub fn schedule(&self, host: &dyn Host, seal: &Seal) -> (Schedule, Option<u32>) {
        match host.shared(&self.schedule) {
            Some(value) => (
                open(seal, &self.schedule, &value.bytes).unwrap_or_default(),
                Some(value.version),
            ),
            None => (Schedule::default(), None),
        }
    }

    /// Says whether nobody else changed the schedule in between.
    pub fn set_schedule(
        &self,
        host: &dyn Host,
        seal: &Seal,
        schedule: &Schedule,
        version: Option<u32>,
    ) -> bool {
        set(
            host,
            seal,
            &self.schedule,
            schedule,
            version.or(Some(ABSENT)),
        )
    }

    pub fn documents(&self, host: &dyn Host, seal: &Seal) -> Option<(Documents, u32)> {
        self.documents_unless(host, seal, None)
    }

    /// The documents, unless their version is the known one.
    pub fn documents_unless(
        &self,
        host: &dyn Host,
        seal: &Seal,
        known: Option<u32>,
    ) -> Option<(Documents, u32)> {
        let value = host.shared(&self.documents)?;
        if known == Some(value.version) {
            return None;
        }
        Some((open(seal, &self.documents, &value.bytes)?, value.version))
    }

    pub fn set_documents(&self, host: &dyn Host, seal: &Seal, documents: &Documents) {
        set(host, seal, &self.documents, documents, None);
    }
}

fn open<T: DeserializeOwned>(seal: &Seal, slot: &str, sealed: &[u8]) -> Option<T> {
    postcard::from_bytes(&seal.open(binding(slot), sealed)?).ok()
}

fn set(
    host: &dyn Host,
    seal: &Seal,
    slot: &str,
    value: &impl Serialize,
    version: Option<u32>,
) -> bool {
    let Ok(plaintext) = postcard::to_allocvec(value) else {
        return false;
    };
    let Ok(sealed) = seal.seal(host, binding(slot), &plaintext) else {
        return false;
    };
    host.set_shared(slot, &sealed, version)
}

const fn binding(slot: &str) -> Binding<'_> {
    Binding {
        purpose: "shared",
        name: slot,
        host: "",
        issuer: "",
    }
}
