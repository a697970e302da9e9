//! Envoy's own filter: `envoy.filters.http.oauth2`.

use serde_json::{Map, Value, json};

use crate::document::{self, Unreadable};
use crate::draft::{Draft, cluster_name, put};
use crate::envoy_matchers::How;
use crate::keys::{Key, account, key, none};
use crate::notes::Notes;
use crate::part::Part;
use crate::{Conversion, Options, envoy_matchers, envoy_routes, issuer, kusk};

const TYPE: &str = "type.googleapis.com/envoy.extensions.filters.http.oauth2.v3.OAuth2";
const JWT_AUTHN: &str =
    "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
const ONE_COOKIE: &str = "the session is one sealed cookie, `session.cookie.name`";
const IN_FLIGHT: &str = "a login that is under way is one sealed cookie, good for ten minutes";
const SAME_SITE: &str = "session.cookie.same_site";
const NO_COOKIE: &str = "no token is in a cookie of its own";
const SET_BY_SECRET: &str = "a secret of SDS becomes an environment variable";

/// Below `config`.
const CONFIG: &[Key] = &[
    key("token_endpoint.uri", "providers.login.endpoints.token", ""),
    key(
        "token_endpoint.cluster",
        "providers.login.cluster",
        "also reaches the discovery document, the keys and userinfo; `clusters` names others",
    ),
    key(
        "token_endpoint.timeout",
        "providers.login.timeout",
        "from `100ms` to `1m`",
    ),
    none(
        "retry_policy",
        "a call that fails fails the login; whoever tries again starts anew",
    ),
    key(
        "authorization_endpoint",
        "providers.login.endpoints.authorization",
        "",
    ),
    key(
        "end_session_endpoint",
        "providers.login.endpoints.end_session",
        "",
    ),
    none(
        "post_logout_redirect_uri",
        "people come back to `paths.logged_out`, which has to be registered",
    ),
    key("credentials.client_id", "providers.login.client.id", ""),
    key(
        "credentials.token_secret",
        "providers.login.client.authentication",
        SET_BY_SECRET,
    ),
    none("credentials.hmac_secret", "`session.keys` seal the cookie"),
    none("credentials.cookie_names", ONE_COOKIE),
    none(
        "credentials.cookie_domain",
        "every host has a session of its own",
    ),
    key(
        "redirect_uri",
        "paths.callback",
        "its path; scheme and host are always those of the request",
    ),
    key(
        "redirect_path_matcher",
        "paths.callback",
        "must be the path of `redirect_uri`",
    ),
    key(
        "signout_path",
        "paths.logout",
        "one exact path; leads to the provider's logout too, and asks first where another site sends people there",
    ),
    key(
        "forward_bearer_token",
        "upstream.headers.authorization",
        "where it is false, what the caller sends there is removed all the same, unless `preserve_authorization_header` keeps it",
    ),
    key(
        "forward_id_token",
        "upstream.headers",
        "the header gets the ID token as it is",
    ),
    key(
        "preserve_authorization_header",
        "upstream.headers.authorization",
        "",
    ),
    key(
        "pass_through_matcher",
        "rules",
        "`:path` by beginning becomes a prefix of whole segments; an exact one saw the query, so `--any-query` has to say that any may follow; `:method` and `:authority` too; other headers no rule sees",
    ),
    key(
        "deny_redirect_matcher",
        "rules",
        "by path, method and host `otherwise: deny`; what is no navigation gets 401 by itself",
    ),
    key(
        "auth_scopes",
        "providers.login.scopes",
        "`user` where it is not written, as with Envoy; `openid` is always added",
    ),
    key("resources", "providers.login.resources", ""),
    key(
        "auth_type",
        "providers.login.client.authentication",
        "`URL_ENCODED_BODY` is `client_secret_post`, `BASIC_AUTH` is `client_secret_basic`, `TLS_CLIENT_AUTH` is `none` with a certificate in the cluster, `PRIVATE_KEY_JWT` is `private_key_jwt`",
    ),
    key(
        "private_key_jwt_config.signing_algorithm",
        "providers.login.client.authentication.private_key_jwt.algorithm",
        "not `ES384` and `ES512`",
    ),
    none(
        "private_key_jwt_config.assertion_lifetime",
        "always a minute",
    ),
    key(
        "private_key_jwt_config.assertion_audience",
        "providers.login.client.authentication.private_key_jwt.audience",
        "the issuer or the token endpoint",
    ),
    key("use_refresh_token", "session.refresh.enabled", ""),
    none(
        "default_expires_in",
        "a token that does not say when it ends is used until the session ends",
    ),
    none(
        "default_refresh_token_expires_in",
        "`session.lifetime` and `session.idle_timeout` end a session",
    ),
    none("disable_id_token_set_cookie", NO_COOKIE),
    none("disable_access_token_set_cookie", NO_COOKIE),
    none("disable_refresh_token_set_cookie", NO_COOKIE),
    none("use_access_token_expiry_for_id_token_cookie", NO_COOKIE),
    none(
        "token_cookie_chunking",
        "a cookie that is too large is several by itself",
    ),
    none("disable_token_encryption", "everything is sealed, always"),
    key(
        "cookie_configs.bearer_token_cookie_config.same_site",
        SAME_SITE,
        "`STRICT` has no counterpart",
    ),
    key(
        "cookie_configs.oauth_hmac_cookie_config.same_site",
        SAME_SITE,
        "`STRICT` has no counterpart",
    ),
    key(
        "cookie_configs.oauth_expires_cookie_config.same_site",
        SAME_SITE,
        "`STRICT` has no counterpart",
    ),
    key(
        "cookie_configs.id_token_cookie_config.same_site",
        SAME_SITE,
        "`STRICT` has no counterpart",
    ),
    key(
        "cookie_configs.refresh_token_cookie_config.same_site",
        SAME_SITE,
        "`STRICT` has no counterpart",
    ),
    none("cookie_configs.oauth_nonce_cookie_config", IN_FLIGHT),
    none("cookie_configs.code_verifier_cookie_config", IN_FLIGHT),
    none("cookie_configs.bearer_token_cookie_config.path", ONE_COOKIE),
    none("cookie_configs.oauth_hmac_cookie_config.path", ONE_COOKIE),
    none(
        "cookie_configs.oauth_expires_cookie_config.path",
        ONE_COOKIE,
    ),
    none("cookie_configs.id_token_cookie_config.path", ONE_COOKIE),
    none(
        "cookie_configs.refresh_token_cookie_config.path",
        ONE_COOKIE,
    ),
    none(
        "cookie_configs.bearer_token_cookie_config.partitioned",
        ONE_COOKIE,
    ),
    none(
        "cookie_configs.oauth_hmac_cookie_config.partitioned",
        ONE_COOKIE,
    ),
    none(
        "cookie_configs.oauth_expires_cookie_config.partitioned",
        ONE_COOKIE,
    ),
    none(
        "cookie_configs.id_token_cookie_config.partitioned",
        ONE_COOKIE,
    ),
    none(
        "cookie_configs.refresh_token_cookie_config.partitioned",
        ONE_COOKIE,
    ),
    none("csrf_token_expires_in", IN_FLIGHT),
    none("code_verifier_token_expires_in", IN_FLIGHT),
    none("stat_prefix", "the statistics begin with `portero.`"),
    key(
        "allow_failed_matcher",
        "rules",
        "by path, method and host `otherwise: pass`: without identity, and without Envoy's status headers",
    ),
    none(
        "original_request_uri",
        "people come back to the address that they asked for, on the same host",
    ),
    none("allowed_redirect_domains", "nobody is sent to another host"),
];

