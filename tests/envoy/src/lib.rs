//! Real Envoy, real provider, real browser: what the tests of the built module share.
//!
//! A test names what it needs, and everything it started ends when the value goes out of scope:
//!
//! ```ignore
//! let upstream = Upstream::start();
//! let provider = provider_with_switches!();
//! let envoy = portero(&provider, &upstream).start();
//!
//! let mut visitor = Visitor::new();
//! let page = visitor.log_in(&envoy.url("/orders"), &provider.person());
//! assert_eq!(page.response.status, 200);
//! ```
//!
//! - [`envoy`] starts Envoy with filters, clusters and workers as a test wants them, and reads its statistics and log.
//! - [`example`] starts it with a file of `deploy/envoy`, or shows it parts of the manifests there.
//! - [`provider`] is the OpenID provider: ours with its switches, or another one named by environment variables.
//! - [`upstream`] is the application behind Envoy, in this process: it remembers what reached it. Also servers that misbehave.
//! - [`application`] is the demo's page in place of it, for people to look at. [`line`] is a way to the provider that can be cut.
//! - [`store`] is a Redis for sessions, and what speaks HTTP in front of it.
//! - [`prometheus`] reads the statistics, with the alerts of `deploy`.
//! - [`visitor`] browses without a browser: cookies, redirects, forms. [`http`] is below it and sends any bytes at all.
//! - [`browser`] is Chromium, for what only a browser can show.
//! - [`wait`] waits for conditions. Nothing here sleeps and hopes.

pub mod application;
pub mod artifact;
pub mod browser;
pub mod cookies;
pub mod envoy;
pub mod example;
mod filter;
pub mod html;
pub mod http;
mod launch;
pub mod line;
mod listener;
pub mod port;
pub mod process;
pub mod programs;
pub mod prometheus;
pub mod provider;
pub mod resp;
pub mod start_cost;
pub mod store;
pub mod upstream;
pub mod visitor;
mod vitals;
pub mod wait;

pub use application::Application;
pub use browser::Browser;
pub use envoy::{Envoy, Setup, portero};
pub use filter::Filter;
pub use http::{Request, Response};
pub use line::Line;
pub use provider::{Person, Provider};
pub use store::{Redis, Upstash, Webdis};
pub use upstream::Upstream;
pub use visitor::{Page, Visitor};
