#![no_main]

use libfuzzer_sys::fuzz_target;

use portero::jose::{JwkSet, MAX_KEYS};

fuzz_target!(|document: &[u8]| {
    if let Ok(keys) = JwkSet::parse(document) {
        assert!(keys.keys().len() <= MAX_KEYS);
    }
});
