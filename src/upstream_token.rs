//! Tokens for the upstream, as all workers of a process share them: what is held, who fetches the next,
//! and what came of it.
//!
//! Each token has a record in sealed slots of shared data. One that is the same for everybody has a slot of
//! its own. Those of callers share a fixed number of slots, of which each has a few to choose from; where
//! none of these is free, one of them is given up, and whoever it was held for fetches anew.

mod record;

use std::rc::Rc;
use std::time::Duration;

use crate::error::CallFault;
use crate::session::{Footprint, Found, SharedMemory, SharedSlot};
use crate::time::Timestamp;
use record::Record;
pub use record::{HeldToken, Standing};

const KIND: &str = "upstream-token";

/// Slots for the tokens of callers. Those that were never used cost nothing.
const SLOTS: u32 = 4096;

/// How many of them a caller can have its token in.
const CHOICES: usize = 4;

/// How often a change is tried while others change the same record.
const TRIES: usize = 4;

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Every request gets it.
    Everybody,
    /// It was made of something of the caller's; the digest of that, and of what is asked for with it.
    Caller([u8; 32]),
}

/// The records of one of the configured tokens.
#[derive(Clone, Copy)]
pub struct TokenSlots<'a> {
    pub memory: SharedMemory<'a>,
    /// Tells the token apart from others of the same memory.
    pub name: &'a str,
    /// How long a fetch may take: whoever has not come back by then may be followed by another.
    pub lease: Duration,
}

/// A record as a worker has read it, which is still true while its slot's version is the same.
pub struct Seen {
    place: usize,
    version: u32,
    record: Record,
}

impl Footprint for Seen {
    fn size(&self) -> usize {
        self.record.size()
    }
}

impl TokenSlots<'_> {
    /// The record of this owner; the one that was `seen` before, if nothing has changed since.
    pub fn look(&self, owner: Owner, seen: Option<Rc<Seen>>) -> Rc<Seen> {
        // An empty record says nothing of the owner's other slots.
        if let Some(seen) = seen
            && seen.record.has_token()
            && let Some(slot) = self.slots(owner).nth(seen.place)
            && slot.version() == Some(seen.version)
        {
            return seen;
        }
        Rc::new(self.find(owner))
    }

    /// How it stands with the owner's token.
    pub fn standing(&self, seen: &Seen) -> Standing {
        seen.record.standing(self.memory.host.now(), self.lease)
    }

    /// Takes the lease on fetching the token; nothing when somebody else has it, or has fetched it. The
    /// number is for whoever ends this attempt.
    pub fn begin(&self, owner: Owner) -> Option<u32> {
        let mut attempt = None;
        let lease = self.lease;
        let is_written = self.change(owner, |record, now| {
            attempt = record.begin(now, lease);
            attempt.is_some()
        });
        attempt.filter(|_| is_written)
    }

    /// Ends an attempt with a token, and a refresh token where a new one came.
    pub fn succeed(
        &self,
        owner: Owner,
        attempt: u32,
        token: &HeldToken,
        refresh_token: Option<&str>,
    ) {
        self.change(owner, |record, _| {
            record.succeed(attempt, token.clone(), refresh_token.map(str::to_owned))
        });
    }

    /// Ends an attempt without one. The next comes later each time.
    pub fn fail(&self, owner: Owner, attempt: u32, fault: CallFault) {
        let host = self.memory.host;
        self.change(owner, |record, now| record.fail(attempt, host, now, fault));
    }

    /// Gives up a token that the upstream has refused, and says whether it was still the one that is held.
    pub fn drop_refused(&self, owner: Owner, token: &HeldToken) -> bool {
        self.change(owner, |record, now| record.drop_refused(token, now))
    }

    /// The refresh token that came with the last token, if one did.
    pub fn refresh_token(&self, owner: Owner) -> Option<String> {
        self.find(owner).record.refresh_token
    }

    /// Changes the record as long as others do so at the same time; says whether it was written. A
    /// `change` that is `false` writes nothing.
    fn change(&self, owner: Owner, mut change: impl FnMut(&mut Record, Timestamp) -> bool) -> bool {
        for _ in 0..TRIES {
            let Seen {
                place,
                version,
                mut record,
            } = self.find(owner);
            if !change(&mut record, self.memory.host.now()) {
                return false;
            }
            let slot = self.slots(owner).nth(place);
            if slot.is_some_and(|slot| slot.write(&record, version)) {
                return true;
            }
        }
        false
    }

    /// The owner's record; an empty one for a slot that is free, or that is given up, where there is none.
    fn find(&self, owner: Owner) -> Seen {
        let now = self.memory.host.now();
        let mut best = None;
        for (place, slot) in self.slots(owner).enumerate() {
            let Found { value, version } = slot.read::<Record>();
            let record = value.unwrap_or_default();
            if record.is_of(owner) {
                return Seen {
                    place,
                    version,
                    record,
                };
            }
            let end = record.end(now);
            if best.is_none_or(|(_, _, other)| end < other) {
                best = Some((place, version, end));
            }
        }
        let (place, version, _) = best.unwrap_or_default();
        Seen {
            place,
            version,
            record: Record::of(owner),
        }
    }

    fn slots(&self, owner: Owner) -> impl Iterator<Item = SharedSlot<'_>> {
        let choices = match owner {
            Owner::Everybody => 1,
            Owner::Caller(_) => CHOICES,
        };
        (0..choices).map(move |choice| match owner {
            Owner::Everybody => self.memory.slot(KIND, self.name),
            Owner::Caller(digest) => {
                let (parts, _) = digest.as_chunks::<4>();
                let part = parts.get(choice).copied().unwrap_or_default();
                self.memory.numbered(KIND, u32::from_le_bytes(part) % SLOTS)
            }
        })
    }
}

#[cfg(test)]
mod tests;
