//! The listeners that are compared. Each answers by itself, right behind its filters; a request with the header `x-shown` goes on to the
//! upstream instead, which shows what would have reached it.
use portero::jose::Algorithm;
use portero_envoy_tests::envoy::{SESSION_KEY, configuration};
use portero_envoy_tests::{Filter, Provider, Setup, Upstream, artifact};
use serde_json::{Value, json};

use crate::credentials::{AUDIENCE, key_set};

/// Sends a request on to the upstream.
pub const SHOWN: &str = "x-shown";

/// A cache that the credentials which are to be new each time do not fit into.
pub const SMALL_CACHE: usize = 1 << 20;

/// The issuer of [`bearer`]'s tokens of this algorithm.
pub fn issuer(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Es256 => "https://es.example.com",
        _ => "https://rs.example.com",
    }
}

/// No filter but the router.
pub fn none(upstream: &Upstream) -> Setup {
    Setup::new(upstream).manager(
        "/route_config",
        json!({"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"match": {"prefix": "/", "headers": [{"name": SHOWN, "present_match": true}]}, "route": {"cluster": "upstream"}},
            {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}},
        ]}]}),
    )
}

/// A Wasm filter that does nothing.
pub fn empty(upstream: &Upstream) -> Setup {
    none(upstream).filter(Filter::new("empty", artifact::empty(), json!({})))
}

/// Portero with this configuration.
pub fn portero(provider: &Provider, upstream: &Upstream, configuration: &Value) -> Setup {
    none(upstream)
        .cluster("idp", provider.address())
        .env("OIDC_CLIENT_SECRET", &provider.client().secret)
        .env("SESSION_KEY", SESSION_KEY)
        .filter(Filter::new(
            "portero",
            artifact::portero(),
            configuration.clone(),
        ))
}

/// Sessions that tell the upstream four things, and everything below `/public` open to everybody.
pub fn sessions(provider: &Provider) -> Value {
    let mut whole = configuration(provider);
    whole["session"]["lifetime"] = json!("9h");
    whole["session"]["idle_timeout"] = json!("9h");
    whole["rules"] = json!([{"match": {"path": {"prefix": "/public"}}, "access": "public"}]);
    whole["upstream"]["headers"] = json!({
        "x-user": {"claim": "preferred_username"},
        "x-user-email": {"claim": "email"},
        "x-roles": {"claim": "roles"},
        "authorization": {"access_token": "bearer"},
    });
    whole
}

/// Access tokens of two issuers, with keys written by hand, that tell the upstream four things.
pub fn bearer() -> Value {
    let provider = |algorithm| {
        json!({"issuer": issuer(algorithm), "access_tokens": {
            "audiences": [AUDIENCE],
            "profile": "lenient",
            "keys": [{"jwk": key_set(algorithm)["keys"][0]}],
        }})
    };
    json!({
        "providers": {"rs": provider(Algorithm::Rs256), "es": provider(Algorithm::Es256)},
        "session": {"keys": [{"env": "SESSION_KEY"}]},
        "upstream": {"headers": {
            "x-user": {"claim": "sub"},
            "x-user-email": {"claim": "email"},
            "x-client": {"claim": "client_id"},
            "x-scope": {"claim": "scope"},
        }},
    })
}

/// Envoy's own filter for JSON Web Tokens: it tells the upstream four things.
pub fn jwt_authn(issuer: &str, audience: &str, keys: &Value, cached: bool, forward: bool) -> Value {
    let claims = [
        ("x-user", "sub"),
        ("x-user-email", "email"),
        ("x-client", "client_id"),
        ("x-scope", "scope"),
    ]
    .map(|(header, claim)| json!({"header_name": header, "claim_name": claim}));
    let mut provider = json!({
        "issuer": issuer,
        "audiences": [audience],
        "local_jwks": {"inline_string": keys.to_string()},
        "forward": forward,
        "claim_to_headers": claims,
    });
    if cached {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": 100});
    }
    json!({"name": "jwt_authn", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"issuer": provider},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}],
    }})
}

/// Envoy's own filter for logins. Its token endpoint is the cluster `tokens`, which gives what [`crate::compare`] makes.
pub fn oauth2() -> Value {
    let secret = |name: &str| json!({"name": name});
    json!({"name": "oauth2", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.oauth2.v3.OAuth2",
        "config": {
            "authorization_endpoint": "https://idp.example.com/auth",
            "token_endpoint": {"cluster": "tokens", "uri": "http://idp.example.com/token", "timeout": "5s"},
            "redirect_uri": "%REQ(:scheme)%://%REQ(:authority)%/oauth2/callback",
            "redirect_path_matcher": {"path": {"exact": "/oauth2/callback"}},
            "signout_path": {"path": {"exact": "/oauth2/logout"}},
            "credentials": {
                "client_id": "gateway",
                "token_secret": secret("client"),
                "hmac_secret": secret("hmac"),
            },
            "auth_scopes": ["openid", "profile", "email"],
            "forward_bearer_token": true,
        },
    }})
}

/// The secrets that [`oauth2`] names.
pub fn oauth2_secrets() -> Value {
    let secret = |name: &str| json!({"name": name, "generic_secret": {"secret": {"inline_string": SESSION_KEY}}});
    json!([secret("client"), secret("hmac")])
}
