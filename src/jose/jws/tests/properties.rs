use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::verify;
use crate::error::TokenFault;
use crate::jose::JwkSet;
use crate::jose::testing::{Signer, all_algorithms, encode};

/// A good token of every algorithm and the keys that verify it.
fn tokens() -> &'static [(String, JwkSet)] {
    static TOKENS: OnceLock<Vec<(String, JwkSet)>> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let signers = all_algorithms().into_iter().map(Signer::new);
        signers
            .map(|signer| (signer.token(&json!({"sub": "alice"})), signer.jwk_set()))
            .collect()
    })
}

#[test]
fn the_tokens_that_are_changed_here_are_good() {
    for (token, keys) in tokens() {
        assert!(verify(token, keys).is_ok());
    }
}

proptest! {
    #[test]
    fn any_text_ends(text in "\\PC{0,200}", index: Index) {
        let (_, keys) = index.get(tokens());
        prop_assert!(verify(&text, keys).is_err());
    }

    #[test]
    fn any_parts_end(
        index: Index,
        payload in proptest::collection::vec(any::<u8>(), 0..100),
        signature in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let (_, keys) = index.get(tokens());
        let signer = Signer::new(*index.get(&all_algorithms()));
        let header = encode(signer.header().to_string());
        let token = format!("{header}.{}.{}", encode(payload), encode(signature));
        prop_assert_eq!(verify(&token, keys), Err(TokenFault::SignatureInvalid));
    }

    #[test]
    fn a_changed_token_never_verifies(
        index: Index,
        position: Index,
        replacement in "[A-Za-z0-9_.=+/ \u{0}é-]",
    ) {
        let (token, keys) = index.get(tokens());
        let position = position.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(position..=position, &replacement);
        prop_assume!(changed != *token);
        prop_assert!(verify(&changed, keys).is_err());
    }

    #[test]
    fn a_shortened_or_lengthened_token_never_verifies(
        index: Index,
        position: Index,
        added in "[A-Za-z0-9_.=-]{1,3}",
    ) {
        let (token, keys) = index.get(tokens());
        let (start, end) = token.split_at(position.index(token.len()));
        let longer = [start, &added, end].concat();
        prop_assert!(verify(start, keys).is_err());
        prop_assert!(verify(&longer, keys).is_err());
    }
}
