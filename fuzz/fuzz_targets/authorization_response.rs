#![no_main]

use libfuzzer_sys::fuzz_target;

use portero::oidc::AuthorizationResponse;

fuzz_target!(|target: &[u8]| {
    if let Ok(response) = AuthorizationResponse::parse(target)
        && let Ok(code) = response.outcome
    {
        assert!(!code.is_empty());
    }
});
