//! kong-oidc: the plugin of nokia, and what revomatico and epam have made of it.

use serde_json::{Map, Value, json};

use crate::document::Unreadable;
use crate::draft::{Draft, cluster_name, seconds};
use crate::keys::{Key, account, key, none};
use crate::kong::Plugin;
use crate::kong_oidc_dialect::Dialect;
use crate::notes::Notes;
use crate::part::Part;
use crate::{
    Conversion, Options, issuer, kong, kong_oidc_headers, kong_oidc_tokens, kusk, pattern,
};

const HEADERS: &str = "upstream.headers";
const CLIENT: &str = "providers.login.client.authentication";
const TOKENS: &str = "providers.login.access_tokens";
const REQUIRE: &str = "rules[].require";
const TLS: &str = "the cluster says how the provider is reached";
const OWN_PAGE: &str =
    "after a logout people are at `paths.logged_out`, by way of the provider's logout";

/// Below `config`. What only some of the three have is said so.
const CONFIG: &[Key] = &[
    key("client_id", "providers.login.client.id", ""),
    key(
        "client_secret",
        CLIENT,
        "goes into the environment variable `OIDC_CLIENT_SECRET`",
    ),
    key(
        "client_secret_var_name",
        CLIENT,
        "epam: the variable keeps its name",
    ),
    key(
        "discovery",
        "providers.login.issuer",
        "the issuer that has it",
    ),
    key(
        "scope",
        "providers.login.scopes",
        "`openid` is always added",
    ),
    key(
        "validate_scope",
        REQUIRE,
        "revomatico; here of sessions as well",
    ),
    none("use_nonce", "revomatico; there always is one"),
    key("response_type", "nothing but `code`", ""),
    none(
        "ssl_verify",
        "the cluster verifies the certificate, with `validation_context` of its TLS",
    ),
    key(
        "token_endpoint_auth_method",
        CLIENT,
        "`client_secret_post` where it is not written, as in Kong",
    ),
    key(
        "introspection_endpoint",
        "providers.login.endpoints.introspection",
        "and `access_tokens.introspection`: whoever may use tokens must name their audience",
    ),
    key(
        "introspection_endpoint_auth_method",
        "providers.login.access_tokens.introspection.client",
        "`client_secret_post` where it is not written, as in Kong",
    ),
    key(
        "introspection_cache_ignore",
        "providers.login.access_tokens.introspection.cache",
        "revomatico; `yes` is `0s`, else half a minute",
    ),
    key(
        "use_jwks",
        TOKENS,
        "revomatico; tokens are checked by the keys that the provider publishes",
    ),
    key(
        "allow_token_auth",
        TOKENS,
        "epam; without it tokens are not looked at",
    ),
    key(
        "bearer_only",
        "rules[].authenticate",
        "with introspection or keys; without them it did nothing",
    ),
    key("realm", "bearer.realm", ""),
    key("redirect_uri", "paths.callback", "revomatico; its path"),
    key(
        "redirect_uri_path",
        "paths.callback",
        "nokia, epam; without it every page was its own callback",
    ),
    none("inject_base_path", "nokia; the callback is one path"),
    key(
        "logout_path",
        "paths.logout",
        "`/logout` where it is not written",
    ),
    none("redirect_after_logout_uri", OWN_PAGE),
    none(
        "redirect_after_logout_with_id_token_hint",
        "revomatico; the provider's logout always gets the hint",
    ),
    none("post_logout_redirect_uri", OWN_PAGE),
    none(
        "revoke_tokens_on_logout",
        "a logout always revokes the tokens, where the provider has an endpoint for it",
    ),
    key(
        "unauth_action",
        "rules[].otherwise",
        "epam: `deny` where it is not written, `pass`, else `redirect`; revomatico: all but `auth` is `deny`",
    ),
    none(
        "recovery_page_path",
        "errors have a page with a stable code",
    ),
    key(
        "filters",
        "rules",
        "Lua patterns: those that are a beginning or a whole path; never wider than they were",
    ),
    key("ignore_auth_filters", "rules", "revomatico; as `filters`"),
    none(
        "session_secret",
        "`session.keys` seal the cookie, with a key of their own",
    ),
    key(
        "session_opts",
        "session",
        "epam: `cookie.samesite`; what else it holds is named one by one",
    ),
    key(
        "userinfo_header_name",
        HEADERS,
        "revomatico; the claims without `id` and `username` beside them: read `sub` and `preferred_username`",
    ),
    key("user_header_name", HEADERS, "epam; the same"),
    key(
        "id_token_header_name",
        HEADERS,
        "revomatico, epam; its claims, as base64 of JSON",
    ),
    key("access_token_header_name", HEADERS, "revomatico, epam"),
    key("access_token_as_bearer", HEADERS, "revomatico"),
    key(
        "bearer_access_token",
        HEADERS,
        "epam; the token is in `Authorization` then",
    ),
    key("disable_userinfo_header", HEADERS, "revomatico"),
    key("disable_id_token_header", HEADERS, "revomatico"),
    key("disable_access_token_header", HEADERS, "revomatico"),
    key(
        "header_names",
        HEADERS,
        "revomatico; lists are joined with `,` and no blank",
    ),
    key(
        "header_claims",
        HEADERS,
        "revomatico; the claims of `header_names`",
    ),
    key(
        "token_claim_header_value",
        HEADERS,
        "epam; the header `token-claim`, of the access token",
    ),
    none(
        "groups_claim",
        "revomatico; Kong's `acl` reads it: write `require` with `groups`",
    ),
    none(
        "skip_already_auth_requests",
        "revomatico; no other filter lets anybody in",
    ),
    key(
        "bearer_jwt_auth_enable",
        TOKENS,
        "revomatico; an ID token is no access token and is refused",
    ),
    key(
        "bearer_jwt_auth_allowed_auds",
        "providers.login.access_tokens.audiences",
        "revomatico; the client's id where it is not written",
    ),
    key(
        "bearer_jwt_auth_signing_algs",
        "providers.login.access_tokens.algorithms",
        "revomatico; RS, PS, ES256, ES384, EdDSA",
    ),
    key(
        "enable_authorization",
        REQUIRE,
        "epam; on where it is not written",
    ),
    key(
        "issuers_allowed",
        REQUIRE,
        "epam; whole issuers only, never as patterns",
    ),
    key("scopes_required", REQUIRE, "epam; any of them"),
    key(
        "roles_required",
        REQUIRE,
        "epam; any of them, of this client (`resource_access.<client_id>.roles`)",
    ),
    key("realm_roles_required", REQUIRE, "epam; any of them"),
    key("client_roles_required", REQUIRE, "epam; any of them"),
    key(
        "timeout",
        "providers.login.timeout",
        "milliseconds, from 100 to a minute",
    ),
    none("http_proxy", TLS),
    none("https_proxy", TLS),
    key(
        "access_token_expires_leeway",
        "session.refresh.leeway",
        "epam; from a second to an hour",
    ),
    none("anonymous", "declared, and used by none of the three"),
];

