//! What goes into a flow and what comes out of it.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::upstream_token::CallerTokens;
use super::{Renewal, SentToken};
use crate::answer::Response;
use crate::error::{CallFault, RequestFault};
use crate::header_list::are_twins;
use crate::session::Given;
use crate::telemetry::Callee;

/// An HTTP request to the provider or the session store, through a cluster of Envoy's.
pub struct Call {
    pub callee: Callee,
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
    /// At most [`Reply::MOST_BYTES`].
    pub body: Vec<u8>,
}

impl Reply {
    /// The most bytes of a body that are taken from the proxy, so that no answer makes this VM grow
    /// by more. Whoever reads one refuses a body of this length as too large, so what was cut off
    /// is never taken for the whole.
    pub const MOST_BYTES: usize = 1024 * 1024 + 1;

    /// The body of an answer that means yes.
    pub(super) fn into_document(self) -> Result<Vec<u8>, CallFault> {
        match self.status {
            200 => Ok(self.body),
            503 => Err(CallFault::Unreachable),
            504 => Err(CallFault::Timeout),
            _ => Err(CallFault::Refused),
        }
    }
}

/// Why nothing came back. A proxy that cannot reach the other side answers 503 or 504 itself, which
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

/// Why the body of a request was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// It has more bytes than were asked for.
    TooLarge,
    /// It did not come in time, or the proxy does not show it.
    NotDelivered,
}

impl From<BodyFault> for RequestFault {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge => Self::BodyTooLarge,
            BodyFault::NotDelivered => Self::BodyNotDelivered,
        }
    }
}

/// The body of a request.
pub type BodyResult = Result<Vec<u8>, BodyFault>;

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
    /// What the caller gives: request headers to set, in place of any of their names, and texts to leave with
    /// the request for other filters and for access logs. A request without identity gives nothing.
    pub given: Option<Rc<Given>>,
    /// Request headers to set after these, in place of any of that name.
    pub set: Vec<(String, Vec<u8>)>,
    /// Cookies that the answer may have to carry.
    pub renewal: Option<Renewal>,
    /// Whether the answer says that it is the caller's alone (RFC 6750 section 2.3).
    pub is_private: bool,
    /// Tokens of the upstream that it carries; what the upstream says to them is to be heard.
    pub sent_tokens: Vec<SentToken>,
    /// What whoever was let through has shown, as far as other tokens are made of it; nothing where nobody
    /// has proved anything.
    pub(super) caller: Option<Box<CallerTokens>>,
    /// Nobody has looked at whether the caller may: it carries nothing of Portero's.
    pub(super) is_unproven: bool,
}

impl Forward {
    /// Takes back a header that something has set, in whatever spelling.
    pub(super) fn withhold(&mut self, name: &str) {
        let is_meant = |other: &str| are_twins(other.as_bytes(), name.as_bytes());
        self.set.retain(|(other, _)| !is_meant(other));
        if let Some(given) = &mut self.given
            && given.header_names().any(is_meant)
        {
            // It is other requests' as well.
            let given = Rc::make_mut(given);
            given.headers.retain(|(other, _)| !is_meant(other));
        }
    }
}

/// Changes to the headers of the upstream's answer: what is replaced first, then what is added.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AnswerHeaders {
    /// In place of any of that name.
    pub replace: Vec<(&'static str, String)>,
    /// Beside others of that name.
    pub add: Vec<(&'static str, String)>,
}

impl AnswerHeaders {
    /// An answer that sets somebody's cookies is theirs alone, whatever the upstream says about
    /// caches: RFC 9111 lets a shared cache keep it otherwise.
    pub fn with_cookies(set_cookies: Vec<String>) -> Self {
        let mut headers = Self::default();
        if !set_cookies.is_empty() {
            let value = "private, no-store".to_owned();
            headers.replace.push(("cache-control", value));
        }
        let cookies = set_cookies.into_iter();
        headers
            .add
            .extend(cookies.map(|value| ("set-cookie", value)));
        headers
    }
}

/// The body has codes and secrets, and a header the client's or the person's credentials.
impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        formatter
            .debug_struct("Call")
            .field("callee", &self.callee)
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

/// The headers that are set have tokens and claims, as filter state has, and the cookies are somebody's
/// session.
impl fmt::Debug for Forward {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self.given.iter();
        let set = self.set.iter().map(|(name, _)| name.as_str());
        let set = given
            .clone()
            .flat_map(|given| given.header_names())
            .chain(set);
        let set: Vec<&str> = set.collect();
        let filter_state = given.flat_map(|given| &given.filter_state);
        let filter_state: Vec<&str> = filter_state.map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("Forward")
            .field("remove", &self.remove)
            .field("set", &set)
            .field("filter_state", &filter_state)
            .field("renewal", &self.renewal.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests;
