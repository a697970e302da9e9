//! What goes into a flow and what comes out of it.

use std::fmt;
use std::time::Duration;

use crate::answer::Response;
use crate::telemetry::Purpose;

/// An HTTP request to the provider, through a cluster of Envoy's.
pub struct Call {
    pub purpose: Purpose,
    pub cluster: String,
    pub method: &'static str,
    pub authority: String,
    pub scheme: String,
    /// Path with query.
    pub path: String,
    /// Names in lower case; pseudo headers are not among them.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub timeout: Duration,
}

/// What came back.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Why nothing came back. A proxy that cannot reach the provider answers 503 or 504 itself, which
/// is a [`Reply`]: the two cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFailure {
    /// The proxy did not take the request: unknown cluster, no healthy host.
    NotSent,
    /// The exchange was cut off, or the answer was too large for the proxy.
    NoAnswer,
}

/// The outcome of one [`Call`].
pub type CallResult = Result<Reply, CallFailure>;

/// How a request goes on.
#[derive(Debug)]
pub enum Decision {
    Forward(Forward),
    Answer(Response),
}

/// Changes to a request on its way to the upstream, and to the answer on its way back.
#[derive(Default)]
pub struct Forward {
    /// Request headers to remove, as they were spelled.
    pub remove: Vec<String>,
    /// Request headers to set, in place of any of that name.
    pub set: Vec<(String, Vec<u8>)>,
    /// `Set-Cookie` values for the answer.
    pub set_cookies: Vec<String>,
}

/// The body has codes and secrets, and a header the client's or the person's credentials.
impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        formatter
            .debug_struct("Call")
            .field("purpose", &self.purpose)
            .field("cluster", &self.cluster)
            .field("method", &self.method)
            .field("authority", &self.authority)
            .field("path", &self.path)
            .field("headers", &headers)
            .field("body_bytes", &self.body.len())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// The body has tokens and what is known of a person.
impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Reply")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The headers that are set have tokens and claims, and the cookies are somebody's session.
impl fmt::Debug for Forward {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<&str> = self.set.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("Forward")
            .field("remove", &self.remove)
            .field("set", &set)
            .field("set_cookies", &self.set_cookies.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