pub(crate) fn tables() -> Vec<(&'static str, &'static [Key])> {
    vec![("config", CONFIG), ("plugin", kong::AROUND)]
}

pub(crate) fn convert(documents: &[Value], options: &Options) -> Result<Conversion, Unreadable> {
    let mut notes = Notes::default();
    let is_config = |object: &Map<String, Value>| {
        object.contains_key("client_id") && object.contains_key("discovery")
    };
    let plugin = kong::plugin(
        documents,
        &["oidc", "kong-oidc"],
        is_config,
        options,
        &mut notes,
    )?;
    let configuration = plugin.map(|Plugin { config, is_alone }| {
        let asked = notes.decisions.len();
        account(CONFIG, config.object, &config.place, &mut notes);
        let dialect = Dialect::of(&config, &mut notes);
        let is_whole = is_alone && notes.decisions.len() == asked;
        one(&config, dialect, is_whole, options, &mut notes)
    });
    Ok(Conversion {
        configuration,
        notes,
    })
}

fn one(
    config: &Part<'_>,
    dialect: Dialect,
    is_whole: bool,
    options: &Options,
    notes: &mut Notes,
) -> Value {
    notes
        .source
        .push_str(&format!(", as the plugin of {} has it", dialect.name()));
    let mut draft = Draft::new(notes);
    if !is_whole {
        draft.close(&config.place, notes);
    }
    let discovery = config.text("discovery", notes).unwrap_or_default();
    draft.issuer(
        options,
        issuer::of_discovery(discovery),
        &config.at("discovery"),
        notes,
    );
    draft.cluster(cluster_name(discovery), "the provider", notes);
    if config
        .text("response_type", notes)
        .is_some_and(|word| word != "code")
    {
        notes.decide(
            config.at("response_type"),
            "is not `code`, and there is no other flow",
        );
    }
    if let Some(timeout) = config.number("timeout", notes) {
        match timeout {
            100..=60_000 => draft.login("/timeout", json!(format!("{timeout}ms"))),
            _ => notes.unmatched(
                config.at("timeout"),
                "is not from 100 to 60000; the timeout is five seconds",
            ),
        }
    }
    public(config, &mut draft, notes);
    let logs_in = kong_oidc_tokens::tokens(config, dialect, options, &mut draft, notes);
    if logs_in {
        login(config, dialect, &mut draft, notes);
    }
    kong_oidc_tokens::authorization(config, dialect, options, &mut draft, notes);
    kong_oidc_headers::headers(config, dialect, logs_in, &mut draft, notes);
    notes.remains(
        config.at("ssl_verify"),
        "Kong did not verify the provider's certificate unless it says `yes`; the cluster must",
    );
    draft.finish()
}

