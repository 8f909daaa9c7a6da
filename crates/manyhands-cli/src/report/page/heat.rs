//! Variants by workloads: a number in every cell, and a shade behind it.

use manyhands_measure::Verdict;
use maud::{Markup, html};

use super::Report;
use crate::output::ratio;

/// How many shades there are, from the fastest on.
const SHADES: usize = 6;

/// The slowdown from which on the last shade is used.
const DARKEST: f64 = 16.0;

/// One cell.
enum Cell {
    /// How many times as long as the fastest of the column, and whether it
    /// may as well be the fastest.
    Times(f64, bool),
    /// The same where nobody is ranked.
    Unranked(f64),
    /// Why there is no number.
    None(&'static str),
}

pub(super) fn map(reports: &[Report<'_>]) -> Markup {
    let mut names: Vec<&str> = Vec::new();
    for report in reports {
        for entrant in &report.record.runs.entrants {
            let name = entrant.name.as_str();
            if !names.contains(&name) && !name.ends_with("(again)") {
                names.push(name);
            }
        }
    }
    let caption = "How many times as long each took as the fastest";
    html! {
        p {
            "How many times as long each took as the fastest on the same \
             jobs. ✓ is the fastest, and what cannot be told apart from it; \
             in brackets is what is not ranked: too few rounds, or too much \
             noise."
        }
        div.wide tabindex="0" role="region" aria-label="Heat map" {
            table.heat {
                caption { (caption) }
                thead { tr {
                    th scope="col" { "variant" }
                    @for report in reports {
                        th scope="col" { (report.record.runs.work) }
                    }
                } }
                tbody {
                    @for name in names { tr {
                        th scope="row" { (name) }
                        @for report in reports { (shown(&cell(report, name))) }
                    } }
                }
            }
        }
    }
}

fn shown(cell: &Cell) -> Markup {
    html! {
        @match cell {
            Cell::Times(times, is_best) => {
                td class=(format!("shade-{}", shade(*times))) {
                    @if *is_best { "✓ " }
                    (ratio(*times))
                }
            }
            Cell::Unranked(times) => { td { "(" (ratio(*times)) ")" } }
            Cell::None(why) => { td { (why) } }
        }
    }
}

/// By the logarithm: each shade stands for the same ratio to the one before.
fn shade(times: f64) -> usize {
    let part = times.max(1.0).ln() / DARKEST.ln();
    ((part * SHADES as f64) as usize).min(SHADES - 1)
}

fn cell(report: &Report<'_>, name: &str) -> Cell {
    let rows = || report.rows();
    let Some(row) = rows().find(|row| row.entrant.name == name) else {
        return Cell::None("–");
    };
    if row.judged.verdict == Verdict::Stopped {
        return Cell::None("stops");
    }
    let speed = |row: &super::super::Row<'_>| {
        row.judged.speed.map(|speed| speed.estimate)
    };
    let others = rows().filter(|row| !row.entrant.name.ends_with("(again)"));
    let fastest = others.filter_map(|row| speed(&row)).fold(0.0, f64::max);
    let Some(own) = speed(&row) else { return Cell::None("–") };
    let times = fastest / own;
    match report.best() {
        None => Cell::Unranked(times),
        Some((best, alike)) => {
            Cell::Times(times, best == name || alike.contains(&name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_go_by_ratios() {
        let shades = [1.0, 1.4, 1.7, 3.0, 15.9, 1e6].map(shade);
        assert_eq!(shades, [0, 0, 1, 2, 5, 5]);
    }
}
