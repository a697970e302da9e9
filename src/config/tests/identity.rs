//! The signed identity that the upstream gets.

use super::*;

const AT: &str = "upstream.identity";
const P256: &str = include_str!("../../../tests/fixtures/keys/private/p256.pem");
const RSA: &str = include_str!("../../../tests/fixtures/keys/private/rsa.pem");

fn identity() -> Value {
    json!({
        "issuer": "https://app.example.com",
        "audience": "https://orders.internal",
        "keys": [{"key": P256}],
    })
}

fn with_identity(change: impl FnOnce(&mut Value)) -> Value {
    let mut identity = identity();
    change(&mut identity);
    with("/upstream/identity", identity)
}

#[track_caller]
fn refuses(change: impl FnOnce(&mut Value), at: &str, words: &str) {
    refused(&with_identity(change), &format!("{AT}.{at}"), words);
}

fn rule(rule: &Value) -> Value {
    let mut whole = with_identity(|_| ());
    put(&mut whole, "/rules", json!([rule]));
    whole
}

#[test]
fn without_it_nothing_is_signed_and_nothing_published() {
    let config = accepted(&parsed(MINIMAL));
    assert!(config.upstream.identity.is_none());
    assert_eq!(config.paths.identity_keys, None);
}

#[test]
fn issuer_audience_and_a_key_are_enough() {
    let config = accepted(&with_identity(|_| ()));
    let identity = config.upstream.identity.unwrap();
    assert_eq!(identity.header, "x-portero-identity");
    assert_eq!(identity.issuer, "https://app.example.com");
    assert_eq!(identity.audience, "https://orders.internal");
    assert_eq!(identity.lifetime, Duration::from_secs(60));
    assert!(identity.claims.is_empty());
    assert_eq!(identity.most_kept, 1);
    assert_eq!(
        config.paths.identity_keys.as_deref(),
        Some("/oauth2/identity-keys")
    );
    let keys = parsed(&identity.key_set);
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    // The thumbprint is the key's name.
    assert_eq!(keys["keys"][0]["kid"].as_str().unwrap().len(), 43);
    assert_eq!(identity.keys[0].key_id(), keys["keys"][0]["kid"].as_str());
    assert_eq!(keys["keys"][0]["alg"], "ES256");
}

#[test]
fn what_has_to_be_written_is_missed() {
    for (key, words) in [
        ("issuer", "an https URL that names Portero"),
        ("audience", "what the upstream calls itself"),
        ("keys", "a list of keys, of which the first signs"),
    ] {
        let leave_out = |identity: &mut Value| {
            identity.as_object_mut().unwrap().remove(key);
        };
        refuses(leave_out, key, words);
    }
}

#[test]
fn the_issuer_is_a_url_of_porteros_own() {
    for (issuer, words) in [
        ("http://app.example.com", "accepted: an absolute https URL"),
        ("portero", "accepted: an absolute https URL"),
        ("https://app.example.com/?a=b", "carries a query"),
        ("https://idp.example.com/realms/acme/", "is a provider's"),
    ] {
        refuses(|it| it["issuer"] = json!(issuer), "issuer", words);
    }
    refuses(|it| it["audience"] = json!(""), "audience", "is empty");
}

#[test]
fn its_header_is_set_by_nothing_else() {
    for (header, words) in [
        ("cookie", "is a header that Portero must not set"),
        ("x-forwarded-user", "is a header that Portero must not set"),
        ("two words", "is not a header name"),
        ("Authorization", "is where callers show what they have"),
    ] {
        refuses(|it| it["header"] = json!(header), "header", words);
    }
    for header in ["x-userinfo", "X_Userinfo"] {
        let words =
            "is the same header as one of `headers`, of `consumers` or of `upstream_tokens`";
        refuses(|it| it["header"] = json!(header), "header", words);
    }
    let mut whole = with_identity(|it| it["header"] = json!("x-consumer-id"));
    assert!(faults(&whole).is_empty());
    put(&mut whole, "/consumers", json!({}));
    refused(&whole, &format!("{AT}.header"), "is the same header");
    let mut whole = with_identity(|it| it["header"] = json!("x-orders-token"));
    put(
        &mut whole,
        "/upstream_tokens",
        json!({"orders": {"header": "x_orders_token"}}),
    );
    put(&mut whole, "/upstream/tokens", json!(["orders"]));
    refused(&whole, &format!("{AT}.header"), "is the same header");
    let config = accepted(&with_identity(|it| it["header"] = json!("X-Caller")));
    assert_eq!(config.upstream.identity.unwrap().header, "x-caller");
}

#[test]
fn keys_have_a_name_each_and_the_first_signs() {
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "kid": "its own",
        "d": "ya-p2EW6dRZrXCFXZ7HWk05QwynbOxKPK3YmsShuZyE",
    });
    let keys = json!([
        {"key": P256, "key_id": "2026-11"},
        {"key": jwk.to_string()},
        {"key": RSA, "algorithm": "PS256"},
    ]);
    let config = accepted(&with_identity(|it| it["keys"] = keys));
    let identity = config.upstream.identity.unwrap();
    assert_eq!(identity.keys[0].key_id(), Some("2026-11"));
    let published = parsed(&identity.key_set);
    let published = published["keys"].as_array().unwrap();
    let names: Vec<_> = published.iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(names[..2], [json!("2026-11"), json!("its own")]);
    assert_eq!(published[2]["alg"], "PS256");

    let twice = json!([{"key": P256}, {"key": P256}]);
    refuses(
        |it| it["keys"] = twice,
        "keys[1].key_id",
        "is that of another key",
    );
    refuses(|it| it["keys"] = json!([]), "keys", "is empty");
    let many = vec![json!({"key": P256}); 17];
    refuses(|it| it["keys"] = json!(many), "keys", "has 17 entries");
}

