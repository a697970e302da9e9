#![no_main]

use libfuzzer_sys::fuzz_target;

use std::time::Duration;

use portero::config::StoreProtocol;
use portero::redis::{Condition, Del, Mget, Set, parse};
use portero::secret::Secret;

// Whatever a front end answers, it is believed only as the whole of what the command can answer.
fuzz_target!(|input: (bool, u16, &[u8])| {
    let (is_webdis, status, body) = input;
    let protocol = match is_webdis {
        true => StoreProtocol::Webdis { credentials: None },
        false => StoreProtocol::Upstash {
            token: Secret::new("token".to_owned()),
        },
    };
    let set = Set {
        key: "key",
        value: "value",
        lifetime: Duration::from_secs(1),
        condition: Condition::Always,
    };
    for status in [status, 200] {
        if let Ok(values) = parse(&protocol, &Mget(&["a", "b"]), status, body) {
            assert_eq!((status, values.len()), (200, 2));
        }
        if let Ok(done) = parse(&protocol, &set, status, body) {
            assert!(done && status == 200);
        }
        let _ = parse(&protocol, &Del("a"), status, body);
    }
});
