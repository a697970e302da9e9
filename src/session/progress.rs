//! How the refresh of a session stands, for all workers: who does it, and what came of it.
//!
//! A fixed number of shared slots, each sealed and bound to its name. A session has a few of them
//! to choose from; one whose time has passed is free for the next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Binding, Seal, Session};
use crate::host::Host;
use crate::time::Timestamp;

const SLOTS: u64 = 1024;
const CHOICES: u64 = 4;
const TRIES: usize = 4;

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
    /// The provider could not be asked; the next attempt is free when the slot's time has passed.
    Failed,
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
pub struct RefreshProgress<'a> {
    pub host: &'a dyn Host,
    pub seal: &'a Seal,
    /// Tells apart configurations that share one Envoy.
    pub scope: &'a str,
}

impl RefreshProgress<'_> {
    /// How the refresh of this very generation of `session` stands.
    pub fn of(&self, session: &Session) -> Option<Progress> {
        let now = self.host.now();
        slots(session)
            .filter_map(|number| self.read(number).0)
            .find(|entry| entry.is_about(session) && now < entry.until)
            .map(|entry| entry.progress)
    }

    /// Takes the lease on refreshing `session` until `until`; `false` when somebody else has it, or
    /// when every slot that it could use is taken.
    pub fn begin(&self, session: &Session, until: Timestamp) -> bool {
        for _ in 0..TRIES {
            if self.of(session).is_some() {
                return false;
            }
            let now = self.host.now();
            let free = slots(session).find_map(|number| {
                let (entry, version) = self.read(number);
                entry
                    .is_none_or(|entry| entry.until <= now)
                    .then_some((number, version))
            });
            let Some((number, version)) = free else {
                return false;
            };
            if self.write(number, version, session, Progress::Refreshing, until) {
                return true;
            }
        }
        false
    }

    /// Says what came of refreshing `session`.
    pub fn end(&self, session: &Session, progress: Progress, until: Timestamp) {
        let own = slots(session).find(|number| {
            self.read(*number)
                .0
                .is_some_and(|entry| entry.is_about(session))
        });
        if let Some(number) = own.or_else(|| slots(session).next()) {
            self.write(number, None, session, progress, until);
        }
    }

    fn read(&self, number: u64) -> (Option<Entry>, Option<u32>) {
        let name = self.name(number);
        let Some(value) = self.host.shared(&name) else {
            return (None, None);
        };
        let entry = self
            .seal
            .open(binding(&name), &value.bytes)
            .and_then(|plaintext| postcard::from_bytes(&plaintext).ok());
        (entry, Some(value.version))
    }

    fn write(
        &self,
        number: u64,
        version: Option<u32>,
        session: &Session,
        progress: Progress,
        until: Timestamp,
    ) -> bool {
        let name = self.name(number);
        let entry = Entry {
            session: session.id,
            generation: generation(session),
            until,
            progress,
        };
        let Ok(plaintext) = postcard::to_allocvec(&entry) else {
            return false;
        };
        let Ok(sealed) = self.seal.seal(self.host, binding(&name), &plaintext) else {
            return false;
        };
        self.host.set_shared(&name, &sealed, version)
    }

    fn name(&self, number: u64) -> String {
        format!("portero/{}/refresh/{number}", self.scope)
    }
}

impl Entry {
    fn is_about(&self, session: &Session) -> bool {
        self.session == session.id && self.generation == generation(session)
    }
}

fn generation(session: &Session) -> u32 {
    session.grant.as_ref().map_or(0, |grant| grant.generation)
}

/// A session id is random, so its first bytes spread evenly.
fn slots(session: &Session) -> impl Iterator<Item = u64> {
    let [a, b, c, d, ..] = session.id;
    let first = u64::from(u32::from_le_bytes([a, b, c, d]));
    (0..CHOICES).map(move |choice| first.wrapping_add(choice) % SLOTS)
}

const fn binding(name: &str) -> Binding<'_> {
    Binding {
        purpose: "refresh",
        name,
        host: "",
        issuer: "",
    }
}
