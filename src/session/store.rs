//! Reading and writing Portero's cookies under one request's conditions.

use super::chunks::{self, MAX_HINT_PIECES, MAX_PIECES, TooLarge};
use super::cookie::{Attributes, CookieJar};
use super::{Binding, CookieNames, Reference, Seal, Session, SessionCookie};
use crate::config::SessionPolicy;
use crate::error::{Error, InternalFault};
use crate::host::Host;
use std::borrow::Cow;
use std::time::Duration;

/// What every cookie of one request has in common.
#[derive(Clone, Copy)]
pub struct CookieContext<'a> {
    pub policy: &'a SessionPolicy,
    pub names: &'a CookieNames,
    pub seal: &'a Seal,
    pub host: &'a dyn Host,
    /// The cookies of the request.
    pub jar: &'a CookieJar<'a>,
    /// The request's authority, in lower case, to which every value is bound.
    pub authority: &'a str,
    pub issuer: &'a str,
}

impl CookieContext<'_> {
    pub(super) fn attributes<'p>(&self, path: &'p str) -> Attributes<'p> {
        Attributes {
            path,
            secure: !self.policy.cookie.insecure_allow_http,
            same_site: self.policy.cookie.same_site,
        }
    }

    pub(super) fn seal_text(
        &self,
        purpose: &str,
        name: &str,
        plaintext: &[u8],
    ) -> Result<String, InternalFault> {
        self.seal
            .seal_text(self.host, self.binding(purpose, name), plaintext)
    }

    pub(super) fn open_text(&self, purpose: &str, name: &str, text: &[u8]) -> Option<Vec<u8>> {
        self.seal.open_text(self.binding(purpose, name), text)
    }

    fn binding<'b>(&'b self, purpose: &'b str, name: &'b str) -> Binding<'b> {
        Binding {
            purpose,
            name,
            host: self.authority,
            issuer: self.issuer,
        }
    }
}

/// The session cookie.
pub struct StoredSession<'a>(pub CookieContext<'a>);

impl<'a> StoredSession<'a> {
    const PURPOSE: &'static str = "session";

    /// The sealed value, when every piece of it is there.
    pub fn sealed(&self) -> Option<Cow<'a, [u8]>> {
        chunks::load(&self.0.names.session, self.0.jar)
    }

    /// Opens a sealed value.
    pub fn open(&self, sealed: &[u8]) -> Option<SessionCookie<'static>> {
        let plaintext = self
            .0
            .open_text(Self::PURPOSE, &self.0.names.session, sealed)?;
        postcard::from_bytes(&plaintext).ok()
    }

    /// `Set-Cookie` values that store a session.
    pub fn store(&self, session: &Session) -> Result<Vec<String>, Error> {
        let max_age = session.ends_at.since(session.seen_at);
        self.keep(
            &SessionCookie::Whole(Box::new(Cow::Borrowed(session))),
            max_age,
        )
    }

    /// `Set-Cookie` values that name a session in the store.
    pub fn refer(&self, reference: Reference) -> Result<Vec<String>, Error> {
        let max_age = reference.ends_at.since(reference.seen_at);
        self.keep(&SessionCookie::Reference(reference), max_age)
    }

    fn keep(&self, cookie: &SessionCookie<'_>, max_age: Duration) -> Result<Vec<String>, Error> {
        let name = &self.0.names.session;
        let plaintext =
            postcard::to_allocvec(cookie).map_err(|_| Error::Internal(InternalFault::Bug))?;
        let sealed = self.0.seal_text(Self::PURPOSE, name, &plaintext)?;
        let attributes = self.0.attributes("/");
        chunks::store(name, &sealed, MAX_PIECES, max_age, attributes, self.0.jar)
            .map_err(|TooLarge| Error::Internal(InternalFault::SessionTooLarge))
    }

    /// `Set-Cookie` values that delete whatever the browser has of a session.
    pub fn delete(&self) -> Vec<String> {
        chunks::delete(&self.0.names.session, self.0.attributes("/"), self.0.jar)
    }
}

/// The ID token, kept for the logout request on a path where no other request carries it.
pub struct IdTokenHint<'a> {
    pub context: CookieContext<'a>,
    /// The logout path.
    pub path: &'a str,
}

impl IdTokenHint<'_> {
    const PURPOSE: &'static str = "hint";

    /// `Set-Cookie` values that keep an ID token; a token too large for it is not kept, and the
    /// provider will ask the person instead. What an earlier login has left goes then, unseen: it
    /// may be somebody else's, and the callback path does not show it.
    pub fn store(&self, id_token: &str, max_age: Duration) -> Result<Vec<String>, InternalFault> {
        let name = &self.context.names.hint;
        let sealed = self
            .context
            .seal_text(Self::PURPOSE, name, id_token.as_bytes())?;
        let attributes = self.context.attributes(self.path);
        let jar = self.context.jar;
        let stored = chunks::store(name, &sealed, MAX_HINT_PIECES, max_age, attributes, jar);
        Ok(stored
            .unwrap_or_else(|TooLarge| chunks::delete_unseen(name, MAX_HINT_PIECES, attributes)))
    }

    pub fn load(&self) -> Option<String> {
        let name = &self.context.names.hint;
        let sealed = chunks::load(name, self.context.jar)?;
        let token = self.context.open_text(Self::PURPOSE, name, &sealed)?;
        String::from_utf8(token).ok()
    }

    /// `Set-Cookie` values that delete it; on the logout path, where the browser shows it.
    pub fn delete(&self) -> Vec<String> {
        chunks::delete(
            &self.context.names.hint,
            self.context.attributes(self.path),
            self.context.jar,
        )
    }

    /// `Set-Cookie` values that delete it on every other path, where the browser does not show it.
    pub fn delete_unseen(&self) -> Vec<String> {
        chunks::delete_unseen(
            &self.context.names.hint,
            MAX_HINT_PIECES,
            self.context.attributes(self.path),
        )
    }
}

/// A note that a browser has been sent back once to show the cookie of a refreshed session. It
/// proves nothing and decides nothing but whether it is sent again.
pub struct RetryMark<'a>(pub CookieContext<'a>);

impl RetryMark<'_> {
    const LIFETIME: Duration = Duration::from_secs(60);

    pub fn is_set(&self) -> bool {
        self.0
            .jar
            .names()
            .any(|name| name == self.0.names.retry.as_bytes())
    }

    pub fn set(&self) -> String {
        self.0
            .attributes("/")
            .set(&self.0.names.retry, "1", Self::LIFETIME)
    }

    pub fn delete(&self) -> String {
        self.0.attributes("/").delete(&self.0.names.retry)
    }
}

/// The state of a logout at the provider, compared when the browser comes back
/// (OpenID Connect RP-Initiated Logout section 2).
pub struct LogoutState<'a>(pub CookieContext<'a>);

impl LogoutState<'_> {
    const PURPOSE: &'static str = "logout";
    const LIFETIME: Duration = Duration::from_secs(600);

    pub fn store(&self, state: &str) -> Result<String, InternalFault> {
        let name = &self.0.names.logout;
        let sealed = self.0.seal_text(Self::PURPOSE, name, state.as_bytes())?;
        Ok(self.0.attributes("/").set(name, &sealed, Self::LIFETIME))
    }

    pub fn load(&self) -> Option<Vec<u8>> {
        let sealed = self.0.jar.single(self.0.names.logout.as_bytes())?;
        self.0
            .open_text(Self::PURPOSE, &self.0.names.logout, sealed)
    }

    pub fn delete(&self) -> String {
        self.0.attributes("/").delete(&self.0.names.logout)
    }
}