#[test]
fn a_key_is_one_that_signs() {
    let public = include_str!("../../../tests/fixtures/keys/p256.pem");
    for (key, at, words) in [
        (json!({}), "key", "is missing"),
        (json!({"key": public}), "key", "is a public key"),
        (
            json!({"key": P256, "algorithm": "HS256"}),
            "algorithm",
            "is not an algorithm for this",
        ),
        (
            json!({"key": P256, "algorithm": "RS256"}),
            "key",
            "is not a key for that algorithm",
        ),
        (json!({"key": P256, "key_id": ""}), "key_id", "is empty"),
    ] {
        refuses(
            |it| it["keys"] = json!([key]),
            &format!("keys[0].{at}"),
            words,
        );
    }
}

#[test]
fn claims_have_names_that_are_not_porteros() {
    for name in ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "idp"] {
        refuses(
            |it| it["claims"][name] = json!({"claim": "email"}),
            &format!("claims.{name}"),
            "is a claim that only Portero sets",
        );
    }
    refuses(
        |it| it["claims"][""] = json!({"claim": "email"}),
        "claims[\"\"]",
        "is empty or too long",
    );
    refuses(
        |it| it["claims"]["email"] = json!({"userinfo": "base64_json"}),
        "claims.email",
        "is no single claim; accepted: claim, access_token_claim",
    );
    refuses(
        |it| it["claims"]["email"] = json!({"claim": []}),
        "claims.email.claim",
        "is empty",
    );
    let claims = json!({
        "roles": {"claim": ["resource_access", "web", "roles"]},
        "client_id": {"access_token_claim": "azp"},
    });
    let config = accepted(&with_identity(|it| it["claims"] = claims));
    let upstream = &config.upstream;
    let identity = upstream.identity.as_ref().unwrap();
    let names: Vec<&str> = identity.claims.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["client_id", "roles"]);
    // Sessions keep what it says.
    let azp = HeaderSource::AccessTokenClaim(vec!["azp".to_owned()]);
    assert!(upstream.sources().any(|source| *source == azp));
}

#[test]
fn it_lasts_a_while_and_not_long() {
    for span in ["9s", "1h1s"] {
        refuses(
            |it| it["lifetime"] = json!(span),
            "lifetime",
            "accepted: 10s to 1h",
        );
    }
}

#[test]
fn a_rule_may_be_for_another_upstream() {
    let config = accepted(&rule(
        &json!({"identity_audience": "https://reports.internal"}),
    ));
    let identity = config.upstream.identity.as_ref().unwrap();
    assert_eq!(identity.most_kept, 2);
    let of = |rule| config.identity_audience(identity, rule);
    assert_eq!(of(Some(0)), "https://reports.internal");
    assert_eq!(of(None), "https://orders.internal");

    let at = "rules[0].identity_audience";
    refused(
        &rule(
            &json!({"identity_audience": "a", "access": "public", "match": {"path": {"prefix": "/x"}}}),
        ),
        at,
        "stands in a public rule",
    );
    refused(&rule(&json!({"identity_audience": ""})), at, "is empty");
    let alone = with("/rules", json!([{"identity_audience": "a"}]));
    refused(&alone, at, "is the audience of nothing");
}

#[test]
fn the_path_of_its_keys_is_its_own() {
    let at = "paths.identity_keys";
    let mut whole = with_identity(|_| ());
    put(&mut whole, "/paths/identity_keys", json!("/keys"));
    let config = accepted(&whole);
    assert_eq!(config.paths.identity_keys.as_deref(), Some("/keys"));
    for (path, words) in [
        ("/oauth2/logout", "is the same as another of `paths`"),
        ("keys", "does not start with `/`"),
        ("/", "is the root of the site"),
    ] {
        put(&mut whole, "/paths/identity_keys", json!(path));
        refused(&whole, at, words);
    }
    refused(
        &with("/paths/identity_keys", json!("/keys")),
        at,
        "is for keys that nothing is signed with",
    );
    let metadata = "/.well-known/oauth-protected-resource/mcp";
    put(&mut whole, "/paths/identity_keys", json!(metadata));
    put(
        &mut whole,
        "/providers/corp/access_tokens",
        json!({"audiences": ["https://app.example.com/mcp"]}),
    );
    let resources = json!([{"resource": "https://app.example.com/mcp"}]);
    put(&mut whole, "/protected_resources", resources);
    refused(
        &whole,
        "protected_resources[0].resource",
        "has its metadata at a path that is one of `paths`",
    );
}

/// One fault is told, and not what follows from it.
#[test]
fn a_fault_in_it_is_the_only_one() {
    let mut whole = with_identity(|it| it["audience"] = json!(5));
    put(&mut whole, "/paths/identity_keys", json!("/keys"));
    put(&mut whole, "/rules", json!([{"identity_audience": "a"}]));
    refused(&whole, &format!("{AT}.audience"), "is a number");
    put(&mut whole, "/upstream/identity", json!(5));
    refused(&whole, AT, "is a number");
}

#[test]
fn its_keys_are_not_printed() {
    let secret = "ya-p2EW6dRZrXCFXZ7HWk05QwynbOxKPK3YmsShuZyE";
    let jwk = json!({"kty": "EC", "crv": "P-256", "d": secret}).to_string();
    let config = accepted(&with_identity(|it| it["keys"] = json!([{"key": jwk}])));
    assert!(!format!("{config:#?}").contains(secret));
}
