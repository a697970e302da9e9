//! Patterns of paths never get wider.

use portero_convert::{System, convert};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{loads, said};

/// Whether a request for this path needs nothing, as the first rule that matches says.
fn is_public(rules: &[Value], path: &str) -> bool {
    let matching = rules.iter().find(|rule| {
        let matcher = &rule["match"]["path"];
        match (matcher["exact"].as_str(), matcher["prefix"].as_str()) {
            (Some(exact), _) => path == exact,
            (_, Some(prefix)) => {
                let prefix = prefix.trim_end_matches('/');
                path.strip_prefix(prefix)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            _ => true,
        }
    });
    matching.is_some_and(|rule| rule["access"] == "public")
}

/// `string.find` of Lua, for the patterns of these tests: characters, `.`, escapes and quantifiers.
fn lua_finds(pattern: &str, path: &str) -> bool {
    let items: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = path.chars().collect();
    match items.split_first() {
        Some(('^', rest)) => lua_matches(rest, &text),
        _ => (0..=text.len()).any(|start| lua_matches(&items, &text[start..])),
    }
}

fn lua_matches(pattern: &[char], text: &[char]) -> bool {
    let (is_dot, wanted, rest) = match pattern {
        [] => return true,
        ['$'] => return text.is_empty(),
        ['%', escaped, rest @ ..] => (false, *escaped, rest),
        ['.', rest @ ..] => (true, '.', rest),
        [plain, rest @ ..] => (false, *plain, rest),
    };
    let fits = |at: usize| text.get(at).is_some_and(|found| is_dot || *found == wanted);
    let run = (0..text.len()).take_while(|at| fits(*at)).count();
    match rest {
        ['*' | '-', rest @ ..] => (0..=run).any(|count| lua_matches(rest, &text[count..])),
        ['+', rest @ ..] => (1..=run).any(|count| lua_matches(rest, &text[count..])),
        ['?', rest @ ..] => (0..=run.min(1)).any(|count| lua_matches(rest, &text[count..])),
        rest => fits(0) && lua_matches(rest, &text[1..]),
    }
}

fn rules_of(pattern: &str) -> Vec<Value> {
    let config = json!({
        "client_id": "web",
        "client_secret": "S3CRET",
        "discovery": "https://idp.example.com/.well-known/openid-configuration",
        "filters": pattern,
    });
    let conversion = convert(System::KongOidc, &config.to_string(), &said()).unwrap();
    let configuration = conversion.configuration.unwrap();
    loads(&configuration);
    configuration["rules"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_pattern_of_kong_gets_wider(
        pattern in "\\^?(/|a|b|\\.|%-|%\\.|-|\\*|\\+|\\?|\\.\\*){1,6}\\$?",
        paths in proptest::collection::vec("(/(a|b|-|\\.b|ab)){1,4}/?", 16),
    ) {
        let rules = rules_of(&pattern);
        for path in paths {
            prop_assert!(!is_public(&rules, &path) || lua_finds(&pattern, &path), "{pattern} {path} {rules:?}");
        }
    }
}

#[test]
fn the_usual_patterns_of_kong_are_what_they_were() {
    for (pattern, public, private) in [
        ("^/healthz$", "/healthz", "/healthz/x"),
        ("^/static/", "/static/x", "/static"),
        ("^/static/.*$", "/static/", "/static"),
        ("/api%-docs", "/api-docs/x", "/apidocs"),
        ("^/static", "/static/x", "/other"),
        ("/", "/anything", "no path"),
    ] {
        let rules = rules_of(pattern);
        assert!(is_public(&rules, public), "{pattern}");
        assert!(!is_public(&rules, private), "{pattern}");
    }
    for pattern in ["/api-docs", "^/v%d/", "/(a|b)", "/a+", "^/[a-z]"] {
        assert!(rules_of(pattern).is_empty(), "{pattern}");
    }
}