fn login(config: &Part<'_>, dialect: Dialect, draft: &mut Draft, notes: &mut Notes) {
    let id = config.text("client_id", notes).unwrap_or_default();
    let method = method(config, "token_endpoint_auth_method", notes);
    let variable = config.text("client_secret_var_name", notes);
    draft.client(id, method, &config.at("client_secret"), variable, notes);
    let scope = config.text("scope", notes).unwrap_or("openid");
    let scopes: Vec<&str> = scope.split_ascii_whitespace().collect();
    draft.scopes(&scopes, &config.at("scope"), notes);
    let uri = config
        .text("redirect_uri", notes)
        .or(config.text("redirect_uri_path", notes));
    match uri.map(issuer::path_of) {
        Some(Some(path)) => draft.callback(path, notes),
        Some(None) => {
            notes.decide(config.at("redirect_uri"), "has no path");
            draft.callback("/oauth2/callback", notes);
        }
        None => draft.callback("/oauth2/callback", notes),
    }
    let logout = config.text("logout_path", notes).unwrap_or("/logout");
    draft.set("/paths/logout", json!(logout));
    if let Some(leeway) = config.number("access_token_expires_leeway", notes) {
        match leeway {
            1..=3600 => draft.set("/session/refresh/leeway", seconds(leeway)),
            _ => notes.unmatched(
                config.at("access_token_expires_leeway"),
                "is not from a second to an hour; the leeway is a minute",
            ),
        }
    }
    session_options(config, draft, notes);
    unauthenticated(config, dialect, draft, notes);
    kusk::logins_are_stricter(notes);
}

