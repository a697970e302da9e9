//! Values that all workers of a process share.
//!
//! Shared data is a public square: another filter may read and write it. So every value is sealed,
//! and bound to its slot; a forged one counts as missing. Where only the version of a slot says something,
//! there is no value: whoever else writes there makes everybody look again.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Binding, Seal};
use crate::host::{ABSENT, Host};

/// The shared data of one configuration.
#[derive(Clone, Copy)]
pub struct SharedMemory<'a> {
    pub host: &'a dyn Host,
    pub seal: &'a Seal,
    /// Tells apart configurations that share one Envoy.
    pub scope: &'a str,
}

impl<'a> SharedMemory<'a> {
    /// The slot of a name among those of a kind.
    pub fn slot(&self, kind: &'static str, name: &str) -> SharedSlot<'a> {
        SharedSlot {
            host: self.host,
            seal: self.seal,
            kind,
            name: ["portero/", self.scope, "/", kind, "/", name].concat(),
        }
    }

    /// The slot of a number among those of a kind.
    pub fn numbered(&self, kind: &'static str, number: u32) -> SharedSlot<'a> {
        self.slot(kind, &number.to_string())
    }
}

/// A place for one value.
pub struct SharedSlot<'a> {
    host: &'a dyn Host,
    seal: &'a Seal,
    kind: &'static str,
    name: String,
}

/// What a slot held when it was read.
#[derive(Debug)]
pub struct Found<T> {
    /// `None` where nothing is, or nothing of ours.
    pub value: Option<T>,
    /// What a write that must find the slot unchanged names; also where nothing is.
    pub version: u32,
}

impl SharedSlot<'_> {
    pub fn read<T: DeserializeOwned>(&self) -> Found<T> {
        self.read_unless(None).unwrap_or(Found {
            value: None,
            version: ABSENT,
        })
    }

    /// What is there, unless its version is the known one.
    pub fn read_unless<T: DeserializeOwned>(&self, known: Option<u32>) -> Option<Found<T>> {
        let shared = self.host.shared(&self.name)?;
        if known == Some(shared.version) {
            return None;
        }
        let plaintext = self.seal.open(self.binding(), &shared.bytes);
        Some(Found {
            value: plaintext.and_then(|plaintext| postcard::from_bytes(&plaintext).ok()),
            version: shared.version,
        })
    }

    /// Writes if the slot still has this version; says whether it was written.
    pub fn write(&self, value: &impl Serialize, version: u32) -> bool {
        self.set(value, Some(version))
    }

    /// Leaves nothing but another [`Self::version`]; says whether it was written. An empty value is read
    /// without a word to the allocator of this VM.
    pub fn touch(&self) -> bool {
        self.host.set_shared(&self.name, &[], None)
    }

    /// Writes whatever is there; says whether it was written.
    pub fn overwrite(&self, value: &impl Serialize) -> bool {
        self.set(value, None)
    }

    /// What changes with every write, whoever writes and whatever.
    pub fn version(&self) -> Option<u32> {
        self.host.shared(&self.name).map(|shared| shared.version)
    }

    fn set(&self, value: &impl Serialize, version: Option<u32>) -> bool {
        let Ok(plaintext) = postcard::to_allocvec(value) else {
            return false;
        };
        let Ok(sealed) = self.seal.seal(self.host, self.binding(), &plaintext) else {
            return false;
        };
        self.host.set_shared(&self.name, &sealed, version)
    }

    fn binding(&self) -> Binding<'_> {
        Binding {
            purpose: self.kind,
            name: &self.name,
            host: "",
            issuer: "",
        }
    }
}
