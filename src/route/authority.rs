//! The host a browser speaks to.

use crate::error::{Error, RequestFault};
use crate::request::Request;

/// A host name or address with an optional port, in lower case. Cookies and redirects are bound to
/// it, so nothing that two readers could read differently is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    text: String,
    host_length: usize,
}

const MAX_LENGTH: usize = 261;

impl Authority {
    /// The authority of a request; it must be given exactly once.
    pub fn of(request: &Request) -> Result<Self, Error> {
        let mut values = request.all(":authority");
        match (values.next(), values.next()) {
            (Some(value), None) => Self::parse(value),
            _ => Err(Error::Request(RequestFault::AuthorityInvalid)),
        }
    }

    fn parse(value: &[u8]) -> Result<Self, Error> {
        const INVALID: Error = Error::Request(RequestFault::AuthorityInvalid);
        let text = std::str::from_utf8(value)
            .map_err(|_| INVALID)?
            .to_ascii_lowercase();
        if text.len() > MAX_LENGTH {
            return Err(INVALID);
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (text.as_str(), None),
        };
        let port_is_valid = port.is_none_or(|port| {
            !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
        });
        if !port_is_valid || !is_host(host) {
            return Err(INVALID);
        }
        let host_length = host.len();
        Ok(Self { text, host_length })
    }

    /// Host and port, as a URL has them.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host alone.
    pub fn host(&self) -> &str {
        self.text.get(..self.host_length).unwrap_or_default()
    }

    /// The digits of the port, if there is one.
    pub fn port(&self) -> Option<&str> {
        self.text.get(self.host_length..)?.strip_prefix(':')
    }
}

fn is_host(host: &str) -> bool {
    match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => {
            !address.is_empty()
                && address
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        }
        // Portero and the proxy would have to agree on whether the dot that may end a complete name
        // makes another host.
        None => {
            !host.is_empty()
                && !host.ends_with('.')
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }
    }
}

#[cfg(test)]
mod tests;
