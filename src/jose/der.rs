//! As much of DER as private keys are written in (ITU-T X.690).

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[0]`, with the element that it marks inside.
pub(super) const CONTEXT_0: u8 = 0xa0;

/// The elements that have not been read yet.
#[derive(Clone, Copy)]
pub(super) struct Der<'a>(pub(super) &'a [u8]);

impl<'a> Der<'a> {
    /// The contents of the next element, if it has this tag.
    pub(super) fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&given, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // Two octets count to 65535, which is more than any key has.
            0x81 => {
                let ([high], rest) = rest.split_first_chunk()?;
                (usize::from(*high), rest)
            }
            0x82 => {
                let (octets, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*octets)), rest)
            }
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        if given != tag {
            return None;
        }
        self.0 = rest;
        Some(contents)
    }

    /// The elements inside the next one.
    pub(super) fn inside(&mut self, tag: u8) -> Option<Self> {
        self.next(tag).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_come_in_their_order_and_by_their_tags() {
        let bytes = [0x30, 0x05, 0x02, 0x01, 0x07, 0x04, 0x00, 0x02, 0x00];
        let mut outer = Der(&bytes);
        let mut inner = outer.inside(SEQUENCE).unwrap();
        assert_eq!(inner.next(OCTET_STRING), None);
        assert_eq!(inner.next(INTEGER), Some(&[7][..]));
        assert_eq!(inner.next(OCTET_STRING), Some(&[][..]));
        assert_eq!(inner.next(OCTET_STRING), None);
        assert_eq!(outer.next(INTEGER), Some(&[][..]));
    }

    #[test]
    fn lengths_have_up_to_two_octets() {
        for (head, length) in [
            (&[0x04, 0x7f][..], 0x7f),
            (&[0x04, 0x81, 0x80], 0x80),
            (&[0x04, 0x82, 0x01, 0x00], 0x100),
        ] {
            let whole = [head, &vec![1; length]].concat();
            let contents = Der(&whole).next(OCTET_STRING);
            assert_eq!(contents.map(<[u8]>::len), Some(length));
            let (_, cut_off) = whole.split_last().unwrap();
            assert_eq!(Der(cut_off).next(OCTET_STRING), None);
        }
        for head in [&[0x04, 0x80][..], &[0x04, 0x83, 0, 0, 1, 1], &[0x04], &[]] {
            assert_eq!(Der(head).next(OCTET_STRING), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_stop_it(bytes in proptest::collection::vec(any::<u8>(), 0..64), tag: u8) {
            let mut rest = Der(&bytes);
            while rest.next(tag).is_some() {}
        }
    }
}
