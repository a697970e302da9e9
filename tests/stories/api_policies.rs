//! What rules demand of whoever comes with an access token.

use serde_json::{Value, json};

use crate::access_token::{AUDIENCE, AccessToken, with_token, world_with};
use crate::provider::ISSUER;
use crate::signer::Signer;
use crate::world::World;

const MACHINES: Signer = Signer::es256("machines", 9);
const MACHINES_ISSUER: &str = "https://machines.example.com/";

/// A world whose `/admin` has this rule, for tokens of either issuer.
fn world(mut rule: Value) -> World {
    rule["match"] = json!({"path": {"prefix": "/admin"}});
    world_with(|settings| {
        settings["rules"] = json!([rule]);
        settings["providers"]["machines"] = json!({
            "issuer": MACHINES_ISSUER,
            "access_tokens": {"audiences": [AUDIENCE], "keys": [{"jwk": MACHINES.jwk()}]},
        });
    })
}

/// What becomes of a token that says this beside the usual: let through, or refused for this cause.
type End = Result<(), &'static str>;

#[track_caller]
fn ends(world: &World, token: AccessToken, expected: End) {
    let said = token.claims.to_string();
    let token = token.signed(world);
    // Nobody is kept from what has no rule.
    world.worker.serve(with_token("/", &token)).forwarded();
    for round in 1..3 {
        let outcome = world.worker.serve(with_token("/admin", &token));
        let Err(cause) = expected else {
            outcome.forwarded();
            continue;
        };
        assert_eq!(
            (outcome.status(), outcome.code().as_str()),
            (403, "access_forbidden"),
            "{said}"
        );
        assert_eq!(
            outcome.header("content-type"),
            Some("application/problem+json")
        );
        assert!(outcome.header("location").is_none());
        let told = world.land.lines(&format!(" cause={cause} rule=0"));
        assert_eq!(told.len(), round, "{said}");
        let overage = world.land.counted("portero.authorization.groups_overage");
        assert_eq!(overage, if expected == OVERAGE { round as u64 } else { 0 });
        assert_eq!(
            world.land.failures(),
            [("access_forbidden".to_owned(), round as u64)].into()
        );
    }
}

/// One world each, so that nothing of one token is known of the next.
#[track_caller]
fn judges(rule: &Value, tokens: &[(Value, End)]) {
    for (said, expected) in tokens {
        let world = world(rule.clone());
        let mut token = AccessToken::of(&world);
        for (claim, value) in said.as_object().unwrap() {
            token = token.with(claim, value.clone());
        }
        ends(&world, token, *expected);
    }
}

const NOT_MET: End = Err("not_met");
const FORBIDDEN: End = Err("forbidden");
const UNREADABLE: End = Err("claim_unreadable");
const OVERAGE: End = Err("groups_overage");

#[test]
fn groups_that_are_required() {
    judges(
        &json!({"require": {"groups": {"any_of": ["staff", "board"]}}}),
        &[
            (json!({"groups": ["guests", "staff"]}), Ok(())),
            (json!({"groups": "board"}), Ok(())),
            (json!({"groups": ["Staff", "staff "]}), NOT_MET),
            (json!({"groups": "staff board"}), NOT_MET),
            (json!({}), NOT_MET),
            (json!({"groups": {"staff": true}}), UNREADABLE),
            (json!({"roles": ["staff"], "scope": "staff"}), NOT_MET),
        ],
    );
    judges(
        &json!({"require": {"groups": {"all_of": ["staff", "board"]}}}),
        &[
            (json!({"groups": ["board", "x", "staff"]}), Ok(())),
            (json!({"groups": ["board"]}), NOT_MET),
        ],
    );
}

#[test]
fn groups_that_are_forbidden() {
    judges(
        &json!({"forbid": {"groups": {"any_of": ["guests"]}}}),
        &[
            (json!({"groups": ["staff"]}), Ok(())),
            (json!({}), Ok(())),
            (json!({"groups": ["staff", "guests"]}), FORBIDDEN),
            (json!({"groups": "guests"}), FORBIDDEN),
            (json!({"groups": {"guests": true}}), UNREADABLE),
            (json!({"groups": 7}), UNREADABLE),
        ],
    );
    // Who has what is required is refused for what is forbidden all the same.
    judges(
        &json!({
            "require": {"scopes": {"all_of": ["orders.read"]}},
            "forbid": {"groups": {"all_of": ["guests", "choir"]}},
        }),
        &[
            (json!({"groups": ["guests"]}), Ok(())),
            (json!({"groups": ["choir", "guests"]}), FORBIDDEN),
            (json!({"groups": ["guests"], "scope": "x"}), NOT_MET),
        ],
    );
}

#[test]
fn roles_are_those_of_the_client_that_the_token_was_issued_to() {
    let access = json!({
        "orders-web": {"roles": ["auditor"]},
        "account": {"roles": ["admin"]},
    });
    let of = |azp: &str| json!({"azp": azp, "resource_access": access});
    judges(
        &json!({"require": {"roles": {"any_of": ["admin"]}}}),
        &[
            (of("account"), Ok(())),
            (of("orders-web"), NOT_MET),
            (of("unknown"), NOT_MET),
            (json!({ "resource_access": access }), NOT_MET),
            (json!({"roles": ["admin"]}), Ok(())),
            (
                json!({"roles": "admin", "azp": "orders-web", "resource_access": access}),
                Ok(()),
            ),
            (json!({"realm_access": {"roles": ["admin"]}}), NOT_MET),
            (
                json!({"azp": "account", "resource_access": {"account": ["admin"]}}),
                UNREADABLE,
            ),
            (
                json!({"azp": "account", "resource_access": "admin"}),
                UNREADABLE,
            ),
        ],
    );
}

