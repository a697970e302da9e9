//! Portero: an identity gateway inside Envoy.
//!
//! One WebAssembly module in the request path sends browsers to an OpenID provider, brings them back
//! logged in, keeps their session in a sealed cookie, checks the access tokens of programs, decides who may
//! call what and tells the upstream who is calling.
//!
//! # The one rule
//!
//! The core performs no IO; it says what it wants done. A request is a [`flow::Flow`]: starting or
//! resuming it gives a [`flow::Step`], which is an HTTP call to make, a wait for work that serves
//! several requests, or a [`flow::Decision`]. Inside, a flow is a plain `async fn`, and
//! `flow/run.rs` is the only file that knows how one is driven. The clock, randomness, the data that
//! workers share, what the proxy's own cryptography says of a signature, metrics and the log are methods
//! of [`host::Host`].
//!
//! # The life of a request
//!
//! 1. `adapter` reads the header map, as bytes, and starts [`flow::serve`].
//! 2. [`route`] finds the authority, the one canonical path and the route: one of Portero's own
//!    paths, or what the first matching rule says. A path that can be read in two ways with two
//!    results is refused.
//! 3. Headers that only Portero may set, and Portero's own cookies, are marked for removal whatever
//!    the route is.
//! 4. A protected request needs an access token or a session, as its rule says. [`bearer_token`] finds the
//!    token, which is verified by [`oidc`] and [`jose`] once and then found again by its exact bytes, or
//!    asked about at the provider. A token that is not good is refused. The session's cookie is found in
//!    the worker's cache of opened sessions by its exact bytes, or opened: [`session`]. With a session
//!    store the cookie holds only a reference, and the session is read from there. Either must be what
//!    the rule asks of an authentication; a session is brought up to date when that is due.
//! 5. What the rule demands of its claims is judged by [`authz`]. Who is known and may not is
//!    refused, never sent to log in.
//! 6. Without either, a navigation is redirected with a sealed cookie for this login, and everything
//!    else gets 401. At the callback the code is redeemed, the ID token judged by [`oidc`] and
//!    [`jose`], and a new session stored.
//! 7. The decision goes back to `adapter`: headers are removed and set, or an answer is sent. An
//!    error becomes an answer in one table, in [`error`].
//!
//! # What outlives a request
//!
//! [`provider`] keeps the metadata and keys of each provider: one copy in each worker, and one sealed copy
//! in shared data by which the workers learn from each other. The root context's tick keeps them
//! fresh and wakes requests that wait for them. It also carries out the refreshes of sessions: a
//! request takes the lease on one in shared data, and whoever needs the result finds it there.
//!
//! A session lives in its cookie, so nobody can take it away. What ends one before its time, a logout
//! here or by the provider, is noted in a bounded table in shared data, and every request looks
//! whether that has changed since its session was last looked for there.
//!
//! # Layers
//!
//! Arrows point one way: `adapter` → `flow` → `route`, `provider`, `consumer`, `upstream`, `upstream_token`, `authz`, `bearer_token`,
//! `oidc`, `session`, `redis`, `answer` → `jose`, `config` → the leaves (`error`, `host`, `telemetry`,
//! `endpoint`, `header_list`, `request`, `secret`, `time`). Nothing outside `adapter` names proxy-wasm. A test holds both.
//!
//! The few loops over bytes that cost something on every request, and the cipher, are a crate of their own,
//! `portero-fast`: it is built for speed, as are the crates that do such work for it, and the rest for size.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

#[cfg(target_arch = "wasm32")]
mod adapter;
pub mod answer;
pub mod authz;
pub mod bearer_token;
pub mod config;
pub mod consumer;
pub mod endpoint;
pub mod error;
pub mod flow;
#[cfg(any(test, target_arch = "wasm32"))]
mod foreign;
pub mod header_list;
pub mod host;
pub mod jose;
pub mod oidc;
pub mod provider;
pub mod redis;
pub mod request;
pub mod route;
pub mod secret;
pub mod session;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod time;
pub mod upstream;
pub mod upstream_token;
