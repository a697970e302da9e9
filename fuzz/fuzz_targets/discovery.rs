#![no_main]

use libfuzzer_sys::fuzz_target;

use portero::oidc::ProviderMetadata;
use portero_fuzz::CONFIG;

fuzz_target!(|document: &[u8]| {
    if let Ok(metadata) = ProviderMetadata::parse(&CONFIG.provider, document) {
        assert_eq!(metadata.token_endpoint.scheme(), "https");
        assert_eq!(metadata.jwks_uri.scheme(), "https");
        assert!(metadata.token_endpoint.path().starts_with('/'));
        assert!(!metadata.token_endpoint.authority().is_empty());
    }
});
