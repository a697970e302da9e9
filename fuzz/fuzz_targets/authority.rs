#![no_main]

use libfuzzer_sys::fuzz_target;

use portero::request::Request;
use portero::route::Authority;

fuzz_target!(|value: &[u8]| {
    let request = |value: &[u8]| Request::new(vec![(":authority".to_owned(), value.to_vec())]);
    if let Ok(authority) = Authority::of(&request(value)) {
        assert!(!authority.host().is_empty());
        assert!(
            authority
                .as_str()
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'/')
        );
        assert_eq!(
            Authority::of(&request(authority.as_str().as_bytes())),
            Ok(authority)
        );
    }
});
