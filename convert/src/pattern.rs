//! Patterns of paths, as far as rules can say them: never wider than they were.

use serde_json::{Value, json};

use crate::notes::Notes;

/// What a pattern matches, said by rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Public {
    /// In their order; the first that matches a request decides.
    pub(crate) rules: Vec<Value>,
    /// What the pattern matched beyond these, if it did.
    pub(crate) lost: Option<&'static str>,
}

/// The language of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// Searched anywhere in the path; `%` takes the meaning from what follows.
    Lua,
    /// Matches the whole of it; `\` takes the meaning from what follows.
    Regex,
}

/// The paths that begin with `literal`.
pub(crate) fn beginning(literal: &str) -> Option<Public> {
    let path = literal.strip_suffix('/').unwrap_or(literal);
    if !is_path(literal) {
        return None;
    }
    // The prefix of a rule is made of whole segments, so `/a/` has `/a` too; that one is taken out again.
    let public = json!({"match": {"path": {"prefix": if path.is_empty() { "/" } else { path }}}, "access": "public"});
    Some(match literal.ends_with('/') {
        true if path.is_empty() => Public {
            rules: vec![public],
            lost: None,
        },
        true => Public {
            rules: vec![json!({"match": {"path": {"exact": path}}}), public],
            lost: None,
        },
        false => Public {
            rules: vec![public],
            lost: Some("paths whose segment only begins like that"),
        },
    })
}

/// This path alone.
pub(crate) fn exactly(literal: &str) -> Option<Public> {
    is_path(literal).then(|| Public {
        rules: vec![json!({"match": {"path": {"exact": literal}}, "access": "public"})],
        lost: None,
    })
}

/// Says that a path which was matched without a query has no rule.
pub(crate) fn without_query(at: &str, path: &str, notes: &mut Notes) {
    match exactly(path) {
        Some(_) => notes.decide(at, format!("`{path}` was matched only without a query, and Portero's rules do not see queries, so it needs a login now; if it may be matched with any query, say --any-query")),
        None => notes.decide(at, "is no path that a rule can have, so it needs a login now"),
    }
}

/// Says that a path which was matched without a query is now matched with any.
pub(crate) fn with_any_query(at: &str, path: &str, notes: &mut Notes) {
    match exactly(path) {
        Some(_) => notes.remains(
            at,
            format!(
                "`{path}` is matched with any query now (--any-query), and was only without one"
            ),
        ),
        None => notes.decide(
            at,
            "is no path that a rule can have, so it needs a login now",
        ),
    }
}

/// What a Lua pattern matches of paths.
pub(crate) fn lua(pattern: &str) -> Option<Public> {
    let (is_anchored, pattern) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let (is_whole, pattern) = match pattern.strip_suffix('$') {
        Some(rest) if !rest.ends_with('%') => (true, rest),
        _ => (false, pattern),
    };
    let (open, pattern) = open_end(pattern);
    let (literal, had_dots) = literal(pattern, Language::Lua)?;
    let mut public = match is_whole && !open {
        true => exactly(&literal)?,
        false => beginning(&literal)?,
    };
    if !is_anchored && literal != "/" {
        public.lost = Some("paths that have it further inside");
    } else if had_dots {
        public.lost = public.lost.or(Some("paths with another character for `.`"));
    }
    Some(public)
}

/// What a regular expression for whole values says: its text, and whether anything may follow.
pub(crate) fn regex(pattern: &str) -> Option<(String, bool)> {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let pattern = match pattern.strip_suffix('$') {
        Some(rest) if !rest.ends_with('\\') => rest,
        _ => pattern,
    };
    let (open, pattern) = open_end(pattern);
    literal(pattern, Language::Regex).map(|(literal, _)| (literal, open))
}

fn open_end(pattern: &str) -> (bool, &str) {
    match pattern.strip_suffix(".*") {
        Some(rest) if !rest.ends_with(['%', '\\']) => (true, rest),
        _ => (false, pattern),
    }
}

/// The text that a pattern matches, and whether a dot in it matched more than itself.
fn literal(pattern: &str, language: Language) -> Option<(String, bool)> {
    let (escape, special) = match language {
        Language::Lua => ('%', "^$()[]*+-?"),
        Language::Regex => ('\\', "^$()[]*+?{}|"),
    };
    let mut text = String::with_capacity(pattern.len());
    let mut had_dots = false;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character == escape {
            // Before a letter or a digit it is no escape but a class.
            let next = characters.next().filter(char::is_ascii_punctuation)?;
            text.push(next);
            continue;
        }
        if special.contains(character) {
            return None;
        }
        had_dots |= character == '.';
        text.push(character);
    }
    Some((text, had_dots))
}

/// Whether rules can have it as a path: the form in which every path has one spelling.
fn is_path(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"?#\\;%".contains(&byte);
    let inner = text.strip_suffix('/').unwrap_or(text);
    text.starts_with('/')
        && text.len() <= 1024
        && text.bytes().all(is_plain)
        && !text.contains("//")
        && !inner
            .split('/')
            .any(|segment| matches!(segment, "." | ".."))
}
