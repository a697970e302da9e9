//! Faults of what rules demand of claims.

use super::*;

fn of(require: &Value) -> Value {
    with("/rules", json!([{ "require": require }]))
}

#[test]
fn what_says_nothing_is_refused() {
    for (require, path) in [
        (json!({}), ""),
        (json!({"groups": {"any_of": []}}), ".groups.any_of"),
        (json!({"scopes": {"all_of": []}}), ".scopes.all_of"),
        (json!({"issuers": []}), ".issuers"),
        (json!({"claims": []}), ".claims"),
        (json!({"any_of": []}), ".any_of"),
        (json!({"all_of": []}), ".all_of"),
        (json!({"any_of": [{"issuers": ["i"]}, {}]}), ".any_of[1]"),
        (
            json!({"claims": [{"claim": "c", "one_of": []}]}),
            ".claims[0].one_of",
        ),
        (
            json!({"claims": [{"claim": "c", "contains_any": []}]}),
            ".claims[0].contains_any",
        ),
    ] {
        refused(
            &of(&require),
            &format!("rules[0].require{path}"),
            "is empty",
        );
        let forbid = with("/rules", json!([{ "forbid": require }]));
        refused(&forbid, &format!("rules[0].forbid{path}"), "is empty");
    }
}

#[test]
fn a_public_rule_demands_nothing() {
    for key in ["require", "forbid"] {
        let rule = json!({"access": "public", key: {"issuers": ["i"]}});
        refused(
            &with("/rules", json!([rule])),
            &format!("rules[0].{key}"),
            "stands in a public rule",
        );
    }
}

#[test]
fn every_fault_has_its_place() {
    for (require, path, words) in [
        (json!({"group": 1}), ".group", "is not a known key"),
        (json!({"groups": ["a"]}), ".groups", "is a list"),
        (
            json!({"groups": {"any_of": ["a"], "all_of": ["b"]}}),
            ".groups",
            "has 2 keys",
        ),
        (
            json!({"groups": {"none_of": ["a"]}}),
            ".groups.none_of",
            "accepted: all_of, any_of",
        ),
        (
            json!({"groups": {"any_of": ["a", 1]}}),
            ".groups.any_of[1]",
            "is a number",
        ),
        (
            json!({"groups": {"any_of": ["a", ""]}}),
            ".groups.any_of[1]",
            "is empty",
        ),
        (
            json!({"groups": {"any_of": ["a", "a"]}}),
            ".groups.any_of[1]",
            "in this list already",
        ),
        (
            json!({"scopes": {"any_of": ["a b"]}}),
            ".scopes.any_of[0]",
            "is not a scope",
        ),
        (
            json!({"scopes": {"any_of": ["a\"b"]}}),
            ".scopes.any_of[0]",
            "is not a scope",
        ),
        (
            json!({"client_roles": {"any_of": ["admin"]}}),
            ".client_roles.any_of[0]",
            "is not a role of a client",
        ),
        (
            json!({"client_roles": {"any_of": ["a:b:c"]}}),
            ".client_roles.any_of[0]",
            "is not a role of a client",
        ),
        (
            json!({"client_roles": {"any_of": [":b"]}}),
            ".client_roles.any_of[0]",
            "is not a role of a client",
        ),
        (
            json!({"client_roles": {"any_of": ["a:"]}}),
            ".client_roles.any_of[0]",
            "is not a role of a client",
        ),
        (json!({"issuers": [1]}), ".issuers[0]", "is a number"),
        (
            json!({"claims": [{"equals": 1}]}),
            ".claims[0].claim",
            "is missing",
        ),
        (
            json!({"claims": [{"claim": [], "equals": 1}]}),
            ".claims[0].claim",
            "is empty",
        ),
        (
            json!({"claims": [{"claim": "c"}]}),
            ".claims[0]",
            "has 0 tests",
        ),
        (
            json!({"claims": [{"claim": "c", "equals": 1, "contains": 1}]}),
            ".claims[0]",
            "has 2 tests",
        ),
        (
            json!({"claims": [{"claim": "c", "equals": [1]}]}),
            ".claims[0].equals",
            "is a list",
        ),
        (
            json!({"claims": [{"claim": "c", "equals": null}]}),
            ".claims[0].equals",
            "is null",
        ),
        (
            json!({"claims": [{"claim": "c", "one_of": [1, 1.0]}]}),
            ".claims[0].one_of[1]",
            "in this list already",
        ),
        (
            json!({"claims": [{"claim": "c", "equals": 9_007_199_254_740_992_u64}]}),
            ".claims[0].equals",
            "is a number too large",
        ),
        (
            json!({"claims": [{"claim": "c", "equals": -1e300}]}),
            ".claims[0].equals",
            "is a number too large",
        ),
        (
            json!({"claims": [{"claim": "c", "equals": "a".repeat(2049)}]}),
            ".claims[0].equals",
            "is too long",
        ),
        (
            json!({"claims": [{"claim": "c", "matches": "("}]}),
            ".claims[0].matches",
            "is not a pattern",
        ),
        (
            json!({"claims": [{"claim": "c", "matches": "a)|(b"}]}),
            ".claims[0].matches",
            "is not a pattern",
        ),
        (
            json!({"claims": [{"claim": "c", "matches": "(?=a)"}]}),
            ".claims[0].matches",
            "is not a pattern",
        ),
        (
            json!({"claims": [{"claim": "c", "matches": ""}]}),
            ".claims[0].matches",
            "is not a pattern",
        ),
        (
            json!({"claims": [{"claim": "c", "matches": "a{9999}"}]}),
            ".claims[0].matches",
            "is not a pattern",
        ),
        (
            json!({"claims": [{"claim": "c", "matches": "a".repeat(513)}]}),
            ".claims[0].matches",
            "is not a pattern",
        ),
    ] {
        refused(&of(&require), &format!("rules[0].require{path}"), words);
        // At any depth.
        refused(
            &of(&json!({"any_of": [{"issuers": ["i"]}, {"all_of": [require]}]})),
            &format!("rules[0].require.any_of[1].all_of[0]{path}"),
            words,
        );
    }
}

