//! What holds where the configuration says nothing. The schema and the reference print these too.

use std::time::Duration;

pub(super) const SCOPES: [&str; 3] = ["openid", "profile", "email"];
pub(super) const CLOCK_SKEW: Duration = Duration::from_secs(60);
pub(super) const MAX_AGE: Duration = Duration::from_secs(10 * 60);
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
pub(super) const REFRESH_INTERVAL: Duration = Duration::from_secs(60 * 60);
pub(super) const INTROSPECTION_CACHE: Duration = Duration::from_secs(30);
pub(super) const INTROSPECTION_CACHE_INACTIVE: Duration = Duration::from_secs(5);
pub(super) const UNKNOWN_KEY_COOLDOWN: Duration = Duration::from_secs(30);

pub(super) const COOKIE_NAME: &str = "__Host-portero";
pub(super) const INSECURE_COOKIE_NAME: &str = "portero";
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(60 * 60);
pub(super) const LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);
pub(super) const REFRESH_LEEWAY: Duration = Duration::from_secs(60);
pub(super) const CACHE_BYTES: usize = 16 * 1024 * 1024;

pub(super) const STORE_KEY_PREFIX: &str = "portero:";
pub(super) const STORE_TIMEOUT: Duration = Duration::from_secs(1);
pub(super) const STORE_REREAD_INTERVAL: Duration = Duration::from_secs(1);

pub(super) const CALLBACK: &str = "/oauth2/callback";
pub(super) const LOGOUT: &str = "/oauth2/logout";
pub(super) const LOGGED_OUT: &str = "/oauth2/logged-out";
pub(super) const FRONTCHANNEL_LOGOUT: &str = "/oauth2/frontchannel-logout";
pub(super) const BACKCHANNEL_LOGOUT: &str = "/oauth2/backchannel-logout";
pub(super) const IDENTITY_KEYS: &str = "/oauth2/identity-keys";

pub(super) const USERINFO_HEADER: &str = "x-userinfo";
pub(super) const IDENTITY_HEADER: &str = "x-portero-identity";
pub(super) const IDENTITY_LIFETIME: Duration = Duration::from_secs(60);

pub(super) const RENEW_BEFORE: Duration = Duration::from_secs(60);
pub(super) const DEFAULT_LIFETIME: Duration = Duration::from_secs(5 * 60);
pub(super) const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);

pub(super) const BEARER_HEADER: &str = "authorization";
pub(super) const BEARER_SCHEME: &str = "Bearer";
