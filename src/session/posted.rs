//! A form that came without a session, kept in the browser until its login is over.

use serde::{Deserialize, Serialize};

use super::LOGIN_LIFETIME;
use super::chunks::{self, MAX_PIECES, TooLarge};
use super::store::CookieContext;
use crate::error::InternalFault;

/// What somebody filled in.
#[derive(Serialize, Deserialize)]
pub struct Form {
    /// The subject of the session in which they did; nothing where that is not known.
    pub subject: Option<String>,
    /// As it was encoded.
    pub encoded: Vec<u8>,
}

/// The place of one login's form. Its cookies belong to the callback path, so that no other request carries
/// them; a browser keeps one form, the latest.
pub struct PostedForm<'a> {
    pub context: CookieContext<'a>,
    /// The callback path.
    pub path: &'a str,
    /// The state of the login.
    pub state: &'a str,
}

impl PostedForm<'_> {
    const PURPOSE: &'static str = "form";

    /// `Set-Cookie` values that keep a form. The configuration allows none that would not fit, whoever
    /// has filled it in.
    pub fn store(&self, form: &Form) -> Result<Vec<String>, InternalFault> {
        let plaintext = postcard::to_allocvec(form).map_err(|_| InternalFault::Bug)?;
        let sealed = self
            .context
            .seal_text(Self::PURPOSE, &self.bound_to(), &plaintext)?;
        let name = &self.context.names.form;
        let attributes = self.context.attributes(self.path);
        let jar = self.context.jar;
        chunks::store(name, &sealed, MAX_PIECES, LOGIN_LIFETIME, attributes, jar)
            .map_err(|TooLarge| InternalFault::Bug)
    }

    /// The form, if this browser has the one of this very login.
    pub fn load(&self) -> Option<Form> {
        let sealed = chunks::load(&self.context.names.form, self.context.jar)?;
        let plaintext = self
            .context
            .open_text(Self::PURPOSE, &self.bound_to(), &sealed)?;
        postcard::from_bytes(&plaintext).ok()
    }

    /// `Set-Cookie` values that delete it; on the callback path, where the browser shows it.
    pub fn delete(&self) -> Vec<String> {
        chunks::delete(
            &self.context.names.form,
            self.context.attributes(self.path),
            self.context.jar,
        )
    }

    fn bound_to(&self) -> String {
        format!("{} {}", self.context.names.form, self.state)
    }
}
