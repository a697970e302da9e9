//! What Envoy itself is told.

use std::collections::BTreeMap;

use super::super::fault::At;
use super::super::{FilterState, HeaderSource, raw};
use super::Check;

const MOST_STATES: usize = 16;
const LONGEST_NAME: usize = 64;

impl Check<'_> {
    pub(super) fn filter_state(
        &mut self,
        at: &At<'_>,
        raw: Option<BTreeMap<String, raw::HeaderSource>>,
    ) -> Option<Vec<FilterState>> {
        let raw = self.or(at, raw, BTreeMap::new())?;
        self.at_most(at, raw.len(), MOST_STATES)?;
        let mut complete = true;
        let mut states = Vec::with_capacity(raw.len());
        for (name, source) in raw {
            let at = at.key(&name);
            let is_name = self.is_state_name(&at, &name);
            match self.source(&at, source) {
                Some(source) if self.is_told(&at, &source) && is_name => {
                    states.push(FilterState { name, source });
                }
                _ => complete = false,
            }
        }
        complete.then_some(states)
    }

    fn is_state_name(&mut self, at: &At<'_>, name: &str) -> bool {
        let is_name = (1..=LONGEST_NAME).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_name {
            self.fault(
                at,
                format!(
                    "is not a name; accepted: letters, digits, `.`, `_` and `-`, at most {LONGEST_NAME}, such as `portero.subject`"
                ),
            );
        }
        is_name
    }

    /// Access logs are read by people who may not act for the caller.
    fn is_told(&mut self, at: &At<'_>, source: &HeaderSource) -> bool {
        let is_token = matches!(
            source,
            HeaderSource::IdToken | HeaderSource::AccessToken | HeaderSource::BearerAccessToken
        );
        if is_token {
            self.fault(
                at,
                "is a whole token, which access logs must not show; accepted: claims",
            );
        }
        !is_token
    }
}
