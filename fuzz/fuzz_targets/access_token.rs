#![no_main]

use libfuzzer_sys::fuzz_target;

use std::sync::LazyLock;
use std::time::Duration;

use portero::jose::{Algorithm, JwkSet, Jws};
use portero::config::{AccessTokenPolicy, AccessTokenProfile};
use portero::oidc::AccessTokenVerifier;
use portero::time::Timestamp;
use portero_fuzz::StillHost;

static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    JwkSet::parse(include_bytes!("../../tests/fixtures/rsa8192.jwks.json"))
        .expect("the fixture is good")
});

fuzz_target!(|token: &str| {
    let policy = AccessTokenPolicy {
        audiences: vec!["api".to_owned()],
        profile: AccessTokenProfile::Lenient,
        algorithms: Algorithm::ASYMMETRIC.to_vec(),
        keys: JwkSet::default(),
        clock_skew: Duration::ZERO,
        max_lifetime: None,
        require_consumer: false,
        client_ids: Vec::new(),
        introspection: None,
    };
    let verifier = AccessTokenVerifier {
        issuer: "https://idp.example.com",
        policy: &policy,
        now: Timestamp::from_secs(1_700_000_000),
        host: &StillHost,
    };
    // The fixture's token is no access token, and nobody can make another with its key.
    if let Ok(token) = Jws::parse(token) {
        assert!(verifier.verify(&token, &KEYS).is_err());
        let _ = token.unverified_issuer();
    }
});
