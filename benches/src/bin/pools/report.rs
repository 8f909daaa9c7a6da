//! What is printed.

use std::fmt::Write;

use manyhands_measure::{Judgement, Machine, Measured, Ratio, Row, load};

use crate::args::{Args, Group};
use crate::lanes::About;

/// The contenders, and how each bends the comparison.
pub(crate) fn list(lanes: &[About]) -> String {
    let line = |it: &About| format!("{:<24} {}\n", it.name, it.bends);
    lanes.iter().map(line).collect()
}

/// The table, slowest last, and below it on what it was measured.
pub(crate) fn table(
    args: &Args,
    lanes: &[About],
    measured: &Measured,
    judgement: &Judgement,
) -> String {
    let mut text = String::new();
    let baseline = &args.baseline;
    let ratio = match args.group {
        Group::Cpu => "speed-up",
        _ => "times",
    };
    let _ = writeln!(
        text,
        "{}, {} workers, queue {}; {ratio} as of {baseline}\n",
        measured.work, args.sizes.workers, args.sizes.queue
    );
    let _ = writeln!(
        text,
        "{:<24} {:>9} {:>9} {ratio:>9} {:>17}  {:<12} differs in",
        "", "ns/job", "cpu/job", "95% interval", "verdict"
    );
    let mut order: Vec<_> = (0..lanes.len()).collect();
    order.sort_by(|&a, &b| {
        let wall = |it: usize| judgement.rows[it].wall.unwrap_or(f64::MAX);
        wall(a).total_cmp(&wall(b))
    });
    for place in order {
        let (about, row) = (&lanes[place], &judgement.rows[place]);
        let _ = writeln!(text, "{}", line(args, about, row));
    }
    let again = format!("{baseline} (again)");
    let noise = cells(args, judgement.noise.as_ref());
    let _ = writeln!(text, "{again:<24} {:>9} {:>9} {noise}  A/A", "", "");
    text.push('\n');
    foot(&mut text, lanes, measured, judgement);
    text
}

fn line(args: &Args, about: &About, row: &Row) -> String {
    let per_job = |nanos: Option<f64>| match nanos {
        Some(nanos) => format!("{:.1}", nanos / args.jobs as f64),
        None => "-".to_owned(),
    };
    let fewer = match about.jobs < args.jobs {
        true => format!(" ({} jobs, scaled)", about.jobs),
        false => String::new(),
    };
    let line = format!(
        "{:<24} {:>9} {:>9} {}  {:<12} {}{fewer}",
        about.name,
        per_job(row.wall),
        per_job(row.cpu),
        cells(args, row.speed.as_ref()),
        row.verdict.word(),
        about.bends,
    );
    line.trim_end().to_owned()
}

/// The ratio and its interval. The judge has speeds; a price is the inverse.
fn cells(args: &Args, speed: Option<&Ratio>) -> String {
    let Some(speed) = speed else {
        return format!("{:>9} {:>17}", "-", "-");
    };
    let is_speed = args.group == Group::Cpu;
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
fn foot(
    text: &mut String,
    lanes: &[About],
    measured: &Measured,
    judgement: &Judgement,
) {
    let name = |who: usize| &*lanes[who].name;
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
    let _ = writeln!(text, "; {:.0} s", measured.elapsed.as_secs_f64());
    let machine = Machine::look();
    let _ = write!(
        text,
        "machine: {} {}, {} cores, {}",
        machine.os, machine.arch, machine.cores, machine.rustc
    );
    if let Some(revision) = &machine.revision {
        let _ = write!(text, ", revision {revision}");
    }
    if let Some(load) = load() {
        let _ = write!(text, ", load {load:.1}");
    }
    text.push('\n');
}
