//! Compares the hot paths of two builds, path by path: instructions always,
//! time if it is asked for. `.ci/guard` makes the builds.
//!
//! ```console
//! $ guard BASE HEAD [--time]     # two programs `hot`
//! $ guard HOT [--record FILE]    # the instructions of one
//! ```
//!
//! Exit code 1 if a path takes a tenth more instructions than before, or
//! certainly more time; 2 for bad input.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program, and this is its answer")]
#![allow(clippy::print_stderr, reason = "a program, and this is its talk")]

use std::env;
use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

use manyhands_measure::record::{NewFile, Rows};
use manyhands_measure::{
    Budget, Contender, Control, External, Plan, is_child, judge, measure,
    myself, serve,
};

/// More than this many times as many instructions is worse.
const MUCH: f64 = 1.1;

/// Fewer than this is better.
const LITTLE: f64 = 1.0 / MUCH;

/// How often a path is gone. Twice as often, less once, leaves out what a
/// program does before and after.
const TIMES: u64 = 5_000;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let timed = arguments.iter().any(|it| it == "--time");
    arguments.retain(|it| it != "--time");
    let compared = match arguments.as_slice() {
        // In a process that measures, which is told the path as well.
        [base, head, path] if is_child() => time_child(path, base, head),
        [base, head] => compare(base, head, timed),
        [hot] if !timed => list(hot, None),
        [hot, option, file] if option == "--record" => list(hot, Some(file)),
        _ => {
            eprintln!(
                "usage: guard BASE HEAD [--time], or guard HOT [--record FILE]"
            );
            return ExitCode::from(2);
        }
    };
    match compared {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("guard: {why}");
            ExitCode::from(2)
        }
    }
}

/// A row for each path.
fn list(hot: &str, record: Option<&str>) -> Result<bool, String> {
    let file = record.map(NewFile::at).transpose()?;
    let mut table = Rows::new("instructions", "full", &["least", "most"]);
    println!("{:<20} {:>9} {:>9}", "instructions a job", "least", "most");
    for path in paths(hot)? {
        let Count { least, most } = count(hot, &path)?;
        println!("{path:<20} {least:>9.1} {most:>9.1}");
        let cells = [least, most].map(|count| format!("{count:.1}"));
        table.rows.push((path, cells.to_vec()));
    }
    if let Some(file) = file {
        file.write(&table.csv())?;
    }
    Ok(true)
}

/// A row for each path that both have. False if one is worse.
fn compare(base: &str, head: &str, timed: bool) -> Result<bool, String> {
    let old = paths(base)?;
    let mut fine = true;
    println!(
        "{:<20} {:>9} {:>9} {:>6}  verdict",
        "instructions a job", "base", "head", "ratio"
    );
    for path in paths(head)? {
        if !old.contains(&path) {
            println!("{path:<20} {:>9} is new", "-");
            continue;
        }
        let (before, now) = (count(base, &path)?, count(head, &path)?);
        let verdict = Verdict::of(before, now);
        fine &= verdict != Verdict::Worse;
        println!(
            "{path:<20} {:>9.1} {:>9.1} {:>6.3}  {}",
            before.middle(),
            now.middle(),
            now.middle() / before.middle(),
            verdict.word()
        );
        if timed {
            fine &= time(&path)?;
        }
    }
    Ok(fine)
}

/// Which paths a build has.
fn paths(hot: &str) -> Result<Vec<String>, String> {
    let output = Command::new(hot).output();
    let output = output.map_err(|why| format!("{hot}: {why}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().map(str::to_owned).collect())
}

/// Instructions a job: the least and the most of a few runs.
#[derive(Clone, Copy)]
struct Count {
    least: f64,
    most: f64,
}

impl Count {
    fn middle(self) -> f64 {
        f64::midpoint(self.least, self.most)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Better,
    Same,
    Worse,
    CannotTell,
}

impl Verdict {
    /// By the ratios that are possible within both ranges.
    fn of(before: Count, now: Count) -> Self {
        let least = now.least / before.most;
        let most = now.most / before.least;
        if least > MUCH {
            Self::Worse
        } else if most < LITTLE {
            Self::Better
        } else if least >= LITTLE && most <= MUCH {
            Self::Same
        } else {
            Self::CannotTell
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same, within a tenth",
            Self::Worse => "WORSE",
            Self::CannotTell => "cannot tell",
        }
    }
}

fn count(hot: &str, path: &str) -> Result<Count, String> {
    // What has threads is not the same each time.
    let runs = if path.starts_with("pool:") { 3 } else { 1 };
    let mut counts = Vec::new();
    for _ in 0..runs {
        let twice = instructions(hot, path, 2 * TIMES)?;
        let once = instructions(hot, path, TIMES)?;
        counts.push((twice as f64 - once as f64) / TIMES as f64);
    }
    counts.sort_by(f64::total_cmp);
    Ok(Count { least: counts[0], most: counts[counts.len() - 1] })
}

/// As valgrind counts them, one thread at a time.
fn instructions(hot: &str, path: &str, times: u64) -> Result<u64, String> {
    let mut child = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--fair-sched=yes", hot, path])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|why| format!("valgrind: {why}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // If it does not listen, it says why below.
        let _ = writeln!(stdin, "{times}");
    }
    let output = child.wait_with_output();
    let output = output.map_err(|why| format!("valgrind: {why}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, count)| count.trim().parse().ok());
    count.ok_or_else(|| {
        let last = said.lines().last().unwrap_or("it said nothing");
        format!("valgrind on {hot} {path}: {last}")
    })
}

/// How much time it takes, base and head in turn. False if it is certainly
/// more.
fn time(path: &str) -> Result<bool, String> {
    let plan = Plan {
        processes: 3,
        budget: Budget { rounds: 30, time: None },
        seed: 1,
    };
    let mut command = || {
        let mut command = myself()?;
        command.arg(path);
        Ok(command)
    };
    let measured = measure(&plan, &mut command, &Control::new(), &mut |_| {})
        .map_err(|why| why.to_string())?;
    let judgement = judge(&measured.rounds, &measured.stopped);
    let head = measured.names.iter().position(|name| name == "head");
    let row = head.map(|head| &judgement.rows[head]);
    let Some((row, speed)) = row.and_then(|row| Some((row, row.speed?)))
    else {
        return Err(format!("{path} was not timed"));
    };
    let interval = speed.interval.map_or_else(String::new, |(low, high)| {
        format!(" ({low:.3} to {high:.3})")
    });
    let (speed, word) = (speed.estimate, row.verdict.word());
    println!("{:<20} {speed:.3} times as fast{interval}: {word}", "");
    Ok(row.verdict != manyhands_measure::Verdict::Slower)
}

fn time_child(path: &str, base: &str, head: &str) -> Result<bool, String> {
    const JOBS: u64 = 200_000;
    let start = |name: &str, hot: &str| {
        let mut command = Command::new(hot);
        command.arg(path);
        External::start(name, command, JOBS, JOBS.to_string())
            .map_err(|why| format!("{hot}: {why}"))
    };
    let (mut first, mut second) = (start("base", base)?, start("head", head)?);
    let contenders: &mut [&mut dyn Contender] = &mut [&mut first, &mut second];
    serve(path, contenders).map_err(|why| why.to_string())?;
    Ok(true)
}
