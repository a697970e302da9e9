//! Durations as people write them: `90s`, `15m`, `1h30m`.

use std::time::Duration;

pub(super) const ACCEPTED: &str =
    "a duration with its unit, such as \"500ms\", \"90s\", \"15m\", \"8h\", \"1d\" or \"1h30m\"";

/// The units from large to small, with their length in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads whole numbers with units, larger units first, each at most once.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis: u64 = 0;
    while !rest.is_empty() || rest.len() == text.len() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let length = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(length);
        let (_, factor) = units.by_ref().find(|(name, _)| *name == unit)?;
        millis = number
            .parse::<u64>()
            .ok()?
            .checked_mul(*factor)?
            .checked_add(millis)?;
        rest = next;
    }
    Some(Duration::from_millis(millis))
}

/// Writes `span` the way [`parse`] reads it, to the millisecond.
pub(super) fn written(span: Duration) -> String {
    let mut rest = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, factor) in UNITS {
        let count = rest.checked_div(factor).unwrap_or_default();
        rest = rest.checked_rem(factor).unwrap_or_default();
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}
