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

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Found, OpenSession, Session, SharedMemory, SharedSlot};
use crate::time::Timestamp;

const KIND: &str = "ended";

/// Notes in one bucket. There are 256 buckets, one for each first byte of a tag: some 65000 logouts in
/// the lifetime of a session, and 2 MiB of shared data at most.
const MOST_ENTRIES: usize = 256;

/// A write fails only where another worker has written the same bucket in between.
const TRIES: usize = 16;

/// The state of all buckets together: another one after every change.
pub(super) type Epoch = u32;

/// What a watermark is about.
#[derive(Clone, Copy)]
pub enum Mark<'a> {
    /// The sessions of ours that came of one another, by the id of the first.
    Family(&'a [u8; 16]),
    /// The provider's session of this name.
    Sid(&'a str),
    /// The provider's session of this name, if it is this subject's. A session of ours for which the
    /// provider gave no name is meant by its subject.
    SidOf { sid: &'a str, subject: &'a str },
    /// All sessions of a subject.
    Subject(&'a str),
}

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
}

impl Watermarks {
    /// Notes that what `mark` names has ended, as far as `watermark` says.
    pub fn end(
        &self,
        memory: SharedMemory<'_>,
        issuer: &str,
        mark: Mark<'_>,
        watermark: Watermark,
    ) -> Result<Recorded, NotRecorded> {
        let mut recorded = Recorded::default();
        for tag in mark.tags(issuer) {
            let entry = Entry { tag, watermark };
            recorded.overflowed |= self.write(memory, &entry)?;
        }
        // After the buckets: who sees the new epoch sees them, too.
        match epoch(memory).overwrite(&()) {
            true => Ok(recorded),
            false => Err(NotRecorded),
        }
    }

    /// Whether a session has been ended; asked again within the same epoch, that costs nothing but a
    /// look at the epoch.
    pub fn have_ended(&self, memory: SharedMemory<'_>, issuer: &str, open: &OpenSession) -> bool {
        // Before the buckets: a change in between is seen the next time.
        let Some(epoch) = epoch(memory).version() else {
            return false;
        };
        if open.seen_alive.get() == Some(epoch) {
            return false;
        }
        let ended = self.have_marked(memory, issuer, &open.session);
        if !ended {
            open.seen_alive.set(Some(epoch));
        }
        ended
    }

    /// Whether a watermark names the session, whatever is remembered of it.
    pub fn have_marked(&self, memory: SharedMemory<'_>, issuer: &str, session: &Session) -> bool {
        let now = memory.host.now();
        names_of(session, issuer)
            .iter()
            .any(|name| self.ends(memory, name, session.authentication.issued_at, now))
    }

    /// Whether a watermark names the family. What had to go from a full bucket says nothing of it: that is
    /// about when a session was issued.
    pub fn have_marked_family(
        &self,
        memory: SharedMemory<'_>,
        issuer: &str,
        family: &[u8; 16],
    ) -> bool {
        let now = memory.host.now();
        let name = Name {
            tag: tag(issuer, Kind::Family, [family, b""]),
            issued_at: Timestamp::default(),
        };
        self.ends(memory, &name, now, now)
    }

    fn ends(
        &self,
        memory: SharedMemory<'_>,
        name: &Name,
        issued_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        let tag = &name.tag;
        let slot = bucket_of(memory, tag);
        let known = self.known(tag).map(|(version, _)| version);
        if let Some(found) = slot.read_unless::<Bucket>(known) {
            self.keep(tag, found);
        }
        self.known(tag)
            .is_some_and(|(_, bucket)| bucket.ends(name, issued_at, now))
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

    fn known(&self, tag: &Tag) -> Option<(u32, Rc<Bucket>)> {
        let opened = self.opened.borrow();
        let opened = opened.get(&number(tag))?;
        Some((opened.version, Rc::clone(&opened.bucket)))
    }

    /// Remembers a bucket as it was found. What is not ours has no say: what this worker has read
    /// before goes on, so that somebody who writes over a bucket brings no session back here.
    fn keep(&self, tag: &Tag, found: Found<Bucket>) -> Rc<Bucket> {
        let bucket = match found.value {
            Some(bucket) => Rc::new(bucket),
            None => self
                .known(tag)
                .map(|(_, bucket)| bucket)
                .unwrap_or_default(),
        };
        let opened = Opened {
            version: found.version,
            bucket: Rc::clone(&bucket),
        };
        self.opened.borrow_mut().insert(number(tag), opened);
        bucket
    }
}

/// What a watermark is found by: sixteen bytes of a hash. Nobody finds two texts with the same, and a
/// bucket stays small.
pub type Tag = [u8; 16];

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

/// A kind of mark, in a tag and among those of a session.
#[derive(Clone, Copy)]
enum Kind {
    Family,
    Sid,
    SidOf,
    Unnamed,
    Subject,
}

impl Mark<'_> {
    /// The bucket where it is noted first.
    #[cfg(test)]
    pub(crate) fn bucket(&self, issuer: &str) -> Option<u8> {
        self.tags(issuer).first().map(number)
    }

    /// The tags under which it is noted.
    pub fn tags(&self, issuer: &str) -> Vec<Tag> {
        let marked = |kind, parts| tag(issuer, kind, parts);
        match self {
            Self::Family(id) => vec![marked(Kind::Family, [*id, b""])],
            Self::Sid(sid) => vec![marked(Kind::Sid, [sid.as_bytes(), b""])],
            Self::SidOf { sid, subject } => vec![
                marked(Kind::SidOf, [sid.as_bytes(), subject.as_bytes()]),
                marked(Kind::Unnamed, [subject.as_bytes(), b""]),
            ],
            Self::Subject(subject) => vec![marked(Kind::Subject, [subject.as_bytes(), b""])],
        }
    }
}

/// One of the names under which the end of a session can be noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    pub tag: Tag,
    /// What a watermark of that name is compared with. The end of a family ends it whenever it was
    /// issued; everything else has a time.
    pub issued_at: Timestamp,
}

/// The names under which the end of `session` can be noted.
pub fn names_of(session: &Session, issuer: &str) -> Vec<Name> {
    let name = |(kind, parts)| Name {
        tag: tag(issuer, kind, parts),
        issued_at: match kind {
            Kind::Family => Timestamp::default(),
            _ => session.authentication.issued_at,
        },
    };
    marks(session).into_iter().map(name).collect()
}

/// The marks that can end a session.
fn marks(session: &Session) -> Vec<(Kind, [&[u8]; 2])> {
    let subject = session.subject.as_bytes();
    let mut marks: Vec<(Kind, [&[u8]; 2])> = vec![
        (Kind::Family, [&session.family, b""]),
        (Kind::Subject, [subject, b""]),
    ];
    match session.sid.as_ref().filter(|sid| !sid.is_empty()) {
        Some(sid) => marks.extend([
            (Kind::Sid, [sid.as_bytes(), &b""[..]]),
            (Kind::SidOf, [sid.as_bytes(), subject]),
        ]),
        None => marks.push((Kind::Unnamed, [subject, b""])),
    }
    marks
}

fn tag(issuer: &str, kind: Kind, parts: [&[u8]; 2]) -> Tag {
    let mut hash = Sha256::new();
    hash.update([kind as u8]);
    for part in [issuer.as_bytes()].into_iter().chain(parts) {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        hash.update(length.to_be_bytes());
        hash.update(part);
    }
    let mut tag = Tag::default();
    for (byte, hashed) in tag.iter_mut().zip(hash.finalize()) {
        *byte = hashed;
    }
    tag
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
