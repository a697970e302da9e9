//! Where bearer tokens stand in a request.

/// The places of a bearer token (RFC 6750 section 2), and what is said about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Bearer {
    pub headers: Vec<BearerHeader>,
    /// Names of cookies; none of Portero's own.
    pub cookies: Vec<String>,
    /// Names of query parameters.
    pub query: Vec<String>,
    /// Whether the upstream does not get the token.
    pub hide: bool,
    /// What challenges call the protected space: characters of a quoted string that need no escape.
    pub realm: Option<String>,
}

/// A header that may hold a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BearerHeader {
    /// In lower case.
    pub name: String,
    /// What stands before the token, compared without regard to case; the empty one where the token is
    /// the whole value.
    pub scheme: String,
}
