//! Sessions that have been ended, although cookies of theirs are still about.
//!
//! A session lives in its cookie, so nobody can take it away; but what ends one can be noted. A note,
//! the watermark, names a session, the provider's name for it or its subject, and a time: what was
//! issued up to then has ended. The notes are in shared data, in a fixed number of buckets of a fixed
//! size, for as long as a session that they end could live.
//!
//! A note is never dropped without its effect. When a bucket is full of notes that still count, the
//! one with the oldest time goes, and every session in the bucket that was issued up to that time has
//! ended: more people log in again than had to, never one fewer.

mod naming;

pub use naming::{Mark, Name, Naming, Tag, names_of};

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::{Found, OpenSession, Session, SharedMemory, SharedSlot};
use crate::host::ABSENT;
use crate::time::Timestamp;

const KIND: &str = "ended";

/// Notes in one bucket. There are 256 buckets, one for each first byte of a tag: some 65000 logouts in
/// the lifetime of a session, and 2 MiB of shared data at most.
const MOST_ENTRIES: usize = 256;

/// A write fails only where another worker has written the same bucket in between.
const TRIES: usize = 16;

/// The state of all buckets together: another one after every change.
pub(super) type Epoch = u32;

/// What noting a watermark has done beside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// A bucket was full: sessions that nobody has ended have ended with it.
    pub overflowed: bool,
}

/// The watermark is not where all workers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRecorded;

/// One worker's view of the buckets: each opened once for as long as it does not change.
#[derive(Default)]
pub struct Watermarks {
    opened: RefCell<BTreeMap<u8, Opened>>,
}

struct Opened {
    version: u32,
    bucket: Rc<Bucket>,
    /// The bucket is as it was in this epoch, or later: until the next one nobody need look again.
    seen_in: Option<Epoch>,
}

impl Watermarks {
    /// Notes that what `mark` names has ended, as far as `watermark` says.
    pub fn end(
        &self,
        memory: SharedMemory<'_>,
        naming: &Naming,
        mark: Mark<'_>,
        watermark: Watermark,
    ) -> Result<Recorded, NotRecorded> {
        let written = self.write_all(memory, &mark.tags(naming), watermark);
        // After the buckets: who sees the new epoch sees them, too; also where only some could be written.
        let is_told = epoch(memory).touch();
        written.and_then(|recorded| is_told.then_some(recorded).ok_or(NotRecorded))
    }

    fn write_all(
        &self,
        memory: SharedMemory<'_>,
        tags: &[Tag],
        watermark: Watermark,
    ) -> Result<Recorded, NotRecorded> {
        let mut recorded = Recorded::default();
        for tag in tags {
            let entry = Entry {
                tag: *tag,
                watermark,
            };
            recorded.overflowed |= self.write(memory, &entry)?;
        }
        Ok(recorded)
    }

    /// Whether a session has been ended; asked again within the same epoch, that costs nothing but a
    /// look at the epoch.
    pub fn have_ended(
        &self,
        memory: SharedMemory<'_>,
        naming: &Naming,
        open: &OpenSession,
    ) -> bool {
        // Before the buckets: a change in between is seen the next time.
        let Some(epoch) = epoch(memory).version() else {
            return false;
        };
        if open.seen_alive.get() == Some(epoch) {
            return false;
        }
        let ended = self.have_marked_in(Some(epoch), memory, naming, &open.session);
        if !ended {
            open.seen_alive.set(Some(epoch));
        }
        ended
    }

    /// Whether a watermark names the session, whatever is remembered of it.
    pub fn have_marked(
        &self,
        memory: SharedMemory<'_>,
        naming: &Naming,
        session: &Session,
    ) -> bool {
        self.have_marked_in(None, memory, naming, session)
    }

    /// Whether a watermark names the family. What had to go from a full bucket says nothing of it: that is
    /// about when a session was issued.
    pub fn have_marked_family(
        &self,
        memory: SharedMemory<'_>,
        naming: &Naming,
        family: &[u8; 16],
    ) -> bool {
        let now = memory.host.now();
        let name = Name {
            tag: naming.family(family),
            issued_at: Timestamp::default(),
        };
        self.bucket(None, memory, &name.tag).ends(&name, now, now)
    }

    fn have_marked_in(
        &self,
        epoch: Option<Epoch>,
        memory: SharedMemory<'_>,
        naming: &Naming,
        session: &Session,
    ) -> bool {
        let now = memory.host.now();
        let issued_at = session.authentication.issued_at;
        names_of(session, naming).iter().any(|name| {
            let bucket = self.bucket(epoch, memory, &name.tag);
            bucket.ends(name, issued_at, now)
        })
    }

