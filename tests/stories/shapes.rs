//! Whole tokens as products issue them, which is not quite as RFC 9068 has them.

use serde_json::{Map, Value, json};

use crate::access_token::with_token;
use crate::bearer::is_refused;
use crate::signer::Signer;
use crate::world::World;

const KEY: Signer = Signer::es256("2026-01", 5);
const CLIENT: &str = "2f6c1a9e-5b1d-4c0e-9a57-0f2f3b6f7c11";
const API: &str = "https://orders.example.com";
const TENANT: &str = "7d0f4f0a-33d5-4c8b-8a2e-3d2a2f9b8e10";

/// What a product issues, without `iss`, `iat` and `exp`.
struct Product {
    issuer: String,
    /// What the header has beside `alg` and `kid`.
    header: Value,
    access_token: Value,
    /// From a login at [`CLIENT`].
    id_token: Value,
    /// What the access token meets and the other does not.
    met: Value,
    unmet: Value,
}

/// A world where people log in at the product, and whose API takes its access tokens.
fn world(product: &Product, profile: &str, rule: &Value) -> World {
    World::with(|settings| {
        let corp = &mut settings["providers"]["corp"];
        corp["issuer"] = json!(product.issuer);
        corp["client"]["id"] = json!(CLIENT);
        corp["access_tokens"] = json!({
            "audiences": [API],
            "profile": profile,
            "keys": [{"jwk": KEY.jwk()}],
        });
        settings["rules"] = json!([{ "require": rule }]);
    })
}

fn signed(world: &World, product: &Product, claims: &Value) -> String {
    let now = world.land.now().as_millis() / 1000;
    let mut header = product.header.clone();
    header["alg"] = json!(KEY.algorithm());
    header["kid"] = json!(KEY.kid);
    let mut all = Map::new();
    all.insert("iss".to_owned(), json!(product.issuer));
    all.insert("iat".to_owned(), json!(now - 5));
    all.insert("exp".to_owned(), json!(now + 3600));
    all.extend(claims.as_object().unwrap().clone());
    let token = KEY.sign(&header, &Value::from(all).to_string());
    world.land.keep_secret(&token);
    token
}

fn is_as_it_should_be(product: &Product) {
    let access_token = |world: &World| signed(world, product, &product.access_token);
    let met = world(product, "lenient", &product.met);
    let token = access_token(&met);
    met.worker.serve(with_token("/orders", &token)).forwarded();
    let unmet = world(product, "lenient", &product.unmet);
    let token = access_token(&unmet);
    let outcome = unmet.worker.serve(with_token("/orders", &token));
    let end = (outcome.status(), outcome.code());
    assert_eq!(end, (403, "access_forbidden".to_owned()));
    let strict = world(product, "rfc9068", &product.met);
    let token = access_token(&strict);
    is_refused(
        &strict.worker.serve(with_token("/orders", &token)),
        "access_token_type_mismatch",
    );

    // Nor is the ID token one where it is for us too, and without what only ID tokens have.
    let mut for_both = product.id_token.clone();
    for_both["aud"] = json!([CLIENT, API]);
    let mut bare = for_both.clone();
    for claim in ["nonce", "at_hash"] {
        bare.as_object_mut().unwrap().remove(claim);
    }
    for claims in [&product.id_token, &for_both, &bare] {
        is_no_access_token(product, claims);
    }
}

/// Whether people log in there or not, so that its clients are not known.
fn is_no_access_token(product: &Product, claims: &Value) {
    let logging_in = world(product, "lenient", &product.met);
    let without_client = World::with(|settings| {
        settings.clone_from(&logging_in.settings);
        let corp = settings["providers"]["corp"].as_object_mut().unwrap();
        corp.remove("client");
        corp["access_tokens"]["audiences"] = json!([API, CLIENT]);
    });
    for world in [logging_in, without_client] {
        let token = signed(&world, product, claims);
        let outcome = world.worker.serve(with_token("/orders", &token));
        is_refused(&outcome, "access_token_type_mismatch");
        assert!(world.provider.calls.borrow().is_empty());
    }
}

#[test]
fn keycloak() {
    is_as_it_should_be(&Product {
        issuer: "https://sso.example.com/realms/acme".to_owned(),
        header: json!({"typ": "JWT"}),
        access_token: json!({
            "auth_time": 1767268000, "jti": "onrtac:5d0c6b1e-7f6a-4c5d-9f7e-0a3c1f4b2d90",
            "aud": [API, "account"], "sub": "b0a9b6b0-3f5f-4e2f-8a36-3a1d4f5c6e77",
            "typ": "Bearer", "azp": "orders-web", "sid": "f3c2a0f4-1c6b-4f5e-8b8a-2f6f0f0a9d11",
            "acr": "1", "allowed-origins": ["https://orders-web.example.com"],
            "realm_access": {"roles": ["default-roles-acme", "clerk"]},
            "resource_access": {
                "orders-web": {"roles": ["editor"]},
                "account": {"roles": ["manage-account", "view-profile"]},
            },
            "scope": "openid email profile", "email_verified": true,
            "preferred_username": "ada", "email": "ada@example.com",
        }),
        id_token: json!({
            "auth_time": 1767268000, "jti": "9a1e7d1c-9d0e-4a55-8e62-8f2c1c7b5a01",
            "aud": CLIENT, "sub": "b0a9b6b0-3f5f-4e2f-8a36-3a1d4f5c6e77", "typ": "ID",
            "azp": CLIENT, "nonce": "n-0S6", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
            "sid": "f3c2a0f4-1c6b-4f5e-8b8a-2f6f0f0a9d11", "acr": "1",
            "realm_access": {"roles": ["clerk"]}, "preferred_username": "ada",
        }),
        met: json!({
            "scopes": {"all_of": ["profile", "email"]},
            "realm_roles": {"any_of": ["clerk"]},
            "client_roles": {"any_of": ["account:view-profile"]},
            "roles": {"any_of": ["editor"]},
        }),
        unmet: json!({"roles": {"any_of": ["view-profile"]}}),
    });
}

