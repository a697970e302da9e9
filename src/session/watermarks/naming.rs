//! How what a watermark is about is named: by hashes, so that nobody reads in shared data who has logged out.

use sha2::{Digest, Sha256};

use crate::session::Session;
use crate::time::Timestamp;

/// What a watermark is about.
#[derive(Clone, Copy)]
pub enum Mark<'a> {
    /// The sessions of ours that came of one another, by the id of the first.
    Family(&'a [u8; 16]),
    /// The provider's session of this name.
    Sid(&'a str),
    /// The provider's session of this name, if it is this subject's. A session of ours for which the
    /// provider gave no name is meant by its subject.
    SidOf { sid: &'a str, subject: &'a str },
    /// All sessions of a subject.
    Subject(&'a str),
}

impl Mark<'_> {
    /// The tags under which it is noted.
    pub fn tags(&self, naming: &Naming) -> Vec<Tag> {
        let marked = |kind, parts| naming.tag(kind, parts);
        match self {
            Self::Family(id) => vec![naming.family(id)],
            Self::Sid(sid) => vec![marked(Kind::Sid, [sid.as_bytes(), b""])],
            Self::SidOf { sid, subject } => vec![
                marked(Kind::SidOf, [sid.as_bytes(), subject.as_bytes()]),
                marked(Kind::Unnamed, [subject.as_bytes(), b""]),
            ],
            Self::Subject(subject) => vec![marked(Kind::Subject, [subject.as_bytes(), b""])],
        }
    }
}

/// One of the names under which the end of a session can be noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    pub tag: Tag,
    /// What a watermark of that name is compared with. The end of a family ends it whenever it was
    /// issued; everything else has a time.
    pub issued_at: Timestamp,
}

/// The names under which the end of `session` can be noted.
pub fn names_of(session: &Session, naming: &Naming) -> Vec<Name> {
    let name = |(kind, parts)| Name {
        tag: naming.tag(kind, parts),
        issued_at: match kind {
            Kind::Family => Timestamp::default(),
            _ => session.authentication.issued_at,
        },
    };
    marks(session).into_iter().map(name).collect()
}

/// The marks that can end a session.
fn marks(session: &Session) -> Vec<(Kind, [&[u8]; 2])> {
    let subject = session.subject.as_bytes();
    let mut marks: Vec<(Kind, [&[u8]; 2])> = vec![
        (Kind::Family, [&session.family, b""]),
        (Kind::Subject, [subject, b""]),
    ];
    match session.sid.as_ref().filter(|sid| !sid.is_empty()) {
        Some(sid) => marks.extend([
            (Kind::Sid, [sid.as_bytes(), &b""[..]]),
            (Kind::SidOf, [sid.as_bytes(), subject]),
        ]),
        None => marks.push((Kind::Unnamed, [subject, b""])),
    }
    marks
}

/// What a watermark is found by: sixteen bytes of a hash. Nobody finds two texts with the same, and a
/// bucket stays small.
pub type Tag = [u8; 16];

/// How the sessions of one issuer are named: a hash that has read what all their tags begin with.
///
/// That is one block of SHA-256, and most tags need just one more. Whoever sees a session for the first
/// time makes up to four of them.
pub struct Naming(Sha256);

/// The other half of the first block, after the issuer's own hash.
const PURPOSE: [u8; 32] = *b"portero: what a watermark names.";

impl Naming {
    /// Of the sessions of this issuer.
    pub fn of(issuer: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(Sha256::digest(issuer));
        hash.update(PURPOSE);
        Self(hash)
    }

    /// Of the sessions that came of the one with this id.
    pub(super) fn family(&self, id: &[u8; 16]) -> Tag {
        self.tag(Kind::Family, [id, b""])
    }

    fn tag(&self, kind: Kind, [first, second]: [&[u8]; 2]) -> Tag {
        let length = u64::try_from(first.len()).unwrap_or(u64::MAX);
        let mut hash = self.0.clone();
        hash.update([kind as u8]);
        hash.update(length.to_be_bytes());
        hash.update(first);
        hash.update(second);
        let mut tag = Tag::default();
        for (byte, hashed) in tag.iter_mut().zip(hash.finalize()) {
            *byte = hashed;
        }
        tag
    }
}

/// A kind of mark, in a tag and among those of a session.
#[derive(Clone, Copy)]
enum Kind {
    Family,
    Sid,
    SidOf,
    Unnamed,
    Subject,
}