#[test]
fn conditions_are_bounded() {
    let mut nested = json!({"issuers": ["i"]});
    for _ in 0..3 {
        nested = json!({"any_of": [nested]});
    }
    accepted(&of(&nested));
    nested = json!({"all_of": [nested]});
    refused(
        &of(&nested),
        "rules[0].require.all_of[0].any_of[0].any_of[0].any_of[0]",
        "is nested too deep; accepted: at most 4 levels",
    );
    let names = |count: usize| -> Vec<String> { (0..count).map(|n| format!("n{n}")).collect() };
    accepted(&of(&json!({"groups": {"any_of": names(256)}})));
    refused(
        &of(&json!({"groups": {"any_of": names(257)}})),
        "rules[0].require.groups.any_of",
        "accepted: at most 256 in a rule",
    );
    // Both sides of a rule count.
    let rule = json!({
        "require": {"groups": {"any_of": names(200)}},
        "forbid": {"any_of": [{"claims": [{"claim": "c", "one_of": names(57)}]}]},
    });
    refused(
        &with("/rules", json!([rule])),
        "rules[0].forbid.any_of[0].claims[0].one_of",
        "accepted: at most 256 in a rule",
    );
}

#[test]
fn only_rules_that_demand_something_have_a_policy() {
    let config = accepted(&with(
        "/rules",
        json!([{"match": {"methods": ["GET"]}}, {"require": {"issuers": ["i"]}}]),
    ));
    assert!(config.policy(None).is_none());
    assert!(config.policy(Some(0)).is_none());
    assert!(config.policy(Some(1)).is_some());
    assert!(config.policy(Some(2)).is_none());
}
