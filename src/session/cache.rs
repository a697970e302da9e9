//! Opened sessions, kept in a worker's memory so that a warm request does no cryptography.
//!
//! An entry is made only from a session that has been opened, and found only by the exact bytes
//! that were opened under the same binding: a hit proves as much as opening would.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use super::OpenSession;

/// Entries and vectors cost more than their contents; a round figure for it.
const ENTRY_OVERHEAD: usize = 256;

/// A cache with a budget of bytes; when it is full the clock hand evicts what was not used since it
/// last came by.
pub struct SessionCache {
    budget: usize,
    used: usize,
    entries: Vec<Entry>,
    index: HashMap<u64, usize, BuildHasherDefault<TailHasher>>,
    hand: usize,
}

struct Entry {
    tail: u64,
    cookie: Vec<u8>,
    host: String,
    session: Rc<OpenSession>,
    size: usize,
    used_since: bool,
}

impl SessionCache {
    /// `budget` in bytes; zero keeps nothing.
    pub fn new(budget: usize) -> Self {
        Self {
            budget,
            used: 0,
            entries: Vec::new(),
            index: HashMap::default(),
            hand: 0,
        }
    }

    /// The session that opening `cookie` on `host` gave.
    pub fn find(&mut self, cookie: &[u8], host: &str) -> Option<Rc<OpenSession>> {
        let position = *self.index.get(&tail(cookie)?)?;
        let entry = self.entries.get_mut(position)?;
        if entry.cookie != cookie || entry.host != host {
            return None;
        }
        entry.used_since = true;
        Some(Rc::clone(&entry.session))
    }

    /// Remembers what opening `cookie` on `host` gave.
    pub fn insert(&mut self, cookie: &[u8], host: &str, session: &Rc<OpenSession>) {
        let Some(tail) = tail(cookie) else { return };
        self.remove(cookie);
        let size = cookie
            .len()
            .saturating_add(host.len())
            .saturating_add(session.size())
            .saturating_add(ENTRY_OVERHEAD);
        if size > self.budget {
            return;
        }
        while self.used.saturating_add(size) > self.budget {
            self.evict_one();
        }
        self.index.insert(tail, self.entries.len());
        self.used = self.used.saturating_add(size);
        self.entries.push(Entry {
            tail,
            cookie: cookie.to_vec(),
            host: host.to_owned(),
            session: Rc::clone(session),
            size,
            used_since: true,
        });
    }

    /// Forgets a cookie.
    pub fn remove(&mut self, cookie: &[u8]) {
        if let Some(position) = tail(cookie).and_then(|tail| self.index.get(&tail).copied()) {
            self.remove_at(position);
        }
    }

    /// Bytes in use.
    #[cfg(test)]
    pub(super) const fn used(&self) -> usize {
        self.used
    }

    fn evict_one(&mut self) {
        loop {
            if self.entries.is_empty() {
                return;
            }
            match self.entries.get_mut(self.hand) {
                None => self.hand = 0,
                Some(entry) if entry.used_since => {
                    entry.used_since = false;
                    self.hand = self.hand.saturating_add(1);
                }
                Some(_) => return self.remove_at(self.hand),
            }
        }
    }

    fn remove_at(&mut self, position: usize) {
        if position >= self.entries.len() {
            return;
        }
        let removed = self.entries.swap_remove(position);
        self.used = self.used.saturating_sub(removed.size);
        self.index.remove(&removed.tail);
        if let Some(moved) = self.entries.get(position) {
            self.index.insert(moved.tail, position);
        }
    }
}

/// The end of a sealed cookie is its authentication tag: as good as random, and no stranger can
/// choose it for an entry, because only cookies that opened become entries.
fn tail(cookie: &[u8]) -> Option<u64> {
    cookie
        .last_chunk::<8>()
        .map(|bytes| u64::from_le_bytes(*bytes))
}

/// The tail is its own hash.
#[derive(Default)]
struct TailHasher(u64);

impl Hasher for TailHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        // The map takes its group from the top bits, where base64 text has few; the multiplication
        // spreads the others there.
        self.0 = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests;
