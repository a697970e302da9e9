use proptest::collection::vec;
use proptest::prelude::*;

use super::{Binding, NONCE, PREFIX, Seal};
use crate::error::InternalFault;
use crate::secret::Secret;
use crate::testing::TestHost;

const OLD: &str = "the key of last year, 32 bytes and more";
const NEW: &str = "the key of this year, 32 bytes and more";
const BINDING: Binding<'static> = Binding {
    purpose: "session",
    name: "__Host-portero",
    host: "app.example.com",
    issuer: "https://idp.example.com",
};

fn seal(keys: &[&str]) -> Seal {
    let keys: Vec<_> = keys
        .iter()
        .map(|key| Secret::new(key.as_bytes().to_vec()))
        .collect();
    Seal::new(&keys)
}

fn sealed(plaintext: &[u8]) -> Vec<u8> {
    seal(&[NEW])
        .seal(&TestHost::default(), BINDING, plaintext)
        .unwrap()
}

#[test]
fn every_part_of_the_binding_matters() {
    let seal = seal(&[NEW]);
    let sealed = sealed(b"alice");
    assert_eq!(seal.open(BINDING, &sealed), Some(b"alice".to_vec()));
    let others = [
        Binding {
            purpose: "login",
            ..BINDING
        },
        Binding {
            name: "__Host-portero.1",
            ..BINDING
        },
        Binding {
            host: "app.example.com:8443",
            ..BINDING
        },
        Binding {
            host: "",
            ..BINDING
        },
        Binding {
            issuer: "https://idp.example.com/",
            ..BINDING
        },
        // The same bytes, parted in another place.
        Binding {
            purpose: "session_",
            name: "_Host-portero",
            ..BINDING
        },
    ];
    for other in others {
        assert_eq!(seal.open(other, &sealed), None, "{other:?}");
    }
}

#[test]
fn the_first_key_seals_and_all_open() {
    let host = TestHost::default();
    let before = seal(&[OLD]).seal(&host, BINDING, b"alice").unwrap();
    let rotated = seal(&[NEW, OLD]);
    assert_eq!(rotated.open(BINDING, &before), Some(b"alice".to_vec()));
    let after = rotated.seal(&host, BINDING, b"alice").unwrap();
    assert_eq!(seal(&[NEW]).open(BINDING, &after), Some(b"alice".to_vec()));
    assert_eq!(seal(&[OLD]).open(BINDING, &after), None);
    assert_eq!(seal(&[NEW]).open(BINDING, &before), None);
}

#[test]
fn the_same_text_is_never_sealed_the_same_way() {
    let host = TestHost::default();
    let seal = seal(&[NEW]);
    let [one, other] = [(); 2].map(|()| seal.seal(&host, BINDING, b"alice").unwrap());
    let nonce = |sealed: &[u8]| sealed[PREFIX - NONCE..PREFIX].to_vec();
    assert_ne!(nonce(&one), nonce(&other));
    assert_ne!(one[PREFIX..], other[PREFIX..]);
}

#[test]
fn without_randomness_nothing_is_sealed() {
    let host = TestHost::default();
    host.random_fails.set(true);
    let result = seal(&[NEW]).seal(&host, BINDING, b"alice");
    assert_eq!(result, Err(InternalFault::RandomUnavailable));
}

#[test]
fn without_a_key_nothing_is_sealed() {
    let result = seal(&[]).seal(&TestHost::default(), BINDING, b"alice");
    assert_eq!(result, Err(InternalFault::Bug));
}

#[test]
fn only_one_text_stands_for_a_value() {
    let seal = seal(&[NEW]);
    let text = seal
        .seal_text(&TestHost::default(), BINDING, b"alice")
        .unwrap();
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    );
    assert_eq!(
        seal.open_text(BINDING, text.as_bytes()),
        Some(b"alice".to_vec())
    );
    for other in [format!("{text}="), format!(" {text}"), format!("{text}A")] {
        assert_eq!(seal.open_text(BINDING, other.as_bytes()), None, "{other}");
    }
}

proptest! {
    #[test]
    fn what_is_sealed_opens(plaintext in vec(any::<u8>(), 0..2000)) {
        let opened = seal(&[NEW]).open(BINDING, &sealed(&plaintext));
        prop_assert_eq!(opened, Some(plaintext));
    }

    #[test]
    fn what_is_cut_short_never_opens(plaintext in vec(any::<u8>(), 0..60), at: prop::sample::Index) {
        let mut sealed = sealed(&plaintext);
        sealed.truncate(at.index(sealed.len()));
        prop_assert_eq!(seal(&[NEW, OLD]).open(BINDING, &sealed), None);
    }

    #[test]
    fn what_is_changed_never_opens(
        plaintext in vec(any::<u8>(), 0..60),
        at: prop::sample::Index,
        change in 1_u8..,
    ) {
        let mut sealed = sealed(&plaintext);
        let at = at.index(sealed.len());
        sealed[at] ^= change;
        prop_assert_eq!(seal(&[NEW, OLD]).open(BINDING, &sealed), None);
    }

    #[test]
    fn noise_never_opens(noise in vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(seal(&[NEW]).open(BINDING, &noise), None);
        prop_assert_eq!(seal(&[NEW]).open_text(BINDING, &noise), None);
    }
}
