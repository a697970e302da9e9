//! The host's serialisation of header lists: the count, then the sizes of every name and value,
//! then the bytes, each followed by a zero. All numbers are 32 bits, little-endian.

/// Reads a list. One that does not say exactly what it holds is none: a header that was not read
/// would not be judged.
pub fn read(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut pairs = Vec::new();
    // The host has no form for an empty list but nothing at all.
    if bytes.is_empty() {
        return Some(pairs);
    }
    let (count, sizes) = number(bytes)?;
    let length = usize::try_from(count).ok()?.checked_mul(8)?;
    let (mut sizes, mut texts) = sizes.split_at_checked(length)?;
    for _ in 0..count {
        let (name_size, rest) = number(sizes)?;
        let (value_size, rest) = number(rest)?;
        let (name, after_name) = text(texts, name_size)?;
        let (value, after_value) = text(after_name, value_size)?;
        pairs.push((String::from_utf8_lossy(name).into_owned(), value.to_vec()));
        sizes = rest;
        texts = after_value;
    }
    texts.is_empty().then_some(pairs)
}

/// Writes a list.
pub fn write<'a>(pairs: impl Iterator<Item = (&'a str, &'a [u8])> + Clone) -> Vec<u8> {
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = size(pairs.clone().count()).to_vec();
    for (name, value) in pairs.clone() {
        bytes.extend_from_slice(&size(name.len()));
        bytes.extend_from_slice(&size(value.len()));
    }
    for (name, value) in pairs {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(value);
        bytes.push(0);
    }
    bytes
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}

fn text(bytes: &[u8], size: u32) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(usize::try_from(size).ok()?)?;
    Some((text, rest.strip_prefix(b"\0")?))
}

#[cfg(test)]
mod tests;
