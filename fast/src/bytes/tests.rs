use proptest::collection::vec;
use proptest::prelude::*;

use super::{is_b64token, is_plain_path, is_plain_value, same};

#[test]
fn every_byte_counts() {
    let text: Vec<u8> = (0..40).collect();
    for length in 0..text.len() {
        let whole = &text[..length];
        assert!(same(whole, whole));
        assert!(!same(whole, &text[..=length]));
        assert!(!same(&text[..=length], whole));
        for place in 0..length {
            for bit in 0..8 {
                let mut other = whole.to_vec();
                other[place] ^= 1 << bit;
                assert!(!same(whole, &other), "{length} {place} {bit}");
            }
        }
    }
}

#[test]
fn a_token_is_of_its_alphabet_and_ends_in_equals_signs() {
    for good in ["a", "A-._~+/9", "a==", "eyJ.eyJ.c2ln"] {
        assert!(is_b64token(good.as_bytes()), "{good}");
    }
    for bad in ["", "=", "a=b", "a b", "a,", "\u{e9}", "a\0", "a= "] {
        assert!(!is_b64token(bad.as_bytes()), "{bad}");
    }
}

#[test]
fn a_path_is_plain_where_nothing_could_be_read_otherwise() {
    for plain in ["/", "/a", "/a/", "/a.b/c..d/~e@", "/a!$&'()*+,=:@"] {
        assert!(is_plain_path(plain.as_bytes()), "{plain}");
    }
    for other in [
        "", "a", "//", "/a//b", "/.", "/..", "/a/./b", "/.a", "/a;b", "/a%41", "/a\\b", "/a?b",
        "/a#b", "/a b", "/\u{e9}", "/a\0",
    ] {
        assert!(!is_plain_path(other.as_bytes()), "{other}");
    }
}

#[test]
fn a_value_is_plain_where_nothing_has_to_be_encoded() {
    for plain in ["", "a", "alice@example.com", "a;b=\"c\""] {
        assert!(is_plain_value(plain.as_bytes()), "{plain}");
    }
    for other in ["a b", " a", "a%b", "a,b", "\u{e9}", "a\n", "\u{7f}"] {
        assert!(!is_plain_value(other.as_bytes()), "{other}");
    }
}

proptest! {
    #[test]
    fn the_same_is_what_is_equal(one in vec(0_u8..3, 0..24), other in vec(0_u8..3, 0..24)) {
        prop_assert_eq!(same(&one, &other), one == other);
        prop_assert!(same(&one, &one.clone()));
    }
}
