//! kong-oidc: access tokens of programs, and what a caller must be to get through.

use serde_json::{Value, json};

use crate::Options;
use crate::draft::{self, Draft, NOBODY, put};
use crate::kong_oidc::method;
use crate::kong_oidc_dialect::Dialect;
use crate::notes::Notes;
use crate::part::Part;

const ALGORITHMS: [&str; 9] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
];

/// How the plugin looked at bearer tokens.
enum Bearer<'a> {
    Not,
    Introspection(&'a str),
    Keys,
}

/// Writes which tokens are let in; answers whether people log in as well.
pub(crate) fn tokens(
    config: &Part<'_>,
    dialect: Dialect,
    options: &Options,
    draft: &mut Draft,
    notes: &mut Notes,
) -> bool {
    let endpoint = config.text("introspection_endpoint", notes);
    let is_allowed = config.flag("allow_token_auth", notes);
    let own_keys = config.yes("bearer_jwt_auth_enable", notes) == Some(true);
    let bearer = match endpoint {
        _ if dialect == Dialect::Epam && is_allowed != Some(true) => Bearer::Not,
        _ if config.yes("use_jwks", notes) == Some(true) || own_keys => Bearer::Keys,
        Some(url) => Bearer::Introspection(url),
        None => Bearer::Not,
    };
    let only = config.yes("bearer_only", notes) == Some(true);
    if let Some(realm) = config.text("realm", notes) {
        draft.set("/bearer/realm", json!(realm));
    }
    if matches!(bearer, Bearer::Not) {
        if only {
            notes.decide(
                config.at("bearer_only"),
                "did nothing, because tokens are not looked at; people log in",
            );
        }
        if endpoint.is_some() {
            notes.unmatched(
                config.at("introspection_endpoint"),
                "is not asked, because `allow_token_auth` is not true",
            );
        }
        return true;
    }
    let audiences = match own_keys {
        true => {
            let id = config.text("client_id", notes).unwrap_or_default();
            let named = config
                .texts("bearer_jwt_auth_allowed_auds", notes)
                .unwrap_or_default();
            match (options.audiences.is_empty(), named.is_empty()) {
                (false, _) => json!(options.audiences),
                (true, false) => json!(named),
                (true, true) => json!([id]),
            }
        }
        false => draft::audiences(options, &config.at("introspection_endpoint"), notes),
    };
    draft.login("/access_tokens/audiences", audiences);
    draft.login("/access_tokens/profile", json!("lenient"));
    notes.stricter(
        config.place.clone(),
        "a token that is not good is refused with 401; Kong went on to the login with it",
    );
    if own_keys {
        algorithms(config, draft, notes);
    }
    if let Bearer::Introspection(url) = bearer {
        introspection(config, url, draft, notes);
    }
    if only {
        draft.otherwise("authenticate", json!(["bearer"]));
    }
    !only
}

fn algorithms(config: &Part<'_>, draft: &mut Draft, notes: &mut Notes) {
    let named = config
        .texts("bearer_jwt_auth_signing_algs", notes)
        .unwrap_or_else(|| vec!["RS256"]);
    let (known, other): (Vec<&str>, Vec<&str>) = named
        .into_iter()
        .partition(|name| ALGORITHMS.contains(name));
    if !other.is_empty() {
        notes.stricter(
            config.at("bearer_jwt_auth_signing_algs"),
            "tokens with other algorithms than RS, PS, ES256, ES384 and EdDSA are refused",
        );
    }
    match known.is_empty() {
        false => draft.login("/access_tokens/algorithms", json!(known)),
        true => notes.decide(
            config.at("bearer_jwt_auth_signing_algs"),
            "has no algorithm that Portero accepts of published keys; all that it does accept are",
        ),
    }
}

fn introspection(config: &Part<'_>, url: &str, draft: &mut Draft, notes: &mut Notes) {
    draft.endpoint(
        "introspection",
        url,
        &config.at("introspection_endpoint"),
        notes,
    );
    // Kong asked about every token, so a token that has been taken back did not count.
    let mut written = json!({"jwt": true});
    if config.yes("introspection_cache_ignore", notes) == Some(true) {
        put(&mut written, "cache", json!("0s"));
    }
    let variable = config
        .text("client_secret_var_name", notes)
        .unwrap_or("OIDC_CLIENT_SECRET");
    let method = method(config, "introspection_endpoint_auth_method", notes);
    let id = config.text("client_id", notes).unwrap_or_default();
    put(
        &mut written,
        "client",
        json!({"id": id, "authentication": {method: {"secret": {"env": variable}}}}),
    );
    notes.remains(config.at("client_secret"), format!("put the client secret into the environment variable {variable}, and name it in `host_env_keys` of the filter"));
    draft.login("/access_tokens/introspection", written);
    notes.stricter(config.at("introspection_endpoint"), "a token that is a JSON Web Token is verified here as well, and is asked about all the same");
}

