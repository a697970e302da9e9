#![no_main]

use libfuzzer_sys::fuzz_target;

use portero::oidc::parse_userinfo;

fuzz_target!(|body: &[u8]| {
    if let Ok(claims) = parse_userinfo(body, "alice") {
        assert_eq!(claims.string("sub"), Ok(Some("alice")));
    }
});
