//! A request's head as the proxy hands it over: bytes a stranger chose.

use crate::header_list::HeaderList;

/// What follows the first `?` of a target; empty without one.
pub fn query(target: &[u8]) -> &[u8] {
    let mut parts = target.splitn(2, |byte| *byte == b'?');
    parts.nth(1).unwrap_or_default()
}

/// Names in lower case, values as bytes, in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    headers: HeaderList,
}

/// As the proxy hands it over.
impl From<HeaderList> for Request {
    fn from(headers: HeaderList) -> Self {
        Self { headers }
    }
}

impl Request {
    /// From names and values, pseudo headers included.
    pub fn new(headers: Vec<(String, Vec<u8>)>) -> Self {
        HeaderList::of(&headers).into()
    }

    pub const fn headers(&self) -> &HeaderList {
        &self.headers
    }

    /// Every value of a header.
    pub fn all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a, 'n> {
        self.headers.all(name)
    }

    /// The first value of a header, as text; a value that is not text counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.headers.text(name)
    }

    pub fn method(&self) -> &str {
        self.text(":method").unwrap_or_default()
    }

    /// Path and query, as received.
    pub fn target(&self) -> &[u8] {
        self.all(":path").next().unwrap_or_default()
    }
}
