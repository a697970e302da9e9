use proptest::prelude::*;
use proptest::sample::Index;

use super::{MAX_PEM_BYTES, public_key};
use crate::jose::Algorithm::{self, *};
use crate::jose::testing::Signer;
use crate::jose::{Jwk, JwkSet, KeyFault};

/// What openssl writes for a key of the tests.
macro_rules! written {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/keys/", $name, ".pem"))
    };
}

const RSA: &str = written!("rsa");
const P256: &str = written!("p256");
const CERTIFICATE: &str = written!("rsa_certificate");
const GOOD: [(&str, Algorithm); 7] = [
    (RSA, Ps256),
    (written!("rsa_pkcs1"), Rs512),
    (CERTIFICATE, Rs256),
    (P256, Es256),
    (written!("p256_certificate"), Es256),
    (written!("p384"), Es384),
    (written!("ed25519"), EdDsa),
];

fn fault(text: &str) -> Option<KeyFault> {
    public_key(text).err()
}

/// The same key with that label.
fn labelled(text: &str, from: &str, to: &str) -> String {
    text.replace(&format!("{from}-----"), &format!("{to}-----"))
}

fn block(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn der(text: &str) -> Vec<u8> {
    super::block(text).unwrap().1
}

#[test]
fn keys_that_openssl_writes_verify() {
    for (text, algorithm) in GOOD {
        let keys = JwkSet::from_iter([Jwk::from_pem(text).unwrap()]);
        let token = Signer::new(algorithm).token(&serde_json::json!({}));
        let jws = crate::jose::Jws::parse(&token).unwrap();
        assert!(
            jws.verify(&keys, &crate::testing::TestHost::default())
                .is_ok(),
            "{algorithm}"
        );
    }
}

#[test]
fn white_space_does_not_matter_where_nothing_depends_on_it() {
    let expected = format!("{:?}", public_key(P256).unwrap());
    for text in [
        P256.trim_end().to_owned(),
        P256.replace('\n', "\r\n"),
        P256.replace('\n', " "),
        P256.replace('\n', ""),
        format!("\n\t {P256}\n\n"),
    ] {
        assert_eq!(format!("{:?}", public_key(&text).unwrap()), expected);
    }
}

#[test]
fn what_is_not_one_whole_block_is_malformed() {
    let (start, end) = P256.split_at(60);
    for text in [
        String::new(),
        "AAAA".to_owned(),
        "{}".to_owned(),
        "-----BEGIN PUBLIC KEY-----".to_owned(),
        "-----BEGIN -----".to_owned(),
        "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----".to_owned(),
        start.to_owned(),
        end.to_owned(),
        [P256, P256].concat(),
        format!("subject=idp\n{P256}"),
        format!("{P256}x"),
        format!("{start}={end}"),
        format!("{start}é{end}"),
        format!("{start}-{end}"),
        format!("{start}\\n{end}"),
        P256.replace("ow==", "ow="),
        P256.replace("ow==", "ow"),
        P256.replace("ow==", "ox=="),
        P256.replace("END PUBLIC", "END RSA PUBLIC"),
        P256.replace("-----END", "----END"),
        P256.replace("BEGIN PUBLIC", "BEGIN  PUBLIC"),
        RSA.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n"),
    ] {
        assert_eq!(fault(&text), Some(KeyFault::PemMalformed), "{text}");
    }
}

#[test]
fn a_label_says_what_is_inside() {
    for label in [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
    ] {
        let text = labelled(RSA, "PUBLIC KEY", label);
        assert_eq!(fault(&text), Some(KeyFault::Private), "{label}");
    }
    for label in [
        "",
        "public key",
        "EC PUBLIC KEY",
        "CERTIFICATE REQUEST",
        "X509 CERTIFICATE",
    ] {
        let text = labelled(RSA, "PUBLIC KEY", label);
        assert_eq!(fault(&text), Some(KeyFault::LabelUnknown), "{label}");
    }
    let labels = ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"];
    let texts = [RSA, written!("rsa_pkcs1"), CERTIFICATE];
    for (text, own) in texts.into_iter().zip(labels) {
        for other in labels.into_iter().filter(|other| *other != own) {
            let relabelled = block(other, &der(text));
            assert_eq!(
                fault(&relabelled),
                Some(KeyFault::PemMalformed),
                "{own} {other}"
            );
        }
    }
}

#[test]
fn keys_that_are_not_published_either_are_refused() {
    for (text, expected) in [
        (written!("rsa1024"), KeyFault::Refused),
        (written!("p256_compressed"), KeyFault::Refused),
        (written!("p521"), KeyFault::TypeUnsupported),
        (written!("x25519"), KeyFault::TypeUnsupported),
        (written!("rsa_pss"), KeyFault::TypeUnsupported),
    ] {
        assert_eq!(fault(text), Some(expected));
    }
    let off_the_curve = {
        let mut der = der(P256);
        *der.last_mut().unwrap() ^= 1;
        block("PUBLIC KEY", &der)
    };
    assert_eq!(fault(&off_the_curve), Some(KeyFault::Refused));
    let small_order = [&der(written!("ed25519"))[..12], &[0; 32]].concat();
    assert_eq!(
        fault(&block("PUBLIC KEY", &small_order)),
        Some(KeyFault::Refused)
    );
}

#[test]
fn nothing_follows_a_key() {
    for (text, _) in GOOD {
        let (label, der) = super::block(text).unwrap();
        for end in [&[0][..], &[5, 0], &der] {
            let longer = block(label, &[&der[..], end].concat());
            assert_eq!(fault(&longer), Some(KeyFault::PemMalformed));
        }
        for length in 0..der.len() {
            let shorter = block(label, &der[..length]);
            assert_eq!(fault(&shorter), Some(KeyFault::PemMalformed));
        }
    }
}

#[test]
fn the_length_is_bounded() {
    let padded = |length: usize| format!("{P256}{}", " ".repeat(length - P256.len()));
    assert_eq!(fault(&padded(MAX_PEM_BYTES)), None);
    assert_eq!(fault(&padded(MAX_PEM_BYTES + 1)), Some(KeyFault::TooLarge));
}

proptest! {
    #[test]
    fn any_text_ends(text in "\\PC{0,200}") {
        prop_assert!(public_key(&text).is_err());
    }

    #[test]
    fn any_body_ends(
        label in "PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE",
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(public_key(&block(&label, &body)).is_err());
    }

    /// A changed key is refused or another key, never one of another type.
    #[test]
    fn a_changed_key_is_of_the_same_type(index: Index, position: Index, byte: u8) {
        let (text, algorithm) = *index.get(&GOOD);
        let (label, mut der) = super::block(text).unwrap();
        let position = position.index(der.len());
        der[position] = byte;
        if let Ok(key) = Jwk::from_pem(&block(label, &der)) {
            prop_assert!(key.supports(algorithm));
        }
    }
}
