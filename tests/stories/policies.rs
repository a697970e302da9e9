//! Who may, of those who are known.

use portero::telemetry::Purpose;
use serde_json::{Value, json};

use crate::browser::{Browser, HOST};
use crate::cookies::Site;
use crate::outcome::Outcome;
use crate::provider::{Answer, SUBJECT};
use crate::world::{World, minutes, seconds};

const CODE: &str = "access_forbidden";

/// A world whose `/admin` has this rule, and whose person has these claims beside the usual ones.
fn world(rule: Value, userinfo: &Value) -> World {
    let world = World::with(|settings| settings["rules"] = json!([admin(rule)]));
    says(&world, userinfo);
    world
}

fn admin(mut rule: Value) -> Value {
    rule["match"] = json!({"path": {"prefix": "/admin"}});
    rule
}

fn says(world: &World, userinfo: &Value) {
    let mut script = world.provider.script.borrow_mut();
    script.userinfo = json!({"sub": SUBJECT, "name": "Ada Lovelace"});
    for (name, value) in userinfo.as_object().unwrap() {
        script.userinfo[name] = value.clone();
    }
}

fn logged_in(world: &World) -> Browser {
    let browser = world.browser();
    browser.log_in();
    browser
}

/// How often browsers were sent to the provider.
fn logins(world: &World) -> usize {
    world.provider.authorizations.borrow().len()
}

fn staff() -> Value {
    json!({"require": {"groups": {"any_of": ["staff"]}}})
}

#[track_caller]
fn is_refused(outcome: &Outcome) {
    assert_eq!((outcome.status(), outcome.code().as_str()), (403, CODE));
}

#[test]
fn who_meets_the_rule_gets_through_and_who_does_not_gets_403_and_no_login() {
    for (groups, may) in [
        (json!(["staff"]), true),
        (json!("staff"), true),
        (json!(["guests"]), false),
        (json!(null), false),
    ] {
        let world = world(staff(), &json!({ "groups": groups }));
        let browser = logged_in(&world);
        for _ in 0..3 {
            match may {
                true => assert!(browser.go("/admin").forwarded().has("x-userinfo")),
                false => is_refused(&browser.go("/admin")),
            }
            browser.go("/").forwarded();
        }
        assert_eq!(logins(&world), 1, "{groups}");
    }
}

#[test]
fn a_login_at_a_page_that_is_not_allowed_ends_there() {
    let world = world(staff(), &json!({}));
    let browser = world.browser();
    let (target, outcome) = browser.browse("/admin?x=1");
    assert_eq!(target, "/admin?x=1");
    is_refused(&outcome);
    assert_eq!(logins(&world), 1);
    browser.go("/").forwarded();
}

#[test]
fn who_is_not_known_gets_401_or_a_login() {
    let world = world(staff(), &json!({}));
    let browser = world.browser();
    let outcome = browser.fetch("/admin");
    assert_eq!(
        (outcome.status(), outcome.code().as_str()),
        (401, "login_required")
    );
    assert_eq!(outcome.header("www-authenticate"), Some("Bearer"));
    assert!(browser.go("/admin").location().starts_with("https://idp."));
}

#[test]
fn a_person_sees_what_is_wrong_and_how_to_use_another_account() {
    let world = world(staff(), &json!({}));
    let browser = logged_in(&world);
    let outcome = browser.go("/admin");
    let body = &outcome.answered().body;
    assert!(body.contains("<h1>Not allowed</h1>"), "{body}");
    assert!(
        body.contains("You are signed in, but not allowed here."),
        "{body}"
    );
    assert!(
        body.contains("<a href=\"/oauth2/logout\">Use another account</a>"),
        "{body}"
    );
    assert_eq!(outcome.header("www-authenticate"), None);
    let lines = world.land.lines("code=access_forbidden ");
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].contains("status=403") && lines[0].contains(" cause=not_met rule=0 "),
        "{lines:?}"
    );

    // The link logs out; whoever comes back may be somebody else.
    let out = browser.send(browser.navigation("/oauth2/logout", Site::SameOrigin));
    assert!(
        out.location()
            .starts_with("https://idp.example.com/logout?")
    );
    says(&world, &json!({"groups": ["staff"]}));
    let (target, outcome) = browser.browse("/admin");
    assert_eq!(target, "/admin");
    outcome.forwarded();
}

