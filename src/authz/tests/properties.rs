//! What holds for all policies and all claims.

use proptest::prelude::*;

use super::*;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ab]".prop_map(Value::from),
        (0..2).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

fn claim() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        scalar(),
        prop::collection::vec(scalar(), 0..4).prop_map(Value::from),
        Just(json!({})),
        prop::collection::vec("[ab]", 0..3).prop_map(|roles| json!({ "roles": roles })),
        prop::collection::vec("[ab]", 0..3).prop_map(|roles| json!({"web": {"roles": roles}})),
    ]
}

const NAMES: [&str; 9] = [
    "a",
    "b",
    "scope",
    "scp",
    "roles",
    "groups",
    "hasgroups",
    "realm_access",
    "resource_access",
];

fn claims() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(prop::sample::select(&NAMES[..]), claim(), 0..6).prop_map(|map| {
        let named = map
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        named.chain([("azp".to_owned(), json!("web"))]).collect()
    })
}

fn selection() -> impl Strategy<Value = Value> {
    let names = prop::sample::subsequence(vec!["a", "b", "c"], 1..3);
    (any::<bool>(), names).prop_map(|(all, names)| match all {
        true => json!({ "all_of": names }),
        false => json!({ "any_of": names }),
    })
}

fn leaf() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec!["scopes", "roles", "realm_roles", "groups"]);
    prop_oneof![
        (kind, selection()).prop_map(|(kind, selection)| json!({ kind: selection })),
        Just(json!({"client_roles": {"any_of": ["web:a"]}})),
        ("[ab]", scalar())
            .prop_map(|(name, value)| { json!({"claims": [{"claim": name, "equals": value}]}) }),
        ("[ab]", scalar())
            .prop_map(|(name, value)| { json!({"claims": [{"claim": name, "contains": value}]}) }),
        "[ab]".prop_map(|name| json!({"claims": [{"claim": name, "matches": "[a]|b+"}]})),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(2, 8, 3, |inner| {
        let several = prop::collection::vec(inner, 1..3);
        (any::<bool>(), several).prop_map(|(all, several)| match all {
            true => json!({ "all_of": several }),
            false => json!({ "any_of": several }),
        })
    })
}

fn is_allowed(rule: &Value, claims: &Map<String, Value>) -> bool {
    of_token(rule, &Value::Object(claims.clone())) == Verdict::Allowed
}

fn meets(require: &Value, claims: &Map<String, Value>) -> bool {
    is_allowed(&json!({ "require": require }), claims)
}

fn escapes(forbid: &Value, claims: &Map<String, Value>) -> bool {
    is_allowed(&json!({ "forbid": forbid }), claims)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_and_all_are_or_and_and(a in condition(), b in condition(), claims in claims()) {
        let (has_a, has_b) = (meets(&a, &claims), meets(&b, &claims));
        prop_assert_eq!(meets(&json!({"all_of": [a, b]}), &claims), has_a && has_b);
        prop_assert_eq!(meets(&json!({"any_of": [a, b]}), &claims), has_a || has_b);
        let (no_a, no_b) = (escapes(&a, &claims), escapes(&b, &claims));
        prop_assert_eq!(escapes(&json!({"any_of": [a, b]}), &claims), no_a && no_b);
        prop_assert_eq!(escapes(&json!({"all_of": [a, b]}), &claims), no_a || no_b);
    }

    /// What cannot be judged is on neither side.
    #[test]
    fn nobody_meets_and_escapes_the_same(condition in condition(), claims in claims()) {
        prop_assert!(!(meets(&condition, &claims) && escapes(&condition, &claims)));
        let both = json!({"require": condition, "forbid": condition});
        prop_assert!(!is_allowed(&both, &claims));
    }

    #[test]
    fn no_claim_more_lets_anybody_escape(
        condition in condition(),
        claims in claims(),
        name in prop::sample::select(&NAMES[..]),
        value in claim(),
    ) {
        let mut more = claims.clone();
        if !more.contains_key(name) {
            more.insert(name.to_owned(), value);
            prop_assert!(escapes(&condition, &claims) || !escapes(&condition, &more));
            prop_assert!(!meets(&condition, &claims) || meets(&condition, &more));
        }
    }

    #[test]
    fn twice_is_once(condition in condition(), claims in claims()) {
        let mut double = claims.clone();
        for (_, value) in double.iter_mut() {
            if let Value::Array(items) = value {
                items.extend(items.clone());
            }
        }
        prop_assert_eq!(meets(&condition, &claims), meets(&condition, &double));
        prop_assert_eq!(escapes(&condition, &claims), escapes(&condition, &double));
    }

    /// A session answers as the whole identity would.
    #[test]
    fn what_a_session_keeps_is_enough(require in condition(), forbid in condition(), claims in claims()) {
        let rule = json!({"require": require, "forbid": forbid});
        let config = config(|whole| {
            whole["rules"] = json!([rule]);
            whole["providers"]["corp"]["client"]["id"] = json!("web");
        });
        let kept = Interests::of(&config).select(&claims);
        let policy = config.policy(Some(0)).unwrap();
        let of = |claims| evaluate(policy, &Principal::of_session("i", "web", "a", claims));
        prop_assert_eq!(of(&kept), of(&claims));
    }
}
