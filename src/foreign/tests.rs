use proptest::prelude::*;

use super::{bytes, number, signature_question, signature_verdict, text_property};
use crate::host::SignatureQuestion;

#[test]
fn arguments_are_as_protobuf_has_them() {
    let declared = [&[0x0a, 4][..], b"name", &[0x18, 1]].concat();
    assert_eq!(text_property("name"), declared);
    let question = SignatureQuestion {
        hash: "sha256",
        public_key: &[7; 294],
        signature: &[8; 2],
        text: &[],
    };
    let expected = [
        &[0x0a, 6][..],
        b"sha256",
        &[0x12, 0xa6, 2],
        &[7; 294],
        &[0x1a, 2, 8, 8],
        &[0x22, 0],
    ];
    assert_eq!(signature_question(&question), expected.concat());
}

#[test]
fn only_one_is_true() {
    let refused = [&[0x12, 3][..], b"why"].concat();
    let long = [&[0x12, 0x80, 1][..], &[b'x'; 128]].concat();
    for (answer, verdict) in [
        (&[0x08, 1][..], Some(true)),
        (&[0x08, 0], Some(false)),
        (&[], Some(false)),
        (&refused, Some(false)),
        (&long, Some(false)),
        (&[0x08, 2], None),
        (&[0x08, 0x81, 0], None),
        (&[0x08], None),
        (&[0x10, 1], None),
        (&[0x0a, 1], None),
        (&[1], None),
        (&[0x08, 1, 0x18, 1], None),
        (&[0x08, 1, 0x12, 4, b'w'], None),
        (&[0x08, 1, 0x12], None),
        (&[0x08, 1, 0x12, 0x80, 0x80, 0x80, 0], None),
        (b"true", None),
    ] {
        assert_eq!(signature_verdict(answer), verdict, "{answer:02x?}");
    }
}

proptest! {
    #[test]
    fn lengths_are_read_as_they_are_written(length in 0_usize..70_000) {
        let mut message = Vec::new();
        bytes(&mut message, 2, &vec![9; length]);
        let (key, rest) = message.split_first().unwrap();
        prop_assert_eq!(*key, 0x12);
        let (read, rest) = number(rest).unwrap();
        prop_assert_eq!((read, rest.len()), (length, length));
        prop_assert_eq!(signature_verdict(&message), Some(false));
    }

    #[test]
    fn no_answer_stops_it(answer in proptest::collection::vec(any::<u8>(), 0..64)) {
        let verdict = signature_verdict(&answer);
        prop_assert!(verdict != Some(true) || answer.windows(2).any(|two| two == [0x08, 1]));
    }
}
