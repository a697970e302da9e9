//! Access tokens of issuers whose keys, or the way to them, are written by hand.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jwt_simple::prelude::{
    Claims, Duration, ECDSAP256KeyPairLike as _, ES256KeyPair, Ed25519KeyPair,
    EdDSAKeyPairLike as _, HS256Key, HS384Key, HS512Key, HeaderOptions, JWTClaims, MACLike as _,
    RS256KeyPair, RSAKeyPairLike as _,
};
use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::access_token::{AccessToken, with_token, world_with};
use crate::bearer::is_refused;
use crate::signer::Signer;
use crate::world::{World, seconds};

const ISSUER: &str = "https://machines.example.com/";
const AUDIENCE: &str = "orders";
const SECRET: &str = "a secret of the tests that is long enough for each of the hashes";
const OTHER_SECRET: &str = "another secret that is as long, but which nobody here has said so";

fn world(keys: Value) -> World {
    world_like(keys, |_| ())
}

/// A world that believes one issuer alone, by these keys.
fn world_like(keys: Value, change: impl FnOnce(&mut Value)) -> World {
    World::with(|settings| {
        let mut policy = json!({"audiences": [AUDIENCE], "keys": keys});
        change(&mut policy);
        settings["providers"] = json!({"machines": {"issuer": ISSUER, "access_tokens": policy}});
    })
}

fn secret(algorithm: &str) -> Value {
    json!({"secret": {"value": SECRET, "algorithm": algorithm}})
}

fn token(world: &World) -> AccessToken {
    AccessToken::of(world)
        .with("iss", json!(ISSUER))
        .with("aud", json!(AUDIENCE))
}

type Said = JWTClaims<Value>;
type Sign = dyn Fn(Said, &HeaderOptions) -> String;

/// Signs with a key that no [`Signer`] has.
fn signed(
    world: &World,
    token: AccessToken,
    sign: impl FnOnce(Said, &HeaderOptions) -> String,
) -> String {
    let said = Claims::with_custom_claims(token.claims, Duration::from_secs(0));
    let said = Said {
        issued_at: None,
        expires_at: None,
        invalid_before: None,
        ..said
    };
    let options = HeaderOptions {
        signature_type: token.header["typ"].as_str().map(str::to_owned),
        ..HeaderOptions::default()
    };
    let token = sign(said, &options);
    world.land.keep_secret(&token);
    token
}

fn hs256(key: &[u8]) -> impl FnOnce(Said, &HeaderOptions) -> String {
    let key = HS256Key::from_bytes(key);
    move |said, options| key.authenticate_with_options(said, options).unwrap()
}

/// One of the private keys of the tests.
struct Private {
    /// The public half.
    pem: String,
    sign: Box<Sign>,
}

fn rsa() -> Private {
    let key = RS256KeyPair::from_pem(include_str!("../fixtures/keys/private/rsa.pem")).unwrap();
    Private {
        pem: key.public_key().to_pem().unwrap(),
        sign: Box::new(move |said, options| key.sign_with_options(said, options).unwrap()),
    }
}

fn p256() -> Private {
    let key = ES256KeyPair::from_pem(include_str!("../fixtures/keys/private/p256.pem")).unwrap();
    Private {
        pem: key.public_key().to_pem().unwrap(),
        sign: Box::new(move |said, options| key.sign_with_options(said, options).unwrap()),
    }
}

fn ed25519() -> Private {
    let key = include_str!("../fixtures/keys/private/ed25519.pem");
    let key = Ed25519KeyPair::from_pem(key).unwrap();
    Private {
        pem: key.public_key().to_pem(),
        sign: Box::new(move |said, options| key.sign_with_options(said, options).unwrap()),
    }
}

#[track_caller]
fn gets_in(world: &World, token: &str) {
    world.worker.serve(with_token("/orders", token)).forwarded();
    assert!(world.provider.calls.borrow().is_empty(), "nobody is asked");
}

#[track_caller]
fn refuses(world: &World, token: &str, code: &str) {
    is_refused(&world.worker.serve(with_token("/orders", token)), code);
    assert!(world.provider.calls.borrow().is_empty(), "nobody is asked");
}

#[test]
fn a_public_key_as_pem_lets_its_own_tokens_in_and_no_others() {
    for (key, stranger) in [
        (rsa(), Signer::rs256("other")),
        (p256(), Signer::es256("other", 9)),
        (ed25519(), Signer::es256("other", 9)),
    ] {
        let world = world(json!([{ "pem": key.pem }]));
        let good = signed(&world, token(&world), &key.sign);
        gets_in(&world, &good);
        // With the name of a key there is one to blame, unless it is of another kind.
        let named = match key.pem == ed25519().pem {
            true => "access_token_key_unknown",
            false => "access_token_signature_invalid",
        };
        for (kid, code) in [("kid", named), ("x", "access_token_key_unknown")] {
            let mut other = token(&world);
            other.signer = stranger;
            other.header = json!({"alg": stranger.algorithm(), "typ": "at+jwt", kid: "other"});
            refuses(&world, &other.signed(&world), code);
        }
    }
}

#[test]
fn of_several_keys_each_lets_its_own_tokens_in() {
    let keys = [rsa(), p256(), ed25519()];
    let mut written: Vec<Value> = keys.iter().map(|key| json!({"pem": key.pem})).collect();
    written.push(secret("HS256"));
    let world = world(json!(written));
    for key in &keys {
        let token = signed(&world, token(&world), &key.sign);
        gets_in(&world, &token);
    }
    let good = signed(&world, token(&world), hs256(SECRET.as_bytes()));
    gets_in(&world, &good);
    let other = signed(&world, token(&world), hs256(OTHER_SECRET.as_bytes()));
    refuses(&world, &other, "access_token_key_unknown");
}

