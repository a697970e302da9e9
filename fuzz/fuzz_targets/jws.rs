#![no_main]

use libfuzzer_sys::fuzz_target;

use std::sync::LazyLock;

use portero::jose::{JwkSet, Jws};
use portero_fuzz::StillHost;

static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    JwkSet::parse(include_bytes!("../../tests/fixtures/rsa8192.jwks.json"))
        .expect("the fixture is good")
});
const GOOD: &str = include_str!("../../tests/fixtures/rsa8192.jws");

fuzz_target!(|token: &str| {
    if let Ok(jws) = Jws::parse(token) {
        assert!(jws.verify(&KEYS, &StillHost).is_err() || token == GOOD.trim());
    }
});
