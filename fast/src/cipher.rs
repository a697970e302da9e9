//! XChaCha20-Poly1305.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

/// Bytes of a key.
pub const KEY: usize = 32;
/// Bytes of a nonce.
pub const NONCE: usize = 24;

/// The cipher under one key.
pub struct Cipher(XChaCha20Poly1305);

impl Cipher {
    #[inline(never)]
    pub fn new(key: [u8; KEY]) -> Self {
        Self(XChaCha20Poly1305::new(&Key::from(key)))
    }

    /// The ciphertext with its tag; nothing beyond the cipher's limit.
    #[inline(never)]
    pub fn seal(&self, nonce: [u8; NONCE], aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
        let payload = Payload { msg, aad };
        self.0.encrypt(&XNonce::from(nonce), payload).ok()
    }

    /// What was sealed under this nonce with this associated data; nothing for everything else.
    #[inline(never)]
    pub fn open(&self, nonce: [u8; NONCE], aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
        let payload = Payload { msg, aad };
        self.0.decrypt(&XNonce::from(nonce), payload).ok()
    }
}
