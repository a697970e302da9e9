//! Policies and claims as people write them.

mod kept;
mod properties;
mod table;

use serde_json::{Map, Value, json};

use super::{Cause, Denied, Interests, Principal, Verdict, evaluate};
use crate::config::Config;
use crate::testing::config;

/// A configuration with one rule.
fn with_rule(rule: &Value) -> Config {
    config(|whole| whole["rules"] = json!([rule]))
}

fn object(claims: &Value) -> &Map<String, Value> {
    claims.as_object().unwrap()
}

/// What a rule says of a token with these claims.
fn of_token(rule: &Value, claims: &Value) -> Verdict {
    let config = with_rule(rule);
    let principal = Principal::of_token(Some(object(claims)));
    evaluate(config.policy(Some(0)).unwrap(), &principal)
}

/// The cause of its refusal, if it refuses.
fn cause(rule: &Value, claims: &Value) -> Option<Cause> {
    match of_token(rule, claims) {
        Verdict::Allowed => None,
        Verdict::Denied(denied) => Some(denied.cause),
    }
}

#[track_caller]
fn allows(require: &Value, claims: &Value) {
    assert_eq!(
        cause(&json!({ "require": require }), claims),
        None,
        "{require} {claims}"
    );
}

#[track_caller]
fn refuses(require: &Value, claims: &Value) {
    let cause = cause(&json!({ "require": require }), claims);
    assert!(cause.is_some(), "{require} {claims}");
}

#[test]
fn scopes_come_in_four_shapes() {
    for claims in [
        json!({"scope": "openid orders.read  orders.write"}),
        json!({"scope": ["orders.read", "orders.write"]}),
        json!({"scp": ["orders.read", "orders.write"]}),
        json!({"scp": "orders.write orders.read"}),
        json!({"scope": "orders.read", "scp": ["orders.write"]}),
    ] {
        allows(
            &json!({"scopes": {"all_of": ["orders.read", "orders.write"]}}),
            &claims,
        );
        allows(
            &json!({"scopes": {"any_of": ["x", "orders.read"]}}),
            &claims,
        );
        refuses(
            &json!({"scopes": {"all_of": ["orders.read", "orders.delete"]}}),
            &claims,
        );
        refuses(&json!({"scopes": {"any_of": ["orders", "read"]}}), &claims);
    }
    // An element of an array is one scope.
    refuses(
        &json!({"scopes": {"any_of": ["a"]}}),
        &json!({"scp": ["a b"]}),
    );
}

#[test]
fn roles_are_those_of_the_own_client_or_of_all() {
    let require = json!({"roles": {"all_of": ["clerk", "admin"]}});
    for claims in [
        json!({"roles": ["clerk", "admin", "x"]}),
        json!({"azp": "web", "resource_access": {"web": {"roles": ["admin", "clerk"]}}}),
        json!({"azp": "web", "roles": "clerk", "resource_access": {"web": {"roles": ["admin"]}}}),
    ] {
        allows(&require, &claims);
    }
    for claims in [
        json!({"azp": "api", "resource_access": {"web": {"roles": ["admin", "clerk"]}}}),
        json!({"resource_access": {"web": {"roles": ["admin", "clerk"]}}}),
        json!({"roles": "clerk admin"}),
        json!({"roles": ["clerk"], "realm_access": {"roles": ["admin"]}}),
        json!({"role": ["clerk", "admin"]}),
    ] {
        refuses(&require, &claims);
    }
}

#[test]
fn keycloaks_roles_are_found_by_realm_and_client() {
    let claims = json!({
        "realm_access": {"roles": ["user"]},
        "resource_access": {"web": {"roles": ["admin"]}, "api": {"roles": ["reader"]}},
    });
    allows(&json!({"realm_roles": {"any_of": ["user"]}}), &claims);
    refuses(&json!({"realm_roles": {"any_of": ["admin"]}}), &claims);
    allows(
        &json!({"client_roles": {"all_of": ["web:admin", "api:reader"]}}),
        &claims,
    );
    allows(
        &json!({"client_roles": {"any_of": ["web:reader", "api:reader"]}}),
        &claims,
    );
    refuses(
        &json!({"client_roles": {"any_of": ["web:reader", "api:admin"]}}),
        &claims,
    );
}

#[test]
fn an_issuer_is_compared_whole() {
    let require = json!({"issuers": ["https://a.example", "https://b.example/"]});
    allows(&require, &json!({"iss": "https://b.example/"}));
    for iss in [
        json!("https://b.example"),
        json!("https://a.example.evil.example"),
        json!("https://A.example"),
        json!(["https://a.example"]),
        json!(null),
    ] {
        refuses(&require, &json!({"iss": iss}));
    }
}

#[test]
fn a_claim_is_found_by_any_name() {
    let claims = json!({"https://example.com/tenant.id": "t", "a": {"b": {"c": 1}}, "a.b": 2});
    for (claim, value) in [
        (json!("https://example.com/tenant.id"), json!("t")),
        (json!(["a", "b", "c"]), json!(1)),
        (json!("a.b"), json!(2)),
    ] {
        allows(
            &json!({"claims": [{"claim": claim, "equals": value}]}),
            &claims,
        );
    }
    refuses(
        &json!({"claims": [{"claim": ["a", "b"], "equals": 2}]}),
        &claims,
    );
}

