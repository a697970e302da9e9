//! The keys of Kong's `jwt` plugin and of its consumers.

use crate::keys::{Key, key, none};
use crate::kong;

const ADMINISTRATION: &str = "for administration only";
const OTHER_CREDENTIALS: &str = "credentials of another plugin";
const KEYS: &str = "providers.<consumer>.access_tokens.keys";

/// Below `config` of the plugin.
pub(crate) const CONFIG: &[Key] = &[
    key(
        "uri_param_names",
        "bearer.query",
        "`jwt` where it is not written, as in Kong",
    ),
    key("cookie_names", "bearer.cookies", ""),
    key(
        "header_names",
        "bearer.headers",
        "with the scheme `Bearer`; `authorization` where it is not written",
    ),
    key(
        "key_claim_name",
        "providers.<consumer>.issuer",
        "`iss` alone: a token is found by who issued it",
    ),
    key("secret_is_base64", KEYS, ""),
    key(
        "claims_to_verify",
        "always `exp` and `nbf`",
        "in Kong none where it is not written",
    ),
    key(
        "maximum_expiration",
        "providers.<consumer>.access_tokens.max_lifetime",
        "from `iat` to `exp`, and `iat` must be there",
    ),
    key(
        "run_on_preflight",
        "cors_preflight",
        "false becomes `pass`, for preflight requests alone; Kong let every `OPTIONS` pass",
    ),
    key(
        "anonymous",
        "rules[].otherwise",
        "for requests without a token alone; Kong let bad tokens pass too",
    ),
    key("realm", "bearer.realm", ""),
];

/// A consumer.
pub(crate) const CONSUMER: &[Key] = &[
    key(
        "username",
        "consumers",
        "its name; `custom_id` where there is none",
    ),
    key("custom_id", "consumers.<consumer>.custom_id", ""),
    key(
        "id",
        "consumers.<consumer>.id",
        "the name where it is not written; Kong made one up",
    ),
    key(
        "jwt_secrets",
        "providers, consumers.<consumer>.credentials",
        "a provider for each",
    ),
    none("tags", ADMINISTRATION),
    none("created_at", ADMINISTRATION),
    none("updated_at", ADMINISTRATION),
    none("type", ADMINISTRATION),
    key(
        "acls",
        "nothing: asked about",
        "groups of Kong's `acl` plugin",
    ),
    key(
        "groups",
        "nothing: asked about",
        "groups of Kong's `acl` plugin",
    ),
    key(
        "plugins",
        "nothing: asked about",
        "plugins for one consumer",
    ),
    none("acme_storage", OTHER_CREDENTIALS),
    none("basicauth_credentials", OTHER_CREDENTIALS),
    none("hmacauth_credentials", OTHER_CREDENTIALS),
    none("keyauth_credentials", OTHER_CREDENTIALS),
    none("mtls_auth_credentials", OTHER_CREDENTIALS),
    none("oauth2_credentials", OTHER_CREDENTIALS),
];

/// A credential: of a consumer, or among all `jwt_secrets`.
pub(crate) const CREDENTIAL: &[Key] = &[
    key(
        "key",
        "providers.<consumer>.issuer",
        "must be an `https` URL, with the slash at its end if it has one",
    ),
    key(
        "secret",
        KEYS,
        "goes into an environment variable; at least as long as the hash",
    ),
    key(
        "algorithm",
        KEYS,
        "`HS256` where it is not written; not ES512, Ed448",
    ),
    key("rsa_public_key", KEYS, "the PEM as it is"),
    key("consumer", "consumers", "whose it is"),
    none("id", ADMINISTRATION),
    none("tags", ADMINISTRATION),
    none("created_at", ADMINISTRATION),
];

pub(crate) fn tables() -> Vec<(&'static str, &'static [Key])> {
    vec![
        ("config", CONFIG),
        ("consumers", CONSUMER),
        ("jwt_secrets", CREDENTIAL),
        ("plugin", kong::AROUND),
    ]
}
