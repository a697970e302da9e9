use super::PublicKey;
use crate::error::TokenFault;
use crate::jose::Algorithm::{self, *};
use crate::jose::testing::Signer;
use crate::jose::{Jwk, JwkSet, Jws, native, pem};
use crate::testing::TestHost;

const INPUT: &[u8] = b"input";
const INVALID: Result<(), TokenFault> = Err(TokenFault::SignatureInvalid);

/// What the host is asked about, with the hash that it is asked with.
const ASKED: [(Algorithm, &str); 5] = [
    (Rs256, "sha256"),
    (Rs384, "sha384"),
    (Rs512, "sha512"),
    (Es256, "sha256"),
    (Es384, "sha384"),
];

macro_rules! written {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/keys/", $name, ".pem"))
    };
}

/// The signer's key, as openssl has written it.
const fn text(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Es256 => written!("p256"),
        Es384 => written!("p384"),
        EdDsa => written!("ed25519"),
        _ => written!("rsa"),
    }
}

fn key(algorithm: Algorithm) -> PublicKey {
    pem::public_key(text(algorithm)).unwrap()
}

fn host(verdict: Option<bool>) -> TestHost {
    let host = TestHost::default();
    host.verdict.set(verdict);
    host
}

#[test]
fn the_host_is_asked_with_the_key_as_openssl_writes_it_and_the_signature_in_its_form() {
    for (algorithm, hash) in ASKED {
        let signature = Signer::new(algorithm).signature(INPUT);
        let host = host(None);
        assert_eq!(
            key(algorithm).verify(algorithm, INPUT, &signature, &host),
            Ok(())
        );
        let expected = match algorithm {
            Es256 | Es384 => native::ecdsa_signature(&signature),
            _ => signature,
        };
        let (_, info) = pem::block(text(algorithm)).unwrap();
        let asked = host.asked.take();
        assert_eq!(asked, [(hash, info, expected, INPUT.to_vec())]);
    }
}

#[test]
fn a_key_is_the_same_to_the_host_wherever_it_is_from() {
    for (algorithm, _) in ASKED {
        let signer = Signer::new(algorithm);
        let token = signer.token(&serde_json::json!({}));
        let of_jwk = host(Some(true));
        let of_pem = host(Some(true));
        let jws = Jws::parse(&token).unwrap();
        assert!(jws.verify(&signer.jwk_set(), &of_jwk).is_ok());
        let keys = JwkSet::from_iter([Jwk::from_pem(text(algorithm)).unwrap()]);
        assert!(jws.verify(&keys, &of_pem).is_ok());
        assert_eq!(of_jwk.asked.take(), of_pem.asked.take());
    }
}

#[test]
fn what_the_host_says_decides_and_otherwise_the_module() {
    for (algorithm, _) in ASKED {
        let key = key(algorithm);
        let good = Signer::new(algorithm).signature(INPUT);
        let bad = Signer::new(algorithm).signature(b"other");
        for (signature, verdict, expected) in [
            (&good, Some(true), Ok(())),
            (&good, Some(false), INVALID),
            (&good, None, Ok(())),
            (&bad, Some(true), Ok(())),
            (&bad, Some(false), INVALID),
            (&bad, None, INVALID),
        ] {
            let host = host(verdict);
            let verified = key.verify(algorithm, INPUT, signature, &host);
            assert_eq!(verified, expected, "{algorithm} {verdict:?}");
            assert_eq!(host.asked.take().len(), 1);
        }
    }
}

#[test]
fn the_host_is_not_asked_about_anything_else() {
    for algorithm in [Ps256, Ps384, Ps512, EdDsa] {
        for verdict in [Some(true), Some(false)] {
            let host = host(verdict);
            let key = key(algorithm);
            let good = Signer::new(algorithm).signature(INPUT);
            assert_eq!(key.verify(algorithm, INPUT, &good, &host), Ok(()));
            assert_eq!(key.verify(algorithm, b"other", &good, &host), INVALID);
            assert!(host.asked.take().is_empty(), "{algorithm}");
        }
    }
    let host = host(Some(true));
    let secret = Jwk::from_secret(&[7; 64], Hs256).unwrap();
    assert_eq!(secret.verify(Hs256, INPUT, &[0; 32], &host), INVALID);
    assert!(host.asked.take().is_empty());
}

#[test]
fn an_algorithm_of_another_type_of_key_never_reaches_the_host() {
    for (own, _) in ASKED {
        let key = key(own);
        let signature = Signer::new(own).signature(INPUT);
        for other in Algorithm::ASYMMETRIC {
            let host = host(Some(true));
            if !key.fits(other) {
                let verified = key.verify(other, INPUT, &signature, &host);
                assert_eq!(verified, Err(TokenFault::AlgorithmRefused));
                assert!(host.asked.take().is_empty(), "{own} {other}");
            }
        }
    }
}

#[test]
fn a_signature_of_another_form_never_reaches_the_host() {
    for (algorithm, _) in ASKED {
        let key = key(algorithm);
        let good = Signer::new(algorithm).signature(INPUT);
        let half = good.len() / 2;
        let mut others = vec![
            vec![],
            good[1..].to_vec(),
            good[..good.len() - 1].to_vec(),
            [&[0], &good[..]].concat(),
            [&good[..], &[0]].concat(),
            [&good[..], &good[..]].concat(),
            vec![0xff; good.len()],
        ];
        if let Es256 | Es384 = algorithm {
            others.extend([
                native::ecdsa_signature(&good),
                vec![0; good.len()],
                [&vec![0; half], &good[half..]].concat(),
                [&good[..half], &vec![0; half]].concat(),
                [&vec![0xff; half], &good[half..]].concat(),
                [&good[..half], &vec![0xff; half]].concat(),
            ]);
        }
        for other in others {
            let host = host(Some(true));
            let verified = key.verify(algorithm, INPUT, &other, &host);
            assert_eq!(verified, INVALID, "{algorithm} {other:02x?}");
            assert!(host.asked.take().is_empty(), "{algorithm} {other:02x?}");
        }
    }
}
