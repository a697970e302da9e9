//! What is wrong with a configuration, and where.

use std::fmt;

/// How many faults one load reports; a configuration with more says so in a last line.
pub(super) const MOST_FAULTS: usize = 64;

/// One thing that is wrong. Its texts hold names and limits, never the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, as in `session.keys[0].env`; `(root)` for the whole configuration.
    pub path: String,
    /// `what is wrong; what is accepted`.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.problem)
    }
}

/// Everything that is wrong with one configuration: never empty, one line each when displayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            fault.fmt(formatter)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// A place in the configuration, as a chain on the stack: it costs nothing until a fault needs it.
#[derive(Clone, Copy)]
pub(super) enum At<'a> {
    Root,
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

/// One step of a [`Place`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// An [`At`] that owns its names.
pub(super) type Place = Vec<Step>;

impl<'a> At<'a> {
    pub(super) const fn key(&'a self, name: &'a str) -> Self {
        Self::Key(self, name)
    }

    pub(super) const fn index(&'a self, index: usize) -> Self {
        Self::Index(self, index)
    }

    pub(super) fn place(&self) -> Place {
        let mut steps = Vec::new();
        let mut at = self;
        loop {
            at = match at {
                Self::Root => break,
                Self::Key(parent, name) => {
                    steps.push(Step::Key((*name).to_owned()));
                    parent
                }
                Self::Index(parent, index) => {
                    steps.push(Step::Index(*index));
                    parent
                }
            };
        }
        steps.reverse();
        steps
    }
}

/// Writes `place` as a reader would: `rules[2].match`, and `["a b"]` for a key that is not a plain word.
pub(super) fn written(place: &[Step]) -> String {
    use fmt::Write as _;

    if place.is_empty() {
        return "(root)".to_owned();
    }
    let mut text = String::new();
    for step in place {
        // Writing to a `String` does not fail.
        let _ = match step {
            Step::Index(index) => write!(text, "[{index}]"),
            Step::Key(name) if is_plain(name) => {
                let dot = if text.is_empty() { "" } else { "." };
                write!(text, "{dot}{name}")
            }
            Step::Key(name) => {
                let short: String = name.chars().take(64).collect();
                write!(text, "[{short:?}]")
            }
        };
    }
    text
}

fn is_plain(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The faults found so far, and the places whose values were taken out because of one.
#[derive(Default)]
pub(super) struct Ledger {
    faults: Vec<Fault>,
    pruned: Vec<Place>,
    overflowed: bool,
}

impl Ledger {
    /// Records a fault, unless its place was taken out because of an earlier one.
    pub(super) fn fault(&mut self, place: &[Step], problem: impl Into<String>) {
        if !self.overflowed && !self.is_pruned(place) {
            self.push(place, problem.into());
        }
    }

    /// Records that the value at `place` is taken out, so that nothing else is said about it.
    pub(super) fn prune(&mut self, place: Place) {
        // Nothing is said any more about a configuration with too many faults.
        if !self.overflowed {
            self.pruned.push(place);
        }
    }

    /// Whether `place`, or something around it, was taken out.
    pub(super) fn is_pruned(&self, place: &[Step]) -> bool {
        self.pruned.iter().any(|pruned| place.starts_with(pruned))
    }

    /// Whether something inside `place` was taken out.
    pub(super) fn has_pruned_inside(&self, place: &[Step]) -> bool {
        self.pruned.iter().any(|pruned| pruned.starts_with(place))
    }

    /// Whether a direct child of `place` was taken out.
    pub(super) fn has_pruned_child(&self, place: &[Step]) -> bool {
        self.pruned.iter().any(|pruned| {
            pruned
                .split_last()
                .is_some_and(|(_, parent)| parent == place)
        })
    }

    /// Whether there were more faults than are reported.
    pub(super) const fn is_full(&self) -> bool {
        self.overflowed
    }

    /// Fails with all recorded faults, if there are any.
    pub(super) fn settle(self) -> Result<(), Faults> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let mut faults = self.faults;
        if self.overflowed {
            faults.push(Fault {
                path: written(&[]),
                problem: format!("has more faults; the first {MOST_FAULTS} are reported"),
            });
        }
        Err(Faults(faults))
    }

    fn push(&mut self, place: &[Step], problem: String) {
        if self.faults.len() >= MOST_FAULTS {
            self.overflowed = true;
            return;
        }
        self.faults.push(Fault {
            path: written(place),
            problem,
        });
    }
}

/// The one fault of a configuration that cannot be read at all.
pub(super) fn unreadable(problem: impl Into<String>) -> Faults {
    Faults(vec![Fault {
        path: written(&[]),
        problem: problem.into(),
    }])
}