/// What becomes of a request that proves nothing.
fn unauthenticated(config: &Part<'_>, dialect: Dialect, draft: &mut Draft, notes: &mut Notes) {
    let at = config.at("unauth_action");
    // What is not written may be on.
    let has_rule = config.flag("enable_authorization", notes) != Some(false);
    let word = match (dialect, config.text("unauth_action", notes)) {
        (_, Some("auth")) | (Dialect::Nokia | Dialect::Revomatico, None) => return,
        (_, Some("deny")) | (Dialect::Epam, None) | (Dialect::Revomatico, Some(_)) => "deny",
        (Dialect::Epam, Some("pass")) if has_rule => {
            notes.decide(at, "lets everybody pass who proves nothing, beside `enable_authorization` and what it requires, which could then be avoided; whoever proves nothing is refused now");
            "deny"
        }
        (Dialect::Epam, Some("pass")) => "pass",
        (Dialect::Epam, Some(_)) => return,
        (Dialect::Nokia, Some(_)) => {
            notes.decide(at, "means one thing to the plugin of epam and another to that of revomatico, and no other key says whose it is; whoever proves nothing is refused now");
            "deny"
        }
    };
    draft.otherwise("otherwise", json!(word));
}

/// The name of a way to authenticate; what is not written is sent in the body.
pub(crate) fn method(config: &Part<'_>, name: &str, notes: &mut Notes) -> &'static str {
    match config.text(name, notes) {
        None | Some("client_secret_post") => "client_secret_post",
        Some("client_secret_basic") => "client_secret_basic",
        Some("client_secret_jwt") => "client_secret_jwt",
        Some(_) => {
            notes.decide(config.at(name), "is no way to authenticate that the plugin has what it needs for; the secret is sent in the body");
            "client_secret_post"
        }
    }
}

/// What `session_opts` holds, which is JSON in a text.
fn session_options(config: &Part<'_>, draft: &mut Draft, notes: &mut Notes) {
    let at = config.at("session_opts");
    let Some(text) = config.text("session_opts", notes) else {
        return;
    };
    let Ok(Value::Object(options)) = serde_json::from_str(text) else {
        notes.decide(at, "is no JSON object, so nothing was made of it");
        return;
    };
    let same_site = options
        .get("cookie")
        .and_then(|cookie| cookie.get("samesite"))
        .and_then(Value::as_str);
    match same_site.map(str::to_ascii_lowercase).as_deref() {
        None | Some("lax") => {}
        Some("none") => draft.set("/session/cookie/same_site", json!("none")),
        Some(_) => notes.decide(format!("{at}.cookie.samesite"), "has no counterpart: the session cookie is sent when a link of another site is followed (`lax`)"),
    }
    named(&options, &at, notes);
}

fn named(options: &Map<String, Value>, at: &str, notes: &mut Notes) {
    for (name, value) in options {
        let here = crate::document::below(at, name);
        match (name.as_str(), value) {
            ("samesite", _) => {}
            ("cookie", Value::Object(inner)) => named(inner, &here, notes),
            ("storage", _) => notes.unmatched(here, "sessions live in the cookie; `session.store` keeps them in Redis"),
            ("secret", _) => notes.unmatched(here, "`session.keys` seal the cookie, with a key of their own"),
            _ => notes.unmatched(here, "`session.lifetime`, `session.idle_timeout` and the attributes of the cookie have values of their own"),
        }
    }
}

/// Patterns of paths that the plugin let alone.
fn public(config: &Part<'_>, draft: &mut Draft, notes: &mut Notes) {
    for name in ["filters", "ignore_auth_filters"] {
        let at = config.at(name);
        let patterns = config.text(name, notes).unwrap_or_default();
        for pattern in patterns.split(',').filter(|pattern| !pattern.is_empty()) {
            match pattern::lua(pattern) {
                Some(public) => {
                    if let Some(lost) = public.lost {
                        notes.stricter(at.clone(), format!("`{pattern}` is public now without {lost}"));
                    }
                    draft.rules(public.rules);
                }
                None => notes.decide(at.clone(), format!("`{pattern}` is a Lua pattern that no rule can say, so what it let pass needs a login now (`-`, `+`, `*` and `?` have a meaning there unless `%` stands before them)")),
            }
        }
        if config.has(name) {
            notes.stricter(at, "public requests lose the headers that Portero sets; Kong let what the caller sent pass");
        }
    }
}
