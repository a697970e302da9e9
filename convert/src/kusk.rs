//! Kusk: `auth.oauth2` in the `x-kusk` part of an OpenAPI file, or in a `StaticRoute`.

use serde_json::{Map, Value, json};

use crate::document::{self, Found, Unreadable};
use crate::draft::{Draft, cluster_name};
use crate::keys::{Key, account, key, none};
use crate::notes::Notes;
use crate::part::Part;
use crate::{Conversion, Options, issuer, pattern};

const ROUTING: &str = "routing and traffic stay with Envoy's routes, not with the filter";
const ASKED: &str = "nothing: asked about";
const OTHER_KIND: &str = "another kind of authentication, which this conversion does not convert";
const ONE_COOKIE: &str =
    "the session is one sealed cookie, `session.cookie.name`; Kusk never used these names";

/// Below `auth`.
const AUTH: &[Key] = &[
    none("scheme", "the kind follows from what is written"),
    key(
        "oauth2.token_endpoint",
        "providers.login.endpoints.token",
        "its host is taken as the name of the cluster, as Kusk did",
    ),
    key(
        "oauth2.authorization_endpoint",
        "providers.login.endpoints.authorization",
        "",
    ),
    key(
        "oauth2.credentials.client_id",
        "providers.login.client.id",
        "",
    ),
    key(
        "oauth2.credentials.client_secret",
        "providers.login.client.authentication",
        "goes into the environment variable `OIDC_CLIENT_SECRET`, and from there into the body of token requests, as with Kusk",
    ),
    key(
        "oauth2.credentials.client_secret_ref",
        "providers.login.client.authentication",
        "a Kubernetes secret becomes the environment variable `OIDC_CLIENT_SECRET` (`secretKeyRef`)",
    ),
    none(
        "oauth2.credentials.hmac_secret",
        "`session.keys` seal the cookie; Kusk never used this one",
    ),
    none(
        "oauth2.credentials.token_secret",
        "of older versions, which never used it",
    ),
    none("oauth2.credentials.cookie_names.bearer_token", ONE_COOKIE),
    none("oauth2.credentials.cookie_names.oauth_hmac", ONE_COOKIE),
    none("oauth2.credentials.cookie_names.oauth_expires", ONE_COOKIE),
    key("oauth2.redirect_uri", "paths.callback", ""),
    key(
        "oauth2.redirect_path_matcher",
        "paths.callback",
        "must be the same as `redirect_uri`",
    ),
    key(
        "oauth2.signout_path",
        "paths.logout",
        "leads to the provider's logout too, and asks first where another site sends people there",
    ),
    key(
        "oauth2.forward_bearer_token",
        "upstream.headers.authorization",
        "the header stays; the cookie `BearerToken` does not go to the upstream any more",
    ),
    key(
        "oauth2.auth_scopes",
        "providers.login.scopes",
        "`user` where it is not written, as with Kusk; `openid` is always added",
    ),
    key("oauth2.resources", "providers.login.resources", ""),
    key(
        "oauth2.pass_through_matcher",
        "rules",
        "exact paths; Envoy compared them with the query, so `--any-query` has to say that any query may follow",
    ),
    key("jwt", ASKED, OTHER_KIND),
    key("custom", ASKED, OTHER_KIND),
    key("cloudentity", ASKED, OTHER_KIND),
    key("auth-upstream", ASKED, OTHER_KIND),
    key("path_prefix", ASKED, OTHER_KIND),
];

/// Beside `auth`.
const BESIDE: &[Key] = &[
    key("auth", "everything below", ""),
    none(
        "hosts",
        "Envoy's virtual hosts say this; rules can name hosts",
    ),
    none("disabled", ROUTING),
    none("upstream", ROUTING),
    none("upstreams", ROUTING),
    none("redirect", ROUTING),
    none("path", ROUTING),
    none("qos", ROUTING),
    none("cors", "Envoy's `cors` filter, before Portero"),
    none("websocket", ROUTING),
    none("validation", ROUTING),
    none("mocking", ROUTING),
    none("rate_limit", "Envoy's rate limit filters"),
    none("cache", ROUTING),
    none("public_api_path", ROUTING),
    none("public-api-path", ROUTING),
    key("security", ASKED, "whatever it decides"),
];

pub(crate) fn tables() -> Vec<(&'static str, &'static [Key])> {
    vec![("auth", AUTH), ("x-kusk", BESIDE)]
}

pub(crate) fn convert(documents: &[Value], options: &Options) -> Result<Conversion, Unreadable> {
    let documents = unfolded(documents)?;
    let mut notes = Notes::default();
    for beside in document::search(&documents, &|_, name| name == "x-kusk") {
        account(BESIDE, beside.object, &beside.place, &mut notes);
        if beside
            .object
            .get("security")
            .is_some_and(|value| !value.is_null())
        {
            notes.decide(
                document::below(&beside.place, "security"),
                "is not converted; find out what it decides",
            );
        }
        let auth = beside.object.get("auth").and_then(Value::as_object);
        if auth.is_some_and(|auth| !auth.contains_key("oauth2")) {
            notes.decide(document::below(&beside.place, "auth"), OTHER_KIND);
        }
    }
    let is_auth = |object: &Map<String, Value>, name: &str| {
        object.get("oauth2").is_some_and(Value::is_object) && (name == "auth" || name.is_empty())
    };
    let mut found = document::search(&documents, &is_auth);
    // Within `x-kusk`, the search stopped at nothing; outside of a file, the part itself is given.
    if found.is_empty() {
        found = document::search(&documents, &|object, _| {
            object.contains_key("token_endpoint") && object.contains_key("redirect_path_matcher")
        });
    }
    let Some(found) = document::chosen(found, "`auth.oauth2` of Kusk", options, &mut notes)? else {
        return Ok(Conversion {
            configuration: None,
            notes,
        });
    };
    Ok(Conversion {
        configuration: Some(one(&found, options, &mut notes)),
        notes,
    })
}

