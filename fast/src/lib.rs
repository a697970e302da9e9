//! What Portero does with every byte of a request: the few loops that are built for speed.
//!
//! The module is built for size, because Envoy compiles all of it at every start. That makes a loop over a
//! session's bytes several times slower, and only a whole crate can be built otherwise. So such loops are
//! here, with everything generic that they call: code is built as the crate is that first names its types.
//! Nothing here may be inlined or generic, or it would be built as its caller is.
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod bytes;
mod cipher;
mod json;

pub use bytes::{is_b64token, is_plain_path, is_plain_value, same};
pub use cipher::{Cipher, KEY, NONCE};
pub use json::parse_object;
