use proptest::prelude::*;

use super::{MAX_TARGET, target};
use crate::request::Request;

fn target_of(path: &[u8]) -> String {
    target(&Request::new(vec![(":path".to_owned(), path.to_vec())]))
}

#[test]
fn path_and_query_are_kept() {
    for path in ["/", "/orders?page=2&x=%20", "/a//b;c?d?e", "/?"] {
        assert_eq!(target_of(path.as_bytes()), path);
    }
}

#[test]
fn what_no_location_can_hold_is_encoded() {
    assert_eq!(
        target_of(b"/a b\r\nset-cookie: x\xff"),
        "/a%20b%0D%0Aset-cookie:%20x%FF"
    );
}

#[test]
fn of_a_target_that_is_too_long_the_path_is_kept_and_then_nothing() {
    let fitting = format!("/{}", "a".repeat(MAX_TARGET - 1));
    assert_eq!(target_of(fitting.as_bytes()), fitting);
    assert_eq!(target_of(format!("{fitting}?").as_bytes()), fitting);
    assert_eq!(target_of(format!("{fitting}a").as_bytes()), "/");
    assert_eq!(
        target_of(format!("/a?{}", "é".repeat(MAX_TARGET)).as_bytes()),
        "/a"
    );
}

proptest! {
    #[test]
    fn a_target_can_follow_an_origin(rest in prop::collection::vec(any::<u8>(), 0..3000)) {
        let path = [b"/".as_slice(), &rest].concat();
        let target = target_of(&path);
        prop_assert!(target.starts_with('/'));
        prop_assert!(target.len() <= MAX_TARGET);
        prop_assert!(target.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}
