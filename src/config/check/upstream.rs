//! What the upstream is told.

use std::collections::BTreeMap;

use super::super::fault::At;
use super::super::words::TextOrList;
use super::super::{HeaderSource, UpstreamHeader, defaults, raw};
use super::{Check, header};
use crate::header_list::are_twins;

const MOST_HEADERS: usize = 64;
const DEEPEST_CLAIM: usize = 16;
const LONGEST_CLAIM: usize = 256;

impl Check<'_> {
    pub(super) fn upstream(
        &mut self,
        at: &At<'_>,
        raw: Option<BTreeMap<String, raw::HeaderSource>>,
    ) -> Option<Vec<UpstreamHeader>> {
        let at = at.key("headers");
        let Some(raw) = raw else {
            let default = vec![UpstreamHeader {
                name: defaults::USERINFO_HEADER.to_owned(),
                source: HeaderSource::Userinfo,
            }];
            return self.or(&at, None, default);
        };
        self.at_most(&at, raw.len(), MOST_HEADERS)?;
        let mut complete = true;
        let mut headers: Vec<UpstreamHeader> = Vec::with_capacity(raw.len());
        for (name, source) in raw {
            let at = at.key(&name);
            let header = self.header(&at, &name, source);
            let is_header = |other: &&UpstreamHeader| {
                let name = header.as_ref().map(|header| header.name.as_bytes());
                name.is_some_and(|name| are_twins(other.name.as_bytes(), name))
            };
            if let Some(other) = headers.iter().find(is_header) {
                let other = &other.name;
                self.fault(&at, format!("is the same header as `{other}` to many upstreams; accepted: names that differ in more than case, `-` and `_`"));
            }
            match header {
                Some(header) => headers.push(header),
                None => complete = false,
            }
        }
        complete.then_some(headers)
    }

    fn header(
        &mut self,
        at: &At<'_>,
        name: &str,
        source: raw::HeaderSource,
    ) -> Option<UpstreamHeader> {
        let name = self.accept(at, header::name(name));
        let source = self.source(at, source);
        Some(UpstreamHeader {
            name: name?,
            source: source?,
        })
    }

    pub(super) fn source(
        &mut self,
        at: &At<'_>,
        source: raw::HeaderSource,
    ) -> Option<HeaderSource> {
        match source {
            raw::HeaderSource::Claim(path) => {
                self.claim(&at.key("claim"), path).map(HeaderSource::Claim)
            }
            raw::HeaderSource::Userinfo(raw::UserinfoForm::Base64Json) => {
                Some(HeaderSource::Userinfo)
            }
            raw::HeaderSource::IdToken(raw::IdTokenForm::Raw) => Some(HeaderSource::IdToken),
            raw::HeaderSource::IdToken(raw::IdTokenForm::ClaimsBase64Json) => {
                Some(HeaderSource::IdTokenClaims)
            }
            raw::HeaderSource::AccessToken(raw::AccessTokenForm::Raw) => {
                Some(HeaderSource::AccessToken)
            }
            raw::HeaderSource::AccessToken(raw::AccessTokenForm::Bearer) => {
                Some(HeaderSource::BearerAccessToken)
            }
            raw::HeaderSource::AccessTokenClaim(path) => self
                .claim(&at.key("access_token_claim"), path)
                .map(HeaderSource::AccessTokenClaim),
        }
    }

    pub(super) fn claim(&mut self, at: &At<'_>, raw: TextOrList) -> Option<Vec<String>> {
        match raw {
            TextOrList::Text(name) => self.claim_name(at, name).map(|name| vec![name]),
            TextOrList::List(names) if names.is_empty() => {
                self.fault(
                    at,
                    "is empty; accepted: at least the name of the outermost claim",
                );
                None
            }
            TextOrList::List(names) => self.each(at, names, DEEPEST_CLAIM, Self::claim_name),
        }
    }

    pub(super) fn claim_name(&mut self, at: &At<'_>, name: String) -> Option<String> {
        if (1..=LONGEST_CLAIM).contains(&name.len()) {
            return Some(name);
        }
        self.fault(
            at,
            format!(
                "is empty or too long; accepted: a claim's name, at most {LONGEST_CLAIM} bytes"
            ),
        );
        None
    }
}
