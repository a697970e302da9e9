//! Who sends tokens, and so may ask for newer keys: nobody uses up what is another's.

use serde::{Deserialize, Serialize};

/// From whom a token came whose key is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The provider's token endpoint.
    Provider,
    /// Whoever can send a request: nothing is known of them before the token is verified.
    Anybody,
}

/// The same thing for each of them.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct BySender<T> {
    provider: T,
    anybody: T,
}

impl Sender {
    /// Whoever can be trusted goes first.
    pub const ALL: [Self; 2] = [Self::Provider, Self::Anybody];
}

impl<T> BySender<T> {
    pub const fn of(&self, sender: Sender) -> &T {
        match sender {
            Sender::Provider => &self.provider,
            Sender::Anybody => &self.anybody,
        }
    }

    pub const fn of_mut(&mut self, sender: Sender) -> &mut T {
        match sender {
            Sender::Provider => &mut self.provider,
            Sender::Anybody => &mut self.anybody,
        }
    }
}