#[test]
fn auth0() {
    is_as_it_should_be(&Product {
        issuer: "https://acme.eu.auth0.com/".to_owned(),
        header: json!({"typ": "JWT"}),
        access_token: json!({
            "https://example.com/roles": ["clerk"], "https://example.com/tenant": "acme",
            "sub": "auth0|64f0c2a9b8e1", "aud": [API, "https://acme.eu.auth0.com/userinfo"],
            "scope": "openid profile email read:orders offline_access",
            "azp": "Zb2kq1c8xYtW3n", "permissions": ["read:orders", "cancel:orders"],
        }),
        id_token: json!({
            "https://example.com/roles": ["clerk"], "nickname": "ada", "name": "Ada Lovelace",
            "updated_at": "2026-01-01T11:00:00.000Z", "email": "ada@example.com",
            "email_verified": true, "aud": CLIENT, "sub": "auth0|64f0c2a9b8e1",
            "sid": "kq0h3w", "nonce": "ck1XZQ", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        }),
        met: json!({
            "scopes": {"all_of": ["read:orders"]},
            "claims": [
                {"claim": "permissions", "contains_all": ["cancel:orders", "read:orders"]},
                {"claim": "https://example.com/roles", "contains": "clerk"},
                {"claim": "https://example.com/tenant", "equals": "acme"},
            ],
        }),
        unmet: json!({"claims": [{"claim": "permissions", "contains": "delete:orders"}]}),
    });
}

#[test]
fn okta() {
    is_as_it_should_be(&Product {
        issuer: "https://acme.okta.com/oauth2/default".to_owned(),
        header: json!({}),
        access_token: json!({
            "ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE", "aud": API,
            "cid": "0oabv6kx4qq6h1U5l0h7", "uid": "00ujmkLgagxeRrAg20g3",
            "scp": ["openid", "orders.read"], "auth_time": 1767268000,
            "sub": "ada@example.com", "groups": ["Everyone", "Clerks"],
        }),
        id_token: json!({
            "ver": 1, "jti": "ID.4eAWJOCMB3SX8XewDfVR", "aud": CLIENT, "amr": ["pwd"],
            "idp": "00ok1u7AsAkrwdZL3z0g", "nonce": "HFKXh1", "auth_time": 1767268000,
            "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "sub": "00ujmkLgagxeRrAg20g3",
            "preferred_username": "ada@example.com", "groups": ["Everyone", "Clerks"],
        }),
        met: json!({
            "scopes": {"all_of": ["openid", "orders.read"]},
            "groups": {"any_of": ["Clerks"]},
        }),
        unmet: json!({"scopes": {"any_of": ["orders.write"]}}),
    });
}

fn entra(issuer: String, version: &str, client: &str) -> Product {
    let mut access_token = json!({
        "aud": API, "nbf": 1767268000, "acr": "1", "aio": "AXQAi/8TAAAA", "name": "Ada Lovelace",
        "oid": "6c1f2a4e-0000-4000-8000-2b7d9e1c5f30", "rh": "0.AXkA", "tid": TENANT,
        "roles": ["Orders.Clerk"], "scp": "Orders.Read Orders.Write",
        "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", "uti": "fqiBqXLPj0eQa82S-IYFAA",
    });
    access_token[client] = json!("9b1d3f52-7c0a-4e8e-8f4c-1f0e6a2d7b44");
    access_token["ver"] = json!(version);
    Product {
        issuer,
        header: json!({"typ": "JWT", "x5t": "nOo3ZDrODXEK1jKWhXslHR_KXEg"}),
        access_token,
        id_token: json!({
            "aud": CLIENT, "nbf": 1767268000, "aio": "AXQAi/8TAAAA", "name": "Ada Lovelace",
            "nonce": "678910", "oid": "6c1f2a4e-0000-4000-8000-2b7d9e1c5f30", "rh": "0.AXkA",
            "preferred_username": "ada@example.com", "roles": ["Orders.Clerk"], "tid": TENANT,
            "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "uti": "xO", "ver": version,
        }),
        met: json!({
            "scopes": {"all_of": ["Orders.Read", "Orders.Write"]},
            "roles": {"any_of": ["Orders.Clerk"]},
            "claims": [{"claim": "tid", "equals": TENANT}, {"claim": "ver", "equals": version}],
        }),
        unmet: json!({"scopes": {"any_of": ["Orders.Admin"]}}),
    }
}

#[test]
fn entra_id_in_version_2() {
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    is_as_it_should_be(&entra(issuer, "2.0", "azp"));
}

#[test]
fn entra_id_in_version_1() {
    let issuer = format!("https://sts.windows.net/{TENANT}/");
    is_as_it_should_be(&entra(issuer, "1.0", "appid"));
}

/// What Google gives a service account for an audience is an ID token, and its access tokens are opaque.
#[test]
fn google_for_its_service_accounts() {
    let product = Product {
        issuer: "https://accounts.google.com".to_owned(),
        header: json!({"typ": "JWT"}),
        access_token: json!({}),
        id_token: json!({
            "aud": API, "azp": "113774264463038321964", "sub": "113774264463038321964",
            "email": "orders@acme.iam.gserviceaccount.com", "email_verified": true,
        }),
        met: json!({"claims": [{"claim": "email_verified", "equals": true}]}),
        unmet: json!({}),
    };
    is_no_access_token(&product, &product.id_token);
}
