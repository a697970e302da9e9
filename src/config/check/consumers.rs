//! Whom bearer tokens are from.

use std::collections::{BTreeMap, BTreeSet};

use super::super::fault::At;
use super::super::{CONSUMER_HEADERS, Consumer, Consumers, Credential, CredentialKind, raw};
use super::super::{Provider, UpstreamHeader};
use super::Check;
use crate::header_list::are_twins;

const MOST_CONSUMERS: usize = 10_000;
const MOST_CREDENTIALS: usize = 64;

/// A credential, with the way to its claim if it has one.
struct Read {
    issuer: String,
    kind: CredentialKind,
    identifier: String,
    path: Option<Vec<String>>,
}

impl Check<'_> {
    /// Nothing where none are written, which is something else than an empty object. `providers` are
    /// all of them, or nothing where that is not known because of a fault, and so are `headers`.
    pub(super) fn consumers(
        &mut self,
        root: &At<'_>,
        raw: Option<BTreeMap<String, raw::Consumer>>,
        providers: Option<Vec<&Provider>>,
        headers: Option<&[UpstreamHeader]>,
    ) -> Option<Option<Consumers>> {
        let at = &root.key("consumers");
        let Some(raw) = raw else {
            let none = self.or(at, None, None)?;
            self.no_consumers(&root.key("providers"), &providers.unwrap_or_default());
            return Some(none);
        };
        self.consumer_headers(&root.key("upstream"), headers.unwrap_or_default());
        self.at_most(at, raw.len(), MOST_CONSUMERS)?;
        let issuers: Option<Vec<&str>> = providers.map(|providers| {
            let counting = |provider: &&&Provider| provider.access_tokens.is_some();
            let counting = providers.iter().filter(counting);
            counting.map(|provider| provider.issuer.as_str()).collect()
        });
        let mut complete = true;
        let mut consumers = Consumers::default();
        let (mut ids, mut custom_ids) = (BTreeSet::new(), BTreeSet::new());
        for (owner, (username, raw)) in raw.into_iter().enumerate() {
            let at = at.key(&username);
            let name = self.header_text(&at, username.clone());
            let id = self
                .or(&at.key("id"), raw.id, username.clone())
                .and_then(|id| self.unique_text(&at.key("id"), id, &mut ids));
            let custom_id_at = at.key("custom_id");
            let custom_id = match raw.custom_id {
                None => self.or(&custom_id_at, None, None),
                Some(text) => self
                    .unique_text(&custom_id_at, text, &mut custom_ids)
                    .map(Some),
            };
            let credentials_at = at.key("credentials");
            let credentials = self
                .or(&credentials_at, raw.credentials, Vec::new())
                .and_then(|raw| {
                    self.each(&credentials_at, raw, MOST_CREDENTIALS, |check, at, raw| {
                        let read = check.credential(at, raw, issuers.as_deref())?;
                        check.owned(at, read, owner, &mut consumers)
                    })
                });
            match (name, id, custom_id, credentials) {
                (Some(username), Some(id), Some(custom_id), Some(_)) => {
                    consumers.all.push(Consumer {
                        username,
                        id,
                        custom_id,
                    });
                }
                _ => complete = false,
            }
        }
        complete.then_some(Some(consumers))
    }

    /// Nobody requires a token to be of a consumer.
    fn no_consumers(&mut self, at: &At<'_>, providers: &[&Provider]) {
        for provider in providers {
            let policy = provider.access_tokens.as_ref();
            if policy.is_some_and(|policy| policy.require_consumer) {
                let at = at.key(&provider.name);
                let at = at.key("access_tokens");
                self.fault(
                    &at.key("require_consumer"),
                    "is true, and without `consumers` no token is of one; accepted: both, or neither",
                );
            }
        }
    }

    /// The headers of consumers are set by nothing else.
    fn consumer_headers(&mut self, at: &At<'_>, headers: &[UpstreamHeader]) {
        for name in headers.iter().map(|header| &header.name) {
            let is_name = |of_consumer: &str| are_twins(of_consumer.as_bytes(), name.as_bytes());
            if CONSUMER_HEADERS.into_iter().any(is_name) {
                self.fault(
                    &at.key("headers").key(name),
                    "is a header that `consumers` sets; accepted: another name",
                );
            }
        }
    }

    fn credential(
        &mut self,
        at: &At<'_>,
        raw: raw::Credential,
        issuers: Option<&[&str]>,
    ) -> Option<Read> {
        let claim_at = at.key("claim");
        let (kind, path, found) = match (raw.claim, raw.client_id) {
            (Some(_), Some(_)) => {
                self.fault(
                    at,
                    "has both `claim` and `client_id`; accepted: one of them, or `issuer` alone",
                );
                return None;
            }
            (Some(raw), None) => {
                let name_at = claim_at.key("name");
                let path = self.required(&name_at, raw.name, "the claim's name", Self::claim);
                let value_at = claim_at.key("value");
                let value = self.required(&value_at, raw.value, "a text", Self::header_text);
                (CredentialKind::Claim, path.map(Some), value.map(Some))
            }
            (None, Some(id)) => {
                let id = self.header_text(&at.key("client_id"), id);
                (CredentialKind::ClientId, Some(None), id.map(Some))
            }
            // What has been taken out is not missing.
            (None, None) if self.ledger.has_pruned_child(&at.place()) => return None,
            (None, None) => (CredentialKind::Issuer, Some(None), Some(None)),
        };
        let issuer = self.vouching(&at.key("issuer"), raw.issuer, kind, issuers);
        let (path, found, issuer) = (path?, found?, issuer?);
        let identifier = match found {
            Some(text) => text,
            None => self.header_text(&at.key("issuer"), issuer.clone())?,
        };
        Some(Read {
            issuer,
            kind,
            identifier,
            path,
        })
    }

    /// Who has to say that a token has the credential. Where several may, each could say anything about
    /// the others' clients.
    fn vouching(
        &mut self,
        at: &At<'_>,
        raw: Option<String>,
        kind: CredentialKind,
        issuers: Option<&[&str]>,
    ) -> Option<String> {
        match (raw, issuers) {
            (Some(issuer), Some(known)) if !known.contains(&issuer.as_str()) => {
                self.fault(at, "is the issuer of no provider with `access_tokens`; accepted: the `issuer` of one, byte for byte");
                None
            }
            (Some(issuer), _) => Some(issuer),
            (None, _) if kind == CredentialKind::Issuer => {
                self.missing(at, "an issuer, or `client_id` or `claim` beside it");
                None
            }
            (None, Some([only])) => Some((*only).to_owned()),
            (None, Some([])) => {
                self.fault(at, "cannot be found, because no provider has `access_tokens`; accepted: credentials of a provider's tokens");
                None
            }
            (None, Some(_)) => {
                self.missing(
                    at,
                    "the issuer that has to say so, because several providers have `access_tokens`",
                );
                None
            }
            (None, None) => None,
        }
    }

    /// Gives a credential to its owner, unless a token could then be from two consumers.
    fn owned(
        &mut self,
        at: &At<'_>,
        read: Read,
        owner: usize,
        consumers: &mut Consumers,
    ) -> Option<()> {
        if let Some(path) = read.path {
            let mut known = consumers.claims.iter();
            match known.find(|(issuer, _)| *issuer == read.issuer) {
                Some((_, known)) if *known != path => {
                    self.fault(
                        &at.key("claim").key("name"),
                        "is another claim than that of an earlier credential of this issuer, and a token could have both; accepted: one claim for all consumers of an issuer",
                    );
                    return None;
                }
                Some(_) => {}
                None => consumers.claims.push((read.issuer.clone(), path)),
            }
        }
        let credential = Credential {
            issuer: &read.issuer,
            kind: read.kind,
            identifier: &read.identifier,
        };
        let owner = u32::try_from(owner).ok()?;
        if consumers.owners.insert(credential.key(), owner).is_some() {
            self.fault(
                at,
                "is a credential already; accepted: each once, and so for one consumer",
            );
            return None;
        }
        Some(())
    }

    fn unique_text(
        &mut self,
        at: &At<'_>,
        text: String,
        seen: &mut BTreeSet<String>,
    ) -> Option<String> {
        let text = self.header_text(at, text)?;
        if !seen.insert(text.clone()) {
            self.fault(at, "is that of another consumer; accepted: one of its own");
            return None;
        }
        Some(text)
    }

    /// A text that a header says as it is.
    fn header_text(&mut self, at: &At<'_>, text: String) -> Option<String> {
        let text = self.text(at, text)?;
        let is_visible = text
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if !is_visible || text.trim() != text {
            self.fault(
                at,
                "does not fit into a header; accepted: visible ASCII characters, and blanks inside",
            );
            return None;
        }
        Some(text)
    }
}
