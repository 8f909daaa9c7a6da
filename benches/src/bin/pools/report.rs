//! What is printed.

use std::fmt::Write;

use manyhands_measure::record::{Entrant, Runs};
use manyhands_measure::{Judgement, Ratio, Row};

use crate::args::Group;

/// The contenders, and how each bends the comparison.
pub(crate) fn list(lanes: &[Entrant]) -> String {
    let line = |it: &Entrant| format!("{:<24} {}\n", it.name, it.bends);
    lanes.iter().map(line).collect()
}

/// The table, slowest last, and below it on what it was measured. It is made
/// of what a record holds, and of nothing else.
pub(crate) fn table(runs: &Runs) -> String {
    let judgement = runs.judge();
    let mut text = String::new();
    let baseline = runs.baseline();
    let ratio = match is_speed(runs) {
        true => "speed-up",
        false => "times",
    };
    let group = match runs.group.is_empty() {
        true => String::new(),
        false => format!("{}, ", runs.group),
    };
    let _ = writeln!(
        text,
        "{group}{} jobs of {}, {} workers, queue {}; {ratio} as of {baseline}\n",
        runs.jobs, runs.work, runs.workers, runs.queue
    );
    let _ = writeln!(
        text,
        "{:<24} {:>9} {:>9} {ratio:>9} {:>17}  {:<12} differs in",
        "", "ns/job", "cpu/job", "95% interval", "verdict"
    );
    // Without the baseline again, which is the last.
    let mut order: Vec<_> = (0..runs.entrants.len() - 1).collect();
    order.sort_by(|&a, &b| {
        let wall = |it: usize| judgement.rows[it].wall.unwrap_or(f64::MAX);
        wall(a).total_cmp(&wall(b))
    });
    for place in order {
        let (entrant, row) = (&runs.entrants[place], &judgement.rows[place]);
        let _ = writeln!(text, "{}", line(runs, entrant, row));
    }
    let again = format!("{baseline} (again)");
    let noise = cells(runs, judgement.noise.as_ref());
    let _ = writeln!(text, "{again:<24} {:>9} {:>9} {noise}  A/A", "", "");
    text.push('\n');
    foot(&mut text, runs, &judgement);
    text
}

/// Whether the group is about speed-up, and not about price.
fn is_speed(runs: &Runs) -> bool {
    runs.group == Group::Cpu.name()
}

fn line(runs: &Runs, entrant: &Entrant, row: &Row) -> String {
    let per_job = |nanos: Option<f64>| match nanos {
        Some(nanos) => format!("{:.1}", nanos / runs.jobs as f64),
        None => "-".to_owned(),
    };
    let fewer = match entrant.ran < runs.jobs {
        true => format!(" ({} jobs, scaled)", entrant.ran),
        false => String::new(),
    };
    let line = format!(
        "{:<24} {:>9} {:>9} {}  {:<12} {}{fewer}",
        entrant.name,
        per_job(row.wall),
        per_job(row.cpu),
        cells(runs, row.speed.as_ref()),
        row.verdict.word(),
        entrant.bends,
    );
    line.trim_end().to_owned()
}

/// The ratio and its interval. The judge has speeds; a price is the inverse.
fn cells(runs: &Runs, speed: Option<&Ratio>) -> String {
    let Some(speed) = speed else {
        return format!("{:>9} {:>17}", "-", "-");
    };
    let is_speed = is_speed(runs);
    let show = |speed: f64| if is_speed { speed } else { 1.0 / speed };
    let interval = match speed.interval {
        None => "-".to_owned(),
        Some((low, high)) => {
            let (low, high) = (show(low), show(high));
            format!("{:.3} to {:.3}", low.min(high), low.max(high))
        }
    };
    format!("{:>9.3} {interval:>17}", show(speed.estimate))
}

/// On what it was measured, and how much of it was looked at.
fn foot(text: &mut String, runs: &Runs, judgement: &Judgement) {
    let name = |who: usize| &*runs.entrants[who].name;
    if runs.partial {
        text.push_str("partial: it was interrupted\n");
    }
    if judgement.is_refused {
        text.push_str("nobody is ranked: the A/A row is off by over 3 %\n");
    } else if let Some(best) = &judgement.best {
        let alike: Vec<_> = best.alike.iter().map(|&it| name(it)).collect();
        let alike = match alike.is_empty() {
            true => String::new(),
            false => format!("; not told apart: {}", alike.join(", ")),
        };
        let _ = writeln!(text, "fastest: {}{alike}", name(best.who));
    }
    let state = &judgement.state;
    let _ = write!(
        text,
        "rounds: {} of {} in one state of the machine",
        state.used,
        state.used + state.left_out
    );
    if state.is_mixed {
        text.push_str(", which has no steady one");
    }
    if let Some((least, most)) = state.cache_line {
        let _ = write!(text, "; cache line {least:.0} to {most:.0} ns");
    }
    text.push('\n');
    let machine = &runs.machine;
    let _ = write!(
        text,
        "machine: {} {}, {} cores, {}",
        machine.os, machine.arch, machine.cores, machine.rustc
    );
    if let Some(revision) = &machine.revision {
        let _ = write!(text, ", revision {revision}");
    }
    if let Some((least, most)) = runs.load() {
        let _ = write!(text, ", load {least:.1} to {most:.1}");
    }
    text.push('\n');
}
