//! Why a signed token is refused.

use std::fmt;

/// The one reason why a token is refused: the first check that failed.
///
/// Nothing in it comes from the token; the claim names it carries are constants of the standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenFault {
    /// Longer than Portero reads.
    TooLarge,
    /// Not three parts of unpadded base64url (RFC 7515 section 7.1).
    Malformed,
    /// Encrypted (RFC 7516); Portero has no key to open it with.
    Encrypted,
    /// The header is not a JSON object with the members that a signature needs.
    HeaderInvalid,
    /// The header demands an extension (RFC 7515 section 4.1.11); Portero knows none.
    CriticalHeader,
    /// It says that it is another kind of token than the one that is needed here: by its `typ`, or by
    /// a claim that only that kind has.
    TypeMismatch,
    /// `alg` is none that the configuration allows for this token.
    AlgorithmRefused,
    /// The key that signed is not in the set: no key has the token's `kid` and fits its algorithm,
    /// or the token names no key and none of those that fit made the signature.
    /// Fetching the set again may help.
    KeyUnknown,
    /// More keys fit than Portero tries, and none of those it tried made the signature.
    KeyAmbiguous,
    /// The key that the token names did not make the signature.
    SignatureInvalid,
    /// The payload is not one JSON object with distinct member names.
    ClaimsMalformed,
    /// A claim that must be there is not.
    ClaimMissing { claim: &'static str },
    /// A claim has a type or a range that the standard does not give it.
    ClaimInvalid { claim: &'static str },
    /// `iss` is another issuer.
    IssuerMismatch,
    /// `aud` does not name this client, or what an access token must be for.
    AudienceMismatch,
    /// `aud` names, beside this client, an audience that is not trusted.
    AudienceUntrusted,
    /// `azp` is another client.
    AuthorizedPartyMismatch,
    /// The provider says that it is not active, or not any more (RFC 7662 section 2.2).
    Inactive,
    /// It is bound to a key or a certificate (RFC 7800): whoever shows it has to prove that they have
    /// it, which nobody checks here.
    ProofRequired,
    /// `exp` has passed.
    Expired,
    /// `iat` lies in the future.
    IssuedInFuture,
    /// `iat` lies too far back.
    IssuedTooLongAgo,
    /// An access token that is made to be valid for longer than the configuration allows.
    LifetimeTooLong,
    /// `nbf` lies in the future.
    NotYetValid,
    /// `nonce` is not the one of this login.
    NonceMismatch,
    /// `at_hash` does not belong to the access token beside it.
    AccessTokenHashMismatch,
    /// `c_hash` does not belong to the authorization code beside it.
    CodeHashMismatch,
    /// `sub` is empty or longer than 255 characters.
    SubjectInvalid,
    /// `auth_time` lies further back than the login asked for.
    AuthenticationTooOld,
    /// `acr` is none of those that the login asked for.
    AcrMismatch,
    /// A refreshed token speaks of somebody else than the session.
    SubjectChanged,
    /// A refreshed token speaks of another authentication than the session.
    AuthTimeChanged,
}

impl TokenFault {
    /// Every fault; a claim stands for all of its kind.
    pub const ALL: &'static [Self] = &[
        Self::TooLarge,
        Self::Malformed,
        Self::Encrypted,
        Self::HeaderInvalid,
        Self::CriticalHeader,
        Self::TypeMismatch,
        Self::AlgorithmRefused,
        Self::KeyUnknown,
        Self::KeyAmbiguous,
        Self::SignatureInvalid,
        Self::ClaimsMalformed,
        Self::ClaimMissing { claim: "sub" },
        Self::ClaimInvalid { claim: "sub" },
        Self::IssuerMismatch,
        Self::AudienceMismatch,
        Self::AudienceUntrusted,
        Self::AuthorizedPartyMismatch,
        Self::Inactive,
        Self::ProofRequired,
        Self::Expired,
        Self::IssuedInFuture,
        Self::IssuedTooLongAgo,
        Self::LifetimeTooLong,
        Self::NotYetValid,
        Self::NonceMismatch,
        Self::AccessTokenHashMismatch,
        Self::CodeHashMismatch,
        Self::SubjectInvalid,
        Self::AuthenticationTooOld,
        Self::AcrMismatch,
        Self::SubjectChanged,
        Self::AuthTimeChanged,
    ];

    /// Whether only an access token can have it.
    pub const fn is_about_access(self) -> bool {
        matches!(
            self,
            Self::LifetimeTooLong | Self::Inactive | Self::ProofRequired
        )
    }

    /// Whether an access token can have it.
    pub const fn is_of_access(self) -> bool {
        !self.is_about_login() && !matches!(self, Self::AudienceUntrusted | Self::IssuedTooLongAgo)
    }

    /// Whether only an ID token can have it, because it is about the login that brought the token.
    pub const fn is_about_login(self) -> bool {
        matches!(
            self,
            Self::AuthorizedPartyMismatch
                | Self::NonceMismatch
                | Self::AccessTokenHashMismatch
                | Self::CodeHashMismatch
                | Self::AuthenticationTooOld
                | Self::AcrMismatch
                | Self::SubjectChanged
                | Self::AuthTimeChanged
        )
    }

    /// The stable name of the fault in answers, logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Encrypted => "encrypted",
            Self::HeaderInvalid => "header_invalid",
            Self::CriticalHeader => "critical_header",
            Self::TypeMismatch => "type_mismatch",
            Self::AlgorithmRefused => "algorithm_refused",
            Self::KeyUnknown => "key_unknown",
            Self::KeyAmbiguous => "key_ambiguous",
            Self::SignatureInvalid => "signature_invalid",
            Self::ClaimsMalformed => "claims_malformed",
            Self::ClaimMissing { .. } => "claim_missing",
            Self::ClaimInvalid { .. } => "claim_invalid",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::AudienceMismatch => "audience_mismatch",
            Self::AudienceUntrusted => "audience_untrusted",
            Self::AuthorizedPartyMismatch => "authorized_party_mismatch",
            Self::Inactive => "inactive",
            Self::ProofRequired => "proof_required",
            Self::Expired => "expired",
            Self::IssuedInFuture => "issued_in_future",
            Self::IssuedTooLongAgo => "issued_too_long_ago",
            Self::LifetimeTooLong => "lifetime_too_long",
            Self::NotYetValid => "not_yet_valid",
            Self::NonceMismatch => "nonce_mismatch",
            Self::AccessTokenHashMismatch => "access_token_hash_mismatch",
            Self::CodeHashMismatch => "code_hash_mismatch",
            Self::SubjectInvalid => "subject_invalid",
            Self::AuthenticationTooOld => "authentication_too_old",
            Self::AcrMismatch => "acr_mismatch",
            Self::SubjectChanged => "subject_changed",
            Self::AuthTimeChanged => "auth_time_changed",
        }
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "the token is too large",
            Self::Malformed => "the token is not a compact JWS",
            Self::Encrypted => "the token is encrypted",
            Self::HeaderInvalid => "the token's header is invalid",
            Self::CriticalHeader => "the token's header demands an extension",
            Self::TypeMismatch => "the token is of another kind",
            Self::AlgorithmRefused => "the token's algorithm is not allowed",
            Self::KeyUnknown => "no known key made the token's signature",
            Self::KeyAmbiguous => "too many keys could have made the token's signature",
            Self::SignatureInvalid => "the token's signature is invalid",
            Self::ClaimsMalformed => "the token's claims are not a strict JSON object",
            Self::ClaimMissing { claim } => {
                return write!(formatter, "the claim {claim} is missing");
            }
            Self::ClaimInvalid { claim } => {
                return write!(formatter, "the claim {claim} has a wrong type or range");
            }
            Self::IssuerMismatch => "the token is from another issuer",
            Self::AudienceMismatch => "the token is for another audience",
            Self::AudienceUntrusted => "the token is also for an audience that is not trusted",
            Self::AuthorizedPartyMismatch => "the token was issued to another client",
            Self::Inactive => "the provider says that the token is not active",
            Self::ProofRequired => "the token needs a proof that nobody checks",
            Self::Expired => "the token has expired",
            Self::IssuedInFuture => "the token was issued in the future",
            Self::IssuedTooLongAgo => "the token was issued too long ago",
            Self::LifetimeTooLong => "the token is valid for too long",
            Self::NotYetValid => "the token is not valid yet",
            Self::NonceMismatch => "the token belongs to another login",
            Self::AccessTokenHashMismatch => "the token belongs to another access token",
            Self::CodeHashMismatch => "the token belongs to another authorization code",
            Self::SubjectInvalid => "the token's subject is empty or too long",
            Self::AuthenticationTooOld => "the person authenticated too long ago",
            Self::AcrMismatch => "the person did not authenticate as was asked",
            Self::SubjectChanged => "the token speaks of somebody else than the session",
            Self::AuthTimeChanged => "the token speaks of another authentication than the session",
        })
    }
}

impl std::error::Error for TokenFault {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::TokenFault;

    #[test]
    fn codes_are_distinct_snake_case_words() {
        let codes: HashSet<_> = TokenFault::ALL.iter().map(|fault| fault.code()).collect();
        assert_eq!(codes.len(), TokenFault::ALL.len());
        for code in codes {
            assert!(!code.is_empty());
            assert!(code.bytes().all(|b| b == b'_' || b.is_ascii_lowercase()));
        }
    }

    #[test]
    fn texts_are_distinct() {
        let texts: HashSet<_> = TokenFault::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), TokenFault::ALL.len());
    }
}
