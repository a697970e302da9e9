//! What a rule demands of the claims of whoever is known.

use std::fmt;

use regex_lite::{Regex, RegexBuilder};

use super::Config;

/// What a rule demands: `require` must hold, and `forbid` must not.
#[derive(Debug, Default)]
pub struct Policy {
    pub require: Option<Condition>,
    pub forbid: Option<Condition>,
}

/// Something that holds of a caller or does not. Never without content.
#[derive(Debug)]
pub enum Condition {
    /// All of these.
    All(Vec<Self>),
    /// One of these, or more.
    Any(Vec<Self>),
    /// The caller's access token was given for these scopes (RFC 6749 section 3.3).
    Scopes(Selection<String>),
    /// Roles without a client's name: of the caller's own client, or of the whole provider.
    Roles(Selection<String>),
    Groups(Selection<String>),
    /// One of these issuers vouches for the caller.
    Issuer(Vec<String>),
    Claim {
        /// The names that lead to the claim from the outermost object.
        path: Vec<String>,
        test: Test,
    },
}

/// Which of several things are wanted.
#[derive(Debug)]
pub enum Selection<T> {
    AllOf(Vec<T>),
    AnyOf(Vec<T>),
}

impl<T> Selection<T> {
    /// The things, in the order in which they are written.
    pub fn items(&self) -> &[T] {
        match self {
            Self::AllOf(items) | Self::AnyOf(items) => items,
        }
    }
}

/// What the value of a claim must be like.
#[derive(Debug)]
pub enum Test {
    OneOf(Vec<Scalar>),
    /// An array with these among its elements.
    Contains(Selection<Scalar>),
    Matches(Pattern),
}

/// A plain value. Values of different types are never the same.
#[derive(Clone, PartialEq)]
pub enum Scalar {
    Text(String),
    /// A whole one is so small that no other whole number becomes the same `f64`.
    Number(f64),
    Flag(bool),
}

/// With a number as its bits: what prints an `f64` is more than ten kilobytes, and is part of the module
/// because the claims that rules look at are told from others by how they are printed.
impl fmt::Debug for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.debug_tuple("Text").field(text).finish(),
            Self::Number(number) => {
                let bits = number.to_bits();
                formatter.debug_tuple("Number").field(&bits).finish()
            }
            Self::Flag(flag) => formatter.debug_tuple("Flag").field(flag).finish(),
        }
    }
}

/// A regular expression that a whole text must match, in time that grows with the text alone.
#[derive(Clone)]
pub struct Pattern(Regex);

/// The largest compiled pattern, in bytes.
const LARGEST_PATTERN: usize = 16 * 1024;

impl Pattern {
    /// The longest text that is compared; a longer one cannot be judged.
    pub const LONGEST_TEXT: usize = 4096;

    /// Compiles a pattern; `None` for one that cannot be read, or that is too large.
    pub fn compile(pattern: &str) -> Option<Self> {
        let build = |pattern: &str| {
            RegexBuilder::new(pattern)
                .size_limit(LARGEST_PATTERN)
                .build()
                .ok()
        };
        // On its own first: a pattern with a parenthesis too many could leave its anchors behind.
        build(pattern)?;
        build(&format!(r"\A(?:{pattern})\z")).map(Self)
    }

    /// Whether it matches the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0.as_str())
    }
}

impl Policy {
    pub const fn is_nothing(&self) -> bool {
        self.require.is_none() && self.forbid.is_none()
    }
}

impl Config {
    /// What the rule with this index demands, where it demands anything.
    pub fn policy(&self, rule: Option<usize>) -> Option<&Policy> {
        let policy = &self.rules.get(rule?)?.policy;
        (!policy.is_nothing()).then_some(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::compile(pattern).unwrap().matches(text)
    }

    #[test]
    fn a_pattern_is_about_the_whole_text() {
        for pattern in ["https://idp", "^https://idp$", "(?m)^https://idp$"] {
            assert!(matches(pattern, "https://idp"), "{pattern}");
            for text in [
                "https://idp.evil.example",
                "x https://idp",
                "https://idp\n",
                "\nhttps://idp",
                "https://idp\nx",
            ] {
                assert!(!matches(pattern, text), "{pattern}: {text:?}");
            }
        }
        assert!(matches("a|ab", "ab"));
        assert!(!matches("a|b", "ab"));
        assert!(matches("", ""));
        assert!(!matches("", "a"));
    }

    #[test]
    fn no_pattern_slips_out_of_its_anchors() {
        for pattern in ["a)|(b", "a)|(?:b", "(", "a\\", "[", "(?x)a # "] {
            assert!(Pattern::compile(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_has_no_time_to_waste() {
        assert!(Pattern::compile("(a{100}){100}").is_none());
        assert!(Pattern::compile("\\p{Greek}").is_none());
        let text = "a".repeat(Pattern::LONGEST_TEXT);
        let begun = std::time::Instant::now();
        assert!(!matches("(a*)*b|(a|a)*c|(a+)+d", &text));
        assert!(begun.elapsed() < std::time::Duration::from_secs(5));
    }
}
