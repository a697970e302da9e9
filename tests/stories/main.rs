//! Portero as its users meet it: stories against a scripted provider, with a clock the test owns.
//!
//! Nothing of Portero is replaced: a [`worker::Worker`] drives the same flows as the adapter to
//! Envoy does, a [`browser::Browser`] keeps cookies as browsers do, and a [`provider::Provider`]
//! checks what a real one checks. A [`redis::Redis`] keeps what a session store is told to keep. The host's log panics when a line holds a secret.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod access_token;
mod access_token_claims;
mod answers;
mod api_policies;
mod audit;
mod back_channel;
mod bearer;
mod browser;
mod caches;
mod callback;
mod claims;
mod consumers;
mod cookies;
mod endings;
mod entrances;
mod faults;
mod filter_state;
mod fleet;
mod front_channel;
mod host;
mod identity;
mod introspection;
mod keys;
mod login;
mod logout;
mod logout_tokens;
mod metadata;
mod outcome;
mod policies;
mod posted;
mod provider;
mod redis;
mod refresh;
mod refresh_keys;
mod replay;
mod resources;
mod revocation;
mod rules;
mod sealed;
mod sessions;
mod shapes;
mod signer;
mod silent;
mod static_keys;
mod step_up;
mod stored;
mod stored_refresh;
mod suite;
mod suite_back_channel;
mod suite_basic;
mod suite_config;
mod suite_front_channel;
mod suite_refresh;
mod suite_rp_initiated_logout;
mod suite_single;
mod target;
mod token_places;
mod unwritten;
mod upstream;
mod upstream_tokens;
mod visitors;
mod worker;
mod world;
