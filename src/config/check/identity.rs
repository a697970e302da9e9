//! The signed identity that the upstream gets.

use std::collections::BTreeMap;
use std::iter;
use std::time::Duration;

use serde_json::{Map, Value};

use super::super::fault::At;
use super::super::words::Given;
use super::super::{Access, HeaderSource, IdentityClaim, Provider, SignedIdentity, defaults, raw};
use super::{Check, header};
use crate::header_list::are_twins;
use crate::jose::SigningKey;

const MOST_KEYS: usize = 16;
const MOST_CLAIMS: usize = 64;
const LIFETIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_secs(60 * 60);

/// What Portero says itself, and what would let others begin later than it says.
const OWN_CLAIMS: [&str; 8] = ["aud", "exp", "iat", "idp", "iss", "jti", "nbf", "sub"];

impl Check<'_> {
    /// `providers` where they are known, and `set` the headers that Portero sets with something else.
    pub(super) fn identity(
        &mut self,
        at: &At<'_>,
        raw: Option<raw::Identity>,
        providers: Option<&(Provider, Vec<Provider>)>,
        set: &[String],
    ) -> Option<Option<SignedIdentity>> {
        let Some(raw) = raw else {
            return self.or(at, None, None);
        };
        let header = self.identity_header(&at.key("header"), raw.header, set);
        let issuer_at = at.key("issuer");
        let issuer = self.required(
            &issuer_at,
            raw.issuer,
            "an https URL that names Portero",
            |check, at, text| check.issuer(at, text, false),
        );
        let mut providers = providers
            .into_iter()
            .flat_map(|(first, more)| iter::once(first).chain(more));
        if let Some(issuer) = &issuer
            && providers.any(|provider| provider.issuer == *issuer)
        {
            self.fault(
                &issuer_at,
                "is a provider's, whose tokens these are not; accepted: an issuer of your own",
            );
        }
        let audience = self.required(
            &at.key("audience"),
            raw.audience,
            "what the upstream calls itself, such as its URL",
            Self::text,
        );
        let keys = self.required(
            &at.key("keys"),
            raw.keys,
            "a list of keys, of which the first signs",
            Self::identity_keys,
        );
        let claims = self.identity_claims(&at.key("claims"), raw.claims);
        let lifetime = self.span(
            &at.key("lifetime"),
            raw.lifetime,
            defaults::IDENTITY_LIFETIME,
            LIFETIMES,
        );
        let keys = keys?;
        Some(Some(SignedIdentity {
            header: header?,
            issuer: issuer?,
            audience: audience?,
            key_set: key_set(&keys),
            keys,
            claims: claims?,
            lifetime: lifetime?,
            most_kept: 1,
        }))
    }

    /// There is none where there are no keys.
    pub(super) fn identity_keys_path(
        &mut self,
        at: &At<'_>,
        raw: Option<String>,
        has_identity: bool,
    ) -> Option<Option<String>> {
        if has_identity {
            let path = self.own_path(at, raw, defaults::IDENTITY_KEYS)?;
            return Some(Some(path));
        }
        if raw.is_some() {
            self.fault(
                at,
                "is for keys that nothing is signed with; accepted: this path together with `upstream.identity`",
            );
            return None;
        }
        Some(None)
    }

    /// `access` where it is known.
    pub(super) fn identity_audience(
        &mut self,
        at: &At<'_>,
        raw: Option<String>,
        access: Option<Access>,
        has_identity: bool,
    ) -> Option<Option<String>> {
        let Some(text) = raw else {
            return self.or(at, None, None);
        };
        if access == Some(Access::Public) {
            self.fault(at, "stands in a public rule, which tells the upstream of nobody; accepted: it with `access` authenticated");
        }
        if !has_identity {
            self.fault(
                at,
                "is the audience of nothing; accepted: it together with `upstream.identity`",
            );
        }
        self.text(at, text).map(Some)
    }

    fn identity_header(
        &mut self,
        at: &At<'_>,
        raw: Option<String>,
        set: &[String],
    ) -> Option<String> {
        let name = self.or(at, raw, defaults::IDENTITY_HEADER.to_owned())?;
        let name = self.accept(at, header::name(&name))?;
        let mut headers = set.iter();
        if headers.any(|other| are_twins(other.as_bytes(), name.as_bytes())) {
            self.fault(at, "is the same header as one of `headers`, of `consumers` or of `upstream_tokens`; accepted: a header of its own, which differs in more than `-` and `_`");
        }
        if name == "authorization" {
            self.fault(at, "is where callers show what they have, with a scheme; accepted: a header of its own, such as `x-portero-identity`");
        }
        Some(name)
    }

    fn identity_keys(
        &mut self,
        at: &At<'_>,
        raw: Vec<Given<raw::IdentityKey>>,
    ) -> Option<Vec<SigningKey>> {
        if raw.is_empty() {
            self.fault(at, "is empty; accepted: at least the key that signs");
            return None;
        }
        let mut seen: Vec<String> = Vec::new();
        self.each(at, raw, MOST_KEYS, |check, at, raw| {
            let key = check.private_key(at, raw.key, raw.key_id, raw.algorithm)?;
            let key = match (key.key_id(), key.thumbprint()) {
                (None, Some(name)) => key.with_key_id(name).ok()?,
                _ => key,
            };
            let name = key.key_id().unwrap_or_default().to_owned();
            if seen.contains(&name) {
                check.fault(
                    &at.key("key_id"),
                    "is that of another key; accepted: a name for each",
                );
                return None;
            }
            seen.push(name);
            Some(key)
        })
    }

    fn identity_claims(
        &mut self,
        at: &At<'_>,
        raw: Option<BTreeMap<String, raw::HeaderSource>>,
    ) -> Option<Vec<IdentityClaim>> {
        let raw = self.or(at, raw, BTreeMap::new())?;
        self.at_most(at, raw.len(), MOST_CLAIMS)?;
        let mut complete = true;
        let mut claims = Vec::with_capacity(raw.len());
        for (name, source) in raw {
            let at = at.key(&name);
            let source = self.source(&at, source);
            if !matches!(
                source,
                None | Some(HeaderSource::Claim(_) | HeaderSource::AccessTokenClaim(_))
            ) {
                self.fault(
                    &at,
                    "is no single claim; accepted: claim, access_token_claim",
                );
            }
            if OWN_CLAIMS.contains(&name.as_str()) {
                self.fault(
                    &at,
                    "is a claim that only Portero sets; accepted: other names",
                );
            }
            match (self.claim_name(&at, name.clone()), source) {
                (Some(name), Some(source)) => claims.push(IdentityClaim { name, source }),
                _ => complete = false,
            }
        }
        complete.then_some(claims)
    }
}

/// RFC 7517 section 5.
fn key_set(keys: &[SigningKey]) -> String {
    let mut public = Vec::with_capacity(keys.len());
    for key in keys {
        public.extend(key.public_jwk());
    }
    let mut set = Map::new();
    set.insert("keys".to_owned(), Value::Array(public));
    Value::Object(set).to_string()
}
