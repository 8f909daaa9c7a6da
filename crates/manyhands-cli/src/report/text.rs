//! The report for people, and the raw rounds as CSV.

use super::{Best, Report, Row, Verdict};
use crate::output::{count, listed, plural, ratio, time, wrap};
use crate::stats::FEWEST;
use crate::table::{Table, left, right};
use crate::work::unread;

/// A table, and below it what it does not say. 80 columns wide.
pub(crate) fn plain(report: &Report<'_>) -> String {
    // The one verdict that is wider than its column.
    let verdict = |verdict: Verdict| match verdict {
        Verdict::Stopped => "stopped at\nfirst error",
        verdict => verdict.word(),
    };
    let mut text = table(report, verdict).plain();
    text += "\n";
    for (about, note) in notes(report) {
        text += &wrap(&format!("{about:<9} {note}"), 10);
    }
    text
}

/// The same to be pasted into a page.
pub(crate) fn markdown(report: &Report<'_>) -> String {
    let mut text = table(report, Verdict::word).markdown();
    text += "\n";
    for (about, note) in notes(report) {
        text += &format!("- **{about}**: {note}\n");
    }
    text
}

/// One line a timed run, in the order in which they ran.
pub(crate) fn csv(report: &Report<'_>) -> String {
    let Report { plan, measured, rows, .. } = report;
    let mut table = Table::new([
        left("workload"),
        left("jobs"),
        left("workers"),
        left("queue"),
        left("seed"),
        left("round"),
        left("place"),
        left("variant"),
        left("stopped"),
        left("wall_ns"),
    ]);
    for (number, round) in (1..).zip(&measured.rounds) {
        for (place, &who) in (1..).zip(&round.order) {
            let Some(wall) = round.walls[who] else { continue };
            table.row([
                plan.workload.name().to_owned(),
                plan.workload.len().to_string(),
                plan.config.workers().to_string(),
                plan.config.queue().to_string(),
                plan.seed.to_string(),
                number.to_string(),
                place.to_string(),
                rows[who].name.to_owned(),
                (rows[who].verdict == Verdict::Stopped).to_string(),
                wall.as_nanos().to_string(),
            ]);
        }
    }
    table.csv()
}

fn table(report: &Report<'_>, verdict: fn(Verdict) -> &'static str) -> Table {
    let mut table = Table::new([
        left("variant"),
        right("wall"),
        right("jobs/s"),
        right("speed"),
        left("95% interval"),
        right("p50"),
        right("p99"),
        left("verdict"),
    ]);
    let shown = |value: Option<f64>, how: fn(f64) -> String| {
        value.map_or_else(|| "–".to_owned(), how)
    };
    for row in &report.rows {
        let Row { name, wall, jobs_per_second, speed, p50, p99, .. } = row;
        let interval = speed
            .filter(|_| row.verdict != Verdict::Baseline)
            .and_then(|speed| speed.interval);
        table.row([
            (*name).to_owned(),
            shown(*wall, time),
            shown(*jobs_per_second, count),
            shown(speed.map(|speed| speed.estimate), ratio),
            interval.map_or_else(|| "–".to_owned(), range),
            shown(*p50, time),
            shown(*p99, time),
            verdict(row.verdict).to_owned(),
        ]);
    }
    table
}

/// What there is to say, and what about; the conclusions first.
fn notes(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    let mut note = |about, text: Option<String>| {
        notes.extend(text.map(|text| (about, text)));
    };
    let interrupted = report.measured.interrupted;
    let partial = "the comparison was interrupted; this is what there was";
    note("partial", interrupted.then(|| partial.to_owned()));
    note("fastest", fastest(report));
    note("caution", few_rounds(report));
    note("stopped", stopped(report));
    note("noise", noise(report));
    note("cores", cores(report));
    note("work", Some(work(report)));
    note("unread", unread(report.plan.workload));
    note("rounds", Some(rounds(report)));
    let speed = "inline's time over the variant's, in the same round";
    note("speed", Some(speed.to_owned()));
    let latency = "from submit to the end of the job, each submitted as soon \
                   as there is a place for it";
    note("p50, p99", Some(latency.to_owned()));
    notes
}

fn fastest(report: &Report<'_>) -> Option<String> {
    let Best { name, alike } = report.best.as_ref()?;
    Some(match alike[..] {
        [] => format!("{name}, ahead of each of the others"),
        _ => format!("{name}; cannot be told apart: {}", listed(alike)),
    })
}

fn few_rounds(report: &Report<'_>) -> Option<String> {
    let more = match report.plan.budget.time {
        _ if report.measured.interrupted => "",
        Some(_) => "; a longer --time allows more",
        None => "; ask for more --rounds",
    };
    (report.rounds() < FEWEST).then(|| {
        format!("no intervals and no verdicts below {FEWEST} rounds{more}")
    })
}

fn stopped(report: &Report<'_>) -> Option<String> {
    let stopped = |row: &&Row| row.verdict == Verdict::Stopped;
    let names = report.rows.iter().filter(stopped).map(|row| row.name);
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| {
        let names = listed(&names);
        format!("{names}, as the pattern does: less work, so not ranked")
    })
}

fn noise(report: &Report<'_>) -> Option<String> {
    let (low, high) = report.noise?.interval?;
    let what = range((low, high));
    Some(if low <= 1.0 && 1.0 <= high {
        format!("inline against itself: {what}; no verdict on less than that")
    } else {
        format!(
            "inline against itself: {what}, which should hold 1: the machine \
             was not quiet, take care"
        )
    })
}

fn cores(report: &Report<'_>) -> Option<String> {
    let machine = &report.measured.machine;
    let cores = plural(machine.cores as u64, "core");
    Some(match machine.cache_line.map(|(a, b)| (time(a), time(b))) {
        None => cores,
        Some((least, most)) if least == most => {
            format!("{cores}, a cache line from one to another in {least}")
        }
        Some((least, most)) => format!(
            "{cores}, a cache line from one to another in {least} to {most}"
        ),
    })
}

fn work(report: &Report<'_>) -> String {
    let Report { plan, .. } = report;
    let (name, summary) = (plan.workload.name(), plan.workload.summary());
    let workers = plural(plan.config.workers().get() as u64, "worker");
    let queue = plan.config.queue();
    format!("{name}: {summary}; {workers}, a queue of {queue}")
}

fn rounds(report: &Report<'_>) -> String {
    let Report { plan, measured, .. } = report;
    format!(
        "{} in {}, in random order within each (seed {}); wall is the \
         median; all {} answers were checked and are right",
        plural(report.rounds() as u64, "round"),
        time(measured.elapsed.as_nanos() as f64),
        plan.seed,
        measured.answers,
    )
}

/// `1.85–1.93`
fn range((low, high): (f64, f64)) -> String {
    format!("{}–{}", ratio(low), ratio(high))
}
