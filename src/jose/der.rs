//! As much of DER as keys and signatures are written in (ITU-T X.690).

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[0]`, with the element that it marks inside.
pub(super) const CONTEXT_0: u8 = 0xa0;

/// Contents of object identifiers: RFC 8017 appendix A.1, RFC 5480 sections 2.1.1 and 2.1.1.1.
pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
pub(super) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
pub(super) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
pub(super) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

/// An element with these contents, one after the other.
pub(super) fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    let length = contents.len().to_be_bytes();
    let length = without_leading_zeros(&length);
    let mut element = vec![tag];
    match (length, u8::try_from(length.len())) {
        (&[] | &[..=0x7f], _) => element.push(length.first().copied().unwrap_or(0)),
        (_, octets) => {
            // A length has eight octets at most.
            element.push(0x80 | octets.unwrap_or(8));
            element.extend_from_slice(length);
        }
    }
    element.extend_from_slice(&contents);
    element
}

/// A number that is not negative, from its big-endian bytes, as the one INTEGER that it has.
pub(super) fn unsigned(number: &[u8]) -> Vec<u8> {
    let number = without_leading_zeros(number);
    match number.first() {
        Some(..=0x7f) => element(INTEGER, &[number]),
        // Zero has one octet, and a sign bit is never set.
        _ => element(INTEGER, &[&[0], number]),
    }
}

/// Some providers write the sign octet of an ASN.1 integer into `n`, which RFC 7518 section 6.3.1.1
/// warns of and which changes nothing.
pub(super) fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

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

    #[test]
    fn numbers_are_as_short_as_they_can_be_and_never_negative() {
        for (number, written) in [
            (&[][..], &[2, 1, 0][..]),
            (&[0, 0], &[2, 1, 0]),
            (&[0x7f], &[2, 1, 0x7f]),
            (&[0, 0, 0x7f], &[2, 1, 0x7f]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[0, 0x80, 0], &[2, 3, 0, 0x80, 0]),
        ] {
            assert_eq!(unsigned(number), written);
        }
    }

    #[test]
    fn lengths_are_written_in_as_few_octets_as_they_need() {
        for (length, head) in [
            (0, &[4, 0][..]),
            (0x7f, &[4, 0x7f]),
            (0x80, &[4, 0x81, 0x80]),
            (0xff, &[4, 0x81, 0xff]),
            (0x100, &[4, 0x82, 1, 0]),
            (0xffff, &[4, 0x82, 0xff, 0xff]),
            (0x1_0000, &[4, 0x83, 1, 0, 0]),
        ] {
            let written = element(OCTET_STRING, &[&vec![9; length]]);
            assert_eq!(written, [head, &vec![9; length]].concat());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 0..4),
            number in proptest::collection::vec(any::<u8>(), 0..300),
            tag: u8,
        ) {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let inner = element(tag, &parts);
            let whole = element(SEQUENCE, &[&inner, &unsigned(&number)]);
            let mut outer = Der(&whole);
            let mut read = outer.inside(SEQUENCE).unwrap();
            prop_assert!(outer.0.is_empty());
            prop_assert_eq!(read.next(tag), Some(&*parts.concat()));
            let integer = read.next(INTEGER).unwrap();
            prop_assert!(read.0.is_empty());
            prop_assert_eq!(without_leading_zeros(integer), without_leading_zeros(&number));
        }

        #[test]
        fn no_bytes_stop_it(bytes in proptest::collection::vec(any::<u8>(), 0..64), tag: u8) {
            let mut rest = Der(&bytes);
            while rest.next(tag).is_some() {}
        }
    }
}
