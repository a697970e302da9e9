//! What Portero does with a request, from its head to a decision.
//!
//! The core performs no IO. A flow says what it wants done, as a [`Step`], and is resumed with the
//! result; whoever drives it is free to be Envoy or a test.

mod audit;
mod authorization;
mod back_channel;
mod bearer;
mod callback;
mod caller;
mod contract;
mod document;
mod ended;
mod ending;
mod entrance;
mod fetch;
mod fetched_token;
mod front_channel;
mod gateway;
mod hide;
mod identity;
mod introspection;
mod job;
mod kept_claims;
mod known_token;
mod login;
mod logout;
mod opaque;
mod posted;
mod provider_keys;
mod redeemed;
mod refresh;
mod relying_party;
mod renewal;
mod resource_metadata;
mod run;
mod serve;
mod session;
mod session_store;
mod signed_identity;
mod silent;
mod step_up;
mod stored;
mod stored_refresh;
mod strip;
mod successor;
mod token_fetch;
mod upstream_token;

pub use contract::{
    AnswerHeaders, BodyFault, BodyResult, Call, CallFailure, CallResult, Decision, Forward, Reply,
};
pub use fetch::{FetchFault, fetch_provider};
pub use gateway::Gateway;
pub use job::{Job, carry_out};
pub use renewal::Renewal;
pub use run::{Exchange, Flow, Step};
pub use serve::{broken, serve};
pub use upstream_token::SentToken;
