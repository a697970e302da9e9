//! An absolute URL that a browser is sent to or that an Envoy cluster is asked.

use std::fmt;

use url::Url;

/// A checked absolute `http(s)` URL without user information or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
}

/// Why a text is not an [`Endpoint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointFault {
    NotAUrl,
    NotHttps,
    UserInformation,
    Fragment,
}

impl fmt::Display for EndpointFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotAUrl => "is not an absolute URL",
            Self::NotHttps => "does not use https",
            Self::UserInformation => "carries user information",
            Self::Fragment => "carries a fragment",
        })
    }
}

impl Endpoint {
    /// Checks `text`. `http` is accepted only where `allow_http` says so.
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, EndpointFault> {
        let url = Url::parse(text).map_err(|_| EndpointFault::NotAUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if allow_http => {}
            _ => return Err(EndpointFault::NotHttps),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(EndpointFault::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointFault::UserInformation);
        }
        if url.fragment().is_some() {
            return Err(EndpointFault::Fragment);
        }
        Ok(Self { url })
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// Host and, where it is not the scheme's own, port: the `:authority` of a call.
    pub fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Path and query: the `:path` of a call.
    pub fn path(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// This URL with `parameters` appended to whatever query it has (RFC 6749 section 3.1).
    pub fn with_query<'a>(
        &self,
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> String {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url.into()
    }
}

#[cfg(test)]
mod tests;
