//! What was measured, as a table for people.
use std::fmt::Write;

use portero_envoy_tests::start_cost::StartCost;

use crate::compare::CookieSizes;
use crate::machine::Machine;
use crate::measure::Cost;

/// A cost over what the same requests cost without a filter.
pub struct Added {
    pub name: String,
    pub microseconds: f64,
    pub spread: f64,
    /// By the medians of both: what a busy machine makes of it.
    pub by_median: f64,
    /// All that the request costs.
    pub whole: f64,
}

/// What each variant adds to its base.
pub fn added(costs: &[Cost]) -> Vec<Added> {
    costs
        .iter()
        .filter_map(|cost| {
            let base = cost.base.as_ref()?;
            let base = costs.iter().find(|other| other.name == *base)?;
            Some(Added {
                name: cost.name.clone(),
                microseconds: cost.least - base.least,
                spread: cost.spread + base.spread,
                by_median: cost.median - base.median,
                whole: cost.least,
            })
        })
        .collect()
}

/// A number that is to be reached: `of` over `to`, or beyond `to`.
pub struct Goal {
    pub of: &'static str,
    pub to: &'static str,
    pub most: f64,
    /// Microseconds more than `to`, not a multiple of it.
    pub is_distance: bool,
}

const fn ratio(of: &'static str, to: &'static str, most: f64) -> Goal {
    Goal {
        of,
        to,
        most,
        is_distance: false,
    }
}

const CACHED: &str = "oauth2 + jwt_authn with cache";
const UNCACHED: &str = "oauth2 + jwt_authn without cache";

pub const GOALS: [Goal; 18] = [
    ratio("Portero, warm session, 1 KB cookie", CACHED, 0.45),
    ratio("Portero, warm session, 2 KB cookie", CACHED, 0.45),
    ratio("Portero, warm session, 4 KB cookie", CACHED, 0.45),
    ratio("Portero, warm session, 1 KB cookie", UNCACHED, 0.17),
    ratio("Portero, warm session, 2 KB cookie", UNCACHED, 0.17),
    ratio("Portero, warm session, 4 KB cookie", UNCACHED, 0.17),
    ratio("Portero, session first seen, 1 KB cookie", CACHED, 0.9),
    ratio("Portero, session first seen, 2 KB cookie", CACHED, 0.9),
    ratio("Portero, session first seen, 4 KB cookie", CACHED, 0.9),
    ratio(
        "Portero, seen before, RS256 token",
        "jwt_authn with cache, RS256 token",
        2.0,
    ),
    ratio(
        "Portero, seen before, RS256 token",
        "jwt_authn without cache, RS256 token",
        0.2,
    ),
    ratio(
        "Portero, seen before, ES256 token",
        "jwt_authn with cache, ES256 token",
        2.0,
    ),
    ratio(
        "Portero, seen before, ES256 token",
        "jwt_authn without cache, ES256 token",
        0.2,
    ),
    ratio(
        "Portero, first seen, RS256 token",
        "jwt_authn without cache, RS256 token",
        0.75,
    ),
    ratio(
        "Portero, first seen, ES256 token",
        "jwt_authn without cache, ES256 token",
        0.85,
    ),
    Goal {
        of: "Portero, public path",
        to: "empty Wasm filter",
        most: 6.0,
        is_distance: true,
    },
    // What is written down to see it move, not to reach it.
    ratio(
        "Portero, warm session, 1 KB cookie",
        "empty Wasm filter",
        f64::INFINITY,
    ),
    ratio(
        "oauth2 + jwt_authn without cache",
        "oauth2 + jwt_authn with cache",
        f64::INFINITY,
    ),
];

/// What a login leaves in the browser, in bytes, and how much that may be.
pub const TYPICAL_COOKIE: usize = 1024;

/// Everything that goes into the file beside the costs.
pub struct Circumstances {
    pub machine: Machine,
    pub rounds: usize,
    pub load_before: String,
    pub load_after: String,
    pub module_bytes: u64,
    pub start: StartCost,
    pub cookies: CookieSizes,
}

