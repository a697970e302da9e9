//! Why a key cannot be used.

use std::fmt;

/// The one reason why a key that is configured by hand is refused. Nothing in it comes from the key.
///
/// Its text continues a sentence about the key, as the faults of the configuration do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyFault {
    /// Longer than any key is.
    TooLarge,
    /// Not exactly one block of PEM that holds what its label says (RFC 7468).
    PemMalformed,
    /// A block of PEM with a label that is not for a public key.
    LabelUnknown,
    /// Not a JSON Web Key (RFC 7517 section 4).
    JwkMalformed,
    /// Not a JSON Web Key Set (RFC 7517 section 5).
    JwkSetMalformed,
    /// A key set in which no key can be used.
    NoKeys,
    /// A public key where a private one is needed.
    Public,
    /// Neither exactly one block of PEM nor a JSON Web Key, or not what it says that it is.
    PrivateMalformed,
    /// A private key that is encrypted with a password.
    Encrypted,
    /// A block of PEM with a label that is not for a private key.
    PrivateLabelUnknown,
    /// A type of key, or a curve, that Portero does not sign with.
    PrivateTypeUnsupported,
    /// A private key whose numbers make a weak one, an expensive one or none.
    PrivateRefused,
    /// `use` or `key_ops` say that the private key is for something else.
    NotForSigning,
    /// A private key, which nobody but the issuer should have.
    Private,
    /// A symmetric JSON Web Key. Secrets are given as such, so that none is taken for a public key.
    Symmetric,
    /// A type of key, or a curve, that Portero does not verify with.
    TypeUnsupported,
    /// Numbers that make a weak key, an expensive one or none.
    Refused,
    /// `use` or `key_ops` say that the key is for something else.
    NotForVerification,
    /// The algorithm that the key is to be for is one of another type of key.
    AlgorithmMismatch,
    /// `kid` is longer than Portero reads.
    KeyIdTooLong,
    /// A secret that is shorter than the algorithm's hash (RFC 7518 section 3.2).
    SecretTooShort { minimum: usize },
}

impl fmt::Display for KeyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "is longer than a key is; accepted: one key",
            Self::PemMalformed => {
                "is not one whole block of PEM; accepted: PUBLIC KEY, RSA PUBLIC KEY, CERTIFICATE"
            },
            Self::LabelUnknown => {
                "is PEM of something else; accepted: PUBLIC KEY, RSA PUBLIC KEY, CERTIFICATE"
            }
            Self::JwkMalformed => "is not a JSON Web Key; accepted: a public key as RFC 7517 has it",
            Self::JwkSetMalformed => "is not a JSON Web Key Set; accepted: an object with `keys`",
            Self::NoKeys => "has no key that can be used; accepted: at least one",
            Self::Private => {
                "is or has a private key; accepted: the public key, as openssl pkey -pubout writes it"
            }
            Self::Public => "is a public key or a certificate; accepted: the private key",
            Self::PrivateMalformed => {
                "is no whole private key; accepted: one PEM block PRIVATE KEY, RSA PRIVATE KEY or EC \
                 PRIVATE KEY, or a JSON Web Key"
            }
            Self::Encrypted => {
                "is encrypted; accepted: the key without a password, as openssl pkey writes it"
            }
            Self::PrivateLabelUnknown => {
                "is PEM of something else; accepted: PRIVATE KEY, RSA PRIVATE KEY, EC PRIVATE KEY"
            }
            Self::PrivateTypeUnsupported => {
                "is a private key of another type; accepted: RSA, P-256"
            }
            Self::PrivateRefused => {
                "is not a sound private key; accepted: RSA of 2048 to 4096 bits with its two primes, \
                 numbers below their curve's order"
            }
            Self::NotForSigning => "is not a key for signing, by its use or key_ops; accepted: a key for signatures",
            Self::Symmetric => "is or has a symmetric key; accepted: a secret in its own place",
            Self::TypeUnsupported => {
                "is a key of another type; accepted: RSA, P-256, P-384, Ed25519"
            }
            Self::Refused => {
                "is not a sound key; accepted: RSA of 2048 to 8192 bits, uncompressed points on \
                 their curve"
            }
            Self::NotForVerification => {
                "is not a key for verifying, by its use or key_ops; accepted: a key for signatures"
            },
            Self::AlgorithmMismatch => "is not a key for that algorithm; accepted: an algorithm of the key's type",
            Self::KeyIdTooLong => "has a kid that is too long; accepted: a shorter one, or none",
            Self::SecretTooShort { minimum } => {
                return write!(
                    formatter,
                    "is too short; accepted: {minimum} bytes and more"
                );
            }
        })
    }
}

impl std::error::Error for KeyFault {}
