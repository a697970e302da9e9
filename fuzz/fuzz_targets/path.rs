#![no_main]

use libfuzzer_sys::fuzz_target;

use portero::route::CanonicalPath;

fuzz_target!(|target: &[u8]| {
    let Ok(path) = CanonicalPath::parse(target) else {
        return;
    };
    for reading in path.readings() {
        assert!(reading.starts_with('/'));
        assert!(reading.bytes().all(|byte| byte.is_ascii_graphic()));
        for segment in reading.split('/') {
            let name = segment.split(';').next();
            assert!(name != Some(".") && name != Some(".."));
        }
    }
    let canonical = path.readings().next().expect("there is one");
    assert_eq!(CanonicalPath::parse(canonical.as_bytes()), Ok(path.clone()));
});
