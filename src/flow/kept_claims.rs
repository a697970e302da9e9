//! The claims that a session keeps, and for whom.

use serde_json::{Map, Value};

use super::Gateway;
use crate::error::{Error, InternalFault};
use crate::jose::Claims;
use crate::oidc::VerifiedIdToken;
use crate::session::Session;
use crate::upstream;

/// What rules look at is kept apart, so that no header shows it.
pub struct KeptClaims {
    upstream: Map<String, Value>,
    rules: Map<String, Value>,
    /// Which rules these were chosen for.
    mark: u32,
}

/// Chosen for the rules of several configurations, and so for none.
const MIXED: u32 = 0;

impl KeptClaims {
    /// Of what the provider says.
    pub fn of(
        gateway: &Gateway,
        id_token: Option<&VerifiedIdToken>,
        userinfo: Option<&Claims>,
    ) -> Self {
        let none = Map::new();
        let identity = upstream::identity(
            id_token.map_or(&none, |token| token.claims().as_object()),
            userinfo.map(Claims::as_object),
        );
        Self {
            upstream: upstream::select_claims(&gateway.config.upstream, &identity),
            rules: gateway.interests.select(&identity),
            mark: gateway.interests.mark,
        }
    }

    /// Those that a session has.
    pub fn of_session(session: &Session) -> Result<Self, Error> {
        let bug = |_| Error::Internal(InternalFault::Bug);
        Ok(Self {
            upstream: serde_json::from_slice(session.claims.as_bytes()).map_err(bug)?,
            rules: session.authorization.claims(),
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
        if self.mark != latest.mark {
            self.mark = MIXED;
        }
    }

    pub fn store(self, session: &mut Session) {
        session.claims = Value::Object(self.upstream).to_string();
        session.authorization.mark = self.mark;
        session.authorization.claims = match self.rules.is_empty() {
            true => String::new(),
            false => Value::Object(self.rules).to_string(),
        };
    }
}
