//! The report for people.

use manyhands_measure::record::Runs;
use manyhands_measure::{FEWEST, Machine, State, Verdict};

use super::{Report, Row, durable};
use crate::output::{listed, plural, ratio, time, wrap};
use crate::record::{About, Record};
use crate::table::{Table, left, right};
use crate::work;

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
    let durable = report.record.durable.as_ref();
    text + &durable.map(durable::plain).unwrap_or_default()
}

/// The same to be pasted into a page.
pub(crate) fn markdown(report: &Report<'_>) -> String {
    let mut text = table(report, Verdict::word).markdown();
    text += "\n";
    for (about, note) in notes(report) {
        text += &format!("- **{about}**: {note}\n");
    }
    let durable = report.record.durable.as_ref();
    text + &durable.map(durable::markdown).unwrap_or_default()
}

fn table(report: &Report<'_>, verdict: fn(Verdict) -> &'static str) -> Table {
    let mut table = Table::new([
        left("variant"),
        right("wall"),
        right("cpu/job"),
        right("speed"),
        left("interval"),
        right("p50"),
        right("p99"),
        left("verdict"),
    ]);
    let shown = |value: Option<f64>, how: fn(f64) -> String| {
        value.map_or_else(|| "–".to_owned(), how)
    };
    for row in report.rows() {
        let Row { entrant, latency, judged, cpu_per_job, .. } = row;
        let interval = judged
            .speed
            .filter(|_| judged.verdict != Verdict::Baseline)
            .and_then(|speed| speed.interval);
        table.row([
            entrant.name.clone(),
            shown(judged.wall, time),
            shown(cpu_per_job, time),
            shown(judged.speed.map(|speed| speed.estimate), ratio),
            interval.map_or_else(|| "–".to_owned(), range),
            shown(latency.p50, time),
            shown(latency.p99, time),
            verdict(judged.verdict).to_owned(),
        ]);
    }
    table
}

/// What there is to say, and what about; the conclusions first.
fn notes(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let Report { record, .. } = report;
    let mut notes = Vec::new();
    let mut note = |about, text: Option<String>| {
        notes.extend(text.map(|text| (about, text)));
    };
    let Record { runs, about, .. } = record;
    let about = about.as_ref();
    let partial = "the comparison was interrupted; this is what there was";
    note("partial", runs.partial.then(|| partial.to_owned()));
    note("refused", refused(report));
    note("fastest", fastest(report));
    note("caution", few_rounds(record));
    note("stopped", stopped(report));
    note("noise", noise(report));
    note("cores", Some(cores(&runs.machine, &report.judgement.state)));
    note("got", cores_got(report));
    note("load", load(runs));
    note("state", state(&report.judgement.state));
    note("work", Some(work(record)));
    note("shows", work::lesson(&runs.work).map(str::to_owned));
    note("scaled", scaled(runs));
    note("bends", bends(runs));
    note("unread", about.and_then(unread));
    note("rounds", Some(rounds(record)));
    note("program", Some(program(&runs.machine)));
    let speed = format!(
        "{}'s time over the variant's, in the same round, with its 95 % \
         interval; cpu/job is CPU time",
        runs.baseline()
    );
    note("speed", Some(speed));
    let latency = "from submit to the end of the job, each submitted as soon \
                   as there is a place for it, or when its request comes";
    let has_latency = report.rows().any(|row| row.latency.p50.is_some());
    note("p50, p99", has_latency.then(|| latency.to_owned()));
    notes
}

fn refused(report: &Report<'_>) -> Option<String> {
    let interval = report.judgement.noise?.interval?;
    report.judgement.is_refused.then(|| {
        let what = range(interval);
        let baseline = report.record.runs.baseline();
        format!(
            "nobody is ranked, for {baseline} differs from itself by {what}, and \
             more than 0.97–1.03 is too much: the machine was too busy or too \
             unsteady, or the time too short. The times above are what they \
             were; do not compare them"
        )
    })
}

fn fastest(report: &Report<'_>) -> Option<String> {
    let (name, alike) = report.best()?;
    Some(match alike[..] {
        [] => format!("{name}, ahead of each of the others"),
        _ => format!("{name}; cannot be told apart: {}", listed(&alike)),
    })
}

fn few_rounds(record: &Record) -> Option<String> {
    let more = match &record.about {
        _ if record.runs.partial => "",
        None => "",
        Some(About { time: Some(_), .. }) => "; a longer --time allows more",
        Some(About { time: None, .. }) => "; ask for more --rounds",
    };
    (record.runs.complete() < FEWEST).then(|| {
        format!("no intervals and no verdicts below {FEWEST} rounds{more}")
    })
}

fn stopped(report: &Report<'_>) -> Option<String> {
    let stopped =
        report.rows().filter(|row| row.judged.verdict == Verdict::Stopped);
    let names = stopped.map(|row| row.entrant.name.as_str());
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| {
        let names = listed(&names);
        format!("{names}, as the pattern does: less work, so not ranked")
    })
}

