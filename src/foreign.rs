//! The arguments that Envoy's own functions take, and what one of them answers, in protobuf.

use crate::host::SignatureQuestion;

/// Says what a property of a name is: a text that lives as long as its request's way through the filters
/// (`DeclarePropertyArguments`). Longer, it would outlast an internal redirect, and be there on a path that
/// needs nobody.
pub fn text_property(name: &str) -> Vec<u8> {
    let mut message = Vec::new();
    bytes(&mut message, 1, name.as_bytes());
    // `type`: a string.
    message.extend_from_slice(&[0x18, 0x01]);
    message
}

/// Asks whether a key made a signature (`VerifySignatureArguments`).
pub fn signature_question(question: &SignatureQuestion<'_>) -> Vec<u8> {
    let mut message = Vec::new();
    bytes(&mut message, 1, question.hash.as_bytes());
    bytes(&mut message, 2, question.public_key);
    bytes(&mut message, 3, question.signature);
    bytes(&mut message, 4, question.text);
    message
}

/// The answer to that (`VerifySignatureResult`): whether it did, unless this is no such answer. Protobuf
/// leaves out what is false.
pub fn signature_verdict(message: &[u8]) -> Option<bool> {
    let mut verdict = false;
    let mut rest = message;
    while let Some((key, after)) = rest.split_first() {
        rest = match key {
            // `result`, a boolean.
            0x08 => {
                let (value, after) = after.split_first()?;
                verdict = match value {
                    0 => false,
                    1 => true,
                    _ => return None,
                };
                after
            }
            // `error`, a text that says why not.
            0x12 => {
                let (length, after) = number(after)?;
                let (_, after) = after.split_at_checked(length)?;
                after
            }
            _ => return None,
        };
    }
    Some(verdict)
}

/// A field of bytes or of text.
fn bytes(message: &mut Vec<u8>, field: u8, value: &[u8]) {
    message.push(field << 3 | 2);
    let mut length = value.len();
    while length > 0x7f {
        message.push(0x80 | (length & 0x7f) as u8);
        length >>= 7;
    }
    message.push(length as u8);
    message.extend_from_slice(value);
}

/// A number of up to three octets, which is more than any text has that is worth reading.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0;
    let mut rest = bytes;
    for shift in [0, 7, 14] {
        let (octet, after) = rest.split_first()?;
        number |= usize::from(octet & 0x7f) << shift;
        rest = after;
        if *octet < 0x80 {
            return Some((number, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests;