pub(crate) fn tables() -> Vec<(&'static str, &'static [Key])> {
    vec![("config", CONFIG)]
}

pub(crate) fn convert(documents: &[Value], options: &Options) -> Result<Conversion, Unreadable> {
    let mut notes = Notes::default();
    let is_type = |object: &Map<String, Value>, name: &str| {
        object.get("@type").and_then(Value::as_str) == Some(name)
    };
    let routes = envoy_routes::own(documents);
    let mut found = document::search(documents, &|object, _| is_type(object, TYPE));
    // The filter's configuration alone, with `config` around it or without.
    if found.is_empty() {
        found = document::search(documents, &|object, _| {
            let config = object.get("config").and_then(Value::as_object);
            config.is_some_and(is_config) || is_config(object)
        });
    }
    if !envoy_routes::are_chosen_from(&routes, &mut found, options, &mut notes) {
        return Ok(Conversion {
            configuration: None,
            notes,
        });
    }
    // A filter without `config` leaves the work to routes.
    found.retain(|one| one.object.get("config").is_some() || is_config(one.object));
    for other in document::search(documents, &|object, _| is_type(object, JWT_AUTHN)) {
        notes.remains(other.place, "the filter `jwt_authn` is not converted: leave it behind Portero, or let Portero check the tokens (`access_tokens`) and take it out; what `authorization` holds on public paths no longer reaches it, if Portero sets that header");
    }
    let Some(found) = document::chosen(
        found,
        "filter envoy.filters.http.oauth2",
        options,
        &mut notes,
    )?
    else {
        return Ok(Conversion {
            configuration: None,
            notes,
        });
    };
    let outer = Part::from(&found);
    let config = match outer.has("config") {
        true => outer.part("config", &mut notes),
        false => Some(outer),
    };
    let configuration = config.map(|config| {
        account(CONFIG, config.object, &config.place, &mut notes);
        one(&config, options, &mut notes)
    });
    Ok(Conversion {
        configuration,
        notes,
    })
}

