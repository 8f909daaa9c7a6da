//! What a comparison comes to, in words: what to take, and why the others
//! take longer.

use manyhands_measure::Verdict;
use manyhands_trace::draw::seconds;
use maud::{Markup, html};

use super::super::Row;
use super::{Report, sizes};
use crate::contenders::INLINE;
use crate::output::{listed, plural, ratio};
use crate::report::range;
use crate::work::lesson;

/// From this slowdown on it is said why.
const MUCH: f64 = 1.15;

pub(super) fn summary(report: &Report<'_>) -> Markup {
    let record = report.record;
    html! {
        @if record.runs.partial {
            p { strong { "Partial: " } "the comparison was interrupted." }
        }
        p.take { (take(report)) }
        @let reasons = reasons(report);
        @if !reasons.is_empty() {
            ul { @for reason in reasons { li { (reason) } } }
        }
        @if let Some(lesson) = lesson(&record.runs.work) { p { (lesson) } }
        @if let Some(sizes) = sized(report) { p { (sizes) } }
        p { (about(report)) }
    }
}

fn sized(report: &Report<'_>) -> Option<String> {
    let (best, _) = report.best()?;
    sizes::in_words(report, best)
}

fn take(report: &Report<'_>) -> Markup {
    let record = report.record;
    let baseline = record.runs.baseline();
    let noise = report.judgement.noise.and_then(|noise| noise.interval);
    let Some((best, alike)) = report.best() else {
        return match noise {
            Some(interval) if report.judgement.is_refused => html! {
                "Nobody is ranked: " (baseline) " differs from itself by "
                (range(interval)) ", and more than 0.97–1.03 is too much. The "
                "machine was too busy or too unsteady, or the time too short; "
                "the figures are what they were."
            },
            _ => html! { "Too few rounds to tell; ask for more time." },
        };
    };
    let speed = report.rows().find(|row| row.entrant.name == best);
    let speed = speed.and_then(|row| row.judged.speed);
    html! {
        "For these jobs, take "
        @if best == INLINE { strong { "no pool" } ": to hand a job over \
            costs more than to run it where it is" }
        @else { strong { (best) } }
        @match alike.len() {
            0 => {}
            1 => { "; " (alike[0]) " is as good" }
            _ => { "; " (listed(&alike)) " are as good" }
        }
        "."
        @if let (Some(speed), true) = (speed, best != INLINE) {
            " It is " (ratio(speed.estimate)) " times as fast as no pool"
            @if let Some(interval) = speed.interval {
                " (" (range(interval)) ")"
            }
            "."
        }
    }
}

/// Of each that is much slower than the fastest, by how much, and what the
/// figures show beside it.
fn reasons(report: &Report<'_>) -> Vec<String> {
    let Some((best, _)) = report.best() else { return Vec::new() };
    let find = |name: &str| report.rows().find(|row| row.entrant.name == name);
    let Some(best) = find(best) else { return Vec::new() };
    let Some(fastest) = best.judged.speed else { return Vec::new() };
    let jobs = report.record.runs.jobs as f64;
    let mut slower: Vec<(f64, Row<'_>)> = report
        .rows()
        .filter(|row| row.judged.verdict != Verdict::Stopped)
        .filter(|row| !row.entrant.name.ends_with("(again)"))
        .filter_map(|row| {
            let speed = row.judged.speed?;
            Some((fastest.estimate / speed.estimate, row))
        })
        .filter(|(times, _)| *times >= MUCH)
        .collect();
    slower.sort_by(|a, b| a.0.total_cmp(&b.0));
    let reason = |(times, row): &(f64, Row<'_>)| {
        let name = match row.entrant.name.as_str() {
            INLINE => "No pool (inline)",
            name => name,
        };
        let why = why(row, &best, jobs);
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        format!("{name} takes {} times as long{why}.", ratio(*times))
    };
    slower.iter().map(reason).collect()
}

/// A time is CPU time over the cores that one got, so one of the two is what
/// differs most.
fn why(row: &Row<'_>, best: &Row<'_>, jobs: f64) -> Option<String> {
    /// Less than that of a core is at work: jobs wait for something else.
    const IDLE: f64 = 0.5;
    /// A difference that is worth a word.
    const TOLD: f64 = 0.3;
    let (own_cpu, best_cpu) = (row.cpu_per_job?, best.cpu_per_job?);
    let (own_cores, best_cores) =
        (row.judged.cores_got?, best.judged.cores_got?);
    let best_name = &best.entrant.name;
    let by_cpu = own_cpu / best_cpu.max(1.0);
    let by_cores = best_cores / own_cores.max(1e-9);
    if best_cores < IDLE && own_cores < IDLE {
        return Some(
            "the processor is idle most of the time in both; its jobs wait \
             for longer, or fewer of them at once"
                .to_owned(),
        );
    }
    if by_cores > by_cpu {
        return Some(format!(
            "it has {} of the cores at work, and {best_name} has {}",
            ratio(own_cores),
            ratio(best_cores),
        ));
    }
    let switches = |row: &Row<'_>| {
        row.judged.switches.map_or(0.0, |it| (it.0 + it.1) / jobs)
    };
    let (own, bests) = (switches(row), switches(best));
    let mut why = format!(
        "a job costs {} of CPU time, and with {best_name} {}",
        seconds(own_cpu / 1e9),
        seconds(best_cpu / 1e9),
    );
    if own > bests + TOLD {
        why += &format!(
            "; threads are switched {} times a job, and there {}",
            ratio(own),
            ratio(bests),
        );
    }
    Some(why)
}

fn about(report: &Report<'_>) -> String {
    let runs = &report.record.runs;
    let about = report.record.about.as_ref();
    let summary = about.map(|about| format!(": {}", about.summary));
    let stopped = report
        .rows()
        .filter(|row| row.judged.verdict == Verdict::Stopped)
        .map(|row| row.entrant.name.as_str());
    let stopped: Vec<&str> = stopped.collect();
    let stopped = match stopped[..] {
        [] => String::new(),
        _ => format!(
            " Not ranked, since the pattern stops at the first error: {}.",
            listed(&stopped)
        ),
    };
    format!(
        "The work is {}{}; {}, a queue of {}, {}.{stopped}",
        runs.work,
        summary.unwrap_or_default(),
        plural(runs.workers, "worker"),
        runs.queue,
        plural(runs.complete() as u64, "round"),
    )
}
