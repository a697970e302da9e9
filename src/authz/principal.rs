//! Who is known, as far as policies look.

use serde_json::{Map, Value};

use super::names::Names;
use crate::jose::client_of;

/// Somebody with claims that have been proven.
#[derive(Clone, Copy)]
pub struct Principal<'a> {
    /// Who vouches for the claims.
    pub(super) issuer: Option<&'a str>,
    /// The client whose roles are meant where none is named.
    client: Option<&'a str>,
    scopes: Scopes<'a>,
    /// Nothing where the token cannot be read.
    pub(super) claims: Option<&'a Map<String, Value>>,
}

#[derive(Clone, Copy)]
enum Scopes<'a> {
    Granted(&'a str),
    Claimed,
}

impl<'a> Principal<'a> {
    /// A person who has logged in at `issuer` through `client`, and what the login's tokens were
    /// granted for.
    pub const fn of_session(
        issuer: &'a str,
        client: &'a str,
        scope: &'a str,
        claims: &'a Map<String, Value>,
    ) -> Self {
        Self {
            issuer: Some(issuer),
            client: Some(client),
            scopes: Scopes::Granted(scope),
            claims: Some(claims),
        }
    }

    /// Whoever a token speaks of, by the token's claims, or those of its introspection; nothing where
    /// it has none that can be read.
    pub fn of_token(claims: Option<&'a Map<String, Value>>) -> Self {
        let text = |name| claims?.get(name)?.as_str();
        Self {
            issuer: text("iss"),
            // The party that the token was issued to, as who has roles of clients calls it.
            client: text("azp").or_else(|| claims.and_then(client_of)),
            scopes: Scopes::Claimed,
            claims,
        }
    }

    pub(super) fn scopes(&self, claims: &'a Map<String, Value>) -> Names<'a> {
        let mut names = Names::default();
        match self.scopes {
            Scopes::Granted(scope) => names.add_text(scope),
            Scopes::Claimed => {
                names.add_scopes(claims, &["scope"]);
                names.add_scopes(claims, &["scp"]);
            }
        }
        names
    }

    pub(super) fn roles(&self, claims: &'a Map<String, Value>) -> Names<'a> {
        let mut names = Names::default();
        names.add(claims, &["roles"]);
        if let Some(client) = self.client {
            names.add(claims, &["resource_access", client, "roles"]);
        }
        names
    }
}
