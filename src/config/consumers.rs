//! Whom bearer tokens are from.

use std::collections::BTreeMap;

/// All consumers, and how they are found.
#[derive(Debug, Default)]
pub struct Consumers {
    /// By name.
    pub all: Vec<Consumer>,
    /// Whose a credential is: a place in `all`.
    pub owners: BTreeMap<Credential, usize>,
    /// The way to the claim that tells an issuer's consumers apart, by issuer.
    pub claims: BTreeMap<String, Vec<String>>,
}

impl Consumers {
    /// The place in `all` of the consumer with a name.
    pub fn place_of(&self, username: &str) -> Option<usize> {
        let order = |consumer: &Consumer| consumer.username.as_str().cmp(username);
        self.all.binary_search_by(order).ok()
    }
}

/// One consumer; its texts fit into headers.
#[derive(Debug)]
pub struct Consumer {
    pub username: String,
    /// No other consumer's.
    pub id: String,
    /// No other consumer's.
    pub custom_id: Option<String>,
}

/// What a token shows of whom it is from.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Credential {
    /// Who vouches for it.
    pub issuer: String,
    pub kind: CredentialKind,
    /// What Kong calls the key: what a header may say of the credential. Of a credential that is the
    /// issuer alone, the issuer.
    pub identifier: String,
}

/// Where in a token a credential is, the most specific first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialKind {
    Claim,
    ClientId,
    Issuer,
}

/// The headers that say which consumer is calling: nobody else sets them where there are consumers.
pub const CONSUMER_HEADERS: [&str; 5] = [
    "x-consumer-id",
    "x-consumer-custom-id",
    "x-consumer-username",
    "x-credential-identifier",
    "x-anonymous-consumer",
];
