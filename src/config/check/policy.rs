//! What rules demand of claims.

use super::super::fault::At;
use super::super::words::{Given, Plain};
use super::super::{Access, Condition, Pattern, Policy, Scalar, Selection, Test, raw};
use super::request::scope;
use super::{Check, LONGEST_TEXT};

/// The most names, values, issuers and patterns of one rule. A request compares each of them with
/// each element of a claim at most.
const MOST_TERMS: usize = 256;
const MOST_LEVELS: usize = 4;
const LONGEST_PATTERN: usize = 512;

/// How many more of its terms a rule may have.
struct Budget(usize);

impl Check<'_> {
    pub(super) fn policy(
        &mut self,
        at: &At<'_>,
        access: Option<Access>,
        require: Option<raw::Conditions>,
        forbid: Option<raw::Conditions>,
    ) -> Option<Policy> {
        let mut budget = Budget(MOST_TERMS);
        let [require, forbid] = [("require", require), ("forbid", forbid)].map(|(key, raw)| {
            let at = at.key(key);
            match raw {
                None => self.or(&at, None, None),
                Some(_) if access == Some(Access::Public) => {
                    self.fault(&at, "stands in a public rule, which asks nobody who they are; accepted: `require` and `forbid` with `access` authenticated");
                    None
                }
                Some(raw) => self.conditions(&at, raw, MOST_LEVELS, &mut budget).map(Some),
            }
        });
        Some(Policy {
            require: require?,
            forbid: forbid?,
        })
    }

    /// What is written in one object: all of it must hold.
    fn conditions(
        &mut self,
        at: &At<'_>,
        raw: raw::Conditions,
        levels: usize,
        budget: &mut Budget,
    ) -> Option<Condition> {
        let Some(levels) = levels.checked_sub(1) else {
            let problem = format!("is nested too deep; accepted: at most {MOST_LEVELS} levels");
            self.fault(at, problem);
            return None;
        };
        let mut members = Vec::new();
        if let Some(raw) = raw.scopes {
            let names = self.selection(&at.key("scopes"), raw, budget, |check, at, text| {
                check.accept(at, scope(&text).map(|()| text))
            });
            members.push(names.map(Condition::Scopes));
        }
        if let Some(raw) = raw.roles {
            let names = self.selection(&at.key("roles"), raw, budget, Self::text);
            members.push(names.map(Condition::Roles));
        }
        if let Some(raw) = raw.realm_roles {
            let names = self.selection(&at.key("realm_roles"), raw, budget, Self::text);
            members.push(names.map(realm_roles));
        }
        if let Some(raw) = raw.client_roles {
            let at = at.key("client_roles");
            let names = self.selection(&at, raw, budget, Self::client_role);
            members.push(names.map(client_roles));
        }
        if let Some(raw) = raw.groups {
            let names = self.selection(&at.key("groups"), raw, budget, Self::text);
            members.push(names.map(Condition::Groups));
        }
        if let Some(raw) = raw.issuers {
            let names = self.terms(&at.key("issuers"), raw, budget, Self::text);
            members.push(names.map(Condition::Issuer));
        }
        if let Some(raw) = raw.claims {
            let claims = self.several(&at.key("claims"), raw, |check, at, raw| {
                check.claim_condition(at, raw, budget)
            });
            members.push(claims.map(all));
        }
        for (key, raw, join) in [
            ("all_of", raw.all_of, all as fn(_) -> _),
            ("any_of", raw.any_of, Condition::Any),
        ] {
            if let Some(raw) = raw {
                let inner = self.several(&at.key(key), raw, |check, at, raw| {
                    check.conditions(at, raw, levels, budget)
                });
                members.push(inner.map(join));
            }
        }
        if members.is_empty() && !self.ledger.has_pruned_child(&at.place()) {
            self.fault(
                at,
                "is empty, which everybody or nobody may meet; accepted: at least one condition",
            );
        }
        let members: Option<Vec<Condition>> = members.into_iter().collect();
        members.filter(|members| !members.is_empty()).map(all)
    }

    fn claim_condition(
        &mut self,
        at: &At<'_>,
        raw: raw::ClaimCondition,
        budget: &mut Budget,
    ) -> Option<Condition> {
        let claim_at = at.key("claim");
        let path = self.required(&claim_at, raw.claim, "the name of a claim", Self::claim);
        let mut tests = Vec::new();
        for (key, value, test) in [
            ("equals", raw.equals, Test::OneOf as fn(Vec<Scalar>) -> Test),
            ("contains", raw.contains, contains_all),
        ] {
            if let Some(value) = value {
                let at = at.key(key);
                self.spend(&at, 1, budget);
                let value = self.scalar(&at, value);
                tests.push(value.map(|value| test(vec![value])));
            }
        }
        for (key, values, test) in [
            ("one_of", raw.one_of, Test::OneOf as fn(Vec<Scalar>) -> Test),
            ("contains_all", raw.contains_all, contains_all),
            ("contains_any", raw.contains_any, contains_any),
        ] {
            if let Some(values) = values {
                let values = self.terms(&at.key(key), values, budget, Self::scalar);
                tests.push(values.map(test));
            }
        }
        if let Some(pattern) = raw.matches {
            let at = at.key("matches");
            self.spend(&at, 1, budget);
            tests.push(self.pattern(&at, &pattern).map(Test::Matches));
        }
        let count = tests.len();
        if count != 1 && !self.ledger.has_pruned_child(&at.place()) {
            self.fault(at, format!("has {count} tests; accepted: exactly one of equals, one_of, contains, contains_all, contains_any, matches"));
            return None;
        }
        Some(Condition::Claim {
            path: path?,
            test: tests.pop()??,
        })
    }

    fn selection<T: Clone + PartialEq>(
        &mut self,
        at: &At<'_>,
        raw: raw::Selection,
        budget: &mut Budget,
        read: fn(&mut Self, &At<'_>, String) -> Option<T>,
    ) -> Option<Selection<T>> {
        match raw {
            raw::Selection::AllOf(items) => self
                .terms(&at.key("all_of"), items, budget, read)
                .map(Selection::AllOf),
            raw::Selection::AnyOf(items) => self
                .terms(&at.key("any_of"), items, budget, read)
                .map(Selection::AnyOf),
        }
    }

    /// A list of terms, each once.
    fn terms<R, T: Clone + PartialEq>(
        &mut self,
        at: &At<'_>,
        items: Vec<Given<R>>,
        budget: &mut Budget,
        read: fn(&mut Self, &At<'_>, R) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.not_empty(at, &items)?;
        self.spend(at, items.len(), budget)?;
        self.distinct(at, items, MOST_TERMS, read)
    }

    /// A list of conditions.
    fn several<R>(
        &mut self,
        at: &At<'_>,
        items: Vec<Given<R>>,
        read: impl FnMut(&mut Self, &At<'_>, R) -> Option<Condition>,
    ) -> Option<Vec<Condition>> {
        self.not_empty(at, &items)?;
        self.each(at, items, MOST_TERMS, read)
    }

    fn not_empty<R>(&mut self, at: &At<'_>, items: &[Given<R>]) -> Option<()> {
        if items.is_empty() {
            self.fault(
                at,
                "is empty, which everybody or nobody may meet; accepted: at least one entry",
            );
            return None;
        }
        Some(())
    }

    fn spend(&mut self, at: &At<'_>, count: usize, budget: &mut Budget) -> Option<()> {
        match budget.0.checked_sub(count) {
            Some(rest) => {
                budget.0 = rest;
                Some(())
            }
            None => {
                self.fault(at, format!("gives its rule more names, values, issuers and patterns than it may have; accepted: at most {MOST_TERMS} in a rule"));
                None
            }
        }
    }

    fn client_role(&mut self, at: &At<'_>, text: String) -> Option<(String, String)> {
        let text = self.text(at, text)?;
        match text.split_once(':') {
            Some((client, role))
                if !client.is_empty() && !role.is_empty() && !role.contains(':') =>
            {
                Some((client.to_owned(), role.to_owned()))
            }
            _ => {
                self.fault(at, "is not a role of a client; accepted: `client:role` with one `:`, or a condition on the claim `[\"resource_access\", client, \"roles\"]`");
                None
            }
        }
    }

    fn scalar(&mut self, at: &At<'_>, raw: Plain) -> Option<Scalar> {
        match raw {
            Plain::Text(text) if text.len() > LONGEST_TEXT => {
                let problem = format!("is too long; accepted: at most {LONGEST_TEXT} bytes");
                self.fault(at, problem);
                None
            }
            Plain::Text(text) => Some(Scalar::Text(text)),
            Plain::Number(number) => Some(Scalar::Number(number)),
            Plain::Flag(flag) => Some(Scalar::Flag(flag)),
        }
    }

    fn pattern(&mut self, at: &At<'_>, text: &str) -> Option<Pattern> {
        let pattern = (1..=LONGEST_PATTERN)
            .contains(&text.len())
            .then(|| Pattern::compile(text))
            .flatten();
        if pattern.is_none() {
            self.fault(at, format!("is not a pattern, or too large a one; accepted: a regular expression of at most {LONGEST_PATTERN} bytes, without look-around, back-references, Unicode classes and large repetitions"));
        }
        pattern
    }
}

/// One condition stands for itself.
fn all(mut conditions: Vec<Condition>) -> Condition {
    match (conditions.pop(), conditions.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            conditions.extend(last);
            Condition::All(conditions)
        }
    }
}

const fn contains_all(values: Vec<Scalar>) -> Test {
    Test::Contains(Selection::AllOf(values))
}

const fn contains_any(values: Vec<Scalar>) -> Test {
    Test::Contains(Selection::AnyOf(values))
}

/// Where Keycloak has the roles of a whole realm.
fn realm_roles(names: Selection<String>) -> Condition {
    let texts = |names: Vec<String>| names.into_iter().map(Scalar::Text).collect();
    Condition::Claim {
        path: ["realm_access", "roles"].map(str::to_owned).into(),
        test: Test::Contains(match names {
            Selection::AllOf(names) => Selection::AllOf(texts(names)),
            Selection::AnyOf(names) => Selection::AnyOf(texts(names)),
        }),
    }
}

/// Where Keycloak has the roles of its clients.
fn client_roles(roles: Selection<(String, String)>) -> Condition {
    let each = |roles: Vec<(String, String)>| -> Vec<Condition> {
        let condition = |(client, role)| Condition::Claim {
            path: vec!["resource_access".to_owned(), client, "roles".to_owned()],
            test: contains_all(vec![Scalar::Text(role)]),
        };
        roles.into_iter().map(condition).collect()
    };
    match roles {
        Selection::AllOf(roles) => all(each(roles)),
        Selection::AnyOf(roles) => Condition::Any(each(roles)),
    }
}
