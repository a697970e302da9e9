//! Lists of headers, as bytes a stranger chose, and the form in which the host hands them over: the count,
//! then the sizes of every name and value, then the bytes, each followed by a zero. All numbers are 32
//! bits, little-endian.

/// Headers in the order they came, names in lower case. One piece of memory holds them all, as the host
/// gave it: a request has twenty of them, and most are never looked at twice.
#[derive(Clone, Debug, Default)]
pub struct HeaderList {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

/// Where name and value of one header are. Behind each is a zero.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    name: usize,
    value: usize,
}

impl HeaderList {
    /// Reads a list. One that does not say exactly what it holds is none: a header that was not read
    /// would not be judged.
    pub fn read(bytes: Vec<u8>) -> Option<Self> {
        // The host has no form for an empty list but nothing at all.
        let spans = match bytes.is_empty() {
            true => Vec::new(),
            false => spans(&bytes)?,
        };
        Some(Self { bytes, spans })
    }

    /// The list of these headers.
    pub fn of(pairs: &[(String, Vec<u8>)]) -> Self {
        let pairs = pairs.iter();
        let bytes = write(pairs.map(|(name, value)| (name.as_str(), value.as_slice())));
        Self::read(bytes).unwrap_or_default()
    }

    /// Names, as text, and values.
    pub fn to_vec(&self) -> Vec<(String, Vec<u8>)> {
        let pairs = self.iter();
        let owned = |(name, value): (&[u8], &[u8])| {
            (String::from_utf8_lossy(name).into_owned(), value.to_vec())
        };
        pairs.map(owned).collect()
    }

    /// Every name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.spans.iter().map(|span| self.at(span))
    }

    /// Every value of a header.
    pub fn all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a, 'n> {
        let spans = self
            .spans
            .iter()
            .filter(move |span| span.name == name.len());
        spans.filter_map(move |span| {
            let (candidate, value) = self.at(span);
            (candidate == name.as_bytes()).then_some(value)
        })
    }

    /// The first value of a header, as text; a value that is not text counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.all(name).next()?).ok()
    }

    fn at(&self, span: &Span) -> (&[u8], &[u8]) {
        let pair = self.bytes.get(span.start..).unwrap_or_default();
        let (name, rest) = pair.split_at_checked(span.name).unwrap_or_default();
        let value = rest.get(1..).unwrap_or_default();
        (name, value.get(..span.value).unwrap_or_default())
    }
}

fn spans(bytes: &[u8]) -> Option<Vec<Span>> {
    let (count, sizes) = number(bytes)?;
    let (sizes, texts) = sizes.split_at_checked(count.checked_mul(8)?)?;
    let mut start = bytes.len().checked_sub(texts.len())?;
    let mut spans = Vec::with_capacity(count);
    let (sizes, _) = sizes.as_chunks::<8>();
    for size in sizes {
        let (name, rest) = number(size)?;
        let (value, _) = number(rest)?;
        let end_of_name = start.checked_add(name)?;
        let end = end_of_name.checked_add(1)?.checked_add(value)?;
        if bytes.get(end_of_name) != Some(&0) || bytes.get(end) != Some(&0) {
            return None;
        }
        spans.push(Span { start, name, value });
        start = end.checked_add(1)?;
    }
    (start == bytes.len()).then_some(spans)
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    let number = usize::try_from(u32::from_le_bytes(*number)).ok()?;
    Some((number, rest))
}

/// Whether two names are one to upstreams that turn `-` into `_` (CGI, WSGI).
pub fn are_twins(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .map(folded_byte)
            .eq(other.iter().map(folded_byte))
}

/// A name as all its twins have it in common.
pub fn folded(name: &[u8]) -> Vec<u8> {
    name.iter().map(folded_byte).collect()
}

const fn folded_byte(byte: &u8) -> u8 {
    match byte {
        b'_' => b'-',
        other => *other,
    }
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

#[cfg(test)]
mod tests;