/// The file of results.
pub fn markdown(costs: &[Cost], about: &Circumstances) -> String {
    let added = added(costs);
    let mut text = String::new();
    text += "# What a request costs\n\n\
        Written by `scripts/bench`, which measures it anew. The numbers are processor time of Envoy's worker for each request: all variants are\n\
        listeners of one Envoy with one worker, answered by Envoy itself, with keep-alive. They take turns in short slices in random order,\n\
        and the mean of the cheapest tenth of a variant's slices counts, because other work on the machine only adds. *Added* is over the\n\
        same requests without a filter: cookies cost Envoy something by themselves. Nothing here passes or fails a test.\n\n";
    let machine = &about.machine;
    let _ = writeln!(
        text,
        "{}, {} cores, {}; Envoy {}; {}; {} rounds. The machine was shared: its load average was {} before and {} after.\n",
        machine.processor,
        machine.cores,
        machine.kernel,
        machine.envoy,
        machine.date,
        about.rounds,
        about.load_before,
        about.load_after,
    );
    text += "| variant | added, us | spread | added by medians | whole request, us |\n|---|---|---|---|---|\n";
    for row in &added {
        let _ = writeln!(
            text,
            "| {} | {:.1} | {:.1} | {:.1} | {:.1} |",
            row.name, row.microseconds, row.spread, row.by_median, row.whole
        );
    }
    text += "\nThe spread is from the cheapest slice to the dearest that counts, of the variant and of its base together. A request without any\n\
        filter: ";
    let bases = costs.iter().filter(|cost| cost.base.is_none());
    let bases: Vec<_> = bases
        .map(|cost| {
            let what = cost.name.strip_prefix("no filter").unwrap_or(&cost.name);
            let what = what.strip_prefix(", ").unwrap_or("a small cookie");
            format!("{:.1} us ({what})", cost.least)
        })
        .collect();
    let _ = writeln!(text, "{}.\n", bases.join(", "));
    text += "## Goals\n\n| of | to | is | goal |\n|---|---|---|---|\n";
    for goal in &GOALS {
        let find = |name: &str| added.iter().find(|row| row.name == name);
        let (Some(of), Some(to)) = (find(goal.of), find(goal.to)) else {
            continue;
        };
        let (is, unit) = match goal.is_distance {
            true => (of.microseconds - to.microseconds, " us more"),
            false => (of.microseconds / to.microseconds, " times"),
        };
        let wanted = match goal.most.is_finite() {
            true => format!(
                "at most {}{}",
                goal.most,
                if is <= goal.most {
                    ""
                } else {
                    ", **not reached**"
                }
            ),
            false => String::new(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {is:.2}{unit} | {wanted} |",
            goal.of, goal.to
        );
    }
    let reached = match about.cookies.typical <= TYPICAL_COOKIE {
        true => "",
        false => ", **not reached**",
    };
    let _ = write!(
        text,
        "\n## Sizes\n\n\
         | what | is | goal |\n|---|---|---|\n\
         | session cookie of a typical login: ten claims, a refresh token, no tokens for the upstream | {} bytes | at most {TYPICAL_COOKIE}{reached} |\n\
         | cookies of a login by oauth2, which keeps both tokens (RS256, 1 KB of claims each) | {} bytes | |\n\
         | the module | {} bytes | |\n\
         | processor time that it adds to Envoy's start | {:.2} s (to {:.2} s) | |\n",
        about.cookies.typical,
        about.cookies.native,
        about.module_bytes,
        about.start.with - about.start.without,
        about.start.without,
    );
    text
}

/// A document with what these add in the rows of its tables that have a variant and a number.
pub fn shown(document: &str, added: &[Added]) -> String {
    let lines = document.split_inclusive('\n').map(|line| {
        let row = added.iter().find(|row| {
            let rest = line.strip_prefix(&format!("| {} | ", row.name));
            let cell = rest.and_then(|rest| rest.trim_end().strip_suffix(" |"));
            cell.is_some_and(|cell| cell.parse::<f64>().is_ok())
        });
        match row {
            Some(row) => format!("| {} | {:.1} |\n", row.name, row.microseconds),
            None => line.to_owned(),
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(name: &str, base: Option<&str>, least: f64) -> Cost {
        Cost {
            name: name.to_owned(),
            base: base.map(ToOwned::to_owned),
            least,
            median: least + 1.0,
            spread: 0.5,
        }
    }

    #[test]
    fn what_is_added_is_over_the_same_requests_without_a_filter() {
        let costs = [
            cost("bare", None, 30.0),
            cost("large", None, 50.0),
            cost("filter", Some("large"), 70.0),
        ];
        let added = added(&costs);
        assert_eq!(added.len(), 1);
        assert!((added[0].microseconds - 20.0).abs() < 1e-9);
    }

    #[test]
    fn a_document_shows_what_was_measured_and_is_the_same_otherwise() {
        let costs = [cost("bare", None, 30.0), cost("filter", Some("bare"), 34.5)];
        let text =
            "# A\n| filter | 7.0 |\n| filter | bare | 7.0 |\n| filters | 7.0 |\nfilter\n\nend";
        let expected = text.replacen("7.0", "4.5", 1);
        assert_eq!(shown(text, &added(&costs)), expected);
    }

    #[test]
    fn every_goal_is_between_different_variants() {
        assert!(
            GOALS
                .iter()
                .all(|goal| goal.of != goal.to && goal.most > 0.0)
        );
    }
}
