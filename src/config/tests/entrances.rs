//! How callers prove who they are.

use super::*;

fn rule(rule: &Value) -> Value {
    let mut whole = with("/rules", json!([rule]));
    whole["providers"]["corp"]["access_tokens"] = json!({"audiences": ["orders"]});
    whole
}

fn entrance(written: &Value) -> Entrance {
    accepted(&rule(written)).entrance(Some(0)).clone()
}

#[test]
fn without_a_word_every_method_counts_for_which_there_is_a_provider() {
    use Method::{Bearer, Session};
    let config = accepted(&rule(&json!({})));
    for index in [None, Some(0), Some(7)] {
        let entrance = config.entrance(index);
        assert_eq!(entrance.methods, Methods::AnyOf(vec![Bearer, Session]));
        assert_eq!(entrance.otherwise, Otherwise::Redirect);
    }
    let people = accepted(&with("/rules", json!([])));
    assert_eq!(people.entrance(None).methods, Methods::AnyOf(vec![Session]));
}

#[test]
fn methods_are_a_list_or_an_object_and_what_follows_depends_on_them() {
    use Method::{Bearer, Session};
    for (written, methods, otherwise) in [
        (
            json!(["bearer"]),
            Methods::AnyOf(vec![Bearer]),
            Otherwise::Deny,
        ),
        (
            json!(["session", "bearer"]),
            Methods::AnyOf(vec![Session, Bearer]),
            Otherwise::Redirect,
        ),
        (
            json!({"any_of": ["session"]}),
            Methods::AnyOf(vec![Session]),
            Otherwise::Redirect,
        ),
        (
            json!({"all_of": ["bearer", "session"]}),
            Methods::AllOf(vec![Bearer, Session]),
            Otherwise::Redirect,
        ),
    ] {
        let found = entrance(&json!({"authenticate": written}));
        assert_eq!((found.methods, found.otherwise), (methods, otherwise));
    }
    let deny = entrance(&json!({"otherwise": "deny"}));
    assert_eq!(deny.otherwise, Otherwise::Deny);
}

#[test]
fn what_nobody_could_mean_is_refused() {
    for (written, path, problem) in [
        (json!({"authenticate": []}), "authenticate", "is empty"),
        (
            json!({"authenticate": ["basic"]}),
            "authenticate[0]",
            "is not a known word",
        ),
        (
            json!({"authenticate": ["bearer", "bearer"]}),
            "authenticate[1]",
            "is in this list already",
        ),
        (
            json!({"authenticate": {"all_of": []}}),
            "authenticate.all_of",
            "is empty",
        ),
        (
            json!({"authenticate": ["bearer"], "otherwise": "redirect"}),
            "otherwise",
            "sends people to log in",
        ),
        (
            json!({"otherwise": "pass", "require": {"groups": {"any_of": ["a"]}}}),
            "otherwise",
            "in a rule that demands something",
        ),
        (
            json!({"otherwise": "pass", "authentication": {"max_age": "1m"}}),
            "otherwise",
            "in a rule that demands something",
        ),
        (
            json!({"access": "public", "otherwise": "pass"}),
            "otherwise",
            "stands in a public rule",
        ),
        (
            json!({"access": "public", "authenticate": ["bearer"]}),
            "authenticate",
            "stands in a public rule",
        ),
    ] {
        refused(&rule(&written), &format!("rules[0].{path}"), problem);
    }
    refused(
        &with("/rules", json!([{"authenticate": ["bearer"]}])),
        "rules[0].authenticate[0]",
        "no provider has `access_tokens`",
    );
    let mut programs = rule(&json!({"authenticate": ["session"]}));
    programs["providers"]["corp"]
        .as_object_mut()
        .unwrap()
        .remove("client");
    refused(
        &programs,
        "rules[0].authenticate[0]",
        "no provider has a `client`",
    );
}

#[test]
fn an_anonymous_consumer_is_one_of_the_configuration() {
    let mut whole = rule(&json!({"otherwise": {"anonymous": "guest"}}));
    refused(
        &whole,
        "rules[0].otherwise.anonymous",
        "is the name of no consumer",
    );
    whole["consumers"] = json!({"a": {}, "guests": {}});
    refused(
        &whole,
        "rules[0].otherwise.anonymous",
        "is the name of no consumer",
    );
    whole["consumers"]["guest"] = json!({});
    let config = accepted(&whole);
    assert_eq!(config.entrance(Some(0)).otherwise, Otherwise::Anonymous(1));
    whole["rules"][0]["require"] = json!({"groups": {"any_of": ["staff"]}});
    refused(
        &whole,
        "rules[0].otherwise",
        "lets pass whoever proves nothing",
    );
}
