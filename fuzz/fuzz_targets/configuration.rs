#![no_main]

use libfuzzer_sys::fuzz_target;

use portero::config::Config;

fuzz_target!(|text: &[u8]| {
    let environment =
        |name: &str| (name.len() > 3).then(|| format!("{name}0123456789abcdefghijklmnopqrstuv"));
    match Config::load(text, &environment) {
        Ok(loaded) => assert!(!loaded.config.session.keys.is_empty()),
        Err(faults) => assert!(!faults.0.is_empty()),
    }
});