fn is_config(object: &Map<String, Value>) -> bool {
    object.contains_key("token_endpoint") && object.contains_key("credentials")
}

fn one(config: &Part<'_>, options: &Options, notes: &mut Notes) -> Value {
    let mut draft = Draft::new(notes);
    let endpoint = config.part("token_endpoint", notes);
    let token = endpoint
        .as_ref()
        .and_then(|part| part.text("uri", notes))
        .unwrap_or_default();
    draft.issuer(
        options,
        issuer::of_token_endpoint(token),
        &config.at("token_endpoint"),
        notes,
    );
    let cluster = endpoint
        .as_ref()
        .and_then(|part| part.text("cluster", notes));
    draft.cluster(
        cluster.unwrap_or(cluster_name(token)),
        "the provider",
        notes,
    );
    draft.endpoint("token", token, &config.at("token_endpoint"), notes);
    if let Some(timeout) = endpoint
        .as_ref()
        .and_then(|part| part.text("timeout", notes))
    {
        draft.login("/timeout", json!(duration(timeout)));
    }
    for (key, name) in [
        ("authorization_endpoint", "authorization"),
        ("end_session_endpoint", "end_session"),
    ] {
        if let Some(url) = config.text(key, notes) {
            draft.endpoint(name, url, &config.at(key), notes);
        }
    }
    client(config, token, options, &mut draft, notes);
    let scopes = config
        .texts("auth_scopes", notes)
        .unwrap_or_else(|| vec!["user"]);
    draft.scopes(&scopes, &config.at("auth_scopes"), notes);
    if let Some(resources) = config.texts("resources", notes) {
        draft.login("/resources", json!(resources));
    }
    paths(config, &mut draft, notes);
    tokens(config, &mut draft, notes);
    same_site(config, &mut draft, notes);
    for (name, how) in [
        ("pass_through_matcher", How::Public),
        ("allow_failed_matcher", How::Pass),
        ("deny_redirect_matcher", How::Deny),
    ] {
        envoy_matchers::convert(config, name, how, options, &mut draft, notes);
    }
    kusk::logins_are_stricter(notes);
    draft.finish()
}

/// A duration of protobuf's (`1.5s`), in whole milliseconds where it has a part of a second.
fn duration(text: &str) -> String {
    let Some((whole, part)) = text.strip_suffix('s').and_then(|text| text.split_once('.')) else {
        return text.to_owned();
    };
    let millis: String = part.chars().chain("000".chars()).take(3).collect();
    let millis = millis.trim_start_matches('0');
    match (whole.trim_start_matches('0'), millis) {
        ("", "") => "0s".to_owned(),
        ("", millis) => format!("{millis}ms"),
        (whole, "") => format!("{whole}s"),
        (whole, millis) => format!("{whole}s{millis}ms"),
    }
}

fn client(config: &Part<'_>, token: &str, options: &Options, draft: &mut Draft, notes: &mut Notes) {
    let Some(credentials) = config.part("credentials", notes) else {
        notes.decide(config.at("credentials"), "is missing");
        return;
    };
    let id = credentials.text("client_id", notes).unwrap_or_default();
    let at = credentials.at("token_secret");
    let type_at = config.at("auth_type");
    match config
        .text("auth_type", notes)
        .unwrap_or("URL_ENCODED_BODY")
    {
        "URL_ENCODED_BODY" => draft.client(id, "client_secret_post", &at, None, notes),
        "BASIC_AUTH" => draft.client(id, "client_secret_basic", &at, None, notes),
        "TLS_CLIENT_AUTH" => {
            draft.login("/client", json!({"id": id, "authentication": {"none": {}}}));
            notes.remains(type_at, "the cluster must go on to show the client's certificate: Portero sends the client's id alone");
        }
        "PRIVATE_KEY_JWT" => {
            let mut written = json!({"key": {"env": "CLIENT_KEY"}, "audience": "token_endpoint"});
            if let Some(part) = config.part("private_key_jwt_config", notes) {
                match part.text("signing_algorithm", notes) {
                    Some(name @ ("ES384" | "ES512")) => notes.decide(part.at("signing_algorithm"), format!("{name} is no algorithm that Portero signs with: register a key for ES256 or RS256")),
                    Some(name) => put(&mut written, "algorithm", json!(name)),
                    None => {}
                }
                match part.text("assertion_audience", notes) {
                    Some(audience) if options.issuer.as_deref() == Some(audience) || issuer::of_token_endpoint(token).as_deref() == Some(audience) => put(&mut written, "audience", json!("issuer")),
                    Some(audience) if audience != token => notes.decide(part.at("assertion_audience"), "is neither the issuer nor the token endpoint, and those are the audiences that there are; the token endpoint was taken"),
                    _ => {}
                }
            }
            draft.login(
                "/client",
                json!({"id": id, "authentication": {"private_key_jwt": written}}),
            );
            notes.remains(at, "put the private key into the environment variable CLIENT_KEY, and name it in `host_env_keys` of the filter; where the provider wants a key id, write `key_id`");
        }
        _ => notes.decide(
            type_at,
            "is no way to authenticate that this conversion knows",
        ),
    }
}

