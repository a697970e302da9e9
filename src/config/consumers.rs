//! Whom bearer tokens are from.

use std::collections::BTreeMap;
use std::fmt;

/// All consumers, and how they are found.
#[derive(Default)]
pub struct Consumers {
    /// By name.
    pub all: Vec<Consumer>,
    /// Whose a credential is: a place in `all`, by [`Credential::key`].
    pub owners: BTreeMap<String, u32>,
    /// The way to the claim that tells an issuer's consumers apart, with the issuer; one for each issuer
    /// at most.
    pub claims: Vec<(String, Vec<String>)>,
}

/// The same at every load.
impl fmt::Debug for Consumers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Consumers")
            .field("all", &self.all)
            .field("owners", &self.owners.len())
            .field("claims", &self.claims)
            .finish()
    }
}

impl Consumers {
    /// The place in `all` of the consumer with a name.
    pub fn place_of(&self, username: &str) -> Option<usize> {
        let mut names = self.all.iter().map(|consumer| &consumer.username);
        names.position(|name| name == username)
    }

    /// Whose a credential is.
    pub fn owner(&self, credential: &Credential<'_>) -> Option<&Consumer> {
        let place = *self.owners.get(&credential.key())?;
        self.all.get(usize::try_from(place).ok()?)
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
pub struct Credential<'a> {
    /// Who vouches for it, of the configuration.
    pub issuer: &'a str,
    pub kind: CredentialKind,
    /// What Kong calls the key: what a header may say of the credential. Of a credential that is the
    /// issuer alone, the issuer.
    pub identifier: &'a str,
}

impl Credential<'_> {
    /// No two credentials have the same, since no configured issuer has a line feed.
    pub fn key(&self) -> String {
        let kind = match self.kind {
            CredentialKind::Claim => "claim\n",
            CredentialKind::ClientId => "client_id\n",
            CredentialKind::Issuer => "issuer\n",
        };
        [kind, self.issuer, "\n", self.identifier].concat()
    }
}

/// Where in a token a credential is, the most specific first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
