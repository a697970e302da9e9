//! Faults of rules and paths.

use super::*;

fn rule(matcher: Value) -> Value {
    with("/rules", json!([{"match": matcher, "access": "public"}]))
}

#[test]
fn a_path_has_one_way_to_be_written() {
    for (path, words) in [
        ("", "does not start with `/`"),
        ("app", "does not start with `/`"),
        ("/a//b", "contains an empty segment"),
        ("/a/./b", "contains a `.` or `..` segment"),
        ("/a/..", "contains a `.` or `..` segment"),
        ("/a?b", "contains `?`"),
        ("/a#b", "contains `#`"),
        ("/a\\b", "contains `\\`"),
        ("/a;b", "contains `;`"),
        ("/a b", "contains ' '"),
        ("/a\u{7f}", "contains '\\u{7f}'"),
        ("/\u{fc}", "contains '\u{fc}'"),
        ("/%41", "contains `%41`, which is `A` in disguise"),
        ("/%7e", "which is `~` in disguise"),
        ("/%2e%2e", "which is `.` in disguise"),
        (
            "/a%2Fb",
            "contains `%2F`, which servers read in different ways",
        ),
        ("/a%5c", "which servers read in different ways"),
        ("/a%00", "which servers read in different ways"),
        ("/%c3%BC", "contains `%c3`; accepted: `%C3`"),
        ("/100%", "contains a `%` without two digits"),
        ("/%+1", "contains a `%` without two digits"),
        ("/%4", "contains a `%` without two digits"),
    ] {
        refused(
            &rule(json!({"path": {"exact": path}})),
            "rules[0].match.path.exact",
            words,
        );
        refused(
            &with("/paths/callback", json!(path)),
            "paths.callback",
            words,
        );
    }
    let config = accepted(&rule(
        json!({"path": {"exact": "/%C3%BC/%20/x.~-_!$&'()*+,=:@"}}),
    ));
    assert!(
        matches!(&config.rules[0].matcher.path, PathPattern::Exact(path) if path.starts_with("/%C3"))
    );
}

#[test]
fn our_own_paths_are_distinct_and_not_the_root() {
    refused(
        &with("/paths/logged_out", json!("/oauth2/logout")),
        "paths.logged_out",
        "is the same as another",
    );
    for other in ["callback", "logout", "logged-out"] {
        refused(
            &with(
                "/paths/frontchannel_logout",
                json!(format!("/oauth2/{other}")),
            ),
            "paths.frontchannel_logout",
            "is the same as another",
        );
    }
    refused(
        &with("/paths/frontchannel_logout", json!("/bye//x")),
        "paths.frontchannel_logout",
        "",
    );
    refused(
        &with("/paths/callback", json!("/")),
        "paths.callback",
        "is the root of the site",
    );
}

#[test]
fn hosts_are_lower_case_names() {
    for (host, words) in [
        ("App.example.com", "has upper-case letters"),
        ("app.example.com:", "has a `:` without a port"),
        ("app.example.com:0", "has a `:` without a port"),
        ("app.example.com:08443", "has a `:` without a port"),
        ("app.example.com:+80", "has a `:` without a port"),
        ("app.example.com:65536", "has a `:` without a port"),
        ("app.example.com:80:80", "has a `:` without a port"),
        ("[::1]:80", "has a `:` without a port"),
        ("https://app.example.com", "has a `:` without a port"),
        ("*:8443", "a `*` that is not its first label"),
        (":8443", "is not a host name"),
        ("app.example.com.", "is not a host name"),
        ("app.*.com", "a `*` that is not its first label"),
        ("*app.com", "a `*` that is not its first label"),
        ("*.*.com", "a `*` that is not its first label"),
        ("*", "leave `hosts` out"),
        ("*.", "is not a host name"),
        ("", "is not a host name"),
        ("a..b", "is not a host name"),
        ("-a.b", "is not a host name"),
    ] {
        refused(
            &rule(json!({"hosts": ["ok.example", host]})),
            "rules[0].match.hosts[1]",
            words,
        );
    }
}

#[test]
fn a_host_may_have_a_port() {
    let config = accepted(&rule(
        json!({"hosts": ["app.example.com:8443", "*.example.org:1"]}),
    ));
    let pattern = |name, port: &str| HostPattern {
        name,
        port: Some(port.to_owned()),
    };
    assert_eq!(
        config.rules[0].matcher.hosts,
        [
            pattern(HostName::Exact("app.example.com".to_owned()), "8443"),
            pattern(HostName::Below(".example.org".to_owned()), "1"),
        ]
    );
}

