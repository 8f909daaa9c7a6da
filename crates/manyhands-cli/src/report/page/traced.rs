//! What was seen of runs job by job: who did what, and where jobs waited.

use manyhands_trace::draw::{self, Bounds, seconds, span};
use manyhands_trace::{Ended, Phase, Step, Trace};
use maud::{Markup, html};

use super::panel::{panels, wide};
use super::{Report, figure};
use crate::contenders::INLINE;
use crate::output::plural;
use crate::page::table;

/// The first jobs of the fastest, each with its number, for which there must
/// be room in the bar.
pub(super) fn first_jobs(report: &Report<'_>, jobs: usize) -> Markup {
    let traces = &report.record.looks.traces;
    let best = report.best().map(|(best, _)| best);
    // A run without a pool would not show much.
    let is_best = |name: &str| Some(name) == best && name != INLINE;
    let found = traces.iter().find(|(name, _)| is_best(name));
    let found = found.or_else(|| traces.iter().find(|it| it.0 != INLINE));
    let Some((variant, trace)) = found else { return html! {} };
    // No more can be at work on them.
    let workers = (report.record.runs.workers as usize).min(jobs);
    let mut records = trace.records().to_vec();
    records.truncate(jobs);
    let start = trace.start();
    let first = Trace::new(records, workers, 0);
    let title = format!(
        "{variant}, its first {}",
        plural(first.records().len() as u64, "job")
    );
    let name = "the first jobs";
    let caption = html! {
        "A lane a worker, a bar a job with its number; under them, how many "
        "of these jobs waited. A job before whose number is ✕ failed, before whose is "
        "! panicked."
    };
    let rows = first.records().iter().map(|job| {
        let since =
            |time: std::time::Duration| span(time.saturating_sub(start));
        let or_none = |text: Option<String>| text.unwrap_or("–".into());
        vec![
            job.number.to_string(),
            or_none(job.lane.map(|lane| (lane + 1).to_string())),
            since(job.made),
            span(job.waited()),
            or_none(job.started.map(since)),
            or_none(job.ran().map(span)),
            job.how.to_string(),
        ]
    });
    let heads = ["job", "worker", "made", "waited", "started", "ran", "how"];
    figure(
        &wide(name, &draw::timeline(&first, &title)),
        &caption,
        name,
        &table(&title, &heads, rows),
    )
}

/// All of them on the same jobs.
pub(super) fn all_runs(report: &Report<'_>) -> Markup {
    let traces = &report.record.looks.traces;
    let jobs = traces.iter().map(|(_, trace)| trace.records().len()).max();
    let jobs = jobs.unwrap_or(0) as u64;
    let runs = traces.iter().map(|(name, trace)| (name.as_str(), trace));
    let title = format!("All variants on the same {}", plural(jobs, "job"));
    let name = "all variants on one time axis";
    let of_all = report.record.runs.jobs;
    let caption = html! {
        "One run of each, looked at job by job, which adds to what a job "
        "costs"
        @if jobs < of_all {
            "; the first " (jobs) " of " (of_all) " jobs"
        }
        ". A row a worker, or several where there are many; where jobs are "
        "too brief to be seen, its colour is the fuller the busier it was."
    };
    let rows = traces.iter().map(|(name, trace)| {
        let took = trace.since_start(trace.end());
        let busy: f64 = (0..trace.lanes()).map(|it| trace.busy(it)).sum();
        let per_lane: Vec<usize> = (0..trace.lanes())
            .map(|lane| {
                let jobs = trace.records().iter();
                jobs.filter(|job| job.lane == Some(lane)).count()
            })
            .collect();
        let (least, most) = (per_lane.iter().min(), per_lane.iter().max());
        let waited = trace.times(Phase::Waiting);
        let ran = trace.times(Phase::Running);
        vec![
            name.clone(),
            span(took),
            trace.lanes().to_string(),
            format!("{busy:.2}"),
            format!("{}–{}", least.unwrap_or(&0), most.unwrap_or(&0)),
            span(waited.percentile(50.0)),
            span(ran.percentile(50.0)),
            (trace.records().len() - trace.count(Ended::Done)).to_string(),
        ]
    });
    let heads = [
        "variant",
        "took",
        "workers",
        "of them busy, on average",
        "jobs a worker",
        "waited, median",
        "ran, median",
        "not done",
    ];
    figure(
        &wide(name, &draw::strips(runs, &title)),
        &caption,
        name,
        &table(&title, &heads, rows),
    )
}

/// How many jobs were under way, beside how many may be.
pub(super) fn depths(report: &Report<'_>, nth: usize) -> Markup {
    let runs = &report.record.runs;
    let traces = || {
        let traces = report.record.looks.traces.iter();
        traces.filter(|(name, _)| name != INLINE)
    };
    let bound = (runs.queue + runs.workers) as usize;
    let bounds = Bounds::of(traces().map(|it| &it.1), Some(bound));
    let name = "jobs waiting and in flight";
    let caption = html! {
        "The area is how many jobs waited, the line how many were in flight: "
        "these and those that ran. A pool takes in " (bound) " jobs, "
        (runs.queue) " in its queue and " (runs.workers) " that run"
        @if bound <= 2 * bounds.most { " (dotted)" }
        "; its submitter has one more in hand. The longest run took "
        (seconds(bounds.longest)) "."
    };
    let pictures = traces().map(|(name, trace)| {
        (name.as_str(), draw::depth(trace, name, &bounds))
    });
    let id = format!("depths-{nth}");
    let pictures = panels(&id, &draw::depth_frame(&bounds), pictures);
    let rows = traces().map(|(name, trace)| {
        let steps = trace.steps();
        let most = |of: fn(&Step) -> usize| {
            steps.iter().map(of).max().unwrap_or(0).to_string()
        };
        let little = trace.little();
        let shown = |value: Option<f64>| {
            value.map_or_else(|| "–".into(), |it| format!("{it:.1}"))
        };
        vec![
            name.clone(),
            most(|step| step.waiting),
            most(Step::in_flight),
            bound.to_string(),
            shown(little.map(|it| it.in_flight)),
            shown(little.map(|it| it.per_second)),
            little.map_or("–".into(), |it| seconds(it.seconds)),
        ]
    });
    let heads = [
        "variant",
        "most waiting",
        "most in flight",
        "allowed",
        "in flight, on average",
        "jobs a second",
        "each took, on average",
    ];
    figure(&pictures, &caption, name, &table(name, &heads, rows))
}
