use std::cell::RefCell;

use proptest::prelude::*;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::pkcs8::der::asn1::UintRef;
use rsa::pkcs8::der::{Encode as _, Reader as _, SliceReader};
use rsa::pkcs8::spki::SubjectPublicKeyInfoRef;
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::{BigUint, RsaPublicKey};

use super::{EXAMPLES, SIGNED, ecdsa_signature, rsa_info, tells_signatures_apart};
use crate::host::SignatureQuestion;

/// The two numbers of an ECDSA signature in DER, each so many bytes long.
fn numbers(signature: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(signature).ok()?;
    let numbers = reader
        .sequence(|pair| Ok([pair.decode::<UintRef<'_>>()?, pair.decode()?]))
        .ok()?;
    reader.finish(()).ok()?;
    let padded = numbers.map(|number| {
        let number = number.as_bytes();
        [&vec![0; length - number.len()], number].concat()
    });
    Some(padded.concat())
}

/// A host that can, made of readers of other hands.
fn honest(question: &SignatureQuestion<'_>) -> Option<bool> {
    let (text, signature) = (question.text, question.signature);
    if let Ok(key) = RsaPublicKey::from_public_key_der(question.public_key) {
        let verified = match question.hash {
            "sha256" => {
                let scheme = Pkcs1v15Sign::new::<Sha256>();
                key.verify(scheme, &Sha256::digest(text), signature)
            }
            "sha384" => {
                let scheme = Pkcs1v15Sign::new::<Sha384>();
                key.verify(scheme, &Sha384::digest(text), signature)
            }
            "sha512" => {
                let scheme = Pkcs1v15Sign::new::<Sha512>();
                key.verify(scheme, &Sha512::digest(text), signature)
            }
            _ => return None,
        };
        return Some(verified.is_ok());
    }
    let info = SubjectPublicKeyInfoRef::try_from(question.public_key).ok()?;
    let point = info.subject_public_key.raw_bytes();
    match (question.hash, point.len()) {
        ("sha256", 65) => {
            use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
            let key = VerifyingKey::from_sec1_bytes(point).ok()?;
            let signature = Signature::from_slice(&numbers(signature, 32)?).ok()?;
            Some(key.verify(text, &signature).is_ok())
        }
        ("sha384", 97) => {
            use p384::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
            let key = VerifyingKey::from_sec1_bytes(point).ok()?;
            let signature = Signature::from_slice(&numbers(signature, 48)?).ok()?;
            Some(key.verify(text, &signature).is_ok())
        }
        _ => None,
    }
}

#[test]
fn an_honest_host_is_relied_on() {
    let asked = RefCell::new(Vec::new());
    assert!(tells_signatures_apart(|question| {
        let text = question.text == SIGNED;
        asked.borrow_mut().push((question.hash, text));
        honest(question)
    }));
    // Of every kind one that is good and one that is not.
    let expected = EXAMPLES.map(|(hash, ..)| [(hash, true), (hash, false)]);
    assert_eq!(asked.into_inner(), expected.concat());
}

#[test]
fn a_host_that_always_says_the_same_is_not_relied_on() {
    for always in [Some(true), Some(false), None] {
        assert!(!tells_signatures_apart(|_| always), "{always:?}");
    }
}

#[test]
fn a_host_that_errs_once_is_not_relied_on() {
    for wrong in 0..2 * EXAMPLES.len() {
        for other in [Some(true), Some(false), None] {
            let count = RefCell::new(0);
            let relied_on = tells_signatures_apart(|question| {
                let mut count = count.borrow_mut();
                *count += 1;
                match *count - 1 == wrong {
                    true => other,
                    false => honest(question),
                }
            });
            // Good and bad take turns.
            let is_no_error = other == Some(wrong % 2 == 0);
            assert_eq!(relied_on, is_no_error, "{wrong} {other:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_two_numbers_are_as_der_has_them(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 64),
            proptest::collection::vec(0_u8..2, 64),
            proptest::collection::vec(any::<u8>(), 96),
        ],
    ) {
        let der = ecdsa_signature(&bytes);
        prop_assert_eq!(numbers(&der, bytes.len() / 2), Some(bytes));
    }

    #[test]
    fn any_rsa_key_is_as_der_has_it(
        modulus in proptest::collection::vec(any::<u8>(), 1..600),
        exponent in proptest::collection::vec(any::<u8>(), 1..9),
    ) {
        let info = rsa_info(&modulus, &exponent);
        let read = SubjectPublicKeyInfoRef::try_from(info.as_slice()).unwrap();
        prop_assert_eq!(read.to_der().unwrap(), info.clone());
        let key = rsa::pkcs1::RsaPublicKey::try_from(read.subject_public_key.raw_bytes()).unwrap();
        let number = BigUint::from_bytes_be;
        prop_assert_eq!(number(key.modulus.as_bytes()), number(&modulus));
        prop_assert_eq!(number(key.public_exponent.as_bytes()), number(&exponent));
    }
}
