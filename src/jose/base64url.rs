//! Base64url as JOSE uses it (RFC 7515 section 2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The bytes that `text` encodes; nothing for padding, white space, other alphabets, and for
/// encodings whose unused bits are not zero: each byte string has exactly one accepted text.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The one text for `bytes`.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn one_text_per_byte_string() {
        assert_eq!(decode(""), Some(vec![]));
        assert_eq!(decode("AA"), Some(vec![0]));
        assert_eq!(decode("-_8"), Some(vec![0xfb, 0xff]));
        for other in ["AB", "AA==", "A", "+/8", "AA\n", " AA", "A A", "é"] {
            assert_eq!(decode(other), None, "{other:?}");
        }
    }
}
