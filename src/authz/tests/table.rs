//! Every kind of condition with every kind of claim.

use super::*;

fn kinds() -> [(&'static str, Value); 10] {
    [
        ("null", json!(null)),
        ("text", json!("a")),
        ("other text", json!("b")),
        ("number", json!(1)),
        ("boolean", json!(true)),
        ("array", json!(["x", "a", 1, true, {}, null])),
        ("empty array", json!([])),
        ("object", json!({"a": "a", "roles": ["a"]})),
        ("empty object", json!({})),
        ("huge", json!("a".repeat(100_000))),
    ]
}

/// How a condition on the claim `c` ends for each kind: `+` met, `-` not met, `?` unreadable; first for
/// a claim that is missing.
fn row(require: &Value, put: impl Fn(Value) -> Value) -> String {
    let rule = json!({ "require": require });
    let missing = std::iter::once(json!({}));
    let claims = missing.chain(kinds().into_iter().map(|(_, value)| put(value)));
    claims
        .map(|claims| match cause(&rule, &claims) {
            None => '+',
            Some(Cause::NotMet) => '-',
            Some(Cause::ClaimUnreadable) => '?',
            Some(other) => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn every_test_of_a_claim_knows_its_types() {
    for (test, expected) in [
        //                                 missing, null, text, other, number, boolean, array, empty, object, empty, huge
        (json!({"equals": "a"}), "--+-???????"),
        (json!({"equals": 1}), "--??+??????"),
        (json!({"equals": true}), "--???+?????"),
        (json!({"one_of": ["x", "a"]}), "--+-???????"),
        (json!({"one_of": ["b", 1, true]}), "---+++?????"),
        (json!({"contains": "a"}), "--????+-???"),
        (json!({"contains": 1}), "--????+-???"),
        (json!({"contains": true}), "--????+-???"),
        // The array has an object in it, of which nobody can tell what it stands for.
        (json!({"contains": "1"}), "--?????-???"),
        (json!({"contains_all": ["a", 1]}), "--????+-???"),
        (json!({"contains_all": ["a", "b"]}), "--?????-???"),
        (json!({"contains_any": ["b", "a"]}), "--????+-???"),
        (json!({"matches": "a*"}), "--+-???????"),
        (json!({"matches": ".*"}), "--++???????"),
    ] {
        let mut condition = test.clone();
        condition["claim"] = json!("c");
        let mut expected = expected.to_owned();
        // A text that is equal to nothing is one all the same; a pattern does not look at that much.
        let compares = test.get("equals") == Some(&json!("a")) || test.get("one_of").is_some();
        if compares {
            expected.replace_range(10..11, "-");
        }
        let row = row(&json!({"claims": [condition]}), |value| json!({"c": value}));
        assert_eq!(row, expected, "{test}");
    }
}

#[test]
fn every_list_of_names_knows_its_types() {
    for (require, path, expected) in [
        (
            json!({"scopes": {"any_of": ["a"]}}),
            &["scope"][..],
            "--+-??+-??-",
        ),
        (
            json!({"scopes": {"any_of": ["a"]}}),
            &["scp"],
            "--+-??+-??-",
        ),
        (
            json!({"roles": {"any_of": ["a"]}}),
            &["roles"],
            "--+-??+-??-",
        ),
        (
            json!({"groups": {"any_of": ["a"]}}),
            &["groups"],
            "--+-??+-??-",
        ),
        (
            json!({"groups": {"all_of": ["a", "x"]}}),
            &["groups"],
            "----??+-??-",
        ),
        (
            json!({"realm_roles": {"any_of": ["a"]}}),
            &["realm_access", "roles"],
            "--????+-???",
        ),
        // An object there has roles, or none.
        (
            json!({"realm_roles": {"any_of": ["a"]}}),
            &["realm_access"],
            "--??????+-?",
        ),
        (
            json!({"client_roles": {"any_of": ["web:a"]}}),
            &["resource_access", "web", "roles"],
            "--????+-???",
        ),
    ] {
        let put = |value: Value| {
            let inner = path.iter().rev();
            inner.fold(value, |value, name| json!({ *name: value }))
        };
        let row = row(&require, put);
        assert_eq!(row, expected, "{require} {path:?}");
    }
}

#[test]
fn an_issuer_is_a_text() {
    let row = row(&json!({"issuers": ["a"]}), |value| json!({"iss": value}));
    assert_eq!(row, "??+-??????-");
}

#[test]
fn numbers_are_compared_as_numbers() {
    for (wanted, claim, expected) in [
        (json!(5), json!(5.0), true),
        (json!(5.0), json!(5), true),
        (json!(-1.5), json!(-1.5), true),
        (json!(0), json!(-0.0), true),
        (json!(5), json!(5.000_000_1), false),
        (
            json!(9_007_199_254_740_991_u64),
            json!(9_007_199_254_740_991_u64),
            true,
        ),
        (
            json!(9_007_199_254_740_991_u64),
            json!(9_007_199_254_740_992_u64),
            false,
        ),
        (json!(9_007_199_254_740_991_u64), json!(u64::MAX), false),
        (json!(1), json!("1"), false),
        (json!("1"), json!(1), false),
        (json!(1), json!(true), false),
    ] {
        let rule = json!({"require": {"claims": [{"claim": "c", "equals": wanted}]}});
        let met = cause(&rule, &json!({"c": claim})).is_none();
        assert_eq!(met, expected, "{wanted} {claim}");
    }
}