fn noise(report: &Report<'_>) -> Option<String> {
    let (low, high) = report.judgement.noise?.interval?;
    if report.judgement.is_refused {
        // Said before.
        return None;
    }
    let what = range((low, high));
    let baseline = report.record.runs.baseline();
    Some(if low <= 1.0 && 1.0 <= high {
        format!(
            "{baseline} against itself: {what}; no verdict on less than that"
        )
    } else {
        format!(
            "{baseline} against itself: {what}, which should hold 1: the machine \
             was not quiet, take care"
        )
    })
}

fn cores(machine: &Machine, state: &State) -> String {
    let cores = plural(machine.cores, "core");
    match state.cache_line.map(|(a, b)| (time(a), time(b))) {
        None => cores,
        Some((least, most)) if least == most => {
            format!("{cores}, a cache line from one to another in {least}")
        }
        Some((least, most)) => format!(
            "{cores}, a cache line from one to another in {least} to {most}"
        ),
    }
}

/// Of how many cores each had the time.
fn cores_got(report: &Report<'_>) -> Option<String> {
    let got = report.rows().filter_map(|row| {
        let got = row.judged.cores_got?;
        Some(format!("{} {}", row.entrant.name, ratio(got)))
    });
    let got: Vec<String> = got.collect();
    (!got.is_empty()).then(|| format!("cores, on average: {}", got.join(", ")))
}

/// How busy the machine was, this program included.
fn load(runs: &Runs) -> Option<String> {
    let (least, most) = runs.load()?;
    let runs = runs.runs().filter_map(|(run, _)| {
        Some((run.wall_ns as f64, run.pressure_ns? as f64))
    });
    let (walls, waits): (Vec<f64>, Vec<f64>) = runs.unzip();
    let waited = waits.iter().sum::<f64>() / walls.iter().sum::<f64>();
    let waited = match waited.is_finite() {
        false => String::new(),
        true => format!(
            "; for {:.0} % of the runs' time some thread of it had no core",
            waited * 100.0
        ),
    };
    Some(format!("{least:.1} to {most:.1} on the machine{waited}"))
}

fn state(state: &State) -> Option<String> {
    let &State { used, left_out, is_mixed, .. } = state;
    if is_mixed {
        let mixed = "the cache line's time jumped from level to level, and no \
                     half of the rounds has one; all are looked at, mixed";
        return Some(mixed.to_owned());
    }
    (left_out > 0).then(|| {
        let used = plural(used as u64, "round");
        format!(
            "{used} looked at; {left_out} left out, before or after which a \
             cache line took another time"
        )
    })
}

fn work(record: &Record) -> String {
    let Runs { group, work, jobs, queue, workers, .. } = &record.runs;
    let group = match group.is_empty() {
        true => String::new(),
        false => format!("{group}, "),
    };
    let summary = match &record.about {
        Some(about) => about.summary.clone(),
        None => plural(*jobs, "job"),
    };
    let workers = plural(*workers, "worker");
    format!("{group}{work}: {summary}; {workers}, a queue of {queue}")
}

/// Those that ran fewer jobs than there are.
fn scaled(runs: &Runs) -> Option<String> {
    let fewer = runs.entrants.iter().filter(|it| it.ran < runs.jobs);
    let fewer = fewer.map(|it| format!("{} ran {}", it.name, it.ran));
    let fewer: Vec<String> = fewer.collect();
    (!fewer.is_empty()).then(|| {
        let fewer = fewer.join(", ");
        format!("{fewer}; the times are what all the jobs would have taken")
    })
}

/// What contenders do otherwise than the others.
fn bends(runs: &Runs) -> Option<String> {
    let bends = runs.entrants.iter().filter(|it| !it.bends.is_empty());
    let bends = bends.map(|it| format!("{}: {}", it.name, it.bends));
    let bends: Vec<String> = bends.collect();
    (!bends.is_empty()).then(|| bends.join(". "))
}

fn unread(about: &About) -> Option<String> {
    work::unread(about.unread, about.first_unread.first()?)
}

fn rounds(record: &Record) -> String {
    let Record { runs, about, .. } = record;
    let rounds = plural(runs.complete() as u64, "round");
    let processes = match runs.processes() {
        0 | 1 => "one process".to_owned(),
        processes => format!("{processes} processes"),
    };
    let order = format!("in random order within each (seed {})", runs.seed);
    match about {
        None => {
            format!("{rounds} in {processes}, {order}; wall is the median")
        }
        Some(about) => format!(
            "{rounds} in {processes} in {}, {order}; wall is the median; all \
             {} answers were checked and are right",
            time(about.elapsed as f64),
            about.answers,
        ),
    }
}

pub(super) fn program(machine: &Machine) -> String {
    let Machine { os, arch, rustc, revision, .. } = machine;
    match revision {
        Some(revision) => format!("{revision}, {rustc}, {os} on {arch}"),
        None => format!("{rustc}, {os} on {arch}"),
    }
}

/// `1.85–1.93`
pub(crate) fn range((low, high): (f64, f64)) -> String {
    format!("{}–{}", ratio(low), ratio(high))
}
