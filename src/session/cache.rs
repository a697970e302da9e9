//! Opened sessions and verified tokens, kept in a worker's memory so that a warm request does no
//! cryptography.
//!
//! An entry is made only from what has been opened or verified. A session that its cookie holds, and a
//! token, is found only by the exact bytes that were opened under the same binding: a hit proves as much
//! as opening would. A session that the store keeps is found by its id, which counts only as it came out
//! of an opened cookie; what the provider says of a token is found by the token's digest.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

/// Entries and vectors cost more than their contents; a round figure for it.
const ENTRY_OVERHEAD: usize = 256;

/// A cache with a budget of bytes; when it is full the clock hand evicts what was not used since it
/// last came by.
pub struct Cache<V> {
    budget: usize,
    used: usize,
    entries: Vec<Entry<V>>,
    index: HashMap<u64, usize, BuildHasherDefault<TailHasher>>,
    hand: usize,
}

/// What has a size.
pub trait Footprint {
    /// Bytes in memory, about.
    fn size(&self) -> usize;
}

/// What is found by what. A cookie whose bytes are an id is a cookie, and finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheKey<'a> {
    /// The sealed value that was opened.
    Cookie(&'a [u8]),
    /// What an opened cookie names.
    Reference(&'a [u8; 16]),
    /// The token that was verified.
    Token(&'a [u8]),
    /// The SHA-256 of a token that says nothing itself.
    Digest(&'a [u8; 32]),
}

impl CacheKey<'_> {
    const fn bytes(&self) -> &[u8] {
        match self {
            Self::Cookie(bytes) | Self::Token(bytes) => bytes,
            Self::Reference(id) => *id,
            Self::Digest(digest) => *digest,
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Cookie(_) => 0,
            Self::Reference(_) => 1,
            Self::Token(_) => 2,
            Self::Digest(_) => 3,
        }
    }

    /// The end of a sealed cookie is its authentication tag, that of a token its signature, and an id is
    /// random: as good as a hash, and no stranger can choose it for an entry, because only what has been
    /// opened becomes one.
    fn tail(&self) -> Option<u64> {
        self.bytes()
            .last_chunk::<8>()
            .map(|bytes| u64::from_le_bytes(*bytes))
    }
}

struct Entry<V> {
    tail: u64,
    key: Vec<u8>,
    kind: u8,
    host: String,
    value: Rc<V>,
    size: usize,
    used_since: bool,
}

impl<V> Entry<V> {
    fn is_for(&self, key: CacheKey<'_>) -> bool {
        self.kind == key.kind() && portero_fast::same(&self.key, key.bytes())
    }
}

impl<V: Footprint> Cache<V> {
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

    /// What was opened for `key` on `host`.
    pub fn find(&mut self, key: CacheKey<'_>, host: &str) -> Option<Rc<V>> {
        let position = *self.index.get(&key.tail()?)?;
        let entry = self.entries.get_mut(position)?;
        if !entry.is_for(key) || entry.host != host {
            return None;
        }
        entry.used_since = true;
        Some(Rc::clone(&entry.value))
    }

    /// Remembers what was opened for `key` on `host`.
    pub fn insert(&mut self, key: CacheKey<'_>, host: &str, value: &Rc<V>) {
        let Some(tail) = key.tail() else { return };
        if let Some(position) = self.index.get(&tail).copied() {
            self.remove_at(position);
        }
        let size = key
            .bytes()
            .len()
            .saturating_add(host.len())
            .saturating_add(value.size())
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
            key: key.bytes().to_vec(),
            kind: key.kind(),
            host: host.to_owned(),
            value: Rc::clone(value),
            size,
            used_since: true,
        });
    }

    /// Forgets what was opened for a key, and nothing that only ends like it: anybody can have a token
    /// refused.
    pub fn remove(&mut self, key: CacheKey<'_>) {
        let position = key.tail().and_then(|tail| self.index.get(&tail).copied());
        if let Some(position) = position
            && self
                .entries
                .get(position)
                .is_some_and(|entry| entry.is_for(key))
        {
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