#[test]
fn methods_are_upper_case_tokens() {
    for method in ["get", "G T", ""] {
        refused(
            &rule(json!({"methods": [method]})),
            "rules[0].match.methods[0]",
            "is not an HTTP method",
        );
    }
}

#[test]
fn a_list_written_empty_is_not_a_match_for_anything() {
    refused(
        &rule(json!({"hosts": []})),
        "rules[0].match.hosts",
        "is empty; accepted: leave it out",
    );
    refused(
        &rule(json!({"methods": []})),
        "rules[0].match.methods",
        "is empty; accepted: leave it out",
    );
    refused(
        &rule(json!({"path": {}})),
        "rules[0].match.path",
        "has 0 keys",
    );
    refused(
        &rule(json!({"path": {"regex": ".*"}})),
        "rules[0].match.path.regex",
        "accepted: exact, prefix",
    );
}

#[test]
fn a_prefix_goes_by_segments() {
    let pattern = |prefix: &str| {
        let config = accepted(&rule(
            json!({"path": {"prefix": prefix}, "methods": ["GET"]}),
        ));
        config.rules.into_iter().next().unwrap().matcher.path
    };
    assert_eq!(pattern("/api"), PathPattern::Prefix("/api".to_owned()));
    assert_eq!(pattern("/api/"), PathPattern::Prefix("/api".to_owned()));
    assert_eq!(pattern("/"), PathPattern::Any);
}

#[test]
fn rules_are_bounded() {
    refused(
        &with(
            "/rules",
            json!(vec![json!({"match": {"methods": ["GET"]}}); 201]),
        ),
        "rules",
        "has 201 entries; accepted: at most 200",
    );
}

#[test]
fn a_rule_that_opens_everything_or_hides_others_warns() {
    let loaded = load(&with(
        "/rules",
        json!([{"access": "public"}, {"match": {"methods": ["GET"]}}]),
    ))
    .unwrap();
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].starts_with("rules[0]: matches every request"));
    assert!(loaded.warnings[1].starts_with("rules[0]: makes every request public"));
}

#[test]
fn a_rule_demands_an_authentication_that_a_challenge_can_name() {
    let of = |authentication: Value| with("/rules", json!([{"authentication": authentication}]));
    let demand = |authentication: Value| {
        let config = accepted(&of(authentication));
        let demand = config.authentication(Some(0)).clone();
        (demand.max_age, demand.acr_values)
    };
    let seconds = Duration::from_secs;
    assert_eq!(
        demand(json!({"max_age": "0s"})),
        (Some(seconds(0)), Vec::new())
    );
    assert_eq!(
        demand(json!({"max_age": "365d", "acr_values": ["gold", "urn:example:2"]})),
        (
            Some(seconds(365 * 86_400)),
            vec!["gold".to_owned(), "urn:example:2".to_owned()]
        )
    );
    let none = accepted(&rule(json!({})));
    for index in [None, Some(0), Some(7)] {
        assert!(none.authentication(index).is_nothing());
    }
    let at = "rules[0].authentication";
    refused(&of(json!({})), at, "demands nothing");
    for (max_age, words) in [
        ("366d", "is 366d; accepted: 0s to 365d"),
        ("1500ms", "has a part of a second"),
        ("10", "is not a duration"),
    ] {
        let value = of(json!({"max_age": max_age}));
        refused(&value, &format!("{at}.max_age"), words);
    }
    for class in ["", "a b", "a\"b", "a\\b", "a\tb", "a\u{7f}", "g\u{f6}ld"] {
        let value = of(json!({"acr_values": ["gold", class]}));
        let words = "is not a class of authentication";
        refused(&value, &format!("{at}.acr_values[1]"), words);
    }
    let list = |acr_values: Value| of(json!({"acr_values": acr_values}));
    let place = format!("{at}.acr_values");
    refused(&list(json!([])), &place, "is empty");
    let many: Vec<String> = (0..17).map(|n| format!("class-{n}")).collect();
    refused(&list(json!(many)), &place, "has 17 entries");
    let long: Vec<String> = (10..23).map(|n| format!("{n:040}")).collect();
    refused(&list(json!(long)), &place, "is too long");
    accepted(&list(json!(long[1..])));
    refused(
        &list(json!(["gold", "gold"])),
        &format!("{place}[1]"),
        "is in this list already",
    );
    let public = json!([{"access": "public", "authentication": {"max_age": "5m"}}]);
    refused(&with("/rules", public), at, "stands in a public rule");
}
