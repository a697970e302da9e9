//! The costs as bars, in SVG that can be read on light and on dark paper.
use std::fmt::Write;

use crate::report::Added;

const ROW: usize = 26;
const LABELS: usize = 300;
const BARS: usize = 480;
const MARGIN: usize = 16;
const HEAD: usize = 46;

/// One bar for each, as long as it is; what is too long for the paper is cut, and says so.
pub fn svg(rows: &[Added], title: &str) -> String {
    let whole = longest(rows);
    let width = MARGIN * 2 + LABELS + BARS + 70;
    let height = HEAD + rows.len() * ROW + MARGIN;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n\
         <style>\n\
         text {{ font: 13px system-ui, sans-serif; fill: #1f2328 }} .title {{ font-weight: 600 }}\n\
         .portero {{ fill: #0969da }} .other {{ fill: #8c959f }}\n\
         @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} .portero {{ fill: #4493f8 }} .other {{ fill: #6e7681 }} }}\n\
         </style>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"26\">{title}</text>\n"
    );
    for (index, row) in rows.iter().enumerate() {
        let top = HEAD + index * ROW;
        let middle = top + 15;
        let kind = match row.name.starts_with("Portero") {
            true => "portero",
            false => "other",
        };
        let share = row.microseconds.max(0.0) / whole;
        let (length, cut) = match share > 1.0 {
            true => (BARS as f64, " \u{2026}"),
            false => (share * BARS as f64, ""),
        };
        let start = MARGIN + LABELS;
        let end = start as f64 + length + 6.0;
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{kind}\" x=\"{start}\" y=\"{}\" width=\"{length:.1}\" height=\"16\" rx=\"2\"/>\
             <text x=\"{end:.1}\" y=\"{middle}\">{:.1}{cut}</text>",
            start - 8,
            row.name,
            top + 2,
            row.microseconds,
        );
    }
    text += "</svg>\n";
    text
}

/// What the longest bar stands for: the dearest, unless it would leave nothing to see of the others.
fn longest(rows: &[Added]) -> f64 {
    let mut costs: Vec<_> = rows.iter().map(|row| row.microseconds).collect();
    costs.sort_by(f64::total_cmp);
    let most = costs.last().copied().unwrap_or_default();
    let middle = costs.get(costs.len() / 2).copied().unwrap_or_default();
    most.min(middle * 8.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_that_is_far_longer_than_the_others_is_cut() {
        let rows = [10.0, 20.0, 30.0, 5000.0].map(|microseconds| Added {
            name: "x".to_owned(),
            microseconds,
            spread: 0.0,
            by_median: 0.0,
            whole: 0.0,
        });
        let svg = svg(&rows, "t");
        assert_eq!(svg.matches("\u{2026}").count(), 1);
        assert_eq!(svg.matches("<rect").count(), 4);
    }
}
