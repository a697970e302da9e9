use proptest::collection::vec;
use proptest::prelude::*;

use super::{read, write};

type Pairs = Vec<(String, Vec<u8>)>;

fn written(pairs: &Pairs) -> Vec<u8> {
    write(
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice())),
    )
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
    assert_eq!(read(bytes), pairs);
    assert_eq!(written(&pairs), bytes);
}

#[test]
fn nothing_is_an_empty_list() {
    assert!(read(b"").is_empty());
    assert!(read(b"\0\0\0").is_empty());
    assert!(read(b"\0\0\0\0").is_empty());
}

#[test]
fn a_name_that_is_not_text_keeps_its_place() {
    let list = read(b"\x01\0\0\0\x01\0\0\0\x01\0\0\0\xff\0v\0");
    assert_eq!(list, [("\u{fffd}".to_owned(), b"v".to_vec())]);
}

#[test]
fn a_count_or_a_size_of_four_billion_reserves_nothing() {
    // Had any of these reserved what the numbers say, no machine could run this.
    for tail in [0, 1, 7, 8, 64] {
        let mut count = vec![0xff; 4];
        count.resize(4 + tail, 0);
        assert!(read(&count).is_empty());
        let mut sizes = vec![1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        sizes.resize(12 + tail, b'x');
        assert!(read(&sizes).is_empty());
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(pairs in pairs()) {
        prop_assert_eq!(read(&written(&pairs)), pairs);
    }

    #[test]
    fn a_list_cut_short_gives_a_beginning_of_it(pairs in pairs(), at: prop::sample::Index) {
        let mut bytes = written(&pairs);
        bytes.truncate(at.index(bytes.len()));
        let left = read(&bytes);
        prop_assert!(left.len() <= pairs.len());
        prop_assert_eq!(&left[..], &pairs[..left.len()]);
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
        let values: usize = read(&bytes).iter().map(|(_, value)| value.len()).sum();
        prop_assert!(values <= bytes.len());
    }

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }
}
