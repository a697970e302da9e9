//! Access tokens of issuers whose keys are written by hand, and of both profiles.
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_simple::prelude::{
    Claims, Duration, ECDSAP256KeyPairLike as _, ES256KeyPair, HS256Key, HeaderOptions, JWTClaims,
    MACLike as _,
};
use portero_envoy_tests::{Envoy, Request, Upstream, portero, provider_with_switches};
use serde_json::{Value, json};

const API: &str = "urn:portero:test-api";
const SECRETS: &str = "https://secrets.example.com/";
const PEMS: &str = "https://pems.example.com/";
const SECRET: &str = "a secret of the tests that is long enough for its hash";

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs()
}

fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer, "sub": "orders", "aud": API, "client_id": "orders", "jti": "token-1",
        "iat": now(), "exp": now() + 300,
    })
}

/// For another hand to sign: the claims as they are, and `typ`.
fn said(claims: Value, typ: &str) -> (JWTClaims<Value>, HeaderOptions) {
    let mut said = Claims::with_custom_claims(claims, Duration::from_secs(0));
    (said.issued_at, said.expires_at, said.invalid_before) = (None, None, None);
    let options = HeaderOptions {
        signature_type: Some(typ.to_owned()),
        ..HeaderOptions::default()
    };
    (said, options)
}

fn by_secret(secret: &[u8], claims: Value, typ: &str) -> String {
    let (said, options) = said(claims, typ);
    let token = HS256Key::from_bytes(secret).authenticate_with_options(said, &options);
    token.expect("a token")
}

fn by_key(key: &ES256KeyPair, claims: Value, typ: &str) -> String {
    let (said, options) = said(claims, typ);
    key.sign_with_options(said, &options).expect("a token")
}

/// The status and the code with which a token ends.
fn end(envoy: &Envoy, token: &str) -> (u16, Option<String>) {
    let request = Request::get("/orders").header("authorization", format!("Bearer {token}"));
    let response = envoy.send(&request);
    (response.status, response.code())
}

#[track_caller]
fn is_refused(envoy: &Envoy, token: &str, code: &str) {
    assert_eq!(end(envoy, token), (401, Some(code.to_owned())));
}

#[test]
fn issuers_with_keys_by_hand_are_believed_by_those_and_by_their_own_profile() {
    let provider = provider_with_switches!();
    let upstream = Upstream::start();
    let key = ES256KeyPair::generate();
    let pem = key.public_key().to_pem().expect("a PEM text");
    let envoy = portero(&provider, &upstream)
        .env("TOKEN_SECRET", SECRET)
        .configure(|config| {
            let secret = json!({"value": {"env": "TOKEN_SECRET"}, "algorithm": "HS256"});
            config["providers"]["secrets"] = json!({
                "issuer": SECRETS,
                "access_tokens": {"audiences": [API], "profile": "lenient", "keys": [{"secret": secret}]},
            });
            config["providers"]["pems"] = json!({
                "issuer": PEMS,
                "access_tokens": {"audiences": [API], "keys": [{"pem": pem}], "max_lifetime": "10m"},
            });
        })
        .start();

    let secret = SECRET.as_bytes();
    for token in [
        by_secret(secret, claims(SECRETS), "JWT"),
        by_secret(secret, claims(SECRETS), "at+jwt"),
        by_key(&key, claims(PEMS), "at+jwt"),
    ] {
        assert_eq!(end(&envoy, &token), (200, None));
        upstream.only();
        upstream.forget();
    }

    let strict = by_key(&key, claims(PEMS), "JWT");
    is_refused(&envoy, &strict, "access_token_type_mismatch");
    let mut id_token = claims(SECRETS);
    id_token["nonce"] = json!("n");
    let id_token = by_secret(secret, id_token, "JWT");
    is_refused(&envoy, &id_token, "access_token_type_mismatch");

    let guessed = by_secret(
        b"a guess that is as long as the secret of the tests is",
        claims(SECRETS),
        "JWT",
    );
    is_refused(&envoy, &guessed, "access_token_key_unknown");
    let strange = by_key(&ES256KeyPair::generate(), claims(PEMS), "at+jwt");
    is_refused(&envoy, &strange, "access_token_key_unknown");
    // Everybody has the public key (RFC 8725 section 2.1), and each issuer has keys of its own.
    for issuer in [PEMS, SECRETS] {
        let code = match issuer {
            PEMS => "access_token_algorithm_refused",
            _ => "access_token_key_unknown",
        };
        let confused = by_secret(pem.as_bytes(), claims(issuer), "at+jwt");
        is_refused(&envoy, &confused, code);
    }
    let crossed = by_secret(secret, claims(PEMS), "at+jwt");
    is_refused(&envoy, &crossed, "access_token_algorithm_refused");

    let mut lasting = claims(PEMS);
    lasting["exp"] = json!(now() + 700);
    let lasting = by_key(&key, lasting, "at+jwt");
    is_refused(&envoy, &lasting, "access_token_lifetime_too_long");
    let mut lasting = claims(SECRETS);
    lasting["exp"] = json!(now() + 30 * 86_400);
    let lasting = by_secret(secret, lasting, "JWT");
    assert_eq!(end(&envoy, &lasting), (200, None));

    assert_eq!(upstream.requests().len(), 1);
    envoy.assert_unharmed();
}
