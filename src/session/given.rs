//! What a caller gives others: made once, and shared by all of their requests.

/// Headers of the upstream's and filter state of the proxy's.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Name in lower case, and value.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Name and text.
    pub filter_state: Vec<(String, String)>,
}

impl Given {
    /// The names alone: values are claims and tokens.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    /// Bytes in memory, about.
    pub fn size(&self) -> usize {
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| name.len().saturating_add(value.len()));
        let states = self.filter_state.iter();
        let states = states.map(|(name, text)| name.len().saturating_add(text.len()));
        headers.chain(states).fold(0, usize::saturating_add)
    }
}
