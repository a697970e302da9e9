//! Programs with access tokens, as stories need them.

use portero::request::Request;
use serde_json::{Value, json};

use crate::browser::{HOST, request};
use crate::provider::{ISSUER, SUBJECT};
use crate::signer::Signer;
use crate::world::World;

pub const AUDIENCE: &str = "https://api.example.com";

/// A world that takes access tokens of the provider, beside sessions.
pub fn world_with(change: impl FnOnce(&mut Value)) -> World {
    World::with(|settings| {
        settings["providers"]["corp"]["access_tokens"] = json!({"audiences": [AUDIENCE]});
        change(settings);
    })
}

pub fn world() -> World {
    world_with(|_| ())
}

/// An access token as RFC 9068 has it, to be changed before it is signed.
pub struct AccessToken {
    pub header: Value,
    pub claims: Value,
    pub signer: Signer,
}

impl AccessToken {
    pub fn of(world: &World) -> Self {
        let signer = world.provider.script.borrow().signer;
        let now = world.land.now().as_millis() / 1000;
        let mut header = signer.header();
        header["typ"] = json!("at+jwt");
        Self {
            header,
            claims: json!({
                "iss": ISSUER,
                "sub": SUBJECT,
                "aud": AUDIENCE,
                "client_id": "orders-app",
                "iat": now,
                "exp": now + 300,
                "jti": "token-1",
                "scope": "orders.read orders.write",
            }),
            signer,
        }
    }

    /// With another value of a claim; null takes it out.
    #[must_use]
    pub fn with(mut self, claim: &str, value: Value) -> Self {
        match value.is_null() {
            true => {
                self.claims.as_object_mut().unwrap().remove(claim);
            }
            false => self.claims[claim] = value,
        }
        self
    }

    #[must_use]
    pub fn typed(mut self, typ: &str) -> Self {
        self.header["typ"] = json!(typ);
        self
    }

    /// The token, which no log may show from now on.
    pub fn signed(self, world: &World) -> String {
        let token = self.signer.sign(&self.header, &self.claims.to_string());
        world.land.keep_secret(&token);
        token
    }
}

/// A program's request with these headers.
pub fn call(method: &str, target: &str, headers: &[(&str, &str)]) -> Request {
    let mut all = vec![
        (":method", method),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", target),
        ("x-request-id", "8f2b0d0e-0000-4000-8000-000000000001"),
        ("accept", "*/*"),
    ];
    all.extend_from_slice(headers);
    request(&all)
}

/// A program's request with this token.
pub fn with_token(target: &str, token: &str) -> Request {
    call(
        "GET",
        target,
        &[("authorization", &format!("Bearer {token}"))],
    )
}
