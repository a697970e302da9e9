#![no_main]

use libfuzzer_sys::fuzz_target;

use portero::oidc::ProviderMetadata;
use portero_fuzz::CONFIG;

fuzz_target!(|document: &[u8]| {
    if let Ok(metadata) = ProviderMetadata::parse(&CONFIG.provider, document) {
        // The provider of this configuration logs people in, so both are there.
        for endpoint in [metadata.token_endpoint, metadata.jwks_uri] {
            let endpoint = endpoint.expect("an endpoint that a login needs");
            assert_eq!(endpoint.scheme(), "https");
            assert!(endpoint.path().starts_with('/'));
            assert!(!endpoint.authority().is_empty());
        }
    }
});