#[test]
fn all_and_any_join_what_is_written() {
    let group = |name: &str| json!({"groups": {"any_of": [name]}});
    let both = json!({"all_of": [group("a"), group("b")]});
    let either = json!({"any_of": [group("a"), {"all_of": [group("b"), group("c")]}]});
    for (groups, is_both, is_either) in [
        (json!(["a", "b"]), true, true),
        (json!(["a"]), false, true),
        (json!(["b"]), false, false),
        (json!(["c", "b"]), false, true),
        (json!([]), false, false),
    ] {
        let claims = json!({"groups": groups, "scope": "s"});
        for (require, expected) in [(&both, is_both), (&either, is_either)] {
            let met = cause(&json!({ "require": require }), &claims).is_none();
            assert_eq!(met, expected, "{require} {claims}");
            // What stands beside must hold, too.
            let mut more = require.clone();
            more["scopes"] = json!({"any_of": ["s"]});
            assert_eq!(
                cause(&json!({ "require": more }), &claims).is_none(),
                expected
            );
            more["scopes"] = json!({"any_of": ["t"]});
            assert!(cause(&json!({ "require": more }), &claims).is_some());
        }
    }
}

#[test]
fn what_is_forbidden_is_refused_whatever_else_holds() {
    let rule = json!({
        "require": {"groups": {"any_of": ["staff"]}},
        "forbid": {"claims": [{"claim": "suspended", "equals": true}]},
    });
    let suspended =
        |suspended: Value| cause(&rule, &json!({"groups": ["staff"], "suspended": suspended}));
    assert_eq!(suspended(json!(true)), Some(Cause::Forbidden));
    assert_eq!(suspended(json!(false)), None);
    assert_eq!(suspended(json!(null)), None);
    // Nobody can tell what this means.
    for odd in [json!("true"), json!(1), json!([true]), json!({})] {
        assert_eq!(suspended(odd), Some(Cause::ClaimUnreadable));
    }
    assert_eq!(cause(&rule, &json!({"groups": ["staff"]})), None);
    assert_eq!(
        cause(&rule, &json!({"groups": ["guests"]})),
        Some(Cause::NotMet)
    );
}

#[test]
fn a_token_that_cannot_be_read_meets_nothing() {
    for rule in [
        json!({"require": {"groups": {"any_of": ["staff"]}}}),
        json!({"forbid": {"groups": {"any_of": ["guests"]}}}),
        json!({"require": {"any_of": [{"issuers": ["x"]}, {"scopes": {"any_of": ["s"]}}]}}),
    ] {
        let config = with_rule(&rule);
        let verdict = evaluate(config.policy(Some(0)).unwrap(), &Principal::of_token(None));
        let expected = Denied {
            cause: Cause::TokenUnreadable,
            scopes: Vec::new(),
        };
        assert_eq!(verdict, Verdict::Denied(expected), "{rule}");
    }
}

#[test]
fn groups_that_were_left_out_are_not_taken_for_none() {
    let overage = [
        json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example"}}}),
        json!({"hasgroups": true}),
        json!({"hasgroups": "true"}),
    ];
    for claims in overage {
        for rule in [
            json!({"require": {"groups": {"any_of": ["staff"]}}}),
            json!({"forbid": {"groups": {"any_of": ["guests"]}}}),
        ] {
            assert_eq!(
                cause(&rule, &claims),
                Some(Cause::GroupsOverage),
                "{claims}"
            );
        }
        // What does not depend on them is decided.
        allows(
            &json!({"any_of": [{"groups": {"any_of": ["staff"]}}, {"roles": {"any_of": ["r"]}}]}),
            &{
                let mut claims = claims.clone();
                claims["roles"] = json!(["r"]);
                claims
            },
        );
    }
    for claims in [
        json!({"_claim_names": {"roles": "src1"}}),
        json!({"hasgroups": false}),
    ] {
        let rule = json!({"require": {"groups": {"any_of": ["staff"]}}});
        assert_eq!(cause(&rule, &claims), Some(Cause::NotMet));
    }
}

#[test]
fn scopes_are_asked_for_only_where_they_would_help() {
    let lacking =
        |require: Value, claims: Value| match of_token(&json!({ "require": require }), &claims) {
            Verdict::Allowed => panic!("allowed"),
            Verdict::Denied(denied) => denied.scopes,
        };
    let all = json!({"all_of": ["a", "b"]});
    let any = json!({"any_of": ["c", "d"]});
    let role = json!({"any_of": ["r"]});
    assert_eq!(lacking(json!({"scopes": all}), json!({})), ["a", "b"]);
    assert_eq!(lacking(json!({"scopes": any}), json!({})), ["c"]);
    let both = json!({"scopes": all, "roles": role});
    assert_eq!(lacking(both.clone(), json!({"roles": ["r"]})), ["a", "b"]);
    assert!(lacking(both, json!({})).is_empty());
    assert!(lacking(json!({"roles": role}), json!({})).is_empty());
    let either = json!({"any_of": [{"roles": role, "scopes": all}, {"scopes": any}]});
    assert_eq!(lacking(either, json!({})), ["c"]);
    let rule = json!({"require": {"scopes": all}, "forbid": {"roles": role}});
    let expected = Denied {
        cause: Cause::Forbidden,
        scopes: Vec::new(),
    };
    assert_eq!(
        of_token(&rule, &json!({"roles": ["r"]})),
        Verdict::Denied(expected)
    );
}

#[test]
fn a_huge_claim_is_judged_in_no_time() {
    let names: Vec<String> = (0..256).map(|number| format!("wanted-{number}")).collect();
    let require = json!({"groups": {"any_of": names}});
    let others: Vec<String> = (0..20_000)
        .map(|number| format!("group-{number}"))
        .collect();
    let begun = std::time::Instant::now();
    refuses(&require, &json!({"groups": others}));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
}
