//! How the refresh of a session stands, for all workers: who does it, and what came of it.
//!
//! A fixed number of shared slots, each sealed and bound to its name. A session has a few of them
//! to choose from; one whose time has passed is free for the next. What it held, a whole session
//! perhaps, would stay in memory until then, so the workers look around and empty such slots.

use std::cell::Cell;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Found, Session, SharedMemory, SharedSlot};
use crate::error::CallFault;
use crate::time::Timestamp;

const KIND: &str = "refresh";

/// Slots that were never used cost nothing. A successor takes one for a minute, so that an Envoy can
/// refresh a few hundred sessions a second.
const SLOTS: u32 = 16384;

/// Slots that a worker looks at in one go, and how long it rests then: it has seen all of them after
/// less than nine minutes.
const SWEPT_AT_ONCE: u32 = 32;
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
const TRIES: usize = 4;

/// No entry lasts longer. An ended session is remembered until its access token ends; where that is
/// later, the provider is asked once more and says no again.
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);

/// After that, the slot of an ended session is free for others; but as long as none of them takes it, the
/// provider is not asked for what it has refused, however often a forgotten page comes with its cookie.
const LINGERS: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a successor is remembered for requests that still carry the cookie before it.
pub const SUCCESSOR_LIFETIME: Duration = Duration::from_secs(60);

/// How the refresh of one session stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// Somebody is at it; what is sent to the provider now must not be sent again.
    Refreshing,
    /// This is the session now.
    Done(Box<Session>),
    /// The provider has ended the session.
    Ended,
    /// It could not be done; the next attempt is free when the slot's time has passed.
    Failed(RefreshFault),
}

/// Who could not be asked for a refresh, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefreshFault {
    Provider(CallFault),
    SessionStore(CallFault),
}

/// What comes of wanting to refresh a session.
#[derive(Debug, PartialEq, Eq)]
pub enum Beginning {
    /// Whoever asks has the lease.
    Mine,
    /// Somebody has been at it, and this is how it stands.
    Theirs(Progress),
    /// Every slot that it could use is taken.
    NoSlot,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    session: [u8; 16],
    /// The generation that is being refreshed, not the one that came of it.
    generation: u32,
    until: Timestamp,
    progress: Progress,
}

/// The slots of one configuration.
pub struct RefreshProgress<'a>(pub SharedMemory<'a>);

impl RefreshProgress<'_> {
    /// How the refresh of this very generation of `session` stands.
    pub fn of(&self, session: &Session) -> Option<Progress> {
        match self.place(session) {
            Some(Place::Own(entry, _)) => Some(entry.progress),
            Some(Place::Free(_)) | None => None,
        }
    }

    /// Takes the lease on refreshing this very generation of `session` until `until`, unless somebody
    /// else has been at it.
    pub fn begin(&self, session: &Session, until: Timestamp) -> Beginning {
        for _ in 0..TRIES {
            match self.place(session) {
                Some(Place::Own(entry, _)) => return Beginning::Theirs(entry.progress),
                Some(Place::Free(free)) if free.write(session, Progress::Refreshing, until) => {
                    return Beginning::Mine;
                }
                Some(Place::Free(_)) => {}
                None => break,
            }
        }
        Beginning::NoSlot
    }

    /// Says what came of refreshing `session`, until `until` at most. What somebody else has said in the meantime, whose
    /// lease came after this one had run out, is left alone if it is the session's successor; and so
    /// is everything that is another session's.
    pub fn end(&self, session: &Session, progress: &Progress, until: Timestamp) {
        let until = until.min(self.0.host.now().after(LONGEST));
        for _ in 0..TRIES {
            let version = match self.place(session) {
                Some(Place::Own(entry, _)) if matches!(entry.progress, Progress::Done(_)) => return,
                Some(Place::Own(_, version) | Place::Free(version)) => version,
                None => return,
            };
            if version.write(session, progress.clone(), until) {
                return;
            }
        }
    }

    /// The session's own slot, or one that is free.
    fn place(&self, session: &Session) -> Option<Place<'_>> {
        let now = self.0.host.now();
        let (mut free, mut lingering) = (None, None);
        for number in slots(session) {
            let slot = self.0.numbered(KIND, number);
            let Found { value, version } = slot.read::<Entry>();
            let version = Version { slot, version };
            match value.filter(|entry| entry.is_current(now) || entry.lingers(now)) {
                Some(entry) if entry.is_about(session) => return Some(Place::Own(entry, version)),
                Some(entry) if entry.is_current(now) => {}
                Some(_) => lingering = lingering.or(Some(version)),
                None => free = free.or(Some(version)),
            }
        }
        free.or(lingering).map(Place::Free)
    }
}

/// One worker's way through the slots, in which it empties those whose time has passed.
#[derive(Default)]
pub struct Sweep {
    next: Cell<u32>,
    swept_at: Cell<Option<Timestamp>>,
}

impl Sweep {
    /// To be called regularly, however often.
    pub fn go_on(&self, progress: &RefreshProgress<'_>) {
        let now = progress.0.host.now();
        let rests = |swept_at: Timestamp| swept_at <= now && now < swept_at.after(SWEEP_INTERVAL);
        if self.swept_at.get().is_some_and(rests) {
            return;
        }
        self.swept_at.set(Some(now));
        let first = self.next.get();
        for number in (0..SWEPT_AT_ONCE).map(|step| first.wrapping_add(step) % SLOTS) {
            let slot = progress.0.numbered(KIND, number);
            let Found { value, version } = slot.read::<Entry>();
            if value.is_some_and(|entry| !entry.is_current(now) && !entry.lingers(now)) {
                // Where somebody has written in between, there is nothing to empty.
                let _ = slot.write(&(), version);
            }
        }
        self.next.set(first.wrapping_add(SWEPT_AT_ONCE) % SLOTS);
    }
}

/// Where the progress of a session is, or can be.
enum Place<'a> {
    Own(Entry, Version<'a>),
    Free(Version<'a>),
}

/// A slot as it was seen.
struct Version<'a> {
    slot: SharedSlot<'a>,
    version: u32,
}

impl Version<'_> {
    /// Writes unless somebody else has in between.
    fn write(&self, session: &Session, progress: Progress, until: Timestamp) -> bool {
        let entry = Entry {
            session: session.id,
            generation: session.generation(),
            until,
            progress,
        };
        self.slot.write(&entry, self.version)
    }
}

impl Entry {
    /// Until its time, and not beyond what any entry may last: then the clock was set back.
    fn is_current(&self, now: Timestamp) -> bool {
        now < self.until && self.until <= now.after(LONGEST)
    }

    /// Whether it is known of an ended session although its time has passed.
    fn lingers(&self, now: Timestamp) -> bool {
        self.progress == Progress::Ended && self.until <= now && now < self.until.after(LINGERS)
    }

    fn is_about(&self, session: &Session) -> bool {
        self.session == session.id && self.generation == session.generation()
    }
}

/// A session id is random, so its parts are choices that have nothing to do with each other.
fn slots(session: &Session) -> impl Iterator<Item = u32> {
    let (parts, _) = session.id.as_chunks::<4>();
    parts.iter().map(|part| u32::from_le_bytes(*part) % SLOTS)
}

#[cfg(test)]
mod tests;
