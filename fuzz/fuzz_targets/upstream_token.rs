#![no_main]

use libfuzzer_sys::fuzz_target;

use portero::oidc::UpstreamTokenRequest;
use portero_fuzz::FULL;

fuzz_target!(|input: (u16, &[u8])| {
    let (status, body) = input;
    for policy in &FULL.upstream_tokens {
        let request = UpstreamTokenRequest {
            policy,
            subject: None,
            actor: None,
            refresh_token: None,
        };
        for status in [status, 200, 400] {
            if let Ok(issued) = request.read(status, body) {
                assert_eq!(status, 200);
                let token = issued.token.expose();
                assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
                assert_ne!(issued.expires_in, Some(0));
            }
        }
    }
});
