//! The report as a page: what to take, why, and the pictures, each with its
//! figures under it.

mod forest;
mod heat;
mod method;
mod panel;
mod sizes;
mod tails;
mod traced;
mod words;

use maud::{Markup, html};

use super::{Report, durable};
use crate::durable::Durable;
use crate::output::{listed, plural};
use crate::page;
use crate::record::Record;

/// One page about these records, of which there is one at least: a section
/// for each, and where there are several, what they say together.
pub(crate) fn page(records: &[Record]) -> String {
    let reports: Vec<Report<'_>> = records.iter().map(Report::new).collect();
    let works: Vec<&str> =
        records.iter().map(|record| record.runs.work.as_str()).collect();
    let title = match works[..] {
        [work] => format!("Worker pools on {work}"),
        _ => format!("Worker pools on {} workloads", works.len()),
    };
    let is_one = records.len() == 1;
    let content = html! {
        h1 { (title) }
        @if !is_one {
            p { "What to take for " (listed(&works)) ":" }
            (heat::map(&reports))
            nav aria-label="Workloads" {
                ul {
                    @for (nth, work) in works.iter().enumerate() {
                        li { a href=(format!("#work-{}", nth + 1)) { (work) } }
                    }
                }
            }
        }
        @for (nth, report) in reports.iter().enumerate() {
            section id=(format!("work-{}", nth + 1)) {
                @if !is_one { h2 { (works[nth]) } }
                (section(report, nth, is_one))
            }
        }
        (method::about(&reports))
        footer { "Made by manyhands " (env!("CARGO_PKG_VERSION")) ", "
            (plural(records.len() as u64, "record")) "." }
    };
    page::page(&title, &content)
}

fn section(report: &Report<'_>, nth: usize, is_one: bool) -> Markup {
    let record = report.record;
    // Of several works, a little of each.
    let first_jobs = if is_one { 40 } else { 10 };
    html! {
        (words::summary(report))
        (heading(is_one, "How sure is the difference?"))
        (forest::figure(report))
        @if !record.looks.traces.is_empty() {
            (heading(is_one, "What did each worker do?"))
            (traced::first_jobs(report, first_jobs))
            (traced::all_runs(report))
            (heading(is_one, "Where did jobs wait?"))
            (traced::depths(report, nth))
        }
        @if !record.looks.tails.is_empty() {
            (heading(is_one, "How long did the slowest jobs take?"))
            (tails::figure(report, nth))
        }
        @if !record.looks.sizes.is_empty() {
            (heading(is_one, "How many workers?"))
            (sizes::figure(report, nth))
        }
        @if let Some(durable) = &record.durable {
            (heading(is_one, "What does it cost that jobs outlive the \
                              process?"))
            (outlive(durable))
        }
    }
}

fn outlive(durable: &Durable) -> Markup {
    let rows = durable::lines(durable).into_iter().map(|line| {
        let place = match line.what.is_empty() {
            true => line.place,
            false => format!("{}: {}", line.what, line.place),
        };
        vec![place, line.per_second, line.of_in_process, line.interval]
    });
    let heads = ["kept", "jobs/s", "of in-process", "interval"];
    html! {
        (page::table(durable::TITLE, &heads, rows))
        @for (about, note) in durable::notes(durable) {
            p { b { (about) } ": " (note) }
        }
    }
}

/// Below that of the workload, if there are several.
fn heading(is_one: bool, text: &str) -> Markup {
    html! {
        @if is_one { h2 { (text) } } @else { h3 { (text) } }
    }
}

/// A picture with what it shows, and under it the figures that it is made of.
fn figure(
    picture: &Markup,
    caption: &Markup,
    name: &str,
    table: &Markup,
) -> Markup {
    html! {
        figure {
            (picture)
            figcaption { (caption) }
            details {
                summary { "Figures: " (name) }
                (table)
            }
        }
    }
}
