//! Envoy's header matchers, as far as rules can say them: never wider than they were.

use serde_json::{Value, json};

use crate::Options;
use crate::draft::Draft;
use crate::notes::Notes;
use crate::part::Part;
use crate::pattern::{self, Public};

/// How a matcher compares the value of its header.
enum Test<'a> {
    Exact(&'a str),
    Prefix(&'a str),
    Regex(&'a str),
    Other,
}

/// What a matcher is about.
enum About {
    /// Rules that make it public.
    Rules(Public),
    /// A path that is compared together with the query.
    Path(String),
    Nothing,
}

/// What becomes of a request that a matcher matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It passes without a login.
    Public,
    /// It passes whether or not there is a login.
    Pass,
    /// It is refused rather than sent to log in.
    Deny,
}

impl How {
    /// The rule for it, made of the one that makes it public.
    fn rule(self, mut rule: Value) -> Value {
        let word = match self {
            Self::Public => return rule,
            Self::Pass => "pass",
            Self::Deny => "deny",
        };
        if let Value::Object(rule) = &mut rule
            && rule.remove("access").is_some()
        {
            rule.insert("otherwise".to_owned(), json!(word));
        }
        rule
    }
}

/// Matchers of which one is enough.
pub(crate) fn convert(
    part: &Part<'_>,
    name: &str,
    how: How,
    options: &Options,
    draft: &mut Draft,
    notes: &mut Notes,
) {
    for matcher in part.parts(name, notes) {
        let at = matcher.place.clone();
        match about(&matcher, notes) {
            About::Rules(public) => {
                if let Some(lost) = public.lost {
                    notes.stricter(at, format!("matches now without {lost}"));
                }
                draft.rules(public.rules.into_iter().map(|rule| how.rule(rule)));
            }
            About::Path(path) if how == How::Deny || options.any_query => {
                let rules = pattern::exactly(&path).map(|public| public.rules);
                if how != How::Deny {
                    pattern::with_any_query(&at, &path, notes);
                }
                draft.rules(rules.unwrap_or_default().into_iter().map(|rule| how.rule(rule)));
            }
            About::Path(path) => pattern::without_query(&at, &path, notes),
            About::Nothing if how == How::Deny => notes.unmatched(at, "is by what rules do not see; what is no navigation gets 401 by itself, and a navigation is sent to log in"),
            About::Nothing => notes.decide(at, "decides by what rules do not see (they see host, path and method), so what it let pass needs a login now; requests that bring a token of their own can be let in by `access_tokens`"),
        }
    }
}

fn about(matcher: &Part<'_>, notes: &mut Notes) -> About {
    let (test, ignores_case) = test(matcher, notes);
    if matcher.flag("invert_match", notes) == Some(true) {
        return About::Nothing;
    }
    if ignores_case {
        notes.stricter(matcher.place.clone(), "the case of letters counts now");
    }
    let rules = |public: Option<Public>| public.map_or(About::Nothing, About::Rules);
    let rule = |matched: Value| {
        About::Rules(Public {
            rules: vec![json!({"match": matched, "access": "public"})],
            lost: None,
        })
    };
    match (matcher.text("name", notes).unwrap_or_default(), test) {
        (":path", Test::Exact(path)) => About::Path(path.to_owned()),
        (":path", Test::Prefix(path)) => rules(pattern::beginning(path)),
        (":path", Test::Regex(regex)) => match pattern::regex(regex) {
            Some((path, true)) => rules(pattern::beginning(&path)),
            Some((path, false)) => About::Path(path),
            None => About::Nothing,
        },
        (":method", Test::Exact(method)) if !ignores_case => rule(json!({"methods": [method]})),
        (":authority" | "host", Test::Exact(host)) => {
            rule(json!({"hosts": [host.to_ascii_lowercase()]}))
        }
        _ => About::Nothing,
    }
}

/// The test, and whether it took upper and lower case for the same.
fn test<'a>(matcher: &Part<'a>, notes: &mut Notes) -> (Test<'a>, bool) {
    let string = matcher.part("string_match", notes);
    let of_string = string.as_ref().map(|part| {
        let ignores_case = part.flag("ignore_case", notes) == Some(true);
        (
            one(part, ["exact", "prefix", "safe_regex"], notes),
            ignores_case,
        )
    });
    of_string.unwrap_or_else(|| {
        let names = ["exact_match", "prefix_match", "safe_regex_match"];
        (one(matcher, names, notes), false)
    })
}

fn one<'a>(part: &Part<'a>, [exact, prefix, regex]: [&str; 3], notes: &mut Notes) -> Test<'a> {
    if part.has(exact) {
        return part.text(exact, notes).map_or(Test::Other, Test::Exact);
    }
    if part.has(prefix) {
        return part.text(prefix, notes).map_or(Test::Other, Test::Prefix);
    }
    let regex = part.part(regex, notes);
    let text = regex.and_then(|regex| regex.text("regex", notes));
    text.map_or(Test::Other, Test::Regex)
}