#[test]
fn a_secret_counts_for_its_own_algorithm_alone() {
    let tokens = |world: &World| {
        let key = SECRET.as_bytes();
        [
            ("HS256", signed(world, token(world), hs256(key))),
            (
                "HS384",
                signed(world, token(world), |said, options| {
                    let key = HS384Key::from_bytes(key);
                    key.authenticate_with_options(said, options).unwrap()
                }),
            ),
            (
                "HS512",
                signed(world, token(world), |said, options| {
                    let key = HS512Key::from_bytes(key);
                    key.authenticate_with_options(said, options).unwrap()
                }),
            ),
        ]
    };
    for accepted in ["HS256", "HS384", "HS512"] {
        let world = world(json!([secret(accepted)]));
        for (algorithm, token) in tokens(&world) {
            match algorithm == accepted {
                true => gets_in(&world, &token),
                false => refuses(&world, &token, "access_token_algorithm_refused"),
            }
        }
    }
}

#[test]
fn a_secret_in_base64_is_what_it_stands_for() {
    let bytes: Vec<u8> = (0..32).map(|number| 255 - number).collect();
    let text = STANDARD.encode(&bytes);
    let key = json!({"secret": {"value": text, "algorithm": "HS256", "base64": true}});
    let world = world(json!([key]));
    let good = signed(&world, token(&world), hs256(&bytes));
    gets_in(&world, &good);
    let of_the_text = signed(&world, token(&world), hs256(text.as_bytes()));
    refuses(&world, &of_the_text, "access_token_key_unknown");
}

/// Everybody has the public key (RFC 8725 section 2.1).
#[test]
fn the_text_of_a_public_key_is_no_secret() {
    let pem = rsa().pem;
    let contents = pem_contents(&pem);
    let beside = json!([{ "pem": pem }, secret("HS256")]);
    for (keys, code) in [
        (json!([{ "pem": pem }]), "access_token_algorithm_refused"),
        (beside, "access_token_key_unknown"),
    ] {
        let world = world(keys);
        for key in [pem.as_bytes(), pem.trim_end().as_bytes(), &contents] {
            let confused = signed(&world, token(&world), hs256(key));
            refuses(&world, &confused, code);
        }
    }
}

fn pem_contents(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

#[test]
fn keys_are_fetched_from_where_the_configuration_says_and_nothing_is_discovered() {
    let world = world_with(|settings| {
        settings["providers"]["corp"]["endpoints"] = json!({
            "authorization": "https://idp.example.com/authorize",
            "token": "https://idp.example.com/token",
            "jwks": "https://idp.example.com/keys",
        });
    });
    let good = AccessToken::of(&world).signed(&world);
    world.worker.serve(with_token("/", &good)).forwarded();
    let mut other = AccessToken::of(&world);
    other.signer = Signer::es256("first", 9);
    let refused = world.worker.serve(with_token("/", &other.signed(&world)));
    is_refused(&refused, "access_token_signature_invalid");
    assert_eq!(world.provider.called(Purpose::Jwks), 1);
    assert_eq!(world.provider.called(Purpose::Discovery), 0);
}

#[test]
fn clocks_may_be_apart_as_far_as_configured_and_no_further() {
    let key = p256();
    for (text, skew) in [("0s", 0), ("5m", 300)] {
        let fresh = || {
            world_like(json!([{ "pem": key.pem }]), |policy| {
                policy["clock_skew"] = json!(text);
            })
        };
        for (claim, good, bad, code) in [
            ("exp", 1 - skew, -skew, "access_token_expired"),
            ("nbf", skew, skew + 1, "access_token_not_yet_valid"),
            ("iat", skew, skew + 1, "access_token_issued_in_future"),
        ] {
            let world = fresh();
            let now = i64::try_from(world.land.now().as_millis() / 1000).unwrap();
            let at = |offset: i64| {
                let token = token(&world).with(claim, json!(now + offset));
                signed(&world, token, &key.sign)
            };
            gets_in(&world, &at(good));
            refuses(&world, &at(bad), code);
        }
        // Nor does a token that was good once count longer.
        let world = fresh();
        let good = signed(&world, token(&world), &key.sign);
        world.pass(seconds(299 + skew.unsigned_abs()));
        gets_in(&world, &good);
        world.pass(seconds(1));
        refuses(&world, &good, "access_token_expired");
    }
}

#[test]
fn a_token_may_be_made_for_as_long_as_configured_and_no_longer() {
    for profile in ["rfc9068", "lenient"] {
        let world = world_like(json!([secret("HS256")]), |policy| {
            policy["max_lifetime"] = json!("2h");
            policy["profile"] = json!(profile);
        });
        let now = world.land.now().as_millis() / 1000;
        let made = |token: AccessToken| signed(&world, token, hs256(SECRET.as_bytes()));
        gets_in(&world, &made(token(&world).with("exp", json!(now + 7200))));
        let long = made(token(&world).with("exp", json!(now + 7201)));
        refuses(&world, &long, "access_token_lifetime_too_long");
        // It is the time from `iat` on that counts, not what is left of it.
        let old = token(&world)
            .with("iat", json!(now - 7000))
            .with("exp", json!(now + 300));
        refuses(&world, &made(old), "access_token_lifetime_too_long");
        let ageless = made(token(&world).with("iat", Value::Null));
        refuses(&world, &ageless, "access_token_claim_missing");
    }
}
