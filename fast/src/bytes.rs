//! Loops over bytes.

/// Whether two texts are the same, by eight bytes at a time: on this platform the usual way is by one. It may
/// stop early, so it is for what no stranger can learn anything from.
#[inline(never)]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    let (words, rest) = one.as_chunks::<8>();
    let (other_words, other_rest) = other.as_chunks::<8>();
    let differences = || {
        let pairs = words.iter().zip(other_words);
        pairs
            .map(|(one, other)| u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other))
            .fold(0, |all, difference| all | difference)
    };
    one.len() == other.len() && rest == other_rest && differences() == 0
}

/// Whether a text is a `b64token` (RFC 6750 section 2.1).
#[inline(never)]
pub fn is_b64token(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = text.len().saturating_sub(padding);
    let strangers = text.iter().take(body).map(|byte| !in_alphabet(*byte));
    body > 0 && !strangers.fold(false, |some, is_one| some | is_one)
}

/// By one look into the set of its characters below 64, or into that from 64 on: a token has thousands.
const fn in_alphabet(byte: u8) -> bool {
    const DIGITS: u64 = 0x3ff << b'0';
    const LOW: u64 = DIGITS | 1 << b'+' | 1 << b'-' | 1 << b'.' | 1 << b'/';
    const LETTERS: u64 = 0x3ff_ffff << (b'A' - 64) | 0x3ff_ffff << (b'a' - 64);
    const HIGH: u64 = LETTERS | 1 << (b'_' - 64) | 1 << (b'~' - 64);
    let characters = if byte & 64 == 0 { LOW } else { HIGH };
    byte < 128 && characters >> (byte & 63) & 1 == 1
}

/// Whether a path has nothing in it that anybody could read in another way: it begins with a slash, and has
/// no other characters than those that mean themselves, no empty segment before its end, and none that
/// begins with a dot.
#[inline(never)]
pub fn is_plain_path(path: &[u8]) -> bool {
    let is_plain = |byte: u8| {
        let separates = matches!(byte, b'%' | b';' | b'\\' | b'?' | b'#');
        byte.is_ascii_graphic() && !separates
    };
    let mut last = 0;
    for byte in path.iter().copied() {
        if !is_plain(byte) || (last == b'/' && matches!(byte, b'/' | b'.')) {
            return false;
        }
        last = byte;
    }
    path.first() == Some(&b'/')
}

/// Whether a text can stand in a header value as it is, alone or in a list: it has no characters but those
/// of ASCII that are seen, and neither `%` nor a comma.
#[inline(never)]
pub fn is_plain_value(text: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'%' | b',');
    text.iter().all(is_plain)
}

#[cfg(test)]
mod tests;