fn paths(config: &Part<'_>, draft: &mut Draft, notes: &mut Notes) {
    // `%REQ(:authority)%` and its like hold no slash.
    let uri = config.text("redirect_uri", notes).and_then(issuer::path_of);
    let matcher = exact_path(config, "redirect_path_matcher", notes);
    match (uri, matcher) {
        (Some(uri), Some(matcher)) if uri == matcher => draft.callback(uri, notes),
        _ => notes.decide(config.at("redirect_path_matcher"), "is not exactly the path of `redirect_uri`; the callback is `/oauth2/callback` until `paths.callback` says otherwise"),
    }
    match exact_path(config, "signout_path", notes) {
        Some(path) => draft.set("/paths/logout", json!(path)),
        None => notes.unmatched(
            config.at("signout_path"),
            "is not one exact path; the logout is at `/oauth2/logout`",
        ),
    }
}

/// What a path matcher of Envoy's matches, if that is one path.
fn exact_path<'a>(config: &Part<'a>, name: &str, notes: &mut Notes) -> Option<&'a str> {
    let path = config.part(name, notes)?.part("path", notes)?;
    if path.flag("ignore_case", notes) == Some(true) {
        notes.stricter(path.at("ignore_case"), "the case of letters counts now");
    }
    path.has("exact")
        .then(|| path.text("exact", notes))
        .flatten()
}

fn tokens(config: &Part<'_>, draft: &mut Draft, notes: &mut Notes) {
    let forwards = config.flag("forward_bearer_token", notes) == Some(true);
    let preserves = config.flag("preserve_authorization_header", notes) == Some(true);
    draft.set("/upstream/headers", json!({}));
    if forwards {
        draft.header("authorization", json!({"access_token": "bearer"}));
        notes.unmatched(
            config.at("forward_bearer_token"),
            "the cookie `BearerToken` does not go to the upstream; the header does",
        );
        if preserves {
            notes.stricter(
                config.at("preserve_authorization_header"),
                "the header is always that of the session: what the caller sends there is removed",
            );
        }
    } else {
        if !preserves {
            // A header that Portero may set is removed from every request, and this claim nobody has.
            draft.header(
                "authorization",
                json!({"access_token_claim": ["portero", "nobody has this claim"]}),
            );
            notes.stricter(config.at("forward_bearer_token"), "what the caller sends as `authorization` is removed, as before, and now on public paths too; the claim in the result is there so that nothing is set in its place");
        }
        draft.end_with_access_token(&config.at("forward_bearer_token"), notes);
    }
    if let Some(part) = config.part("forward_id_token", notes) {
        match part.text("header", notes) {
            Some(header) => draft.header(header, json!({"id_token": "raw"})),
            None => notes.decide(part.place, "names no header"),
        }
    }
    if config.flag("use_refresh_token", notes) == Some(false) {
        draft.set("/session/refresh/enabled", json!(false));
    }
}

fn same_site(config: &Part<'_>, draft: &mut Draft, notes: &mut Notes) {
    let Some(configs) = config.part("cookie_configs", notes) else {
        return;
    };
    let mut words = Vec::new();
    for name in [
        "bearer_token",
        "oauth_hmac",
        "oauth_expires",
        "id_token",
        "refresh_token",
    ] {
        let cookie = configs.part(&format!("{name}_cookie_config"), notes);
        let at = format!("{}.same_site", configs.at(&format!("{name}_cookie_config")));
        let word = cookie.and_then(|cookie| cookie.text("same_site", notes));
        if word == Some("STRICT") {
            notes.decide(at, "has no counterpart: the session cookie is sent when a link of another site is followed (`lax`)");
        }
        // Without these three there was no session.
        if matches!(name, "bearer_token" | "oauth_hmac" | "oauth_expires") {
            words.push(word);
        }
    }
    if words.iter().all(|word| *word == Some("NONE")) {
        draft.set("/session/cookie/same_site", json!("none"));
    } else {
        notes.stricter(configs.place, "the session cookie is sent with a request of another site only when a link is followed (`lax`)");
    }
}
