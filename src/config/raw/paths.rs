//! The paths of Portero's own, as they are written.

use portero_derive::Read;

/// Paths that Portero answers on every host; they must differ. A path starts with `/` and is in
/// canonical form: no `//`, `.` or `..` segments, query, fragment, `\`, `;` or needless percent-encoding.
#[derive(Default, Read)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Paths {
    /// Where the provider sends browsers after a login. Register `https://<host><callback>` as a redirect
    /// URI at the provider.
    pub(in crate::config) callback: Option<String>,
    /// Where a browser goes to log out.
    pub(in crate::config) logout: Option<String>,
    /// Where a browser arrives after logging out at the provider.
    pub(in crate::config) logged_out: Option<String>,
    /// What the provider shows in a frame of its own logout page, so that the browser is logged out
    /// here too (OpenID Connect Front-Channel Logout 1.0). Register
    /// `https://<host><frontchannel_logout>` as the front-channel logout URI at the provider, with
    /// `iss` and `sid` sent along (`frontchannel_logout_session_required`).
    pub(in crate::config) frontchannel_logout: Option<String>,
    /// Where the provider itself says who has been logged out (OpenID Connect Back-Channel Logout 1.0).
    /// Register `https://<host><backchannel_logout>` as the back-channel logout URI at the provider.
    /// The path is there only with `allow_on_headers_stop_iteration`, because what the provider says is
    /// in the body of its request; then it is `/oauth2/backchannel-logout` unless another is written.
    pub(in crate::config) backchannel_logout: Option<String>,
    /// Where the public keys of the signed identity are (a JSON Web Key Set), for whoever asks. The path is
    /// there only with `upstream.identity`; then it is `/oauth2/identity-keys` unless another is written.
    pub(in crate::config) identity_keys: Option<String>,
}
