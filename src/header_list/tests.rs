use proptest::collection::vec;
use proptest::prelude::*;

use super::{HeaderList, write};

type Pairs = Vec<(String, Vec<u8>)>;

fn written(pairs: &Pairs) -> Vec<u8> {
    write(
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice())),
    )
}

fn read(bytes: &[u8]) -> Option<Pairs> {
    HeaderList::read(bytes.to_vec()).map(|list| list.to_vec())
}

fn pairs() -> impl Strategy<Value = Pairs> {
    vec((any::<String>(), vec(any::<u8>(), 0..40)), 0..12)
}

#[test]
fn the_form_is_the_hosts() {
    let bytes = b"\x02\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0a\0bc\0def\0\0";
    let pairs = vec![
        ("a".to_owned(), b"bc".to_vec()),
        ("def".to_owned(), Vec::new()),
    ];
    assert_eq!(read(bytes).as_ref(), Some(&pairs));
    assert_eq!(written(&pairs), bytes);
}

#[test]
fn nothing_is_an_empty_list() {
    assert_eq!(read(b""), Some(Vec::new()));
    assert_eq!(read(b"\0\0\0\0"), Some(Vec::new()));
}

#[test]
fn a_list_that_lies_is_none() {
    for bytes in [
        &b"\0\0\0"[..],
        b"\x01\0\0\0",
        // Something after the end.
        b"\0\0\0\0\0",
        b"\x01\0\0\0\x01\0\0\0\x01\0\0\0a\0b\0c\0",
        // A size that is one too small, or one too large.
        b"\x01\0\0\0\x01\0\0\0\x01\0\0\0ab\0c\0",
        b"\x01\0\0\0\x02\0\0\0\x01\0\0\0a\0b\0",
        // One pair more than there is.
        b"\x02\0\0\0\x01\0\0\0\x01\0\0\0a\0b\0",
    ] {
        assert_eq!(read(bytes), None, "{bytes:?}");
    }
}

#[test]
fn a_name_that_is_not_text_keeps_its_place() {
    let list = read(b"\x01\0\0\0\x01\0\0\0\x01\0\0\0\xff\0v\0");
    let pairs = vec![("\u{fffd}".to_owned(), b"v".to_vec())];
    assert_eq!(list, Some(pairs));
}

#[test]
fn a_count_or_a_size_of_four_billion_reserves_nothing() {
    // Had any of these reserved what the numbers say, no machine could run this.
    for tail in [0, 1, 7, 8, 64] {
        let mut count = vec![0xff; 4];
        count.resize(4 + tail, 0);
        assert_eq!(read(&count), None);
        let mut sizes = vec![1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        sizes.resize(12 + tail, b'x');
        assert_eq!(read(&sizes), None);
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(pairs in pairs()) {
        prop_assert_eq!(read(&written(&pairs)), Some(pairs));
    }

    #[test]
    fn a_list_cut_short_is_none(pairs in pairs(), at: prop::sample::Index) {
        let mut bytes = written(&pairs);
        bytes.truncate(at.index(bytes.len()));
        prop_assert!(bytes.is_empty() || read(&bytes).is_none());
    }

    #[test]
    fn lies_about_sizes_never_invent_bytes(
        pairs in pairs(),
        at: prop::sample::Index,
        lie: u8,
    ) {
        let mut bytes = written(&pairs);
        let at = at.index(bytes.len());
        bytes[at] = lie;
        let list = read(&bytes).unwrap_or_default();
        let values: usize = list.iter().map(|(_, value)| value.len()).sum();
        prop_assert!(values <= bytes.len());
    }

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }
}
