//! kong-oidc is three plugins by one name.

use crate::notes::Notes;
use crate::part::Part;

/// Whose plugin it is, by the keys that only one of them has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Nokia,
    Revomatico,
    Epam,
}

const OF_EPAM: [&str; 13] = [
    "access_token_expires_leeway",
    "allow_token_auth",
    "bearer_access_token",
    "client_roles_required",
    "client_secret_var_name",
    "enable_authorization",
    "issuers_allowed",
    "realm_roles_required",
    "roles_required",
    "scopes_required",
    "session_opts",
    "token_claim_header_value",
    "user_header_name",
];
const OF_REVOMATICO: [&str; 21] = [
    "access_token_as_bearer",
    "bearer_jwt_auth_allowed_auds",
    "bearer_jwt_auth_enable",
    "bearer_jwt_auth_signing_algs",
    "disable_access_token_header",
    "disable_id_token_header",
    "disable_userinfo_header",
    "groups_claim",
    "header_claims",
    "header_names",
    "http_proxy",
    "https_proxy",
    "ignore_auth_filters",
    "introspection_cache_ignore",
    "redirect_after_logout_with_id_token_hint",
    "redirect_uri",
    "skip_already_auth_requests",
    "use_jwks",
    "use_nonce",
    "userinfo_header_name",
    "validate_scope",
];

impl Dialect {
    /// Keys of two of them at once are asked about: nothing is made of the other one's.
    pub(crate) fn of(config: &Part<'_>, notes: &mut Notes) -> Self {
        let has = |names: &[&str]| names.iter().any(|name| config.has(name));
        if has(&OF_REVOMATICO) {
            for name in OF_EPAM.iter().filter(|name| config.has(name)) {
                notes.decide(config.at(name), "is a key of epam's plugin beside keys of revomatico's, which does not know it: nothing was made of it");
            }
            Self::Revomatico
        } else if has(&OF_EPAM) {
            Self::Epam
        } else {
            Self::Nokia
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nokia => "nokia",
            Self::Revomatico => "revomatico",
            Self::Epam => "epam",
        }
    }
}