/// The OpenAPI file that an `API` resource holds as text stands in its place.
fn unfolded(documents: &[Value]) -> Result<Vec<Value>, Unreadable> {
    let mut all = documents.to_vec();
    for document in &mut all {
        if let Some(spec) = document.pointer_mut("/spec/spec")
            && let Some(text) = spec.as_str()
        {
            *spec =
                document::only(text).map_err(|error| Unreadable(format!("spec.spec {error}")))?;
        }
    }
    Ok(all)
}

fn one(found: &Found<'_>, options: &Options, notes: &mut Notes) -> Value {
    let auth = Part::from(found);
    let oauth2 = match auth.part("oauth2", notes) {
        Some(part) => {
            account(AUTH, auth.object, &auth.place, notes);
            for other in [
                "jwt",
                "custom",
                "cloudentity",
                "auth-upstream",
                "path_prefix",
            ] {
                if auth.has(other) {
                    notes.decide(auth.at(other), OTHER_KIND);
                }
            }
            part
        }
        None => {
            let all: Map<String, Value> =
                [("oauth2".to_owned(), Value::Object(auth.object.clone()))]
                    .into_iter()
                    .collect();
            account(AUTH, &all, &auth.place, notes);
            auth
        }
    };
    let mut draft = Draft::new(notes);
    let token = oauth2.text("token_endpoint", notes).unwrap_or_default();
    draft.issuer(
        options,
        issuer::of_token_endpoint(token),
        &oauth2.at("token_endpoint"),
        notes,
    );
    draft.cluster(cluster_name(token), "the provider", notes);
    draft.endpoint("token", token, &oauth2.at("token_endpoint"), notes);
    if let Some(url) = oauth2.text("authorization_endpoint", notes) {
        draft.endpoint(
            "authorization",
            url,
            &oauth2.at("authorization_endpoint"),
            notes,
        );
    }
    if let Some(credentials) = oauth2.part("credentials", notes) {
        let id = credentials.text("client_id", notes).unwrap_or_default();
        let at = match credentials.has("client_secret_ref") {
            true => credentials.at("client_secret_ref"),
            false => credentials.at("client_secret"),
        };
        draft.client(id, "client_secret_post", &at, None, notes);
    }
    let scopes = oauth2
        .texts("auth_scopes", notes)
        .unwrap_or_else(|| vec!["user"]);
    draft.scopes(&scopes, &oauth2.at("auth_scopes"), notes);
    if let Some(resources) = oauth2.texts("resources", notes) {
        draft.login("/resources", json!(resources));
    }
    paths(&oauth2, &mut draft, notes);
    match oauth2.flag("forward_bearer_token", notes) {
        Some(true) => draft.header("authorization", json!({"access_token": "bearer"})),
        _ => notes.decide(
            oauth2.at("forward_bearer_token"),
            "is not true, which Kusk refuses",
        ),
    }
    notes.unmatched(
        oauth2.at("forward_bearer_token"),
        "the cookie `BearerToken` of Kusk does not go to the upstream; the header does",
    );
    match oauth2.texts("pass_through_matcher", notes) {
        Some(paths) => exact_paths(
            &paths,
            &oauth2.at("pass_through_matcher"),
            options,
            &mut draft,
            notes,
        ),
        None => notes.stricter(
            oauth2.at("pass_through_matcher"),
            "is not written, and with Kusk `/` was then public; here everything needs a login",
        ),
    }
    logins_are_stricter(notes);
    draft.finish()
}

fn paths(oauth2: &Part<'_>, draft: &mut Draft, notes: &mut Notes) {
    let uri = oauth2.text("redirect_uri", notes);
    let matcher = oauth2.text("redirect_path_matcher", notes);
    let callback = uri.and_then(issuer::path_of);
    match (callback, matcher) {
        (Some(callback), Some(matcher)) if callback == matcher => draft.callback(callback, notes),
        _ => notes.decide(oauth2.at("redirect_uri"), "and `redirect_path_matcher` are not the same path; the callback is `/oauth2/callback` until `paths.callback` says otherwise"),
    }
    if let Some(path) = oauth2.text("signout_path", notes) {
        draft.set("/paths/logout", json!(path));
    }
}

/// Public paths, which Envoy compared with their query.
fn exact_paths(paths: &[&str], at: &str, options: &Options, draft: &mut Draft, notes: &mut Notes) {
    for (index, path) in paths.iter().enumerate() {
        let at = format!("{at}[{index}]");
        if options.any_query {
            pattern::with_any_query(&at, path, notes);
            draft.rules(
                pattern::exactly(path)
                    .map(|public| public.rules)
                    .unwrap_or_default(),
            );
        } else {
            pattern::without_query(&at, path, notes);
        }
    }
}

/// What every login here asks and Envoy's filter does not.
pub(crate) fn logins_are_stricter(notes: &mut Notes) {
    notes.stricter("", "a login checks the ID token (signature, issuer, audience, nonce, times), binds the answer to the browser by state, nonce and PKCE, and ends after `session.idle_timeout` (1h) without a request and `session.lifetime` (8h) at most");
    notes.stricter(
        "",
        "what is no navigation (XHR, fetch, gRPC, POST) gets 401 and no redirect",
    );
    notes.stricter(
        "",
        "headers that Portero sets are removed from every request first, on public paths as well",
    );
    notes.remains(
        "",
        "everybody has to log in once more: sessions of the source are not taken over",
    );
}
