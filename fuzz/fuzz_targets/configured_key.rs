#![no_main]

use libfuzzer_sys::fuzz_target;

use portero::jose::{Algorithm, Jwk, JwkSet};

fuzz_target!(|text: &str| {
    let keys = [Jwk::from_pem(text), Jwk::from_json(text.as_bytes())];
    for key in keys.into_iter().flatten() {
        assert!(Algorithm::ASYMMETRIC.iter().any(|it| key.supports(*it)));
        assert!(!Algorithm::SYMMETRIC.iter().any(|it| key.supports(*it)));
    }
    if let Ok(keys) = JwkSet::from_json(text.as_bytes()) {
        assert!(!keys.is_empty());
    }
});
