//! Claims that are lists of names.

use serde_json::{Map, Value};

use super::Cause;
use super::finding::Finding;
use crate::config::{Scalar, Selection};
use crate::jose::{Found, follow};

/// The names that somebody has.
#[derive(Default)]
pub(super) struct Names<'a> {
    known: Vec<&'a str>,
    /// Why there may be more.
    more: Option<Cause>,
}

impl<'a> Names<'a> {
    /// Those of an array, or one text. Numbers and the like in an array are no names, and of objects
    /// nobody can tell.
    pub(super) fn add(&mut self, claims: &'a Map<String, Value>, path: &[&str]) {
        self.add_split(claims, path, |name, known| known.push(name));
    }

    /// The same, where one text holds several with spaces between them (RFC 6749 section 3.3).
    pub(super) fn add_scopes(&mut self, claims: &'a Map<String, Value>, path: &[&str]) {
        self.add_split(claims, path, |text, known| known.extend(scopes(text)));
    }

    pub(super) fn add_text(&mut self, text: &'a str) {
        self.known.extend(scopes(text));
    }

    fn add_split(
        &mut self,
        claims: &'a Map<String, Value>,
        path: &[&str],
        of_text: impl Fn(&'a str, &mut Vec<&'a str>),
    ) {
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        match follow(claims, &path) {
            Found::Nothing => {}
            Found::Value(Value::String(text)) => of_text(text, &mut self.known),
            Found::Value(Value::Array(items)) => {
                self.known.extend(items.iter().filter_map(Value::as_str));
                if items.iter().any(is_compound) {
                    self.may_be_more(Cause::ClaimUnreadable);
                }
            }
            Found::Value(_) | Found::Blocked { .. } => self.may_be_more(Cause::ClaimUnreadable),
        }
    }

    pub(super) fn may_be_more(&mut self, cause: Cause) {
        self.more.get_or_insert(cause);
    }

    pub(super) fn judge(&self, wanted: &Selection<String>) -> Finding {
        let has = |name: &String| self.known.contains(&name.as_str());
        let met = match wanted {
            Selection::AllOf(all) => all.iter().all(has),
            Selection::AnyOf(any) => any.iter().any(has),
        };
        match (met, self.more) {
            (false, Some(cause)) => Finding::Unknown(cause),
            (met, _) => Finding::of(met),
        }
    }
}

/// What may hold a name, and is none itself.
pub(super) const fn is_compound(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

fn scopes(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|scope| !scope.is_empty())
}

/// The claim `groups`. Microsoft Entra leaves it out for members of too many groups, and says so.
pub(super) fn groups(claims: &Map<String, Value>) -> Names<'_> {
    let mut names = Names::default();
    names.add(claims, &["groups"]);
    let path = OVERAGE.map(str::to_owned);
    let elsewhere = follow(claims, &path) != Found::Nothing;
    let left_out = claims.get(HAS_GROUPS);
    if elsewhere || left_out.is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)))
    {
        names.may_be_more(Cause::GroupsOverage);
    }
    names
}

/// Where a claim is that is found elsewhere (OpenID Connect Core section 5.6.2).
pub(super) const OVERAGE: [&str; 2] = ["_claim_names", "groups"];
/// Where even that would be too long.
pub(super) const HAS_GROUPS: &str = "hasgroups";

impl Scalar {
    /// Whether a claim has this very value.
    pub(super) fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(text), Value::String(other)) => text == other,
            (Self::Number(number), Value::Number(other)) => other.as_f64() == Some(*number),
            (Self::Flag(flag), Value::Bool(other)) => flag == other,
            _ => false,
        }
    }

    /// Whether a claim is of the same type.
    pub(super) const fn is_like(&self, value: &Value) -> bool {
        matches!(
            (self, value),
            (Self::Text(_), Value::String(_))
                | (Self::Number(_), Value::Number(_))
                | (Self::Flag(_), Value::Bool(_))
        )
    }
}
