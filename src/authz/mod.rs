//! Who may: what a rule demands of claims, and whether somebody meets it.
//!
//! Pure, and the same for the claims of a session and of a token. Three answers are possible, because
//! what cannot be read is neither there nor missing: `require` must be met, `forbid` must be known not
//! to be, and everything in between refuses.

mod finding;
mod interests;
mod names;
mod principal;
#[cfg(test)]
mod tests;

pub use interests::Interests;
pub use principal::Principal;

use serde_json::{Map, Value};

use crate::config::{Condition, Pattern, Policy, Scalar, Selection, Test};
use crate::jose::{Found, follow};
use finding::Finding;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    Denied(Denied),
}

/// Why somebody who is known may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    pub cause: Cause,
    /// The scopes that would make the difference, where scopes alone do (RFC 6750 section 3).
    pub scopes: Vec<String>,
}

/// What the operator is told of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// `require` does not hold.
    NotMet,
    /// `forbid` holds.
    Forbidden,
    /// A claim has another type than the rule speaks of, or is too long for a pattern.
    ClaimUnreadable,
    /// The provider left the groups out, because there are too many.
    GroupsOverage,
    /// Nothing is known of the token's claims.
    TokenUnreadable,
    /// The session was made under other rules, and cannot say whether `forbid` holds.
    SessionOutdated,
}

impl Cause {
    /// Every variant.
    pub const ALL: &'static [Self] = &[
        Self::NotMet,
        Self::Forbidden,
        Self::ClaimUnreadable,
        Self::GroupsOverage,
        Self::TokenUnreadable,
        Self::SessionOutdated,
    ];

    /// The word in log lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotMet => "not_met",
            Self::Forbidden => "forbidden",
            Self::ClaimUnreadable => "claim_unreadable",
            Self::GroupsOverage => "groups_overage",
            Self::TokenUnreadable => "token_unreadable",
            Self::SessionOutdated => "session_outdated",
        }
    }
}

/// Judges a principal by a policy.
pub fn evaluate(policy: &Policy, principal: &Principal<'_>) -> Verdict {
    let denied = |cause, scopes| Verdict::Denied(Denied { cause, scopes });
    if let Some(forbid) = &policy.forbid {
        match judge(forbid, principal) {
            Finding::NotMet => {}
            Finding::Met => return denied(Cause::Forbidden, Vec::new()),
            Finding::Unknown(cause) => return denied(cause, Vec::new()),
        }
    }
    let Some(require) = &policy.require else {
        return Verdict::Allowed;
    };
    let cause = match judge(require, principal) {
        Finding::Met => return Verdict::Allowed,
        Finding::NotMet => Cause::NotMet,
        Finding::Unknown(cause) => cause,
    };
    denied(
        cause,
        lacking_scopes(require, principal).unwrap_or_default(),
    )
}

/// The scopes with which whoever has nothing else would be let through, where scopes alone do: what a
/// client that has no token yet should ask for one with.
pub fn wanted_scopes(policy: &Policy) -> Vec<String> {
    let nothing = Map::new();
    let nobody = Principal::of_token(Some(&nothing));
    let require = policy.require.as_ref();
    require
        .and_then(|require| lacking_scopes(require, &nobody))
        .unwrap_or_default()
}

fn judge(condition: &Condition, principal: &Principal<'_>) -> Finding {
    let Some(claims) = principal.claims else {
        return Finding::Unknown(Cause::TokenUnreadable);
    };
    match condition {
        Condition::All(all) => Finding::all(all.iter().map(|each| judge(each, principal))),
        Condition::Any(any) => Finding::any(any.iter().map(|each| judge(each, principal))),
        Condition::Scopes(wanted) => principal.scopes(claims).judge(wanted),
        Condition::Roles(wanted) => principal.roles(claims).judge(wanted),
        Condition::Groups(wanted) => names::groups(claims).judge(wanted),
        Condition::Issuer(issuers) => match principal.issuer {
            Some(issuer) if issuers.iter().any(|known| known == issuer) => Finding::Met,
            Some(_) => Finding::NotMet,
            None => Finding::Unknown(Cause::ClaimUnreadable),
        },
        Condition::Claim { path, test } => claim(claims, path, test),
    }
}

fn claim(claims: &Map<String, Value>, path: &[String], test: &Test) -> Finding {
    const UNREADABLE: Finding = Finding::Unknown(Cause::ClaimUnreadable);
    let value = match follow(claims, path) {
        Found::Value(value) => value,
        Found::Nothing => return Finding::NotMet,
        Found::Blocked { .. } => return UNREADABLE,
    };
    match (test, value) {
        (Test::OneOf(wanted), value) => match wanted.iter().any(|scalar| scalar.is(value)) {
            true => Finding::Met,
            false if wanted.iter().any(|scalar| scalar.is_like(value)) => Finding::NotMet,
            false => UNREADABLE,
        },
        (Test::Contains(wanted), Value::Array(items)) => {
            let has = |scalar: &Scalar| items.iter().any(|item| scalar.is(item));
            let is_met = match wanted {
                Selection::AllOf(all) => all.iter().all(has),
                Selection::AnyOf(any) => any.iter().any(has),
            };
            match is_met {
                false if items.iter().any(names::is_compound) => UNREADABLE,
                is_met => Finding::of(is_met),
            }
        }
        (Test::Matches(pattern), Value::String(text)) if text.len() <= Pattern::LONGEST_TEXT => {
            Finding::of(pattern.matches(text))
        }
        (Test::Contains(_) | Test::Matches(_), _) => UNREADABLE,
    }
}

/// The scopes with which `condition` would be met, if any would: none where it is met already, all
/// of those it wants all of, the first of those it wants one of.
fn lacking_scopes(condition: &Condition, principal: &Principal<'_>) -> Option<Vec<String>> {
    if judge(condition, principal) == Finding::Met {
        return Some(Vec::new());
    }
    principal.claims?;
    match condition {
        Condition::All(all) => {
            let lacking = all.iter().map(|each| lacking_scopes(each, principal));
            let lacking: Option<Vec<Vec<String>>> = lacking.collect();
            lacking.map(|lists| lists.concat())
        }
        Condition::Any(any) => any.iter().find_map(|each| lacking_scopes(each, principal)),
        Condition::Scopes(Selection::AllOf(scopes)) => Some(scopes.clone()),
        Condition::Scopes(Selection::AnyOf(scopes)) => {
            Some(scopes.iter().take(1).cloned().collect())
        }
        Condition::Roles(_)
        | Condition::Groups(_)
        | Condition::Issuer(_)
        | Condition::Claim { .. } => None,
    }
}
