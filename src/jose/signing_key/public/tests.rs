use jwt_simple::prelude::{
    ECDSAP256PublicKeyLike as _, ES256PublicKey, NoCustomClaims, PS256PublicKey, RS256PublicKey,
    RSAPublicKeyLike as _,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::jose::testing::{encode, set_of};
use crate::jose::{Algorithm, Jws, SigningKey, base64url};
use crate::testing::TestHost;

const P256: &str = include_str!("../../../../tests/fixtures/keys/private/p256.pem");
const RSA: &str = include_str!("../../../../tests/fixtures/keys/private/rsa.pem");

fn parsed(text: &str, algorithm: Option<Algorithm>) -> SigningKey {
    SigningKey::parse(text, algorithm).unwrap()
}

fn token(key: &SigningKey) -> String {
    let claims = json!({"sub": "portero"});
    key.token("JWT", &claims, &TestHost::default()).unwrap()
}

fn bytes(jwk: &Value, member: &str) -> Vec<u8> {
    base64url::decode(jwk[member].as_str().unwrap()).unwrap()
}

#[test]
fn others_verify_with_what_is_published_of_a_key_on_a_curve() {
    let key = parsed(P256, None);
    let jwk = key.public_jwk().unwrap();
    let point = [vec![4], bytes(&jwk, "x"), bytes(&jwk, "y")].concat();
    let public = ES256PublicKey::from_bytes(&point).unwrap();
    let claims = public.verify_token::<NoCustomClaims>(&token(&key), None);
    assert_eq!(claims.unwrap().subject.as_deref(), Some("portero"));
}

#[test]
fn others_verify_with_what_is_published_of_an_rsa_key() {
    let jwk = parsed(RSA, None).public_jwk().unwrap();
    let (n, e) = (bytes(&jwk, "n"), bytes(&jwk, "e"));
    let token = |algorithm| token(&parsed(RSA, Some(algorithm)));
    let public = RS256PublicKey::from_components(&n, &e).unwrap();
    let claims = public.verify_token::<NoCustomClaims>(&token(Algorithm::Rs256), None);
    assert_eq!(claims.unwrap().subject.as_deref(), Some("portero"));
    let public = PS256PublicKey::from_components(&n, &e).unwrap();
    let claims = public.verify_token::<NoCustomClaims>(&token(Algorithm::Ps256), None);
    assert!(claims.is_ok());
}

#[test]
fn a_published_key_is_one_that_portero_itself_takes_for_the_one_algorithm() {
    for (text, algorithm) in [
        (P256, Algorithm::Es256),
        (RSA, Algorithm::Rs256),
        (RSA, Algorithm::Rs512),
        (RSA, Algorithm::Ps384),
    ] {
        let key = parsed(text, Some(algorithm));
        let key = key.with_key_id("2026-11".to_owned()).unwrap();
        let jwk = key.public_jwk().unwrap();
        assert_eq!(jwk["alg"], algorithm.name());
        assert_eq!(jwk["use"], "sig");
        assert_eq!(jwk["kid"], "2026-11");
        let token = token(&key);
        let jws = Jws::parse(&token).unwrap();
        assert!(jws.verify(&set_of(&[jwk]), &TestHost::default()).is_ok());
    }
}

#[test]
fn nothing_private_is_published() {
    for text in [P256, RSA] {
        let jwk = parsed(text, None).public_jwk().unwrap();
        for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(jwk.get(member).is_none(), "{member}");
        }
    }
    let secret = SigningKey::from_secret(&[7; 32], Algorithm::Hs256).unwrap();
    assert_eq!(secret.public_jwk(), None);
    assert_eq!(secret.thumbprint(), None);
}

/// The key of RFC 7517 appendix A.2, whose thumbprint is the example of RFC 7638 section 3.1.
#[test]
fn the_thumbprint_of_an_rsa_key_is_that_of_the_standard() {
    let jwk = json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
        "d": "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8Q",
        "p": "83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-60eTDmD2ujnMt5PoqMrm8RfmNhVWDtjjMmCMjOpSXicFHj7XOuVIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs",
        "q": "3dfOR9cuYq-0S-mkFLzgItgMEfFzB2q3hWehMuG0oCuqnb3vobLyumqjVZQO1dIrdwgTnCdpYzBcOfW5r370AFXjiWft_NGEiovonizhKpo9VVS78TzFgxkIdrecRezsZ-1kYd_s1qDbxtkDEgfAITAG9LUnADun4vIcb6yelxk",
        "alg": "RS256",
        "kid": "2011-04-29",
    });
    let key = parsed(&jwk.to_string(), None);
    assert_eq!(key.key_id(), Some("2011-04-29"));
    assert_eq!(key.public_jwk().unwrap()["n"], jwk["n"]);
    assert_eq!(
        key.thumbprint().as_deref(),
        Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    );
}

/// RFC 7638 section 3.2: only these members, in this order.
#[test]
fn the_thumbprint_of_a_key_on_a_curve_is_of_its_required_members() {
    let key = parsed(P256, None);
    let jwk = key.public_jwk().unwrap();
    let (x, y) = (&jwk["x"], &jwk["y"]);
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":{x},"y":{y}}}"#);
    let expected = encode(Sha256::digest(members));
    assert_eq!(key.thumbprint(), Some(expected.clone()));
    let named = key.with_key_id("another name".to_owned()).unwrap();
    assert_eq!(named.thumbprint(), Some(expected));
}
