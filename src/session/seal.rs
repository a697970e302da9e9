//! Authenticated encryption of everything that leaves Portero's memory and comes back.
//!
//! XChaCha20-Poly1305 with a random nonce: 24 bytes are enough to pick at random for ever. The
//! associated data names what a value is for, so that one kind never opens as another.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use portero_fast::{Cipher, KEY, NONCE};
use sha2::Sha256;

use crate::error::InternalFault;
use crate::host::{Host, random};
use crate::secret::Secret;

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const PREFIX: usize = 1 + KEY_ID + NONCE;

/// What a sealed value is, and to what it is bound: both must be the same when it is opened.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The kind of value.
    pub purpose: &'a str,
    /// The cookie's name or the shared slot.
    pub name: &'a str,
    /// The host that a browser spoke to; empty for what no browser holds.
    pub host: &'a str,
    /// The provider's issuer: another provider's sessions mean nothing here.
    pub issuer: &'a str,
}

/// The keys: the first seals, all open.
pub struct Seal {
    keys: Vec<SealKey>,
}

struct SealKey {
    id: [u8; KEY_ID],
    cipher: Cipher,
}

impl Seal {
    /// From the configured keys, each of which is stretched to a cipher key and a key id.
    pub fn new(keys: &[Secret<Vec<u8>>]) -> Self {
        Self {
            keys: keys
                .iter()
                .map(|key| SealKey::derive(key.expose()))
                .collect(),
        }
    }

    /// Seals `plaintext` as bytes. Without randomness nothing can be sealed; without a key, which no
    /// configuration lacks, or beyond the cipher's limit it is a bug.
    pub fn seal(
        &self,
        host: &dyn Host,
        binding: Binding<'_>,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, InternalFault> {
        let nonce: [u8; NONCE] = random(host)?;
        let key = self.keys.first().ok_or(InternalFault::Bug)?;
        let ciphertext = key
            .cipher
            .seal(nonce, &binding.associated_data(), plaintext)
            .ok_or(InternalFault::Bug)?;
        let mut sealed = Vec::with_capacity(ciphertext.len().saturating_add(PREFIX));
        sealed.push(VERSION);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens what [`Seal::seal`] made with any of the keys; `None` for everything else.
    pub fn open(&self, binding: Binding<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        let (version, rest) = sealed.split_first()?;
        if *version != VERSION {
            return None;
        }
        let (id, rest) = rest.split_first_chunk::<KEY_ID>()?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>()?;
        let aad = binding.associated_data();
        self.keys
            .iter()
            .filter(|key| key.id == *id)
            .find_map(|key| key.cipher.open(*nonce, &aad, ciphertext))
    }

    /// [`Seal::seal`], as text that a cookie can hold.
    pub fn seal_text(
        &self,
        host: &dyn Host,
        binding: Binding<'_>,
        plaintext: &[u8],
    ) -> Result<String, InternalFault> {
        Ok(URL_SAFE_NO_PAD.encode(self.seal(host, binding, plaintext)?))
    }

    /// [`Seal::open`] of a cookie's text.
    pub fn open_text(&self, binding: Binding<'_>, text: &[u8]) -> Option<Vec<u8>> {
        self.open(binding, &URL_SAFE_NO_PAD.decode(text).ok()?)
    }
}

impl SealKey {
    fn derive(key: &[u8]) -> Self {
        let expander = Hkdf::<Sha256>::new(None, key);
        let mut secret = [0; KEY];
        let mut id = [0; KEY_ID];
        // Both lengths are far below what HKDF can expand to, so neither call can fail (RFC 5869 section 2.3).
        let _ = expander.expand(b"portero seal key 1", &mut secret);
        let _ = expander.expand(b"portero seal key id 1", &mut id);
        Self {
            id,
            cipher: Cipher::new(secret),
        }
    }
}

impl Binding<'_> {
    fn associated_data(&self) -> Vec<u8> {
        let parts = [self.purpose, self.name, self.host, self.issuer];
        let length = parts
            .iter()
            .map(|part| part.len().saturating_add(size_of::<u32>()));
        let mut data = Vec::with_capacity(length.fold(0, usize::saturating_add));
        for part in parts {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            data.extend_from_slice(&length.to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

#[cfg(test)]
mod tests;
