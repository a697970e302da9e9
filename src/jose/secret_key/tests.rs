use super::SecretKey;
use crate::error::TokenFault;
use crate::jose::Algorithm::{self, *};
use crate::jose::KeyFault;
use crate::jose::testing::{Signer, all_algorithms};

/// RFC 4231 section 4.7: a key of 131 bytes, longer than a block of any of the hashes.
#[test]
fn the_standards_examples_verify() {
    let input = b"Test Using Larger Than Block-Size Key - Hash Key First";
    for (algorithm, code) in [
        (
            Hs256,
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            Hs384,
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6\
             0c2ef6ab4030fe8296248df163f44952",
        ),
        (
            Hs512,
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352\
             6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
        ),
    ] {
        let digits = code.chars().map(|digit| digit.to_digit(16).unwrap() as u8);
        let digits: Vec<u8> = digits.collect();
        let code: Vec<u8> = digits.chunks(2).map(|two| two[0] * 16 + two[1]).collect();
        let key = SecretKey::new(&[0xaa; 131], algorithm).unwrap();
        assert_eq!(key.verify(algorithm, input, &code), Ok(()), "{algorithm}");
    }
}

#[test]
fn a_secret_is_at_least_as_long_as_the_hash() {
    for (algorithm, minimum) in [(Hs256, 32), (Hs384, 48), (Hs512, 64)] {
        for length in [minimum, minimum + 1, 1000] {
            assert!(SecretKey::new(&vec![7; length], algorithm).is_ok());
        }
        for length in [0, 1, minimum - 1] {
            let fault = SecretKey::new(&vec![7; length], algorithm).unwrap_err();
            assert_eq!(fault, KeyFault::SecretTooShort { minimum });
        }
    }
    for algorithm in Algorithm::ASYMMETRIC {
        let fault = SecretKey::new(&[7; 64], algorithm).unwrap_err();
        assert_eq!(fault, KeyFault::AlgorithmMismatch);
    }
}

#[test]
fn only_the_whole_code_of_the_input_by_its_own_algorithm_verifies() {
    for own in Algorithm::SYMMETRIC {
        let signer = Signer::new(own);
        let key = SecretKey::new(&signer.secret(), own).unwrap();
        let code = signer.signature(b"input");
        assert_eq!(key.verify(own, b"input", &code), Ok(()));
        let mut changed = code.clone();
        *changed.last_mut().unwrap() ^= 1;
        let longer = [&code[..], &[0]].concat();
        let invalid = Err(TokenFault::SignatureInvalid);
        for wrong in [&[][..], &code[..16], &code[1..], &longer, &changed] {
            assert_eq!(key.verify(own, b"input", wrong), invalid);
        }
        assert_eq!(key.verify(own, b"inpuT", &code), invalid);
        for other in all_algorithms().into_iter().filter(|other| *other != own) {
            let refused = Err(TokenFault::AlgorithmRefused);
            assert_eq!(key.verify(other, b"input", &code), refused);
        }
    }
}

#[test]
fn debug_shows_nothing_of_it() {
    let key = SecretKey::new(&[b'x'; 32], Hs256).unwrap();
    let text = format!("{key:?}");
    assert!(!text.contains("xx") && !text.contains("120"), "{text}");
}