#[test]
fn roles_of_a_client_that_the_rule_names() {
    judges(
        &json!({"require": {"client_roles": {"any_of": ["account:admin", "orders:write"]}}}),
        &[
            (
                json!({"resource_access": {"account": {"roles": ["x", "admin"]}}}),
                Ok(()),
            ),
            (
                json!({"azp": "account", "resource_access": {"orders": {"roles": ["write"]}}}),
                Ok(()),
            ),
            (
                json!({"resource_access": {"orders": {"roles": ["admin"]}}}),
                NOT_MET,
            ),
            (json!({"roles": ["account:admin", "admin"]}), NOT_MET),
            (json!({}), NOT_MET),
            (json!({"resource_access": {"account": "admin"}}), UNREADABLE),
        ],
    );
    judges(
        &json!({"forbid": {"client_roles": {"any_of": ["account:suspended"]}}}),
        &[
            (
                json!({"resource_access": {"account": {"roles": ["suspended"]}}}),
                FORBIDDEN,
            ),
            (
                json!({"resource_access": {"orders": {"roles": ["suspended"]}}}),
                Ok(()),
            ),
            (json!({"resource_access": []}), UNREADABLE),
        ],
    );
}

fn of_machines(world: &World) -> AccessToken {
    let mut token = AccessToken::of(world).with("iss", json!(MACHINES_ISSUER));
    token.signer = MACHINES;
    token.header = MACHINES.header();
    token.typed("at+jwt")
}

#[test]
fn a_rule_is_for_the_tokens_of_some_issuers() {
    let rule = |key: &str, issuers: &[&str]| json!({key: {"issuers": issuers}});
    let other = "https://machines.example.com";
    for (rule, corps, machines) in [
        (rule("require", &[ISSUER]), Ok(()), NOT_MET),
        (rule("require", &[MACHINES_ISSUER]), NOT_MET, Ok(())),
        (rule("require", &[ISSUER, MACHINES_ISSUER]), Ok(()), Ok(())),
        (rule("require", &[other]), NOT_MET, NOT_MET),
        (rule("forbid", &[MACHINES_ISSUER]), Ok(()), FORBIDDEN),
    ] {
        let first = world(rule.clone());
        ends(&first, AccessToken::of(&first), corps);
        let second = world(rule);
        ends(&second, of_machines(&second), machines);
    }
}

#[test]
fn conditions_inside_of_conditions() {
    // Staff who may write, or the auditors' client, but nobody who is suspended or on leave.
    let rule = json!({
        "require": {"any_of": [
            {"all_of": [
                {"groups": {"any_of": ["staff"]}},
                {"any_of": [
                    {"scopes": {"any_of": ["orders.write"]}},
                    {"roles": {"any_of": ["writer"]}},
                ]},
            ]},
            {"client_roles": {"any_of": ["audit:auditor"]}, "issuers": [ISSUER]},
        ]},
        "forbid": {"any_of": [
            {"claims": [{"claim": "suspended", "equals": true}]},
            {"all_of": [
                {"groups": {"any_of": ["leave"]}},
                {"claims": [{"claim": "grade", "one_of": [1, 2]}]},
            ]},
        ]},
    });
    let auditor = json!({"audit": {"roles": ["auditor"]}});
    judges(
        &rule,
        &[
            (json!({"groups": ["staff"]}), Ok(())),
            (
                json!({"groups": ["staff"], "scope": "orders.read"}),
                NOT_MET,
            ),
            (
                json!({"groups": ["staff"], "scope": "x", "roles": ["writer"]}),
                Ok(()),
            ),
            (json!({"roles": ["writer"]}), NOT_MET),
            (json!({ "resource_access": auditor }), Ok(())),
            (
                json!({"resource_access": auditor, "suspended": true}),
                FORBIDDEN,
            ),
            (
                json!({"resource_access": auditor, "suspended": "yes"}),
                UNREADABLE,
            ),
            (json!({"groups": ["staff", "leave"], "grade": 3}), Ok(())),
            (json!({"groups": ["staff", "leave"]}), Ok(())),
            (json!({"groups": ["staff", "leave"], "grade": 2}), FORBIDDEN),
            // What cannot be told decides only where nothing else does.
            (json!({"groups": 7}), UNREADABLE),
            (json!({"groups": ["staff"], "grade": "2"}), Ok(())),
        ],
    );
}

#[test]
fn groups_that_the_issuer_left_out_count_for_nobody_and_are_told_to_the_operator() {
    let elsewhere = json!({
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.example/me"}},
    });
    for rule in [
        json!({"require": {"groups": {"any_of": ["staff"]}}}),
        json!({"forbid": {"groups": {"any_of": ["guests"]}}}),
    ] {
        let tokens = [elsewhere.clone(), json!({"hasgroups": true})];
        judges(&rule, &tokens.map(|said| (said, OVERAGE)));
    }
    judges(
        &json!({"require": {"groups": {"any_of": ["staff"]}}}),
        &[
            (json!({"hasgroups": false}), NOT_MET),
            (json!({"hasgroups": true, "groups": ["staff"]}), Ok(())),
            (json!({"_claim_names": {"roles": "src1"}}), NOT_MET),
        ],
    );
}
