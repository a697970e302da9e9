//! What whoever converts has to know.

use std::fmt;

/// One thing to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it is about, in the source; empty where it is about all of it.
    pub place: String,
    pub text: String,
}

/// Everything to know about a conversion. No text holds the value of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// What was converted.
    pub source: String,
    /// What decides about security, and could not be said: the result is then narrower than the source,
    /// or waits for an answer.
    pub decisions: Vec<Note>,
    /// What has no counterpart, and is not missed by whoever attacks.
    pub unmatched: Vec<Note>,
    pub stricter: Vec<Note>,
    pub to_do: Vec<Note>,
}

impl Notes {
    pub(crate) fn decide(&mut self, place: impl Into<String>, text: impl Into<String>) {
        add(&mut self.decisions, place, text);
    }

    pub(crate) fn unmatched(&mut self, place: impl Into<String>, text: impl Into<String>) {
        add(&mut self.unmatched, place, text);
    }

    pub(crate) fn stricter(&mut self, place: impl Into<String>, text: impl Into<String>) {
        add(&mut self.stricter, place, text);
    }

    pub(crate) fn remains(&mut self, place: impl Into<String>, text: impl Into<String>) {
        add(&mut self.to_do, place, text);
    }
}

fn add(list: &mut Vec<Note>, place: impl Into<String>, text: impl Into<String>) {
    let note = Note {
        place: place.into(),
        text: text.into().replace(char::is_control, "\u{fffd}"),
    };
    if !list.contains(&note) {
        list.push(note);
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.source.is_empty() {
            writeln!(formatter, "Converted: {}", self.source)?;
        }
        for (title, notes) in [
            ("Needs your decision", &self.decisions),
            ("Has no counterpart", &self.unmatched),
            ("Is stricter here", &self.stricter),
            ("Is yours to do", &self.to_do),
        ] {
            if notes.is_empty() {
                continue;
            }
            writeln!(formatter, "\n{title}:")?;
            for Note { place, text } in notes {
                let colon = if place.is_empty() { "" } else { ": " };
                writeln!(formatter, "  - {place}{colon}{text}")?;
            }
        }
        Ok(())
    }
}
