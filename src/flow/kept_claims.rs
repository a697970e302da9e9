//! The claims that a session keeps, and for whom.

use serde_json::{Map, Value};

use super::Gateway;
use crate::error::{Error, InternalFault};
use crate::jose::Claims;
use crate::oidc::VerifiedIdToken;
use crate::session::Session;
use crate::upstream;

/// What the provider says of somebody, as far as it was asked.
#[derive(Clone, Copy, Default)]
pub struct Said<'a> {
    pub id_token: Option<&'a VerifiedIdToken>,
    pub userinfo: Option<&'a Claims>,
    pub access_token: Option<&'a Claims>,
}

/// What rules look at is kept apart, so that no header shows it; so is what headers show of the access
/// token.
pub struct KeptClaims {
    upstream: Map<String, Value>,
    rules: Map<String, Value>,
    token: Map<String, Value>,
    /// Which rules these were chosen for.
    mark: u32,
}

/// Chosen for the rules of several configurations, and so for none.
const MIXED: u32 = 0;

impl KeptClaims {
    /// Of what the provider says.
    pub fn of(gateway: &Gateway, said: Said<'_>) -> Self {
        let none = Map::new();
        let identity = upstream::identity(
            said.id_token
                .map_or(&none, |token| token.claims().as_object()),
            said.userinfo.map(Claims::as_object),
        );
        let token = said.access_token.map(Claims::as_object);
        let known = upstream::with_access_token(&identity, token);
        let config = &gateway.config.upstream;
        Self {
            upstream: upstream::select_claims(config, &identity, &known),
            rules: gateway.interests.select(&known),
            token: upstream::select_token_claims(config, token.unwrap_or(&none)),
            mark: gateway.interests.mark,
        }
    }

    /// Those that a session has.
    pub fn of_session(session: &Session) -> Result<Self, Error> {
        let bug = |_| Error::Internal(InternalFault::Bug);
        Ok(Self {
            upstream: serde_json::from_slice(session.claims.as_bytes()).map_err(bug)?,
            rules: session.authorization.claims(),
            token: session.authorization.token_claims(),
            mark: session.authorization.mark,
        })
    }

    /// The outermost names.
    pub fn names(&self) -> Vec<String> {
        let beside = self.rules.keys();
        let beside = beside.filter(|name| !self.upstream.contains_key(*name));
        self.upstream.keys().chain(beside).cloned().collect()
    }

    pub fn forget(&mut self, names: &[String]) {
        for claims in [&mut self.upstream, &mut self.rules] {
            claims.retain(|name, _| !names.contains(name));
        }
    }

    /// The latest win.
    pub fn extend(&mut self, latest: Self) {
        self.upstream.extend(latest.upstream);
        self.rules.extend(latest.rules);
        self.token.extend(latest.token);
        if self.mark != latest.mark {
            self.mark = MIXED;
        }
    }

    pub fn store(self, session: &mut Session) {
        session.claims = Value::Object(self.upstream).to_string();
        session.authorization.mark = self.mark;
        session.authorization.claims = written(self.rules);
        session.authorization.token_claims = written(self.token);
    }
}

/// As a JSON object, or nothing where there are none.
fn written(claims: Map<String, Value>) -> String {
    match claims.is_empty() {
        true => String::new(),
        false => Value::Object(claims).to_string(),
    }
}