/// What a caller must be.
pub(crate) fn authorization(
    config: &Part<'_>,
    dialect: Dialect,
    options: &Options,
    draft: &mut Draft,
    notes: &mut Notes,
) {
    if config.yes("validate_scope", notes) == Some(true) {
        let scope = config.text("scope", notes).unwrap_or("openid");
        let scopes: Vec<&str> = scope.split_ascii_whitespace().collect();
        if scopes.len() > 1 {
            notes.decide(config.at("validate_scope"), "refused every token, because `scope` has several scopes and was looked for as one; here a caller needs all of them");
        }
        draft.otherwise("require", json!({"scopes": {"all_of": scopes}}));
        notes.stricter(
            config.at("validate_scope"),
            "is asked of people as well, not only of tokens",
        );
    }
    if dialect != Dialect::Epam {
        return;
    }
    let is_on = config.flag("enable_authorization", notes);
    let names = [
        "issuers_allowed",
        "scopes_required",
        "roles_required",
        "realm_roles_required",
        "client_roles_required",
    ];
    if is_on == Some(false) {
        for name in names.iter().filter(|name| config.has(name)) {
            notes.unmatched(
                config.at(name),
                "counts for nothing, because `enable_authorization` is false",
            );
        }
        return;
    }
    if is_on.is_none() && !names.iter().any(|name| config.has(name)) {
        notes.decide(config.at("enable_authorization"), "is not written: versions of the plugin that know it refuse everybody without `issuers_allowed`, older ones ask for nothing; nobody gets through (`require` with the issuer `urn:portero:nobody`) until you take that out, or say true or false here");
        draft.otherwise("require", json!({"issuers": [NOBODY]}));
        return;
    }
    let mut require = json!({"issuers": issuers(config, notes)});
    for (name, word) in [
        ("scopes_required", "scopes"),
        ("realm_roles_required", "realm_roles"),
        ("client_roles_required", "client_roles"),
    ] {
        if let Some(list) = several(config, name, notes) {
            put(&mut require, word, json!({"any_of": list}));
        }
    }
    if let Some(roles) = several(config, "roles_required", notes) {
        let id = config.text("client_id", notes).unwrap_or_default();
        put(
            &mut require,
            "claims",
            json!([{"claim": ["resource_access", id, "roles"], "contains_any": roles}]),
        );
        notes.stricter(config.at("roles_required"), "counts the roles of this client only, for tokens that were issued to another client as well");
    }
    draft.otherwise("require", require);
    let at = config.at("enable_authorization");
    notes.stricter(at.clone(), "an access token that is opaque is judged too, by what the login or the introspection said; Kong let it through unjudged");
    if options.audiences.is_empty() {
        notes.remains(at, "what is required is looked for in the ID token and userinfo; where the provider has roles in access tokens alone, say --audience NAME: then those of a login are verified and read");
        return;
    }
    // Logins read their access tokens, and programs still get in only where they did.
    draft.login("/access_tokens/audiences", json!(options.audiences));
    draft.login("/access_tokens/profile", json!("lenient"));
    if config.yes("bearer_only", notes) != Some(true) {
        draft.login("/access_token_claims", json!(true));
        notes.stricter(at, "a login whose access token is no JWT fails, and so does its refresh; where the provider's are opaque, take `access_token_claims` out: then the ID token and userinfo are judged");
        if config.flag("allow_token_auth", notes) != Some(true)
            || !config.has("introspection_endpoint")
        {
            draft.otherwise("authenticate", json!(["session"]));
        }
    }
}

fn issuers(config: &Part<'_>, notes: &mut Notes) -> Value {
    let at = config.at("issuers_allowed");
    let issuers = several(config, "issuers_allowed", notes).unwrap_or_default();
    if issuers.is_empty() {
        notes.decide(
            at,
            "is empty, and everybody was refused; everybody is refused here as well",
        );
        return json!([NOBODY]);
    }
    if issuers
        .iter()
        .any(|issuer| issuer.contains(['^', '$', '*', '+', '?', '[', ']', '(', ')', '%']))
    {
        notes.decide(at.clone(), "has Lua patterns, which count here as whole issuers only: write the issuers that they were meant for");
    }
    notes.stricter(at, "issuers are compared as a whole; Kong took each for a pattern as well, that may stand anywhere in the issuer");
    json!(issuers)
}

/// A list, or a text with commas between its items.
fn several(config: &Part<'_>, name: &str, notes: &mut Notes) -> Option<Vec<String>> {
    let list = match config.value(name)? {
        Value::String(text) => text
            .split(',')
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect(),
        _ => config
            .texts(name, notes)?
            .into_iter()
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>(),
    };
    (!list.is_empty()).then_some(list)
}
