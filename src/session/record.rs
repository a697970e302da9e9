//! A value as the store keeps it: sealed, and good under its own key only.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Binding, Seal};
use crate::error::{Error, InternalFault};
use crate::host::Host;

/// The longest value, in bytes. What a refresh brings is also kept in shared data, which never gives
/// memory back.
const LONGEST: usize = 64 * 1024;

/// One place in the store.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    pub seal: &'a Seal,
    /// The kind of value.
    pub kind: &'static str,
    /// The name in the store.
    pub key: &'a str,
    /// The host that the browser spoke to when it logged in, as for cookies; empty for what is about
    /// all hosts.
    pub authority: &'a str,
    pub issuer: &'a str,
}

impl Record<'_> {
    /// The value to keep, as text that every front end carries as it is.
    pub fn seal(&self, host: &dyn Host, value: &impl Serialize) -> Result<String, Error> {
        let plaintext =
            postcard::to_allocvec(value).map_err(|_| Error::Internal(InternalFault::Bug))?;
        let value = self.seal.seal_text(host, self.binding(), &plaintext)?;
        match value.len() <= LONGEST {
            true => Ok(value),
            false => Err(InternalFault::SessionTooLarge.into()),
        }
    }

    /// What was sealed in a value; nothing in one that was made for another place, or not by us.
    pub fn open<T: DeserializeOwned>(&self, value: &str) -> Option<T> {
        let plaintext = self.seal.open_text(self.binding(), value.as_bytes())?;
        postcard::from_bytes(&plaintext).ok()
    }

    fn binding(&self) -> Binding<'_> {
        Binding {
            purpose: self.kind,
            name: self.key,
            host: self.authority,
            issuer: self.issuer,
        }
    }
}

#[cfg(test)]
mod tests;
