//! What a worker knows of one of the tokens that it fetches for the upstream.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::gateway::fingerprint;
use crate::config::{
    Actor, Assertion, Client, Config, TokenClient, TokenExchange, TokenGrant, UpstreamToken,
};
use crate::session::{Cache, CacheKey};
use crate::upstream_token::{Owner, Seen, TokenSlots};

/// Bytes of the hash in a name.
const NAME_HASH: usize = 16;

/// One token's memory.
pub struct KnownToken {
    /// Tells apart tokens that are asked for in different ways.
    pub name: String,
    /// Somebody has needed it since it was last renewed.
    pub is_used: Cell<bool>,
    /// Where it is the same for everybody: what was seen of it last.
    of_everybody: RefCell<Option<Rc<Seen>>>,
}

impl KnownToken {
    pub fn new(config: &Config, policy: &UpstreamToken) -> Self {
        Self {
            name: name(config, policy),
            is_used: Cell::default(),
            of_everybody: RefCell::default(),
        }
    }

    /// Whose the token is that is made of this; without anything, everybody's.
    pub fn owner(&self, subject: Option<&str>) -> Owner {
        match subject {
            None => Owner::Everybody,
            Some(subject) => {
                let mut hash = Sha256::new();
                hash.update(&self.name);
                hash.update([0]);
                hash.update(subject);
                Owner::Caller(hash.finalize().into())
            }
        }
    }

    /// The record of an owner as it is now. What was seen of callers' is in `of_callers`, whatever token it is.
    pub fn look(
        &self,
        of_callers: &RefCell<Cache<Seen>>,
        slots: TokenSlots<'_>,
        owner: Owner,
    ) -> Rc<Seen> {
        match owner {
            Owner::Everybody => {
                let mut known = self.of_everybody.borrow_mut();
                let seen = slots.look(owner, known.take());
                *known = Some(Rc::clone(&seen));
                seen
            }
            Owner::Caller(digest) => {
                let mut known = of_callers.borrow_mut();
                let key = CacheKey::Digest(&digest);
                let before = known.find(key, "");
                let seen = slots.look(owner, before.clone());
                if !before.is_some_and(|before| Rc::ptr_eq(&before, &seen)) {
                    known.insert(key, "", &seen);
                }
                seen
            }
        }
    }
}

/// Workers share a token only where they would ask the same provider for the same, as the same client. What the
/// client proves itself with is not part of it, so that nothing is forgotten when that is changed; a refresh
/// token is, because what came of the one before goes on without it.
fn name(config: &Config, policy: &UpstreamToken) -> String {
    let provider = config.providers().nth(policy.provider);
    let client = match &policy.client {
        TokenClient::ProviderClient => provider.and_then(|provider| provider.client.as_ref()),
        TokenClient::Own(client) | TokenClient::Automatic { basic: client, .. } => Some(client),
    };
    let grant = match &policy.grant {
        TokenGrant::ClientCredentials => json!("client_credentials"),
        TokenGrant::TokenExchange(exchange) => of_exchange(config, exchange),
        TokenGrant::JwtBearer(Assertion::Caller(_)) => json!("jwt_bearer"),
        TokenGrant::JwtBearer(Assertion::Signed(signed)) => json!([
            "jwt_bearer",
            signed.issuer,
            signed.subject,
            signed.audience,
            signed.claims,
        ]),
        TokenGrant::RefreshToken { token } => json!(["refresh_token", token.expose()]),
    };
    let subject = policy.subject().map(|subject| format!("{subject:?}"));
    // As JSON, so that no text can reach over into the next.
    let asked = json!([
        policy.name,
        provider.map(|provider| [&provider.issuer, &provider.clusters.token]),
        provider.and_then(|provider| Some(provider.endpoints.token.as_ref()?.as_str())),
        client.map(|client: &Client| &client.id),
        grant,
        subject,
        policy.scopes,
        policy.endpoint_params,
    ]);
    fingerprint(asked.to_string(), NAME_HASH)
}

fn of_exchange(config: &Config, exchange: &TokenExchange) -> Value {
    let actor = match &exchange.actor {
        None => Value::Null,
        Some(Actor::Token { token, token_type }) => json!([token.expose(), token_type]),
        // No actor has one of its own.
        Some(Actor::UpstreamToken(index)) => {
            let actor = config.upstream_tokens.get(*index);
            json!(actor.map(|actor| name(config, actor)))
        }
    };
    json!([
        "token_exchange",
        exchange.subject_token_type,
        exchange.requested_token_type,
        exchange.audience,
        exchange.resource,
        exchange.issued_audiences,
        actor,
    ])
}
