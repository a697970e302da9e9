//! A request's head as the proxy hands it over: bytes a stranger chose.

/// What follows the first `?` of a target; empty without one.
pub fn query(target: &[u8]) -> &[u8] {
    let mut parts = target.splitn(2, |byte| *byte == b'?');
    parts.nth(1).unwrap_or_default()
}

/// Names in lower case, values as bytes, in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    headers: Vec<(String, Vec<u8>)>,
}

impl Request {
    /// From the proxy's header list, pseudo headers included.
    pub const fn new(headers: Vec<(String, Vec<u8>)>) -> Self {
        Self { headers }
    }

    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// Every value of a header.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.headers
            .iter()
            .filter(move |(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The first value of a header, as text; a value that is not text counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        let value = self.all(name).next()?;
        std::str::from_utf8(value).ok()
    }

    pub fn method(&self) -> &str {
        self.text(":method").unwrap_or_default()
    }

    /// Path and query, as received.
    pub fn target(&self) -> &[u8] {
        self.all(":path").next().unwrap_or_default()
    }
}
