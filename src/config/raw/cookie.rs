//! The session cookie, as it is written.

use serde::Deserialize;

/// The session cookie.
#[derive(Default, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Cookie {
    /// The cookie's name, at most 64 characters. It starts with `__Host-`, so that no other host can
    /// set it; with `insecure_allow_http` it must not, and is `portero` where nothing is said.
    pub(in crate::config) name: Option<String>,
    /// When a browser sends the session cookie with a request that another site caused.
    pub(in crate::config) same_site: Option<SameSite>,
    /// Cookies without `Secure`, so that a login works over plain `http`: for a local machine
    /// only.
    pub(in crate::config) insecure_allow_http: Option<bool>,
}

/// The `SameSite` attribute of the session cookie.
#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(!try_from)
)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub(in crate::config) enum SameSite {
    /// Sent when a link of another site is followed.
    Lax,
    /// Always sent: for applications inside frames of other sites. The upstream must then defend
    /// itself against cross-site request forgery.
    None,
}

impl TryFrom<String> for SameSite {
    type Error = &'static str;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        match word.as_str() {
            "lax" => Ok(Self::Lax),
            "none" => Ok(Self::None),
            "strict" => Err(
                "is `strict`, and a browser does not send such a cookie when the provider sends it \
                 back, so a login would never end; accepted: lax, none",
            ),
            _ => Err("is not a known word; accepted: lax, none"),
        }
    }
}
