//! Where bearer tokens stand in a request, as it is written.

use portero_derive::Read;

use super::super::words::Given;

/// Where bearer tokens stand in a request (RFC 6750 section 2). What stands in one of these places must
/// be a token, or the request is refused (`bearer_token_malformed`); the same token in several places is
/// one, and different ones are refused (`bearer_token_ambiguous`).
#[derive(Default, Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Bearer {
    /// The headers that may hold a token, at most 16. A header of another scheme, such as `Basic`, holds
    /// none.
    pub(in crate::config) headers: Option<Vec<Given<BearerHeader>>>,
    /// The names of cookies that may hold a token, at most 16. A browser sends a cookie with requests that
    /// other sites cause too: the upstream must then defend itself against cross-site request forgery.
    pub(in crate::config) cookies: Option<Vec<Given<String>>>,
    /// The names of query parameters that may hold a token, at most 16; the standard's name is
    /// `access_token`. Addresses end up in logs and histories, and the standard advises against it.
    pub(in crate::config) query: Option<Vec<Given<String>>>,
    /// Whether the token is taken out of a request before it goes to the upstream: the header, the cookie
    /// or the query parameter, and nothing else. Under a rule that takes no tokens it stays.
    pub(in crate::config) hide: Option<bool>,
    /// What the challenge of a 401 calls the protected space (RFC 9110 section 11.5): visible ASCII
    /// characters and spaces without `"` and `\`, at most 256.
    pub(in crate::config) realm: Option<String>,
}

/// A header that may hold a token.
#[derive(Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct BearerHeader {
    /// The header's name.
    pub(in crate::config) name: Given<String>,
    /// The word before the token, in upper or lower case; with `""` the whole value is the token.
    pub(in crate::config) scheme: Option<String>,
}
