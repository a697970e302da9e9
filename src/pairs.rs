//! The host's serialisation of header lists: the count, then the sizes of every name and value,
//! then the bytes, each followed by a zero. All numbers are 32 bits, little-endian.

/// Reads a list; whatever does not fit ends it.
pub fn read(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut pairs = Vec::new();
    let Some((count, mut sizes)) = number(bytes) else {
        return pairs;
    };
    let Some(mut texts) = usize::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(8))
        .and_then(|length| sizes.get(length..))
    else {
        return pairs;
    };
    for _ in 0..count {
        let Some((name_size, rest)) = number(sizes) else {
            break;
        };
        let Some((value_size, rest)) = number(rest) else {
            break;
        };
        let Some((name, after_name)) = text(texts, name_size) else {
            break;
        };
        let Some((value, after_value)) = text(after_name, value_size) else {
            break;
        };
        pairs.push((String::from_utf8_lossy(name).into_owned(), value.to_vec()));
        sizes = rest;
        texts = after_value;
    }
    pairs
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
    Some((text, rest.get(1..)?))
}

#[cfg(test)]
mod tests;
