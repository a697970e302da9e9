#![no_main]

use libfuzzer_sys::fuzz_target;

use portero::oidc::TokenResponse;

fuzz_target!(|input: (u16, &[u8])| {
    let (status, body) = input;
    for status in [status, 200, 400] {
        if let Ok(response) = TokenResponse::parse(status, body) {
            assert_eq!(status, 200);
            let token = response.access_token.expose();
            assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
});
