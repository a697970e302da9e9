//! What a session keeps for the rules.

use super::*;

fn select(rules: &Value, identity: &Value) -> Value {
    let config = config(|whole| whole["rules"] = rules.clone());
    Value::Object(Interests::of(&config).select(object(identity)))
}

#[test]
fn nothing_is_kept_that_no_rule_looks_at() {
    let identity = json!({"sub": "s", "groups": ["a"], "email": "e", "roles": ["r"]});
    for rules in [
        json!([]),
        json!([{"match": {"path": {"prefix": "/a"}}}]),
        json!([{"require": {"issuers": ["i"]}}]),
        json!([{"require": {"scopes": {"any_of": ["s"]}}}]),
    ] {
        assert_eq!(select(&rules, &identity), json!({}), "{rules}");
    }
}

#[test]
fn of_lists_the_elements_are_kept_that_rules_name() {
    let identity = json!({
        "groups": ["a", "b", "a", "c", 1],
        "realm_access": {"roles": ["user", "admin"], "more": 1},
        "resource_access": {"portero": {"roles": ["x", "y"]}, "api": {"roles": ["z"]}},
        "email": "ada@example.com",
        "n": [1, 2],
        "deep": {"object": {"a": 1}},
        "blocked": "text",
    });
    let rules = json!([
        {
            "match": {"path": {"prefix": "/a"}},
            "require": {"groups": {"any_of": ["a", "z"]}, "roles": {"any_of": ["x"]}},
        },
        {
            "require": {"any_of": [
                {"groups": {"all_of": ["c", "a"]}},
                {"realm_roles": {"all_of": ["admin"]}},
                {"claims": [
                    {"claim": "email", "matches": ".*@example.com"},
                    {"claim": "n", "contains": 2.0},
                    {"claim": ["deep", "object"], "equals": "x"},
                    {"claim": ["blocked", "inside"], "equals": "x"},
                    {"claim": ["resource_access", "api", "roles"], "equals": "x"},
                ]},
            ]},
            "forbid": {"claims": [{"claim": "missing", "equals": 1}]},
        },
    ]);
    let client = with_rule(&json!({})).client_id().to_owned();
    let mut identity = identity;
    identity["resource_access"][&client] = identity["resource_access"]["portero"].clone();
    assert_eq!(
        select(&rules, &identity),
        json!({
            "groups": ["a", "c"],
            "realm_access": {"roles": ["admin"]},
            "resource_access": {client: {"roles": ["x"]}, "api": {"roles": []}},
            "email": "ada@example.com",
            "n": [2],
            "deep": {"object": {}},
            "blocked": "text",
        })
    );
}

#[test]
fn what_is_inside_an_object_is_kept_whatever_comes_first() {
    let inner = json!({"claim": ["a", "b"], "equals": 1});
    let outer = json!({"claim": "a", "equals": 1});
    for claims in [json!([inner, outer]), json!([outer, inner])] {
        let rules = json!([{"require": {"claims": claims}}]);
        assert_eq!(
            select(&rules, &json!({"a": {"b": 1, "c": 2}})),
            json!({"a": {"b": 1}})
        );
    }
}

#[test]
fn rules_that_look_at_something_else_have_another_mark() {
    let mark = |rules: Value| Interests::of(&config(|whole| whole["rules"] = rules)).mark;
    let group = |name: &str| json!([{"require": {"groups": {"any_of": [name]}}}]);
    assert_eq!(mark(json!([])), 0);
    assert_eq!(mark(json!([{"require": {"issuers": ["i"]}}])), 0);
    assert_ne!(mark(group("a")), 0);
    assert_eq!(mark(group("a")), mark(group("a")));
    assert_ne!(mark(group("a")), mark(group("b")));
    assert_ne!(mark(json!([{"require": {"scopes": {"any_of": ["s"]}}}])), 0);
    // The same is looked at.
    assert_eq!(
        mark(group("a")),
        mark(json!([{"forbid": {"groups": {"all_of": ["a"]}}}]))
    );
}