#[test]
fn a_program_is_told_which_scopes_it_lacks() {
    let rule = json!({"require": {"scopes": {"all_of": ["orders.read", "orders.write"]}}});
    let world = world(rule, &json!({}));
    let browser = logged_in(&world);
    let outcome = browser.fetch("/admin");
    is_refused(&outcome);
    assert_eq!(
        outcome.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(
        outcome.header("www-authenticate"),
        Some("Bearer error=\"insufficient_scope\", scope=\"orders.read orders.write\"")
    );
}

#[test]
fn the_scopes_of_a_session_are_those_that_were_granted() {
    let rule = || json!({"require": {"scopes": {"all_of": ["openid", "orders.read"]}}});
    let asks = |settings: &mut Value| {
        settings["rules"] = json!([admin(rule())]);
        settings["providers"]["corp"]["scopes"] = json!(["openid", "orders.read"]);
    };
    for (scope, may) in [
        // RFC 6749 section 5.1: the same as was asked for.
        (None, true),
        (Some(json!(null)), true),
        (Some(json!("openid orders.read other")), true),
        (Some(json!(["orders.read", "openid"])), true),
        (Some(json!("openid")), false),
        (Some(json!("")), false),
        (Some(json!(7)), false),
    ] {
        let world = World::with(asks);
        if let Some(scope) = &scope {
            let member = ("scope", scope.clone());
            world
                .provider
                .script
                .borrow_mut()
                .token_response
                .push(member);
        }
        let browser = logged_in(&world);
        match may {
            true => drop(browser.go("/admin").forwarded()),
            false => is_refused(&browser.go("/admin")),
        }
    }
}

#[test]
fn a_refresh_can_take_scopes_and_groups_away_and_give_them() {
    let rule = json!({"require": {"scopes": {"any_of": ["s"]}, "groups": {"any_of": ["staff"]}}});
    let world = world(rule, &json!({"groups": ["staff"]}));
    let scope = |scope: &str| {
        let mut script = world.provider.script.borrow_mut();
        script.refreshes = true;
        script.token_response = vec![("expires_in", json!(300)), ("scope", json!(scope))];
    };
    scope("openid s");
    let browser = logged_in(&world);
    browser.go("/admin").forwarded();
    for (next, groups, may) in [
        ("openid", json!(["staff"]), false),
        ("openid s", json!(["staff"]), true),
        ("openid s", json!([]), false),
        ("s", json!(["staff"]), true),
    ] {
        scope(next);
        says(&world, &json!({ "groups": groups }));
        world.pass(seconds(290));
        let outcome = browser.go("/admin");
        match may {
            true => drop(outcome.forwarded()),
            false => is_refused(&outcome),
        }
        // The refreshed session reached the browser, whatever the answer was.
        assert_eq!(outcome.set_cookies().len(), 1);
    }
    // Where nothing is said, it is as before.
    world.provider.script.borrow_mut().token_response.pop();
    world.pass(seconds(290));
    browser.go("/admin").forwarded();
    assert_eq!(logins(&world), 1);
}

#[test]
fn claims_that_are_read_again_decide_anew() {
    let world = World::with(|settings| {
        settings["rules"] = json!([admin(staff())]);
        settings["session"]["reread_claims"] = json!("10m");
        settings["upstream"] = json!({"headers": {"x-name": {"claim": "name"}}});
    });
    says(&world, &json!({"groups": ["staff"]}));
    let browser = logged_in(&world);
    browser.go("/admin").forwarded();
    // A provider that gives no groups any more has taken them all.
    for (userinfo, may) in [
        (json!({}), false),
        (json!({"groups": ["staff"]}), true),
        (json!({"groups": ["guests"]}), false),
    ] {
        says(&world, &userinfo);
        world.pass(minutes(10));
        match may {
            true => assert!(browser.go("/admin").forwarded().has("x-name")),
            false => is_refused(&browser.go("/admin")),
        }
    }
    assert_eq!(logins(&world), 1);
}

#[test]
fn what_rules_look_at_goes_into_no_header() {
    let rule = json!({"require": {
        "groups": {"any_of": ["staff"]},
        "claims": [{"claim": "iss", "matches": "https://.*"}, {"claim": "azp", "equals": "portero"}],
    }});
    let claims = json!({"groups": ["staff", "choir"], "phone": "1"});
    for (headers, expected) in [
        (json!({"x-name": {"claim": "name"}}), None),
        (
            json!({"x-name": {"claim": "name"}, "x-userinfo": {"userinfo": "base64_json"}}),
            Some(()),
        ),
    ] {
        let world = World::with(|settings| {
            settings["rules"] = json!([admin(rule.clone())]);
            settings["upstream"] = json!({ "headers": headers });
        });
        says(&world, &claims);
        let azp = ("azp".to_owned(), json!("portero"));
        world.provider.script.borrow_mut().claims.extend([azp]);
        let browser = logged_in(&world);
        let outcome = browser.go("/admin");
        let upstream = outcome.forwarded();
        assert_eq!(upstream.header("x-name"), "Ada Lovelace");
        match expected {
            None => assert!(!upstream.has("x-userinfo")),
            Some(()) => assert_eq!(
                upstream.userinfo(),
                json!({"sub": SUBJECT, "name": "Ada Lovelace", "groups": ["staff", "choir"], "phone": "1"})
            ),
        }
    }
}

#[test]
fn a_person_in_a_thousand_groups_has_a_small_session() {
    let world = World::with(|settings| {
        settings["rules"] = json!([admin(staff())]);
        settings["upstream"] = json!({"headers": {"x-name": {"claim": "name"}}});
    });
    let mut groups: Vec<String> = (0..1000).map(|number| format!("group-{number}")).collect();
    groups.push("staff".to_owned());
    says(&world, &json!({ "groups": groups }));
    let browser = logged_in(&world);
    browser.go("/admin").forwarded();
    assert_eq!(browser.cookie_names("__Host-portero"), ["__Host-portero"]);
    let cookies = browser.cookies.borrow();
    let session = cookies
        .all()
        .iter()
        .find(|cookie| cookie.name == "__Host-portero");
    assert!(session.unwrap().value.len() < 400);
}

#[test]
fn groups_that_the_provider_left_out_are_told_to_the_operator() {
    let overage = json!({
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.example/me"}},
    });
    let world = world(staff(), &overage);
    let browser = logged_in(&world);
    is_refused(&browser.go("/admin"));
    assert_eq!(world.land.lines(" cause=groups_overage rule=0").len(), 1);
    assert_eq!(
        world.land.counted("portero.authorization.groups_overage"),
        1
    );
    assert_eq!(logins(&world), 1);
}

#[test]
fn a_session_from_before_a_change_of_the_rules_is_not_held_to_what_it_cannot_know() {
    let world = World::new();
    says(
        &world,
        &json!({"groups": ["staff", "audit"], "roles": ["r"]}),
    );
    let browser = world.browser();
    browser.log_in();
    let with_group = |group: &str| {
        let rule = json!({"require": {"groups": {"any_of": [group]}}});
        world.reloaded(|settings| settings["rules"] = json!([admin(rule)]))
    };
    world.pass(minutes(2));
    browser.moves_to(&with_group("audit"));
    assert_eq!(browser.fetch("/admin").code(), "login_required");
    let (_, outcome) = browser.browse("/admin");
    outcome.forwarded();
    assert_eq!(logins(&world), 2);
    // Once more for every change that asks for something else, and then never again.
    world.pass(minutes(2));
    browser.moves_to(&with_group("board"));
    let (_, outcome) = browser.browse("/admin");
    is_refused(&outcome);
    assert_eq!(logins(&world), 3);
    world.pass(minutes(2));
    is_refused(&browser.go("/admin"));
    // Who meets other rules all the same is not asked.
    let other = json!([admin(
        json!({"require": {"claims": [{"claim": "groups", "contains": "x"}]}})
    )]);
    let other = world.reloaded(|settings| settings["rules"] = other);
    says(&world, &json!({"groups": ["x", "staff"]}));
    browser.moves_to(&other);
    browser.browse("/admin").1.forwarded();
    assert_eq!(logins(&world), 4);
    world.pass(minutes(2));
    let either = json!({"require": {"any_of": [
        {"claims": [{"claim": "groups", "contains": "x"}]}, {"groups": {"any_of": ["y"]}},
    ]}});
    browser.moves_to(&world.reloaded(|settings| settings["rules"] = json!([admin(either)])));
    browser.fetch("/admin").forwarded();
    assert_eq!(logins(&world), 4);
}

/// It has not kept whether somebody is what is forbidden now.
#[test]
fn a_session_from_before_a_change_does_not_escape_what_is_forbidden() {
    let world = World::new();
    says(&world, &json!({"groups": ["guests"]}));
    let browser = logged_in(&world);
    let rule = json!({"forbid": {"groups": {"any_of": ["guests"]}}});
    browser.moves_to(&world.reloaded(|settings| settings["rules"] = json!([admin(rule)])));
    is_refused(&browser.fetch("/admin"));
    assert_eq!(world.land.lines(" cause=session_outdated rule=0").len(), 1);
    world.pass(minutes(2));
    assert_eq!(browser.fetch("/admin").code(), "login_required");
    is_refused(&browser.browse("/admin").1);
    assert_eq!(world.land.lines(" cause=forbidden rule=0").len(), 1);
    assert_eq!(logins(&world), 2);
}

/// Of two Envoys in the course of a change, one may refresh what the other has made.
#[test]
fn a_refresh_under_other_rules_makes_nobody_escape() {
    let forbid = |group: &str| {
        let rule = json!({"forbid": {"groups": {"any_of": [group]}}});
        json!([admin(rule)])
    };
    for has_id_token in [true, false] {
        let world = World::with(|settings| settings["rules"] = forbid("guests"));
        says(&world, &json!({"groups": ["guests"]}));
        {
            let mut script = world.provider.script.borrow_mut();
            script.refreshes = true;
            script.token_response = vec![("expires_in", json!(300))];
        }
        let browser = logged_in(&world);
        is_refused(&browser.go("/admin"));
        if !has_id_token {
            let none = ("id_token", json!(null));
            world.provider.script.borrow_mut().token_response.push(none);
        }
        browser.moves_to(&world.reloaded(|settings| settings["rules"] = forbid("choir")));
        world.pass(seconds(290));
        browser.go("/").forwarded();
        browser.moves_to(&world.worker);
        assert_eq!(
            browser.fetch("/admin").code(),
            "login_required",
            "{has_id_token}"
        );
    }
}

/// While a fleet's configuration changes, a browser may come to either half.
#[test]
fn two_envoys_with_different_rules_send_nobody_round_and_round() {
    let world = world(staff(), &json!({}));
    let other = json!({"require": {"groups": {"any_of": ["other"]}}});
    let other = world.reloaded(|settings| settings["rules"] = json!([admin(other)]));
    let browser = world.browser();
    browser.log_in();
    for worker in [&other, &world.worker, &other, &world.worker] {
        browser.moves_to(worker);
        is_refused(&browser.go("/admin"));
    }
    assert_eq!(logins(&world), 1);
}

/// What only the ID token of the login said is not known to rules that came later.
#[test]
fn a_refresh_without_an_id_token_does_not_make_an_old_session_answer_for_new_rules() {
    let forbid = |group: &str| {
        let rule = json!({"forbid": {"groups": {"any_of": [group]}}});
        json!([admin(rule)])
    };
    let world = World::with(|settings| settings["rules"] = forbid("guests"));
    {
        let mut script = world.provider.script.borrow_mut();
        let groups = ("groups".to_owned(), json!(["choir"]));
        script.claims.extend([groups]);
        script.refreshes = true;
        script.token_response = vec![("expires_in", json!(300))];
    }
    let browser = logged_in(&world);
    browser.go("/admin").forwarded();
    let none = ("id_token", json!(null));
    world.provider.script.borrow_mut().token_response.push(none);
    browser.moves_to(&world.reloaded(|settings| settings["rules"] = forbid("choir")));
    world.pass(seconds(290));
    assert_eq!(browser.fetch("/admin").code(), "login_required");
    assert_eq!(world.provider.called(Purpose::Token), 2, "refreshed");
}

#[test]
fn a_public_path_and_porteros_own_ask_for_nothing_and_a_step_up_comes_first() {
    let world = World::with(|settings| {
        settings["rules"] = json!([
            {"match": {"path": {"prefix": "/public"}}, "access": "public"},
            {
                "authentication": {"acr_values": ["gold"]},
                "require": {"groups": {"any_of": ["staff"]}},
            },
        ]);
    });
    world.provider.script.borrow_mut().tells_authentication = true;
    let browser = world.browser();
    let (_, outcome) = browser.browse("/x");
    is_refused(&outcome);
    assert_eq!(logins(&world), 1);
    browser.go("/public").forwarded();
    assert_eq!(browser.go("/oauth2/logged-out").status(), 200);
    assert!(
        browser
            .send(browser.navigation("/oauth2/logout", Site::SameOrigin))
            .location()
            .contains("/logout")
    );
    assert_eq!(HOST, browser.host);
}

#[test]
fn a_provider_that_is_down_changes_nothing_about_who_may() {
    for (groups, may) in [(json!(["staff"]), true), (json!(["guests"]), false)] {
        let world = world(staff(), &json!({ "groups": groups }));
        let browser = logged_in(&world);
        world
            .provider
            .break_down(Purpose::Userinfo, Answer::Status(500));
        world.provider.go_down();
        match may {
            true => drop(browser.go("/admin").forwarded()),
            false => is_refused(&browser.go("/admin")),
        }
    }
}