    /// The bucket of a tag as it is now; where an epoch is named, as it was in it or later.
    fn bucket(&self, epoch: Option<Epoch>, memory: SharedMemory<'_>, tag: &Tag) -> Rc<Bucket> {
        let known = match self.opened.borrow().get(&number(tag)) {
            Some(opened) if epoch.is_some() && opened.seen_in == epoch => {
                return Rc::clone(&opened.bucket);
            }
            known => known.map(|opened| opened.version),
        };
        let found = bucket_of(memory, tag).read_unless(known);
        let mut opened = self.opened.borrow_mut();
        let opened = opened.entry(number(tag)).or_default();
        if let Some(found) = found {
            opened.renew(found);
        }
        opened.seen_in = epoch.or(opened.seen_in);
        Rc::clone(&opened.bucket)
    }

    /// Adds an entry to its bucket; says whether another one had to go for it.
    fn write(&self, memory: SharedMemory<'_>, entry: &Entry) -> Result<bool, NotRecorded> {
        let slot = bucket_of(memory, &entry.tag);
        for _ in 0..TRIES {
            let found = slot.read::<Bucket>();
            let version = found.version;
            let mut bucket = Bucket::clone(&self.keep(&entry.tag, found));
            let overflowed = bucket.add(entry, memory.host.now());
            if slot.write(&bucket, version) {
                // Its version is another one now, so it is read again unless it is forged.
                let value = Some(bucket);
                self.keep(&entry.tag, Found { value, version });
                return Ok(overflowed);
            }
        }
        Err(NotRecorded)
    }

    fn keep(&self, tag: &Tag, found: Found<Bucket>) -> Rc<Bucket> {
        let mut opened = self.opened.borrow_mut();
        let opened = opened.entry(number(tag)).or_default();
        opened.renew(found);
        Rc::clone(&opened.bucket)
    }
}

impl Opened {
    /// Takes over how a bucket was found. What is not ours has no say: what this worker has read before
    /// goes on, so that somebody who writes over a bucket brings no session back here.
    fn renew(&mut self, found: Found<Bucket>) {
        if let Some(bucket) = found.value {
            self.bucket = Rc::new(bucket);
        }
        self.version = found.version;
    }
}

impl Default for Opened {
    fn default() -> Self {
        Self {
            version: ABSENT,
            bucket: Rc::default(),
            seen_in: None,
        }
    }
}

/// What was issued up to a time has ended, until there can be nothing of it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    pub issued_before: Timestamp,
    pub expires_at: Timestamp,
}

impl Watermark {
    /// One that ends all that either of them ends.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            issued_before: self.issued_before.max(other.issued_before),
            expires_at: self.expires_at.max(other.expires_at),
        }
    }

    /// Whether it ends what was issued at `issued_at`.
    pub fn ends(&self, issued_at: Timestamp, now: Timestamp) -> bool {
        issued_at <= self.issued_before && now < self.expires_at
    }
}

#[cfg(test)]
impl Mark<'_> {
    /// The bucket where it is noted first.
    pub(crate) fn bucket(&self, naming: &Naming) -> Option<u8> {
        self.tags(naming).first().map(number)
    }
}

const fn number(tag: &Tag) -> u8 {
    let [first, ..] = tag;
    *first
}

fn bucket_of<'a>(memory: SharedMemory<'a>, tag: &Tag) -> SharedSlot<'a> {
    memory.numbered(KIND, u32::from(number(tag)))
}

fn epoch(memory: SharedMemory<'_>) -> SharedSlot<'_> {
    memory.slot(KIND, "epoch")
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Bucket {
    entries: Vec<Entry>,
    /// What the entries that had to go have ended.
    floor: Option<Watermark>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    tag: Tag,
    watermark: Watermark,
}

impl Bucket {
    /// `issued_at` is what counts for the floor, whatever the name is.
    fn ends(&self, name: &Name, issued_at: Timestamp, now: Timestamp) -> bool {
        let mut own = self.entries.iter().filter(|entry| entry.tag == name.tag);
        own.any(|entry| entry.watermark.ends(name.issued_at, now))
            || self.floor.is_some_and(|floor| floor.ends(issued_at, now))
    }

    /// Says whether an entry that still counts had to go.
    fn add(&mut self, new: &Entry, now: Timestamp) -> bool {
        self.entries
            .retain(|entry| now < entry.watermark.expires_at);
        self.floor = self.floor.filter(|floor| now < floor.expires_at);
        match self.entries.iter_mut().find(|entry| entry.tag == new.tag) {
            Some(known) => known.watermark = known.watermark.and(new.watermark),
            None => self.entries.push(new.clone()),
        }
        if self.entries.len() <= MOST_ENTRIES {
            return false;
        }
        let ages = self.entries.iter().enumerate();
        let oldest = ages.min_by_key(|(_, entry)| entry.watermark.issued_before);
        if let Some(position) = oldest.map(|(position, _)| position) {
            let gone = self.entries.swap_remove(position).watermark;
            self.floor = Some(self.floor.map_or(gone, |floor| floor.and(gone)));
        }
        true
    }
}

#[cfg(test)]
mod tests;
